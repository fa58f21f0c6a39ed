// SPDX-License-Identifier: Apache-2.0
#include "ln_likelihood.hpp"

#include "amacrine/core/softplus.hpp"
#include "amacrine/core/vector.hpp"

#include <algorithm>
#include <cmath>

#include <Kokkos_Core.hpp>

namespace amacrine::training {
namespace {

constexpr std::size_t groups = 16;  ///< of windows, summed apart and then in order: the same bits for any number of threads
constexpr std::size_t block = 128;  ///< windows whose features are in cache together
constexpr int tile = 16;            ///< features of a register tile's row
constexpr std::size_t tile_rows = 8;

double logistic(double u) { return u >= 0 ? 1 / (1 + std::exp(-u)) : std::exp(u) / (1 + std::exp(u)); }

double dot(std::span<const float> x, std::span<const double> w) {
  constexpr int width = 8;
  using Vector = core::Vector<double, width>;
  Vector sums{};
  std::size_t i = 0;
  for (; i + width <= x.size(); i += width)
    sums += core::converted<double, float, width>(core::load<float, width>(&x[i])) * core::load<double, width>(&w[i]);
  double sum = 0;
  for (int c = 0; c < width; ++c) sum += sums[c];
  for (; i < x.size(); ++i) sum += static_cast<double>(x[i]) * w[i];
  return sum;
}

/// Features of a block of windows, padded to whole tiles with zeros, and the same scaled by sqrt of each window's weight.
struct Block {
  std::size_t stride = 0;
  std::vector<float> x, scaled;
};

/// information (stride, stride) += scaled' scaled over a block, lower tiles only.
void add_products(const Block& b, std::size_t windows, std::vector<double>& information) {
  using Vector = core::Vector<float, tile>;
  for (std::size_t i = 0; i < b.stride; i += tile_rows)
    for (std::size_t j = 0; j < i + tile_rows; j += tile) {
      Vector sums[tile_rows] = {};
      for (std::size_t w = 0; w < windows; ++w) {
        const float* row = b.scaled.data() + w * b.stride + i;
        const Vector column = core::load<float, tile>(b.scaled.data() + w * b.stride + j);
        AMACRINE_UNROLL
        for (std::size_t r = 0; r < tile_rows; ++r) sums[r] += core::broadcast<float, tile>(row[r]) * column;
      }
      for (std::size_t r = 0; r < tile_rows; ++r)
        for (int c = 0; c < tile; ++c)
          information[(i + r) * b.stride + j + static_cast<std::size_t>(c)] += static_cast<double>(sums[r][c]);
    }
}

/// One group's share of the moments.
struct Share {
  std::vector<double> information, gradient;
};

void add_block(const LnData& data, std::span<const double> coefficients, std::size_t first, std::size_t windows, Block& b,
               Share& share) {
  const std::size_t count = data.features.count();
  for (std::size_t w = 0; w < windows; ++w) {
    const std::span<float> x(b.x.data() + w * b.stride, count);
    data.features.of_window(data.last[first + w], x);
    const double u = dot(x, coefficients), slope = logistic(u), hz = core::softplus(u, 1.0) + data.background_hz;
    const double error = (1 - (static_cast<double>(data.rate[first + w]) + data.background_hz) / hz) * slope;
    const auto root = static_cast<float>(slope / std::sqrt(hz));
    for (std::size_t i = 0; i < count; ++i) {
      share.gradient[i] += error * static_cast<double>(x[i]);
      b.scaled[w * b.stride + i] = root * x[i];
    }
  }
  add_products(b, windows, share.information);
}

void add_group(const LnData& data, std::span<const double> coefficients, std::size_t group, Share& share) {
  Block b;
  constexpr auto width = static_cast<std::size_t>(tile);
  b.stride = (data.features.count() + width - 1) / width * width;
  b.x.assign(block * b.stride, 0.0F), b.scaled.assign(block * b.stride, 0.0F);
  share.information.assign(b.stride * b.stride, 0.0), share.gradient.assign(b.stride, 0.0);
  const std::size_t end = data.last.size() * (group + 1) / groups;
  for (std::size_t first = data.last.size() * group / groups; first < end; first += block)
    add_block(data, coefficients, first, std::min(block, end - first), b, share);
}

/// Calls body(group) for every group, in parallel.
template <class Body>
void for_each_group(const Body& body) {
  using Host = Kokkos::DefaultHostExecutionSpace;
  Kokkos::parallel_for("amacrine::training::ln_groups",
                       Kokkos::RangePolicy<Host, Kokkos::Schedule<Kokkos::Dynamic>>(Host(), 0, groups),
                       [&](int group) { body(static_cast<std::size_t>(group)); });
  Host().fence("shares of all groups are summed next");
}

}  // namespace

LnMoments ln_moments(const LnData& data, std::span<const double> coefficients) {
  std::vector<Share> shares(groups);
  for_each_group([&](std::size_t g) { add_group(data, coefficients, g, shares[g]); });
  const std::size_t count = data.features.count(), stride = shares[0].gradient.size();
  LnMoments moments{core::Array<double, 2>({count, count}), std::vector<double>(count)};
  for (const Share& share : shares)
    for (std::size_t i = 0; i < count; ++i) {
      moments.gradient[i] += share.gradient[i];
      for (std::size_t j = 0; j <= i; ++j) moments.information(i, j) += share.information[i * stride + j];
    }
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < i; ++j) moments.information(j, i) = moments.information(i, j);
  return moments;
}

std::vector<double> ln_losses(const LnData& data, const std::vector<std::vector<double>>& candidates) {
  std::vector<std::vector<double>> shares(groups, std::vector<double>(candidates.size()));
  for_each_group([&](std::size_t g) {
    std::vector<float> x(data.features.count());
    for (std::size_t w = data.last.size() * g / groups; w < data.last.size() * (g + 1) / groups; ++w) {
      data.features.of_window(data.last[w], x);
      for (std::size_t c = 0; c < candidates.size(); ++c) {
        const double hz = core::softplus(dot(x, candidates[c]), 1.0) + data.background_hz;
        shares[g][c] += hz - (static_cast<double>(data.rate[w]) + data.background_hz) * std::log(hz);
      }
    }
  });
  std::vector<double> losses(candidates.size());
  for (const std::vector<double>& share : shares)
    for (std::size_t c = 0; c < losses.size(); ++c) losses[c] += share[c] / static_cast<double>(data.last.size());
  return losses;
}

}  // namespace amacrine::training
