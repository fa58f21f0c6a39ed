// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/settings.hpp"
#include "amacrine/model/model.hpp"
#include "amacrine/stimulus/stimulus.hpp"

#include <string>
#include <vector>

namespace amacrine::benchmark {

/// Windows that end at frames [first, first + count) of a movie.
struct Stretch {
  std::size_t first = 0, count = 0;
};

/// One figure to be attributed: rows (intensity, window, cell), all cells of the model.
struct Case {
  std::string name;
  attribution::Level level = attribution::Level::unit;
  stimulus::Symmetry symmetry = stimulus::Symmetry::none;
  core::Array<float, 3> movie;      ///< contrast (T, Y, X), at the largest intensity
  std::vector<double> scales{1};    ///< intensities as parts of the largest, ascending
  std::vector<Stretch> stretches;   ///< the windows of every intensity
  std::vector<std::size_t> sample;  ///< of the windows, intensity by intensity: those on which accuracy is judged

  std::size_t stretch_windows() const;
  std::size_t windows() const { return scales.size() * stretch_windows(); }
};

/// natural: stretches of the recording's test movie. unit, channel, pixel: these windows at that level; latency: a dark flash
/// at 40 intensities, 40 outputs each; bar: the 711 outputs of the published moving bar. Throws StudyError where the name is
/// none of these.
Case make_case(const std::string& name, const model::Model& model, const std::string& recording);

}  // namespace amacrine::benchmark
