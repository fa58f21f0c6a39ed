// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/core/lanes.hpp"
#include "amacrine/core/numbers.hpp"
#include "amacrine/model/spectral.hpp"
#include "spectral_multiply.hpp"
#include "spectral_transform.hpp"
#include "spectral_workspace.hpp"

#include <algorithm>
#include <utility>

namespace amacrine::model {

using core::Exec;
using core::lane_count;
using core::padded_to_lanes;
using core::View1;
using core::View4;
using core::View5;

PlaneEpilogue from_plane(PlaneEpilogue epilogue, std::size_t first) {
  if (!epilogue) return epilogue;
  return {epilogue.label, [all = std::move(epilogue.run), first](std::size_t plane) { all(first + plane); }};
}

template <class S>
PlanePrologue<S> from_plane(PlanePrologue<S> prologue, std::size_t first) {
  if (!prologue) return prologue;
  return {prologue.label, [all = std::move(prologue.write), first](std::size_t plane, S* values) { all(first + plane, values); }};
}
template PlanePrologue<float> from_plane(PlanePrologue<float>, std::size_t);
template PlanePrologue<double> from_plane(PlanePrologue<double>, std::size_t);

bool spectral_possible(int height, int width) { return spectral::smallest_length(std::max(height, width)) > 0; }

bool spectral_pays(int height, int width, int kernel_y, int kernel_x, std::size_t channels) {
  const int n = spectral::smallest_length(std::max(height, width));
  if (n == 0 || channels < 2) return false;
  const double direct = double(kernel_y) * kernel_x * (height - kernel_y + 1) * (width - kernel_x + 1);
  return direct > 40.0 * static_cast<double>(spectral::frequencies(n));
}

/// Values of the workspaces, and the lanes of their spectra.
template <class S>
struct SpectralConv<S>::Sizes {
  int n, lanes, pair_lanes, chunk;
  std::size_t in, kernel, out, mixed, pairs, packed;

  Sizes(std::size_t segments, std::size_t in_channels, std::size_t out_channels, std::size_t kernel_area, std::size_t side,
        std::size_t windows, SpectralUse use) {
    const int w = lane_count<S>;
    n = spectral::smallest_length(spectral::as_int(side));
    lanes = padded_to_lanes(spectral::as_int(windows), w);
    pair_lanes = padded_to_lanes(spectral::as_int(in_channels * out_channels), w);
    chunk = spectral::chunk_size(segments);
    const bool gradients = use == SpectralUse::gradients;
    const std::size_t pair = spectral::frequencies(n) * 2, maps = pair * static_cast<std::size_t>(lanes),
                      together = static_cast<std::size_t>(chunk);
    in = (gradients ? segments : together) * in_channels * maps;
    kernel = pair * static_cast<std::size_t>(pair_lanes);
    out = together * out_channels * maps;
    mixed = gradients ? together * in_channels * maps : 0;
    pairs = gradients ? together * pair * static_cast<std::size_t>(pair_lanes) : 0;
    packed = (gradients ? together : 1) * in_channels * out_channels * kernel_area;
  }
};

template <class S>
SpectralConv<S>::SpectralConv(std::size_t segments, std::size_t in_channels, std::size_t out_channels, std::size_t kernel_y,
                              std::size_t kernel_x, std::size_t height, std::size_t width, std::size_t windows, SpectralUse use)
    : use_(use),
      segments_(spectral::as_int(segments)),
      in_channels_(spectral::as_int(in_channels)),
      out_channels_(spectral::as_int(out_channels)),
      kernel_y_(spectral::as_int(kernel_y)),
      kernel_x_(spectral::as_int(kernel_x)),
      height_(spectral::as_int(height)),
      width_(spectral::as_int(width)),
      windows_(spectral::as_int(windows)) {
  const Sizes sizes(segments, in_channels, out_channels, kernel_y * kernel_x, std::max(height, width), windows, use);
  n_ = sizes.n, lanes_ = sizes.lanes, pair_lanes_ = sizes.pair_lanes, chunk_ = sizes.chunk;
  in_spectra_ = spectral::zeros<S>("in", sizes.in);
  kernel_spectra_ = spectral::zeros<S>("kernel", sizes.kernel);
  out_spectra_ = spectral::zeros<S>("out", sizes.out);
  mixed_ = spectral::zeros<S>("mixed", sizes.mixed);
  pairs_ = spectral::zeros<S>("pairs", sizes.pairs);
  packed_ = spectral::zeros<S>("packed", sizes.packed);
}

template <class S>
void SpectralConv<S>::set_kernel(const Exec& exec, const View4<S>& kernel) {
  // The kernel as one plane whose lanes are channel pairs: (1, KY, KX, C * D).
  const View4<S> pairs(kernel.data(), 1, core::as_size(in_channels_ * out_channels_), static_cast<std::size_t>(kernel_y_),
                       static_cast<std::size_t>(kernel_x_));
  spectral::pack_lags(exec, spectral::LagLanes(pairs.extent(1)), pairs, packed_.data());
  spectral::forward(exec, n_, static_cast<const S*>(packed_.data()), 1, kernel_y_, kernel_x_, in_channels_ * out_channels_,
                    kernel_spectra_.data(), pair_lanes_);
}

template <class S>
void SpectralConv<S>::forward(const Exec& exec, const View5<S>& in, const View5<S>& out, const PlanePrologue<S>& prologue,
                              const PlaneEpilogue& epilogue) {
  const std::size_t f = spectral::frequencies(n_), maps = f * 2 * static_cast<std::size_t>(lanes_);
  for (int g = 0; g < segments_; g += chunk_) {
    const int count = std::min(chunk_, segments_ - g);
    const std::size_t first = static_cast<std::size_t>(g);
    S* spectra =
        in_spectra_.data() + (use_ == SpectralUse::gradients ? first * static_cast<std::size_t>(in_channels_) * maps : 0);
    spectral::forward(exec, n_, spectral::planes_of(in, first), count * in_channels_, height_, width_, windows_, spectra, lanes_,
                      from_plane(prologue, first * static_cast<std::size_t>(in_channels_)));
    spectral::mix_channels(exec, f, count, in_channels_, out_channels_, lanes_, static_cast<const S*>(spectra),
                           static_cast<const S*>(kernel_spectra_.data()), pair_lanes_, out_spectra_.data());
    spectral::inverse(exec, n_, out_spectra_.data(), lanes_, count * out_channels_, out.data() + first * out.stride(0),
                      height_ - kernel_y_ + 1, width_ - kernel_x_ + 1, windows_,
                      from_plane(epilogue, first * static_cast<std::size_t>(out_channels_)));
  }
}

template <class S>
void SpectralConv<S>::backward(const Exec& exec, const View5<S>& d_out, const View5<S>& d_in, const View5<S>& d_kernel,
                               const PlanePrologue<S>& prologue, const PlaneEpilogue& epilogue) {
  core::require(use_ == SpectralUse::gradients, "an engine made for forward passes has no gradients");
  const std::size_t f = spectral::frequencies(n_), maps = f * 2 * static_cast<std::size_t>(lanes_);
  const std::size_t area = core::as_size(kernel_y_ * kernel_x_), pairs = core::as_size(in_channels_ * out_channels_);
  for (int g = 0; g < segments_; g += chunk_) {
    const int count = std::min(chunk_, segments_ - g);
    const std::size_t first = static_cast<std::size_t>(g);
    spectral::forward(exec, n_, spectral::planes_of(d_out, first), count * out_channels_, height_ - kernel_y_ + 1,
                      width_ - kernel_x_ + 1, windows_, out_spectra_.data(), lanes_,
                      from_plane(prologue, first * static_cast<std::size_t>(out_channels_)));
    if (d_in.size() > 0) {
      spectral::mix_channels_back(exec, f, count, in_channels_, out_channels_, lanes_, static_cast<const S*>(out_spectra_.data()),
                                  static_cast<const S*>(kernel_spectra_.data()), pair_lanes_, mixed_.data());
      spectral::inverse(exec, n_, mixed_.data(), lanes_, count * in_channels_, d_in.data() + first * d_in.stride(0), height_,
                        width_, windows_, from_plane(epilogue, first * static_cast<std::size_t>(in_channels_)));
    }
    if (d_kernel.size() == 0) continue;
    spectral::pair_channels(exec, f, count, in_channels_, out_channels_, windows_, lanes_,
                            static_cast<const S*>(in_spectra_.data() + first * static_cast<std::size_t>(in_channels_) * maps),
                            static_cast<const S*>(out_spectra_.data()), pairs_.data(), pair_lanes_);
    spectral::inverse(exec, n_, pairs_.data(), pair_lanes_, count, packed_.data(), kernel_y_, kernel_x_, spectral::as_int(pairs));
    spectral::unpack_lags(exec, spectral::LagLanes(pairs), static_cast<const S*>(packed_.data()),
                          d_kernel.data() + first * d_kernel.stride(0), static_cast<std::size_t>(count), area);
  }
}

template <class S>
double SpectralConv<S>::bytes(std::size_t segments, std::size_t in_channels, std::size_t out_channels, std::size_t kernel_y,
                              std::size_t kernel_x, std::size_t height, std::size_t width, std::size_t windows, SpectralUse use) {
  const Sizes n(segments, in_channels, out_channels, kernel_y * kernel_x, std::max(height, width), windows, use);
  return static_cast<double>(sizeof(S)) * static_cast<double>(n.in + n.kernel + n.out + n.mixed + n.pairs + n.packed);
}

template class SpectralConv<float>;
template class SpectralConv<double>;

}  // namespace amacrine::model
