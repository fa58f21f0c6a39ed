// SPDX-License-Identifier: Apache-2.0
// amacrine_benchmark_certificate MODEL RECORDING [TOLERANCE [WINDOWS [LEVEL]]]: what the error estimate is worth, and what
// accuracy costs, on a trained model. Truth is the same windows in double with 512 panels. Windows: stretches of the recording's
// test movie, and of one condition of each of the four stimuli. LEVEL: unit (the default), channel, unit2, channel2. Prints per
// stimulus and level how many rows the estimate covers, and the rows' errors for every rule and number of panels.
#include "amacrine/attribution/block.hpp"
#include "amacrine/parallel/environment.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/settings.hpp"
#include "amacrine/stimulus/catalogue.hpp"
#include "amacrine/stimulus/settings.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace amacrine;
using attribution::AttributionSettings;
using attribution::Block;
using attribution::Level;
using attribution::Rule;

namespace {

constexpr std::size_t run = 16;  ///< windows that follow one another
constexpr int oracle_panels = 512;

struct Stimulus {
  std::string name;
  core::Array<float, 3> movie;
  std::vector<std::size_t> starts;  ///< first windows of the stretches
};

Stimulus natural_windows(const std::string& path, std::size_t windows) {
  const recording::Recording recording = recording::load_recording(path, {}, recording::Load::test);
  const recording::StoredMovie& stored = recording.test.movie;
  Stimulus out{"natural", core::Array<float, 3>({stored.frames(), stored.height(), stored.width()}), {}};
  for (std::size_t t = 0; t < stored.frames(); ++t) stored.contrast(t, recording.coding, out.movie.row(t).data());
  const std::size_t stretches = std::max<std::size_t>(1, windows / run);
  for (std::size_t i = 0; i < stretches; ++i) out.starts.push_back(100 + i * (stored.frames() - 200) / stretches);
  return out;
}

/// The middle condition of every family that has an event, from that event on.
std::vector<Stimulus> artificial(const model::Model& model) {
  using stimulus::Family;
  std::vector<Stimulus> out;
  const auto catalogue = stimulus::catalogue({}, model.screen);
  for (Family family : {Family::osr, Family::latency, Family::reversal, Family::moving_bar}) {
    std::vector<const stimulus::Condition*> found;
    for (const stimulus::Condition& condition : catalogue)
      if (condition.family == family) found.push_back(&condition);
    const stimulus::Condition& condition = *found.at(found.size() / 2);
    std::size_t first = 0;
    for (const char* event : {"last_flash", "reversal", "onset"})
      if (first == 0 && condition.event(event) > 0) first = static_cast<std::size_t>(condition.event(event));
    first = std::min(first, condition.frames - 2 * run);
    const stimulus::Centre centre = model.cells.front().centre.value_or(stimulus::Centre{24.5, 24.5});
    out.push_back(
        {stimulus::family_name(family), stimulus::render(condition, model.screen, centre).contrast, {first, first + run}});
  }
  return out;
}

/// Rows of a stimulus: their values at the level, and what is said of them.
struct Rows {
  std::vector<float> values;
  std::vector<double> estimate, panels;
  std::size_t flagged = 0;
};

Level level_of(const std::string& name) {
  for (Level level : {Level::unit, Level::channel, Level::unit2, Level::channel2})
    if (name == attribution::to_string(level)) return level;
  core::fail<core::StudyError>("there is no level '{}' to certify; unit, channel, unit2, channel2", name);
}

std::vector<float> values_of(const Block& block, Level level) {
  const std::vector<double>& channels = block.second.attribution.values();
  if (level == Level::channel) return attribution::channel_level(block).attribution;
  if (level == Level::channel2) return {channels.begin(), channels.end()};
  return level == Level::unit2 ? block.second.units : block.unit_attribution;
}

template <class S>
Rows attribute(const model::Model& model, const Stimulus& stimulus, const AttributionSettings& settings) {
  const Level level = level_of(settings.levels);
  attribution::BlockAttributor<S> attributor(core::Exec(), model::make_inference<S>(model), settings);
  std::vector<int> cells;
  for (std::size_t n = 0; n < model.cells.size(); ++n) cells.push_back(static_cast<int>(n));
  Rows out;
  for (std::size_t start : stimulus.starts) {
    const Block& block = attributor.attribute(stimulus.movie, start, run, cells, level);
    const std::vector<float> values = values_of(block, level);
    out.values.insert(out.values.end(), values.begin(), values.end());
    out.estimate.insert(out.estimate.end(), block.error_estimate.values().begin(), block.error_estimate.values().end());
    out.panels.insert(out.panels.end(), block.panels.values().begin(), block.panels.values().end());
    for (std::int8_t flag : block.flag.values()) out.flagged += flag != 0 ? 1 : 0;
  }
  return out;
}

/// Sum |A - A*| / max(Sum |A*|, 0.1 Hz) of every row.
std::vector<double> errors(const Rows& rows, const Rows& truth) {
  const std::size_t count = truth.estimate.size(), length = truth.values.size() / count;
  std::vector<double> out;
  for (std::size_t row = 0; row < count; ++row) {
    double error = 0, size = 0;
    for (std::size_t i = row * length; i < (row + 1) * length; ++i) {
      error += std::abs(static_cast<double>(rows.values[i]) - static_cast<double>(truth.values[i]));
      size += std::abs(static_cast<double>(truth.values[i]));
    }
    out.push_back(error / std::max(size, 0.1));
  }
  return out;
}

double quantile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(part * static_cast<double>(values.size())))];
}

struct Coverage {
  std::size_t rows = 0, covered = 0, within = 0;
};

/// One line of the certificate's table.
Coverage certify(const model::Model& model, const Stimulus& stimulus, const Rows& truth, double tolerance,
                 const std::string& level) {
  AttributionSettings settings;
  settings.levels = level;
  settings.panels = run;
  settings.tolerance = tolerance;
  const Rows rows = attribute<float>(model, stimulus, settings);
  const std::vector<double> error = errors(rows, truth);
  Coverage out{error.size(), 0, 0};
  for (std::size_t row = 0; row < error.size(); ++row) {
    out.covered += error[row] <= rows.estimate[row] ? 1 : 0;
    out.within += error[row] <= tolerance ? 1 : 0;
  }
  std::printf("certificate %-12s rows %4zu covered %4zu within %4zu flagged %zu panels %.0f largest %.0f error %.2e p99 %.2e\n",
              stimulus.name.c_str(), out.rows, out.covered, out.within, rows.flagged, quantile(rows.panels, 0.5),
              quantile(rows.panels, 1.0), quantile(error, 0.5), quantile(error, 0.99));
  return out;
}

void print_costs(const model::Model& model, const Stimulus& stimulus, const Rows& truth, const std::string& level) {
  for (Rule rule : {Rule::right, Rule::midpoint, Rule::trapezoid, Rule::secant})
    for (int panels : {8, 16, 32, 64}) {
      AttributionSettings settings;
      settings.levels = level;
      settings.rule = rule;
      settings.panels = panels;
      const std::vector<double> error = errors(attribute<float>(model, stimulus, settings), truth);
      std::printf("cost %-10s %-9s panels %2d median %.2e p99 %.2e\n", stimulus.name.c_str(), attribution::to_string(rule),
                  panels, quantile(error, 0.5), quantile(error, 0.99));
      std::fflush(stdout);
    }
}

}  // namespace

int main(int argc, char** argv) {
  parallel::Environment environment(argc, argv);
  if (argc < 3) {
    std::fprintf(stderr, "usage: amacrine_benchmark_certificate MODEL RECORDING [TOLERANCE [WINDOWS [LEVEL]]]\n");
    return 2;
  }
  const model::Model model = model::read_model(argv[1]);
  const double tolerance = argc > 3 ? std::atof(argv[3]) : 0.01;
  std::vector<Stimulus> stimuli{natural_windows(argv[2], argc > 4 ? static_cast<std::size_t>(std::atol(argv[4])) : 96)};
  for (Stimulus& stimulus : artificial(model)) stimuli.push_back(std::move(stimulus));
  const std::string level = argc > 5 ? argv[5] : "unit";
  AttributionSettings oracle;
  oracle.levels = level;
  oracle.panels = oracle_panels;
  Coverage all;
  Rows natural;
  for (const Stimulus& stimulus : stimuli) {
    const Rows truth = attribute<double>(model, stimulus, oracle);
    const Coverage one = certify(model, stimulus, truth, tolerance, level);
    all = {all.rows + one.rows, all.covered + one.covered, all.within + one.within};
    std::fflush(stdout);
    if (stimulus.name == "natural") natural = truth;
  }
  const auto percent = [&](std::size_t count) { return 100.0 * static_cast<double>(count) / static_cast<double>(all.rows); };
  std::printf("coverage %.2f %% of %zu rows; within the tolerance of %g: %.2f %%\n", percent(all.covered), all.rows, tolerance,
              percent(all.within));
  std::fflush(stdout);
  print_costs(model, stimuli.front(), natural, level);
  return 0;
}
