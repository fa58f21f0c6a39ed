// SPDX-License-Identifier: Apache-2.0
#include "amacrine/lesion/curves.hpp"

#include "amacrine/core/numbers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace amacrine::lesion {

namespace {

constexpr std::size_t few_units = 32;
constexpr double smallest_part = 0.001;  // of MIB's circuit sizes

void add(std::vector<Size>& sizes, double fraction, std::size_t units) {
  if (sizes.back().units < units) sizes.push_back({fraction, units});
}

}  // namespace

std::vector<Size> sizes_of(std::size_t units) {
  const auto all = static_cast<double>(units);
  std::vector<Size> sizes{{0.0, 0}};
  if (units <= few_units) {
    for (std::size_t m = 1; m <= units; ++m) add(sizes, static_cast<double>(m) / all, m);
    return sizes;
  }
  for (int decade = static_cast<int>(std::floor(-std::log10(all))); decade < 0; ++decade)
    for (double digit : {1.0, 2.0, 5.0}) {
      const double fraction = digit / std::pow(10.0, -decade);
      if (fraction * all >= 1) add(sizes, fraction, static_cast<std::size_t>(std::lround(fraction * all)));
    }
  add(sizes, 1.0, units);
  return sizes;
}

Curve curve(const core::Array<double, 2>& responses, const std::vector<double>& full, double rest) {
  const std::size_t sizes = responses.extent(0), windows = full.size();
  double all = 0;
  for (double r : full) all += std::abs(r - rest);
  Curve out{std::vector<double>(sizes, core::undefined), std::vector<double>(sizes, core::undefined)};
  if (!(all > 0)) return out;
  for (std::size_t k = 0; k < sizes; ++k) {
    double sum = 0, apart = 0;
    for (std::size_t w = 0; w < windows; ++w) {
      const double change = responses(k, w) - rest;
      sum += full[w] < rest ? -change : change;
      apart += std::abs(responses(k, w) - full[w]);
    }
    out.faithfulness[k] = sum / all;
    out.distance[k] = apart / all;
  }
  return out;
}

Areas areas(const std::vector<Size>& sizes, const std::vector<double>& values) {
  const auto large = [](const Size& size) { return size.fraction >= smallest_part && size.units > 0; };
  const auto first = static_cast<std::size_t>(std::find_if(sizes.begin(), sizes.end(), large) - sizes.begin());
  const auto all = static_cast<double>(sizes.back().units);
  const auto part = [&](std::size_t k) { return static_cast<double>(sizes[k].units) / all; };
  if (first + 1 >= sizes.size()) return {values.back(), values.back()};  // one unit alone
  Areas out;
  for (std::size_t k = first; k + 1 < sizes.size(); ++k) {
    const double mean = 0.5 * (values[k] + values[k + 1]);
    out.linear += (part(k + 1) - part(k)) * mean;
    out.log += std::log(part(k + 1) / part(k)) * mean;
  }
  out.log /= std::log(1.0 / part(first));
  return out;
}

Summary summarise(const std::vector<Size>& sizes, const Curve& kept, const Curve& without) {
  std::vector<double> missing;
  for (double f : kept.faithfulness) missing.push_back(std::abs(1.0 - f));
  return {areas(sizes, kept.faithfulness), areas(sizes, missing), areas(sizes, kept.distance),
          areas(sizes, without.faithfulness)};
}

const std::vector<std::string>& area_names() {
  static const std::vector<std::string> names{"cpr",         "cpr_log",         "cmd",          "cmd_log",
                                              "cmd_windows", "cmd_windows_log", "area_without", "area_without_log"};
  return names;
}

std::vector<double> area_values(const Summary& s) {
  return {s.cpr.linear,         s.cpr.log,         s.cmd.linear,     s.cmd.log,
          s.cmd_windows.linear, s.cmd_windows.log, s.without.linear, s.without.log};
}

OrderResult mean_of(const std::vector<OrderResult>& results) {
  const auto count = static_cast<double>(results.size());
  OrderResult mean = results.front();
  for (const auto curve : {&OrderResult::kept, &OrderResult::without})
    for (const auto values : {&Curve::faithfulness, &Curve::distance})
      for (std::size_t k = 0; k < (mean.kept.*values).size(); ++k) {
        double sum = 0;
        for (const OrderResult& one : results) sum += ((one.*curve).*values)[k];
        ((mean.*curve).*values)[k] = sum / count;
      }
  for (const auto area : {&Summary::cpr, &Summary::cmd, &Summary::cmd_windows, &Summary::without}) {
    Areas sum;
    for (const OrderResult& one : results) {
      sum.linear += (one.summary.*area).linear;
      sum.log += (one.summary.*area).log;
    }
    mean.summary.*area = {sum.linear / count, sum.log / count};
  }
  return mean;
}

std::vector<int> ranks_of(const std::vector<double>& scores) {
  const auto key = [&](std::size_t unit) {
    return std::isnan(scores[unit]) ? -std::numeric_limits<double>::infinity() : scores[unit];
  };
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) > key(b); });
  std::vector<int> ranks(scores.size());
  for (std::size_t place = 0; place < order.size(); ++place) ranks[order[place]] = static_cast<int>(place);
  return ranks;
}

std::vector<int> members_first(const std::vector<bool>& members) {
  auto inside = 0, outside = static_cast<int>(std::count(members.begin(), members.end(), true));
  std::vector<int> places(members.size());
  for (std::size_t u = 0; u < members.size(); ++u) places[u] = members[u] ? inside++ : outside++;
  return places;
}

}  // namespace amacrine::lesion
