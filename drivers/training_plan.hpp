// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/training/trainer.hpp"
#include "drivers/verbs.hpp"

#include <optional>
#include <string>
#include <vector>

namespace amacrine::drivers {

/// A model to be trained: its study's settings, the file it ends in, how that file says it was made, and the right to make it.
struct Plan {
  Settings settings;
  std::string path, checkpoint, curves;
  io::Provenance provenance;
  bool baseline = false;  ///< the linear-nonlinear one beside the networks
  std::optional<io::OutputLock> lock{};
};

using Group = std::vector<Plan>;  ///< of models trained together

/// The linear-nonlinear baseline of a network; nothing where the study wants none or its model is one.
Group baseline_of(const Context& context, const Plan& network);

/// What is trained for each plan on the recording, which must outlive the runs.
std::vector<training::TrainingRun> runs_of(const Group& group, const recording::Recording& recording);

/// Warns where a study that names a preset of the recipe differs from what goes with it.
void compare_with_preset(const Settings& settings);

/// Clears what is in the way of trainings: what dead runs left, and with --overwrite the checkpoints of other trainings.
/// Collective.
void clear_for(const Context& context, const std::vector<training::TrainingRun>& runs);

/// Refuses trainings for which disk or memory are too small; `path` is one of their files. Collective. Throws RefusedError.
void require_room(const Context& context, const std::vector<training::TrainingRun>& networks,
                  const std::vector<training::TrainingRun>& baselines, const std::string& path);

/// Sizes and cost of networks trained together, and the files they end in. Collective. Throws where one cannot be trained, or
/// cannot go on from its checkpoint.
void describe_networks(const Context& context, const Group& group, const std::vector<training::TrainingRun>& runs);
/// Runs of linear-nonlinear baselines, as of networks above.
void describe_baseline(const Group& group, const std::vector<training::TrainingRun>& runs);

/// One line about a training that is finished.
std::string told(const training::TrainingResult& result);

/// Fits and writes a linear-nonlinear baseline. Collective.
void fit_baseline(const Context& context, const Plan& plan, const training::TrainingRun& run);

}  // namespace amacrine::drivers
