// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/random.hpp"
#include "amacrine/model/train_graph.hpp"

#include <cmath>
#include <vector>

/// A training step written down from the definitions, window by window, in double: what the fast one is compared with.
namespace amacrine::model::reference {

inline std::size_t sized(int value) { return static_cast<std::size_t>(value); }

inline std::vector<double> normals(std::size_t count, std::uint64_t seed, double scale = 1.0, double shift = 0.0) {
  core::Random random(seed, core::Stream::test);
  std::vector<double> values(count);
  for (double& value : values) value = shift + scale * random.normal();
  return values;
}

/// Parameters of every entry, with gammas of both signs away from 0.
inline std::vector<double> random_parameters(const ParameterLayout& layout, std::uint64_t seed) {
  std::vector<double> values = normals(layout.parameter_count, seed, 0.2);
  for (const ParameterEntry& entry : layout.parameters)
    if (entry.name.find("gamma") != std::string::npos)
      for (std::size_t i = 0; i < entry.size; ++i)
        values[entry.offset + i] = (i % 3 == 1 ? -1.0 : 1.0) * (0.7 + std::abs(values[entry.offset + i]));
  return values;
}

/// A batch as plain arrays: frames (G, Y, X, F) in the order of time, whole rounds of the spacing; targets (G, N, B).
struct Batch {
  std::size_t segments, windows, spacing;
  std::vector<double> frames, target;
  std::size_t phase(const Architecture& a) const { return windows + (sized(a.history) + spacing - 1) / spacing - 1; }
  std::size_t frames_of(const Architecture& a) const { return spacing * phase(a); }
};
inline Batch random_batch(const Architecture& a, std::size_t segments, std::size_t windows, std::uint64_t seed,
                          std::size_t spacing = 1) {
  Batch batch{segments, windows, spacing, {}, {}};
  batch.frames = normals(segments * sized(a.height * a.width) * batch.frames_of(a), seed);
  batch.target = normals(segments * windows * sized(a.cells), seed + 1, 20.0, 15.0);
  for (double& value : batch.target) value = std::max(0.0, value);
  return batch;
}

/// What the reference computes, one row per window w = g * B + b.
struct Step {
  std::vector<std::vector<double>> mean, variance;  ///< per norm; variance unbiased
  std::vector<std::vector<double>> rate;            ///< [w][n]
  double loss = 0;
};

using Rows = std::vector<std::vector<double>>;  ///< [window][unit]

inline Rows windows_of(const Architecture& a, const Batch& batch) {
  const std::size_t pixels = sized(a.height * a.width), frames = batch.frames_of(a);
  Rows rows;
  for (std::size_t g = 0; g < batch.segments; ++g)
    for (std::size_t b = 0; b < batch.windows; ++b) {
      std::vector<double> window;
      for (std::size_t l = 0; l < sized(a.history); ++l)
        for (std::size_t p = 0; p < pixels; ++p)
          window.push_back(batch.frames[(g * pixels + p) * frames + batch.spacing * b + l]);
      rows.push_back(std::move(window));
    }
  return rows;
}

inline std::vector<double> convolve(const std::vector<double>& in, std::size_t depth, int height, int width,
                                    const ConvLayer& layer, const double* kernel) {
  const int oy = height - layer.kernel_y + 1, ox = width - layer.kernel_x + 1;
  std::vector<double> out;
  for (int c = 0; c < layer.channels; ++c)
    for (int y = 0; y < oy; ++y)
      for (int x = 0; x < ox; ++x) {
        double sum = 0;
        const double* k = kernel + sized(c) * depth * sized(layer.kernel_y * layer.kernel_x);
        for (std::size_t d = 0; d < depth; ++d)
          for (int j = 0; j < layer.kernel_y; ++j)
            for (int i = 0; i < layer.kernel_x; ++i)
              sum += *k++ * in[(d * sized(height) + sized(y + j)) * sized(width) + sized(x + i)];
        out.push_back(sum);
      }
  return out;
}

/// Batch norm of groups of `share` units over all windows, in place; the bias is added first.
inline void normalise(Rows& rows, std::size_t share, const double* gamma, const double* beta, const double* bias,
                      std::size_t bias_share, const Architecture& a, Step& step) {
  const std::size_t units = rows[0].size(), groups = units / share;
  if (bias != nullptr)
    for (auto& row : rows)
      for (std::size_t u = 0; u < units; ++u) row[u] += bias[u / bias_share];
  if (gamma == nullptr) return;
  std::vector<double> means(groups), variances(groups);
  for (std::size_t k = 0; k < groups; ++k) {
    const double count = static_cast<double>(rows.size() * share);
    double mean = 0, square = 0;
    for (const auto& row : rows)
      for (std::size_t u = k * share; u < (k + 1) * share; ++u) mean += row[u] / count;
    for (const auto& row : rows)
      for (std::size_t u = k * share; u < (k + 1) * share; ++u) square += (row[u] - mean) * (row[u] - mean);
    const double scale = a.scale == Scale::absolute ? std::abs(gamma[k]) : gamma[k];
    for (auto& row : rows)
      for (std::size_t u = k * share; u < (k + 1) * share; ++u)
        row[u] = scale * (row[u] - mean) / std::sqrt(square / count + a.norm_epsilon) + beta[k];
    means[k] = mean;
    variances[k] = square / (count - 1);
  }
  step.mean.push_back(means);
  step.variance.push_back(variances);
}

inline Step run(const Architecture& a, const std::vector<double>& parameters, const Batch& batch, const LossSettings& settings) {
  const ParameterLayout layout = make_layout(a);
  const auto at = [&](const std::string& name) -> const double* {
    const ParameterEntry* entry = layout.find(name);
    return entry == nullptr ? nullptr : parameters.data() + entry->offset;
  };
  Step step;
  Rows rows = windows_of(a, batch);
  std::size_t depth = sized(a.history);
  for (int l = 0; l < a.layers(); ++l) {
    const std::string name = "hidden" + std::to_string(l);
    const std::size_t map = sized(a.out_y(l) * a.out_x(l));
    for (auto& row : rows) row = convolve(row, depth, a.out_y(l - 1), a.out_x(l - 1), a.hidden[sized(l)], at(name + ".kernel"));
    normalise(rows, a.norm == Norm::per_channel ? map : 1, at(name + ".gamma"), at(name + ".beta"), at(name + ".bias"), map, a,
              step);
    for (auto& row : rows)
      for (double& value : row) value = std::max(0.0, value);
    depth = sized(a.hidden[sized(l)].channels);
  }
  const std::size_t cells = sized(a.cells), inputs = rows[0].size();
  for (auto& row : rows) {
    std::vector<double> drive(cells, 0.0);
    for (std::size_t n = 0; n < cells; ++n)
      for (std::size_t u = 0; u < inputs; ++u) drive[n] += at("readout.weight")[n * inputs + u] * row[u];
    row = std::move(drive);
  }
  normalise(rows, 1, at("output.gamma"), at("output.beta"), at("readout.bias"), 1, a, step);
  for (std::size_t w = 0; w < rows.size(); ++w)
    for (std::size_t n = 0; n < cells; ++n) {
      const double rate = std::log1p(std::exp(a.softplus_beta * rows[w][n])) / a.softplus_beta;
      const double y = batch.target[(w / batch.windows * cells + n) * batch.windows + w % batch.windows];
      const double misfit = settings.mean_squared ? (rate - y) * (rate - y) : rate - y * std::log(rate + settings.epsilon);
      step.loss += (misfit + settings.l1_output * std::abs(rate)) / static_cast<double>(rows.size() * cells);
      rows[w][n] = rate;
    }
  step.rate = std::move(rows);
  return step;
}

}  // namespace amacrine::model::reference
