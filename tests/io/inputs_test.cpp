// SPDX-License-Identifier: Apache-2.0
// Inputs that change while everything that is cheap to look at stays.
#include "amacrine/core/log.hpp"
#include "amacrine/core/study.hpp"
#include "amacrine/io/result_file.hpp"
#include "support/compare.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::io {
namespace {

using parallel::Communicator;

void write_text(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

TEST(CheckedInput, ReadsAFileOfTheSameSizeAgainWhenItWasWrittenLater) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "input";
  write_text(path, "abd");
  const std::string before = checked_input(Communicator::world(), "recording", path).checksum;
  const auto time = std::filesystem::last_write_time(path);
  write_text(path, "abc");
  std::filesystem::last_write_time(path, time + std::chrono::milliseconds(5));
  const std::string after = checked_input(Communicator::world(), "recording", path).checksum;
  EXPECT_EQ(after, "44bc2cf5ad770999") << "xxHash64 of abc, published vector";
  EXPECT_NE(before, after);
}

TEST(CheckedInput, ReadsAFileThatWasReplacedByAnOlderOneOfTheSameSize) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "input";
  write_text(path, "abd");
  checked_input(Communicator::world(), "recording", path);
  const auto time = std::filesystem::last_write_time(path);
  write_text(path, "abc");
  std::filesystem::last_write_time(path, time - std::chrono::hours(1));
  EXPECT_EQ(checked_input(Communicator::world(), "recording", path).checksum, "44bc2cf5ad770999");
}

class SeveralInputs : public testing::Test {
 protected:
  SeveralInputs() {
    core::set_log_level("quiet");
    core::Study study = core::Study::from_text("[training]\nrate = 1\n");
    study.get<double>("training.rate", 1);
    made_ = make_provenance(Communicator::world(), study, "evaluate", {"training"},
                            {{"model", "a.h5", "aaaa"}, {"recording", "r.h5", "cccc"}, {"model", "b.h5", "bbbb"}});
    ResultWriter writer(Communicator::world(), path_, "test", made_);
    writer.dimension({"x", 1, "1", "", {}, {}});
    writer.variable({"v", Type::float32, {"x"}, "1", "", {}});
    writer.create();
    writer.write<float>("v", std::vector<float>{1.0F});
    writer.finish();
  }
  ~SeveralInputs() override { core::set_log_level("info"); }

  /// Why the file cannot serve a step with these inputs; empty where it can.
  std::string refusal(const Provenance& wanted) const {
    try {
      EXPECT_EQ(check_reuse(Communicator::world(), path_, wanted, false), Reuse::reuse);
    } catch (const core::RefusedError& error) {
      return error.what();
    }
    return {};
  }

  const test::TemporaryFolder folder_;
  const std::string path_ = folder_ / "scores.h5";
  Provenance made_;
};

TEST_F(SeveralInputs, OfOneRoleAreAllCompared) {
  EXPECT_EQ(refusal(made_), "");
  for (const std::size_t changed : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
    Provenance other = made_;
    other.inputs[changed].checksum = "eeee";
    EXPECT_THAT(refusal(other), testing::HasSubstr(made_.inputs[changed].checksum + " -> eeee")) << "input " << changed;
  }
}

TEST_F(SeveralInputs, OneMoreOrOneLessIsNoticed) {
  Provenance other = made_;
  other.inputs.pop_back();
  EXPECT_THAT(refusal(other), testing::HasSubstr("bbbb"));
  other = made_;
  other.inputs.push_back({"model", "c.h5", "dddd"});
  EXPECT_THAT(refusal(other), testing::HasSubstr("dddd"));
}

}  // namespace
}  // namespace amacrine::io
