// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/validation.hpp"

#include "amacrine/core/numbers.hpp"
#include "amacrine/model/inference.hpp"
#include "amacrine/parallel/stop.hpp"
#include "amacrine/training/graph_pool.hpp"
#include "amacrine/training/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace amacrine::training {

model::LossSettings loss_settings(const TrainingSettings& settings) {
  return {settings.loss == Loss::mse, settings.loss_epsilon, settings.l1_output};
}

Validator::Validator(const parallel::Communicator& communicator, const TrainingRun& run, const recording::SegmentSampler& sampler,
                     const BatchSource& source, GraphPool& pool)
    : communicator_(communicator), run_(run), sampler_(sampler), source_(source), window_run_(run.settings.run()), pool_(pool) {
  // At least one batch's worth, so that there are never more ranks than segments.
  spread_ = sampler.spread(std::max(run.settings.statistics_windows, run.settings.batch()));
}

std::vector<float> Validator::population_statistics(const core::Exec& exec, const core::View1<float>& parameters) {
  const model::ConvEngine engine = model::conv_engine(run_.settings.engine);
  const model::BatchLayout layout =
      model::batch_layout(run_.architecture, run_.settings.batch_of(spread_.size()), model::GraphUse::statistics, engine);
  const parallel::Range owned = communicator_.owned(layout.segments);
  model::TrainGraph<float>& graph = pool_.get(communicator_, {run_.architecture, layout, model::GraphUse::statistics, engine});
  const std::size_t part = graph.frames.extent(0);
  for (std::size_t begin = 0; begin < owned.size() && !parallel::stop_asked(); begin += part) {
    const std::size_t count = std::min(part, owned.size() - begin);
    const auto from = spread_.begin() + static_cast<std::ptrdiff_t>((owned.begin + begin) * graph.runs);
    const core::View4<float> frames(graph.frames.data(), count, graph.frames.extent(1), graph.frames.extent(2),
                                    graph.frames.extent(3));
    source_.fill_frames(exec, {from, from + static_cast<std::ptrdiff_t>(count * graph.runs)}, frames, graph.spacing);
    model::train_first_layer(exec, graph, parameters, frames, begin);
    exec.fence("training::the next frames overwrite these");
  }
  parallel::throw_if_stopped(communicator_);
  model::train_later_layers(exec, communicator_, graph, parameters, {false, 0, 0});
  const std::vector<double> statistics = model::batch_statistics(graph);
  return {statistics.begin(), statistics.end()};
}

Validation Validator::score(const model::Model& model, const model::LossSettings& loss) const {
  const std::size_t cells = model.cells.size();
  std::vector<std::vector<double>> rates(cells), targets(cells);
  const auto network = model::make_inference<float>(model);
  for (const parallel::Range& range : sampler_.validation()) {
    const core::Array<float, 2> block =
        model::predict(communicator_, network, run_.recording.train.movie, run_.recording.coding, range.begin, range.size());
    for (std::size_t n = 0; n < cells; ++n) {
      rates[n].insert(rates[n].end(), block.row(n).begin(), block.row(n).end());
      const auto target = run_.recording.train.target.row(n).subspan(range.begin, range.size());
      targets[n].insert(targets[n].end(), target.begin(), target.end());
    }
  }
  return score_rates(rates, targets, model.cells, loss);
}

Validation score_rates(const std::vector<std::vector<double>>& rates, const std::vector<std::vector<double>>& targets,
                       const std::vector<recording::Cell>& cells, const model::LossSettings& loss) {
  using core::undefined;
  Validation result{0.0, 0.0, std::vector<double>(cells.size(), undefined)};
  double frames = 0, counted = 0;
  for (std::size_t n = 0; n < cells.size(); ++n) {
    for (std::size_t t = 0; t < rates[n].size(); ++t) {
      const double rate = rates[n][t], y = targets[n][t];
      result.loss += loss.mean_squared ? (rate - y) * (rate - y) : rate - y * std::log(rate + loss.epsilon);
      result.loss += loss.l1_output * std::abs(rate);
    }
    frames += static_cast<double>(rates[n].size());
    if (rates[n].size() > 1) result.cell_r[n] = pearson(rates[n], targets[n]);
    if (cells[n].silent || !std::isfinite(result.cell_r[n])) continue;
    result.mean_r += result.cell_r[n];
    ++counted;
  }
  result.loss = frames > 0 ? result.loss / frames : undefined;
  result.mean_r = counted > 0 ? result.mean_r / counted : undefined;
  return result;
}

}  // namespace amacrine::training
