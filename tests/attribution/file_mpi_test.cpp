// SPDX-License-Identifier: Apache-2.0
#include "../../src/attribution/task.hpp"
#include "amacrine/attribution/run.hpp"
#include "attribution/same_bits.hpp"
#include "attribution/small_model.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include <gtest/gtest.h>

namespace amacrine::attribution {
namespace {

stimulus::ProbeSettings dark_stimuli() {
  stimulus::ProbeSettings probe;
  probe.sets = {"circuits"};
  return probe;
}

struct Job {
  AttributionSettings settings;
  model::Model model;
  Plan plan;

  explicit Job(const std::string& levels = "symmetry", model::Model subject = small_model()) : model(std::move(subject)) {
    settings.panels = 6;
    settings.block_windows = 5;
    settings.after_ms = 110;
    settings.bar_range_px = 0.5;
    settings.levels = levels;
    settings.stimuli = {"latency", "moving_bar", "reversal/direction=1,position_px=0"};
    const auto catalogue = stimulus::catalogue(dark_stimuli(), model.screen);
    for (const stimulus::Condition& condition : catalogue)
      if (condition.family == stimulus::Family::reversal) settings.stimuli[2] = condition.name;
    plan = make_plan(settings, catalogue, model);
  }

  std::string run(const parallel::Communicator& communicator, const std::string& path) const {
    Attributor<float> attributor(core::Exec(), model::make_inference<float>(model), settings);
    io::Provenance provenance;
    provenance.verb = "attribute";
    AttributionFile file(communicator, path, "network", plan, model, first_layer_facts(attributor.plain()), settings, provenance);
    file.create();
    if (communicator.root()) file.write_frame();
    run_plan(communicator, plan, attributor, file);
    file.finish();
    return path;
  }
};

std::string scratch(const parallel::Communicator& world, const std::string& name) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("amacrine_attribution_" + std::to_string(world.size()));
  if (world.root()) std::filesystem::create_directories(folder);
  world.barrier();
  return (folder / name).string();
}

TEST(AttributionFile, HasTheSameBitsOnAnyNumberOfRanks) {
  const auto world = parallel::Communicator::world();
  for (const char* levels : {"symmetry", "unit", "pixel", "pixel by spectra"}) {
    const std::string level = std::string(levels).substr(0, std::string(levels).find(' '));
    const Job job(level, level == levels ? small_model() : large_kernel_model());
    const std::string together = job.run(world, scratch(world, "together.h5"));
    if (world.root()) {
      const std::string alone = job.run(parallel::Communicator::self(), scratch(parallel::Communicator::self(), "alone.h5"));
      const io::Reader a(together), b(alone);
      int compared = 0;
      for (const char* name : {"rate",
                               "baseline_rate",
                               "residual",
                               "attribution",
                               "downstream_weight",
                               "response_weight",
                               "drive",
                               "response_change",
                               "position_attribution",
                               "position_downstream_weight",
                               "position_drive",
                               "unit_attribution",
                               "unit_downstream_weight",
                               "unit_drive",
                               "unit_response_change",
                               "pixel_attribution",
                               "kernel",
                               "gain",
                               "offset",
                               "baseline_input"})
        if (b.has(name)) {
          expect_same_bits(a, b, name);
          ++compared;
        }
      EXPECT_GT(compared, 12);
    }
    world.barrier();
  }
}

/// Bars without weights: windows that drive few columns by forward tangents, the others by backward passes.
TEST(FullAttributionFile, BarsHaveTheSameBitsOnAnyNumberOfRanks) {
  const auto world = parallel::Communicator::world();
  Job job("symmetry", standard_layers_model());
  const auto catalogue = stimulus::catalogue(dark_stimuli(), job.model.screen);
  const auto run = [&](const parallel::Communicator& communicator, int block_windows, const std::string& name) {
    job.settings.block_windows = block_windows;
    job.plan = make_plan(job.settings, catalogue, job.model);
    return job.run(communicator, scratch(communicator, name));
  };
  job.settings.quantities = {"attribution", "drive", "response_change"};
  job.settings.weights = false;
  job.settings.panels = 3;
  job.settings.stimuli = {"moving_bar"};
  job.settings.bar_range_px = 4;
  const std::string together = run(world, 5, "bars.h5");
  if (world.root()) {
    const io::Reader a(together), b(run(parallel::Communicator::self(), 13, "bars_alone.h5"));
    for (const char* name : {"rate", "attribution", "position_attribution", "position_drive", "position_response_change"})
      expect_same_bits(a, b, name);
    float largest = 0;
    for (float rate : a.read<float>("rate")) largest = std::max(largest, rate);
    for (float residual : a.read<float>("residual")) EXPECT_LE(std::abs(residual), 1e-5 * largest);
  }
  world.barrier();
}

/// Without weights the flashes of several contrasts share one path; each contrast's rows are those it has alone.
TEST(AttributionFile, AContrastSeriesIsOneRay) {
  const auto world = parallel::Communicator::world();
  Job job("channel");
  job.settings.quantities = {"attribution", "drive", "response_change"};
  job.settings.weights = false;
  job.settings.stimuli = {"latency"};
  job.settings.panels = 256;  // two quadratures of one integral
  const auto catalogue = stimulus::catalogue(dark_stimuli(), job.model.screen);
  job.plan = make_plan(job.settings, catalogue, job.model);
  ASSERT_EQ(job.plan.showings.size(), 1U);
  EXPECT_EQ(job.plan.showings[0].ray.size(), 7U);
  const io::Reader ray(job.run(world, scratch(world, "ray.h5")));
  job.plan.showings.clear();
  for (std::size_t s = 0; s < job.plan.stimuli.size(); ++s)
    job.plan.showings.push_back({s, {0, 1, 2}, {}, s * ((job.plan.stimuli[s].windows + 4) / 5), {}});
  job.plan.tasks = 7 * ((job.plan.stimuli[0].windows + 4) / 5);
  const io::Reader alone(job.run(world, scratch(world, "no_ray.h5")));
  double largest = 0;
  for (const char* name : {"rate", "baseline_rate", "attribution", "drive", "response_change"}) {
    const auto a = ray.read<float>(name), b = alone.read<float>(name);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_NEAR(a[i], b[i], 2e-3) << name;
      largest = std::max(largest, static_cast<double>(std::abs(b[i])));
    }
  }
  EXPECT_GT(largest, 0.1);
  for (float residual : ray.read<float>("residual")) EXPECT_LT(std::abs(residual), 1e-3);
}

/// System calls of this process that have written something; nothing where the system does not count them.
std::optional<long> write_calls() {
  std::ifstream counts("/proc/self/io");
  for (std::string name; counts >> name;)
    if (long value = 0; name == "syscw:" && counts >> value) return value;
  return std::nullopt;
}

/// Bars are shown to each cell at its own place; still a task's rows of a variable lie in one piece and are written at once.
TEST(AttributionFile, ATaskIsWrittenInOnePieceAVariable) {
  const auto self = parallel::Communicator::self();
  if (!parallel::Communicator::world().root()) return;
  for (const char* levels : {"symmetry", "unit"}) {
    Job job(levels);
    for (std::size_t n = 0; n < job.model.cells.size(); ++n)
      job.model.cells[n].centre = stimulus::Centre{5.0 + static_cast<double>(n), 6.0};
    job.settings.stimuli = {"moving_bar"};
    job.plan = make_plan(job.settings, stimulus::catalogue(dark_stimuli(), job.model.screen), job.model);
    Attributor<float> attributor(core::Exec(), model::make_inference<float>(job.model), job.settings);
    io::Provenance provenance;
    provenance.verb = "attribute";
    AttributionFile file(self, scratch(self, "pieces.h5"), "network", job.plan, job.model, first_layer_facts(attributor.plain()),
                         job.settings, provenance);
    file.create();
    TaskRunner<float> runner(job.plan, attributor);
    for (std::size_t id = 0; id < job.plan.tasks; ++id) {
      const Task task = job.plan.task(id);
      EXPECT_EQ(task.showings, 3U);
      const auto before = write_calls();
      runner.run(task, [&](const Showing& showing, std::size_t stimulus, const Block& block) {
        file.write_task(task, showing, stimulus, block);
      });
      const auto after = write_calls();
      const std::string entry = file.close_task(id);
      std::map<std::string, int> writes;
      const std::string mark = "[\"";  // a piece: ["variable", first, count, checksum]
      for (std::size_t at = entry.find(mark); at != std::string::npos; at = entry.find(mark, at + 1))
        ++writes[entry.substr(at + 2, entry.find('"', at + 2) - at - 2)];
      EXPECT_GT(writes.size(), 15U) << entry;
      for (const auto& [variable, count] : writes) EXPECT_EQ(count, 1) << variable;
      if (before && after) {
        EXPECT_LE(*after - *before, 2 * static_cast<long>(writes.size())) << levels;
      }
    }
    EXPECT_GT(job.plan.tasks, 1U);
  }
}

/// Cells at two places see bars at their own place; each cell's rows are those it has where it is attributed alone.
TEST(AttributionFile, RowsOfCellsAtSeveralPlacesAreEachCellsOwn) {
  const auto world = parallel::Communicator::world();
  Job job("unit");
  job.settings.stimuli = {"moving_bar"};
  const auto catalogue = stimulus::catalogue(dark_stimuli(), job.model.screen);
  const auto rows_of = [&](const std::vector<std::string>& cells, const std::string& name) {
    job.settings.cells = cells;
    job.plan = make_plan(job.settings, catalogue, job.model);
    return job.run(world, scratch(world, name));
  };
  const io::Reader all(rows_of({}, "places.h5"));
  ASSERT_GT(job.plan.showings.size(), job.plan.stimuli.size()) << "bars are shown at two places";
  const std::size_t windows = job.plan.windows, cells = job.model.cells.size();
  std::vector<double> sizes;
  for (std::size_t n = 0; n < cells; ++n) {
    const io::Reader alone(rows_of({job.model.cells[n].name}, "place.h5"));
    for (const char* name : {"rate", "residual", "attribution", "drive", "downstream_weight", "unit_attribution", "unit_drive"}) {
      const auto together = all.read<float>(name), own = alone.read<float>(name);
      const std::size_t block = own.size() / windows;
      ASSERT_EQ(together.size(), own.size() * cells) << name;
      double size = 0;
      for (std::size_t w = 0; w < windows; ++w)
        for (std::size_t i = 0; i < block; ++i) {
          const float expected = own[w * block + i];
          ASSERT_NEAR(together[(w * cells + n) * block + i], expected, 1e-5F + 1e-5F * std::abs(expected)) << name << " " << n;
          size += std::abs(expected);
        }
      if (std::string(name) == "attribution") sizes.push_back(size);
    }
    world.barrier();
  }
  for (std::size_t n = 0; n < cells; ++n) {
    EXPECT_GT(sizes[n], 0) << n;
    EXPECT_GT(std::abs(sizes[n] - sizes[(n + 1) % cells]), 1e-3 * sizes[n]) << "cells differ, or the test could not fail";
  }
}

/// Norm per unit: plain network. Norm per channel: folded by the stimuli's symmetry.
class Norms : public testing::TestWithParam<model::Norm> {};

TEST_P(Norms, RowsAddUpAndSymmetryIsExact) {
  const auto world = parallel::Communicator::world();
  const Job job("symmetry", small_model(GetParam()));
  const io::Reader file(job.run(world, scratch(world, "rows.h5")));
  const auto rate = file.read<float>("rate"), baseline = file.read<float>("baseline_rate"),
             residual = file.read<float>("residual");
  const auto attribution = file.read<float>("attribution"), drive = file.read<float>("drive"),
             weight = file.read<float>("downstream_weight");
  const std::size_t channels = 3, cells = 3;
  ASSERT_EQ(rate.size(), job.plan.windows * cells);
  for (std::size_t row = 0; row < rate.size(); ++row) {
    float sum = 0;
    for (std::size_t c = 0; c < channels; ++c) sum += attribution[row * channels + c];
    EXPECT_NEAR(sum, rate[row] - baseline[row] + residual[row], 1e-4);
    EXPECT_LT(std::abs(residual[row]), 1e-4);
  }
  for (const PlannedStimulus& stimulus : job.plan.stimuli) {  // Eq. 3 with W * s uniform over the channel
    if (stimulus.symmetry != stimulus::Symmetry::full_field) continue;
    for (std::size_t i = stimulus.first_window * 9; i < (stimulus.first_window + stimulus.windows) * 9; ++i)
      EXPECT_NEAR(attribution[i], drive[i] * weight[i], 1e-4);
  }
  // Eq. 4 with W * s uniform along y: the same at position level, and positions add up to channels.
  const auto p_attribution = file.read<float>("position_attribution"), p_drive = file.read<float>("position_drive"),
             p_weight = file.read<float>("position_downstream_weight");
  const auto index = file.read<std::int32_t>("position_window_index");
  const std::size_t columns = 9, per_window = cells * channels;
  ASSERT_EQ(p_attribution.size(), index.size() * per_window * columns);
  double largest = 0;
  for (std::size_t i = 0; i < index.size() * per_window; ++i) {
    double sum = 0;
    for (std::size_t x = 0; x < columns; ++x) {
      const std::size_t k = i * columns + x;
      sum += static_cast<double>(p_attribution[k]);
      largest = std::max(largest, std::abs(sum));
      EXPECT_NEAR(p_attribution[k], p_drive[k] * p_weight[k], 1e-4);
    }
    EXPECT_NEAR(attribution[static_cast<std::size_t>(index[i / per_window]) * per_window + i % per_window], sum, 1e-4);
  }
  EXPECT_GT(largest, 0.01);
}

INSTANTIATE_TEST_SUITE_P(AttributionFile, Norms, testing::Values(model::Norm::per_unit, model::Norm::per_channel));

}  // namespace
}  // namespace amacrine::attribution
