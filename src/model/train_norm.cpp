// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/core/vector.hpp"
#include "amacrine/model/train_kernels.hpp"

#include <algorithm>
#include <cstring>

namespace amacrine::model {

using core::broadcast;
using core::converted;
using core::Exec;
using core::from_bytes;
using core::gated;
using core::load;
using core::load_part;
using core::pairwise_sum;
using core::positive;
using core::prefetch;
using core::store;
using core::store_part;
using core::Vector;
using core::View1;
using core::View3;
using core::View5;

MomentSums make_moment_sums(std::size_t segments, std::size_t channels, std::size_t height, std::size_t width, bool per_channel) {
  MomentSums moments;
  moments.share = per_channel ? height * width : 1;
  moments.span = per_channel ? width : 1;
  moments.rows = View3<double>("model::moment_rows", segments, channels * height * width / moments.span, 2);
  moments.sums = moments.span == moments.share ? moments.rows : View3<double>("model::moment_sums", segments, channels, 2);
  return moments;
}

/// Asks for what lies this many values further on: rows follow one another, across the pages at which hardware stops to foresee.
constexpr std::size_t values_ahead = 1024;
template <class T>
inline void prefetch_ahead(const T* values) {
  prefetch(values + values_ahead);
}

/// The first `count` of d where the gate is open, zeros elsewhere; a whole register where `count` is W.
template <class S, int W>
inline Vector<S, W> gated_lanes(const S* d, const std::uint8_t* gate, std::size_t count) {
  const bool whole = count == static_cast<std::size_t>(W);
  const Vector<std::uint8_t, W> open = whole ? load<std::uint8_t, W>(gate) : load_part<std::uint8_t, W>(gate, count);
  return gated<S, W>(whole ? load<S, W>(d) : load_part<S, W>(d, count), from_bytes<S, W>(open));
}

/// Sums of d and of d * value over a run, lane by lane in double.
template <class S>
struct LaneSums {
  static constexpr int W = 16, H = W / 2;
  Vector<double, H> first[2]{}, second[2]{};

  void add_lanes(const Vector<S, W>& d, const Vector<S, W>& value) {
    Vector<S, H> terms[2], factors[2];
    std::memcpy(terms, &d, sizeof d);
    std::memcpy(factors, &value, sizeof value);
    for (int n = 0; n < 2; ++n) {
      const Vector<double, H> wide = converted<double, S, H>(terms[n]);
      first[n] += wide;
      second[n] += wide * converted<double, S, H>(factors[n]);
    }
  }
  /// d only where the gate is open if Gated.
  template <bool Gated>
  void add(const S* d, const std::uint8_t* gate, const S* value, std::size_t run) {
    const auto terms = [&](std::size_t i, std::size_t count) {
      if constexpr (Gated) return gated_lanes<S, W>(d + i, gate + i, count);
      return count == static_cast<std::size_t>(W) ? load<S, W>(d + i) : load_part<S, W>(d + i, count);
    };
    std::size_t i = 0;
    for (; i + W <= run; i += W) {
      prefetch_ahead(value + i);
      if constexpr (Gated) prefetch_ahead(gate + i);
      add_lanes(terms(i, W), load<S, W>(value + i));
    }
    if (i < run) add_lanes(terms(i, run - i), load_part<S, W>(value + i, run - i));
  }
};

/// Sums of a row of values: of d and of d * value, d only where the gate is open (Gated), then over the lanes pair by pair.
template <bool Gated, class S>
inline void row_sums_by_lanes(const S* d, const std::uint8_t* gate, const S* value, std::size_t run, double* out) {
  LaneSums<S> sums;
  sums.template add<Gated>(d, gate, value, run);
  out[0] = pairwise_sum<double, LaneSums<S>::H>(sums.first[0] + sums.first[1]);
  out[1] = pairwise_sum<double, LaneSums<S>::H>(sums.second[0] + sums.second[1]);
}

template <bool Gated, class S>
KOKKOS_INLINE_FUNCTION void row_sums(const S* d, const std::uint8_t* gate, const S* value, std::size_t run, double* out) {
  if constexpr (train_lanes > 1) {
    row_sums_by_lanes<Gated>(d, gate, value, run, out);
  } else {
    double first = 0, second = 0;
    for (std::size_t i = 0; i < run; ++i) {
      const double term = !Gated || gate[i] != 0 ? static_cast<double>(d[i]) : 0.0;
      first += term;
      second += term * static_cast<double>(value[i]);
    }
    out[0] = first, out[1] = second;
  }
}

/// Rows of moments of d, where the gate is open if Gated, and of d * z, into `out`.
template <bool Gated, class S>
struct MomentRows {
  const S* d;
  const std::uint8_t* gate;
  const S* value;
  std::size_t run;  ///< values of a row
  double* out;

  KOKKOS_INLINE_FUNCTION void operator()(std::size_t row) const {
    row_sums<Gated>(d + row * run, Gated ? gate + row * run : nullptr, value + row * run, run, out + 2 * row);
  }
};

template <bool Gated, class S>
MomentRows<Gated, S> moment_rows(const View5<S>& d, const Gates& gates, const View5<S>& z, const MomentSums& moments) {
  return {d.data(), gates.data(), z.data(), moments.span * z.extent(4), moments.rows.data()};
}

Kokkos::RangePolicy<Exec> all_rows(const Exec& exec, const MomentSums& moments) {
  return {exec, 0, moments.rows.extent(0) * moments.rows.extent(1)};
}

template <bool Gated, class S>
PlaneEpilogue rows_of_planes(const char* label, const View5<S>& d, const Gates& gates, const View5<S>& z,
                             const MomentSums& moments) {
  const std::size_t rows = moments.rows.extent(1) / z.extent(1);
  return {label, [work = moment_rows<Gated>(d, gates, z, moments), rows](std::size_t plane) {
            for (std::size_t row = plane * rows; row < (plane + 1) * rows; ++row) work(row);
          }};
}

void sum_moment_rows(const Exec& exec, const MomentSums& moments) {
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
  Kokkos::parallel_for("model::forward_moments", all_rows(exec, moments), moment_rows<false>(z, Gates(), z, moments));
  sum_moment_rows(exec, moments);
}
template <class S>
PlaneEpilogue forward_moment_rows(const View5<S>& z, const MomentSums& moments) {
  return rows_of_planes<false>("model::inverse_and_moments", z, Gates(), z, moments);
}

template <class S>
void backward_moments(const Exec& exec, const View5<S>& d, const Gates& gates, const View5<S>& z, const MomentSums& moments) {
  if (gates.size() == 0) {
    Kokkos::parallel_for("model::backward_moments", all_rows(exec, moments), moment_rows<false>(d, gates, z, moments));
  } else {
    Kokkos::parallel_for("model::backward_moments", all_rows(exec, moments), moment_rows<true>(d, gates, z, moments));
  }
  sum_moment_rows(exec, moments);
}
template <class S>
PlaneEpilogue backward_moment_rows(const View5<S>& d, const Gates& gates, const View5<S>& z, const MomentSums& moments) {
  return rows_of_planes<true>("model::inverse_and_backward_moments", d, gates, z, moments);
}

/// h = max(0, a z + b + noise) for the lanes of one unit, and its gates where there are any; `Whole` where `count` is a whole
/// register.
template <bool Whole, class S>
KOKKOS_INLINE_FUNCTION void relu_lanes(const S* in, S a, S b, S sd, const float* normal, int count, S* out, std::uint8_t* gate) {
  constexpr int W = train_lanes;
  if constexpr (W > 1) {
    const std::size_t lanes = Whole ? W : static_cast<std::size_t>(count);
    prefetch_ahead(in);
    const Vector<S, W> z = Whole ? load<S, W>(in) : load_part<S, W>(in, lanes);
    const Vector<S, W> noise = broadcast<S, W>(sd) * converted<S, float, W>(load<float, W>(normal));
    const Vector<S, W> x = broadcast<S, W>(a) * z + broadcast<S, W>(b) + noise, h = gated<S, W>(x, x);
    Whole ? store<S, W>(out, h) : store_part<S, W>(out, h, lanes);
    if (gate != nullptr) store_part<std::uint8_t, W>(gate, positive<S, W>(h), lanes);
  } else {
    const S x = a * *in + b + sd * static_cast<S>(*normal);
    *out = x > S(0) ? x : S(0);
    if (gate != nullptr) *gate = x > S(0) ? 1 : 0;
  }
}

/// Norm, noise and ReLU of a few units of segment g.
template <class S>
struct NormRelu {
  const S* in;
  std::uint8_t* gates;  ///< null: none are kept
  View1<S> gain, shift;
  std::size_t units, windows, share;
  S sd;
  NoiseKey key;

  /// Units [unit, end) of noise group `group`, windows [begin, begin + run). `out` begins at value `out_begin` of the layer.
  KOKKOS_INLINE_FUNCTION void operator()(std::size_t g, std::size_t group, std::size_t unit, std::size_t end, std::size_t begin,
                                         std::size_t run, S* out, std::size_t out_begin) const {
    constexpr std::size_t together = noise_group;
    for (std::size_t first = begin; first < begin + run; first += train_lanes) {
      float normal[together][train_lanes];
      if (sd != S(0)) {
        noise_normals<train_lanes>(key, static_cast<std::uint32_t>(group), key.first_sample + g * windows + first, normal);
      } else {
        for (auto& unit_normals : normal)
          for (float& value : unit_normals) value = 0;
      }
      const std::size_t left = begin + run - first;
      for (std::size_t u = unit; u < end; ++u) {
        const std::size_t k = share == 1 ? u : u / share;
        const S a = gain(k), b = shift(k);
        const std::size_t at = (g * units + u) * windows + first;
        const float* const deviates = normal[u - group * together];
        std::uint8_t* const gate = gates == nullptr ? nullptr : gates + at;
        if (left >= static_cast<std::size_t>(train_lanes)) {
          relu_lanes<true>(in + at, a, b, sd, deviates, train_lanes, out + (at - out_begin), gate);
        } else {
          relu_lanes<false>(in + at, a, b, sd, deviates, static_cast<int>(left), out + (at - out_begin), gate);
        }
      }
    }
  }
};

template <class S>
NormRelu<S> make_norm_relu(const View5<S>& z, const View1<S>& gain, const View1<S>& shift, std::size_t share, double noise,
                           const NoiseKey& key, const Gates& gates) {
  return {
      z.data(), gates.size() == 0 ? nullptr : gates.data(), gain, shift, units_of(z), z.extent(4), share, static_cast<S>(noise),
      key};
}

template <class S>
void norm_relu(const Exec& exec, const View5<S>& z, const View1<S>& gain, const View1<S>& shift, std::size_t share, double noise,
               const NoiseKey& key, const View5<S>& h, const Gates& gates) {
  constexpr std::size_t together = noise_group;
  const NormRelu<S> work = make_norm_relu(z, gain, shift, share, noise, key, gates);
  S* const out = h.data();
  const std::size_t units = work.units, windows = work.windows, groups = (units + together - 1) / together;
  const std::size_t run = train_lanes > 1 ? windows : 1, runs = windows / run;  // windows of a work item
  Kokkos::parallel_for(
      "model::norm_relu", Kokkos::RangePolicy<Exec>(exec, 0, z.extent(0) * groups * runs), KOKKOS_LAMBDA(const std::size_t item) {
        const std::size_t begin = item % runs * run, group = item / runs % groups, g = item / runs / groups;
        const std::size_t unit = group * together, end = unit + together < units ? unit + together : units;
        work(g, group, unit, end, begin, run, out, 0);
      });
}

template <class S>
PlanePrologue<S> norm_relu_of_planes(const View5<S>& z, const View1<S>& gain, const View1<S>& shift, std::size_t share,
                                     double noise, const NoiseKey& key, const Gates& gates) {
  const std::size_t channels = z.extent(1), area = z.extent(2) * z.extent(3);
  return {"model::norm_relu_and_forward",
          [work = make_norm_relu(z, gain, shift, share, noise, key, gates), channels, area](std::size_t plane, S* values) {
            constexpr std::size_t together = noise_group;
            const std::size_t g = plane / channels, first = plane % channels * area, last = first + area;
            for (std::size_t group = first / together; group * together < last; ++group)
              work(g, group, std::max(first, group * together), std::min(last, (group + 1) * together), 0, work.windows, values,
                   plane * area * work.windows);
          }};
}

/// out = a d + b z + c over a run, d only where the gate is open. out may be d.
template <bool Gated, class S>
KOKKOS_INLINE_FUNCTION void back_run(const S* d, const std::uint8_t* KOKKOS_RESTRICT gate, const S* KOKKOS_RESTRICT value,
                                     std::size_t run, S a, S b, S c, S* out) {
  std::size_t i = 0;
  if constexpr (train_lanes > 1) {
    constexpr int W = train_lanes;
    for (; i + W <= run; i += W) {
      prefetch_ahead(d + i);
      prefetch_ahead(value + i);
      if constexpr (Gated) prefetch_ahead(gate + i);
      const Vector<S, W> passed = Gated ? gated_lanes<S, W>(d + i, gate + i, W) : load<S, W>(d + i);
      store<S, W>(out + i, broadcast<S, W>(a) * passed + broadcast<S, W>(b) * load<S, W>(value + i) + broadcast<S, W>(c));
    }
  }
  for (; i < run; ++i) {
    S passed = d[i];
    if constexpr (Gated) passed = gate[i] != 0 ? passed : S(0);
    out[i] = a * passed + b * value[i] + c;
  }
}

/// The way back through a norm for one unit of a segment.
template <class S>
struct NormBack {
  const S* d;
  const std::uint8_t* gate;  ///< null where nothing gates
  const S* value;
  View1<S> from_d, from_z, constant;
  std::size_t units, windows, share;

  /// `out` is the unit's.
  KOKKOS_INLINE_FUNCTION void operator()(std::size_t unit, S* out) const {
    const std::size_t k = unit % units / share, at = unit * windows;
    const S a = from_d(k), b = from_z(k), c = constant(k);
    if (gate == nullptr) {
      back_run<false>(d + at, static_cast<const std::uint8_t*>(nullptr), value + at, windows, a, b, c, out);
    } else {
      back_run<true>(d + at, gate + at, value + at, windows, a, b, c, out);
    }
  }
};

template <class S>
NormBack<S> make_norm_back(const View5<S>& d, const Gates& gates, const View5<S>& z, const View1<S>& from_d,
                           const View1<S>& from_z, const View1<S>& constant, std::size_t share) {
  return {d.data(), gates.size() == 0 ? nullptr : gates.data(), z.data(), from_d, from_z, constant, units_of(z), z.extent(4),
          share};
}

template <class S>
void norm_backward(const Exec& exec, const View5<S>& d, const Gates& gates, const View5<S>& z, const View1<S>& from_d,
                   const View1<S>& from_z, const View1<S>& constant, std::size_t share) {
  const NormBack<S> work = make_norm_back(d, gates, z, from_d, from_z, constant, share);
  S* const out = d.data();
  Kokkos::parallel_for(
      "model::norm_backward", Kokkos::RangePolicy<Exec>(exec, 0, z.extent(0) * units_of(z)),
      KOKKOS_LAMBDA(const std::size_t unit) { work(unit, out + unit * work.windows); });
}

template <class S>
PlanePrologue<S> norm_backward_of_planes(const View5<S>& d, const Gates& gates, const View5<S>& z, const View1<S>& from_d,
                                         const View1<S>& from_z, const View1<S>& constant, std::size_t share) {
  const std::size_t area = z.extent(2) * z.extent(3);
  return {"model::norm_backward_and_forward",
          [work = make_norm_back(d, gates, z, from_d, from_z, constant, share), area](std::size_t plane, S* values) {
            for (std::size_t unit = 0; unit < area; ++unit) work(plane * area + unit, values + unit * work.windows);
          }};
}

#define AMACRINE_INSTANTIATE(S)                                                                                                 \
  template void forward_moments<S>(const Exec&, const View5<S>&, const MomentSums&);                                            \
  template void backward_moments<S>(const Exec&, const View5<S>&, const Gates&, const View5<S>&, const MomentSums&);            \
  template void norm_relu<S>(const Exec&, const View5<S>&, const View1<S>&, const View1<S>&, std::size_t, double,               \
                             const NoiseKey&, const View5<S>&, const Gates&);                                                   \
  template void norm_backward<S>(const Exec&, const View5<S>&, const Gates&, const View5<S>&, const View1<S>&, const View1<S>&, \
                                 const View1<S>&, std::size_t);                                                                 \
  template PlaneEpilogue forward_moment_rows<S>(const View5<S>&, const MomentSums&);                                            \
  template PlaneEpilogue backward_moment_rows<S>(const View5<S>&, const Gates&, const View5<S>&, const MomentSums&);            \
  template PlanePrologue<S> norm_relu_of_planes<S>(const View5<S>&, const View1<S>&, const View1<S>&, std::size_t, double,      \
                                                   const NoiseKey&, const Gates&);                                              \
  template PlanePrologue<S> norm_backward_of_planes<S>(const View5<S>&, const Gates&, const View5<S>&, const View1<S>&,         \
                                                       const View1<S>&, const View1<S>&, std::size_t);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::model
