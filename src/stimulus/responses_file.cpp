// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/core/numbers.hpp"
#include "responses_columns.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace amacrine::stimulus {
namespace {

using core::undefined;

std::size_t longest(const std::vector<Condition>& conditions) {
  std::size_t frames = 0;
  for (const Condition& condition : conditions) frames = std::max(frames, condition.frames);
  return frames;
}

template <class Value>
std::vector<double> of_conditions(const std::vector<Condition>& conditions, Value value) {
  std::vector<double> values;
  values.reserve(conditions.size());
  for (const Condition& condition : conditions) values.push_back(static_cast<double>(value(condition)));
  return values;
}

/// The frame latencies count from.
int event_frame(const Condition& condition) {
  for (const char* event : {"last_flash", "reversal", "onset"})
    if (condition.event(event) >= 0) return condition.event(event);
  return -1;
}

/// A series per condition, NaN after its end and where it has none: (condition, frame).
std::vector<double> padded(const std::vector<Condition>& conditions, std::vector<double> Condition::*series) {
  const std::size_t frames = longest(conditions);
  std::vector<double> values(conditions.size() * frames, undefined);
  for (std::size_t k = 0; k < conditions.size(); ++k)
    std::copy((conditions[k].*series).begin(), (conditions[k].*series).end(),
              values.begin() + static_cast<std::ptrdiff_t>(k * frames));
  return values;
}

Column condition_flags(const Responses& r, const std::string& name, const std::string& title, std::size_t count,
                       const std::function<std::string(int)>& meaning, const std::function<int(const Condition&)>& value) {
  std::vector<double> flags;
  std::vector<std::string> meanings;
  for (int i = 0; i < static_cast<int>(count); ++i) {
    flags.push_back(i);
    meanings.push_back(meaning(i));
  }
  Column column = flag_column(name, {"condition"}, title, flags, meanings);
  column.values = of_conditions(r.conditions, value);
  return column;
}

void declare_dimensions(io::ResultWriter& file, const Responses& r, const SweepAxes& axes) {
  const auto numbers = [&](const char* name, const char* units, const char* title, const std::vector<double>& values) {
    file.dimension({name, values.size(), units, title, values, {}});
  };
  const auto words = [&](const char* name, const char* title, const std::vector<std::string>& values) {
    file.dimension({name, values.size(), "1", title, {}, values});
  };
  std::vector<std::string> names, sets;
  std::vector<double> times(longest(r.conditions));
  for (const Condition& condition : r.conditions) names.push_back(condition.name);
  for (ParameterSet set : r.sets) sets.push_back(set_name(set));
  for (std::size_t t = 0; t < times.size(); ++t) times[t] = static_cast<double>(t) * r.screen.frame_ms;
  words("cell", "ganglion cell", r.cells);
  words("condition", "stimulus", names);
  numbers("frame", "ms", "time from the first frame of the stimulus", times);
  words("set", "parameter set", sets);
  numbers("osr_period", "ms", "period of the flashes", axes.period_ms);
  words("osr_control", "control of the omitted stimulus response", axes.osr_control);
  numbers("latency_contrast", "1", "contrast of the flash", axes.contrast);
  numbers("direction", "1", "direction of motion, 1 rightward", axes.direction);
  numbers("reversal_position", "px", "where the bar turns, along its first motion", axes.reversal_px);
  numbers("flash_position", "px", "where the bar is flashed, from the cell's centre", axes.flash_px);
  words("phenomenon", "phenomenon", {"osr", "latency", "reversal", "anticipation"});
}

/// Rates as stored: (condition, cell, frame), NaN after the end of a stimulus.
std::vector<float> stored_rates(const Responses& r) {
  const std::size_t frames = longest(r.conditions), cells = r.cells.size();
  std::vector<float> values(r.conditions.size() * cells * frames, std::numeric_limits<float>::quiet_NaN());
  for (std::size_t k = 0; k < r.conditions.size(); ++k)
    for (std::size_t n = 0; n < cells; ++n)
      std::transform(r.rate_hz[n][k].begin(), r.rate_hz[n][k].end(),
                     values.begin() + static_cast<std::ptrdiff_t>((k * cells + n) * frames),
                     [](double rate) { return static_cast<float>(rate); });
  return values;
}

}  // namespace

Column flag_column(const std::string& name, const std::vector<std::string>& dimensions, const std::string& title,
                   const std::vector<double>& flags, const std::vector<std::string>& meanings) {
  return {{name, io::Type::int8, dimensions, "1", title, {{"flag_meanings", fmt::format("{}", fmt::join(meanings, " "))}}},
          {},
          flags};
}

std::vector<Column> condition_columns(const Responses& r) {
  std::vector<Column> columns;
  const auto per_condition = [&](const char* name, io::Type type, const char* units, const char* title, auto value) {
    columns.push_back({{name, type, {"condition"}, units, title, {}}, of_conditions(r.conditions, value), {}});
  };
  columns.push_back({{"bar_px", io::Type::float32, {"condition", "frame"}, "px", "bar centre relative to the cell's centre", {}},
                     padded(r.conditions, &Condition::bar_px),
                     {}});
  columns.push_back({{"level", io::Type::float32, {"condition", "frame"}, "1", "contrast of a full-field stimulus", {}},
                     padded(r.conditions, &Condition::level),
                     {}});
  columns.push_back(condition_flags(
      r, "family", "kind of stimulus", 12, [](int i) { return family_name(static_cast<Family>(i)); },
      [](const Condition& c) { return static_cast<int>(c.family); }));
  columns.push_back(condition_flags(
      r, "parameter_set", "parameter set", 5, [](int i) { return set_name(static_cast<ParameterSet>(i)); },
      [](const Condition& c) { return static_cast<int>(c.set); }));
  const std::array<const char*, 3> symmetries{"none", "full_field", "along_y"};
  columns.push_back(condition_flags(
      r, "symmetry", "symmetry the stimulus declares", 3,
      [&](int i) { return std::string(symmetries[static_cast<std::size_t>(i)]); },
      [](const Condition& c) { return static_cast<int>(c.symmetry); }));
  columns.push_back({{"symmetry_deviation",
                      io::Type::float32,
                      {"condition"},
                      "1",
                      "largest departure from the declared symmetry, after normalisation",
                      {}},
                     r.symmetry_deviation,
                     {}});
  const std::array<std::array<const char*, 4>, 8> parameters{
      {{"contrast", "contrast", "1", "contrast"},
       {"period_ms", "period_ms", "ms", "flash period"},
       {"speed_px_per_frame", "speed_px_per_frame", "px/frame", "speed of the bar"},
       {"width_px", "width_px", "px", "width of the bar"},
       {"position_px", "position_px", "px", "position of the reversal or of the flashed bar"},
       {"direction_of_motion", "direction", "1", "direction of motion, 1 rightward"},
       {"flashes", "flashes", "1", "flashes before the omission"},
       {"interval_ms", "interval_ms", "ms", "between two flashes"}}};
  for (const auto& [name, key, units, title] : parameters)
    per_condition(name, io::Type::float64, units, title, [key = key](const Condition& c) { return c.parameter(key); });
  per_condition("onset_frame", io::Type::int32, "1", "first frame that is not grey",
                [](const Condition& c) { return c.event("onset"); });
  per_condition("event_frame", io::Type::int32, "1", "frame latencies count from", event_frame);
  per_condition("omitted_frame", io::Type::int32, "1", "frame of the flash left out",
                [](const Condition& c) { return c.event("omitted"); });
  per_condition("frames", io::Type::int32, "1", "length of the stimulus", [](const Condition& c) { return c.frames; });
  Column threshold{{"cell_threshold_hz", io::Type::float64, {"cell"}, "Hz", "threshold above rest", {}}, {}, {}};
  Column rest{{"rest_hz", io::Type::float64, {"cell"}, "Hz", "rate on grey", {}}, {}, {}},
      y{{"centre_y", io::Type::float64, {"cell"}, "px", "receptive-field centre, row", {}}, {}, {}},
      x{{"centre_x", io::Type::float64, {"cell"}, "px", "receptive-field centre, column", {}}, {}, {}};
  for (std::size_t n = 0; n < r.cells.size(); ++n) {
    rest.values.push_back(rest_rate(r.conditions, r.rate_hz[n]));
    threshold.values.push_back(cell_threshold(r, n));
    y.values.push_back(r.centres[n].y);
    x.values.push_back(r.centres[n].x);
  }
  for (Column* column : {&rest, &threshold, &y, &x}) columns.push_back(std::move(*column));
  return columns;
}

double cell_threshold(const Responses& responses, std::size_t cell) {
  constexpr double deviations = 4;
  const std::vector<double>& all = responses.rate_hz[cell][0];
  const std::span<const double> settled = std::span(all).subspan(all.size() / 2);
  const double rest = rest_rate(responses.conditions, responses.rate_hz[cell]), count = static_cast<double>(settled.size());
  double square = 0;
  for (double rate : settled) square += (rate - rest) * (rate - rest) / count;
  return std::max(responses.threshold_hz, deviations * std::sqrt(square));
}

void measure(Responses& responses) {
  responses.figures.clear();
  for (ParameterSet set : responses.sets) {
    responses.figures.emplace_back();
    for (std::size_t n = 0; n < responses.cells.size(); ++n) {
      const double threshold = cell_threshold(responses, n);
      const bool trials = n < responses.group_hz.size() && responses.group_hz[n].size() >= 2;
      responses.figures.back().push_back(
          trials ? measure_trials(responses.conditions, responses.rate_hz[n], responses.group_hz[n], responses.screen, set,
                                  threshold)
                 : measure_phenomena(responses.conditions, responses.rate_hz[n], responses.screen, set, threshold));
    }
  }
}

void write_responses(const parallel::Communicator& communicator, const std::string& path, const Responses& responses,
                     const io::Provenance& provenance) {
  const SweepAxes axes = sweep_axes(responses.conditions);
  std::vector<Column> columns = condition_columns(responses);
  for (Column& column : phenomenon_columns(responses, axes)) columns.push_back(std::move(column));
  io::ResultWriter file(communicator, path, "responses", provenance);
  declare_dimensions(file, responses, axes);
  file.variable({"rate", io::Type::float32, {"condition", "cell", "frame"}, "Hz", "response", {}});
  for (const Column& column : columns) {
    file.variable(column.variable);
    if (!column.flags.empty()) file.attribute("flag_values", column.flags, column.variable.name);
  }
  file.attribute("subject", responses.subject);
  file.attribute("threshold_hz", responses.threshold_hz);
  file.attribute("frame_ms", responses.screen.frame_ms);
  file.attribute("pixel_um", responses.screen.pixel_um);
  file.create();
  if (communicator.root()) {
    file.write<float>("rate", stored_rates(responses));
    for (const Column& column : columns) file.write<double>(column.variable.name, column.values);
  }
  file.finish();
}

}  // namespace amacrine::stimulus
