// SPDX-License-Identifier: Apache-2.0
#include "kernel_work.hpp"

#include "amacrine/model/spectral.hpp"

#include <cmath>

namespace amacrine::benchmark {
namespace {

constexpr double bytes_of = sizeof(float), deviate = 25, adam_flops = 14;

/// Real planes (count, height, width, lanes) and their half spectra (count, n, n / 2 + 1, 2, lanes).
struct Planes {
  double n, count, height, width, lanes;
  double frequencies() const { return n * (n / 2 + 1); }
  double values() const { return count * height * width * lanes; }
  double spectra() const { return count * frequencies() * 2 * lanes; }
  /// Two rows of pixels are one complex transform, and n / 2 + 1 columns follow.
  double flops() const { return count * lanes * (height / 2 + n / 2 + 1) * 5 * n * std::log2(n); }
};

using Works = std::map<std::string, Work>;

void transform(Works& works, const std::string& label, const Planes& p) {
  works["model::" + label] += {p.flops(), bytes_of * (p.values() + p.spectra())};
}

/// Work on the values of a layer: flops of each, arrays read or written alone, and beside a transform's own; gates are a quarter
/// of an array.
constexpr double moments[] = {3, 1, 0}, back_moments[] = {3, 2.25, 1.25}, relu[] = {4 + deviate, 2.25, 0.25},
                 back[] = {4, 3.25, 1.25};

/// A transform and the work that is fused with it, on hosts. `stored`: whether its spectra go through memory.
void transform_with(Works& works, const std::string& fused, const std::string& way, const std::string& alone,
                    const double (&each)[3], const Planes& p, bool stored = true) {
  const double values = p.values();
  if constexpr (model::planes_fuse) {
    works["model::" + fused] += {p.flops() + each[0] * values, bytes_of * ((1 + each[2]) * values + (stored ? p.spectra() : 0))};
  } else {
    transform(works, "spectral_" + way, p);
    works["model::" + alone] += {each[0] * values, each[1] * bytes_of * values};
  }
}

/// Spectra over time of planes with f frequencies: `count` complex runs of `length` values.
struct Runs {
  double count, length;
  double spectra() const { return count * length * 2; }
  double flops() const { return count * 5 * length * std::log2(length); }
};

/// The first layer as its engine computes it: products lag by lag where there is no transform over time.
void first_products(Works& works, const Planes& frames, const Planes& kernel, const Planes& outputs, const Planes& gradients,
                    const model::spectral::TimeBlocks& time) {
  const double f = frames.frequencies(), n = time.length, phases = time.phases, sums = 8 * outputs.count * f * time.blocks * n;
  const Runs in{frames.count * f * time.blocks * phases, n}, lags{kernel.count * f * phases, n},
      out{outputs.count * f * time.blocks, n}, taps{gradients.count * f * phases, n};
  const bool host = model::planes_fuse;
  works[host ? "model::spectral_frames" : "model::spectral_frames_in_time"] +=
      {in.flops(), bytes_of * (in.spectra() + (host ? 0 : frames.spectra()))};
  works["model::spectral_lags_in_time"] += {lags.flops(), bytes_of * (lags.spectra() + kernel.spectra())};
  works[host ? "model::inverse_and_moments" : "model::spectral_correlate_spectra"] +=
      {sums * (phases - 0.25) + out.flops(), bytes_of * (in.spectra() + lags.spectra() + (host ? 0 : outputs.spectra()))};
  works[host ? "model::norm_backward_and_forward" : "model::spectral_correlate_window_spectra"] +=
      {sums * phases + out.flops() + taps.flops(),
       bytes_of * (in.spectra() + (host ? 0 : outputs.spectra() + gradients.spectra()))};
}

void first_layer(Works& works, const model::Architecture& a, double g, double together, const model::SegmentShape& shape) {
  const model::ConvLayer& layer = a.hidden.front();
  const double n = a.width, c = layer.channels, t = a.history, b = double(shape.windows);
  const Planes frames{n, g, double(a.height), double(a.width), double(shape.frames(std::size_t(t)))},
      outputs{n, g * c, double(a.out_y(0)), double(a.out_x(0)), b};
  const Planes kernel{n, c, double(layer.kernel_y), double(layer.kernel_x), t};
  const model::spectral::TimeBlocks time(a.history, shape);
  const bool by_planes = model::planes_fuse && time;
  Planes gradients = kernel;
  gradients.count = g * c / together;
  transform(works, "spectral_forward", kernel);
  // By planes pixels are read as bytes, and the spectra in space stay with their thread.
  by_planes ? void(works["model::spectral_frames"] += {frames.flops() + 2 * frames.values(), frames.values()})
            : transform(works, "spectral_forward", frames);
  transform_with(works, "inverse_and_moments", "inverse", "forward_moments", moments, outputs, !by_planes);
  transform_with(works, "norm_backward_and_forward", "forward", "norm_backward", back, outputs, !by_planes);
  transform(works, by_planes ? "norm_backward_and_forward" : "spectral_inverse", gradients);
  if (time) {
    first_products(works, frames, kernel, outputs, gradients, time);
  } else {
    const double multiply_adds = 8 * frames.frequencies() * g * c * t * b;
    works["model::spectral_correlate_in_time"] +=
        {multiply_adds, bytes_of * (frames.spectra() + kernel.spectra() + outputs.spectra())};
    works["model::spectral_correlate_windows"] +=
        {multiply_adds, bytes_of * (frames.spectra() + outputs.spectra() + gradients.spectra())};
  }
  works["model::spectral_pack_lags"] += {0, 2 * bytes_of * kernel.values()};
  if (!by_planes) works["model::spectral_unpack_lags"] += {0, 2 * bytes_of * gradients.values()};
}

void later_layer(Works& works, const model::Architecture& a, int l, double g, double b) {
  const model::ConvLayer& layer = a.hidden[static_cast<std::size_t>(l)];
  const double n = a.out_x(l - 1), c = layer.channels, d = a.hidden[static_cast<std::size_t>(l - 1)].channels;
  const Planes inputs{n, g * d, double(a.out_y(l - 1)), double(a.out_x(l - 1)), b},
      outputs{n, g * c, double(a.out_y(l)), double(a.out_x(l)), b};
  const Planes kernel{n, 1, double(layer.kernel_y), double(layer.kernel_x), c * d};
  Planes gradients = kernel;
  gradients.count = g;
  const double multiply_adds = 8 * inputs.frequencies() * g * c * d * b, both = inputs.spectra() + outputs.spectra();
  transform(works, "spectral_forward", kernel);
  transform_with(works, "norm_relu_and_forward", "forward", "norm_relu", relu, inputs);
  works["model::spectral_mix_channels"] += {multiply_adds, bytes_of * (both + kernel.spectra())};
  transform_with(works, "inverse_and_moments", "inverse", "forward_moments", moments, outputs);
  transform_with(works, "norm_backward_and_forward", "forward", "norm_backward", back, outputs);
  works["model::spectral_mix_channels_back"] += {multiply_adds, bytes_of * (both + kernel.spectra())};
  transform_with(works, "inverse_and_backward_moments", "inverse", "backward_moments", back_moments, inputs);
  works["model::spectral_pair_channels"] += {multiply_adds, bytes_of * (both + gradients.spectra())};
  transform(works, "spectral_inverse", gradients);
  works["model::spectral_pack_lags"] += {0, 2 * bytes_of * kernel.values()};
  works["model::spectral_unpack_lags"] += {0, 2 * bytes_of * gradients.values()};
}

/// What is fused with no transform: the last hidden layer's way to and from the readout, and the cells' norm.
void element_wise(Works& works, double last, double drives) {
  works["model::norm_relu"] += {relu[0] * last, relu[1] * bytes_of * last};
  works["model::backward_moments"] += {back_moments[0] * (last + drives), bytes_of * (back_moments[1] * last + 2 * drives)};
  works["model::forward_moments"] += {moments[0] * drives, moments[1] * bytes_of * drives};
  works["model::norm_backward"] += {back[0] * drives, 3 * bytes_of * drives};
}

}  // namespace

std::map<std::string, Work> work_of_step(const model::Architecture& a, const parallel::Shards& segments,
                                         const model::SegmentShape& shape) {
  Works works;
  const double g = static_cast<double>(segments.count), b = static_cast<double>(shape.windows), n = a.cells;
  double parameters = 0;
  for (int l = 0; l < a.layers(); ++l) {
    l == 0 ? first_layer(works, a, g, static_cast<double>(segments.together), shape) : later_layer(works, a, l, g, b);
    const model::ConvLayer& layer = a.hidden[static_cast<std::size_t>(l)];
    parameters += double(layer.kernel_y) * layer.kernel_x * layer.channels *
                  (l == 0 ? a.history : a.hidden[static_cast<std::size_t>(l - 1)].channels);
  }
  const double units = static_cast<double>(a.readout_inputs()), h = units * g * b, weights = units * n;
  element_wise(works, h, n * g * b);
  parameters += weights;
  works["model::readout_forward"] += {2 * n * h, bytes_of * (h + weights)};
  works["model::readout_input_gradient"] += {2 * n * h, bytes_of * (h + weights)};
  works["model::readout_weight_gradient"] += {2 * n * h, bytes_of * (h + g * weights)};
  const double pixels = double(a.height) * a.width * g * double(shape.frames(std::size_t(a.history)));
  const model::spectral::TimeBlocks time(a.history, shape);
  if (!(model::planes_fuse && time)) works["model::gather_frames"] += {2 * pixels, (1 + bytes_of) * pixels};
  works["training::adam"] += {adam_flops * parameters, 8 * bytes_of * parameters};
  return works;
}

}  // namespace amacrine::benchmark
