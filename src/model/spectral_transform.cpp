// SPDX-License-Identifier: Apache-2.0
#include "spectral_transform.hpp"

#include "amacrine/core/vector.hpp"
#include "spectral_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numbers>
#include <vector>

namespace amacrine::model::spectral {

using core::lane_count;
using core::Lanes;
using core::prefetch;

namespace {

template <class S>
core::View1<S> make_twiddles(int n) {
  std::vector<S> values(2 * static_cast<std::size_t>(n));
  for (int k = 0; k < n; ++k) {
    values[2 * k] = static_cast<S>(std::cos(2 * std::numbers::pi * k / n));
    values[2 * k + 1] = static_cast<S>(std::sin(2 * std::numbers::pi * k / n));
  }
  return core::to_device("model::spectral_twiddles", values);
}

}  // namespace

template <class S>
core::View1<S> twiddles(int n) {
  static std::map<int, core::View1<S>> tables;
  if (tables.empty()) Kokkos::push_finalize_hook([] { tables.clear(); });
  auto found = tables.find(n);
  if (found == tables.end()) found = tables.emplace(n, make_twiddles<S>(n)).first;
  return found->second;
}
template core::View1<float> twiddles(int);
template core::View1<double> twiddles(int);

/// Lines of one register of lanes of a column, or of two rows of a plane, that the next transform will touch. Their strides are
/// beyond what hardware foresees.
template <bool Write, int N, class S>
void prefetch_column(const HalfSpectrum<S>& spectrum, int kx) {
  constexpr int K = N / 2 + 1;
  if (kx >= K) return;
  for (int y = 0; y < N; ++y) {
    const S* const value = spectrum.at(y, kx, K);
    prefetch<Write>(value);
    prefetch<Write>(value + spectrum.lanes);
  }
}
template <bool Write, class S>
void prefetch_rows(const PlaneLayout<S>& at, const S* plane, int pair) {
  const std::size_t width = static_cast<std::size_t>(at.width), first = 2 * static_cast<std::size_t>(pair) * width,
                    last = std::min(first + 2 * width, static_cast<std::size_t>(at.height) * width);
  for (std::size_t p = first; p < last; ++p) prefetch<Write>(plane + p * static_cast<std::size_t>(at.lanes));
}

/// One register of lanes of a plane, of which `left` lanes remain there.
template <int N, class S>
void forward_plane(const PlaneLayout<S>& at, const S* plane, int left, S* spectrum) {
  constexpr int W = lane_count<S>, K = N / 2 + 1;
  S between[N * K * 2 * W];
  const HalfSpectrum<S> rows{between, W}, all{spectrum, at.padded};
  for (int pair = 0; 2 * pair < at.height; ++pair) {
    prefetch_rows<false>(at, plane, pair + 1);
    forward_rows<N>(at, plane, left, rows, pair);
  }
  for (int kx = 0; kx < K; ++kx) {
    prefetch_column<true, N>(all, kx + 1);
    columns<N, -1>(at.twiddle, rows, all, kx, at.height, N);
  }
}

template <int N, class S>
void inverse_plane(const PlaneLayout<S>& at, S* spectrum, S* plane, int left) {
  constexpr int W = lane_count<S>, K = N / 2 + 1;
  S between[N * K * 2 * W];
  const HalfSpectrum<S> rows{between, W}, all{spectrum, at.padded};
  for (int kx = 0; kx < K; ++kx) {
    prefetch_column<false, N>(all, kx + 1);
    columns<N, 1>(at.twiddle, all, rows, kx, N, at.height);
  }
  for (int pair = 0; 2 * pair < at.height; ++pair) {
    prefetch_rows<true>(at, plane, pair + 1);
    inverse_rows<N>(at, rows, plane, left, pair);
  }
}

template <class S>
S* thread_plane(std::size_t size) {
  constexpr std::size_t line = 64;
  thread_local std::vector<S> room;
  room.resize(std::max(room.size(), size + line / sizeof(S)));
  const std::size_t past = reinterpret_cast<std::uintptr_t>(room.data()) % line;
  return room.data() + (past == 0 ? 0 : (line - past) / sizeof(S));
}

/// A host transforms one register of lanes of a plane at a time: what lies between rows and columns stays in its cache. A work
/// item is such a register, or with work on planes a whole plane.
template <int N, class S>
void forward_on_host(const core::Exec& exec, const PlaneLayout<S>& at, const S* planes, int count, S* spectrum,
                     const PlanePrologue<S>& prologue) {
  constexpr int W = lane_count<S>, K = N / 2 + 1;
  const int blocks = at.padded / W, items = prologue ? 1 : blocks, each = blocks / items;
  const std::size_t in = static_cast<std::size_t>(at.height) * at.width * at.lanes,
                    out = static_cast<std::size_t>(N) * K * 2 * at.padded;
  const PlanePrologue<S>* const from = &prologue;
  Kokkos::parallel_for(
      prologue ? prologue.label : "model::spectral_forward", long_items(exec, static_cast<std::size_t>(count * items)),
      KOKKOS_LAMBDA(long i) {
        const std::size_t p = static_cast<std::size_t>(i / items);
        const S* plane = planes + p * in;
        if (*from) {
          S* const written = thread_plane<S>(in);
          from->write(p, written);
          plane = written;
        }
        const int begin = static_cast<int>(i % items) * each;
        for (int block = begin; block < begin + each; ++block)
          forward_plane<N>(at, plane + block * W, at.lanes - block * W, spectrum + p * out + block * W);
      });
}

template <int N, class S>
void inverse_on_host(const core::Exec& exec, const PlaneLayout<S>& at, S* spectrum, int count, S* planes,
                     const PlaneEpilogue& epilogue) {
  constexpr int W = lane_count<S>, K = N / 2 + 1;
  const int blocks = (at.lanes + W - 1) / W, items = epilogue ? 1 : blocks, each = blocks / items;
  const std::size_t out = static_cast<std::size_t>(at.height) * at.width * at.lanes,
                    in = static_cast<std::size_t>(N) * K * 2 * at.padded;
  const PlaneEpilogue* const work = &epilogue;
  Kokkos::parallel_for(
      epilogue ? epilogue.label : "model::spectral_inverse", long_items(exec, static_cast<std::size_t>(count * items)),
      KOKKOS_LAMBDA(long i) {
        const std::size_t p = static_cast<std::size_t>(i / items);
        const int begin = static_cast<int>(i % items) * each;
        for (int block = begin; block < begin + each; ++block)
          inverse_plane<N>(at, spectrum + p * in + block * W, planes + p * out + block * W, at.lanes - block * W);
        if (*work) work->run(p);
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
void forward_planes(const core::Exec& exec, const PlaneLayout<S>& at, const S* planes, int count, S* spectrum,
                    const PlanePrologue<S>& prologue) {
  if constexpr (planes_fuse) {
    forward_on_host<N>(exec, at, planes, count, spectrum, prologue);
  } else {
    core::require(!prologue, "a GPU's transforms have no prologue or epilogue");
    forward_on_device<N>(exec, at, planes, count, spectrum);
  }
}

template <int N, class S>
void inverse_planes(const core::Exec& exec, const PlaneLayout<S>& at, S* spectrum, int count, S* planes,
                    const PlaneEpilogue& epilogue) {
  if constexpr (planes_fuse) {
    inverse_on_host<N>(exec, at, spectrum, count, planes, epilogue);
  } else {
    core::require(!epilogue, "a GPU's transforms have no prologue or epilogue");
    inverse_on_device<N>(exec, at, spectrum, count, planes);
  }
}

int smallest_length(int size) {
  for (int n : {8, 12, 16, 20, 24, 30, 36, 40, 50, 64})
    if (n >= size) return n;
  return 0;
}

/// body(N) on hosts, where such transforms are compiled.
template <class Body>
void on_host_with_length(int n, const Body& body) {
  if constexpr (planes_fuse) {
    with_length(n, body);
  } else {
    core::fail("a GPU's planes are not transformed by a host's thread");
  }
}

template <class S>
void forward_here(int n, const PlaneLayout<S>& at, const S* plane, S* spectrum) {
  on_host_with_length(n, [&](auto length) {
    for (int lane = 0; lane < at.padded; lane += lane_count<S>)
      forward_plane<decltype(length)::value>(at, plane + lane, at.lanes - lane, spectrum + lane);
  });
}

template <class S>
void forward_lanes_here(int n, const PlaneLayout<S>& at, const S* plane, int left, S* spectrum) {
  on_host_with_length(n, [&](auto length) { forward_plane<decltype(length)::value>(at, plane, left, spectrum); });
}

template <class S>
void inverse_here(int n, const PlaneLayout<S>& at, S* spectrum, S* plane) {
  on_host_with_length(n, [&](auto length) {
    for (int lane = 0; lane < at.lanes; lane += lane_count<S>)
      inverse_plane<decltype(length)::value>(at, spectrum + lane, plane + lane, at.lanes - lane);
  });
}

template <class S>
void forward(const core::Exec& exec, int n, const S* planes, int count, int height, int width, int lanes, S* spectrum,
             int lanes_padded, const PlanePrologue<S>& prologue) {
  const core::View1<S> table = twiddles<S>(n);
  const PlaneLayout<S> at{table.data(), height, width, lanes, lanes_padded};
  with_length(n, [&](auto length) { forward_planes<decltype(length)::value>(exec, at, planes, count, spectrum, prologue); });
}

template <class S>
void inverse(const core::Exec& exec, int n, S* spectrum, int lanes_padded, int count, S* planes, int height, int width, int lanes,
             const PlaneEpilogue& epilogue) {
  const core::View1<S> table = twiddles<S>(n);
  const PlaneLayout<S> at{table.data(), height, width, lanes, lanes_padded};
  with_length(n, [&](auto length) { inverse_planes<decltype(length)::value>(exec, at, spectrum, count, planes, epilogue); });
}

template void forward<float>(const core::Exec&, int, const float*, int, int, int, int, float*, int, const PlanePrologue<float>&);
template void forward<double>(const core::Exec&, int, const double*, int, int, int, int, double*, int,
                              const PlanePrologue<double>&);
template void inverse<float>(const core::Exec&, int, float*, int, int, float*, int, int, int, const PlaneEpilogue&);
template void inverse<double>(const core::Exec&, int, double*, int, int, double*, int, int, int, const PlaneEpilogue&);

template void forward_here(int, const PlaneLayout<float>&, const float*, float*);
template void forward_here(int, const PlaneLayout<double>&, const double*, double*);
template void forward_lanes_here(int, const PlaneLayout<float>&, const float*, int, float*);
template void forward_lanes_here(int, const PlaneLayout<double>&, const double*, int, double*);
template void inverse_here(int, const PlaneLayout<float>&, float*, float*);
template void inverse_here(int, const PlaneLayout<double>&, double*, double*);
template float* thread_plane(std::size_t);
template double* thread_plane(std::size_t);

}  // namespace amacrine::model::spectral
