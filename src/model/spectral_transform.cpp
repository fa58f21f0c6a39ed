// SPDX-License-Identifier: Apache-2.0
#include "spectral_transform.hpp"

#include "amacrine/core/errors.hpp"
#include "spectral_fft.hpp"

#include <cmath>
#include <map>
#include <numbers>
#include <vector>

namespace amacrine::model::spectral {

using core::lane_count;
using core::Lanes;

namespace {

/// cos and sin of 2 pi k / N on the device, interleaved; kept for the life of the process' execution space.
template <class S>
core::View1<S> make_twiddles(int n) {
  std::vector<S> values(2 * static_cast<std::size_t>(n));
  for (int k = 0; k < n; ++k) {
    values[2 * k] = static_cast<S>(std::cos(2 * std::numbers::pi * k / n));
    values[2 * k + 1] = static_cast<S>(std::sin(2 * std::numbers::pi * k / n));
  }
  return core::to_device("model::spectral_twiddles", values);
}

template <class S>
core::View1<S> twiddles(int n) {
  static std::map<int, core::View1<S>> tables;
  if (tables.empty()) Kokkos::push_finalize_hook([] { tables.clear(); });
  auto found = tables.find(n);
  if (found == tables.end()) found = tables.emplace(n, make_twiddles<S>(n)).first;
  return found->second;
}

}  // namespace

/// Where things lie: planes (P, H, W, L) and spectra (P, N, K, 2, Lp).
template <class S>
struct PlaneLayout {
  const S* twiddle;
  int height, width, lanes, padded;
};

/// One register of lanes of half a spectrum (y, kx, re | im, lanes).
template <class S>
struct HalfSpectrum {
  S* data;
  int lanes;
  KOKKOS_INLINE_FUNCTION S* at(int y, int k, int half_width) const {
    return data + (static_cast<std::size_t>(y) * half_width + k) * 2 * lanes;
  }
};

/// Two real rows ride in one complex transform; their spectra are told apart by symmetry. `plane` starts at the lane; `left`
/// lanes remain there.
template <int N, class S>
KOKKOS_INLINE_FUNCTION void forward_rows(const PlaneLayout<S>& at, const S* plane, int left, const HalfSpectrum<S>& rows,
                                         int pair) {
  using V = Lanes<S>;
  constexpr int K = N / 2 + 1;
  Complex<V> a[N], b[N];
  const int y = 2 * pair;
  const bool two = y + 1 < at.height;
  for (int x = 0; x < N; ++x) {
    const bool inside = x < at.width && left > 0;
    const S* from = plane + (static_cast<std::size_t>(y) * at.width + x) * at.lanes;
    a[x].re = inside ? core::load_lanes(from, left) : V(S(0));
    a[x].im = inside && two ? core::load_lanes(from + static_cast<std::size_t>(at.width) * at.lanes, left) : V(S(0));
  }
  const Complex<V>* z = transform<N, -1>(a, b, at.twiddle);
  const V half(S(0.5));
  for (int k = 0; k < K; ++k) {
    const Complex<V> p = z[k], q = z[k == 0 ? 0 : N - k];
    S* first = rows.at(y, k, K);
    core::store_lanes<S>(half * (p.re + q.re), first);
    core::store_lanes<S>(half * (p.im - q.im), first + rows.lanes);
    if (!two) continue;
    S* second = rows.at(y + 1, k, K);
    core::store_lanes<S>(half * (p.im + q.im), second);
    core::store_lanes<S>(half * (q.re - p.re), second + rows.lanes);
  }
}

/// Transforms one column, possibly in place; rows beyond `rows_in` count as zero, only the first `rows_out` are written.
template <int N, int Sign, class S>
KOKKOS_INLINE_FUNCTION void columns(const S* twiddle, const HalfSpectrum<S>& from, const HalfSpectrum<S>& to, int kx, int rows_in,
                                    int rows_out) {
  using V = Lanes<S>;
  constexpr int K = N / 2 + 1;
  Complex<V> a[N], b[N];
  for (int y = 0; y < N; ++y) {
    const S* value = from.at(y, kx, K);
    a[y] = y < rows_in ? Complex<V>{core::load_lanes(value), core::load_lanes(value + from.lanes)} : Complex<V>{V(S(0)), V(S(0))};
  }
  const Complex<V>* z = transform<N, Sign>(a, b, twiddle);
  for (int y = 0; y < rows_out; ++y) {
    S* value = to.at(y, kx, K);
    core::store_lanes<S>(z[y].re, value);
    core::store_lanes<S>(z[y].im, value + to.lanes);
  }
}

/// The way back: two rows of half spectra become one complex row, whose real and imaginary parts are the two real rows.
template <int N, class S>
KOKKOS_INLINE_FUNCTION void inverse_rows(const PlaneLayout<S>& at, const HalfSpectrum<S>& rows, S* plane, int left, int pair) {
  using V = Lanes<S>;
  constexpr int K = N / 2 + 1;
  Complex<V> a[N], b[N];
  const int y = 2 * pair;
  const bool two = y + 1 < at.height;
  for (int k = 0; k < K; ++k) {
    const S *first = rows.at(y, k, K), *second = rows.at(two ? y + 1 : y, k, K);
    const V ar = core::load_lanes(first), ai = core::load_lanes(first + rows.lanes);
    const V br = core::load_lanes(second), bi = core::load_lanes(second + rows.lanes);
    a[k] = {ar - bi, ai + br};
    if (k > 0 && 2 * k != N) a[N - k] = {ar + bi, br - ai};
  }
  const Complex<V>* z = transform<N, 1>(a, b, at.twiddle);
  const V scale(S(1) / S(N * N));
  for (int x = 0; x < at.width; ++x) {
    S* to = plane + (static_cast<std::size_t>(y) * at.width + x) * at.lanes;
    core::store_lanes<S>(scale * z[x].re, to, left);
    if (two) core::store_lanes<S>(scale * z[x].im, to + static_cast<std::size_t>(at.width) * at.lanes, left);
  }
}

/// A host transforms one register of lanes of a plane at a time: what lies between rows and columns stays in its cache.
template <int N, class S>
void forward_on_host(const core::Exec& exec, const PlaneLayout<S>& at, const S* planes, int count, S* spectrum) {
  constexpr int W = lane_count<S>, K = N / 2 + 1;
  const int blocks = at.padded / W;
  const std::size_t in = static_cast<std::size_t>(at.height) * at.width * at.lanes,
                    out = static_cast<std::size_t>(N) * K * 2 * at.padded;
  Kokkos::parallel_for(
      "model::spectral_forward", Kokkos::RangePolicy<core::Exec>(exec, 0, static_cast<long>(count) * blocks),
      KOKKOS_LAMBDA(long i) {
        const int lane = static_cast<int>(i % blocks) * W;
        const std::size_t p = static_cast<std::size_t>(i / blocks);
        S between[N * K * 2 * W];
        const HalfSpectrum<S> rows{between, W}, all{spectrum + p * out + lane, at.padded};
        for (int pair = 0; 2 * pair < at.height; ++pair) forward_rows<N>(at, planes + p * in + lane, at.lanes - lane, rows, pair);
        for (int kx = 0; kx < K; ++kx) columns<N, -1>(at.twiddle, rows, all, kx, at.height, N);
      });
}

template <int N, class S>
void inverse_on_host(const core::Exec& exec, const PlaneLayout<S>& at, S* spectrum, int count, S* planes) {
  constexpr int W = lane_count<S>, K = N / 2 + 1;
  const int blocks = (at.lanes + W - 1) / W;
  const std::size_t out = static_cast<std::size_t>(at.height) * at.width * at.lanes,
                    in = static_cast<std::size_t>(N) * K * 2 * at.padded;
  Kokkos::parallel_for(
      "model::spectral_inverse", Kokkos::RangePolicy<core::Exec>(exec, 0, static_cast<long>(count) * blocks),
      KOKKOS_LAMBDA(long i) {
        const int lane = static_cast<int>(i % blocks) * W;
        const std::size_t p = static_cast<std::size_t>(i / blocks);
        S between[N * K * 2 * W];
        const HalfSpectrum<S> rows{between, W}, all{spectrum + p * in + lane, at.padded};
        for (int kx = 0; kx < K; ++kx) columns<N, 1>(at.twiddle, all, rows, kx, N, at.height);
        for (int pair = 0; 2 * pair < at.height; ++pair)
          inverse_rows<N>(at, rows, planes + p * out + lane, at.lanes - lane, pair);
      });
}

/// On a GPU every row, then every column, is a thread's.
template <int N, class S>
void forward_on_device(const core::Exec& exec, const PlaneLayout<S>& at, const S* planes, int count, S* spectrum) {
  constexpr int W = lane_count<S>, K = N / 2 + 1;
  const int pairs = (at.height + 1) / 2, blocks = at.padded / W;
  const std::size_t in = static_cast<std::size_t>(at.height) * at.width * at.lanes,
                    out = static_cast<std::size_t>(N) * K * 2 * at.padded;
  Kokkos::parallel_for(
      "model::spectral_forward_rows", Kokkos::RangePolicy<core::Exec>(exec, 0, static_cast<long>(count) * pairs * blocks),
      KOKKOS_LAMBDA(long i) {
        const int lane = static_cast<int>(i % blocks) * W, pair = (i / blocks) % pairs;
        const std::size_t p = i / (static_cast<long>(blocks) * pairs);
        const HalfSpectrum<S> all{spectrum + p * out + lane, at.padded};
        forward_rows<N>(at, planes + p * in + lane, at.lanes - lane, all, pair);
      });
  Kokkos::parallel_for(
      "model::spectral_forward_columns", Kokkos::RangePolicy<core::Exec>(exec, 0, static_cast<long>(count) * K * blocks),
      KOKKOS_LAMBDA(long i) {
        const int lane = static_cast<int>(i % blocks) * W, kx = (i / blocks) % K;
        const HalfSpectrum<S> all{spectrum + i / (static_cast<long>(blocks) * K) * out + lane, at.padded};
        columns<N, -1>(at.twiddle, all, all, kx, at.height, N);
      });
}

template <int N, class S>
void inverse_on_device(const core::Exec& exec, const PlaneLayout<S>& at, S* spectrum, int count, S* planes) {
  constexpr int W = lane_count<S>, K = N / 2 + 1;
  const int pairs = (at.height + 1) / 2, blocks = (at.lanes + W - 1) / W;
  const std::size_t out = static_cast<std::size_t>(at.height) * at.width * at.lanes,
                    in = static_cast<std::size_t>(N) * K * 2 * at.padded;
  Kokkos::parallel_for(
      "model::spectral_inverse_columns", Kokkos::RangePolicy<core::Exec>(exec, 0, static_cast<long>(count) * K * blocks),
      KOKKOS_LAMBDA(long i) {
        const int lane = static_cast<int>(i % blocks) * W, kx = (i / blocks) % K;
        const HalfSpectrum<S> all{spectrum + i / (static_cast<long>(blocks) * K) * in + lane, at.padded};
        columns<N, 1>(at.twiddle, all, all, kx, N, at.height);
      });
  Kokkos::parallel_for(
      "model::spectral_inverse_rows", Kokkos::RangePolicy<core::Exec>(exec, 0, static_cast<long>(count) * pairs * blocks),
      KOKKOS_LAMBDA(long i) {
        const int lane = static_cast<int>(i % blocks) * W, pair = (i / blocks) % pairs;
        const std::size_t p = i / (static_cast<long>(blocks) * pairs);
        const HalfSpectrum<S> all{spectrum + p * in + lane, at.padded};
        inverse_rows<N>(at, all, planes + p * out + lane, at.lanes - lane, pair);
      });
}

template <int N, class S>
void forward_planes(const core::Exec& exec, const PlaneLayout<S>& at, const S* planes, int count, S* spectrum) {
  if constexpr (core::detail::exec_is_host) {
    forward_on_host<N>(exec, at, planes, count, spectrum);
  } else {
    forward_on_device<N>(exec, at, planes, count, spectrum);
  }
}

template <int N, class S>
void inverse_planes(const core::Exec& exec, const PlaneLayout<S>& at, S* spectrum, int count, S* planes) {
  if constexpr (core::detail::exec_is_host) {
    inverse_on_host<N>(exec, at, spectrum, count, planes);
  } else {
    inverse_on_device<N>(exec, at, spectrum, count, planes);
  }
}

/// Calls body with N as a compile-time constant.
template <class Body>
void with_length(int n, const Body& body) {
  switch (n) {
#define AMACRINE_LENGTH(N) \
  case N:                  \
    return body(std::integral_constant<int, N>());
    AMACRINE_LENGTH(8)
    AMACRINE_LENGTH(12)
    AMACRINE_LENGTH(16)
    AMACRINE_LENGTH(20)
    AMACRINE_LENGTH(24)
    AMACRINE_LENGTH(30)
    AMACRINE_LENGTH(36)
    AMACRINE_LENGTH(40)
    AMACRINE_LENGTH(50)
    AMACRINE_LENGTH(64)
#undef AMACRINE_LENGTH
    default:
      core::fail("there is no spectral transform of length {}", n);
  }
}

int smallest_length(int size) {
  for (int n : {8, 12, 16, 20, 24, 30, 36, 40, 50, 64})
    if (n >= size) return n;
  return 0;
}

template <class S>
void forward(const core::Exec& exec, int n, const S* planes, int count, int height, int width, int lanes, S* spectrum,
             int lanes_padded) {
  const core::View1<S> table = twiddles<S>(n);
  const PlaneLayout<S> at{table.data(), height, width, lanes, lanes_padded};
  with_length(n, [&](auto length) { forward_planes<decltype(length)::value>(exec, at, planes, count, spectrum); });
}

template <class S>
void inverse(const core::Exec& exec, int n, S* spectrum, int lanes_padded, int count, S* planes, int height, int width,
             int lanes) {
  const core::View1<S> table = twiddles<S>(n);
  const PlaneLayout<S> at{table.data(), height, width, lanes, lanes_padded};
  with_length(n, [&](auto length) { inverse_planes<decltype(length)::value>(exec, at, spectrum, count, planes); });
}

template void forward<float>(const core::Exec&, int, const float*, int, int, int, int, float*, int);
template void forward<double>(const core::Exec&, int, const double*, int, int, int, int, double*, int);
template void inverse<float>(const core::Exec&, int, float*, int, int, float*, int, int, int);
template void inverse<double>(const core::Exec&, int, double*, int, int, double*, int, int, int);

}  // namespace amacrine::model::spectral
