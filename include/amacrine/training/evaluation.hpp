// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/array.hpp"
#include "amacrine/io/provenance.hpp"
#include "amacrine/parallel/communicator.hpp"
#include "amacrine/recording/recording.hpp"
#include "amacrine/training/metrics.hpp"
#include "amacrine/training/settings.hpp"

#include <string>
#include <vector>

namespace amacrine::training {

/// A model to be scored: its name in the result file and its rates over the whole test part, (N, T) Hz.
struct Prediction {
  std::string model;
  core::Array<float, 2> rates;
};

/// A kind of figure over models and cells, with intervals. (F figures, M models, N cells, 2 bounds); figures of the recording
/// have M = 1.
struct FigureTable {
  core::Array<double, 3> value;          ///< (F, M, N)
  core::Array<double, 4> interval;       ///< (F, M, N, 2)
  core::Array<double, 2> mean;           ///< (F, M) over the cells that count
  core::Array<double, 3> mean_interval;  ///< (F, M, 2)
};

/// What evaluation.h5 holds, frames at the start left out: docs/results/evaluation.md.
struct Evaluation {
  std::vector<std::string> models;
  std::vector<recording::Cell> cells;
  std::vector<bool> silent, no_ceiling, counted;  ///< per cell; means are over counted cells
  EvaluationSettings settings;
  IntervalPlan intervals;                     ///< what the settings come to for this test part
  std::vector<std::size_t> empty_repeats;     ///< (N) repeats without a spike beside others with more than 20
  std::vector<double> ceiling_without_empty;  ///< (N) noise ceiling from the other repeats; NaN where there are no empty ones
  std::string target_kind;
  double frame_ms = 10.0;
  core::Array<float, 3> rate;       ///< (M, N, T)
  core::Array<float, 2> noiseless;  ///< (N, T) or empty
  core::Array<float, 2> target;     ///< (N, T)
  core::Array<float, 3> repeats;    ///< (R, N, T) or empty
  FigureTable model_figures, ceiling_figures;
};

/// Scores predictions against a recording's test part. Throws core::InputError where the test part is too short for
/// settings.discard_frames, core::Error where a prediction has another shape. Local and deterministic.
Evaluation evaluate_predictions(const recording::Recording& recording, const std::vector<Prediction>& predictions,
                                const EvaluationSettings& settings);

/// Collective: writes evaluation.h5.
void write_evaluation(const parallel::Communicator& communicator, const std::string& path, const Evaluation& evaluation,
                      const io::Provenance& provenance);

/// A table for people: per cell the score of each model with its interval, FEV, FEVe and the ceilings; then the means.
std::string evaluation_table(const Evaluation& evaluation);

}  // namespace amacrine::training
