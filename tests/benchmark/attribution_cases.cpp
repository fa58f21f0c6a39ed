// SPDX-License-Identifier: Apache-2.0
#include "attribution_cases.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/stimulus/catalogue.hpp"

namespace amacrine::benchmark {
namespace {

constexpr std::size_t run = 16;  // windows in a row of a sample

/// Runs of windows at `starts`.
std::vector<std::size_t> runs_at(std::initializer_list<std::size_t> starts) {
  std::vector<std::size_t> windows;
  for (std::size_t start : starts)
    for (std::size_t i = 0; i < run; ++i) windows.push_back(start + i);
  return windows;
}

Case natural_case(attribution::Level level, const std::string& path, std::size_t stretches) {
  const recording::Recording recording = recording::load_recording(path, {}, recording::Load::test);
  const recording::StoredMovie& stored = recording.test.movie;
  Case out;
  out.level = level;
  out.movie = core::Array<float, 3>({stored.frames(), stored.height(), stored.width()});
  for (std::size_t t = 0; t < stored.frames(); ++t) stored.contrast(t, recording.coding, out.movie.row(t).data());
  for (std::size_t i = 0; i < stretches; ++i) out.stretches.push_back({100 + i * (stored.frames() - 200) / stretches, run});
  out.sample = stretches == 1 ? runs_at({0}) : runs_at({run, 3 * run});
  return out;
}

Case latency_case(const model::Model& model) {
  constexpr std::size_t intensities = 40, outputs = 40;
  stimulus::LatencyProbe probe;
  probe.contrasts = {-3.0};
  const stimulus::Condition condition = stimulus::conditions(probe, model.screen).front();
  Case out;
  out.level = attribution::Level::channel;
  out.symmetry = stimulus::Symmetry::full_field;
  out.movie = stimulus::render(condition, model.screen, {}).contrast;
  out.scales.clear();
  for (std::size_t i = 1; i <= intensities; ++i) out.scales.push_back(static_cast<double>(i) / intensities);
  out.stretches = {{static_cast<std::size_t>(condition.event("onset")), outputs}};
  out.sample =
      runs_at({3 * outputs + 5, 9 * outputs + 5, 15 * outputs + 5, 23 * outputs + 5, 31 * outputs + 5, 39 * outputs + 5});
  return out;
}

Case bar_case(const model::Model& model) {
  constexpr std::size_t outputs = 711;
  stimulus::AnticipationProbe probe;
  stimulus::named_probe(stimulus::ParameterSet::library, probe);
  const stimulus::Condition condition = stimulus::conditions(probe, model.screen, stimulus::ParameterSet::library).front();
  Case out;
  out.level = attribution::Level::position;
  out.symmetry = stimulus::Symmetry::along_y;
  out.movie = stimulus::render(condition, model.screen, {}).contrast;
  out.stretches = {{static_cast<std::size_t>(condition.event("onset")), outputs}};
  out.sample = runs_at({180, 330, 480});
  return out;
}

}  // namespace

std::size_t Case::stretch_windows() const {
  std::size_t sum = 0;
  for (const Stretch& stretch : stretches) sum += stretch.count;
  return sum;
}

Case make_case(const std::string& name, const model::Model& model, const std::string& recording) {
  Case out;
  if (name == "unit") {
    out = natural_case(attribution::Level::unit, recording, 4);
  } else if (name == "channel") {
    out = natural_case(attribution::Level::channel, recording, 4);
  } else if (name == "pixel") {
    out = natural_case(attribution::Level::pixel, recording, 1);
  } else if (name == "latency") {
    out = latency_case(model);
  } else if (name == "bar") {
    out = bar_case(model);
  } else {
    core::fail<core::StudyError>("there is no case '{}'; unit, channel, latency, bar, pixel", name);
  }
  out.name = name;
  const std::size_t last = out.stretches.back().first + out.stretches.back().count;
  core::require(last <= out.movie.extent(0), "case {}: window {} of a movie of {} frames", name, last, out.movie.extent(0));
  return out;
}

}  // namespace amacrine::benchmark
