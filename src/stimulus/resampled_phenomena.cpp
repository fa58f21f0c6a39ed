// SPDX-License-Identifier: Apache-2.0
// All four phenomena of one cell, and how sure they are where responses are averages over trials.
#include "amacrine/core/random.hpp"
#include "measuring.hpp"

#include <algorithm>

namespace amacrine::stimulus {
namespace {

/// Percentiles 2.5 and 97.5; NaN where there are no finite values.
Interval percentiles(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&values](double share) {
    return values[static_cast<std::size_t>(std::lround(share * static_cast<double>(values.size() - 1)))];
  };
  return {at(0.025), at(0.975)};
}

/// Means over as many groups as there are, drawn with replacement; the same draw for all conditions.
CellResponses resample(const std::vector<CellResponses>& groups, core::Random& random) {
  CellResponses mean = groups.front();
  for (auto& response : mean) std::fill(response.begin(), response.end(), 0.0);
  for (std::size_t draw = 0; draw < groups.size(); ++draw) {
    const double share = random.uniform() * static_cast<double>(groups.size());
    const CellResponses& group = groups[std::min(static_cast<std::size_t>(share), groups.size() - 1)];
    for (std::size_t k = 0; k < mean.size(); ++k)
      for (std::size_t t = 0; t < mean[k].size(); ++t) mean[k][t] += group[k][t] / static_cast<double>(groups.size());
  }
  return mean;
}

/// Smoothed in time by a Gaussian that is normalised over the frames there are.
CellResponses smoothed(const CellResponses& responses, double frame_ms) {
  const double sigma = presence_rules.trial_smoothing_ms / frame_ms;
  const auto reach = static_cast<std::ptrdiff_t>(std::ceil(4 * sigma));
  CellResponses made = responses;
  for (std::size_t k = 0; k < responses.size(); ++k) {
    const auto frames = static_cast<std::ptrdiff_t>(responses[k].size());
    for (std::ptrdiff_t t = 0; t < frames; ++t) {
      double sum = 0, mass = 0;
      for (std::ptrdiff_t u = std::max<std::ptrdiff_t>(0, t - reach); u < std::min(frames, t + reach + 1); ++u) {
        const double off = static_cast<double>(u - t) / sigma, weight = std::exp(-0.5 * off * off);
        sum += weight * responses[k][static_cast<std::size_t>(u)];
        mass += weight;
      }
      made[k][static_cast<std::size_t>(t)] = sum / mass;
    }
  }
  return made;
}

using Many = std::vector<PhenomenonFigures>;

template <class Value>
Interval range_of(const Many& draws, Value value) {
  std::vector<double> values;
  for (const PhenomenonFigures& draw : draws) values.push_back(value(draw));
  return percentiles(std::move(values));
}

template <class Shows>
double share_of(const Many& draws, Shows shows) {
  return static_cast<double>(std::count_if(draws.begin(), draws.end(), shows)) / static_cast<double>(draws.size());
}

/// A phenomenon the mean shows but too few draws do is uncertain.
void doubt(Presence& presence, double support) {
  if (presence == Presence::present && !(support >= presence_rules.least_support)) presence = Presence::uncertain;
}

void add_intervals(OsrFigures& f, const Many& draws) {
  const bool measured = !is_absent(f.overall);
  if (measured) f.slope_interval = range_of(draws, [](const auto& d) { return d.osr.slope; });
  if (measured) f.ratio_interval = range_of(draws, [](const auto& d) { return d.osr.min_ratio; });
  f.support = share_of(draws, [](const auto& d) { return d.osr.overall == Presence::present; });
  doubt(f.overall, f.support);
  // A draw has the noise of the trials twice, so the interval of its slope has wider bounds.
  const bool within =
      f.slope_interval.low >= presence_rules.least_slope_bound && f.slope_interval.high <= presence_rules.most_slope_bound;
  if (f.overall == Presence::present && !within) f.overall = Presence::uncertain;
}

void add_intervals(AnticipationFigures& f, const Many& draws) {
  for (std::size_t i = 0; i < f.directions.size(); ++i) {
    AnticipationFigures::Direction& direction = f.directions[i];
    if (!is_absent(direction.lead))
      direction.ahead_interval = range_of(draws, [i](const auto& d) { return d.anticipation.directions[i].ahead_um; });
    const bool sure = direction.ahead_interval.low >= presence_rules.least_lead_bound_um;
    if (direction.lead == Presence::present && !sure) direction.lead = Presence::uncertain;
    doubt(direction.lead, share_of(draws, [i](const auto& d) { return d.anticipation.directions[i].lead == Presence::present; }));
  }
  f.support = share_of(draws, [](const auto& d) { return d.anticipation.overall == Presence::present; });
  const auto leads = [](const AnticipationFigures::Direction& d) { return d.lead == Presence::present; };
  const bool any = std::any_of(f.directions.begin(), f.directions.end(), leads);
  if (f.overall == Presence::present && !any) f.overall = Presence::uncertain;
}

}  // namespace

PhenomenonFigures measure_phenomena(const std::vector<Condition>& conditions, const CellResponses& responses,
                                    const Screen& screen, ParameterSet set, double threshold_hz, bool noisy) {
  PhenomenonFigures figures;
  figures.rest_hz = rest_rate(conditions, responses);
  figures.osr = reported(measure_osr(conditions, responses, screen, figures.rest_hz, set, threshold_hz), noisy);
  figures.osr_controls = measure_osr_controls(conditions, responses, screen, figures.rest_hz, set, threshold_hz);
  figures.latency = reported(measure_latency(conditions, responses, screen, figures.rest_hz, set, threshold_hz), noisy);
  figures.reversal = reported(measure_reversal(conditions, responses, screen, figures.rest_hz, set, threshold_hz));
  figures.anticipation = reported(measure_anticipation(conditions, responses, screen, figures.rest_hz, set, threshold_hz));
  return figures;
}

PhenomenonFigures measure_trials(const std::vector<Condition>& conditions, const CellResponses& responses,
                                 const std::vector<CellResponses>& groups, const Screen& screen, ParameterSet set,
                                 double threshold_hz, int resamples, std::uint64_t seed) {
  core::require<core::InputError>(groups.size() >= 2, "intervals over trials need at least 2 groups of them, not {}",
                                  groups.size());
  std::vector<CellResponses> smooth;
  for (const CellResponses& group : groups) smooth.push_back(smoothed(group, screen.frame_ms));
  PhenomenonFigures f = measure_phenomena(conditions, smoothed(responses, screen.frame_ms), screen, set, threshold_hz, true);
  Many draws;
  core::Random random(seed, core::Stream::probe, 1);
  for (int i = 0; i < resamples; ++i)
    draws.push_back(measure_phenomena(conditions, resample(smooth, random), screen, set, threshold_hz, true));
  add_intervals(f.osr, draws);
  if (!is_absent(f.latency.overall))
    f.latency.shift_interval = range_of(draws, [](const auto& d) { return d.latency.total_shift_ms; });
  f.latency.support = share_of(draws, [](const auto& d) { return d.latency.overall == Presence::present; });
  doubt(f.latency.overall, f.latency.support);
  if (f.latency.overall == Presence::present && !(f.latency.shift_interval.low >= presence_rules.least_shift_ms))
    f.latency.overall = Presence::uncertain;
  if (!is_absent(f.reversal.overall)) {
    f.reversal.ratio_interval = range_of(draws, [](const auto& d) { return d.reversal.ratio; });
    f.reversal.sd_interval = range_of(draws, [](const auto& d) { return d.reversal.latency_sd_ms; });
  }
  f.reversal.support = share_of(draws, [](const auto& d) { return d.reversal.overall == Presence::present; });
  doubt(f.reversal.overall, f.reversal.support);
  add_intervals(f.anticipation, draws);
  return f;
}

}  // namespace amacrine::stimulus
