// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/initialise.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/random.hpp"
#include "amacrine/core/softplus.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace amacrine::training {
namespace {

bool ends_with(const std::string& name, const std::string& end) {
  return name.size() >= end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
}

/// The beta_n at which mean_softplus is `mean`: it grows with beta, so bisection finds it.
double shift_for(double mean, double gamma, double softplus_beta) {
  double low = -40.0 / softplus_beta - 10.0 * gamma - 10.0, high = mean + 1.0;
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (low + high);
    (mean_softplus(gamma, middle, softplus_beta) < mean ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace

std::vector<float> initial_parameters(const model::Architecture& architecture, const model::ParameterLayout& layout,
                                      std::uint64_t model_seed) {
  std::vector<float> values(layout.parameter_count, 0.0F);
  for (std::size_t e = 0; e < layout.parameters.size(); ++e) {
    const model::ParameterEntry& entry = layout.parameters[e];
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(entry.offset),
               end = begin + static_cast<std::ptrdiff_t>(entry.size);
    if (ends_with(entry.name, ".gamma")) std::fill(begin, end, 1.0F);
    const bool weight = ends_with(entry.name, ".kernel") || (entry.name == "readout.weight" && architecture.layers() > 0);
    if (!weight) continue;
    core::Random random(model_seed, core::Stream::weights, e);
    const std::size_t inputs = entry.size / entry.shape[0];
    const double bound = 1.0 / std::sqrt(static_cast<double>(inputs));
    std::generate(begin, end, [&] { return static_cast<float>(random.uniform(-bound, bound)); });
  }
  return values;
}

std::vector<double> initial_statistics(const model::ParameterLayout& layout) {
  std::vector<double> values(layout.statistic_count, 0.0);
  for (const model::ParameterEntry& entry : layout.statistics)
    if (ends_with(entry.name, ".variance"))
      std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(entry.offset), entry.size, 1.0);
  return values;
}

double mean_softplus(double gamma, double beta, double softplus_beta) {
  double sum = 0;
  const double step = 1.0 / 128.0;  // the trapezoid rule converges faster than any power on a decaying analytic integrand
  for (int i = -1024; i <= 1024; ++i) {
    const double z = i * step;
    sum += core::softplus(gamma * z + beta, softplus_beta) * std::exp(-0.5 * z * z);
  }
  return sum * step / std::sqrt(2.0 * std::numbers::pi);
}

void start_from_rates(const model::Architecture& architecture, const model::ParameterLayout& layout,
                      const std::vector<double>& mean_rates, double gain, std::vector<float>& parameters) {
  const model::ParameterEntry *gamma = layout.find("output.gamma"), *beta = layout.find("output.beta"),
                              *bias = layout.find("readout.bias");
  for (std::size_t n = 0; n < mean_rates.size(); ++n) {
    const double mean = std::max(0.1, mean_rates[n]);
    if (gamma != nullptr) {
      parameters[gamma->offset + n] = static_cast<float>(gain * mean);
      parameters[beta->offset + n] = static_cast<float>(shift_for(mean, gain * mean, architecture.softplus_beta));
    } else if (bias != nullptr) {
      parameters[bias->offset + n] = static_cast<float>(shift_for(mean, 0.0, architecture.softplus_beta));
    }
  }
}

std::vector<float> rate_scales(const model::ParameterLayout& layout, const std::vector<double>& mean_rates) {
  std::vector<float> rate_scale(layout.parameter_count, 1.0F);
  for (const char* name : {"output.gamma", "output.beta", "readout.bias"}) {
    const model::ParameterEntry* entry = layout.find(name);
    if (entry == nullptr) continue;
    for (std::size_t n = 0; n < mean_rates.size(); ++n)
      rate_scale[entry->offset + n] = static_cast<float>(std::max(0.1, mean_rates[n]));
  }
  return rate_scale;
}

}  // namespace amacrine::training
