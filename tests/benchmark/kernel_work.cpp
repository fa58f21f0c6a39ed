// SPDX-License-Identifier: Apache-2.0
#include "kernel_work.hpp"

#include <cmath>

namespace amacrine::benchmark {
namespace {

constexpr double bytes_of = sizeof(float), deviate = 40, adam_flops = 14;

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

void transform(Works& works, const std::string& way, const Planes& p) {
  works["model::spectral_" + way] += {p.flops(), bytes_of * (p.values() + p.spectra())};
}

void first_layer(Works& works, const model::Architecture& a, double g, double b) {
  const model::ConvLayer& layer = a.hidden.front();
  const double n = a.width, c = layer.channels, t = a.history;
  const Planes frames{n, g, double(a.height), double(a.width), b + t - 1},
      outputs{n, g * c, double(a.out_y(0)), double(a.out_x(0)), b};
  const Planes kernel{n, c, double(layer.kernel_y), double(layer.kernel_x), t};
  Planes gradients = kernel;
  gradients.count = g * c;
  const double multiply_adds = 8 * frames.frequencies() * g * c * t * b;
  transform(works, "forward", kernel);
  transform(works, "forward", frames);
  works["model::spectral_correlate_in_time"] +=
      {multiply_adds, bytes_of * (frames.spectra() + kernel.spectra() + outputs.spectra())};
  transform(works, "inverse", outputs);
  transform(works, "forward", outputs);
  works["model::spectral_correlate_windows"] +=
      {multiply_adds, bytes_of * (frames.spectra() + outputs.spectra() + gradients.spectra())};
  transform(works, "inverse", gradients);
  works["model::spectral_pack_lags"] += {0, 2 * bytes_of * kernel.values()};
  works["model::spectral_unpack_lags"] += {0, 2 * bytes_of * gradients.values()};
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
  transform(works, "forward", kernel);
  transform(works, "forward", inputs);
  works["model::spectral_mix_channels"] += {multiply_adds, bytes_of * (both + kernel.spectra())};
  transform(works, "inverse", outputs);
  transform(works, "forward", outputs);
  works["model::spectral_mix_channels_back"] += {multiply_adds, bytes_of * (both + kernel.spectra())};
  transform(works, "inverse", inputs);
  works["model::spectral_pair_channels"] += {multiply_adds, bytes_of * (both + gradients.spectra())};
  transform(works, "inverse", gradients);
  works["model::spectral_pack_lags"] += {0, 2 * bytes_of * kernel.values()};
  works["model::spectral_unpack_lags"] += {0, 2 * bytes_of * gradients.values()};
}

void norm(Works& works, double values, bool hidden) {
  works["model::forward_moments"] += {3 * values, bytes_of * values};
  if (hidden) works["model::norm_relu"] += {(4 + deviate) * values, 2 * bytes_of * values};
  works["model::backward_moments"] += {3 * values, (hidden ? 3 : 2) * bytes_of * values};
  works["model::norm_backward"] += {4 * values, (hidden ? 4 : 3) * bytes_of * values};
}

}  // namespace

std::map<std::string, Work> work_of_step(const model::Architecture& a, std::size_t segments, std::size_t windows) {
  Works works;
  const double g = static_cast<double>(segments), b = static_cast<double>(windows), n = a.cells;
  double parameters = 0;
  for (int l = 0; l < a.layers(); ++l) {
    l == 0 ? first_layer(works, a, g, b) : later_layer(works, a, l, g, b);
    norm(works, static_cast<double>(a.units(l)) * g * b, true);
    const model::ConvLayer& layer = a.hidden[static_cast<std::size_t>(l)];
    parameters += double(layer.kernel_y) * layer.kernel_x * layer.channels *
                  (l == 0 ? a.history : a.hidden[static_cast<std::size_t>(l - 1)].channels);
  }
  norm(works, n * g * b, false);
  const double units = static_cast<double>(a.readout_inputs()), h = units * g * b, weights = units * n;
  parameters += weights;
  works["model::readout_forward"] += {2 * n * h, bytes_of * (h + weights)};
  works["model::readout_input_gradient"] += {2 * n * h, bytes_of * (h + weights)};
  works["model::readout_weight_gradient"] += {2 * n * h, bytes_of * (h + g * weights)};
  const double pixels = double(a.height) * a.width * g * (b + a.history - 1);
  works["model::gather_frames"] += {2 * pixels, (1 + bytes_of) * pixels};
  works["training::adam"] += {adam_flops * parameters, 8 * bytes_of * parameters};
  return works;
}

}  // namespace amacrine::benchmark
