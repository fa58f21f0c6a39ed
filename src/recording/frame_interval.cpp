// SPDX-License-Identifier: Apache-2.0
// The frame interval of a recording: the attribute frame_ms, the time axis train/time, and what they must have in common.
#include "amacrine/recording/reader.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace amacrine::recording {

namespace {

using core::InputError;

constexpr double shortest_s = 5e-4, longest_s = 0.5;  ///< of steps that can be seconds where the axis names no unit
constexpr double same_interval = 0.01;                ///< relative difference of two intervals that say the same

bool same(double a, double b) { return std::abs(a - b) <= same_interval * std::abs(b); }

/// The interval without the round-off of a time axis: a whole number of milliseconds or of frames per second where it is within
/// 1e-6 of one.
double without_round_off(double ms) {
  const double whole_ms = std::round(ms), whole_hz = std::round(1000 / ms);
  if (whole_ms > 0 && std::abs(ms - whole_ms) <= 1e-6 * ms) return whole_ms;
  if (whole_hz > 0 && std::abs(1000 / ms - whole_hz) <= 1e-6 * whole_hz) return 1000 / whole_hz;
  return ms;
}

/// Milliseconds of one unit of train/time by its attribute `units`; nothing where it has none.
std::optional<double> declared_unit_ms(const Source& reader) {
  if (!reader.has_attribute("units", "train/time")) return {};
  const std::string units = reader.text_attribute("units", "train/time");
  if (units.empty() || units == "1") return {};
  for (const char* name : {"s", "sec", "second", "seconds"})
    if (units == name) return 1000.0;
  for (const char* name : {"ms", "msec", "millisecond", "milliseconds"})
    if (units == name) return 1.0;
  core::fail<InputError>("{}: train/time has units '{}', which are not understood; expected 's' or 'ms'", reader.path(), units);
}

/// The median step of train/time in its own unit. Refuses an axis that is not a number, does not ascend, or has intervals more
/// than half a step from the median.
double regular_step(const Source& reader, const std::vector<double>& time) {
  std::vector<double> steps(time.size() - 1);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    steps[i] = time[i + 1] - time[i];
    core::require<InputError>(
        steps[i] > 0 && std::isfinite(steps[i]),
        "{}: train/time goes from {} to {} at frame {}; expected numbers that ascend. Mend the axis, or remove "
        "it and give the interval by the attribute frame_ms",
        reader.path(), time[i], time[i + 1], i + 1);
  }
  std::vector<double> sorted = steps;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2), sorted.end());
  const double median = sorted[sorted.size() / 2];
  const auto irregular = [&](double step) { return std::abs(step - median) > 0.5 * median; };
  const auto worst = std::max_element(steps.begin(), steps.end());
  const auto count = std::count_if(steps.begin(), steps.end(), irregular);
  core::require<InputError>(count == 0,
                            "{}: {} of {} intervals of train/time are irregular (usually {:.6g}; first at frame {}; the longest, "
                            "{:.6g}, at frame {}): were "
                            "frames dropped? Resample movie and responses to equal intervals, or remove train/time where it is "
                            "wrong and give the interval "
                            "by the attribute frame_ms",
                            reader.path(), count, steps.size(), median,
                            std::find_if(steps.begin(), steps.end(), irregular) - steps.begin() + 1, *worst,
                            worst - steps.begin() + 1);
  return (time.back() - time.front()) / static_cast<double>(steps.size());
}

/// Interval in ms by train/time; 0 where the axis counts frames (steps of one without a unit) or is missing.
double interval_of_axis(const Source& reader, double known_ms) {
  if (!reader.has("train/time")) return 0;
  const std::vector<std::size_t> shape = reader.shape("train/time");
  if (shape.size() != 1 || shape[0] < 2) return 0;
  const std::optional<double> unit_ms = declared_unit_ms(reader);
  const double step = regular_step(reader, reader.read<double>("train/time"));
  if (!unit_ms && same(step, 1.0)) return 0;
  if (unit_ms) return without_round_off(step * *unit_ms);
  if (step > shortest_s && step < longest_s) return without_round_off(1000 * step);
  core::require<InputError>(
      known_ms > 0 && same(step, known_ms),
      "{}: train/time goes in steps of {:.6g} and does not name its unit, which cannot be seconds; give the "
      "dataset the attribute units = 'ms' or 's', or the file the attribute frame_ms{}",
      reader.path(), step, known_ms > 0 ? fmt::format(" that agrees ({} is known)", known_ms) : "");
  return without_round_off(step);
}

}  // namespace

double frame_ms_of_file(const Source& reader, double asked_ms) {
  double said_ms = 0;
  if (reader.has_attribute("frame_ms")) {
    said_ms = reader.attribute("frame_ms");
    core::require<InputError>(said_ms > 0 && std::isfinite(said_ms),
                              "{}: the attribute frame_ms is {}; expected the frame interval in ms, above 0", reader.path(),
                              said_ms);
  }
  const double axis_ms = interval_of_axis(reader, said_ms > 0 ? said_ms : asked_ms);
  core::require<InputError>(
      said_ms == 0 || axis_ms == 0 || same(axis_ms, said_ms),
      "{}: the attribute frame_ms says frames of {} ms, train/time of {:.6g} ms; mend the one that is wrong", reader.path(),
      said_ms, axis_ms);
  return said_ms > 0 ? said_ms : axis_ms;
}

}  // namespace amacrine::recording
