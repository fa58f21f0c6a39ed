// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/block.hpp"

#include "refinement.hpp"
#include "sums.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

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
      settings_(settings),
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
void BlockAttributor<S>::integrate_chunk(const Request& request, const std::vector<std::size_t>& windows,
                                         const Quadrature& quadrature, bool pixels, Block& block) {
  const PathLayer<S>& layer = network_.first();
  block.windows = windows.size();
  block.cells = request.cells.size();
  block.channels = static_cast<std::size_t>(layer.channels);
  block.height = static_cast<std::size_t>(layer.height);
  block.width = static_cast<std::size_t>(layer.width);
  const bool all = windows.size() == request.difference.extent(0);
  const Paths<S> paths{baseline_, all ? request.difference : take_windows(exec_, request.difference, windows)};
  const PathIntegrals<S>& integrals = integrator_.integrate(paths, request.cells, quadrature);
  sum_columns(exec_, layer, paths, integrals, block);
  close_rows(block, integrals.start, integrals.end);
  const std::array<std::size_t, 2> rows{block.windows, block.cells};
  block.error_estimate = core::Array<double, 2>(rows, std::numeric_limits<double>::quiet_NaN());
  block.distance = block.error_estimate;
  block.panels = core::Array<int, 2>(rows, quadrature.panels);
  block.flag = core::Array<std::int8_t, 2>(rows);
  for (std::size_t i = 0; i < block.flag.size(); ++i)
    block.flag.values()[i] = std::isfinite(block.rate.values()[i]) && std::isfinite(block.residual.values()[i]) ? 0 : 2;
  if (request.level == Level::unit || (request.level == Level::pixel && settings_.tolerance > 0))
    store_units(exec_, layer, paths, integrals, block);
  const std::size_t frame_count = request.difference.extent(0) + static_cast<std::size_t>(network_.history) - 1;
  if (pixels) store_pixels(exec_, network_, request.frames, frame_count, windows, integrals, block);
}

/// As many windows at a time as keep the memory at that of a block with the panels the study asks for.
template <class S>
void BlockAttributor<S>::integrate(const Request& request, const std::vector<std::size_t>& windows, int panels, bool pixels,
                                   Block& block) {
  const Quadrature quadrature = make_quadrature(settings_.rule, panels);
  const auto room = static_cast<std::size_t>(settings_.block_windows) * static_cast<std::size_t>(quadrature_.nodes());
  const std::size_t chunk = std::max<std::size_t>(1, room / static_cast<std::size_t>(quadrature.nodes()));
  if (windows.size() <= chunk) return integrate_chunk(request, windows, quadrature, pixels, block);
  Block done;
  for (std::size_t first = 0; first < windows.size(); first += chunk) {
    const std::size_t count = std::min(chunk, windows.size() - first);
    const auto begin = windows.begin() + static_cast<std::ptrdiff_t>(first);
    const std::vector<std::size_t> part(begin, begin + static_cast<std::ptrdiff_t>(count));
    integrate_chunk(request, part, quadrature, pixels, done);
    if (first == 0) block = room_for(done, windows.size());
    std::vector<std::size_t> at(count);
    std::iota(at.begin(), at.end(), first);
    put_windows(done, at, block);
  }
}

/// Doubles the panels of every window until its distances to the results with a half and a quarter as many say that its rows are
/// good enough.
template <class S>
void BlockAttributor<S>::refine(const Request& request) {
  std::vector<std::size_t> active(request.difference.extent(0));
  std::iota(active.begin(), active.end(), 0);
  const bool pixels = request.level == Level::pixel;
  std::size_t later_units = 0;
  for (std::size_t l = 1; l < network_.layers.size(); ++l) later_units += network_.layers[l].units();
  const auto measure = [&](Block& fine, const Block& coarse) {
    const core::Array<double, 2> distance = row_distance(fine, coarse, request.level);
    for (std::size_t i = 0; i < distance.size(); ++i)
      fine.error_estimate.values()[i] = estimated_error(distance.values()[i], coarse.distance.values()[i], later_units);
    fine.distance = distance;
  };
  Block coarse, coarser, fine;
  integrate(request, active, settings_.panels / 2, false, coarse);
  integrate(request, active, settings_.panels / 4, false, coarser);
  coarse.distance = row_distance(coarse, coarser, request.level);
  for (int panels = settings_.panels; !active.empty(); panels *= 2) {
    integrate(request, active, panels, pixels, fine);
    if (block_.windows == 0) block_ = room_for(fine, active.size());
    measure(fine, coarse);
    const bool last = 2 * panels > settings_.max_panels;
    const std::vector<bool> good = judge_windows(fine, settings_.tolerance, last);
    std::vector<std::size_t> done, done_at, open, open_at;
    for (std::size_t w = 0; w < active.size(); ++w) {
      (good[w] || last ? done : open).push_back(w);
      (good[w] || last ? done_at : open_at).push_back(active[w]);
    }
    if (!done.empty()) put_windows(pick_windows(fine, done), done_at, block_);
    if (!open.empty()) coarse = pick_windows(fine, open);
    active = open_at;
  }
}

template <class S>
const Block& BlockAttributor<S>::attribute(const core::Array<float, 3>& contrast, std::size_t first, std::size_t windows,
                                           const std::vector<int>& cells, Level level) {
  Request request{difference_frames(network_, contrast, first, windows, baseline_frame_), {}, cells, level};
  request.difference = apply_first_layer(exec_, network_, request.frames, windows);
  if (settings_.tolerance > 0) {
    block_ = Block{};
    refine(request);
  } else {
    std::vector<std::size_t> all(windows);
    std::iota(all.begin(), all.end(), 0);
    integrate(request, all, settings_.panels, level == Level::pixel, block_);
  }
  return block_;
}

template class BlockAttributor<float>;
template class BlockAttributor<double>;

}  // namespace amacrine::attribution
