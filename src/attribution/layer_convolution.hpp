// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/model/kernels.hpp"
#include "amacrine/model/spectral.hpp"

#include <map>
#include <utility>

namespace amacrine::attribution {

/// A later layer's convolution and its transpose, in the frequency domain where that pays. Lanes are path nodes.
template <class S>
class LayerConvolution {
 public:
  /// height, width: of the layer's input. kernel (C, D, KY, KX).
  LayerConvolution(const core::View4<S>& kernel, int height, int width)
      : kernel_(kernel),
        height_(height),
        width_(width),
        spectral_(model::spectral_possible(height, width) &&
                  model::spectral_pays(height, width, extent(2), extent(3), kernel.extent(0))) {}

  /// in (G, D, Y, X, B) -> out (G, C, OY, OX, B).
  void forward(const core::Exec& exec, const core::View5<S>& in, const core::View5<S>& out) {
    if (spectral_) {
      engine(exec, in).forward(exec, in, out);
    } else {
      model::conv_forward(exec, in, kernel_, out);
    }
  }
  /// d_out (G, C, OY, OX, B) -> d_in (G, D, Y, X, B).
  void backward(const core::Exec& exec, const core::View5<S>& d_out, const core::View5<S>& d_in) {
    if (spectral_) {
      engine(exec, d_in).backward(exec, d_out, d_in, core::View5<S>());
    } else {
      model::conv_input_gradient(exec, d_out, kernel_, d_in);
    }
  }

 private:
  static constexpr std::size_t most_engines = 6;

  int extent(int axis) const { return static_cast<int>(kernel_.extent(static_cast<std::size_t>(axis))); }

  /// The transforms for this many segments and lanes, with their workspace.
  model::SpectralConv<S>& engine(const core::Exec& exec, const core::View5<S>& in) {
    const std::pair<std::size_t, std::size_t> size{in.extent(0), in.extent(4)};
    const auto found = engines_.find(size);
    if (found != engines_.end()) return found->second;
    if (engines_.size() >= most_engines) engines_.clear();
    auto& made = engines_[size];
    made = model::SpectralConv<S>(size.first, kernel_.extent(1), kernel_.extent(0), kernel_.extent(2), kernel_.extent(3),
                                  static_cast<std::size_t>(height_), static_cast<std::size_t>(width_), size.second);
    made.set_kernel(exec, kernel_);
    return made;
  }

  core::View4<S> kernel_;
  int height_, width_;
  bool spectral_;
  std::map<std::pair<std::size_t, std::size_t>, model::SpectralConv<S>> engines_;
};

}  // namespace amacrine::attribution
