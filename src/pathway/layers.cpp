// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/layers.hpp"

#include "amacrine/core/numbers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace amacrine::pathway {

namespace {

constexpr std::size_t least_blocks = 16;  ///< blocks become shorter than block_frames where there would be fewer

/// The frames from `first` on in blocks of the same length; what is left over at the end is not used.
std::vector<Range> blocks_of_test(std::size_t first, std::size_t frames, std::size_t history) {
  if (frames <= first) return {};
  const std::size_t count = frames - first, length = std::min(block_frames, std::max(history, count / least_blocks));
  const std::size_t whole = std::max<std::size_t>(1, length) * (count / std::max<std::size_t>(1, length));
  return blocks_of({{first, first + whole}}, std::max<std::size_t>(1, length));
}

template <class Value>
std::vector<double> means_of(const std::vector<Range>& blocks, const Value& value) {
  std::vector<double> means;
  for (const Range& block : blocks) {
    double sum = 0;
    for (std::size_t t = block.begin; t < block.end; ++t) sum += value(t);
    means.push_back(sum / static_cast<double>(block.size()));
  }
  return means;
}

/// Minus log likelihood of a trial in nats per second, block by block. A rate of 0 counts as the least number there is.
std::vector<double> losses_of(const std::vector<Range>& blocks, std::span<const float> rate, std::span<const float> target) {
  return means_of(blocks, [&](std::size_t t) {
    const double r = std::max(static_cast<double>(rate[t]), static_cast<double>(std::numeric_limits<float>::min()));
    return r - static_cast<double>(target[t]) * std::log(r);
  });
}

std::vector<double> less(std::vector<double> a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] -= b[i];
  return a;
}

double square(double value) { return value * value; }

/// Variance over repeats of the mean over repeats, of one frame.
double variance_of_mean(const std::vector<std::span<const float>>& repeats, std::size_t t) {
  const auto count = static_cast<double>(repeats.size());
  double mean = 0, squares = 0;
  for (const auto& trial : repeats) mean += static_cast<double>(trial[t]) / count;
  for (const auto& trial : repeats) squares += square(static_cast<double>(trial[t]) - mean);
  return squares / (count - 1) / count;
}

/// The squared error of the prediction less the noise of the mean over repeats and less the variance of the fit: this is half of
/// that of a fit to half of the recording, which is half of the mean squared difference of two such fits. Squares are divided by
/// the predicted plus the mean rate, so that the few frames of high rate do not decide alone.
Difference missed_share(const std::vector<Range>& blocks, const TestRates& rates, std::span<const float> target,
                        const std::vector<std::span<const float>>& repeats) {
  const auto at = [](std::span<const float> values, std::size_t t) { return static_cast<double>(values[t]); };
  const double mean = over_blocks(means_of(blocks, [&](std::size_t t) { return at(target, t); })).mean;
  const auto weight = [&](std::size_t t) { return 1 / (at(rates.pathways, t) + mean); };
  const Difference missed = over_blocks(means_of(blocks, [&](std::size_t t) {
    return weight(t) * (square(at(rates.pathways, t) - at(target, t)) - variance_of_mean(repeats, t) -
                        square(at(rates.halves[0], t) - at(rates.halves[1], t)) / 4);
  }));
  const double explainable = over_blocks(means_of(blocks, [&](std::size_t t) {
                               return weight(t) * (square(at(target, t) - mean) - variance_of_mean(repeats, t));
                             })).mean;
  return {missed.mean / explainable, explainable > 0 ? missed.error / explainable : core::undefined};
}

/// Whether the largest number of pathways that was tried still gains.
bool unsettled(const PathwaySettings& settings, const std::vector<Step>& steps) {
  if (steps.size() < 2 || steps.size() <= static_cast<std::size_t>(settings.most)) return false;
  const Difference gain = difference(steps[steps.size() - 1], steps[steps.size() - 2]);
  return gain.mean > significant_errors * gain.error;
}

LayerVerdict not_judged(LayerVerdict verdict, NotJudged reason) {
  verdict.verdict = OneLayer::not_judged, verdict.reason = reason;
  return verdict;
}

std::vector<std::span<const float>> repeats_of(const recording::Part& test, std::size_t n) {
  const auto& all = test.repeats;
  std::vector<std::span<const float>> trials;
  for (std::size_t r = 0; r < all.extent(0); ++r)
    trials.push_back(std::span(all.values()).subspan((r * all.extent(1) + n) * all.extent(2), all.extent(2)));
  return trials;
}

}  // namespace

LayerVerdict judge(const TestRates& rates, std::span<const float> target, const std::vector<std::span<const float>>& repeats,
                   std::size_t first) {
  constexpr Difference unknown{core::undefined, core::undefined};
  LayerVerdict v{OneLayer::not_judged, NotJudged::judged, 0, unknown, unknown, unknown, unknown};
  const std::vector<Range> blocks = blocks_of_test(first, target.size(), first + 1);
  if (blocks.size() < 2) return not_judged(v, NotJudged::too_short);
  const std::vector<double> own = losses_of(blocks, rates.pathways, target);
  v.pathways = over_blocks(own);
  const bool repeated = repeats.size() >= 2;
  if (repeated) v.missed = missed_share(blocks, rates, target, repeats);
  if (rates.network.empty()) return not_judged(v, NotJudged::no_network);
  const std::vector<double> other = losses_of(blocks, rates.network, target);
  v.network = over_blocks(other), v.network_above = over_blocks(less(other, own));
  if (v.network_above.mean < -significant_errors * v.network_above.error) {
    v.verdict = OneLayer::not_enough;
    return v;
  }
  if (!repeated) return not_judged(v, NotJudged::no_repeats);
  if (!(v.missed.mean <= significant_errors * v.missed.error)) return not_judged(v, NotJudged::both_miss);
  v.verdict = OneLayer::enough;
  return v;
}

LayerVerdict judge_layers(const Study& study, const CellFit& fit, std::size_t n, const NetworkRates& network) {
  constexpr Difference unknown{core::undefined, core::undefined};
  if (!fit.left_out.empty()) return {OneLayer::not_judged, NotJudged::not_fitted, 0, unknown, unknown, unknown, unknown};
  const recording::Part& test = study.recording.test;
  const std::size_t number = lowest(fit.folds[whole]);
  const auto over_test = [&](Fold fold) {
    return predict(study, fit, step_of(fit.folds[fold], number).model, study.recording.cells[n], test.movie);
  };
  TestRates rates{over_test(whole), {over_test(first_half), over_test(second_half)}, {}};
  if (network.rate.size() > 0) rates.network = network.rate.row(n);
  const std::size_t first = study.history - 1 + static_cast<std::size_t>(study.recording_settings.minimum_lag);
  LayerVerdict verdict = judge(rates, test.target.row(n), repeats_of(test, n), first);
  verdict.number = number;
  if (verdict.reason == NotJudged::no_network) verdict.reason = network.reason;
  if (verdict.verdict == OneLayer::enough && unsettled(study.settings, fit.folds[whole]))
    verdict = not_judged(verdict, NotJudged::unsettled);
  return verdict;
}

std::string words(const LayerVerdict& v) {
  const std::string test = fmt::format(
      "on the test part the network is {:.2f} ± {:.2f} nats per second {} {} pathway{}", std::abs(v.network_above.mean),
      v.network_above.error, v.network_above.mean < 0 ? "better than" : "worse than", v.number, v.number == 1 ? "" : "s");
  const std::string missed =
      fmt::format("the pathways miss {:.1f} ± {:.1f} % of the variance that repeats", 100 * v.missed.mean, 100 * v.missed.error);
  if (v.verdict == OneLayer::not_enough) return "one layer is not enough: " + test;
  if (v.verdict == OneLayer::enough) return fmt::format("one layer is enough: {}; {}", test, missed);
  switch (v.reason) {
    case NotJudged::not_fitted:
      return "layers not judged: the cell was not fitted";
    case NotJudged::no_network:
      return "layers not judged: there is no network (`amacrine train` makes one, and the same command then judges)";
    case NotJudged::other_network:
      return "layers not judged: the network is of other cells or another kind of recording";
    case NotJudged::no_repeats:
      return fmt::format("layers not judged: {}, and without repeats nothing says what both miss", test);
    case NotJudged::too_short:
      return "layers not judged: the test part is too short";
    case NotJudged::unsettled:
      return fmt::format("layers not judged: {}, but the largest number tried still gains; raise pathways.most", test);
    default:
      return std::isfinite(v.missed.error)
                 ? fmt::format("layers not judged: {}, but {}; a better network would tell", test, missed)
                 : fmt::format("layers not judged: {}, and nothing in the test part repeats", test);
  }
}

}  // namespace amacrine::pathway
