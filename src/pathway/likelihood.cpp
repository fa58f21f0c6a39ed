// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/likelihood.hpp"

#include "filter_loops.hpp"
#include "threads.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::pathway {

namespace {

/// Working memory of one block, and the model's filters as they are used.
template <class Real>
struct Block {
  std::size_t pathways, lags, count, longer;  ///< K, T, frames of the block, and with the T - 1 before them
  std::vector<Real> course;                   ///< (K, T)
  std::vector<Real> seen;                     ///< (K, longer) stimulus through the spatial profiles
  std::vector<Real> activity;                 ///< (K, count) h
  std::vector<Real> input;                    ///< (count) u in Hz

  Real* seen_by(std::size_t k) { return seen.data() + k * longer; }
  Real* activity_of(std::size_t k) { return activity.data() + k * count; }
};

template <class Real>
std::vector<Real> time_course(const Bases& bases, const Real* coefficients) {
  std::vector<Real> course(bases.lags(), Real(0));
  for (std::size_t j = 0; j < bases.courses(); ++j)
    for (std::size_t l = 0; l < course.size(); ++l) course[l] += coefficients[j] * static_cast<Real>(bases.course(j, l));
  return course;
}

/// h of all pathways and u.
template <class Real>
Block<Real> forward(const Shape& shape, const Bases& bases, const CellData& data, std::span<const Real> parameters, Range range) {
  const std::size_t K = (parameters.size() - 2) / shape.pathway_size(), T = bases.lags(), count = range.size(),
                    longer = count + T - 1;
  const std::size_t S = shape.bumps, J = shape.courses, first = range.begin - (T - 1);
  Block<Real> block{K, T, count, longer, {}, std::vector<Real>(K * longer, Real(0)), std::vector<Real>(K * count), {}};
  const auto unit = static_cast<Real>(shape.unit_hz);
  block.input.assign(count, unit * parameters[0]);
  const Real* pathways = parameters.data() + 2;
  for (std::size_t k = 0; k < K; ++k) {
    const Real* own = pathways + k * shape.pathway_size();
    const Real* seen = block.seen_by(k);
    add_rows(
        block.seen_by(k), longer, S, [&](std::size_t s) { return data.bump(s) + first; }, [&](std::size_t s) { return own[s]; });
    const std::vector<Real> course = time_course(bases, own + S);
    Real* h = block.activity_of(k);
    std::fill(h, h + count, own[S + J]);
    add_rows(
        h, count, T, [&](std::size_t l) { return seen + (T - 1 - l); }, [&](std::size_t l) { return course[l]; });
    const Real weight = unit * own[S + J + 1];
    for (std::size_t i = 0; i < count; ++i) h[i] = std::max(h[i], Real(0));
    for (std::size_t i = 0; i < count; ++i) block.input[i] += weight * h[i];
    block.course.insert(block.course.end(), course.begin(), course.end());
  }
  return block;
}

/// Softplus of u (Hz), its logarithm and their slopes by u, without overflow or loss where the rate is almost 0.
template <class Real>
inline void output(Real u, Real beta, Real log_beta, Real& rate, Real& log_rate, Real& slope, Real& log_slope) {
  const Real x = beta * u, small = std::exp(x > 0 ? -x : x), soft = std::max(x, Real(0)) + std::log1p(small);
  const bool tiny = x < Real(-12);
  rate = soft / beta;
  slope = (x > 0 ? Real(1) : small) / (1 + small);
  log_rate = (tiny ? x : std::log(tiny ? Real(1) : soft)) - log_beta;
  log_slope = tiny ? beta : slope / (tiny ? Real(1) : rate);
}

/// The block's loss; u becomes dloss / du, and the gradient by log beta is added.
template <class Real>
double output_loss(const CellData& data, Range range, Real log_beta, std::vector<Real>& input, double& by_log_beta) {
  const std::size_t count = range.size();
  const Real beta = std::exp(log_beta);
  const auto frame_s = static_cast<Real>(data.frame_s);
  const float* spikes = data.counts.data() + range.begin;
  std::vector<Real> loss(count), by_beta(count);
  Real *u = input.data(), *part = loss.data(), *beta_part = by_beta.data();
  for (std::size_t i = 0; i < count; ++i) {
    Real rate, log_rate, slope, log_slope;
    output(u[i], beta, log_beta, rate, log_rate, slope, log_slope);
    const auto n = static_cast<Real>(spikes[i]);
    part[i] = rate * frame_s - n * log_rate;
    // d log r / d log beta = u d log r/du - 1
    beta_part[i] = (rate * frame_s - n) * (u[i] * log_slope - 1);
    u[i] = slope * frame_s - n * log_slope;
  }
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += static_cast<double>(part[i]), by_log_beta += static_cast<double>(beta_part[i]);
  return sum;
}

/// The gradient of one pathway's parameters.
template <class Real>
void pathway_gradient(const Shape& shape, const Bases& bases, const CellData& data, std::span<const Real> own, Block<Real>& block,
                      std::size_t k, Range range, Real* gradient) {
  const std::size_t S = shape.bumps, J = shape.courses, T = block.lags, count = block.count;
  const auto unit = static_cast<Real>(shape.unit_hz);
  const Real* h = block.activity_of(k);
  const Real weight = unit * own[S + J + 1];
  // dloss/dz with T - 1 zeros on both sides.
  std::vector<Real> padded(count + 2 * (T - 1), Real(0)), earlier(block.longer, Real(0)), by_lag(T);
  Real* inner = padded.data() + (T - 1);
  for (std::size_t i = 0; i < count; ++i) inner[i] = h[i] > 0 ? weight * block.input[i] : Real(0);
  const std::vector<Real> ones(count, Real(1));
  const Real *seen = block.seen_by(k), *course = block.course.data() + k * T;
  dot_rows(
      block.input.data(), count, 1, [&](std::size_t) { return h; },
      [&](std::size_t, Real sum) { gradient[S + J + 1] += unit * sum; });
  dot_rows(
      inner, count, 1, [&](std::size_t) { return ones.data(); }, [&](std::size_t, Real sum) { gradient[S + J] += sum; });
  dot_rows(
      inner, count, T, [&](std::size_t l) { return seen + (T - 1 - l); }, [&](std::size_t l, Real sum) { by_lag[l] = sum; });
  for (std::size_t j = 0; j < J; ++j)
    for (std::size_t l = 0; l < T; ++l) gradient[S + j] += static_cast<Real>(bases.course(j, l)) * by_lag[l];
  add_rows(
      earlier.data(), block.longer, T, [&](std::size_t l) { return padded.data() + l; },
      [&](std::size_t l) { return course[l]; });
  dot_rows(
      earlier.data(), block.longer, S, [&](std::size_t s) { return data.bump(s) + (range.begin - (T - 1)); },
      [&](std::size_t s, Real sum) { gradient[s] += sum; });
}

std::vector<float> single(const Model& model) { return {model.values.begin(), model.values.end()}; }

double seconds_of(const CellData& data, const std::vector<Range>& blocks) {
  std::size_t frames = 0;
  for (const Range& block : blocks) frames += block.size();
  return static_cast<double>(frames) * data.frame_s;
}

}  // namespace

template <class Real>
double block_loss(const Shape& shape, const Bases& bases, const CellData& data, std::span<const Real> parameters, Range range,
                  Real* gradient) {
  Block<Real> block = forward(shape, bases, data, parameters, range);
  double by_log_beta = 0;
  const double loss = output_loss(data, range, parameters[1], block.input, by_log_beta);
  if (gradient == nullptr) return loss;
  Real by_rest = 0;
  for (Real slope : block.input) by_rest += slope;
  gradient[0] += static_cast<Real>(shape.unit_hz) * by_rest;
  gradient[1] += static_cast<Real>(by_log_beta);
  for (std::size_t k = 0; k < block.pathways; ++k) {
    const std::size_t at = 2 + k * shape.pathway_size();
    pathway_gradient(shape, bases, data, parameters.subspan(at, shape.pathway_size()), block, k, range, gradient + at);
  }
  return loss;
}

template double block_loss(const Shape&, const Bases&, const CellData&, std::span<const float>, Range, float*);
template double block_loss(const Shape&, const Bases&, const CellData&, std::span<const double>, Range, double*);

core::Array<double, 2> losses(const Shape& shape, const Bases& bases, const CellData& data, const std::vector<Model>& models,
                              const std::vector<Range>& blocks) {
  std::vector<std::vector<float>> parameters;
  for (const Model& model : models) parameters.push_back(single(model));
  core::Array<double, 2> loss({models.size(), blocks.size()});
  for_each_item("pathway::losses", loss.size(), [&](std::size_t i) {
    const std::size_t m = i % models.size(), b = i / models.size();
    loss(m, b) = block_loss<float>(shape, bases, data, parameters[m], blocks[b], nullptr);
  });
  return loss;
}

Slopes slopes(const Shape& shape, const Bases& bases, const CellData& data, const std::vector<Model>& models,
              const std::vector<Range>& blocks) {
  const std::size_t M = models.size(), B = blocks.size();
  std::vector<std::vector<float>> parameters, parts(M * B);
  for (const Model& model : models) parameters.push_back(single(model));
  std::vector<double> loss(M * B);
  for_each_item("pathway::slopes", M * B, [&](std::size_t i) {
    // All models on one block, then the next: its stimulus stays in the cache.
    const std::size_t m = i % M, b = i / M, at = m * B + b;
    parts[at].assign(parameters[m].size(), 0.0F);
    loss[at] = block_loss<float>(shape, bases, data, parameters[m], blocks[b], parts[at].data());
  });
  const double seconds = seconds_of(data, blocks);
  Slopes slopes{std::vector<double>(M, 0.0), {}};
  for (std::size_t m = 0; m < M; ++m) {
    std::vector<double> gradient(parameters[m].size(), 0.0);
    for (std::size_t b = 0; b < B; ++b) {
      slopes.loss[m] += loss[m * B + b] / seconds;
      for (std::size_t p = 0; p < gradient.size(); ++p) gradient[p] += static_cast<double>(parts[m * B + b][p]) / seconds;
    }
    slopes.gradient.push_back(std::move(gradient));
  }
  return slopes;
}

Response respond(const Shape& shape, const Bases& bases, const CellData& data, const Model& model, Range range) {
  const std::vector<float> parameters = single(model);
  Block<float> block = forward<float>(shape, bases, data, parameters, range);
  Response response{core::Array<float, 2>({block.pathways, block.count}, std::move(block.activity)), {}};
  const float beta = std::exp(parameters[1]);
  for (float u : block.input) {
    float rate = 0, log_rate = 0, slope = 0, log_slope = 0;
    output(u, beta, parameters[1], rate, log_rate, slope, log_slope);
    response.rate_hz.push_back(rate);
  }
  return response;
}

}  // namespace amacrine::pathway
