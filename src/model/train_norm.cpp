// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/model/train_kernels.hpp"

namespace amacrine::model {

using core::Exec;
using core::View1;
using core::View3;
using core::View5;

namespace {

constexpr std::size_t noise_group = 4;  ///< units that share one Philox block

template <class S>
std::size_t units_of(const View5<S>& z) {
  return z.extent(1) * z.extent(2) * z.extent(3);
}

}  // namespace

MomentSums make_moment_sums(std::size_t segments, std::size_t channels, std::size_t height, std::size_t width, bool per_channel) {
  MomentSums moments;
  moments.share = per_channel ? height * width : 1;
  moments.span = per_channel ? width : 1;
  moments.rows = View3<double>("model::moment_rows", segments, channels * height * width / moments.span, 2);
  moments.sums = moments.span == moments.share ? moments.rows : View3<double>("model::moment_sums", segments, channels, 2);
  return moments;
}

/// Sums lane by lane, then over the lanes in order.
struct LaneSums {
  double first[train_lanes], second[train_lanes];
  KOKKOS_INLINE_FUNCTION LaneSums() {
    for (int i = 0; i < train_lanes; ++i) first[i] = second[i] = 0;
  }
  KOKKOS_INLINE_FUNCTION void store(double* out) const {
    double a = 0, b = 0;
    for (int i = 0; i < train_lanes; ++i) a += first[i], b += second[i];
    out[0] = a, out[1] = b;
  }
};

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

template <class S>
void forward_moments(const Exec& exec, const View5<S>& z, const MomentSums& moments) {
  const std::size_t rows = moments.rows.extent(1), run = moments.span * z.extent(4);
  const S* const values = z.data();
  double* const out = moments.rows.data();
  Kokkos::parallel_for(
      "model::forward_moments", Kokkos::RangePolicy<Exec>(exec, 0, z.extent(0) * rows), KOKKOS_LAMBDA(const std::size_t row) {
        const S* const from = values + row * run;
        LaneSums sums;
        std::size_t i = 0;
        for (; i + train_lanes <= run; i += train_lanes)
          for (int lane = 0; lane < train_lanes; ++lane) {
            const double value = from[i + static_cast<std::size_t>(lane)];
            sums.first[lane] += value;
            sums.second[lane] += value * value;
          }
        for (; i < run; ++i) {
          const double value = from[i];
          sums.first[0] += value;
          sums.second[0] += value * value;
        }
        sums.store(out + 2 * row);
      });
  sum_rows(exec, moments);
}

template <class S>
void backward_moments(const Exec& exec, const View5<S>& d, const View5<S>& h, const View5<S>& z, const MomentSums& moments) {
  const std::size_t rows = moments.rows.extent(1), run = moments.span * z.extent(4);
  const bool masked = h.size() != 0;
  const S *const gradients = d.data(), *const outputs = masked ? h.data() : d.data(), *const values = z.data();
  double* const out = moments.rows.data();
  Kokkos::parallel_for(
      "model::backward_moments", Kokkos::RangePolicy<Exec>(exec, 0, z.extent(0) * rows), KOKKOS_LAMBDA(const std::size_t row) {
        const S *const from = gradients + row * run, *const gate = outputs + row * run, *const value = values + row * run;
        LaneSums sums;
        std::size_t i = 0;
        for (; i + train_lanes <= run; i += train_lanes)
          for (int lane = 0; lane < train_lanes; ++lane) {
            const std::size_t at = i + static_cast<std::size_t>(lane);
            const double gradient = (!masked || gate[at] > S(0)) ? static_cast<double>(from[at]) : 0.0;
            sums.first[lane] += gradient;
            sums.second[lane] += gradient * static_cast<double>(value[at]);
          }
        for (; i < run; ++i) {
          const double gradient = (!masked || gate[i] > S(0)) ? static_cast<double>(from[i]) : 0.0;
          sums.first[0] += gradient;
          sums.second[0] += gradient * static_cast<double>(value[i]);
        }
        sums.store(out + 2 * row);
      });
  sum_rows(exec, moments);
}

template <class S>
void norm_relu(const Exec& exec, const View5<S>& z, const View1<S>& gain, const View1<S>& shift, std::size_t share, double noise,
               const NoiseKey& key, const View5<S>& h) {
  const std::size_t units = units_of(z), windows = z.extent(4);
  const std::size_t groups = (units + noise_group - 1) / noise_group, blocks = (windows + train_lanes - 1) / train_lanes;
  const S* const in = z.data();
  S* const out = h.data();
  const S sd = static_cast<S>(noise);
  Kokkos::parallel_for(
      "model::norm_relu", Kokkos::RangePolicy<Exec>(exec, 0, z.extent(0) * groups * blocks),
      KOKKOS_LAMBDA(const std::size_t item) {
        const std::size_t block = item % blocks, group = item / blocks % groups, g = item / blocks / groups;
        const std::size_t first = block * train_lanes, left = windows - first;
        const int count = left < static_cast<std::size_t>(train_lanes) ? static_cast<int>(left) : train_lanes;
        float normal[noise_group][train_lanes] = {};
        if (sd != S(0))
          noise_normals<train_lanes>(key, static_cast<std::uint32_t>(group), key.first_sample + g * windows + first, normal);
        for (std::size_t j = 0; j < noise_group; ++j) {
          const std::size_t u = group * noise_group + j;
          if (u >= units) break;
          const S a = gain(u / share), b = shift(u / share);
          const std::size_t at = (g * units + u) * windows + first;
          S x[train_lanes] = {};
          for (int lane = 0; lane < count; ++lane) x[lane] = in[at + static_cast<std::size_t>(lane)];
          for (int lane = 0; lane < train_lanes; ++lane) {
            x[lane] = a * x[lane] + b + sd * static_cast<S>(normal[j][lane]);
            x[lane] = x[lane] > S(0) ? x[lane] : S(0);
          }
          for (int lane = 0; lane < count; ++lane) out[at + static_cast<std::size_t>(lane)] = x[lane];
        }
      });
}

template <class S>
void norm_backward(const Exec& exec, const View5<S>& d, const View5<S>& h, const View5<S>& z, const View1<S>& from_d,
                   const View1<S>& from_z, const View1<S>& constant, std::size_t share) {
  const std::size_t units = units_of(z), windows = z.extent(4);
  const bool masked = h.size() != 0;
  S* const gradient = d.data();
  const S *const gate = masked ? h.data() : d.data(), *const value = z.data();
  Kokkos::parallel_for(
      "model::norm_backward", Kokkos::RangePolicy<Exec>(exec, 0, z.extent(0) * units), KOKKOS_LAMBDA(const std::size_t item) {
        const std::size_t k = item % units / share, at = item * windows;
        const S a = from_d(k), b = from_z(k), c = constant(k);
        for (std::size_t i = at; i < at + windows; ++i) {
          const S passed = (!masked || gate[i] > S(0)) ? gradient[i] : S(0);
          gradient[i] = a * passed + b * value[i] + c;
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
