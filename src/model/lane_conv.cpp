// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/lane_conv.hpp"

#include "amacrine/core/numbers.hpp"
#include "amacrine/model/spectral.hpp"
#include "spectral_rows.hpp"
#include "spectral_transform.hpp"

#include <algorithm>

namespace amacrine::model {

using core::View1;
using core::View4;
using spectral::Complex;
using spectral::HalfSpectrum;
using spectral::PlaneLayout;

namespace {

/// Sizes of a plane's rows in the working memory of a thread, for transforms of length N.
template <int N, class S>
struct LaneSizes {
  static constexpr int W = core::lane_count<S>, K = N / 2 + 1;
  static constexpr std::size_t row = static_cast<std::size_t>(K) * 2 * W;     ///< a row's half spectrum
  static constexpr std::size_t plane = static_cast<std::size_t>(N) * row;     ///< a map's
  static constexpr std::size_t column = static_cast<std::size_t>(N) * 2 * W;  ///< one column of a map
  static constexpr std::size_t pixels = 2 * static_cast<std::size_t>(N) * W;  ///< two rows of a map
};

/// Rows of a map, two at a time, into its half spectrum along x.
template <int N, class S>
void rows_in(const S* twiddle, const typename LaneConv<S>::Fill& fill, int channel, int height, int width, S* plane, S* pixels) {
  constexpr int W = core::lane_count<S>;
  for (int y = 0; y < height; y += 2) {
    const int rows = std::min(2, height - y);
    for (int r = 0; r < rows; ++r) fill(channel, y + r, pixels + static_cast<std::size_t>(r * width) * W);
    const PlaneLayout<S> at{twiddle, rows, width, W, W};
    spectral::forward_rows<N>(at, pixels, W, HalfSpectrum<S>{plane + static_cast<std::size_t>(y) * LaneSizes<N, S>::row, W}, 0);
  }
}

template <int N, class S, class Take>
void rows_out(const S* twiddle, S* plane, int height, int width, S* pixels, const Take& take) {
  constexpr int W = core::lane_count<S>;
  for (int y = 0; y < height; y += 2) {
    const int rows = std::min(2, height - y);
    const PlaneLayout<S> at{twiddle, rows, width, W, W};
    spectral::inverse_rows<N>(at, HalfSpectrum<S>{plane + static_cast<std::size_t>(y) * LaneSizes<N, S>::row, W}, pixels, W, 0);
    for (int r = 0; r < rows; ++r) take(y + r, pixels + static_cast<std::size_t>(r * width) * W);
  }
}

/// Transforms a column of N complex registers, of which load(y) gives those of the rows and zeros beyond; the first `count_out`
/// go to `to`, `to_step` apart.
template <int N, int Sign, class S, class Load>
void lane_column(const S* twiddle, const Load& load, S* to, std::size_t to_step, int count_out) {
  constexpr int W = core::lane_count<S>;
  Complex<core::Lanes<S>> between[N];
  const auto store = [&](int y, const Complex<core::Lanes<S>>& z) {
    if (y >= count_out) return;
    S* const value = to + static_cast<std::size_t>(y) * to_step;
    core::store_lanes<S>(z.re, value);
    core::store_lanes<S>(z.im, value + W);
  };
  spectral::transform<N, Sign>(load, between, store, twiddle);
}

/// `count` complex registers, `step` apart.
template <class S>
auto column_from(const S* from, std::size_t step, int count) {
  return [=](int y) {
    using V = core::Lanes<S>;
    if (y >= count) return Complex<V>{V(S(0)), V(S(0))};
    const S* const value = from + static_cast<std::size_t>(y) * step;
    return Complex<V>{core::load_lanes(value), core::load_lanes(value + core::lane_count<S>)};
  };
}

/// a += w s, or conj(w) s; minus = -im or -re, so that one multiply-add takes each weight from memory.
template <bool Conjugate, class V, class S>
void add_product(Complex<V>& a, const S* w, const V& re, const V& im, const V& minus) {
  const V wr(w[0]), wi(w[1]);
  if constexpr (Conjugate) {
    a.re = Kokkos::fma(wi, im, Kokkos::fma(wr, re, a.re));
    a.im = Kokkos::fma(wi, minus, Kokkos::fma(wr, im, a.im));
  } else {
    a.re = Kokkos::fma(wi, minus, Kokkos::fma(wr, re, a.re));
    a.im = Kokkos::fma(wi, re, Kokkos::fma(wr, im, a.im));
  }
}

/// out(r) = sum_c w(r, c) in(c) for R rows at one frequency; `stride` between channels, steps of w in complex numbers.
template <int R, bool Conjugate, class S>
void mix_lanes(const S* in, std::size_t stride, int columns, const S* w, int row_step, int column_step, S* out) {
  using V = core::Lanes<S>;
  constexpr int W = core::lane_count<S>;
  Complex<V> sum[R];
  core::for_each_index<R>([&](auto r) { sum[r] = {V(S(0)), V(S(0))}; });
  for (int c = 0; c < columns; ++c) {
    const V re = core::load_lanes(in + static_cast<std::size_t>(c) * stride),
            im = core::load_lanes(in + static_cast<std::size_t>(c) * stride + W), minus = Conjugate ? -re : -im;
    core::for_each_index<R>(
        [&](auto r) { add_product<Conjugate>(sum[r], w + 2 * (r * row_step + c * column_step), re, im, minus); });
  }
  core::for_each_index<R>([&](auto r) {
    core::store_lanes<S>(sum[r].re, out + static_cast<std::size_t>(r) * stride);
    core::store_lanes<S>(sum[r].im, out + static_cast<std::size_t>(r) * stride + W);
  });
}

template <bool Conjugate, class S>
void mix_all(const S* in, std::size_t stride, int rows, int columns, const S* w, int row_step, int column_step, S* out) {
  int r = 0;
  for (; r + 8 <= rows; r += 8)
    mix_lanes<8, Conjugate>(in, stride, columns, w + 2 * r * row_step, row_step, column_step,
                            out + static_cast<std::size_t>(r) * stride);
  for (; r < rows; ++r)
    mix_lanes<1, Conjugate>(in, stride, columns, w + 2 * r * row_step, row_step, column_step,
                            out + static_cast<std::size_t>(r) * stride);
}

/// What a convolution and its transpose share: maps in, maps out, and the matrix between them at every frequency.
template <class S>
struct LanePass {
  const S *twiddle, *kernel;
  int in_channels, in_height, in_width, out_channels, out_height, out_width;
  int pairs, row_step, column_step;  ///< of the kernel: per frequency, from output to output, from input to input
};

/// Rows of all inputs, then column by column down, mixed and up again in place, then rows of all outputs.
template <int N, bool Conjugate, class S>
void run_pass(const LanePass<S>& pass, const typename LaneConv<S>::Fill& fill, const typename LaneConv<S>::Take& take,
              S* scratch) {
  using Z = LaneSizes<N, S>;
  const int most = std::max(pass.in_channels, pass.out_channels);
  S *const planes = scratch, *const down = planes + static_cast<std::size_t>(most) * Z::plane,
           *const mixed = down + static_cast<std::size_t>(most) * Z::column,
           *const pixels = mixed + static_cast<std::size_t>(most) * Z::column;
  for (int c = 0; c < pass.in_channels; ++c)
    rows_in<N, S>(pass.twiddle, fill, c, pass.in_height, pass.in_width, planes + static_cast<std::size_t>(c) * Z::plane, pixels);
  for (int kx = 0; kx < Z::K; ++kx) {
    const std::size_t at = static_cast<std::size_t>(kx) * 2 * Z::W;
    for (int c = 0; c < pass.in_channels; ++c)
      lane_column<N, -1>(pass.twiddle,
                         column_from<S>(planes + static_cast<std::size_t>(c) * Z::plane + at, Z::row, pass.in_height),
                         down + static_cast<std::size_t>(c) * Z::column, 2 * Z::W, N);
    for (int y = 0; y < N; ++y)
      mix_all<Conjugate>(down + static_cast<std::size_t>(y) * 2 * Z::W, Z::column, pass.out_channels, pass.in_channels,
                         pass.kernel + static_cast<std::size_t>((kx * N + y) * pass.pairs) * 2, pass.row_step, pass.column_step,
                         mixed + static_cast<std::size_t>(y) * 2 * Z::W);
    for (int c = 0; c < pass.out_channels; ++c)
      lane_column<N, 1>(pass.twiddle, column_from<S>(mixed + static_cast<std::size_t>(c) * Z::column, 2 * Z::W, N),
                        planes + static_cast<std::size_t>(c) * Z::plane + at, Z::row, pass.out_height);
  }
  for (int c = 0; c < pass.out_channels; ++c)
    rows_out<N, S>(pass.twiddle, planes + static_cast<std::size_t>(c) * Z::plane, pass.out_height, pass.out_width, pixels,
                   [&](int y, const S* row) { take(c, y, row); });
}

/// One input's spectrum at a time; every output from it alone.
template <int N, class S>
void run_pairs(const LanePass<S>& pass, const typename LaneConv<S>::Fill& fill, const typename LaneConv<S>::TakePair& take,
               S* scratch) {
  using Z = LaneSizes<N, S>;
  using V = core::Lanes<S>;
  S *const rows = scratch, *const spectrum = rows + Z::plane, *const out = spectrum + Z::plane, *const pixels = out + Z::plane;
  for (int d = 0; d < pass.in_channels; ++d) {
    rows_in<N, S>(pass.twiddle, fill, d, pass.in_height, pass.in_width, rows, pixels);
    for (int kx = 0; kx < Z::K; ++kx)
      lane_column<N, -1>(pass.twiddle, column_from<S>(rows + static_cast<std::size_t>(kx) * 2 * Z::W, Z::row, pass.in_height),
                         spectrum + static_cast<std::size_t>(kx) * Z::column, 2 * Z::W, N);
    for (int c = 0; c < pass.out_channels; ++c) {
      for (int kx = 0; kx < Z::K; ++kx) {
        const auto column = column_from<S>(spectrum + static_cast<std::size_t>(kx) * Z::column, 2 * Z::W, N);
        const S* const w = pass.kernel + static_cast<std::size_t>(kx * N * pass.pairs + c * pass.row_step + d) * 2;
        const auto mixed = [&](int y) {
          const Complex<V> value = column(y);
          Complex<V> product{V(S(0)), V(S(0))};
          add_product<true>(product, w + static_cast<std::size_t>(y * pass.pairs) * 2, value.re, value.im, -value.re);
          return product;
        };
        lane_column<N, 1>(pass.twiddle, mixed, out + static_cast<std::size_t>(kx) * 2 * Z::W, Z::row, pass.out_height);
      }
      rows_out<N, S>(pass.twiddle, out, pass.out_height, pass.out_width, pixels,
                     [&](int y, const S* row) { take(d, c, y, row); });
    }
  }
}

/// Values a thread lends to a pass over at most `channels` maps, or to pairs of maps.
template <class S>
std::size_t lane_scratch(std::size_t n, std::size_t channels) {
  const std::size_t w = static_cast<std::size_t>(core::lane_count<S>), plane = n * (n / 2 + 1) * 2 * w, column = n * 2 * w;
  return std::max<std::size_t>(channels, 3) * (plane + 2 * column) + 2 * n * w;
}

}  // namespace

template <class S>
bool LaneConv<S>::pays(int height, int width, int kernel_y, int kernel_x, std::size_t channels) {
  return core::detail::exec_is_host && lanes >= 4 && spectral_possible(height, width) &&
         spectral_pays(height, width, kernel_y, kernel_x, channels);
}

template <class S>
LaneConv<S>::LaneConv(const core::Exec& exec, const View4<S>& kernel, int height, int width)
    : n_(spectral::smallest_length(std::max(height, width))),
      in_channels_(static_cast<int>(kernel.extent(1))),
      out_channels_(static_cast<int>(kernel.extent(0))),
      kernel_y_(static_cast<int>(kernel.extent(2))),
      kernel_x_(static_cast<int>(kernel.extent(3))),
      height_(height),
      width_(width),
      twiddles_(spectral::twiddles<S>(n_)) {
  const std::size_t pairs = kernel.extent(0) * kernel.extent(1), area = kernel.extent(2) * kernel.extent(3);
  const int padded = core::padded_to_lanes(static_cast<int>(pairs), lanes);
  const std::vector<S> taps = core::to_host(kernel);
  std::vector<S> planes(pairs * area);
  for (std::size_t i = 0; i < planes.size(); ++i) planes[i] = taps[i % pairs * area + i / pairs];
  const View1<S> packed = core::to_device("model::lane_taps", planes);
  const View1<S> spectra(core::uninitialised("model::lane_spectra"),
                         spectral::frequencies(n_) * 2 * static_cast<std::size_t>(padded));
  spectral::forward(exec, n_, static_cast<const S*>(packed.data()), 1, kernel_y_, kernel_x_, static_cast<int>(pairs),
                    spectra.data(), padded);
  exec.fence("model::lane_conv");
  const std::vector<S> found = core::to_host(spectra);
  std::vector<S> ordered(spectral::frequencies(n_) * pairs * 2);
  const auto n = static_cast<std::size_t>(n_), half = n / 2 + 1, p = static_cast<std::size_t>(padded);
  for (std::size_t y = 0; y < n; ++y)
    for (std::size_t kx = 0; kx < half; ++kx)
      for (std::size_t i = 0; i < 2 * pairs; ++i)
        ordered[(kx * n + y) * pairs * 2 + i] = found[((y * half + kx) * 2 + i % 2) * p + i / 2];
  kernel_spectra_ = core::to_device("model::lane_kernel", ordered);
}

template <class S>
double LaneConv<S>::multiply_adds(int height, int width, std::size_t in_channels, std::size_t out_channels) {
  const int n = spectral::smallest_length(std::max(height, width));
  const auto maps = static_cast<double>(in_channels + out_channels), pairs = static_cast<double>(in_channels * out_channels);
  return 15 * maps * n * n + 4 * pairs * static_cast<double>(spectral::frequencies(n));
}

template <class S>
double LaneConv<S>::bytes(int height, int width, std::size_t in_channels, std::size_t out_channels, std::size_t threads) {
  const int n = spectral::smallest_length(std::max(height, width));
  const std::size_t spectra = spectral::frequencies(n) * 2 * in_channels * out_channels,
                    lent = lane_scratch<S>(static_cast<std::size_t>(n), std::max(in_channels, out_channels));
  return sizeof(S) * static_cast<double>(spectra + threads * lent);
}

template <class S>
std::size_t LaneConv<S>::scratch() const {
  return lane_scratch<S>(core::as_size(n_), core::as_size(std::max(in_channels_, out_channels_)));
}

template <class S>
void LaneConv<S>::forward(const Fill& in, const Take& out, S* scratch) const {
  const LanePass<S> pass{
      twiddles_.data(),       kernel_spectra_.data(),       in_channels_, height_, width_, out_channels_, height_ - kernel_y_ + 1,
      width_ - kernel_x_ + 1, in_channels_ * out_channels_, in_channels_, 1};
  spectral::with_length(n_, [&](auto length) { run_pass<decltype(length)::value, true>(pass, in, out, scratch); });
}

template <class S>
void LaneConv<S>::backward(const Fill& d_out, const Take& d_in, S* scratch) const {
  const LanePass<S> pass{twiddles_.data(),
                         kernel_spectra_.data(),
                         out_channels_,
                         height_ - kernel_y_ + 1,
                         width_ - kernel_x_ + 1,
                         in_channels_,
                         height_,
                         width_,
                         in_channels_ * out_channels_,
                         1,
                         in_channels_};
  spectral::with_length(n_, [&](auto length) { run_pass<decltype(length)::value, false>(pass, d_out, d_in, scratch); });
}

template <class S>
void LaneConv<S>::by_channel(const Fill& in, const TakePair& out, S* scratch) const {
  const LanePass<S> pass{
      twiddles_.data(),       kernel_spectra_.data(),       in_channels_, height_, width_, out_channels_, height_ - kernel_y_ + 1,
      width_ - kernel_x_ + 1, in_channels_ * out_channels_, in_channels_, 1};
  spectral::with_length(n_, [&](auto length) { run_pairs<decltype(length)::value>(pass, in, out, scratch); });
}

template class LaneConv<float>;
template class LaneConv<double>;

}  // namespace amacrine::model
