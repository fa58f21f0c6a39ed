// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/evidence.hpp"

#include "amacrine/reduction/labels.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace amacrine::pathway {

namespace {

constexpr double lobe_threshold = 0.2, least_likeness = 0.5, same_course = 0.8, apart_px = 1.0;

double cosine(std::span<const double> a, std::span<const double> b) {
  const auto product = [](std::span<const double> x, std::span<const double> y) {
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  };
  const double norm = std::sqrt(product(a, a) * product(b, b));
  return norm > 0 ? product(a, b) / norm : 0.0;
}

/// Likeness of two filters: 1 the same, -1 the same with the other sign.
double likeness(const Pathway& a, const Pathway& b) {
  return cosine(a.course, b.course) * cosine(a.profile.values(), b.profile.values());
}

double sum_of_absolutes(std::span<const double> values) {
  double sum = 0;
  for (double v : values) sum += std::abs(v);
  return sum;
}

/// (P, P) the profile on whole pixels around the centre.
core::Array<double, 2> pixels_of(const Bases& bases, std::span<const double> space) {
  const int reach = static_cast<int>(std::ceil(bases.knots_px.back() + 2 * bases.bump_px));
  const auto extent = static_cast<std::size_t>(2 * reach + 1);
  core::Array<double, 2> pixels({extent, extent});
  for (int y = -reach; y <= reach; ++y)
    for (int x = -reach; x <= reach; ++x)
      pixels(static_cast<std::size_t>(y + reach), static_cast<std::size_t>(x + reach)) = bases.profile(space, y, x);
  return pixels;
}

/// Centre of mass of the part above half of the largest value.
void locate(Pathway& pathway) {
  const auto extent = pathway.profile.extent(0);
  const double reach = static_cast<double>(extent / 2);
  const double largest = *std::max_element(pathway.profile.values().begin(), pathway.profile.values().end());
  double mass = 0, y_mass = 0, x_mass = 0;
  for (std::size_t y = 0; y < extent; ++y)
    for (std::size_t x = 0; x < extent; ++x) {
      const double value = pathway.profile(y, x);
      if (!(value > 0.5 * largest)) continue;
      mass += value, y_mass += value * (static_cast<double>(y) - reach), x_mass += value * (static_cast<double>(x) - reach);
    }
  pathway.dy_px = mass > 0 ? y_mass / mass : 0, pathway.dx_px = mass > 0 ? x_mass / mass : 0;
}

/// Filter, weight and threshold in the units of a circuit.
Pathway in_circuit_units(const Bases& bases, const CellFit& fit, const Model& model, std::size_t k) {
  Pathway pathway;
  pathway.course = bases.time_course(model.time(fit.shape, k));
  pathway.profile = pixels_of(bases, model.space(fit.shape, k));
  auto& values = pathway.profile.values();
  const auto largest =
      std::max_element(values.begin(), values.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  const double sign = *largest < 0 ? -1 : 1;
  const double of_course = sum_of_absolutes(pathway.course), of_profile = sum_of_absolutes(values);
  const double gain = of_course * of_profile * fit.scale;
  for (double& v : pathway.course) v *= sign / std::max(of_course, 1e-300);
  for (double& v : values) v *= sign / std::max(of_profile, 1e-300);
  pathway.weight_hz = model.weight(fit.shape, k) * fit.shape.unit_hz * gain;
  pathway.threshold = model.threshold(fit.shape, k) / std::max(gain, 1e-300);
  return pathway;
}

void name(Pathway& pathway, double frame_s) {
  pathway.polarity = reduction::polarity(reduction::lobes(pathway.course, lobe_threshold), 1.0);
  const auto largest = std::max_element(pathway.course.begin(), pathway.course.end(),
                                        [](double a, double b) { return std::abs(a) < std::abs(b); });
  pathway.peak_ms = 1000 * frame_s * static_cast<double>(largest - pathway.course.begin());
  locate(pathway);
}

/// Numbers the types: pathways of one sign, polarity and time course at several places are sub-units of one.
void number_types(std::vector<Pathway>& pathways) {
  std::size_t types = 0;
  for (std::size_t k = 0; k < pathways.size(); ++k) {
    pathways[k].type = types;
    for (std::size_t j = 0; j < k && pathways[k].type == types; ++j) {
      const Pathway &a = pathways[j], &b = pathways[k];
      const bool apart = std::hypot(a.dy_px - b.dy_px, a.dx_px - b.dx_px) > apart_px;
      if (apart && a.sign() == b.sign() && a.polarity == b.polarity && cosine(a.course, b.course) >= same_course)
        pathways[k].type = a.type;
    }
    if (pathways[k].type == types) ++types;
  }
}

/// Share of frames with h = 0, and sd of the contribution in Hz, of every pathway.
void measure(const Bases& bases, const CellFit& fit, const Model& model, const CellData& data, const std::vector<Range>& frames,
             std::vector<Pathway>& pathways) {
  std::vector<double> closed(pathways.size()), sum(pathways.size()), square(pathways.size());
  double count = 0;
  for (const Range& block : blocks_of(frames, block_frames)) {
    const Response response = respond(fit.shape, bases, data, model, block);
    count += static_cast<double>(block.size());
    for (std::size_t k = 0; k < pathways.size(); ++k)
      for (float h : response.activity.row(k)) {
        const auto value = static_cast<double>(h);
        closed[k] += h > 0 ? 0 : 1, sum[k] += value, square[k] += value * value;
      }
  }
  for (std::size_t k = 0; k < pathways.size(); ++k) {
    pathways[k].closed = closed[k] / count;
    const double variance = square[k] / count - sum[k] * sum[k] / (count * count);
    pathways[k].spread_hz = std::abs(model.weight(fit.shape, k)) * fit.shape.unit_hz * std::sqrt(std::max(variance, 0.0));
  }
}

}  // namespace

std::size_t Mechanism::types() const {
  std::size_t count = 0;
  for (const Pathway& pathway : pathways) count = std::max(count, pathway.type + 1);
  return count;
}

std::vector<Pathway> describe(const Bases& bases, const CellFit& fit, const Model& model, const CellData& data,
                              const std::vector<Range>& frames) {
  std::vector<Pathway> pathways;
  for (std::size_t k = 0; k < model.pathways(fit.shape); ++k) {
    pathways.push_back(in_circuit_units(bases, fit, model, k));
    name(pathways.back(), fit.shape.frame_s);
    pathways.back().slot = k;
  }
  measure(bases, fit, model, data, frames, pathways);
  std::stable_sort(pathways.begin(), pathways.end(),
                   [](const Pathway& a, const Pathway& b) { return a.spread_hz > b.spread_hz; });
  number_types(pathways);
  return pathways;
}

std::vector<std::size_t> matched(const std::vector<Pathway>& own, const std::vector<Pathway>& other) {
  std::vector<std::size_t> match(own.size(), other.size());
  std::vector<bool> taken(other.size(), false);
  for (std::size_t round = 0; round < std::min(own.size(), other.size()); ++round) {
    double best = least_likeness;
    std::size_t at = own.size(), with = other.size();
    for (std::size_t k = 0; k < own.size(); ++k)
      for (std::size_t j = 0; j < other.size(); ++j) {
        if (match[k] < other.size() || taken[j]) continue;
        const double like = std::abs(likeness(own[k], other[j]));
        if (like > best) best = like, at = k, with = j;
      }
    if (at == own.size()) break;
    match[at] = with, taken[with] = true;
  }
  return match;
}

void compare(const std::vector<Pathway>& own, const std::vector<Pathway>& other, std::vector<Agreement>& agreement) {
  constexpr double peak_ms = 20, peak_share = 0.2, place_px = 1;
  const std::vector<std::size_t> match = matched(own, other);
  for (std::size_t k = 0; k < own.size(); ++k) {
    Agreement& a = agreement[k];
    ++a.fits;
    Answer answer{};
    if (match[k] < other.size()) {
      const Pathway& o = other[match[k]];
      answer = {o.sign() == own[k].sign(), o.polarity == own[k].polarity,
                std::abs(o.peak_ms - own[k].peak_ms) <= std::max(peak_ms, peak_share * own[k].peak_ms),
                std::hypot(o.dy_px - own[k].dy_px, o.dx_px - own[k].dx_px) <= place_px};
    }
    a.sign += answer[0] ? 1 : 0, a.polarity += answer[1] ? 1 : 0, a.peak += answer[2] ? 1 : 0, a.place += answer[3] ? 1 : 0;
    a.answers.push_back(answer);
  }
}

}  // namespace amacrine::pathway
