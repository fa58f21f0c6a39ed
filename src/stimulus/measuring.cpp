// SPDX-License-Identifier: Apache-2.0
#include "measuring.hpp"

#include <algorithm>
#include <array>

namespace amacrine::stimulus {

const std::string& presence_name(Presence presence) {
  static const std::array<std::string, 8> names{"present", "not_measured",       "too_weak",  "on_edge",
                                                "too_few", "not_above_expected", "no_effect", "uncertain"};
  const int place = 1 - static_cast<int>(presence);
  return names[static_cast<std::size_t>(place)];
}

Peak find_peak(std::span<const double> hz) {
  if (hz.empty()) return {0, measuring::nan, true};
  const auto top = static_cast<std::size_t>(std::max_element(hz.begin(), hz.end()) - hz.begin());
  Peak peak{static_cast<double>(top), hz[top], top == 0 || top + 1 == hz.size()};
  if (peak.on_edge) return peak;
  const double before = hz[top - 1], after = hz[top + 1], bend = before - 2 * hz[top] + after;
  // A flat top has no parabola; its first sample is as good a place as any.
  if (std::abs(bend) > 1e-9) peak.frame += 0.5 * (before - after) / bend;
  return peak;
}

double response_centroid(std::span<const double> hz) {
  const double half = 0.5 * measuring::largest(hz);
  double weight = 0, moment = 0;
  for (std::size_t t = 0; t < hz.size(); ++t) {
    const double above = std::max(hz[t] - half, 0.0);
    weight += above;
    moment += above * static_cast<double>(t);
  }
  return weight > 0 ? moment / weight : measuring::nan;
}

double surprise(double deviation_hz, double expected_hz) {
  const double sum = deviation_hz + expected_hz;
  return sum > 0 ? (deviation_hz - expected_hz) / sum : measuring::nan;
}

double rest_rate(const std::vector<Condition>& conditions, const CellResponses& responses) {
  const std::vector<std::size_t> grey = measuring::select(conditions, responses, Family::grey, ParameterSet::circuits);
  core::require<core::InputError>(!grey.empty(), "the rate at rest is measured on the condition 'grey', which was not shown");
  const std::vector<double>& hz = responses[grey.front()];
  core::require<core::InputError>(hz.size() >= 2, "the response to 'grey' has {} frames, expected at least 2", hz.size());
  return measuring::mean({hz.begin() + static_cast<std::ptrdiff_t>(hz.size() / 2), hz.end()});
}

namespace measuring {

std::vector<std::size_t> select(const std::vector<Condition>& conditions, const CellResponses& responses, Family family,
                                ParameterSet set) {
  core::require<core::InputError>(conditions.size() == responses.size(),
                                  "{} conditions were given with {} responses; one each is expected", conditions.size(),
                                  responses.size());
  std::vector<std::size_t> chosen;
  for (std::size_t k = 0; k < conditions.size(); ++k)
    if (conditions[k].family == family && conditions[k].set == set) chosen.push_back(k);
  return chosen;
}

std::span<const double> window(const Condition& condition, const std::vector<double>& response, int begin, int end) {
  core::require<core::InputError>(
      response.size() >= condition.frames && begin >= 0 && begin < end && static_cast<std::size_t>(end) <= response.size(),
      "the response to {} has {} frames, expected {}", condition.name, response.size(), condition.frames);
  return std::span(response).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
}

double largest(std::span<const double> hz) { return hz.empty() ? nan : *std::max_element(hz.begin(), hz.end()); }

double ongoing_rate(const Condition& train, const std::vector<double>& response) {
  const int last = train.event("last_flash"), omitted = train.event("omitted");
  return largest(window(train, response, std::max(0, last - 3 * (omitted - last)), omitted + 1));
}

Presence judge(const Peak& peak, double rest_hz, double threshold_hz) {
  if (!(peak.hz - rest_hz >= threshold_hz)) return Presence::too_weak;
  return peak.on_edge ? Presence::on_edge : Presence::present;
}

Presence judge_sweep(const std::vector<Presence>& each, std::size_t least) {
  if (each.empty()) return Presence::not_measured;
  const auto count = [&each](Presence which) { return static_cast<std::size_t>(std::count(each.begin(), each.end(), which)); };
  const std::size_t present = count(Presence::present);
  if (present == 0) return count(Presence::on_edge) > count(Presence::too_weak) ? Presence::on_edge : Presence::too_weak;
  return present >= std::min(least, each.size()) && 2 * present >= each.size() ? Presence::present : Presence::too_few;
}

std::vector<double> keep_present(const std::vector<double>& values, const std::vector<Presence>& presence) {
  std::vector<double> kept;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (presence[i] == Presence::present) kept.push_back(values[i]);
  return kept;
}

void blank_absent(std::vector<double>& values, const std::vector<Presence>& presence) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (presence[i] != Presence::present) values[i] = nan;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (double value : values) sum += value;
  return values.empty() ? nan : sum / static_cast<double>(values.size());
}

double standard_deviation(const std::vector<double>& values) {
  const double centre = mean(values);
  double sum = 0;
  for (double value : values) sum += (value - centre) * (value - centre);
  return values.empty() ? nan : std::sqrt(sum / static_cast<double>(values.size()));
}

double minimum(const std::vector<double>& values) {
  return values.empty() ? nan : *std::min_element(values.begin(), values.end());
}
double maximum(const std::vector<double>& values) {
  return values.empty() ? nan : *std::max_element(values.begin(), values.end());
}

double rank_correlation(const std::vector<double>& values) {
  if (values.size() < 2) return nan;
  double agree = 0, pairs = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = i + 1; j < values.size(); ++j, pairs += 1)
      agree += values[j] > values[i] ? 1 : values[j] < values[i] ? -1 : 0;
  }
  return agree / pairs;
}

Line fit_line(const std::vector<double>& x, const std::vector<double>& y) {
  const double x0 = mean(x), y0 = mean(y);
  double xx = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - x0) * (x[i] - x0);
    xy += (x[i] - x0) * (y[i] - y0);
  }
  if (!(xx > 0)) return {};
  return {xy / xx, y0 - xy / xx * x0};
}

}  // namespace measuring
}  // namespace amacrine::stimulus
