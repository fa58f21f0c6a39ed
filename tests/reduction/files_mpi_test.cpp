// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/reduction_file.hpp"
#include "files.hpp"

#include <cmath>
#include <filesystem>
#include <unistd.h>

#include <gtest/gtest.h>

/// Attributions in, a reduction out: the files say what the numbers in memory say, on any number of ranks.
namespace amacrine::reduction {
namespace {

std::string scratch(const parallel::Communicator& world, const std::string& name) {
  const auto folder = std::filesystem::temp_directory_path() / "amacrine_reduction_tests";
  std::filesystem::create_directories(folder);
  return world.broadcast((folder / (std::to_string(getpid()) + "_" + name)).string());
}

/// Three cells: a circuit, and the same with all rates and attributions scaled.
std::vector<AttributedCell> three_cells() {
  const auto& circuit = recording::circuit("latency");
  stimulus::LatencyProbe latency;
  latency.contrasts = {-1, -2, -3};
  auto shown = stimulus::conditions(latency, stimulus::Screen{});
  stimulus::OsrProbe osr;
  osr.periods_ms = {80, 100};
  for (const auto& condition : stimulus::conditions(osr, stimulus::Screen{})) shown.push_back(condition);
  std::vector<AttributedCell> cells(3, testing::attribute(circuit, shown, 3));
  for (std::size_t n = 0; n < 3; ++n) {
    cells[n].name = "cell" + std::to_string(n);
    cells[n].rest *= static_cast<double>(n + 1);
    for (auto& condition : cells[n].conditions) {
      for (double& rate : condition.rate) rate *= static_cast<double>(n + 1);
      for (double& a : condition.attribution.values()) a *= static_cast<double>(n + 1);
    }
  }
  return cells;
}

void reduce_file(const parallel::Communicator& world, const std::string& from, const std::string& to) {
  const ReductionSettings settings;
  const AttributionFile source(from, settings);
  const auto labels = label_channels(source.layer(), settings);
  ReductionFile file(world, to, source, labels, settings, io::Provenance{});
  const auto mine = world.owned(source.cells().size());
  for (std::size_t n = mine.begin; n < mine.end; ++n) {
    const AttributedCell cell = source.read_cell(n);
    file.write_cell(n, cell, reduce_cell(source.layer(), source.lines(), labels, cell, settings));
  }
  file.finish();
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])))) return false;
  return a.size() == b.size();
}

TEST(Files, AttributionsAreReadAsTheyWere) {
  const auto world = parallel::Communicator::world();
  const auto cells = three_cells();
  const std::string path = scratch(world, "attributions.h5");
  testing::write_attributions(world, path, testing::layer_of(recording::circuit("latency")), cells);
  const AttributionFile file(path, ReductionSettings{});
  ASSERT_EQ(file.cells().size(), 3u);
  ASSERT_EQ(file.conditions().size(), 5u);
  const AttributedCell cell = file.read_cell(1);
  EXPECT_EQ(cell.name, "cell1");
  EXPECT_EQ(cell.rest, cells[1].rest);
  EXPECT_EQ(cell.centre_x, 24.5);
  for (std::size_t k = 0; k < 5; ++k) {
    EXPECT_EQ(cell.conditions[k].name, cells[1].conditions[k].name);
    EXPECT_EQ(cell.conditions[k].held_out, cells[1].conditions[k].held_out);
    EXPECT_EQ(cell.conditions[k].rate, cells[1].conditions[k].rate);
    EXPECT_EQ(cell.conditions[k].attribution.values(), cells[1].conditions[k].attribution.values());
    EXPECT_EQ(cell.conditions[k].drive.values(), cells[1].conditions[k].drive.values());
    EXPECT_EQ(cell.conditions[k].frames, cells[1].conditions[k].frames);
  }
  world.barrier();
  if (world.root()) std::filesystem::remove(path);
}

TEST(Files, RatesThatAreNotFiniteAreRefused) {
  const auto world = parallel::Communicator::world();
  auto cells = three_cells();
  cells[2].conditions[1].rate[3] = std::nan("");
  const std::string path = scratch(world, "damaged.h5");
  testing::write_attributions(world, path, testing::layer_of(recording::circuit("latency")), cells);
  const AttributionFile file(path, ReductionSettings{});
  EXPECT_NO_THROW(file.read_cell(1));
  EXPECT_THROW(file.read_cell(2), core::InputError);
  world.barrier();
  if (world.root()) std::filesystem::remove(path);
}

TEST(Files, ReductionsAreTheSameOnAnyNumberOfRanks) {
  const auto world = parallel::Communicator::world();
  const std::string from = scratch(world, "from.h5"), to = scratch(world, "to.h5"), alone = scratch(world, "alone.h5");
  testing::write_attributions(world, from, testing::layer_of(recording::circuit("latency")), three_cells());
  reduce_file(world, from, to);
  if (world.root()) reduce_file(parallel::Communicator::self(), from, alone);
  world.barrier();
  const io::Reader together(to), single(alone);
  for (const char* name : {"rate",
                           "rest",
                           "weight",
                           "threshold",
                           "share",
                           "constant",
                           "r_fitted",
                           "r_held_out",
                           "reduced",
                           "attribution",
                           "drive",
                           "output",
                           "lesioned",
                           "attribution_rest",
                           "temporal_filter",
                           "lobe_lag",
                           "joint/weight",
                           "joint/reduced",
                           "joint/stimulus_r_held_out",
                           "polarity",
                           "later_polarity",
                           "used",
                           "mixed",
                           "minority_share",
                           "sign",
                           "held_out",
                           "channel_share",
                           "column_share"})
    EXPECT_TRUE(same_bits(together.read<double>(name), single.read<double>(name))) << name;
  world.barrier();
  if (world.root())
    for (const auto& path : {from, to, alone}) std::filesystem::remove(path);
}

TEST(Files, ReductionSaysWhatTheDocsSay) {
  const auto world = parallel::Communicator::world();
  const std::string from = scratch(world, "from2.h5"), to = scratch(world, "to2.h5");
  const auto cells = three_cells();
  testing::write_attributions(world, from, testing::layer_of(recording::circuit("latency")), cells);
  reduce_file(world, from, to);
  const io::Reader file(to);
  EXPECT_EQ(file.kind(), "reduction");
  EXPECT_EQ(file.text_attribute("subject"), "circuit");
  EXPECT_EQ(file.read_strings("stimulus"), (std::vector<std::string>{"latency", "osr"}));
  EXPECT_EQ(file.read<std::int32_t>("condition_stimulus"), (std::vector<std::int32_t>{0, 0, 0, 1, 1}));
  EXPECT_EQ(file.read<std::int32_t>("held_out"), (std::vector<std::int32_t>{0, 1, 0, 0, 1}));
  EXPECT_EQ(file.read<std::int32_t>("pathways_found", {0, 0}, {1, 1}).front(), 2);
  EXPECT_EQ(file.read<std::int32_t>("pathways_used", {0, 0}, {1, 1}).front(), 2);
  EXPECT_EQ(file.read<std::int32_t>("used", {0, 0, 0}, {1, 1, 3}), (std::vector<std::int32_t>{1, 1, 0}));
  // OFF_exc has one lobe; ON_inh's second lobe is larger and OFF. Neither's D changes sign.
  EXPECT_EQ(file.read<std::int32_t>("later_polarity", {0, 0, 0}, {1, 1, 3}), (std::vector<std::int32_t>{0, -1, 0}));
  EXPECT_EQ(file.read<std::int32_t>("mixed", {0, 0, 0}, {1, 1, 3}), (std::vector<std::int32_t>{0, 0, 0}));
  EXPECT_EQ(file.attribute("least_share"), 0.6);
  EXPECT_TRUE(std::isnan(file.read<double>("share_of_ceiling").front())) << "nobody has evaluated these attributions";
  EXPECT_EQ(file.read<std::int32_t>("channel_polarity"), (std::vector<std::int32_t>{-1, 1}));
  EXPECT_EQ(file.read<std::int32_t>("sign", {0, 0, 0}, {1, 1, 3}), (std::vector<std::int32_t>{1, -1, 0}));
  EXPECT_EQ(file.read<std::int32_t>("kept", {0, 0, 0}, {1, 1, 3}), (std::vector<std::int32_t>{1, 1, 0}));
  EXPECT_EQ(file.read<std::int32_t>("gain_part", {0, 0, 0}, {1, 1, 3}), (std::vector<std::int32_t>{0, 0, 0}));
  // Kept and not kept attributions add up to the response.
  const auto shape = file.shape("attribution");
  const auto a = file.read<double>("attribution", {1, 1, 0, 0}, {1, 1, shape[2], shape[3]}),
             rest = file.read<double>("attribution_rest", {1, 1, 0}, {1, 1, shape[3]});
  for (std::size_t t = 0; t < cells[1].conditions[1].size(); ++t)
    EXPECT_NEAR(a[t] + a[shape[3] + t] + rest[t], cells[1].conditions[1].rate[t] - cells[1].rest, 0.01) << t;
  EXPECT_TRUE(std::isnan(a[2 * shape[3]])) << "an unused slot";
  world.barrier();
  if (world.root())
    for (const auto& path : {from, to}) std::filesystem::remove(path);
}

}  // namespace
}  // namespace amacrine::reduction
