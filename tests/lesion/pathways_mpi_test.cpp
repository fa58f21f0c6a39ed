// SPDX-License-Identifier: Apache-2.0
#include "amacrine/io/result_file.hpp"
#include "small_lesions.hpp"
#include "support/compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::lesion {
namespace {

/// A reduction file of two cells and two stimuli, as far as it is read. Pathways: of cell a under latency two, of b under osr
/// one.
void write_reduction(const std::string& path, bool parts) {
  const auto world = parallel::Communicator::world();
  io::ResultWriter file(world, path, "reduction", io::Provenance{});
  file.dimension({"cell", 2, "1", "cell", {}, {"a", "b"}});
  file.dimension({"stimulus", 2, "1", "stimulus", {}, {"latency", "osr"}});
  file.dimension({"pathway", 2, "1", "pathway", {}, {}});
  file.variable({"rest", io::Type::float32, {"cell"}, "Hz", "rest", {}});
  std::map<std::string, std::vector<std::int32_t>> values{{"kept", {1, 1, 0, 0, 0, 0, 1, 0}},
                                                          {"path_channel", {2, 0, -1, -1, -1, -1, 1, -1}},
                                                          {"column_first", {-1, 3, -1, -1, -1, -1, -1, -1}},
                                                          {"column_last", {-1, 5, -1, -1, -1, -1, -1, -1}}};
  if (parts) values["gain_part"] = {0, -1, 0, 0, 0, 0, 1, 0};
  for (const auto& [name, unused] : values)
    file.variable({name, io::Type::int32, {"cell", "stimulus", "pathway"}, "1", name, {}});
  file.create();
  if (world.root()) {
    file.write<double>("rest", std::vector<double>{4.0, 9.0});
    for (const auto& [name, of_name] : values) file.write<std::int32_t>(name, of_name);
  }
  file.finish();
}

std::vector<int> numbers(const std::vector<UnitGroup>& groups) {
  std::vector<int> out;
  for (const UnitGroup& group : groups)
    out.insert(out.end(), {group.channel, group.column_first, group.column_last, group.gain_sign});
  return out;
}

TEST(LesionPathways, AreThoseOfTheReductionByNamesOfCellsAndStimuli) {
  const test::TemporaryFolder folder;
  write_reduction(folder / "reduction.h5", true);
  const SmallLesions small({{3, 5, 4}});  // osr, latency
  const auto groups = read_pathways_of(folder / "reduction.h5", small.plan, {"b", "c", "a"}, {9.0005, 1.0, 4.0});
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_EQ(numbers(groups[0][0]), (std::vector<int>{1, -1, -1, 1}));
  EXPECT_TRUE(groups[0][1].empty() && groups[1][0].empty() && groups[1][1].empty() && groups[2][0].empty());
  EXPECT_EQ(numbers(groups[2][1]), (std::vector<int>{2, -1, -1, 0, 0, 3, 5, -1}));
}

TEST(LesionPathways, OfEarlierFilesAreWholeChannels) {
  const test::TemporaryFolder folder;
  write_reduction(folder / "reduction.h5", false);
  const SmallLesions small({{3, 5, 4}});
  const auto groups = read_pathways_of(folder / "reduction.h5", small.plan, {"a"}, {4.0});
  EXPECT_EQ(numbers(groups[0][1]), (std::vector<int>{2, -1, -1, 0, 0, 3, 5, 0}));
}

TEST(LesionPathways, OfAnotherModelAreRefused) {
  const test::TemporaryFolder folder;
  write_reduction(folder / "reduction.h5", true);
  const SmallLesions small({{3, 5, 4}});
  try {
    read_pathways_of(folder / "reduction.h5", small.plan, {"a", "b"}, {4.0, 9.02});
    ADD_FAILURE() << "a reduction of another model is read";
  } catch (const core::InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("b rests at 9 Hz, in the model at 9.02 Hz"));
  }
}

}  // namespace
}  // namespace amacrine::lesion
