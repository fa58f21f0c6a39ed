// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/model/lanes.hpp"
#include "amacrine/model/train_kernels.hpp"

namespace amacrine::model {

using core::Exec;
using core::View1;
using core::View3;
using core::View5;

namespace {

constexpr std::size_t noise_group = 4;  ///< units that share one Philox block

}  // namespace

MomentSums make_moment_sums(std::size_t segments, std::size_t channels, std::size_t height, std::size_t width, bool per_channel) {
  MomentSums moments;
  moments.share = per_channel ? height * width : 1;
  moments.span = per_channel ? width : 1;
  moments.rows = View3<double>("model::moment_rows", segments, channels * height * width / moments.span, 2);
  moments.sums = moments.span == moments.share ? moments.rows : View3<double>("model::moment_sums", segments, channels, 2);
  return moments;
}

/// Sums of a row of values: of d and of d * value, d only where the gate is open (Gated). Lane by lane in double, then over the
/// lanes in order.
template <bool Gated, class S>
inline void row_sums_by_lanes(const S* d, const S* gate, const S* value, std::size_t run, double* out) {
  constexpr int W = 8;
  Lanes<double, W> first[2]{}, second[2]{};
  const auto add = [&](int n, Lanes<S, W> term, const Lanes<S, W>& open, const Lanes<S, W>& factor) {
    if constexpr (Gated) term = gated<S, W>(term, open);
    const Lanes<double, W> wide = widened<S, W>(term);
    first[n] += wide;
    second[n] += wide * widened<S, W>(factor);
  };
  std::size_t i = 0;
  for (; i + 2 * W <= run; i += 2 * W)
    for (int n = 0; n < 2; ++n) {
      const std::size_t at = i + static_cast<std::size_t>(n * W);
      add(n, load<S, W>(d + at), load<S, W>(gate + at), load<S, W>(value + at));
    }
  for (; i < run; i += W) {
    const std::size_t left = run - i < W ? run - i : W;
    add(0, load_part<S, W>(d + i, left), load_part<S, W>(gate + i, left), load_part<S, W>(value + i, left));
  }
  first[0] += first[1], second[0] += second[1];
  out[0] = lane_sum<double, W>(first[0]);
  out[1] = lane_sum<double, W>(second[0]);
}

template <bool Gated, class S>
KOKKOS_INLINE_FUNCTION void row_sums(const S* d, const S* gate, const S* value, std::size_t run, double* out) {
  if constexpr (train_lanes > 1) {
    row_sums_by_lanes<Gated>(d, gate, value, run, out);
  } else {
    double first = 0, second = 0;
    for (std::size_t i = 0; i < run; ++i) {
      const double term = !Gated || gate[i] > S(0) ? static_cast<double>(d[i]) : 0.0;
      first += term;
      second += term * static_cast<double>(value[i]);
    }
    out[0] = first, out[1] = second;
  }
}

void sum_rows(const Exec& exec, const MomentSums& moments) {
  const std::size_t per = moments.share / moments.span;
  if (per == 1) return;
  const View3<double> rows = moments.rows, sums = moments.sums;
  const std::size_t coefficients = sums.extent(1);
  Kokkos::parallel_for(
      "model::moments_of_rows", Kokkos::RangePolicy<Exec>(exec, 0, sums.extent(0) * coefficients),
      KOKKOS_LAMBDA(const std::size_t i) {
        const std::size_t g = i / coefficients, k = i % coefficients;
        double first = 0, second = 0;
        for (std::size_t r = k * per; r < (k + 1) * per; ++r) first += rows(g, r, 0), second += rows(g, r, 1);
        sums(g, k, 0) = first;
        sums(g, k, 1) = second;
      });
}

template <bool Gated, class S>
void sum_all_rows(const Exec& exec, const char* label, const View5<S>& d, const View5<S>& h, const View5<S>& z,
                  const MomentSums& moments) {
  const std::size_t rows = moments.rows.extent(1), run = moments.span * z.extent(4);
  const S *const gradients = d.data(), *const gates = h.data(), *const values = z.data();
  double* const out = moments.rows.data();
  Kokkos::parallel_for(
      label, Kokkos::RangePolicy<Exec>(exec, 0, z.extent(0) * rows), KOKKOS_LAMBDA(const std::size_t row) {
        row_sums<Gated>(gradients + row * run, gates + row * run, values + row * run, run, out + 2 * row);
      });
  sum_rows(exec, moments);
}

template <class S>
void forward_moments(const Exec& exec, const View5<S>& z, const MomentSums& moments) {
  sum_all_rows<false>(exec, "model::forward_moments", z, z, z, moments);
}

template <class S>
void backward_moments(const Exec& exec, const View5<S>& d, const View5<S>& h, const View5<S>& z, const MomentSums& moments) {
  h.size() == 0 ? sum_all_rows<false>(exec, "model::backward_moments", d, d, z, moments)
                : sum_all_rows<true>(exec, "model::backward_moments", d, h, z, moments);
}

/// h = max(0, a z + b + noise) for the lanes of one unit; `Whole` where `count` is a whole register.
template <bool Whole, class S>
KOKKOS_INLINE_FUNCTION void relu_lanes(const S* in, S a, S b, S sd, const float* normal, int count, S* out) {
  const int lanes = Whole ? train_lanes : count;
  for (int lane = 0; lane < lanes; ++lane) {
    const S x = a * in[lane] + b + sd * static_cast<S>(normal[lane]);
    out[lane] = x > S(0) ? x : S(0);
  }
}

template <class S>
void norm_relu(const Exec& exec, const View5<S>& z, const View1<S>& gain, const View1<S>& shift, std::size_t share, double noise,
               const NoiseKey& key, const View5<S>& h) {
  const std::size_t units = units_of(z), windows = z.extent(4), groups = (units + noise_group - 1) / noise_group;
  const std::size_t run = train_lanes > 1 ? windows : 1, runs = windows / run;  // windows of a work item
  const S* const in = z.data();
  S* const out = h.data();
  const S sd = static_cast<S>(noise);
  Kokkos::parallel_for(
      "model::norm_relu", Kokkos::RangePolicy<Exec>(exec, 0, z.extent(0) * groups * runs), KOKKOS_LAMBDA(const std::size_t item) {
        const std::size_t begin = item % runs * run, group = item / runs % groups, g = item / runs / groups;
        const std::size_t unit = group * noise_group, end = unit + noise_group < units ? unit + noise_group : units;
        for (std::size_t first = begin; first < begin + run; first += train_lanes) {
          float normal[noise_group][train_lanes] = {};
          if (sd != S(0))
            noise_normals<train_lanes>(key, static_cast<std::uint32_t>(group), key.first_sample + g * windows + first, normal);
          const std::size_t left = begin + run - first;
          for (std::size_t u = unit; u < end; ++u) {
            const S a = gain(u / share), b = shift(u / share);
            const std::size_t at = (g * units + u) * windows + first;
            if (left >= static_cast<std::size_t>(train_lanes)) {
              relu_lanes<true>(in + at, a, b, sd, normal[u - unit], train_lanes, out + at);
            } else {
              relu_lanes<false>(in + at, a, b, sd, normal[u - unit], static_cast<int>(left), out + at);
            }
          }
        }
      });
}

/// d = a d + b z + c over a run, d only where the gate is open.
template <bool Gated, class S>
KOKKOS_INLINE_FUNCTION void back_run(S* KOKKOS_RESTRICT d, const S* KOKKOS_RESTRICT gate, const S* KOKKOS_RESTRICT value,
                                     std::size_t run, S a, S b, S c) {
  for (std::size_t i = 0; i < run; ++i) {
    S passed = d[i];
    if constexpr (Gated) passed = gate[i] > S(0) ? passed : S(0);
    d[i] = a * passed + b * value[i] + c;
  }
}

template <class S>
void norm_backward(const Exec& exec, const View5<S>& d, const View5<S>& h, const View5<S>& z, const View1<S>& from_d,
                   const View1<S>& from_z, const View1<S>& constant, std::size_t share) {
  const std::size_t units = units_of(z), windows = z.extent(4);
  const S *const gates = h.size() == 0 ? nullptr : h.data(), *const values = z.data();
  S* const gradients = d.data();
  Kokkos::parallel_for(
      "model::norm_backward", Kokkos::RangePolicy<Exec>(exec, 0, z.extent(0) * units), KOKKOS_LAMBDA(const std::size_t item) {
        const std::size_t k = item % units / share, at = item * windows;
        const S a = from_d(k), b = from_z(k), c = constant(k);
        if (gates == nullptr) {
          back_run<false>(gradients + at, static_cast<const S*>(nullptr), values + at, windows, a, b, c);
        } else {
          back_run<true>(gradients + at, gates + at, values + at, windows, a, b, c);
        }
      });
}

#define AMACRINE_INSTANTIATE(S)                                                                                         \
  template void forward_moments<S>(const Exec&, const View5<S>&, const MomentSums&);                                    \
  template void backward_moments<S>(const Exec&, const View5<S>&, const View5<S>&, const View5<S>&, const MomentSums&); \
  template void norm_relu<S>(const Exec&, const View5<S>&, const View1<S>&, const View1<S>&, std::size_t, double,       \
                             const NoiseKey&, const View5<S>&);                                                         \
  template void norm_backward<S>(const Exec&, const View5<S>&, const View5<S>&, const View5<S>&, const View1<S>&,       \
                                 const View1<S>&, const View1<S>&, std::size_t);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::model
