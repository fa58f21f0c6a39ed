// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/random.hpp"
#include "amacrine/recording/smoothing.hpp"
#include "amacrine/stimulus/responses.hpp"
#include "circuit_support.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

/// The probes in either contrast, and recorded trials of a cell whose rates are known.
namespace amacrine::recording::presence {

using stimulus::CellResponses;
using stimulus::Condition;
using stimulus::PhenomenonFigures;
using stimulus::Presence;
using namespace published;
using test::screen;

/// The catalogue of the circuits in one contrast: -1 dark, as the probes are defined; +1 bright.
inline std::vector<Condition> catalogue(int contrast) {
  std::vector<Condition> all{stimulus::grey_condition()};
  stimulus::OsrProbe osr;
  stimulus::LatencyProbe latency;
  stimulus::ReversalProbe reversal;
  stimulus::AnticipationProbe anticipation;
  stimulus::named_probe(stimulus::ParameterSet::circuits, anticipation);
  osr.contrast *= -contrast;
  for (double& value : latency.contrasts) value *= -contrast;
  reversal.contrast *= -contrast;
  reversal.positions_px = {-2, 0, 2};
  anticipation.contrast *= -contrast;
  const auto add = [&all](std::vector<Condition> more) { all.insert(all.end(), more.begin(), more.end()); };
  add(stimulus::conditions(osr, screen));
  add(stimulus::conditions(latency, screen));
  add(stimulus::conditions(reversal, screen));
  add(stimulus::conditions(anticipation, screen));
  return all;
}

inline std::vector<Presence> verdicts(const PhenomenonFigures& f) {
  return {f.osr.overall, f.latency.overall, f.reversal.overall, f.anticipation.overall};
}

inline std::string present(const PhenomenonFigures& f) {
  const std::vector<std::string> names{"osr", "latency", "reversal", "anticipation"};
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (verdicts(f)[i] == Presence::present) text += (text.empty() ? "" : " ") + names[i];
  return text;
}

inline std::string figures_of(const PhenomenonFigures& f) {
  std::string text = fmt::format(
      "osr {} slope {:.2f} ({:.2f} to {:.2f}) ratio {:.2f} support {:.2f}; latency {} {:.0f} ms support {:.2f}; "
      "reversal {} ratio {:.2f} sd {:.1f} support {:.2f}; anticipation {}",
      presence_name(f.osr.overall), f.osr.slope, f.osr.slope_interval.low, f.osr.slope_interval.high, f.osr.min_ratio,
      f.osr.support, presence_name(f.latency.overall), f.latency.total_shift_ms, f.latency.support,
      presence_name(f.reversal.overall), f.reversal.ratio, f.reversal.latency_sd_ms, f.reversal.support,
      presence_name(f.anticipation.overall));
  for (const auto& d : f.anticipation.directions) text += fmt::format(" {:.0f}", d.ahead_um);
  return text;
}

/// Mean over 100 trials, in ten groups of ten, of Poisson spikes in bins of a frame smoothed by a Gaussian of 10 ms.
struct Trials {
  CellResponses mean;
  std::vector<CellResponses> groups;
};
inline Trials record(const CellResponses& rate, std::uint64_t seed) {
  constexpr int groups = 10, each = 10;
  core::Random random(seed, core::Stream::probe, 7);
  Trials made{rate, std::vector(groups, rate)};
  for (std::size_t k = 0; k < rate.size(); ++k) {
    std::fill(made.mean[k].begin(), made.mean[k].end(), 0.0);
    for (CellResponses& group : made.groups) {
      std::vector<float> counts;
      for (const double hz : rate[k]) counts.push_back(static_cast<float>(random.poisson(each * hz * 0.01)));
      const std::vector<float> smooth = firing_rate(counts, 10.0, 10.0);
      for (std::size_t t = 0; t < smooth.size(); ++t) {
        group[k][t] = static_cast<double>(smooth[t]) / each;
        made.mean[k][t] += group[k][t] / groups;
      }
    }
  }
  return made;
}

inline PhenomenonFigures judge_trials(const std::vector<Condition>& shown, const CellResponses& rate, std::uint64_t seed) {
  const Trials trials = record(rate, seed);
  stimulus::Responses all;
  all.rate_hz = {trials.mean};
  all.conditions = shown;
  return stimulus::measure_trials(shown, trials.mean, trials.groups, screen, stimulus::ParameterSet::circuits,
                                  stimulus::cell_threshold(all, 0), 100);
}

}  // namespace amacrine::recording::presence
