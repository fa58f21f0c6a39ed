// SPDX-License-Identifier: Apache-2.0
#include "drivers/small_study.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::drivers {
namespace {

using namespace test_study;

const char* const two_cells = R"(
[simulation.cells.osr]
y = 12.5
x = 12.5
[simulation.cells.anticipation]
y = 12.5
x = 12.5
[model]
height = 24
width = 24
channels = [2, 2]
kernels = [9, 7]
[lesions]
windows = 3
random_orders = 1
silent_below_hz = 0
[attribution]
subjects = ["network"]
stimuli = ["latency"]
after_ms = 20
)";

/// What `amacrine lesion` says of a study.
std::string said_of(Context& context) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(lesion(context), 0);
  return testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
}

TEST(Lesion, LeavesOutAModelWithoutHiddenUnitsByName) {
  const test::TemporaryFolder folder;
  Context context = make_context(parallel::Communicator::world(), folder.path(), two_cells);
  write_random_model(context, true);
  std::filesystem::rename(folder / "ln.h5", folder / "model.h5");
  EXPECT_THAT(said_of(context), testing::HasSubstr("model.h5 is an LN model, which has no hidden units to remove"));
  EXPECT_FALSE(std::filesystem::exists(folder / "lesions_network.h5"));
}

TEST(Lesion, NeedsNoReductionAndIsUsedAgainWhateverTheAttributionsStore) {
  const test::TemporaryFolder folder;
  Context context = make_context(parallel::Communicator::world(), folder.path(), two_cells);
  write_random_model(context, false, 20);
  const std::string said = said_of(context);
  EXPECT_THAT(said, testing::HasSubstr("reduction_network.h5; no pathways are removed"));
  EXPECT_THAT(said, testing::HasSubstr("wrote"));
  const io::Reader file(folder / "lesions_network.h5");
  for (std::int32_t used : file.read<std::int32_t>("windows_used")) EXPECT_EQ(used, 3);
  for (std::int32_t units : file.read<std::int32_t>("pathway_units")) EXPECT_EQ(units, -1);
  const std::string tables = two_cells;
  Context stored = make_context(parallel::Communicator::world(), folder.path(), tables + "levels = \"channel\"\n");
  EXPECT_THAT(said_of(stored), testing::HasSubstr("used again"));
  Context other = make_context(parallel::Communicator::world(), folder.path(), tables + "panels = 8\n");
  EXPECT_THROW(lesion(other), core::RefusedError);
}

TEST(Lesion, NeedsAModel) {
  const test::TemporaryFolder folder;
  Context context = make_context(parallel::Communicator::world(), folder.path(), two_cells);
  EXPECT_THROW(lesion(context), core::InputError);
}

}  // namespace
}  // namespace amacrine::drivers
