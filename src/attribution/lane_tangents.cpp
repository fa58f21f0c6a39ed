// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/numbers.hpp"
#include "lane_readout.hpp"
#include "slopes.hpp"
#include "window_lanes.hpp"

#include <algorithm>

namespace amacrine::attribution {

template <class S>
void WindowLanes<S>::tangents(const DeviceRule<S>& rule, const std::vector<int>& cells, const core::View4<double>& sums) {
  const std::size_t panels = static_cast<std::size_t>(rule.intervals()), L = static_cast<std::size_t>(lanes), M = cells.size();
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
      panel_change(&crossing_(g, u, 0), &step_(g, u, 0), rule.alpha(p), rule.alpha(p + 1), rule.inverse_width(p),
                   first.width * lanes, row);
    };
    const auto take = [&](int d, int c, int y, const S* row) {
      const auto v = core::as_size((c * second.height + y) * second.width);
      const S* const m = &second_(g, p, v, 0);
      for (std::size_t x = 0; x < row_width; ++x)
        for (std::size_t l = 0; l < L; ++l) weighted[x * L + l] = second.gain(v + x) * m[x * L + l] * row[x * L + l];
      read_out_row(readout, v, units_at<S>(weighted.data()), second.width, found.data() + static_cast<std::size_t>(d) * L, C * L);
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
