// SPDX-License-Identifier: Apache-2.0
// What a crash of the machine may leave: a result of its final name is whole, because it was synced before it was renamed.
#include "support/durability.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/io/durable_file.hpp"
#include "amacrine/io/result_file.hpp"
#include "support/compare.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

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

TEST(Durability, ASmallFileIsReplacedWholeAndItsPredecessorKept) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "small.txt";
  const auto text = [](const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  replace_file(path, "first");
  test::file_events().clear();
  replace_file(path, std::string("se\0cond", 7), true);
  const auto [file, name] = test::made_durable(path);
  EXPECT_TRUE(file) << "the file was renamed before it was durable";
  EXPECT_TRUE(name) << "the new name is not durable";
  EXPECT_EQ(text(path), std::string("se\0cond", 7));
  EXPECT_EQ(text(path + ".previous"), "first");
  std::filesystem::create_directory(folder / "taken");
  EXPECT_THROW(replace_file(folder / "taken", "a file in place of a folder"), core::Error);
}

}  // namespace
}  // namespace amacrine::io
