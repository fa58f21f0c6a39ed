// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/screening.hpp"

#include "filter_loops.hpp"
#include "inverse.hpp"
#include "threads.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace amacrine::pathway {

namespace {

constexpr std::size_t screened_blocks = 160;

/// Blocks spread evenly over the fitted frames.
std::vector<Range> some_blocks(const Problem& problem) {
  const std::vector<Range> all = blocks_of(problem.fitted, block_frames);
  const std::size_t count = std::min(screened_blocks, all.size());
  std::vector<Range> some;
  for (std::size_t i = 0; i < count; ++i) some.push_back(all[i * all.size() / count]);
  return some;
}

std::vector<std::vector<double>> spatial_profiles(const Bases& bases, double spacing_px) {
  std::vector<std::vector<double>> profiles;
  for (double sigma : {0.75, 1.5, 3.0}) profiles.push_back(bases.gaussian(0, 0, sigma * spacing_px));
  for (double offset : {-3.0, -2.0, -1.0, 1.0, 2.0, 3.0}) {
    profiles.push_back(bases.gaussian(offset * spacing_px, 0, 0.75 * spacing_px));
    profiles.push_back(bases.gaussian(0, offset * spacing_px, 0.75 * spacing_px));
  }
  return profiles;
}

/// Coefficients (J) of time courses of one lobe, and of two that cancel.
std::vector<std::vector<double>> time_courses(const Bases& bases) {
  const std::size_t T = bases.lags();
  const auto lobe = [&](double peak, double order) {
    std::vector<double> values(T);
    for (std::size_t l = 0; l < T; ++l) {
      const double at = static_cast<double>(l) / peak;
      values[l] = std::pow(at, order) * std::exp(order * (1 - at));
    }
    return values;
  };
  const auto sum = [](const std::vector<double>& values) {
    double total = 0;
    for (double v : values) total += v;
    return total;
  };
  std::vector<std::vector<double>> courses;
  for (double part : {0.075, 0.125, 0.2, 0.3, 0.425}) {
    const double peak = part * static_cast<double>(T);
    courses.push_back(bases.fitted(lobe(peak, 3)));
    std::vector<double> early = lobe(peak, 4);
    const std::vector<double> late = lobe(2 * peak, 4);
    const double share = sum(early) / sum(late);
    for (std::size_t l = 0; l < T; ++l) early[l] -= share * late[l];
    courses.push_back(bases.fitted(early));
  }
  return courses;
}

/// The model's state on the screened frames: slope and curvature of the loss by u (per Hz), and what the model's own weights and
/// rest can change.
struct State {
  std::vector<Range> blocks;
  std::vector<float> slope, curvature;       ///< (F)
  std::vector<std::vector<float>> own;       ///< (K + 1) of (F): h of the pathways, and ones
  std::vector<std::vector<float>> weighted;  ///< the same times the curvature
  std::vector<double> inverse;               ///< (K + 1)^2, of the matrix own' W own
  std::vector<double> step;                  ///< (K + 1) Newton step of the model's own weights and rest, Hz: inverse own' slope
};

double product(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  dot_rows(
      a.data(), a.size(), 1, [&](std::size_t) { return b.data(); },
      [&](std::size_t, float all) { sum = static_cast<double>(all); });
  return sum;
}

std::vector<float> times(const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<float> result(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) result[i] = a[i] * b[i];
  return result;
}

State state_of(const Problem& problem, const Model& model) {
  State state{some_blocks(problem), {}, {}, {}, {}, {}, {}};
  const std::size_t K = model.pathways(problem.shape), n = K + 1;
  state.own.resize(n);
  const double beta = model.beta();
  const auto frame_s = static_cast<float>(problem.data.frame_s);
  for (const Range& block : state.blocks) {
    const Response response = respond(problem.shape, problem.bases, problem.data, model, block);
    for (std::size_t k = 0; k < K; ++k)
      state.own[k].insert(state.own[k].end(), response.activity.row(k).begin(), response.activity.row(k).end());
    for (std::size_t i = 0; i < block.size(); ++i) {
      // r = log(1 + exp(beta u)) / beta, so dr/du = 1 - exp(-beta r).
      const float rate = std::max(response.rate_hz[i], 1e-6F), slope = -std::expm1(-static_cast<float>(beta) * rate);
      state.slope.push_back(slope * (frame_s - problem.data.counts[block.begin + i] / rate));
      state.curvature.push_back(slope * slope * frame_s / rate);
      state.own[K].push_back(1.0F);
    }
  }
  for (const std::vector<float>& own : state.own) state.weighted.push_back(times(own, state.curvature));
  std::vector<double> products(n * n);
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b) products[a * n + b] = product(state.own[a], state.weighted[b]);
  state.inverse = inverse_of(products, n);
  state.step.assign(n, 0.0);
  for (std::size_t b = 0; b < n; ++b) {
    const double slope = product(state.slope, state.own[b]);
    for (std::size_t a = 0; a < n; ++a) state.step[a] += state.inverse[a * n + b] * slope;
  }
  return state;
}

/// The filter's output on the screened frames, without a threshold.
std::vector<float> filtered(const Problem& problem, const std::vector<Range>& blocks, const std::vector<double>& space,
                            const std::vector<double>& course) {
  const std::size_t T = problem.bases.lags();
  std::vector<float> output, seen;
  for (const Range& block : blocks) {
    const std::size_t longer = block.size() + T - 1, first = block.begin - (T - 1);
    seen.assign(longer, 0.0F);
    add_rows(
        seen.data(), longer, problem.data.bumps, [&](std::size_t s) { return problem.data.bump(s) + first; },
        [&](std::size_t s) { return static_cast<float>(space[s]); });
    const std::size_t at = output.size();
    output.resize(at + block.size(), 0.0F);
    add_rows(
        output.data() + at, block.size(), T, [&](std::size_t l) { return seen.data() + (T - 1 - l); },
        [&](std::size_t l) { return static_cast<float>(course[l]); });
  }
  return output;
}

double sd_of(const std::vector<float>& values) {
  double sum = 0, square = 0;
  for (float v : values) sum += static_cast<double>(v), square += static_cast<double>(v) * static_cast<double>(v);
  const double n = static_cast<double>(values.size());
  return std::sqrt(std::max(square / n - sum * sum / n / n, 0.0));
}

/// Score and Newton step of the weight of max(0, sign z + threshold).
struct Rating {
  double score = 0, weight_hz = 0;
};
Rating rate(const State& state, const std::vector<float>& z, float sign, float threshold) {
  std::vector<float> h(z.size());
  for (std::size_t i = 0; i < z.size(); ++i) h[i] = std::max(0.0F, sign * z[i] + threshold);
  const std::size_t n = state.own.size();
  std::vector<double> shared(n);
  for (std::size_t a = 0; a < n; ++a) shared[a] = product(h, state.weighted[a]);
  const double whole = product(times(h, state.curvature), h);
  double left = whole, by_weight = product(state.slope, h);
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b) left -= shared[a] * state.inverse[a * n + b] * shared[b];
  // A model that is not quite at its optimum could gain by its own weights and rest: no merit of h.
  for (std::size_t a = 0; a < n; ++a) by_weight -= shared[a] * state.step[a];
  if (!(left > 1e-4 * whole)) return {};
  return {by_weight * by_weight / left, -by_weight / left};
}

/// The pathway as parameters; outputs brought to sd 1.
std::vector<double> as_pathway(const Problem& problem, const std::vector<double>& space, const std::vector<double>& time,
                               double sd, double threshold, double weight_hz) {
  // A whole Newton step is far outside of where the slope holds.
  constexpr double damped = 0.5, most = 1.0;
  std::vector<double> pathway = space;
  for (double v : time) pathway.push_back(v / sd);
  pathway.push_back(threshold / sd);
  pathway.push_back(std::clamp(damped * weight_hz * sd / problem.shape.unit_hz, -most, most));
  return pathway;
}

/// All thresholds and signs of one filter.
void rate_filter(const Problem& problem, const State& state, const std::vector<double>& space, const std::vector<double>& time,
                 std::vector<Candidate>& found) {
  const std::vector<float> z = filtered(problem, state.blocks, space, problem.bases.time_course(time));
  const double sd = sd_of(z);
  if (!(sd > 0)) return;
  constexpr std::size_t every = 7;  // for quantiles
  std::vector<float> sorted;
  for (std::size_t i = 0; i < z.size(); i += every) sorted.push_back(z[i]);
  std::sort(sorted.begin(), sorted.end());
  for (float sign : {1.0F, -1.0F})
    for (double closed : {0.02, 0.5, 0.85}) {
      const double rank = sign > 0 ? closed : 1 - closed;
      const float threshold = -sign * sorted[static_cast<std::size_t>(rank * static_cast<double>(sorted.size() - 1))];
      const Rating rating = rate(state, z, sign, threshold);
      if (!(rating.score > 0)) continue;
      std::vector<double> signed_time = time;
      for (double& v : signed_time) v *= static_cast<double>(sign);
      found.push_back(
          {as_pathway(problem, space, signed_time, sd, static_cast<double>(threshold), rating.weight_hz), rating.score});
    }
}

/// The cosine between two pathways' filters, as coefficients.
double likeness(const Shape& shape, const std::vector<double>& a, const std::vector<double>& b) {
  const auto product = [](const double* x, const double* y, std::size_t n) { return std::inner_product(x, x + n, y, 0.0); };
  const auto cosine = [&](const double* x, const double* y, std::size_t n) {
    return product(x, y, n) / std::sqrt(product(x, x, n) * product(y, y, n));
  };
  return cosine(a.data(), b.data(), shape.bumps) * cosine(a.data() + shape.bumps, b.data() + shape.bumps, shape.courses);
}

}  // namespace

std::vector<Candidate> screen(const Problem& problem, const Model& model, std::size_t wanted) {
  constexpr double alike = 0.8;
  const State state = state_of(problem, model);
  const auto profiles = spatial_profiles(problem.bases, problem.settings.spacing_px), courses = time_courses(problem.bases);
  std::vector<std::vector<Candidate>> found(profiles.size() * courses.size());
  for_each_item("pathway::screen", found.size(), [&](std::size_t i) {
    rate_filter(problem, state, profiles[i / courses.size()], courses[i % courses.size()], found[i]);
  });
  std::vector<Candidate> all, kept;
  for (auto& part : found) std::move(part.begin(), part.end(), std::back_inserter(all));
  std::stable_sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  for (Candidate& candidate : all) {
    if (kept.size() == wanted) break;
    const auto same = [&](const Candidate& other) {
      return likeness(problem.shape, candidate.pathway, other.pathway) >= alike &&
             (candidate.pathway.back() > 0) == (other.pathway.back() > 0);
    };
    if (std::none_of(kept.begin(), kept.end(), same)) kept.push_back(std::move(candidate));
  }
  return kept;
}

}  // namespace amacrine::pathway
