// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/numbers.hpp"
#include "responses_columns.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

namespace amacrine::stimulus {
namespace {

using core::undefined;

/// Index of a coordinate on its axis, or its size.
std::size_t place(const std::vector<double>& axis, double value) {
  for (std::size_t i = 0; i < axis.size(); ++i)
    if (std::abs(axis[i] - value) < 1e-6) return i;
  return axis.size();
}

/// Builds the variables of one file.
class Builder {
 public:
  Builder(const Responses& responses, const SweepAxes& axes) : responses_(responses), axes_(axes) {}

  using Scalar = std::function<double(const PhenomenonFigures&)>;
  void scalar(const std::string& name, const std::string& units, const std::string& title, const Scalar& value) {
    Column column{{name, io::Type::float64, {"set", "cell"}, units, title, {}}, {}, {}};
    for (const auto& cells : responses_.figures)
      for (const auto& figures : cells) column.values.push_back(value(figures));
    columns_.push_back(std::move(column));
  }

  /// Two columns, the ends of a figure's interval.
  template <class Value>
  void interval(const std::string& name, const std::string& units, const std::string& what, Value value) {
    scalar(name + "_low", units, "lower end of the interval of " + what, [value](const auto& f) { return value(f).low; });
    scalar(name + "_high", units, "upper end of the interval of " + what, [value](const auto& f) { return value(f).high; });
  }

  /// A figure over a sweep: points(figures) are (index along the axes, value).
  using Points = std::function<std::vector<std::pair<std::size_t, double>>(const PhenomenonFigures&)>;
  void sweep(Column column, std::size_t size, double missing, const Points& points) {
    for (const auto& cells : responses_.figures)
      for (const auto& figures : cells) {
        std::vector<double> row(size, missing);
        for (const auto& [index, value] : points(figures))
          if (index < size) row[index] = value;
        column.values.insert(column.values.end(), row.begin(), row.end());
      }
    columns_.push_back(std::move(column));
  }

  const SweepAxes& axes() const { return axes_; }
  std::vector<Column> take() { return std::move(columns_); }

 private:
  const Responses& responses_;
  const SweepAxes& axes_;
  std::vector<Column> columns_;
};

Column presence_column(const std::string& name, std::vector<std::string> more = {}) {
  std::vector<std::string> dimensions{"set", "cell"};
  dimensions.insert(dimensions.end(), more.begin(), more.end());
  return flag_column(
      name, dimensions, "whether there is such a response", {-6, -5, -4, -3, -2, -1, 0, 1},
      {"uncertain", "no_effect", "not_above_expected", "too_few", "on_edge", "too_weak", "not_measured", "present"});
}

Column figure(const std::string& name, const std::string& units, const std::string& title, std::vector<std::string> more) {
  std::vector<std::string> dimensions{"set", "cell"};
  dimensions.insert(dimensions.end(), more.begin(), more.end());
  return {{name, io::Type::float64, dimensions, units, title, {}}, {}, {}};
}

/// Points of parallel vectors: index of each coordinate on `axis`, and its value.
template <class T>
std::vector<std::pair<std::size_t, double>> along(const std::vector<double>& axis, const std::vector<double>& coordinates,
                                                  const std::vector<T>& values) {
  std::vector<std::pair<std::size_t, double>> points;
  for (std::size_t i = 0; i < std::min(coordinates.size(), values.size()); ++i)
    points.emplace_back(place(axis, coordinates[i]), static_cast<double>(values[i]));
  return points;
}

void add_osr(Builder& out) {
  const std::vector<double>& axis = out.axes().period_ms;
  const auto add = [&](const char* name, const char* units, const char* title, std::vector<double> OsrFigures::*member) {
    out.sweep(figure(name, units, title, {"osr_period"}), axis.size(), undefined,
              [&axis, member](const PhenomenonFigures& f) { return along(axis, f.osr.period_ms, f.osr.*member); });
  };
  out.sweep(presence_column("osr_present_at", {"osr_period"}), axis.size(), 0,
            [&](const PhenomenonFigures& f) { return along(axis, f.osr.period_ms, f.osr.presence); });
  add("osr_latency_ms", "ms", "peak of the omitted stimulus response, from the onset of the last flash", &OsrFigures::latency_ms);
  add("osr_centroid_ms", "ms", "its centroid, from the onset of the last flash", &OsrFigures::centroid_ms);
  add("osr_hz", "Hz", "largest rate after the omission", &OsrFigures::osr_hz);
  add("osr_ongoing_hz", "Hz", "largest rate in the last three cycles of the train", &OsrFigures::ongoing_hz);
  out.scalar("osr_slope", "1", "ms of latency per ms of period", [](const auto& f) { return f.osr.slope; });
  out.scalar("osr_slope_centroid", "1", "ms of centroid per ms of period", [](const auto& f) { return f.osr.slope_centroid; });
  out.scalar("osr_max_deviation_ms", "ms", "largest distance of a latency from the line",
             [](const auto& f) { return f.osr.max_deviation_ms; });
  out.scalar("osr_ratio", "1", "smallest ratio of the response to the ongoing rate",
             [](const auto& f) { return f.osr.min_ratio; });
  out.interval("osr_slope", "1", "osr_slope", [](const auto& f) { return f.osr.slope_interval; });
  out.interval("osr_ratio", "1", "osr_ratio", [](const auto& f) { return f.osr.ratio_interval; });
}

void add_osr_controls(Builder& out) {
  const std::vector<std::string>& axis = out.axes().osr_control;
  const auto points = [&axis](const OsrControlFigures& f, const auto& values) {
    std::vector<std::pair<std::size_t, double>> made;
    for (std::size_t i = 0; i < f.name.size(); ++i) {
      const auto at = std::find(axis.begin(), axis.end(), f.name[i]);
      made.emplace_back(static_cast<std::size_t>(at - axis.begin()), static_cast<double>(values[i]));
    }
    return made;
  };
  const auto add = [&](const char* name, const char* units, const char* title, std::vector<double> OsrControlFigures::*member) {
    out.sweep(figure(name, units, title, {"osr_control"}), axis.size(), undefined,
              [points, member](const PhenomenonFigures& f) { return points(f.osr_controls, f.osr_controls.*member); });
  };
  out.sweep(presence_column("osr_control_present_at", {"osr_control"}), axis.size(), 0,
            [points](const PhenomenonFigures& f) { return points(f.osr_controls, f.osr_controls.presence); });
  add("osr_control_latency_ms", "ms", "peak of the response, from the onset of the last flash", &OsrControlFigures::latency_ms);
  add("osr_control_hz", "Hz", "largest rate after the omission", &OsrControlFigures::response_hz);
  add("osr_control_ongoing_hz", "Hz", "largest rate in the last three cycles before it", &OsrControlFigures::ongoing_hz);
  const auto index = [&](const char* name, const char* title, double OsrControlFigures::*member) {
    out.scalar(name, "1", title, [member](const PhenomenonFigures& f) { return f.osr_controls.*member; });
  };
  index("osr_train_index", "omission after 12 flashes against one flash", &OsrControlFigures::train_index);
  index("osr_aperiodic_index", "omission in periodic trains against aperiodic ones", &OsrControlFigures::aperiodic_index);
  index("osr_sustained_index", "omission after a train against the end of steady light", &OsrControlFigures::sustained_index);
  index("osr_mid_train_index", "omission within a train against the ongoing response", &OsrControlFigures::mid_train_index);
  index("osr_aperiodic_slope", "ms of latency per ms of the last interval of aperiodic trains",
        &OsrControlFigures::aperiodic_slope);
}

void add_latency(Builder& out) {
  const std::vector<double>& axis = out.axes().contrast;
  const auto add = [&](const char* name, const char* units, const char* title, std::vector<double> LatencyFigures::*member) {
    out.sweep(figure(name, units, title, {"latency_contrast"}), axis.size(), undefined,
              [&axis, member](const PhenomenonFigures& f) { return along(axis, f.latency.contrast, f.latency.*member); });
  };
  out.sweep(presence_column("latency_present_at", {"latency_contrast"}), axis.size(), 0,
            [&](const PhenomenonFigures& f) { return along(axis, f.latency.contrast, f.latency.presence); });
  add("latency_ms", "ms", "time to peak, from flash onset", &LatencyFigures::latency_ms);
  add("latency_centroid_ms", "ms", "centroid of the response, from flash onset", &LatencyFigures::centroid_ms);
  add("latency_peak_hz", "Hz", "largest rate", &LatencyFigures::peak_hz);
  out.scalar("latency_shift_ms", "ms", "latency at the first contrast less that at the last",
             [](const auto& f) { return f.latency.total_shift_ms; });
  out.scalar("latency_centroid_shift_ms", "ms", "centroid at the first contrast less that at the last",
             [](const auto& f) { return f.latency.centroid_shift_ms; });
  out.interval("latency_shift_ms", "ms", "latency_shift_ms", [](const auto& f) { return f.latency.shift_interval; });
  out.sweep(flag_column("latency_monotonic", {"set", "cell"}, "whether latency falls from each contrast to the next", {-1, 0, 1},
                        {"not_measured", "no", "yes"}),
            1, -1, [](const PhenomenonFigures& f) {
              return std::vector<std::pair<std::size_t, double>>{{0, f.latency.monotonic}};
            });
}

void add_reversal(Builder& out) {
  const std::vector<double>&directions = out.axes().direction, &positions = out.axes().reversal_px;
  const std::size_t size = directions.size() * positions.size();
  const auto points = [&directions, &positions](const ReversalFigures& f, const auto& values) {
    std::vector<std::pair<std::size_t, double>> made;
    for (std::size_t i = 0; i < std::min(f.direction.size(), values.size()); ++i) {
      const std::size_t d = place(directions, f.direction[i]), p = place(positions, f.position_px[i]);
      const bool known = d < directions.size() && p < positions.size();
      made.emplace_back(known ? d * positions.size() + p : directions.size() * positions.size(), static_cast<double>(values[i]));
    }
    return made;
  };
  const auto add = [&](const char* name, const char* units, const char* title, std::vector<double> ReversalFigures::*member) {
    out.sweep(figure(name, units, title, {"direction", "reversal_position"}), size, undefined,
              [points, member](const PhenomenonFigures& f) { return points(f.reversal, f.reversal.*member); });
  };
  out.sweep(presence_column("reversal_present_at", {"direction", "reversal_position"}), size, 0,
            [points](const PhenomenonFigures& f) { return points(f.reversal, f.reversal.presence); });
  add("reversal_latency_ms", "ms", "peak of the burst, from the reversal", &ReversalFigures::latency_ms);
  add("reversal_burst_hz", "Hz", "peak after the reversal", &ReversalFigures::burst_hz);
  add("reversal_smooth_hz", "Hz", "peak for the bar that does not reverse", &ReversalFigures::smooth_hz);
  out.scalar("reversal_latency_mean_ms", "ms", "mean latency over positions and directions",
             [](const auto& f) { return f.reversal.latency_mean_ms; });
  out.scalar("reversal_latency_sd_ms", "ms", "sd of the latency over positions and directions",
             [](const auto& f) { return f.reversal.latency_sd_ms; });
  out.scalar("reversal_burst_min_hz", "Hz", "smallest burst", [](const auto& f) { return f.reversal.burst_min_hz; });
  out.scalar("reversal_burst_mean_hz", "Hz", "mean burst", [](const auto& f) { return f.reversal.burst_mean_hz; });
  out.scalar("reversal_burst_max_hz", "Hz", "largest burst", [](const auto& f) { return f.reversal.burst_max_hz; });
  out.scalar("reversal_smooth_peak_hz", "Hz", "largest rate for smooth motion",
             [](const auto& f) { return f.reversal.smooth_peak_hz; });
  out.scalar("reversal_ratio", "1", "smallest burst over largest smooth rate", [](const auto& f) { return f.reversal.ratio; });
  out.interval("reversal_ratio", "1", "reversal_ratio", [](const auto& f) { return f.reversal.ratio_interval; });
  out.interval("reversal_latency_sd_ms", "ms", "reversal_latency_sd_ms", [](const auto& f) { return f.reversal.sd_interval; });
}

void add_anticipation(Builder& out, double pixel_um) {
  const std::vector<double>&directions = out.axes().direction, &flashes = out.axes().flash_px;
  using Direction = AnticipationFigures::Direction;
  const auto points = [&directions](const AnticipationFigures& f, const auto& value) {
    std::vector<std::pair<std::size_t, double>> made;
    for (const Direction& d : f.directions) made.emplace_back(place(directions, d.direction), static_cast<double>(value(d)));
    return made;
  };
  const auto add_value = [&](const char* name, const char* units, const char* title, auto value) {
    out.sweep(figure(name, units, title, {"direction"}), directions.size(), undefined,
              [points, value](const PhenomenonFigures& f) { return points(f.anticipation, value); });
  };
  const auto add = [&](const char* name, const char* units, const char* title, double Direction::*member) {
    add_value(name, units, title, [member](const Direction& d) { return d.*member; });
  };
  out.sweep(presence_column("anticipation_present_at", {"direction"}), directions.size(), 0,
            [points](const PhenomenonFigures& f) {
              return points(f.anticipation, [](const Direction& d) { return static_cast<double>(d.presence); });
            });
  add("anticipation_peak_um", "um", "bar position at the peak, along the motion, negative before the centre",
      &Direction::peak_um);
  add("anticipation_ahead_um", "um", "by how much that leads the flashed profile's centre", &Direction::ahead_um);
  add_value("anticipation_ahead_um_low", "um", "lower end of the interval of anticipation_ahead_um",
            [](const Direction& d) { return d.ahead_interval.low; });
  add_value("anticipation_ahead_um_high", "um", "upper end of the interval of anticipation_ahead_um",
            [](const Direction& d) { return d.ahead_interval.high; });
  out.sweep(presence_column("anticipation_lead_at", {"direction"}), directions.size(), 0, [points](const PhenomenonFigures& f) {
    return points(f.anticipation, [](const Direction& d) { return static_cast<double>(d.lead); });
  });
  add("anticipation_moving_hz", "Hz", "peak for the moving bar", &Direction::peak_hz);
  add("anticipation_at_centre_hz", "Hz", "rate when the moving bar is at the centre", &Direction::rate_at_centre_hz);
  out.sweep(figure("anticipation_flash_hz", "Hz", "peak for the bar flashed there", {"flash_position"}), flashes.size(),
            undefined, [&flashes, pixel_um](const PhenomenonFigures& f) {
              std::vector<double> px;
              for (double um : f.anticipation.flash_position_um) px.push_back(um / pixel_um);
              return along(flashes, px, f.anticipation.flash_hz);
            });
  out.scalar("anticipation_flash_centre_um", "um", "centre of mass of the flashed profile",
             [](const auto& f) { return f.anticipation.flash_centre_um; });
  out.scalar("anticipation_flash_peak_hz", "Hz", "top of the flashed profile",
             [](const auto& f) { return f.anticipation.flash_peak_hz; });
}

void add_summaries(Builder& out) {
  const auto presence = [](const PhenomenonFigures& f) {
    const std::array<Presence, 4> all{f.osr.overall, f.latency.overall, f.reversal.overall, f.anticipation.overall};
    std::vector<std::pair<std::size_t, double>> made;
    for (std::size_t i = 0; i < all.size(); ++i) made.emplace_back(i, static_cast<double>(all[i]));
    return made;
  };
  const std::array<const char*, 4> names{"osr", "latency", "reversal", "anticipation"};
  for (std::size_t i = 0; i < names.size(); ++i)
    out.sweep(presence_column(std::string(names[i]) + "_present"), 1, 0, [presence, i](const PhenomenonFigures& f) {
      return std::vector<std::pair<std::size_t, double>>{{0, presence(f)[i].second}};
    });
  out.sweep(presence_column("phenomenon_present", {"phenomenon"}), 4, 0, presence);
  out.sweep(figure("phenomenon_support", "1", "part of resampled sets of trials that show it", {"phenomenon"}), 4, undefined,
            [](const PhenomenonFigures& f) {
              return std::vector<std::pair<std::size_t, double>>{
                  {0, f.osr.support}, {1, f.latency.support}, {2, f.reversal.support}, {3, f.anticipation.support}};
            });
  out.sweep(figure("surprise_index", "1", "(deviation - expected) / (deviation + expected)", {"phenomenon"}), 4, undefined,
            [](const PhenomenonFigures& f) {
              return std::vector<std::pair<std::size_t, double>>{{0, f.osr.surprise_index},
                                                                 {1, f.latency.surprise_index},
                                                                 {2, f.reversal.surprise_index},
                                                                 {3, f.anticipation.surprise_index}};
            });
}

std::vector<double> axis_of(const std::vector<Condition>& conditions, Family family, const std::string& key) {
  std::set<double> values;
  for (const Condition& condition : conditions)
    if (condition.family == family) values.insert(condition.parameter(key));
  return values.empty() ? std::vector<double>{undefined} : std::vector<double>(values.begin(), values.end());
}

}  // namespace

SweepAxes sweep_axes(const std::vector<Condition>& conditions) {
  SweepAxes axes;
  axes.period_ms = axis_of(conditions, Family::osr, "period_ms");
  axes.contrast = axis_of(conditions, Family::latency, "contrast");
  std::stable_sort(axes.contrast.begin(), axes.contrast.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  axes.reversal_px = axis_of(conditions, Family::reversal, "position_px");
  for (const Condition& condition : conditions)
    if (condition.family == Family::osr_control) axes.osr_control.push_back(condition.name);
  if (axes.osr_control.empty()) axes.osr_control = {"none"};
  axes.flash_px = axis_of(conditions, Family::flashed_bar, "position_px");
  return axes;
}

std::vector<Column> phenomenon_columns(const Responses& responses, const SweepAxes& axes) {
  Builder out(responses, axes);
  add_osr(out);
  add_osr_controls(out);
  add_latency(out);
  add_reversal(out);
  add_anticipation(out, responses.screen.pixel_um);
  add_summaries(out);
  return out.take();
}

}  // namespace amacrine::stimulus
