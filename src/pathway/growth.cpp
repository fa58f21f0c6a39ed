// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/growth.hpp"

#include "amacrine/parallel/stop.hpp"
#include "amacrine/pathway/screening.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace amacrine::pathway {

namespace {

/// Numbers the random blocks of one optimisation: by the number of pathways, and what is being done.
enum class Stage : std::uint64_t { grow = 1, grow_long, prune, prune_long, turn, turn_long };
std::uint64_t draw_of(std::size_t pathways, Stage stage) { return pathways * 8 + static_cast<std::uint64_t>(stage); }

/// Short fits of all starts, long ones of the best two of these. Where no short fit comes near `to_beat` (a loss), there is no
/// long one.
Step best_of(const Problem& problem, std::vector<Model> starts, std::uint64_t short_draw, std::uint64_t long_draw,
             double to_beat) {
  std::vector<Model> tried = optimise(problem, std::move(starts), problem.settings.short_steps, short_draw);
  const std::vector<double> loss = fitted_loss(problem, tried);
  std::vector<std::size_t> order(tried.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return loss[a] < loss[b]; });
  if (!(loss[order[0]] < to_beat)) return {tried[order[0]], tried[order[0]], loss[order[0]], loss[order[0]], {}};
  std::vector<Model> finalists;
  for (std::size_t i = 0; i < std::min<std::size_t>(2, order.size()); ++i) finalists.push_back(std::move(tried[order[i]]));
  finalists = optimise(problem, std::move(finalists), problem.settings.long_steps, long_draw);
  const std::vector<double> last = fitted_loss(problem, finalists);
  const std::size_t first = last.size() > 1 && last[1] < last[0] ? 1 : 0, second = last.size() > 1 ? 1 - first : first;
  return {finalists[first], finalists[second], last[first], last[second], {}};
}

/// Mean contribution of each pathway over the fitted frames, Hz.
std::vector<double> contributions(const Problem& problem, const Model& model) {
  std::vector<double> mean(model.pathways(problem.shape), 0.0);
  double frames = 0;
  const std::vector<Range> blocks = blocks_of(problem.fitted, block_frames);
  for (std::size_t b = 0; b < blocks.size(); b += 8) {
    const Response response = respond(problem.shape, problem.bases, problem.data, model, blocks[b]);
    frames += static_cast<double>(blocks[b].size());
    for (std::size_t k = 0; k < mean.size(); ++k)
      for (float h : response.activity.row(k)) mean[k] += static_cast<double>(h);
  }
  for (std::size_t k = 0; k < mean.size(); ++k) mean[k] *= model.weight(problem.shape, k) * problem.shape.unit_hz / frames;
  return mean;
}

/// A spatial profile moved by whole bumps; what comes from outside is 0.
std::vector<double> moved(std::span<const double> space, int dy, int dx) {
  const auto n = static_cast<int>(std::lround(std::sqrt(static_cast<double>(space.size()))));
  std::vector<double> result(space.size(), 0.0);
  for (int y = std::max(0, dy); y < std::min(n, n + dy); ++y)
    for (int x = std::max(0, dx); x < std::min(n, n + dx); ++x)
      result[static_cast<std::size_t>(y * n + x)] = space[static_cast<std::size_t>((y - dy) * n + x - dx)];
  return result;
}

/// Pathway k as two of half the weight, a bump to either side along y or x: one filter stands for neighbouring sub-units as long
/// as there are fewer pathways than these.
Model divided(const Shape& shape, const Model& model, std::size_t k, bool along_y) {
  const std::span<const double> whole = model.pathway(shape, k);
  std::vector<double> half(whole.begin(), whole.end());
  half.back() *= 0.5;
  const auto place = [&](int side) {
    const std::vector<double> space = moved(model.space(shape, k), along_y ? side : 0, along_y ? 0 : side);
    std::copy(space.begin(), space.end(), half.begin());
  };
  place(1);
  Model larger = with_pathway(model, half);
  place(-1);
  std::copy(half.begin(), half.end(), larger.pathway(shape, k).begin());
  return larger;
}

Step grown(const Problem& problem, const Step& smaller) {
  const std::size_t pathways = smaller.model.pathways(problem.shape) + 1;
  std::vector<Model> starts;
  for (const Candidate& candidate : screen(problem, smaller.model, static_cast<std::size_t>(problem.settings.candidates)))
    starts.push_back(with_pathway(smaller.model, candidate.pathway));
  for (std::size_t k = 0; k + 1 < pathways; ++k)
    for (bool along_y : {false, true}) starts.push_back(divided(problem.shape, smaller.model, k, along_y));
  if (starts.empty()) return smaller;
  return best_of(problem, std::move(starts), draw_of(pathways, Stage::grow), draw_of(pathways, Stage::grow_long), INFINITY);
}

Step pruned(const Problem& problem, const Step& larger, double to_beat) {
  const std::size_t pathways = larger.model.pathways(problem.shape);
  const std::vector<double> mean = contributions(problem, larger.model);
  std::vector<Model> starts;
  for (std::size_t k = 0; k < pathways; ++k) starts.push_back(without_pathway(problem.shape, larger.model, k, mean[k]));
  return best_of(problem, std::move(starts), draw_of(pathways - 1, Stage::prune), draw_of(pathways - 1, Stage::prune_long),
                 to_beat);
}

/// Each pathway in turn answers on the other side of its threshold, w max(0, x) being w x + w max(0, -x): where the others can
/// take over what is linear, both sides fit alike at first, and fits do not pass from one to the other by themselves.
Step turned(const Problem& problem, const Step& step) {
  const Shape& shape = problem.shape;
  const std::size_t pathways = step.model.pathways(shape);
  std::vector<Model> starts;
  for (std::size_t k = 0; k < pathways; ++k) {
    Model model = step.model;
    const std::span<double> own = model.pathway(shape, k);
    for (std::size_t i = shape.bumps; i <= shape.bumps + shape.courses; ++i) own[i] = -own[i];
    starts.push_back(std::move(model));
  }
  return best_of(problem, std::move(starts), draw_of(pathways, Stage::turn), draw_of(pathways, Stage::turn_long), INFINITY);
}

/// Of two steps of as many pathways, the better one with the next best of all four models as the runner-up.
Step better_of(Step a, Step b) {
  if (b.loss < a.loss) std::swap(a, b);
  if (b.loss < a.runner_up_loss) a.runner_up = std::move(b.model), a.runner_up_loss = b.loss;
  return a;
}

void score(const Problem& problem, Step& step) { step.held_out = held_out_loss(problem, step.model); }

double mean_rate(const Problem& problem) {
  double spikes = 0;
  for (const Range& range : problem.fitted)
    for (std::size_t f = range.begin; f < range.end; ++f) spikes += static_cast<double>(problem.data.counts[f]);
  return spikes / problem.fitted_seconds();
}

/// By how much a short fit's loss may be above a long one's and still have a chance: a part of what pathways gain at all.
double margin(const Step& constant, const Step& larger) { return 0.05 * (constant.loss - larger.loss); }

/// Whether the last pathway gained nothing that the held-out frames can tell.
bool settled(const std::vector<Step>& steps) {
  if (steps.size() < 3) return false;
  const Difference gain = difference(steps[steps.size() - 1], steps[steps.size() - 2]);
  return !(gain.mean > significant_errors * gain.error);
}

}  // namespace

std::vector<double> held_out_loss(const Problem& problem, const Model& model) {
  const std::vector<Range> blocks = blocks_of(problem.held_out, block_frames);
  const core::Array<double, 2> loss = losses(problem.shape, problem.bases, problem.data, {model}, blocks);
  std::vector<double> per_second;
  for (std::size_t b = 0; b < blocks.size(); ++b)
    per_second.push_back(loss(0, b) / (static_cast<double>(blocks[b].size()) * problem.data.frame_s));
  return per_second;
}

Difference over_blocks(std::span<const double> blocks) {
  const auto n = static_cast<double>(blocks.size());
  double mean = 0, square = 0;
  for (double value : blocks) mean += value / n;
  for (double value : blocks) square += std::pow(value - mean, 2);
  return {mean, n > 1 ? std::sqrt(square / (n - 1) / n) : INFINITY};
}

Difference difference(const Step& a, const Step& b) {
  std::vector<double> more(a.held_out.size());
  for (std::size_t i = 0; i < more.size(); ++i) more[i] = b.held_out[i] - a.held_out[i];
  return over_blocks(more);
}

Difference mean_loss(const Step& step) { return over_blocks(step.held_out); }

std::size_t lowest(const std::vector<Step>& steps) {
  std::size_t best = 0;
  for (std::size_t k = 1; k < steps.size(); ++k)
    if (difference(steps[best], steps[k]).mean < 0) best = k;
  return best;
}

std::size_t chosen(const std::vector<Step>& steps) {
  const std::size_t best = lowest(steps);
  for (std::size_t k = 0; k < best; ++k) {
    const Difference worse = difference(steps[best], steps[k]);
    if (worse.mean <= significant_errors * worse.error) return k;
  }
  return best;
}

std::vector<Step> grow(const Problem& problem) {
  const Model constant = constant_model(problem.shape, mean_rate(problem));
  std::vector<Step> steps{{constant, constant, 0, 0, {}}};
  steps[0].loss = steps[0].runner_up_loss = fitted_loss(problem, {constant})[0];
  score(problem, steps[0]);
  while (steps.size() <= static_cast<std::size_t>(problem.settings.most) && !settled(steps) && !parallel::stop_asked()) {
    Step larger = grown(problem, steps.back());
    if (larger.model.values.size() == steps.back().model.values.size()) break;
    // Not inside of the call: arguments are computed in any order, and `larger` is moved from.
    Step other_side = turned(problem, larger);
    larger = better_of(std::move(larger), std::move(other_side));
    if (steps.size() > 1) {
      Step smaller = pruned(problem, larger, steps.back().loss + margin(steps[0], larger));
      if (smaller.loss < steps.back().loss) {
        score(problem, smaller);
        steps.back() = std::move(smaller);
        Step again = grown(problem, steps.back());
        larger = better_of(std::move(larger), std::move(again));
      }
    }
    score(problem, larger);
    steps.push_back(std::move(larger));
  }
  return steps;
}

}  // namespace amacrine::pathway
