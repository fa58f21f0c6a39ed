// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/pathways.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace amacrine::reduction {

std::vector<ChannelLabel> label_channels(const FirstLayer& layer, const ReductionSettings& settings) {
  const auto [channels, history, height, width] = layer.kernel.shape();
  std::vector<ChannelLabel> labels(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    const auto row = layer.kernel.row(c);
    const core::Array<float, 3> kernel({history, height, width}, std::vector<float>(row.begin(), row.end()));
    labels[c].filter = temporal_filter(kernel, settings.balance_threshold);
    labels[c].lobes = lobes(labels[c].filter.value, settings.lobe_threshold);
  }
  return labels;
}

std::string describe(const Pathway& pathway) {
  std::string text = pathway.polarity > 0 ? "ON" : pathway.polarity < 0 ? "OFF" : "neither ON nor OFF";
  text += pathway.later > 0 ? ", then ON," : pathway.later < 0 ? ", then OFF," : "";
  text += pathway.speed > 0 ? " fast" : pathway.speed < 0 ? " slow" : "";
  text += pathway.influence.mixed()    ? " of mixed sign"
          : pathway.influence.sign > 0 ? " excitatory"
          : pathway.influence.sign < 0 ? " inhibitory"
                                       : " without effect";
  return pathway.disinhibition() && !pathway.influence.mixed() ? text + " (disinhibition)" : text;
}

int gain_part(const std::vector<Line>& lines, const Pathway& pathway) {
  const auto same = [&](const Line& line) { return line.channel == pathway.channel; };
  return std::count_if(lines.begin(), lines.end(), same) > 1 ? pathway.gain_sign : 0;
}

double activity(const Pathway& pathway, const double* drive, std::size_t columns, double threshold) {
  double p = 0;
  for (const Element& e : pathway.elements) {
    const double d = drive[columns == 1 || e.column < 0 ? 0 : e.column];
    p += e.profile * std::max(0.0, pathway.gain_sign * d + threshold + e.offset);
  }
  return p;
}

namespace {

const double* frame_of(const core::Array<double, 3>& values, int line, std::size_t frame) {
  return values.data() + (frame * values.extent(1) + static_cast<std::size_t>(line)) * values.extent(2);
}

}  // namespace

double summed(const Pathway& pathway, const core::Array<double, 3>& values, std::size_t frame) {
  const double* row = frame_of(values, pathway.line, frame);
  if (values.extent(2) == 1) return pathway.uniform_part * row[0];
  if (pathway.column_first < 0) return std::accumulate(row, row + values.extent(2), 0.0);
  return std::accumulate(row + pathway.column_first, row + pathway.column_last + 1, 0.0);
}

double mean_drive(const Pathway& pathway, const core::Array<double, 3>& drive, std::size_t frame) {
  const double* row = frame_of(drive, pathway.line, frame);
  double mean = 0;
  for (const Element& e : pathway.elements) mean += e.profile * row[drive.extent(2) == 1 || e.column < 0 ? 0 : e.column];
  return mean;
}

namespace {

/// The rectifiers of one column (all columns where column is -1): (threshold, mass) of every unit of that sign, merged to
/// `knots`.
std::vector<Element> column_elements(const FirstLayer& layer, int channel, int gain_sign, int column, int knots) {
  std::vector<std::pair<double, double>> units;
  const auto [channels, height, width] = layer.gain.shape();
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x) {
      const double gain = static_cast<double>(layer.gain(channel, y, x));
      if ((column >= 0 && static_cast<int>(x) != column) || !(gain_sign * gain > 0)) continue;
      units.emplace_back(static_cast<double>(layer.rest(channel, y, x)) / std::abs(gain), std::abs(gain));
    }
  std::sort(units.begin(), units.end());
  double total = 0;
  for (const auto& unit : units) total += unit.second;
  std::vector<Element> elements;
  if (!(total > 0)) return elements;
  const bool equal =
      units.back().first - units.front().first <= 1e-6 * (std::abs(units.back().first) + std::abs(units.front().first));
  const std::size_t bins = equal ? 1 : std::min<std::size_t>(static_cast<std::size_t>(knots), units.size());
  double mass = 0, moment = 0, before = 0;
  for (std::size_t i = 0; i < units.size(); ++i) {
    mass += units[i].second;
    moment += units[i].second * units[i].first;
    const bool full = before + mass >= total * (1 - 1e-12) * static_cast<double>(elements.size() + 1) / static_cast<double>(bins);
    if (!full && i + 1 < units.size()) continue;
    elements.push_back({column, mass / total, moment / mass});
    before += mass;
    mass = moment = 0;
  }
  return elements;
}

/// Makes profiles sum to 1 and moves the mean of the offsets into the threshold.
void normalise(Pathway& pathway) {
  double total = 0, mean = 0;
  for (const Element& e : pathway.elements) total += e.profile;
  if (!(total > 0)) return;
  for (Element& e : pathway.elements) mean += (e.profile /= total) * e.offset;
  for (Element& e : pathway.elements) e.offset -= mean;
  pathway.threshold += mean;
}

int dominant_sign(const FirstLayer& layer, const Line& line) {
  if (line.gain_sign != 0) return line.gain_sign;
  double sum = 0;
  for (float gain : layer.gain.row(static_cast<std::size_t>(line.channel))) sum += gain > 0 ? 1 : gain < 0 ? -1 : 0;
  return sum >= 0 ? 1 : -1;
}

Pathway make_pathway(const FirstLayer& layer, const std::vector<Line>& lines, int line, int first, int last,
                     const std::vector<double>& profile, int knots) {
  Pathway pathway;
  pathway.line = line;
  pathway.channel = lines[static_cast<std::size_t>(line)].channel;
  pathway.gain_sign = dominant_sign(layer, lines[static_cast<std::size_t>(line)]);
  pathway.column_first = first;
  pathway.column_last = last;
  double largest = 0;
  for (int j = first; j >= 0 && j <= last; ++j) largest = std::max(largest, profile[static_cast<std::size_t>(j)]);
  for (int j = first; j <= last; ++j) {
    const double part = j < 0 ? 1.0 : largest > 0 ? profile[static_cast<std::size_t>(j)] : 1.0;
    if (j >= 0 && part < 0.02 * largest) continue;  // too little to be worth a rectifier in every step of the fit
    for (Element e : column_elements(layer, pathway.channel, pathway.gain_sign, j, knots)) {
      e.profile *= part;
      pathway.elements.push_back(e);
    }
  }
  normalise(pathway);
  return pathway;
}

using Conditions = std::vector<const AttributedCondition*>;

/// Per stimulus: 1 / sum over frames, lines and columns of |A|, so that each counts the same however many frames it has.
std::map<std::string, double> stimulus_weights(const Conditions& conditions) {
  std::map<std::string, double> weight;
  for (const auto* condition : conditions)
    for (double a : condition->attribution.values()) weight[condition->stimulus] += std::abs(a);
  for (auto& [name, value] : weight) value = value > 0 ? 1 / value : 0.0;
  return weight;
}

/// What a line's columns do under the bars.
struct ColumnProfile {
  std::vector<double> strength, signed_sum, change;  ///< sum |A|, sum A sign(dh), sum |dh|, per column
  double downstream(std::size_t j, double largest_change) const {
    return change[j] > 1e-3 * largest_change ? std::abs(signed_sum[j]) / change[j] : 0.0;
  }
};

ColumnProfile profile_columns(const FirstLayer& layer, const std::vector<Line>& lines, int line, const Conditions& bars,
                              const std::map<std::string, double>& weight, int knots) {
  const std::size_t columns = layer.columns();
  ColumnProfile profile{std::vector<double>(columns), std::vector<double>(columns), std::vector<double>(columns)};
  for (std::size_t j = 0; j < columns; ++j) {
    const int column = static_cast<int>(j);
    const Pathway one = make_pathway(layer, lines, line, column, column, std::vector<double>(columns, 1.0), knots);
    const std::vector<double> grey(columns, 0.0);
    const double at_grey = activity(one, grey.data(), columns, one.threshold);
    for (const auto* condition : bars) {
      const double scale = weight.at(condition->stimulus);
      for (std::size_t t = 0; t < condition->size(); ++t) {
        const double a = condition->attribution(t, line, j);
        const double dh = activity(one, frame_of(condition->drive, line, t), columns, one.threshold) - at_grey;
        profile.strength[j] += scale * std::abs(a);
        profile.signed_sum[j] += scale * (dh > 0 ? a : dh < 0 ? -a : 0.0);
        profile.change[j] += scale * std::abs(dh);
      }
    }
  }
  return profile;
}

/// The pathways of one line: sub-units along x where bars tell them apart, else the whole channel.
std::vector<Pathway> line_pathways(const FirstLayer& layer, const std::vector<Line>& lines, int line, const Conditions& bars,
                                   const std::map<std::string, double>& weight, const ReductionSettings& settings) {
  if (bars.empty()) return {make_pathway(layer, lines, line, -1, -1, {}, settings.knots)};
  const ColumnProfile columns = profile_columns(layer, lines, line, bars, weight, settings.knots);
  const double largest_change = *std::max_element(columns.change.begin(), columns.change.end());
  std::vector<int> sign(columns.strength.size());
  std::vector<double> downstream(columns.strength.size());
  for (std::size_t j = 0; j < sign.size(); ++j) {
    sign[j] = columns.signed_sum[j] > 0 ? 1 : columns.signed_sum[j] < 0 ? -1 : 0;
    downstream[j] = columns.downstream(j, largest_change);
  }
  auto groups = column_groups(columns.strength, sign, settings.column_threshold, settings.valley);
  if (groups.empty()) groups.emplace_back(0, static_cast<int>(layer.columns()) - 1);
  std::vector<Pathway> pathways;
  double whole = 0;
  for (const auto& [first, last] : groups) {
    pathways.push_back(make_pathway(layer, lines, line, first, last, downstream, settings.knots));
    pathways.back().uniform_part = std::accumulate(columns.strength.begin() + first, columns.strength.begin() + last + 1, 0.0);
    whole += pathways.back().uniform_part;
  }
  for (Pathway& pathway : pathways)
    pathway.uniform_part = whole > 0 ? pathway.uniform_part / whole : 1.0 / static_cast<double>(pathways.size());
  return pathways;
}

/// Sums over all frames: share (still unnormalised per stimulus), mean attribution, influence.
void measure(Pathway& pathway, const Conditions& conditions, std::map<std::string, double>& total_of_stimulus) {
  std::vector<double> attribution, change;
  for (const auto* condition : conditions) {
    const std::size_t columns = condition->columns();
    const std::vector<double> grey(columns, 0.0);
    const double at_grey = activity(pathway, grey.data(), columns, pathway.threshold);
    double sum = 0;
    for (std::size_t t = 0; t < condition->size(); ++t) {
      attribution.push_back(summed(pathway, condition->attribution, t));
      change.push_back(activity(pathway, frame_of(condition->drive, pathway.line, t), columns, pathway.threshold) - at_grey);
      sum += std::abs(attribution.back());
    }
    total_of_stimulus[condition->stimulus] += sum;
  }
  pathway.influence = influence(attribution, change);
  if (!attribution.empty())
    pathway.mean_attribution =
        std::accumulate(attribution.begin(), attribution.end(), 0.0) / static_cast<double>(attribution.size());
}

void label(Pathway& pathway, const FirstLayer& layer, const Line& line, const ChannelLabel& channel, double centre_x,
           const ReductionSettings& settings) {
  pathway.polarity = line.gain_sign == 0 ? 0 : polarity(channel.lobes, pathway.gain_sign);
  pathway.later = line.gain_sign == 0 ? 0 : later_polarity(channel.lobes, pathway.gain_sign);
  pathway.lobe_ms = std::numeric_limits<double>::quiet_NaN();
  if (!channel.lobes.empty()) {
    pathway.lobe_ms = (channel.lobes.front().lag + layer.minimum_lag) * layer.frame_ms;
    pathway.speed = pathway.lobe_ms < settings.fast_below_ms ? 1 : -1;
  }
  double column = 0;
  for (const Element& e : pathway.elements) column += e.profile * std::max(0, e.column);
  const bool placed = pathway.column_first >= 0 || layer.columns() == 1;
  pathway.position_px = placed ? column + channel.filter.centre_x - centre_x : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::vector<Pathway> find_pathways(const FirstLayer& layer, const std::vector<Line>& lines,
                                   const std::vector<ChannelLabel>& labels, const Conditions& conditions, double centre_x,
                                   const ReductionSettings& settings) {
  Conditions bars;
  for (const auto* condition : conditions)
    if (condition->columns() > 1) bars.push_back(condition);
  const auto weight = stimulus_weights(conditions);
  std::vector<Pathway> pathways;
  std::vector<std::map<std::string, double>> sums;
  std::map<std::string, double> totals;
  for (std::size_t l = 0; l < lines.size(); ++l)
    for (Pathway& pathway : line_pathways(layer, lines, static_cast<int>(l), bars, weight, settings)) {
      if (pathway.elements.empty()) continue;
      sums.emplace_back();
      measure(pathway, conditions, sums.back());
      label(pathway, layer, lines[l], labels[static_cast<std::size_t>(lines[l].channel)], centre_x, settings);
      for (const auto& [stimulus, sum] : sums.back()) totals[stimulus] += sum;
      pathways.push_back(pathway);
    }
  const auto counted = std::count_if(totals.begin(), totals.end(), [](const auto& total) { return total.second > 0; });
  for (std::size_t i = 0; i < pathways.size(); ++i)
    for (const auto& [stimulus, sum] : sums[i])
      if (totals[stimulus] > 0) pathways[i].share += sum / totals[stimulus] / static_cast<double>(counted);
  std::stable_sort(pathways.begin(), pathways.end(), [](const Pathway& a, const Pathway& b) { return a.share > b.share; });
  return pathways;
}

std::vector<Pathway> keep(const std::vector<Pathway>& ranked, double share, int at_most) {
  std::vector<Pathway> kept;
  double held = 0;
  for (const Pathway& pathway : ranked) {
    if (static_cast<int>(kept.size()) == at_most || held >= share || !(pathway.share > 0)) break;
    held += pathway.share;
    kept.push_back(pathway);
  }
  return kept;
}

namespace {

/// Cuts [first, last] at its deepest valley, then the parts again; the floor of a valley stays with the left part.
void cut_at_valleys(const std::vector<double>& strength, std::size_t first, std::size_t last, double valley,
                    std::vector<std::pair<int, int>>& groups) {
  std::size_t floor = last;
  double deepest = valley;
  for (std::size_t low = first + 1; low < last; ++low) {
    const auto begin = strength.begin();
    const double left = *std::max_element(begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(low));
    const double right =
        *std::max_element(begin + static_cast<std::ptrdiff_t>(low + 1), begin + static_cast<std::ptrdiff_t>(last + 1));
    const double depth = strength[low] / std::min(left, right);
    if (depth < deepest) {
      deepest = depth;
      floor = low;
    }
  }
  if (floor == last) {
    groups.emplace_back(static_cast<int>(first), static_cast<int>(last));
    return;
  }
  cut_at_valleys(strength, first, floor, valley, groups);
  cut_at_valleys(strength, floor + 1, last, valley, groups);
}

}  // namespace

std::vector<std::pair<int, int>> column_groups(const std::vector<double>& strength, const std::vector<int>& sign,
                                               double threshold, double valley) {
  std::vector<std::pair<int, int>> groups;
  const double largest = strength.empty() ? 0.0 : *std::max_element(strength.begin(), strength.end());
  if (!(largest > 0)) return groups;
  const auto inside = [&](std::size_t j) { return sign[j] != 0 && strength[j] >= threshold * largest; };
  for (std::size_t begin = 0; begin < strength.size(); ++begin) {
    if (!inside(begin)) continue;
    std::size_t end = begin;
    while (end + 1 < strength.size() && inside(end + 1) && sign[end + 1] == sign[begin]) ++end;
    cut_at_valleys(strength, begin, end, valley, groups);
    begin = end;
  }
  return groups;
}

}  // namespace amacrine::reduction
