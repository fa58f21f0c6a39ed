// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace amacrine::training {
namespace {

/// From `a` at 0 to `b` at 1 along half a cosine.
double cosine_between(double a, double b, double fraction) {
  return b + (a - b) * 0.5 * (1.0 + std::cos(std::numbers::pi * fraction));
}

}  // namespace

double scheduled_rate(const ScheduleSettings& settings, double rate, std::size_t step, std::size_t total) {
  if (settings.kind != Schedule::one_cycle || total < 2) return rate;
  const double position = static_cast<double>(std::min(step, total - 1)) / static_cast<double>(total - 1);
  if (position < settings.warm_fraction)
    return cosine_between(rate / settings.start_divisor, rate, position / settings.warm_fraction);
  const double rest = settings.warm_fraction < 1.0 ? (position - settings.warm_fraction) / (1.0 - settings.warm_fraction) : 0.0;
  return cosine_between(rate, rate / settings.end_divisor, rest);
}

bool Watch::update(double value, Metric metric, double min_delta) {
  const bool better = metric == Metric::loss ? value < best - min_delta : value > best + min_delta;
  if (std::isfinite(value) && (!any || better)) {
    best = value;
    any = true;
    waiting = 0;
    return true;
  }
  ++waiting;
  return false;
}

void Plateau::update(const ScheduleSettings& settings, double value, double rate) {
  if (settings.kind != Schedule::plateau || watch.update(value, settings.metric, settings.threshold)) return;
  if (watch.waiting < settings.patience) return;
  scale = std::max(scale * settings.factor, settings.min_rate / rate);
  watch.waiting = 0;
}

}  // namespace amacrine::training
