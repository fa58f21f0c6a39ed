// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/numbers.hpp"
#include "lane_readout.hpp"
#include "window_lanes.hpp"

#include <algorithm>

namespace amacrine::attribution {
namespace {

/// Change of a row of first-layer units across [from, to].
template <class S>
void change_row(const S* crossing, const S* step, S from, S to, S inverse_width, int count, S* row) {
  for (int i = 0; i < count; ++i) {
    const S part = (step[i] > S(0) ? to - crossing[i] : crossing[i] - from) * inverse_width;
    const S inside = part <= S(0) ? S(0) : (part >= S(1) ? S(1) : part);
    row[i] = inside * (step[i] * (to - from));
  }
}

}  // namespace

template <class S>
void WindowLanes<S>::tangents(const DeviceRule<S>& rule, const std::vector<int>& cells, const core::View4<double>& sums) {
  const std::size_t panels = static_cast<std::size_t>(rule.lanes()), L = static_cast<std::size_t>(lanes), M = cells.size();
  const PathLayer<S>&first = network_.first(), &second = network_.layers[1];
  const auto C = static_cast<std::size_t>(first.channels), row_width = static_cast<std::size_t>(second.width);
  const std::vector<const S*> readout = readout_rows(network_, cells);
  take_slopes(rule);
  for_items("attribution::lane_tangents", groups_ * panels, scratch_, [&](std::size_t item, S* scratch) {
    const std::size_t g = item / panels, p = item % panels;
    std::vector<double> found(M * C * L, 0.0);
    std::vector<S> weighted(row_width * L);
    const auto fill = [&](int d, int y, S* row) {
      const auto u = core::as_size((d * first.height + y) * first.width);
      change_row(&crossing_(g, u, 0), &step_(g, u, 0), rule.alpha(p), rule.alpha(p + 1), rule.inverse_width(p),
                 first.width * lanes, row);
    };
    const auto take = [&](int d, int c, int y, const S* row) {
      const auto v = core::as_size((c * second.height + y) * second.width);
      const S* const m = &second_(g, p, v, 0);
      for (std::size_t x = 0; x < row_width; ++x)
        for (std::size_t l = 0; l < L; ++l) weighted[x * L + l] = second.gain(v + x) * m[x * L + l] * row[x * L + l];
      read_out_row(readout, v, weighted.data(), second.width, found.data() + static_cast<std::size_t>(d) * L, C * L);
    };
    convolution_.by_channel(fill, take, scratch);
    for (std::size_t i = 0; i < M; ++i)
      for (std::size_t c = 0; c < C; ++c)
        for (std::size_t l = 0; l < L && g * L + l < windows_; ++l) sums(i, g * L + l, p, c) = found[(i * C + c) * L + l];
  });
}

template void WindowLanes<float>::tangents(const DeviceRule<float>&, const std::vector<int>&, const core::View4<double>&);
template void WindowLanes<double>::tangents(const DeviceRule<double>&, const std::vector<int>&, const core::View4<double>&);

}  // namespace amacrine::attribution
