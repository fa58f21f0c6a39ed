// SPDX-License-Identifier: Apache-2.0
// What a crash of the machine may leave: a result of its final name is whole, because it was synced before it was renamed.
#include "support/durability.hpp"

#include "amacrine/io/result_file.hpp"
#include "support/compare.hpp"

#include <gtest/gtest.h>

namespace amacrine::io {
namespace {

TEST(Durability, AResultIsSyncedBeforeItIsRenamedAndItsFolderAfterwards) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "whole.h5";
  ResultWriter writer(parallel::Communicator::world(), path, "test", Provenance{});
  writer.dimension({"x", 5, "1", "", {}, {}});
  writer.variable({"v", Type::float32, {"x"}, "1", "", {}});
  writer.create();
  writer.write<float>("v", std::vector<float>(5, 1.0F));
  test::file_events().clear();  // what counts comes after the last write
  writer.finish();
  const auto [file, name] = test::made_durable(path);
  EXPECT_TRUE(file) << "the file was renamed before it was durable";
  EXPECT_TRUE(name) << "the new name is not durable";
}

}  // namespace
}  // namespace amacrine::io
