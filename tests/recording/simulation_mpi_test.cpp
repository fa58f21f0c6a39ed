// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/version.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/simulation.hpp"
#include "support/compare.hpp"

#include <gtest/gtest.h>

namespace amacrine::recording {
namespace {

/// Hash of the contents of one dataset.
template <class T>
std::string hash_of(const io::Reader& reader, const std::string& dataset) {
  const std::vector<T> values = reader.read<T>(dataset);
  return core::hash_bytes(values.data(), values.size() * sizeof(T));
}

TEST(SimulationOnRanks, EveryDatasetHasTheBitsOfOneRank) {
  SimulationSettings settings;
  settings.seed = 9;
  settings.train_minutes = 27.0 / 60.0;  // more than one block, and no multiple of it
  settings.test_seconds = 2;
  settings.repeats = 10;
  settings.cells = {
      {"a", "osr", 20.5, 26.0}, {"b", "osr_depressing", 27.0, 21.5}, {"c", "anticipation_gain_control", 24.0, 24.0}};
  const auto world = parallel::Communicator::world();
  const test::TemporaryFolder folder;
  const auto together = simulate_recording(world, settings, folder / "together.h5", io::Provenance{});
  std::vector<SimulatedActivity> alone;
  if (world.root()) alone = simulate_recording(parallel::Communicator::self(), settings, folder / "alone.h5", io::Provenance{});
  world.barrier();
  const io::Reader a(folder / "together.h5"), b(folder / "alone.h5");
  for (const char* part : {"train", "test"}) {
    const std::string prefix = std::string(part) + "/";
    EXPECT_EQ(hash_of<std::uint8_t>(a, prefix + "stimulus"), hash_of<std::uint8_t>(b, prefix + "stimulus"));
    for (const char* name : {"binned", "firing_rate_5ms", "firing_rate_10ms", "firing_rate_20ms"})
      EXPECT_EQ(hash_of<float>(a, prefix + "response/" + name), hash_of<float>(b, prefix + "response/" + name)) << part << name;
    EXPECT_EQ(hash_of<float>(a, "simulated/" + std::string(part) + "/rate"),
              hash_of<float>(b, "simulated/" + std::string(part) + "/rate"));
  }
  for (const char* name : {"cell01", "cell02", "cell03", "firing_rate_20ms"})
    EXPECT_EQ(hash_of<float>(a, std::string("test/repeats/") + name), hash_of<float>(b, std::string("test/repeats/") + name))
        << name;
  ASSERT_EQ(together.size(), 3u);
  for (std::size_t n = 0; n < alone.size(); ++n) {
    EXPECT_EQ(together[n].spikes, alone[n].spikes);
    EXPECT_EQ(together[n].mean_hz, alone[n].mean_hz);
    EXPECT_GT(together[n].spikes, 0);
  }
}

}  // namespace
}  // namespace amacrine::recording
