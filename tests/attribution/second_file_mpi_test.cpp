// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/run.hpp"
#include "attribution/same_bits.hpp"
#include "attribution/small_model.hpp"
#include "support/compare.hpp"

#include <functional>
#include <map>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// Files with the second layer's levels, of full fields and bars: 2 channels of 7 x 7 units.
namespace amacrine::attribution {
namespace {

constexpr std::size_t second_size = 49, second_units = 2 * second_size;

struct SecondJob {
  AttributionSettings settings;
  model::Norm norm = model::Norm::per_unit;

  explicit SecondJob(const std::string& levels) {
    settings.panels = 6;
    settings.block_windows = 5;
    settings.after_ms = 110;
    settings.bar_range_px = 0.5;
    settings.levels = levels;
    settings.stimuli = {"latency/contrast=-2", "moving_bar"};
  }
  /// Attributes and returns the path; `predicted`: the bytes a dry run prints.
  std::string run(const parallel::Communicator& communicator, const std::string& path, std::size_t* predicted = nullptr) const {
    const model::Model model = small_model(norm);
    const Plan plan = make_plan(settings, stimulus::catalogue(stimulus::ProbeSettings{}, model.screen), model);
    Attributor<float> attributor(core::Exec(), model::make_inference<float>(model), settings);
    AttributionFile file(communicator, path, "network", plan, model, first_layer_facts(attributor.plain()), settings, {});
    if (predicted != nullptr) *predicted = file.predicted_bytes();
    file.create();
    if (communicator.root()) file.write_frame();
    run_plan(communicator, plan, attributor, file);
    file.finish();
    return path;
  }
};

TEST(SecondLayerFile, HasTheSameBitsOnAnyNumberOfRanks) {
  const auto world = parallel::Communicator::world();
  const test::TemporaryFolder folder;
  for (const std::string level : {"channel2", "unit2"}) {
    const SecondJob job(level);
    const std::string together = job.run(world, folder / (level + ".h5"));
    if (world.root()) {
      const io::Reader a(together), b(job.run(parallel::Communicator::self(), folder / "alone.h5"));
      const std::vector<std::string> names{
          "rate", "attribution", "drive", level + "_attribution", level + "_response_change", level + "_residual"};
      for (const std::string& name : names) expect_same_bits(a, b, name);
      EXPECT_FALSE(a.has(level + "_drive"));
      EXPECT_FALSE(a.has("unit_attribution"));
    }
    world.barrier();
  }
}

TEST(SecondLayerFile, RowsAddUpAndChannelsAreSumsOfUnits) {
  const auto world = parallel::Communicator::world();
  const test::TemporaryFolder folder;
  const io::Reader units(SecondJob("unit2").run(world, folder / "units.h5")),
      channels(SecondJob("channel2").run(world, folder / "channels.h5"));
  const auto rate = units.read<float>("rate"), baseline = units.read<float>("baseline_rate"),
             residual = units.read<float>("unit2_residual"), all = units.read<float>("unit2_attribution"),
             sums = channels.read<float>("channel2_attribution"), changes = units.read<float>("unit2_response_change"),
             means = channels.read<float>("channel2_response_change");
  EXPECT_THAT(units.shape("unit2_attribution"), testing::ElementsAre(rate.size() / 3, 3, 2, 7, 7));
  EXPECT_THAT(channels.shape("channel2_attribution"), testing::ElementsAre(rate.size() / 3, 3, 2));
  const auto index = units.read<std::int32_t>("unit2_window_index");
  std::vector<double> added, expected, of_channel, mean_change;
  for (std::size_t row = 0; row < rate.size(); ++row) {
    EXPECT_EQ(index[row / 3], static_cast<int>(row / 3));
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(row * second_units);
    added.push_back(std::accumulate(first, first + second_units, 0.0));
    expected.push_back(static_cast<double>(rate[row] - baseline[row] + residual[row]));
    for (std::size_t c = 0; c < 2; ++c) {
      const auto begin = static_cast<std::ptrdiff_t>(row * second_units + c * second_size);
      of_channel.push_back(std::accumulate(all.begin() + begin, all.begin() + begin + second_size, 0.0));
      mean_change.push_back(std::accumulate(changes.begin() + begin, changes.begin() + begin + second_size, 0.0) / second_size);
    }
  }
  EXPECT_LE(test::absolute_error(added, expected), 1e-4);
  EXPECT_LE(test::absolute_error(sums, of_channel), 1e-4);
  EXPECT_LE(test::absolute_error(means, mean_change), 1e-4);
  EXPECT_LE(test::absolute_error(residual, std::vector<float>(residual.size(), 0)), 1e-4);
  EXPECT_GT(test::absolute_error(sums, std::vector<float>(sums.size(), 0)), 0.1);
}

/// Norm per channel: full fields fold to one pixel, bars along y.
TEST(SecondLayerFile, FoldedNetworksHaveTheChannelsOfThePlainOne) {
  const auto world = parallel::Communicator::world();
  const test::TemporaryFolder folder;
  SecondJob folded("channel2"), plain("unit2");
  folded.norm = plain.norm = model::Norm::per_channel;
  const io::Reader a(folded.run(world, folder / "folded.h5")), b(plain.run(world, folder / "plain.h5"));
  const auto units = b.read<float>("unit2_attribution"), changes = b.read<float>("unit2_response_change");
  std::vector<double> sums, means;
  for (std::size_t i = 0; i < units.size(); i += second_size) {
    const auto at = static_cast<std::ptrdiff_t>(i);
    sums.push_back(std::accumulate(units.begin() + at, units.begin() + at + second_size, 0.0));
    means.push_back(std::accumulate(changes.begin() + at, changes.begin() + at + second_size, 0.0) / second_size);
  }
  EXPECT_LE(test::absolute_error(a.read<float>("channel2_attribution"), sums), 1e-4);
  EXPECT_LE(test::absolute_error(a.read<float>("channel2_response_change"), means), 1e-4);
  EXPECT_GT(test::absolute_error(sums, std::vector<double>(sums.size(), 0)), 0.1);
}

TEST(SecondLayerFile, TheLargestAreKeptAndTheRestCompletesTheRow) {
  const auto world = parallel::Communicator::world();
  const test::TemporaryFolder folder;
  SecondJob job("unit2");
  const io::Reader whole(job.run(world, folder / "whole.h5"));
  job.settings.storage = Storage::top;
  job.settings.top = 10;
  const io::Reader kept(job.run(world, folder / "kept.h5"));
  const auto index = kept.read<std::int32_t>("unit2_top_index");
  const auto rest = kept.read<float>("unit2_rest_attribution"), all = whole.read<float>("unit2_attribution"),
             top = kept.read<float>("unit2_top_attribution");
  EXPECT_FALSE(kept.has("unit2_attribution"));
  EXPECT_TRUE(kept.has("unit2_top_response_change"));
  ASSERT_EQ(index.size(), rest.size() * 10);
  for (std::size_t row = 0; row < rest.size(); ++row) {
    double sum = static_cast<double>(rest[row]);
    for (std::size_t i = row * 10; i < row * 10 + 10; ++i) {
      EXPECT_EQ(top[i], all[row * second_units + static_cast<std::size_t>(index[i])]);
      sum += static_cast<double>(top[i]);
    }
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(row * second_units);
    EXPECT_NEAR(sum, std::accumulate(first, first + second_units, 0.0), 1e-4);
  }
  job.settings.levels = "channel2";
  EXPECT_TRUE(io::Reader(job.run(world, folder / "channels.h5")).has("channel2_attribution"));
}

std::size_t stored_bytes(const io::Reader& file, const std::string& variable) {
  const std::map<io::Type, std::size_t> sizes{{io::Type::float32, 4}, {io::Type::float64, 8}, {io::Type::int8, 1},
                                              {io::Type::uint8, 1},   {io::Type::int32, 4},   {io::Type::int64, 8}};
  const auto shape = file.shape(variable);
  return std::accumulate(shape.begin(), shape.end(), sizes.at(file.type(variable)), std::multiplies<>());
}

TEST(SecondLayerFile, TheDryRunNamesTheBytesThatAreWritten) {
  const auto world = parallel::Communicator::world();
  const test::TemporaryFolder folder;
  for (const std::string level : {"channel2", "unit2"})
    for (Storage storage : {Storage::full, Storage::top}) {
      SecondJob job(level);
      job.settings.storage = storage;
      std::size_t predicted = 0, written = 0;
      const io::Reader file(job.run(world, folder / "bytes.h5", &predicted));
      for (const std::string& name : file.list())
        if (file.is_dataset(name) && !file.has_attribute("CLASS", name))
          written += stored_bytes(file, name);  // a scale has a class
      EXPECT_EQ(written, predicted) << level;
    }
}

}  // namespace
}  // namespace amacrine::attribution
