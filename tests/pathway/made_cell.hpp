// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/random.hpp"
#include "amacrine/pathway/optimise.hpp"

#include <algorithm>
#include <cmath>

/// Cells made by hand: white noise under the bumps, filters and spikes that are known. Everything is computed plainly here, in
/// double, with nothing of the room but its bases.
namespace amacrine::test {

/// Gaussian noise under each bump; no spikes yet.
inline pathway::CellData white_noise(std::size_t bumps, std::size_t frames, double sd, std::uint64_t id) {
  pathway::CellData data;
  data.frames = frames, data.bumps = bumps;
  data.stimulus.resize(bumps * frames);
  data.counts.assign(frames, 0.0F);
  core::Random random(3, core::Stream::test, id);
  for (float& value : data.stimulus) value = static_cast<float>(sd * random.normal());
  return data;
}

/// (T) the time course of coefficients (J).
inline std::vector<double> course_of(const pathway::Bases& bases, std::span<const double> time) {
  std::vector<double> course(bases.course.extent(1), 0.0);
  for (std::size_t j = 0; j < time.size(); ++j)
    for (std::size_t l = 0; l < course.size(); ++l) course[l] += time[j] * bases.course(j, l);
  return course;
}

/// z of pathway k for a frame, threshold included.
inline double unit_input(const pathway::Shape& shape, const pathway::Bases& bases, const pathway::CellData& data,
                         const pathway::Model& model, std::size_t k, std::size_t frame) {
  const std::vector<double> course = course_of(bases, model.time(shape, k));
  const std::span<const double> space = model.space(shape, k);
  double z = model.threshold(shape, k);
  for (std::size_t s = 0; s < space.size(); ++s) {
    const float* now = data.stimulus.data() + s * data.frames + frame;
    for (std::size_t l = 0; l < course.size(); ++l) z += space[s] * course[l] * static_cast<double>(*(now - l));
  }
  return z;
}

/// The model's rate for a frame, Hz.
inline double rate_of(const pathway::Shape& shape, const pathway::Bases& bases, const pathway::CellData& data,
                      const pathway::Model& model, std::size_t frame) {
  double u = model.values[0];
  for (std::size_t k = 0; k < model.pathways(shape); ++k)
    u += model.weight(shape, k) * std::max(0.0, unit_input(shape, bases, data, model, k, frame));
  const double beta = std::exp(model.values[1]), x = beta * shape.unit_hz * u;
  return (x > 30 ? x : std::log1p(std::exp(x))) / beta;
}

/// A centred or shifted Gaussian over n x n bumps, in units of their spacing, largest 1.
inline std::vector<double> spot(std::size_t n, double y, double x, double sd) {
  std::vector<double> space;
  const double middle = 0.5 * static_cast<double>(n - 1);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const double dy = static_cast<double>(i) - middle - y, dx = static_cast<double>(j) - middle - x;
      space.push_back(std::exp(-0.5 * (dy * dy + dx * dx) / (sd * sd)));
    }
  return space;
}

inline double cosine(std::span<const double> a, std::span<const double> b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) ab += a[i] * b[i], aa += a[i] * a[i], bb += b[i] * b[i];
  return ab / std::sqrt(aa * bb);
}

/// A cell with 5 x 5 bumps and `frames` frames of 10 ms, whose pathways are planted one by one.
struct MadeCell {
  static constexpr std::size_t side = 5, lags = 16;
  pathway::PathwaySettings settings;
  pathway::Bases bases;
  pathway::CellData data;
  pathway::Shape shape;
  pathway::Model truth;

  explicit MadeCell(std::size_t frames, std::uint64_t id) {
    settings.radius_px = 3, settings.spacing_px = 1.5;
    bases = pathway::make_bases(settings, lags);
    data = white_noise(side * side, frames, 0.25, id);
    shape = {side * side, bases.courses(), 30, 0.01};
    truth.values = {0.3, std::log(0.3)};
  }

  /// OFF where `sign` is -1. Outputs of sd 1, the unit opening at `opens` sd.
  void plant(double sign, double y, double x, double peak, double opens, double weight) {
    const std::vector<double> space = spot(side, y, x, 0.9);
    std::vector<double> wanted;
    for (std::size_t l = 0; l < lags; ++l) {
      const double at = static_cast<double>(l) / peak;
      wanted.push_back(sign * std::pow(at, 4) * std::exp(4 * (1 - at)));
    }
    std::vector<double> time = bases.fitted(wanted);
    double squares = 0, square = 0;
    for (double v : space) squares += v * v;
    for (double v : course_of(bases, time)) square += v * v;
    for (double& v : time) v /= 0.25 * std::sqrt(squares * square);
    std::vector<double> values = space;
    values.insert(values.end(), time.begin(), time.end());
    values.insert(values.end(), {-opens, weight});
    truth.values.insert(truth.values.end(), values.begin(), values.end());
  }

  void spike(std::uint64_t id) {
    core::Random random(4, core::Stream::test, id);
    for (std::size_t f = lags - 1; f < data.frames; ++f)
      data.counts[f] = static_cast<float>(random.poisson(0.01 * rate_of(shape, bases, data, truth, f)));
  }

  /// The last sixth is held out.
  pathway::Problem problem() const {
    const std::size_t end = data.frames - data.frames / 6;
    return {settings, bases, data, shape, {{lags - 1, end}}, {{end + lags - 1, data.frames}}};
  }

  /// Cosine of the whole filter, space times time, of a pathway and a planted one.
  double likeness(std::span<const double> pathway, std::size_t planted) const {
    const std::size_t S = shape.bumps, J = shape.courses;
    return cosine(pathway.first(S), truth.space(shape, planted)) *
           cosine(course_of(bases, pathway.subspan(S, J)), course_of(bases, truth.time(shape, planted)));
  }
};

}  // namespace amacrine::test
