// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/network_evidence.hpp"

#include "amacrine/core/numbers.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>

#include <fmt/format.h>

namespace amacrine::pathway {

namespace {

double soft(double u, double beta) { return (std::max(beta * u, 0.0) + std::log1p(std::exp(-std::abs(beta * u)))) / beta; }

/// Mean slope of the output between two drives.
double mean_slope(const OutputOfPathways& output, double from, double to) {
  if (output.linear) return 1;
  const double beta = output.beta_per_hz, middle = 0.5 * (from + to);
  if (std::abs(beta * (to - from)) < 1e-6) return 1 / (1 + std::exp(-beta * middle));
  return (soft(to, beta) - soft(from, beta)) / (to - from);
}

/// Where on the path from grey a threshold is crossed, ends included, in order.
std::vector<double> kinks_of(const OutputOfPathways& output, std::span<const double> z) {
  std::vector<double> at{0, 1};
  for (std::size_t k = 0; k < z.size(); ++k)
    if (const double a = -output.threshold[k] / z[k]; a > 0 && a < 1) at.push_back(a);
  std::sort(at.begin(), at.end());
  return at;
}

/// Sums from which a correlation follows; blocks add up.
struct Moments2 {
  double n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
  void add(double x, double y) { n += 1, a += x, b += y, aa += x * x, bb += y * y, ab += x * y; }
  void add(const Moments2& o, double sign) {
    n += sign * o.n, a += sign * o.a, b += sign * o.b, aa += sign * o.aa, bb += sign * o.bb, ab += sign * o.ab;
  }
  double correlation() const {
    const double va = aa - a * a / n, vb = bb - b * b / n;
    constexpr double rounding = 1e-12;
    return va > rounding * aa && vb > rounding * bb ? (ab - a * b / n) / std::sqrt(va * vb) : core::undefined;
  }
};

/// A correlation and its standard error by a jackknife over blocks of windows.
Difference correlated(std::span<const double> a, std::span<const double> b) {
  constexpr std::size_t most_blocks = 16;
  const std::size_t blocks = std::min(most_blocks, a.size());
  std::vector<Moments2> parts(blocks);
  Moments2 all;
  for (std::size_t t = 0; t < a.size(); ++t) parts[t * blocks / a.size()].add(a[t], b[t]);
  for (const Moments2& part : parts) all.add(part, 1);
  double mean = 0, squares = 0;
  std::vector<double> without;
  for (const Moments2& part : parts) {
    Moments2 others = all;
    others.add(part, -1);
    const double r = others.correlation();
    // A block that holds all there is leaves nothing that correlates.
    without.push_back(r == r ? r : 0.0);
    mean += without.back() / static_cast<double>(blocks);
  }
  for (double r : without) squares += (r - mean) * (r - mean);
  const auto n = static_cast<double>(blocks);
  return {all.correlation(), n > 1 ? std::sqrt(squares * (n - 1) / n) : INFINITY};
}

/// The pathway a group follows; none where it follows none.
std::optional<std::size_t> followed(std::span<const double> group, const core::Array<double, 2>& pathways) {
  std::optional<std::size_t> best;
  Difference of_best{-INFINITY, 0};
  for (std::size_t k = 0; k < pathways.extent(0); ++k)
    if (const Difference r = correlated(group, pathways.row(k)); r.mean > of_best.mean) best = k, of_best = r;
  return of_best.mean > significant_errors * of_best.error ? best : std::nullopt;
}

double absolute_sum(std::span<const double> values) {
  double sum = 0;
  for (double v : values) sum += std::abs(v);
  return sum;
}

/// Filter outputs without thresholds (K, F) of a movie (F, Y, X) with grey before it; frame f of it is the newest one seen.
core::Array<double, 2> outputs_of(const FittedModel& fitted, core::Array<float, 3> movie) {
  const Shape& shape = fitted.fit.shape;
  const std::size_t F = movie.extent(0), T = fitted.bases.lags();
  recording::StoredMovie stored;
  stored.pixels = core::SharedArray<float, 3>(std::move(movie));
  const std::vector<float> seen = project(stored, {0, 1}, fitted.bases, fitted.centre);
  core::Array<double, 2> outputs({fitted.order.size(), F});
  for (std::size_t k = 0; k < fitted.order.size(); ++k) {
    const std::span<const double> space = fitted.model.space(shape, fitted.order[k]);
    const std::vector<double> course = fitted.bases.time_course(fitted.model.time(shape, fitted.order[k]));
    std::vector<double> profile(F, 0.0);
    for (std::size_t s = 0; s < space.size(); ++s)
      for (std::size_t f = 0; f < F; ++f) profile[f] += fitted.fit.scale * space[s] * static_cast<double>(seen[s * F + f]);
    for (std::size_t f = 0; f < F; ++f)
      for (std::size_t l = 0; l < std::min(T, f + 1); ++l) outputs(k, f) += course[l] * profile[f - l];
  }
  return outputs;
}

OutputOfPathways output_of(const FittedModel& fitted, bool linear) {
  const Shape& shape = fitted.fit.shape;
  OutputOfPathways output{fitted.model.rest() * shape.unit_hz, fitted.model.beta(), linear, {}, {}};
  for (std::size_t k : fitted.order) {
    output.weight_hz.push_back(fitted.model.weight(shape, k) * shape.unit_hz);
    output.threshold.push_back(fitted.model.threshold(shape, k));
  }
  return output;
}

/// Windows of one stimulus while its conditions are added: values of a window lie together.
struct Collected {
  std::size_t lines = 0, columns = 0, windows = 0;
  std::vector<double> pathways, network;
};

/// (A, B) of values that lie the other way round.
std::vector<double> transposed(const std::vector<double>& values, std::size_t rows) {
  const std::size_t columns = rows == 0 ? 0 : values.size() / rows;
  std::vector<double> turned(values.size());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) turned[j * rows + i] = values[i * columns + j];
  return turned;
}

void collect(const FittedModel& fitted, const Shown& shown, const stimulus::Condition& condition,
             const reduction::AttributedCondition& attributed, Collected& all) {
  const core::Array<double, 2> outputs = outputs_of(fitted, stimulus::render(condition, shown.screen, shown.centre).contrast);
  const OutputOfPathways output = output_of(fitted, shown.linear_output);
  for (std::size_t t = 0; t < attributed.size(); ++t) {
    const auto frame = static_cast<std::size_t>(attributed.frames[t]);
    std::vector<double> z(fitted.order.size(), 0.0);
    for (std::size_t k = 0; k < z.size() && frame >= shown.minimum_lag; ++k) z[k] = outputs(k, frame - shown.minimum_lag);
    const std::vector<double> own = attribute_pathways(output, z);
    all.pathways.insert(all.pathways.end(), own.begin(), own.end());
    const auto row = attributed.attribution.row(t);
    all.network.insert(all.network.end(), row.begin(), row.end());
  }
  all.lines = attributed.attribution.extent(1), all.columns = attributed.attribution.extent(2);
  all.windows += attributed.size();
}

}  // namespace

std::vector<double> attribute_pathways(const OutputOfPathways& output, std::span<const double> z) {
  const std::vector<double> kinks = kinks_of(output, z);
  std::vector<double> attribution(z.size(), 0.0);
  const auto drive = [&](double a) {
    double u = output.rest_hz;
    for (std::size_t k = 0; k < z.size(); ++k) u += output.weight_hz[k] * std::max(0.0, output.threshold[k] + a * z[k]);
    return u;
  };
  for (std::size_t i = 0; i + 1 < kinks.size(); ++i) {
    const double from = kinks[i], to = kinks[i + 1], middle = 0.5 * (from + to);
    const double slope = mean_slope(output, drive(from), drive(to));
    for (std::size_t k = 0; k < z.size(); ++k)
      if (output.threshold[k] + middle * z[k] > 0) attribution[k] += slope * output.weight_hz[k] * z[k] * (to - from);
  }
  return attribution;
}

Following follow(const StimulusTraces& traces) {
  const std::size_t K = traces.pathways.extent(0), L = traces.network.extent(0), X = traces.network.extent(1),
                    T = traces.network.extent(2);
  Following found{traces.stimulus, std::vector<double>(K, core::undefined), std::vector<double>(K, 0.0), core::undefined,
                  core::Array<std::int32_t, 2>({L, X})};
  core::Array<double, 2> sums({K, T});
  std::vector<bool> any(K, false);
  const double all = absolute_sum(traces.network.values());
  double unassigned = 0;
  for (std::size_t l = 0; l < L; ++l)
    for (std::size_t x = 0; x < X; ++x) {
      const std::span<const double> group = std::span(traces.network.values()).subspan((l * X + x) * T, T);
      const std::optional<std::size_t> pathway = followed(group, traces.pathways);
      found.group(l, x) = pathway ? static_cast<std::int32_t>(*pathway) : -1;
      if (!pathway) {
        unassigned += absolute_sum(group);
        continue;
      }
      any[*pathway] = true, found.share[*pathway] += absolute_sum(group) / all;
      for (std::size_t t = 0; t < T; ++t) sums(*pathway, t) += group[t];
    }
  if (all > 0) found.rest = unassigned / all;
  for (std::size_t k = 0; k < K; ++k)
    if (any[k]) found.correlation[k] = correlated(sums.row(k), traces.pathways.row(k)).mean;
  return found;
}

std::vector<StimulusTraces> traces_of(const FittedModel& fitted, const Shown& shown, const reduction::AttributedCell& cell) {
  std::vector<std::string> order;
  std::map<std::string, Collected> by_stimulus;
  for (const reduction::AttributedCondition& attributed : cell.conditions) {
    const auto condition = std::find_if(shown.catalogue.begin(), shown.catalogue.end(),
                                        [&](const stimulus::Condition& each) { return each.name == attributed.name; });
    if (condition == shown.catalogue.end()) continue;
    if (!by_stimulus.contains(attributed.stimulus)) order.push_back(attributed.stimulus);
    collect(fitted, shown, *condition, attributed, by_stimulus[attributed.stimulus]);
  }
  std::vector<StimulusTraces> traces;
  for (const std::string& name : order) {
    const Collected& all = by_stimulus[name];
    traces.push_back({name, core::Array<double, 2>({fitted.order.size(), all.windows}, transposed(all.pathways, all.windows)),
                      core::Array<double, 3>({all.lines, all.columns, all.windows}, transposed(all.network, all.windows))});
  }
  return traces;
}

std::string words(const std::vector<Following>& following) {
  std::vector<double> r, share;
  double rest = 0, moved = 0;
  std::vector<int> heard;
  for (const Following& f : following) {
    if (!(f.rest == f.rest)) continue;
    r.resize(f.share.size()), share.resize(f.share.size()), heard.resize(f.share.size());
    moved += 1, rest += f.rest;
    for (std::size_t k = 0; k < f.share.size(); ++k) {
      share[k] += f.share[k];
      if (f.correlation[k] == f.correlation[k]) r[k] += f.correlation[k], ++heard[k];
    }
  }
  if (!(moved > 0)) return "the network's attributions: it does not respond";
  std::string text = "the network's attributions by the pathway they follow (r, share of |A|, means over stimuli):";
  for (std::size_t k = 0; k < share.size(); ++k)
    text += heard[k] > 0 ? fmt::format("  {}: {:.2f}, {:.0f} %", k + 1, r[k] / heard[k], 100 * share[k] / moved)
                         : fmt::format("  {}: none", k + 1);
  return text + fmt::format("; rest {:.0f} %", 100 * rest / moved);
}

}  // namespace amacrine::pathway
