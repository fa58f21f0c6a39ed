// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/model/model.hpp"
#include "amacrine/recording/sampler.hpp"
#include "amacrine/training/batches.hpp"
#include "amacrine/training/trainer.hpp"

#include <vector>

namespace amacrine::training {

/// How a model does on the validation frames; NaN where there are none.
struct Validation {
  double loss = 0, mean_r = 0;
  std::vector<double> cell_r;  ///< (N)
};

class GraphPool;

/// Recomputes batch-norm statistics and scores models on the validation part. Workspaces are taken from the pool at first use.
class Validator {
 public:
  Validator(const parallel::Communicator& communicator, const TrainingRun& run, const recording::SegmentSampler& sampler,
            const BatchSource& source, GraphPool& pool);

  /// Collective. Means and variances over spread training windows, without noise: one forward pass of all of them as a single
  /// batch, so that each layer is normalised by the very statistics that are returned. Throws parallel::Stopped.
  std::vector<float> population_statistics(const core::Exec& exec, const core::View1<float>& parameters);
  std::size_t statistics_windows() const { return spread_.size() * window_run_.windows; }

  /// Collective. Throws parallel::Stopped.
  Validation score(const model::Model& model, const model::LossSettings& loss) const;

 private:
  parallel::Communicator communicator_;
  const TrainingRun& run_;
  const recording::SegmentSampler& sampler_;
  const BatchSource& source_;
  std::vector<std::size_t> spread_;  ///< first target frames of the segments statistics come from
  model::WindowRun window_run_;
  GraphPool& pool_;
};

/// Mean loss of predicted rates against targets, and Pearson r per cell; the mean leaves out silent cells and undefined values.
Validation score_rates(const std::vector<std::vector<double>>& rates, const std::vector<std::vector<double>>& targets,
                       const std::vector<recording::Cell>& cells, const model::LossSettings& loss);

model::LossSettings loss_settings(const TrainingSettings& settings);

}  // namespace amacrine::training
