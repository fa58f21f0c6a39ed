// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/block.hpp"

#include "amacrine/attribution/baseline.hpp"
#include "refinement.hpp"
#include "second_layer.hpp"
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
  const bool weights = b.weight.size() > 0;
  LevelFigures out;
  for (std::size_t w = 0; w < b.windows; ++w)
    for (std::size_t n = 0; n < b.cells; ++n)
      for (std::size_t c = 0; c < b.channels; ++c)
        for (std::size_t k = 0; k < groups; ++k) {
          double attribution = 0, weight = 0, push = 0, drive = 0, share = 0, change = 0;
          for (std::size_t x = k * span; x < (k + 1) * span; ++x) {
            attribution += b.attribution(w, n, c, x);
            drive += b.drive(w, c, x);
            change += b.change(w, c, x);
          }
          for (std::size_t x = k * span; weights && x < (k + 1) * span; ++x) {
            weight += b.weight(w, n, c, x);
            push += b.push(w, n, c, x);
            share += b.share(w, c, x);
          }
          out.attribution.push_back(static_cast<float>(attribution));
          out.drive.push_back(static_cast<float>(drive / units));
          out.response_change.push_back(static_cast<float>(change / units));
          if (!weights) continue;
          out.downstream_weight.push_back(static_cast<float>(weight));
          out.response_weight.push_back(share > 0 ? static_cast<float>(units * push / share)
                                                  : std::numeric_limits<float>::quiet_NaN());
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

/// No estimate yet; rows that are not finite are marked.
void open_rows(Block& block, int panels) {
  const std::array<std::size_t, 2> rows{block.windows, block.cells};
  block.error_estimate = core::Array<double, 2>(rows, std::numeric_limits<double>::quiet_NaN());
  block.distance = block.error_estimate;
  block.panels = core::Array<int, 2>(rows, panels);
  block.flag = core::Array<std::int8_t, 2>(rows);
  for (std::size_t i = 0; i < block.flag.size(); ++i) {
    const bool second = block.second.residual.size() == 0 || std::isfinite(block.second.residual.values()[i]);
    const bool first = std::isfinite(block.rate.values()[i]) && std::isfinite(block.residual.values()[i]);
    block.flag.values()[i] = first && second ? 0 : 2;
  }
}

}  // namespace

LevelFigures channel_level(const Block& block) { return figures(block, 1); }
LevelFigures position_level(const Block& block) { return figures(block, block.width); }

template <class S>
BlockAttributor<S>::BlockAttributor(const core::Exec& exec, const model::InferenceNetwork<S>& network,
                                    const AttributionSettings& settings, std::optional<FoldedFirstLayer<S>> first_layer)
    : exec_(exec),
      settings_(settings),
      network_(make_path_network(network)),
      folded_(std::move(first_layer)),
      quadrature_(make_quadrature(settings.rule, settings.panels)),
      integrator_(exec, network_, settings.target),
      baseline_frame_(attribution::baseline_frame(network_, settings)) {
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
bool BlockAttributor<S>::forward_tangents(std::size_t cells, Level level) const {
  return (level == Level::channel || of_second_layer(level)) && !settings_.weights &&
         PathIntegrator<S>::channels_pay(network_, cells, quadrature_);
}

template <class S>
double BlockAttributor<S>::forward_columns(std::size_t cells, Level level) const {
  if (level != Level::position || settings_.weights) return 0;
  const auto most = static_cast<double>(PathIntegrator<S>::most_column_pairs(network_, cells, quadrature_));
  return most > 0 ? std::min(1.0, most / static_cast<double>(column_pairs(network_))) : 0;
}

template <class S>
void BlockAttributor<S>::integrate_units(const Request& request, const std::vector<std::size_t>& windows, double scale,
                                         int panels, bool pixels, Block& block) {
  const PathLayer<S>& layer = network_.first();
  block.windows = windows.size();
  block.cells = request.cells.size();
  block.channels = static_cast<std::size_t>(layer.channels);
  block.height = static_cast<std::size_t>(layer.height);
  block.width = static_cast<std::size_t>(layer.width);
  const bool all = windows.size() == request.difference.extent(0) && scale == 1.0;
  const Paths<S> paths{baseline_,
                       all ? request.difference : take_windows(exec_, request.difference, windows, static_cast<S>(scale))};
  const bool second = of_second_layer(request.level);
  const PathIntegrals<S>& integrals =
      integrator_.integrate(paths, request.cells, make_quadrature(settings_.rule, panels, second), second);
  sum_columns(exec_, layer, paths, integrals, block);
  close_rows(block, integrals.start, integrals.end);
  block.second = {};
  if (second) store_second(exec_, network_.layers[1], integrals.second, request.level == Level::unit2, block);
  open_rows(block, panels);
  if (request.level == Level::unit || (request.level == Level::pixel && refines()))
    store_units(exec_, layer, paths, integrals, settings_.weights, block);
  if (pixels) {
    std::vector<std::size_t> at;
    at.reserve(windows.size());
    for (std::size_t w : windows) at.push_back(request.frames.at[w]);
    if (!pixel_rows_) pixel_rows_.emplace(exec_, network_, PixelRows<S>::way(network_));
    pixel_rows_->attribute(request.frames, at, static_cast<S>(scale), integrals.push, block.pixels);
  }
  if (settings_.weights) return;
  block.weight = block.push = {};
  block.share = {};
}

template <class S>
void BlockAttributor<S>::integrate_tangents(const Request& request, const std::vector<std::size_t>& windows,
                                            const std::vector<double>& scales, int panels, Block* blocks) {
  const double longest = scales.back();
  std::vector<double> parts = scales;
  for (double& part : parts) part /= longest;
  const bool all = windows.size() == request.difference.extent(0) && longest == 1.0, second = of_second_layer(request.level);
  const Paths<S> paths{baseline_,
                       all ? request.difference : take_windows(exec_, request.difference, windows, static_cast<S>(longest))};
  const RayQuadrature ray = make_ray(parts, panels);
  const Tangents of = tangents_of(request.level);
  const TangentIntegrals integrals = integrator_.integrate_tangents(paths, request.cells, ray.quadrature, ray.marks, of, second);
  const PathLayer<S>& layer = network_.first();
  const std::size_t W = windows.size(), M = request.cells.size(), C = static_cast<std::size_t>(layer.channels),
                    X = of == Tangents::columns ? static_cast<std::size_t>(layer.width) : 1;
  for (std::size_t j = 0; j < scales.size(); ++j) {
    Block& block = blocks[j];
    block.windows = W;
    block.cells = M;
    block.channels = C;
    block.height = layer.units() / C / X;
    block.width = X;
    block.share = {};
    block.attribution = core::Array<double, 4>({W, M, C, X});
    core::Array<double, 2> end({M, W});
    for (std::size_t i = 0; i < M; ++i)
      for (std::size_t w = 0; w < W; ++w) {
        end(i, w) = integrals.end(j, i, w);
        std::copy_n(&integrals.attribution(j, i, w, 0), C * X, &block.attribution(w, i, 0, 0));
      }
    sum_responses(exec_, layer, paths, parts[j], block);
    close_rows(block, integrals.start, end);
    block.second = {};
    if (second) store_second(exec_, network_.layers[1], integrals.second, request.level == Level::unit2, block);
    open_rows(block, ray.marks[j]);
  }
}

template <class S>
void BlockAttributor<S>::integrate_windows(const Request& request, const std::vector<std::size_t>& windows, bool tangents,
                                           int panels, bool pixels, Blocks& blocks) {
  blocks.resize(request.scales.size());
  if (tangents && !of_second_layer(request.level))
    return integrate_tangents(request, windows, request.scales, panels, blocks.data());
  for (std::size_t j = 0; j < blocks.size(); ++j) {
    if (tangents) {
      integrate_tangents(request, windows, {request.scales[j]}, panels, &blocks[j]);
    } else {
      integrate_units(request, windows, request.scales[j], panels, pixels, blocks[j]);
    }
  }
}

/// Windows that drive few columns apart from the others, so that how a window is served depends on nothing but itself.
template <class S>
void BlockAttributor<S>::integrate_chunk(const Request& request, const std::vector<std::size_t>& windows, int panels, bool pixels,
                                         Blocks& blocks) {
  std::vector<std::size_t> part[2], at[2];
  for (std::size_t i = 0; i < windows.size() && !request.few.empty(); ++i) {
    part[request.few[windows[i]]].push_back(windows[i]);
    at[request.few[windows[i]]].push_back(i);
  }
  if (part[0].empty() || part[1].empty()) {
    const bool tangents = !part[1].empty() || forward_tangents(request.cells.size(), request.level);
    return integrate_windows(request, windows, tangents, panels, pixels, blocks);
  }
  Blocks done[2];
  for (std::size_t k = 0; k < 2; ++k) integrate_windows(request, part[k], k == 1, panels, pixels, done[k]);
  blocks.resize(request.scales.size());
  for (std::size_t j = 0; j < blocks.size(); ++j) {
    blocks[j] = room_for(done[0][j], windows.size());
    for (std::size_t k = 0; k < 2; ++k) put_windows(done[k][j], at[k], blocks[j]);
  }
}

/// As many windows at a time as keep the memory at that of a block with the panels the study asks for.
template <class S>
void BlockAttributor<S>::integrate(const Request& request, const std::vector<std::size_t>& windows, int panels, bool pixels,
                                   Blocks& blocks) {
  const auto nodes = static_cast<std::size_t>(make_quadrature(settings_.rule, panels, of_second_layer(request.level)).nodes());
  const auto room = static_cast<std::size_t>(settings_.block_windows) * static_cast<std::size_t>(quadrature_.nodes());
  const std::size_t chunk = std::max<std::size_t>(1, room / nodes);
  if (windows.size() <= chunk) return integrate_chunk(request, windows, panels, pixels, blocks);
  Blocks done;
  for (std::size_t first = 0; first < windows.size(); first += chunk) {
    const std::size_t count = std::min(chunk, windows.size() - first);
    const auto begin = windows.begin() + static_cast<std::ptrdiff_t>(first);
    const std::vector<std::size_t> part(begin, begin + static_cast<std::ptrdiff_t>(count));
    integrate_chunk(request, part, panels, pixels, done);
    blocks.resize(done.size());
    std::vector<std::size_t> at(count);
    std::iota(at.begin(), at.end(), first);
    for (std::size_t j = 0; j < done.size(); ++j) {
      if (first == 0) blocks[j] = room_for(done[j], windows.size());
      put_windows(done[j], at, blocks[j]);
    }
  }
}

/// Doubles the panels of every window until its distances to the results with a half, a quarter ... as many say that its rows are
/// good enough.
template <class S>
void BlockAttributor<S>::refine(const Request& request) {
  std::vector<std::size_t> active(request.difference.extent(0));
  std::iota(active.begin(), active.end(), 0);
  const bool pixels = request.level == Level::pixel;
  std::size_t later_units = 0;
  // Past the layer attributed; the last layer's own kinks count where nothing follows it.
  const bool deep = of_second_layer(request.level) && network_.layers.size() > 2;
  for (std::size_t l = deep ? 2 : 1; l < network_.layers.size(); ++l) later_units += network_.layers[l].units();
  const auto measure = [&](Block& fine, const Block& coarse) {
    const std::size_t values = row_values(fine, request.level);
    fine.distance = row_distance(fine, coarse, request.level);
    for (std::size_t i = 0; i < fine.distance.size(); ++i) {
      double& worst = fine.distance.values()[i];
      worst = worst_distance(worst, coarse.distance.values()[i]);
      fine.error_estimate.values()[i] = estimated_error(worst, later_units, values);
    }
  };
  const std::size_t J = request.scales.size();
  Blocks coarse, coarser, fine;
  integrate(request, active, settings_.panels / 2, false, coarse);
  integrate(request, active, settings_.panels / 4, false, coarser);
  for (std::size_t j = 0; j < J; ++j) coarse[j].distance = row_distance(coarse[j], coarser[j], request.level);
  for (int panels = settings_.panels; !active.empty(); panels *= 2) {
    integrate(request, active, panels, pixels, fine);
    const bool last = 2 * panels > settings_.max_panels;
    std::vector<bool> good(active.size(), true);
    for (std::size_t j = 0; j < J; ++j) {
      if (blocks_.size() < J) blocks_.push_back(room_for(fine[j], active.size()));
      measure(fine[j], coarse[j]);
      const std::vector<bool> passes = judge_windows(fine[j], settings_.tolerance, last);
      for (std::size_t w = 0; w < good.size(); ++w) good[w] = good[w] && passes[w];
    }
    std::vector<std::size_t> done, done_at, open, open_at;
    for (std::size_t w = 0; w < active.size(); ++w) {
      (good[w] || last ? done : open).push_back(w);
      (good[w] || last ? done_at : open_at).push_back(active[w]);
    }
    for (std::size_t j = 0; j < J; ++j) {
      if (!done.empty()) put_windows(pick_windows(fine[j], done), done_at, blocks_[j]);
      if (!open.empty()) coarse[j] = pick_windows(fine[j], open);
    }
    active = open_at;
  }
}

template <class S>
JoinedFrames<S> BlockAttributor<S>::movie_frames(const core::Array<float, 3>& contrast, std::size_t first,
                                                 std::size_t windows) const {
  JoinedFrames<S> frames{difference_frames(network_, contrast, first, windows, baseline_frame_),
                         windows + static_cast<std::size_t>(network_.history) - 1, std::vector<std::size_t>(windows)};
  std::iota(frames.at.begin(), frames.at.end(), 0);
  return frames;
}

template <class S>
void BlockAttributor<S>::attribute_scales(JoinedFrames<S> frames, const std::vector<double>& scales,
                                          const std::vector<int>& cells, Level level) {
  core::require(!of_second_layer(level) || network_.layers.size() >= 2,
                "internal: level {} was asked of a network of one hidden layer", to_string(level));
  const core::View2<S> difference = folded_ ? folded_->apply(exec_, frames) : apply_first_layer(exec_, network_, frames);
  Request request{std::move(frames), difference, cells, level, scales, {}};
  if (const double part = forward_columns(cells.size(), level); part > 0)
    for (std::size_t pairs : driven_pairs(exec_, network_, difference))
      request.few.push_back(static_cast<double>(pairs) <= part * static_cast<double>(column_pairs(network_)));
  if (refines()) {
    blocks_.clear();
    refine(request);
  } else {
    std::vector<std::size_t> all(difference.extent(0));
    std::iota(all.begin(), all.end(), 0);
    integrate(request, all, settings_.panels, level == Level::pixel, blocks_);
  }
}

template <class S>
const Block& BlockAttributor<S>::attribute(const core::Array<float, 3>& contrast, std::size_t first, std::size_t windows,
                                           const std::vector<int>& cells, Level level) {
  attribute_scales(movie_frames(contrast, first, windows), {1.0}, cells, level);
  return blocks_.front();
}

template <class S>
const Block& BlockAttributor<S>::attribute(const std::vector<Piece>& pieces, const std::vector<int>& cells, Level level) {
  attribute_scales(join_frames(network_, pieces, baseline_frame_), {1.0}, cells, level);
  return blocks_.front();
}

template <class S>
const std::vector<Block>& BlockAttributor<S>::attribute_ray(const core::Array<float, 3>& contrast,
                                                            const std::vector<double>& scales, std::size_t first,
                                                            std::size_t windows, const std::vector<int>& cells, Level level) {
  attribute_scales(movie_frames(contrast, first, windows), scales, cells, level);
  return blocks_;
}

template <class S>
std::vector<double> ray_scales(const BlockAttributor<S>& attributor, const std::vector<core::Array<float, 3>>& movies,
                               std::size_t first, std::size_t windows) {
  constexpr double rounding = 1e-6;
  const auto departure = [&](const core::Array<float, 3>& movie) {
    return difference_frames(attributor.network(), movie, first, windows, attributor.baseline_frame());
  };
  const std::vector<S> largest = departure(movies.back());
  double square = 0, top = 0;
  for (const S value : largest) {
    square += static_cast<double>(value) * static_cast<double>(value);
    top = std::max(top, std::abs(static_cast<double>(value)));
  }
  std::vector<double> scales;
  for (std::size_t m = 0; m + 1 < movies.size(); ++m) {
    const std::vector<S> one = departure(movies[m]);
    double product = 0, worst = 0;
    for (std::size_t i = 0; i < one.size(); ++i) product += static_cast<double>(one[i]) * static_cast<double>(largest[i]);
    const double scale = product / square;
    for (std::size_t i = 0; i < one.size(); ++i)
      worst = std::max(worst, std::abs(static_cast<double>(one[i]) - scale * static_cast<double>(largest[i])));
    if (!(scale > (scales.empty() ? 0.0 : scales.back())) || !(scale < 1.0) || !(worst <= rounding * top)) return {};
    scales.push_back(scale);
  }
  scales.push_back(1.0);
  return square > 0 ? scales : std::vector<double>{};
}
template std::vector<double> ray_scales(const BlockAttributor<float>&, const std::vector<core::Array<float, 3>>&, std::size_t,
                                        std::size_t);
template std::vector<double> ray_scales(const BlockAttributor<double>&, const std::vector<core::Array<float, 3>>&, std::size_t,
                                        std::size_t);

template class BlockAttributor<float>;
template class BlockAttributor<double>;

}  // namespace amacrine::attribution
