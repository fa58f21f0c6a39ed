// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/settings.hpp"
#include "amacrine/core/study.hpp"
#include "amacrine/lesion/settings.hpp"
#include "amacrine/model/architecture.hpp"
#include "amacrine/pathway/settings.hpp"
#include "amacrine/recording/settings.hpp"
#include "amacrine/reduction/settings.hpp"
#include "amacrine/stimulus/settings.hpp"
#include "amacrine/sweep/settings.hpp"
#include "amacrine/training/settings.hpp"

#include <string>
#include <vector>

namespace amacrine::drivers {

/// Every table of a study file. All verbs read all of it, so that a misspelt key is found by the first command.
struct Settings {
  std::string name;    ///< study.name
  std::string output;  ///< study.output: folder of all results
  recording::SimulationSettings simulation;
  recording::RecordingSettings recording;
  std::vector<recording::SessionSettings> sessions;  ///< of a joint training; empty: the study is of one recording
  model::Architecture architecture;
  training::TrainingSettings training;
  training::EvaluationSettings evaluation;
  stimulus::ProbeSettings probe;
  attribution::AttributionSettings attribution;
  reduction::ReductionSettings reduction;
  lesion::LesionSettings lesions;
  pathway::PathwaySettings pathways;
  sweep::SweepSettings sweep;
};

/// Reads and checks the whole study. Throws StudyError for unknown, unread or wrong keys.
Settings read_settings(core::Study& study);

/// What of the study determines each step's numbers, for hashes and reuse (core::Study::resolved). Paths are left out, since
/// inputs are recognised by their contents, and so are limits of time and size.
std::vector<std::string> tables_of(const std::string& verb);

}  // namespace amacrine::drivers
