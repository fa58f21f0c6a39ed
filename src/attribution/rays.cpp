// SPDX-License-Identifier: Apache-2.0
#include "rays.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::attribution {
namespace {

constexpr double rounding = 1e-6;

/// The value of largest size, with its sign.
double strongest(const std::vector<double>& course) {
  return *std::max_element(course.begin(), course.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
}

/// Whether two full fields are shown at the same frames with courses that differ by a positive factor. The factor is verified
/// on what the network sees before it is used.
bool same_course(const PlannedStimulus& a, const PlannedStimulus& b) {
  const std::vector<double>&x = a.condition.level, &y = b.condition.level;
  if (x.empty() || x.size() != y.size() || a.first_frame != b.first_frame || a.windows != b.windows || a.level != b.level)
    return false;
  const double p = strongest(x), q = strongest(y);
  if (!(p * q > 0)) return false;
  for (std::size_t t = 0; t < x.size(); ++t)
    if (!(std::abs(x[t] * q - y[t] * p) <= rounding * std::abs(p * q))) return false;
  return true;
}

bool can_be_rays(const AttributionSettings& settings) {
  return settings.baseline == Baseline::grey && settings.rule == Rule::secant && !settings.weights;
}

}  // namespace

void join_rays(const AttributionSettings& settings, Plan& plan) {
  if (!can_be_rays(settings)) return;
  const auto full_field = [&](const Showing& showing) {
    const PlannedStimulus& stimulus = plan.stimuli[showing.stimulus];
    return stimulus.level == Level::channel && stimulus.symmetry == stimulus::Symmetry::full_field;
  };
  const auto size = [&](std::size_t stimulus) { return std::abs(strongest(plan.stimuli[stimulus].condition.level)); };
  std::vector<Showing> joined;
  for (const Showing& showing : plan.showings) {
    const auto series = std::find_if(joined.begin(), joined.end(), [&](const Showing& other) {
      return full_field(showing) && full_field(other) && other.cells == showing.cells &&
             same_course(plan.stimuli[showing.stimulus], plan.stimuli[other.stimulus]);
    });
    if (series == joined.end()) {
      joined.push_back(showing);
      continue;
    }
    if (series->ray.empty()) series->ray = {series->stimulus};
    series->ray.push_back(showing.stimulus);
    std::stable_sort(series->ray.begin(), series->ray.end(), [&](std::size_t a, std::size_t b) { return size(a) < size(b); });
    series->stimulus = series->ray.back();
  }
  plan.showings = std::move(joined);
}

}  // namespace amacrine::attribution
