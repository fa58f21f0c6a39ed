// SPDX-License-Identifier: Apache-2.0
#include "path_kernels.hpp"

#include "slopes.hpp"

namespace amacrine::attribution {
namespace {

using core::View1;
using core::View2;
using core::View3;
using Policy = Kokkos::TeamPolicy<core::Exec>;
using Team = Policy::member_type;

constexpr int units_per_team = 64;

std::size_t teams(std::size_t windows, std::size_t units) { return windows * ((units + units_per_team - 1) / units_per_team); }

/// A team's window and its units [begin, end).
struct Part {
  std::size_t window, begin, end;
};
KOKKOS_INLINE_FUNCTION Part part_of(std::size_t league_rank, std::size_t units) {
  const std::size_t parts = (units + units_per_team - 1) / units_per_team;
  const std::size_t begin = league_rank % parts * units_per_team;
  return {league_rank / parts, begin, begin + units_per_team < units ? begin + units_per_team : units};
}

constexpr std::size_t partial_sums = 8;

/// The first layer's slopes along a path, lane by lane. A unit crosses its threshold at most once, at alpha* = -x0 / dx, so the
/// secant of a panel is the part of it that lies on the active side.
template <class S>
struct FirstSlopes {
  S x0, dx, crossing;
  KOKKOS_INLINE_FUNCTION FirstSlopes(S start, S step) : x0(start), dx(step), crossing(step != S(0) ? -start / step : S(0)) {}

  KOKKOS_INLINE_FUNCTION S of_panel(S from, S to, S inverse_width) const {
    // Not active_part(): compiled in this loop it rounds otherwise, and attributions keep their bits.
    const S part = (dx > S(0) ? to - crossing : crossing - from) * inverse_width;
    const S inside = part > S(0) ? (part < S(1) ? part : S(1)) : S(0);
    return dx == S(0) ? relu_derivative(x0) : inside;
  }
  KOKKOS_INLINE_FUNCTION S at(S alpha) const { return relu_derivative(x0 + alpha * dx); }
};

/// Sum of term(p) over intervals, in `partial_sums` interleaved sums that are added in a fixed order (a SIMD register of them).
template <class S, class Term>
KOKKOS_INLINE_FUNCTION S sum_over_intervals(std::size_t intervals, const Term& term) {
  S sum[partial_sums] = {};
  std::size_t p = 0;
  for (; p + partial_sums <= intervals; p += partial_sums) {
    for (std::size_t k = 0; k < partial_sums; ++k) sum[k] += term(p + k);
  }
  for (std::size_t k = 0; p + k < intervals; ++k) sum[k] += term(p + k);
  S total = 0;
  for (std::size_t k = 0; k < partial_sums; ++k) total += sum[k];
  return total;
}

/// Sum over intervals of the first layer's slope times value[p].
template <class S, class Value>
KOKKOS_INLINE_FUNCTION S slope_sum(const DeviceRule<S>& rule, const FirstSlopes<S>& slopes, bool rectified, std::size_t intervals,
                                   const Value* value) {
  const S* const alpha = rule.alpha.data() + rule.shift;
  const S* const inverse_width = rule.inverse_width.data();
  if (!rectified) return sum_over_intervals<S>(intervals, [=](std::size_t p) { return static_cast<S>(value[p]); });
  if (!rule.secant)
    return sum_over_intervals<S>(intervals, [=](std::size_t p) { return slopes.at(alpha[p]) * static_cast<S>(value[p]); });
  return sum_over_intervals<S>(intervals, [=](std::size_t p) {
    return slopes.of_panel(alpha[p], alpha[p + 1], inverse_width[p]) * static_cast<S>(value[p]);
  });
}

}  // namespace

template <class S>
void first_hidden(const core::Exec& exec, const PathLayer<S>& layer, const View1<S>& baseline, const View2<S>& difference,
                  const DeviceRule<S>& rule, const View3<S>& h) {
  const std::size_t units = layer.units(), nodes = h.extent(2);
  const View1<S> gain = layer.gain, offset = layer.offset, alpha = rule.alpha;
  const bool rectified = layer.rectified;
  Kokkos::parallel_for(
      "attribution::first_hidden", Policy(exec, static_cast<int>(teams(difference.extent(0), units)), Kokkos::AUTO, Kokkos::AUTO),
      KOKKOS_LAMBDA(const Team& team) {
        const Part part = part_of(static_cast<std::size_t>(team.league_rank()), units);
        const std::size_t g = part.window;
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, part.begin, part.end), [&](const std::size_t u) {
          const S x0 = gain(u) * baseline(u) + offset(u), dx = gain(u) * difference(g, u);
          S* const out = &h(g, u, 0);
          Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, nodes), [&](const std::size_t k) {
            const S x = x0 + alpha(k) * dx;
            out[k] = rectified && x <= S(0) ? S(0) : x;  // a NaN stays one
          });
        });
      });
}

template <class S>
void hidden_and_slopes(const core::Exec& exec, const PathLayer<S>& layer, const View3<S>& z, const DeviceRule<S>& rule,
                       const View3<S>& m) {
  const std::size_t units = layer.units(), nodes = z.extent(2), intervals = m.extent(2);
  const View1<S> gain = layer.gain, offset = layer.offset;
  const bool secant = rule.secant;
  const auto shift = static_cast<std::size_t>(rule.shift);
  Kokkos::parallel_for(
      "attribution::hidden_and_slopes", Policy(exec, static_cast<int>(teams(z.extent(0), units)), Kokkos::AUTO, Kokkos::AUTO),
      KOKKOS_LAMBDA(const Team& team) {
        const Part part = part_of(static_cast<std::size_t>(team.league_rank()), units);
        const std::size_t g = part.window;
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, part.begin, part.end), [&](const std::size_t u) {
          S* const x = &z(g, u, 0);
          S* const slope = &m(g, u, 0);
          const S scale = gain(u), add = offset(u);
          if (secant) {
            Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, intervals),
                                 [&](const std::size_t p) { slope[p] = relu_slope(scale * x[p] + add, scale * x[p + 1] + add); });
          } else {
            Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, intervals),
                                 [&](const std::size_t p) { slope[p] = relu_derivative(scale * x[p + shift] + add); });
          }
        });
        team.team_barrier();
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, part.begin, part.end), [&](const std::size_t u) {
          S* const x = &z(g, u, 0);
          const S scale = gain(u), add = offset(u);
          Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, nodes), [&](const std::size_t k) {
            const S value = scale * x[k] + add;
            x[k] = value <= S(0) ? S(0) : value;
          });
        });
      });
}

template <class S>
void read_out(const core::Exec& exec, const View2<S>& readout, const View1<S>& constant, const View1<int>& cells,
              const View3<S>& h, const View3<double>& drive) {
  constexpr std::size_t tile = 8;
  const std::size_t windows = h.extent(0), units = h.extent(1), nodes = h.extent(2), tiles = (nodes + tile - 1) / tile;
  Kokkos::parallel_for(
      "attribution::read_out", Kokkos::RangePolicy<core::Exec>(exec, 0, cells.extent(0) * windows * tiles),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t first = index % tiles * tile, g = index / tiles % windows, i = index / tiles / windows;
        const auto n = static_cast<std::size_t>(cells(i));
        const std::size_t count = first + tile < nodes ? tile : nodes - first;
        double sum[tile] = {};
        for (std::size_t v = 0; v < units; ++v) {
          const S w = readout(n, v);
          const S* const value = &h(g, v, first);
          for (std::size_t k = 0; k < count; ++k) sum[k] += static_cast<double>(w) * static_cast<double>(value[k]);
        }
        for (std::size_t k = 0; k < count; ++k) drive(i, g, first + k) = sum[k] + static_cast<double>(constant(n));
      });
}

template <class S>
void push_readout(const core::Exec& exec, const View2<S>& readout, int cell, std::size_t index, const View3<S>& q,
                  const PathLayer<S>& layer, const View3<S>& m, const View3<S>& d) {
  const std::size_t units = d.extent(1), intervals = d.extent(2);
  const auto n = static_cast<std::size_t>(cell);
  const View1<S> gain = layer.gain;
  const bool slopes = m.size() > 0;
  Kokkos::parallel_for(
      "attribution::push_readout", Policy(exec, static_cast<int>(teams(d.extent(0), units)), Kokkos::AUTO, Kokkos::AUTO),
      KOKKOS_LAMBDA(const Team& team) {
        const Part part = part_of(static_cast<std::size_t>(team.league_rank()), units);
        const std::size_t g = part.window;
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, part.begin, part.end), [&](const std::size_t v) {
          const S w = readout(n, v);
          S* const out = &d(g, v, 0);
          const S* const scale = &q(index, g, 0);
          if (slopes) {
            const S* const slope = &m(g, v, 0);
            const S wg = w * gain(v);
            Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, intervals),
                                 [&](const std::size_t p) { out[p] = wg * scale[p] * slope[p]; });
          } else {
            Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, intervals), [&](const std::size_t p) { out[p] = w * scale[p]; });
          }
        });
      });
}

template <class S>
void through_layer(const core::Exec& exec, const PathLayer<S>& layer, const View3<S>& m, const View3<S>& d) {
  const std::size_t units = d.extent(1), intervals = d.extent(2);
  const View1<S> gain = layer.gain;
  Kokkos::parallel_for(
      "attribution::through_layer", Policy(exec, static_cast<int>(teams(d.extent(0), units)), Kokkos::AUTO, Kokkos::AUTO),
      KOKKOS_LAMBDA(const Team& team) {
        const Part part = part_of(static_cast<std::size_t>(team.league_rank()), units);
        const std::size_t g = part.window;
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, part.begin, part.end), [&](const std::size_t v) {
          S* const out = &d(g, v, 0);
          const S* const slope = &m(g, v, 0);
          const S scale = gain(v);
          Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, intervals),
                               [&](const std::size_t p) { out[p] *= scale * slope[p]; });
        });
      });
}

template <class S>
void gather_first(const core::Exec& exec, const PathLayer<S>& layer, const View1<S>& baseline, const View2<S>& difference,
                  const DeviceRule<S>& rule, const View3<S>& d, const View2<S>& push) {
  const std::size_t windows = difference.extent(0), units = layer.units();
  const auto intervals = static_cast<std::size_t>(rule.intervals());
  const View1<S> gain = layer.gain, offset = layer.offset;
  const bool rectified = layer.rectified;
  Kokkos::parallel_for(
      "attribution::gather_first", Kokkos::RangePolicy<core::Exec>(exec, 0, windows * units), KOKKOS_LAMBDA(const std::size_t i) {
        const std::size_t g = i / units, u = i % units;
        const FirstSlopes<S> slopes(gain(u) * baseline(u) + offset(u), gain(u) * difference(g, u));
        const S* const lane = &d(g, u, 0);
        push(g, u) = slope_sum(rule, slopes, rectified, intervals, lane);
      });
}

template <class S>
void active_share(const core::Exec& exec, const PathLayer<S>& layer, const View1<S>& baseline, const View2<S>& difference,
                  const DeviceRule<S>& rule, const View2<S>& share) {
  const std::size_t windows = difference.extent(0), units = layer.units();
  const auto intervals = static_cast<std::size_t>(rule.intervals());
  const View1<S> gain = layer.gain, offset = layer.offset;
  const bool rectified = layer.rectified;
  Kokkos::parallel_for(
      "attribution::active_share", Kokkos::RangePolicy<core::Exec>(exec, 0, windows * units), KOKKOS_LAMBDA(const std::size_t i) {
        const std::size_t g = i / units, u = i % units;
        const FirstSlopes<S> slopes(gain(u) * baseline(u) + offset(u), gain(u) * difference(g, u));
        share(g, u) = slope_sum(rule, slopes, rectified, intervals, rule.weight.data());
      });
}

#define AMACRINE_INSTANTIATE(S)                                                                                              \
  template void first_hidden(const core::Exec&, const PathLayer<S>&, const View1<S>&, const View2<S>&, const DeviceRule<S>&, \
                             const View3<S>&);                                                                               \
  template void hidden_and_slopes(const core::Exec&, const PathLayer<S>&, const View3<S>&, const DeviceRule<S>&,             \
                                  const View3<S>&);                                                                          \
  template void read_out(const core::Exec&, const View2<S>&, const View1<S>&, const View1<int>&, const View3<S>&,            \
                         const View3<double>&);                                                                              \
  template void push_readout(const core::Exec&, const View2<S>&, int, std::size_t, const View3<S>&, const PathLayer<S>&,     \
                             const View3<S>&, const View3<S>&);                                                              \
  template void through_layer(const core::Exec&, const PathLayer<S>&, const View3<S>&, const View3<S>&);                     \
  template void gather_first(const core::Exec&, const PathLayer<S>&, const View1<S>&, const View2<S>&, const DeviceRule<S>&, \
                             const View3<S>&, const View2<S>&);                                                              \
  template void active_share(const core::Exec&, const PathLayer<S>&, const View1<S>&, const View2<S>&, const DeviceRule<S>&, \
                             const View2<S>&);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::attribution
