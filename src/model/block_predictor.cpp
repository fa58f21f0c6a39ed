// SPDX-License-Identifier: Apache-2.0
#include "block_predictor.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/numbers.hpp"
#include "amacrine/model/kernels.hpp"

#include <algorithm>

namespace amacrine::model {

using core::as_size;

namespace {

using HostRange = Kokkos::RangePolicy<core::HostExec>;

/// Contrast (F, pixels) -> normalised (pixels, F), a strip of pixels per task.
template <class S>
void normalise(const recording::Normalisation& norm, const std::vector<float>& contrast, std::size_t pixels, S* frames) {
  constexpr std::size_t strip = 16;
  const std::size_t F = contrast.size() / pixels;
  const bool scalar = norm.mean.size() == 1;
  const float* from = contrast.data();
  const double *mean = norm.mean.data(), *scale = norm.scale.data();
  Kokkos::parallel_for("model::normalise", HostRange(0, (pixels + strip - 1) / strip), [=](std::size_t n) {
    const std::size_t begin = n * strip, end = std::min(pixels, begin + strip);
    for (std::size_t f = 0; f < F; ++f) {
      for (std::size_t p = begin; p < end; ++p) {
        const std::size_t k = scalar ? 0 : p;
        frames[p * F + f] = static_cast<S>((static_cast<double>(from[f * pixels + p]) - mean[k]) / scale[k]);
      }
    }
  });
}

}  // namespace

template <class S>
core::View4<S> frames_of(const core::Exec& exec, const InferenceNetwork<S>& network, const FrameSource& source, std::size_t first,
                         std::size_t windows, std::size_t end) {
  const Architecture& a = network.architecture;
  const recording::Normalisation& norm = network.normalisation;
  const std::size_t Y = as_size(a.height), X = as_size(a.width), T = as_size(a.history), F = windows + T - 1;
  core::require(norm.mean.size() == norm.scale.size() && (norm.mean.size() == 1 || norm.mean.size() == Y * X),
                "the model's normalisation holds {} means and {} scales for frames of {} x {} pixels", norm.mean.size(),
                norm.scale.size(), Y, X);
  std::vector<float> contrast(F * Y * X, 0.0F);
  const std::size_t before = T - 1 + as_size(network.minimum_lag);  // frames of history before `first`
  for (std::size_t f = 0; f < F; ++f) {
    if (first + f >= before && first + f - before < end) source(first + f - before, contrast.data() + f * Y * X);
  }
  core::View4<S> frames(core::uninitialised("model::frames"), 1, Y, X, F);
  const auto host = Kokkos::create_mirror_view(frames);
  normalise(norm, contrast, Y * X, host.data());
  Kokkos::deep_copy(exec, frames, host);
  exec.fence("model::frames_of");
  return frames;
}

template <class S>
BlockPredictor<S>::BlockPredictor(const InferenceNetwork<S>& network, std::size_t windows)
    : network_(network), windows_(windows), z_(make_first_layer(network, 1, windows)) {
  const Architecture& a = network.architecture;
  state_.drive = core::View3<S>("model::drive", network.readout.extent(0), 1, windows);
  state_.rate = core::View3<S>("model::rate", network.readout.extent(0), 1, windows);
  for (int l = 0; l < a.layers(); ++l) {
    const core::View4<S>& kernel = network.hidden[as_size(l)].kernel;
    const int Y = a.out_y(l - 1), X = a.out_x(l - 1);
    const std::size_t C = kernel.extent(0), D = kernel.extent(1), KY = kernel.extent(2), KX = kernel.extent(3);
    const bool pays = spectral_possible(Y, X) && spectral_pays(Y, X, static_cast<int>(KY), static_cast<int>(KX), C);
    state_.h.push_back(l == 0 ? z_ : core::View5<S>("model::h", 1, C, as_size(a.out_y(l)), as_size(a.out_x(l)), windows));
    if (l == 0) {
      first_spectral_ = pays;
      if (pays) first_ = SpectralTemporalConv<S>(1, C, D, KY, KX, as_size(Y), as_size(X), windows, SpectralUse::forward);
      if (pays) first_.set_kernel(exec_, kernel);
    }
    later_spectral_.push_back(l > 0 && pays);
    later_.emplace_back();
    if (l > 0 && pays) {
      later_.back() = SpectralConv<S>(1, D, C, KY, KX, as_size(Y), as_size(X), windows, SpectralUse::forward);
      later_.back().set_kernel(exec_, kernel);
    }
  }
}

template <class S>
void BlockPredictor<S>::forward(const core::View4<S>& frames) {
  if (first_spectral_) {
    first_.forward(exec_, frames, z_);
  } else {
    first_layer(exec_, network_, frames, z_);
  }
  if (network_.hidden.empty()) return head_output(exec_, network_, z_, state_);
  // Only h is wanted: each layer is rectified in place.
  for (std::size_t l = 0; l < network_.hidden.size(); ++l) {
    const core::View5<S>& h = state_.h[l];
    if (l > 0 && later_spectral_[l]) later_[l].forward(exec_, state_.h[l - 1], h);
    if (l > 0 && !later_spectral_[l]) conv_forward(exec_, state_.h[l - 1], network_.hidden[l].kernel, h);
    head_rectify(exec_, network_.hidden[l], h, h, h);
  }
  head_readout(exec_, network_, state_);
}

template <class S>
std::vector<float> BlockPredictor<S>::rates(const FrameSource& source, std::size_t first, std::size_t end) {
  forward(frames_of(exec_, network_, source, first, windows_, end));
  exec_.fence("model::predict");
  const std::vector<S> rate = core::to_host(state_.rate);
  return {rate.begin(), rate.end()};
}

#define AMACRINE_INSTANTIATE(S)                                                                                        \
  template core::View4<S> frames_of<S>(const core::Exec&, const InferenceNetwork<S>&, const FrameSource&, std::size_t, \
                                       std::size_t, std::size_t);                                                      \
  template class BlockPredictor<S>;
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::model
