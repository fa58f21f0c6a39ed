// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/array.hpp"
#include "amacrine/core/random.hpp"
#include "amacrine/model/model.hpp"

#include <cmath>
#include <vector>

/// A model's rates from the definition, one window at a time, in double: independent of the engines under test.
namespace amacrine::test {

/// Random values everywhere a model has any; variances positive.
inline model::Model random_model(model::Architecture architecture, std::uint64_t seed) {
  model::Model out;
  out.architecture = std::move(architecture);
  const auto layout = model::make_layout(out.architecture);
  core::Random random(seed, core::Stream::test, 11);
  out.parameters.resize(layout.parameter_count);
  out.statistics.resize(layout.statistic_count);
  for (const auto& entry : layout.parameters) {
    const double fan = entry.shape.size() > 1 ? static_cast<double>(entry.size / entry.shape[0]) : 1.0;
    for (std::size_t k = 0; k < entry.size; ++k)
      out.parameters[entry.offset + k] = static_cast<float>(random.normal() / std::sqrt(fan));
  }
  for (const auto& entry : layout.statistics) {
    const bool variance = entry.name.find("variance") != std::string::npos;
    for (std::size_t k = 0; k < entry.size; ++k)
      out.statistics[entry.offset + k] = static_cast<float>(variance ? 0.2 + random.uniform() : 0.3 * random.normal());
  }
  for (int n = 0; n < out.architecture.cells; ++n) {
    recording::Cell cell;
    cell.id = n;
    cell.name = "cell" + std::to_string(n + 1);
    out.cells.push_back(cell);
  }
  return out;
}

inline core::Array<float, 3> random_movie(std::size_t frames, int height, int width, std::uint64_t seed) {
  core::Array<float, 3> movie({frames, static_cast<std::size_t>(height), static_cast<std::size_t>(width)});
  core::Random random(seed, core::Stream::test, 12);
  for (float& value : movie.values()) value = static_cast<float>(random.normal());
  return movie;
}

/// Rate of every cell for one window (T, Y, X) of normalised contrast.
inline std::vector<double> naive_rates(const model::Model& m, std::vector<double> maps) {
  const model::Architecture& a = m.architecture;
  const auto layout = model::make_layout(a);
  const auto value = [&](const std::string& name, std::size_t k, double fallback) {
    const auto* entry = layout.find(name);
    return entry == nullptr ? fallback : static_cast<double>(m.parameters[entry->offset + (entry->size == 1 ? 0 : k)]);
  };
  const auto normed = [&](const std::string& stage, std::size_t k, double z) {
    if (layout.find(stage + "gamma") == nullptr) return z;
    const double mean = static_cast<double>(m.statistics[layout.statistic(stage + "mean").offset + k]);
    const double variance = static_cast<double>(m.statistics[layout.statistic(stage + "variance").offset + k]);
    double gamma = value(stage + "gamma", k, 1);
    if (a.scale == model::Scale::absolute) gamma = std::fabs(gamma);
    return gamma * (z - mean) / std::sqrt(variance + a.norm_epsilon) + value(stage + "beta", k, 0);
  };
  std::size_t D = static_cast<std::size_t>(a.history), Y = static_cast<std::size_t>(a.height),
              X = static_cast<std::size_t>(a.width);
  for (int l = 0; l < a.layers(); ++l) {
    const std::string stage = "hidden" + std::to_string(l) + ".";
    const auto& shape = layout.parameter(stage + "kernel").shape;
    const std::size_t C = shape[0], KY = shape[2], KX = shape[3], OY = Y - KY + 1, OX = X - KX + 1;
    std::vector<double> next(C * OY * OX);
    for (std::size_t c = 0; c < C; ++c)
      for (std::size_t y = 0; y < OY; ++y)
        for (std::size_t x = 0; x < OX; ++x) {
          double z = value(stage + "bias", c, 0);
          for (std::size_t d = 0; d < D; ++d)
            for (std::size_t j = 0; j < KY; ++j)
              for (std::size_t i = 0; i < KX; ++i)
                z += value(stage + "kernel", ((c * D + d) * KY + j) * KX + i, 0) * maps[(d * Y + y + j) * X + x + i];
          const std::size_t u = (c * OY + y) * OX + x;
          next[u] = std::max(0.0, normed(stage, a.norm == model::Norm::per_unit ? u : c, z));
        }
    maps = std::move(next);
    D = C, Y = OY, X = OX;
  }
  std::vector<double> rates;
  for (std::size_t n = 0; n < static_cast<std::size_t>(a.cells); ++n) {
    double z = value("readout.bias", n, 0);
    for (std::size_t u = 0; u < maps.size(); ++u) z += value("readout.weight", n * maps.size() + u, 0) * maps[u];
    z = normed("output.", n, z);
    rates.push_back(std::log1p(std::exp(a.softplus_beta * z)) / a.softplus_beta);
  }
  return rates;
}

/// The normalised window of movie frame t, grey before the movie.
inline std::vector<double> naive_window(const model::Model& m, const core::Array<float, 3>& movie, int t) {
  const std::size_t pixels = movie.extent(1) * movie.extent(2);
  std::vector<double> window;
  for (int l = 0; l < m.architecture.history; ++l) {
    const int frame = t - m.minimum_lag - (m.architecture.history - 1) + l;
    for (std::size_t p = 0; p < pixels; ++p) {
      const std::size_t k = m.normalisation.mean.size() == 1 ? 0 : p;
      const double contrast = frame < 0 ? 0.0 : static_cast<double>(movie.values()[static_cast<std::size_t>(frame) * pixels + p]);
      window.push_back((contrast - m.normalisation.mean[k]) / m.normalisation.scale[k]);
    }
  }
  return window;
}

}  // namespace amacrine::test
