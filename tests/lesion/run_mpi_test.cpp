// SPDX-License-Identifier: Apache-2.0
#include "amacrine/lesion/lesion_file.hpp"
#include "amacrine/lesion/run.hpp"
#include "small_lesions.hpp"
#include "support/compare.hpp"

#include <numeric>

#include <gtest/gtest.h>

namespace amacrine::lesion {
namespace {

SmallLesions with_pathways() {
  SmallLesions small({{3, 5, 4}, {2, 3, 3}});
  small.plan.pathways.assign(3, {2, {{1, -1, -1, 0}, {2, 3, 5, 0}}});
  small.plan.pathways[2][1].clear();
  small.plan.pathway_slots = 2;
  return small;
}

void expect_same(const OrderResult& a, const OrderResult& b) {
  for (const auto curve : {&OrderResult::kept, &OrderResult::without}) {
    EXPECT_EQ((a.*curve).faithfulness, (b.*curve).faithfulness);
    EXPECT_EQ((a.*curve).distance, (b.*curve).distance);
  }
  EXPECT_EQ(area_values(a.summary), area_values(b.summary));
}

TEST(LesionRun, HasTheSameBitsOnAnyNumberOfRanks) {
  const SmallLesions small = with_pathways();
  auto lesioner = small.lesioner<float>(), other = small.lesioner<float>();
  const auto shared = run_lesions(parallel::Communicator::world(), small.plan, lesioner);
  ASSERT_EQ(shared.size(), 6U);
  for (std::size_t task = 0; task < shared.size(); ++task) {
    const StimulusLesions alone = other.run(task / 2, task % 2);
    const StimulusLesions& found = shared[task];
    EXPECT_EQ(found.rest, alone.rest);
    EXPECT_EQ(found.rate, alone.rate);
    EXPECT_EQ(found.chosen, alone.chosen);
    EXPECT_EQ(found.responding, alone.responding);
    EXPECT_EQ(found.share_used, alone.share_used);
    EXPECT_EQ(found.pathway_units, alone.pathway_units);
    EXPECT_EQ(found.pathways.faithfulness, alone.pathways.faithfulness);
    EXPECT_EQ(found.pathways.distance, alone.pathways.distance);
    EXPECT_EQ(found.without_pathway.values(), alone.without_pathway.values());
    EXPECT_EQ(found.only_pathways, alone.only_pathways);
    EXPECT_EQ(found.without_pathways, alone.without_pathways);
    ASSERT_EQ(found.orders.size(), 6U);
    ASSERT_EQ(found.random.size(), 3U);
    for (std::size_t o = 0; o < 6; ++o) expect_same(found.orders[o], alone.orders[o]);
    for (std::size_t r = 0; r < 3; ++r) expect_same(found.random[r], alone.random[r]);
  }
}

TEST(LesionRun, TheFileHoldsWhatWasFound) {
  const SmallLesions small = with_pathways();
  const auto world = parallel::Communicator::world();
  auto lesioner = small.lesioner<float>();
  auto results = run_lesions(world, small.plan, lesioner);
  results[3].orders.clear(), results[3].random.clear(), results[3].chosen.clear();
  const test::TemporaryFolder folder;
  const std::string path = folder / "lesions.h5";
  const std::vector<std::string> names{"a", "b", "c"};
  LesionFile file(world, path, small.plan, names, small.attribution, small.settings, io::Provenance{});
  for (std::size_t task = 0; task < results.size() && world.root(); ++task) file.write(task / 2, task % 2, results[task]);
  file.finish();
  const io::Reader reader(path);
  EXPECT_EQ(reader.kind(), "lesions");
  const std::size_t sizes = small.plan.sizes.size();
  EXPECT_EQ(reader.read<double>("faithfulness", {1, 0, 2, 0}, {1, 1, 1, sizes}), results[2].orders[2].kept.faithfulness);
  EXPECT_EQ(reader.read<double>("distance_without", {1, 0, 5, 0}, {1, 1, 1, sizes}), results[2].orders[5].without.distance);
  EXPECT_EQ(reader.read<double>("random_faithfulness_without", {2, 1, 1, 0}, {1, 1, 1, sizes}),
            results[5].random[1].without.faithfulness);
  EXPECT_EQ(reader.read<double>("cmd", {2, 1, 0}, {1, 1, 1}), std::vector{results[5].orders[0].summary.cmd.linear});
  EXPECT_EQ(reader.read<double>("random_area_without_log", {2, 1, 2}, {1, 1, 1}),
            std::vector{results[5].random[2].summary.without.log});
  EXPECT_TRUE(std::isnan(reader.read<double>("cmd", {1, 1, 0}, {1, 1, 1})[0]));
  EXPECT_EQ(reader.read<std::int32_t>("windows_used", {1, 0}, {1, 2}), (std::vector<std::int32_t>{5, 0}));
  EXPECT_EQ(reader.read<std::int32_t>("pathway_units", {2, 0, 0}, {1, 2, 2}), (std::vector<std::int32_t>{81, 27, -1, -1}));
  const auto& of_pathways = results[1].pathways.faithfulness;
  ASSERT_EQ(of_pathways.size(), 4U);
  EXPECT_EQ(reader.read<double>("faithfulness_without_pathway", {0, 1, 0}, {1, 1, 2}),
            std::vector<double>(of_pathways.begin(), of_pathways.begin() + 2));
  EXPECT_EQ(reader.read<double>("faithfulness_without_pathways", {0, 1}, {1, 1}), std::vector{of_pathways[2]});
  EXPECT_EQ(reader.read<double>("distance_only_pathways", {0, 1}, {1, 1}), std::vector{results[1].pathways.distance[3]});
  EXPECT_TRUE(std::isnan(reader.read<double>("distance_only_pathways", {2, 1}, {1, 1})[0]));
  // The second condition of the second stimulus (8 frames each), whose rows follow those of the first.
  const std::size_t condition = small.plan.stimuli[1].conditions[1], frames = small.plan.windows.stimuli[condition].windows;
  const auto first = static_cast<std::ptrdiff_t>(small.plan.windows.stimuli[small.plan.stimuli[1].conditions[0]].windows);
  const auto trace = reader.read<float>("without_pathway", {0, condition, 1, 0}, {1, 1, 1, frames});
  const auto row = results[1].without_pathway.row(1);
  for (std::size_t t = 0; t < frames; ++t) EXPECT_EQ(trace[t], static_cast<float>(row[static_cast<std::size_t>(first) + t]));
  const auto used =
      reader.read<std::int32_t>("used", {0, 0, 0}, {1, small.plan.windows.stimuli.size(), small.plan.most_frames()});
  EXPECT_EQ(static_cast<std::size_t>(std::accumulate(used.begin(), used.end(), 0)),
            results[0].chosen.size() + results[1].chosen.size());
  world.barrier();
}

}  // namespace
}  // namespace amacrine::lesion
