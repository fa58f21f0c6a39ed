// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/block.hpp"

#include "sums.hpp"

#include <limits>

namespace amacrine::attribution {
namespace {

/// Figures of groups of columns: group k of channel c is columns [k * span, (k + 1) * span), each of `height` units.
LevelFigures figures(const Block& b, std::size_t groups) {
  const std::size_t span = b.width / groups;
  const auto units = static_cast<double>(span * b.height);
  LevelFigures out;
  for (std::size_t w = 0; w < b.windows; ++w)
    for (std::size_t n = 0; n < b.cells; ++n)
      for (std::size_t c = 0; c < b.channels; ++c)
        for (std::size_t k = 0; k < groups; ++k) {
          double attribution = 0, weight = 0, push = 0, drive = 0, share = 0, change = 0;
          for (std::size_t x = k * span; x < (k + 1) * span; ++x) {
            attribution += b.attribution(w, n, c, x);
            weight += b.weight(w, n, c, x);
            push += b.push(w, n, c, x);
            drive += b.drive(w, c, x);
            share += b.share(w, c, x);
            change += b.change(w, c, x);
          }
          out.attribution.push_back(static_cast<float>(attribution));
          out.downstream_weight.push_back(static_cast<float>(weight));
          out.response_weight.push_back(share > 0 ? static_cast<float>(units * push / share)
                                                  : std::numeric_limits<float>::quiet_NaN());
          out.drive.push_back(static_cast<float>(drive / units));
          out.response_change.push_back(static_cast<float>(change / units));
        }
  return out;
}

/// Completeness: the sum of a row's attributions against what they should add up to.
void close_rows(Block& block, const core::Array<double, 2>& start, const core::Array<double, 2>& end) {
  const std::size_t W = block.windows, M = block.cells, columns = block.channels * block.width;
  block.rate = block.baseline_rate = block.residual = core::Array<double, 2>({W, M});
  for (std::size_t w = 0; w < W; ++w)
    for (std::size_t n = 0; n < M; ++n) {
      double sum = 0;
      for (std::size_t k = 0; k < columns; ++k) sum += block.attribution.values()[(w * M + n) * columns + k];
      block.rate(w, n) = end(n, w);
      block.baseline_rate(w, n) = start(n, w);
      block.residual(w, n) = sum - (end(n, w) - start(n, w));
    }
}

}  // namespace

LevelFigures channel_level(const Block& block) { return figures(block, 1); }
LevelFigures position_level(const Block& block) { return figures(block, block.width); }

template <class S>
BlockAttributor<S>::BlockAttributor(const core::Exec& exec, const model::InferenceNetwork<S>& network,
                                    const AttributionSettings& settings)
    : exec_(exec),
      network_(make_path_network(network)),
      quadrature_(make_quadrature(settings.rule, settings.panels)),
      integrator_(exec, network_, settings.target),
      baseline_frame_(attribution::baseline_frame(network_, settings.baseline, settings.baseline_contrast)) {
  const auto history = static_cast<std::size_t>(network_.history);
  std::vector<S> window(baseline_frame_.size() * history);
  for (std::size_t i = 0; i < window.size(); ++i) window[i] = static_cast<S>(baseline_frame_[i / history]);
  const core::View2<S> drive = apply_first_layer(exec, network_, window, 1);
  baseline_ = core::View1<S>("attribution::baseline", network_.first().units());
  Kokkos::deep_copy(baseline_, core::View1<S>(drive.data(), drive.size()));
}

template <class S>
std::vector<double> BlockAttributor<S>::baseline_drive() const {
  const std::vector<S> values = core::to_host(baseline_);
  return {values.begin(), values.end()};
}

template <class S>
const Block& BlockAttributor<S>::attribute(const core::Array<float, 3>& contrast, std::size_t first, std::size_t windows,
                                           const std::vector<int>& cells, const Wanted& wanted) {
  const PathLayer<S>& layer = network_.first();
  block_ = Block{};
  block_.windows = windows;
  block_.cells = cells.size();
  block_.channels = static_cast<std::size_t>(layer.channels);
  block_.height = static_cast<std::size_t>(layer.height);
  block_.width = static_cast<std::size_t>(layer.width);
  const std::vector<S> frames = difference_frames(network_, contrast, first, windows, baseline_frame_);
  const Paths<S> paths{baseline_, apply_first_layer(exec_, network_, frames, windows)};
  const PathIntegrals<S>& integrals = integrator_.integrate(paths, cells, quadrature_);
  sum_columns(exec_, layer, paths, integrals, block_);
  close_rows(block_, integrals.start, integrals.end);
  block_.error_estimate = core::Array<double, 2>({windows, cells.size()}, std::numeric_limits<double>::quiet_NaN());
  block_.panels = core::Array<int, 2>({windows, cells.size()}, quadrature_.panels);
  if (wanted.units) store_units(exec_, layer, paths, integrals, block_);
  if (wanted.pixels) store_pixels(exec_, network_, frames, integrals, block_);
  return block_;
}

template class BlockAttributor<float>;
template class BlockAttributor<double>;

}  // namespace amacrine::attribution
