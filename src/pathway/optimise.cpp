// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/optimise.hpp"

#include "amacrine/core/random.hpp"
#include "amacrine/parallel/stop.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace amacrine::pathway {

namespace {

constexpr std::size_t blocks_a_step = 40;

/// The learning rate at a step: up by a cosine over a fifth of the steps, then down to almost nothing.
double one_cycle(int step, int steps, double largest) {
  constexpr double warm = 0.2, start = 1.0 / 25;
  const double at = static_cast<double>(step) / static_cast<double>(steps);
  const auto between = [](double from, double to, double share) {
    return to + 0.5 * (from - to) * (1 + std::cos(std::numbers::pi * share));
  };
  return largest * (at < warm ? between(start, 1, at / warm) : between(1, 1e-4, (at - warm) / (1 - warm)));
}

/// Blocks that begin anywhere up to a block before the fitted frames, cut to these: each frame is as likely as any other.
std::vector<Range> draw_blocks(const std::vector<Range>& fitted, std::uint64_t seed, std::uint64_t draw, int step) {
  std::size_t places = 0;
  for (const Range& range : fitted) places += range.size() + block_frames - 1;
  core::Random random(seed, core::Stream::pathways, (draw << 24) + static_cast<std::uint64_t>(step));
  std::vector<Range> blocks;
  while (blocks.size() < blocks_a_step) {
    std::size_t place = random.below(static_cast<std::uint32_t>(places));
    for (const Range& range : fitted) {
      const std::size_t own = range.size() + block_frames - 1;
      if (place < own) {
        const std::size_t end = range.begin + place + 1;
        blocks.push_back({std::max(range.begin + block_frames, end) - block_frames, std::min(end, range.end)});
        break;
      }
      place -= own;
    }
  }
  return blocks;
}

/// Adam's moments of one model.
struct Moments {
  std::vector<double> mean, square;
  explicit Moments(std::size_t size) : mean(size, 0.0), square(size, 0.0) {}

  void step(std::vector<double>& values, const std::vector<double>& gradient, double rate, int steps_done) {
    constexpr double beta1 = 0.9, beta2 = 0.99, tiny = 1e-8;
    const double right1 = 1 - std::pow(beta1, steps_done + 1), right2 = 1 - std::pow(beta2, steps_done + 1);
    for (std::size_t i = 0; i < values.size(); ++i) {
      mean[i] = beta1 * mean[i] + (1 - beta1) * gradient[i];
      square[i] = beta2 * square[i] + (1 - beta2) * gradient[i] * gradient[i];
      values[i] -= rate * (mean[i] / right1) / (std::sqrt(square[i] / right2) + tiny);
    }
  }
};

/// 0.5 strength (v[a] - v[b])^2 and its gradient.
double difference_cost(double strength, double a, double b, double& by_a, double& by_b) {
  const double difference = a - b;
  by_a += strength * difference;
  by_b -= strength * difference;
  return 0.5 * strength * difference * difference;
}

double spatial_cost(double strength, std::span<const double> space, double* gradient) {
  const auto n = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(space.size()))));
  double cost = 0;
  for (std::size_t y = 0; y < n; ++y)
    for (std::size_t x = 0; x < n; ++x) {
      const std::size_t at = y * n + x;
      if (y + 1 < n) cost += difference_cost(strength, space[at], space[at + n], gradient[at], gradient[at + n]);
      if (x + 1 < n) cost += difference_cost(strength, space[at], space[at + 1], gradient[at], gradient[at + 1]);
    }
  return cost;
}

/// Second differences, the course being 0 before its first and after its last coefficient.
double temporal_cost(double strength, std::span<const double> time, double* gradient) {
  const std::size_t J = time.size();
  const auto value = [&](std::size_t j) { return j >= 1 && j <= J ? time[j - 1] : 0.0; };
  const auto add = [&](std::size_t j, double slope) {
    if (j >= 1 && j <= J) gradient[j - 1] += slope;
  };
  double cost = 0;
  for (std::size_t j = 1; j <= J; ++j) {
    const double bend = value(j - 1) - 2 * value(j) + value(j + 1);
    cost += 0.5 * strength * bend * bend;
    add(j - 1, strength * bend);
    add(j, -2 * strength * bend);
    add(j + 1, strength * bend);
  }
  return cost;
}

}  // namespace

double Problem::fitted_seconds() const {
  std::size_t frames = 0;
  for (const Range& range : fitted) frames += range.size();
  return static_cast<double>(frames) * data.frame_s;
}

double prior(const Problem& problem, const Model& model, std::vector<double>& gradient) {
  const Shape& shape = problem.shape;
  double cost = 0;
  for (std::size_t k = 0; k < model.pathways(shape); ++k) {
    double* own = gradient.data() + 2 + k * shape.pathway_size();
    cost += spatial_cost(problem.settings.spatial_prior, model.space(shape, k), own);
    cost += temporal_cost(problem.settings.temporal_prior, model.time(shape, k), own + shape.bumps);
  }
  return cost;
}

std::vector<Model> optimise(const Problem& problem, std::vector<Model> models, int steps, std::uint64_t draw) {
  std::vector<Moments> moments;
  for (const Model& model : models) moments.emplace_back(model.values.size());
  const double seconds = problem.fitted_seconds();
  for (int step = 0; step < steps && !parallel::stop_asked(); ++step) {
    const std::vector<Range> blocks = draw_blocks(problem.fitted, problem.settings.seed, draw, step);
    Slopes found = slopes(problem.shape, problem.bases, problem.data, models, blocks);
    const double rate = one_cycle(step, steps, problem.settings.learning_rate);
    for (std::size_t m = 0; m < models.size(); ++m) {
      std::vector<double> of_prior(models[m].values.size(), 0.0);
      prior(problem, models[m], of_prior);
      for (std::size_t i = 0; i < of_prior.size(); ++i) found.gradient[m][i] += of_prior[i] / seconds;
      moments[m].step(models[m].values, found.gradient[m], rate, step);
    }
  }
  return models;
}

std::vector<double> fitted_loss(const Problem& problem, const std::vector<Model>& models) {
  const std::vector<Range> blocks = blocks_of(problem.fitted, block_frames);
  const core::Array<double, 2> loss = losses(problem.shape, problem.bases, problem.data, models, blocks);
  const double seconds = problem.fitted_seconds();
  std::vector<double> mean;
  for (std::size_t m = 0; m < models.size(); ++m) {
    std::vector<double> unused(models[m].values.size(), 0.0);
    double sum = prior(problem, models[m], unused);
    for (double part : loss.row(m)) sum += part;
    mean.push_back(std::isfinite(sum) ? sum / seconds : INFINITY);
  }
  return mean;
}

}  // namespace amacrine::pathway
