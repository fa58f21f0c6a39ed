// SPDX-License-Identifier: Apache-2.0
// Who may write an output, and when an input is in use.
#include "../../src/io/lock_file.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/io/result_file.hpp"
#include "support/compare.hpp"

#include <fcntl.h>
#include <fstream>
#include <functional>
#include <sys/file.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <nlohmann/json.hpp>

namespace amacrine::io {
namespace {

using parallel::Communicator;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Provenance made_by(const std::string& rate) {
  core::Study study = core::Study::from_text("[training]\nrate = " + rate + "\n");
  study.get<double>("training.rate", 1);
  return make_provenance(Communicator::self(), study, "train", {"training"}, {});
}

std::unique_ptr<ResultWriter> begun(const std::string& path, const Provenance& provenance) {
  auto writer = std::make_unique<ResultWriter>(Communicator::self(), path, "test", provenance);
  writer->dimension({"x", 2, "", "", {}, {}});
  writer->variable({"v", Type::float32, {"x"}, "1", "", {}});
  writer->create();
  writer->write<float>("v", std::vector<float>{1, 2});
  return writer;
}

template <class E>
std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  }
  return "(no error of that kind)";
}

std::optional<OutputLock> claim(const std::string& path, const std::string& rate, bool overwrite = false, bool dry_run = false) {
  return claim_output(Communicator::self(), path, made_by(rate), overwrite, {"train", "a.toml", false, dry_run});
}

TEST(Outputs, OfAnotherRunAreNotMadeTwice) {
  const test::TemporaryFolder folder(Communicator::self());
  core::set_log_level("quiet");
  const std::string path = folder / "rows.h5";
  {
    const auto first = claim(path, "1");
    ASSERT_TRUE(first);
    for (const char* rate : {"1", "2"})
      for (const bool dry_run : {false, true})
        EXPECT_THAT(message_of<core::RefusedError>([&] { claim(path, rate, true, dry_run); }), HasSubstr("by another run"));
    begun(path, made_by("1"))->finish();
    EXPECT_FALSE(claim(path, "1")) << "what is whole is used again, whoever holds the lock";
  }
  EXPECT_THAT(message_of<core::RefusedError>([&] { claim(path, "2"); }), HasSubstr("--overwrite"));
  EXPECT_TRUE(claim(path, "2", true));
}

TEST(Outputs, ThatAreWholeLoseTheLockOfADeadRunAndKeepThatOfALivingOne) {
  const test::TemporaryFolder folder(Communicator::self());
  core::set_log_level("quiet");
  const std::string path = folder / "rows.h5", lock = path + ".lock";
  begun(path, made_by("1"))->finish();
  // As a run killed between the rename of its file and the removal of its lock leaves it: a process that started at another time.
  detail::Holder dead = detail::this_process();
  dead["id"] = "dead", dead["run"] = "r", dead["verb"] = "train", dead["study"] = "a.toml", dead["since"] = "noon";
  dead["started"] = "1";
  std::ofstream(lock) << nlohmann::json(dead).dump() << "\n";
  const std::string journal = path + ".journal";
  std::ofstream(journal) << "tasks that were done\n";
  EXPECT_FALSE(claim(path, "1", false, true));
  EXPECT_TRUE(std::filesystem::exists(lock) && std::filesystem::exists(journal)) << "a dry run removes nothing";
  EXPECT_FALSE(claim(path, "1"));
  EXPECT_FALSE(std::filesystem::exists(lock) || std::filesystem::exists(journal));

  const OutputLock alive(Communicator::self(), path, {"train", "a.toml"});
  EXPECT_FALSE(claim(path, "1"));
  EXPECT_TRUE(std::filesystem::exists(lock));
}

TEST(Outputs, CarryTheRunsId) {
  const test::TemporaryFolder folder(Communicator::self());
  begun(folder / "rows.h5", made_by("1")).reset();  // as a run that was stopped leaves it
  EXPECT_EQ(Reader(folder / "rows.h5.partial", true).provenance().facts.at("id"), run_id());
}

TEST(Outputs, AreFinishedOnlyUnderTheirLock) {
  const test::TemporaryFolder folder(Communicator::self());
  core::set_log_level("quiet");
  const std::string path = folder / "rows.h5";
  const auto lock = claim(path, "1");
  const auto writer = begun(path, made_by("1"));
  std::filesystem::remove(path + ".lock");
  EXPECT_THAT(message_of<core::Error>([&] { writer->finish(); }), HasSubstr("rows.h5.lock was removed"));
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_THROW(lock->require_held(Communicator::self()), core::Error);
}

TEST(Outputs, OfTwoWritersTheLaterWinsAndTheEarlierSaysSo) {
  const test::TemporaryFolder folder(Communicator::self());
  const std::string path = folder / "rows.h5";
  const auto earlier = begun(path, made_by("1")), later = begun(path, made_by("2"));  // as if a lock had been removed by hand
  EXPECT_THAT(message_of<core::Error>([&] { earlier->finish(); }), HasSubstr("was replaced or removed while this run wrote it"));
  EXPECT_FALSE(std::filesystem::exists(path));
  later->finish();
  EXPECT_THAT(Reader(path).provenance().step_study, HasSubstr("2"));
}

TEST(Inputs, OpenForWritingElsewhereAreInUseAndNotDamaged) {
  const test::TemporaryFolder folder(Communicator::self());
  core::set_log_level("quiet");
  const std::string path = folder / "rows.h5";
  begun(path, made_by("1"))->finish();
  const int other = open(path.c_str(), O_RDWR);
  ASSERT_EQ(flock(other, LOCK_EX), 0);  // as HDF5 takes it while a file is open for writing
  EXPECT_THAT(message_of<InUseError>([&] { Reader reader(path); }), AllOf(HasSubstr("in use"), Not(HasSubstr("damaged"))));
  for (const bool overwrite : {false, true})
    EXPECT_THAT(message_of<core::RefusedError>([&] { claim(path, "1", overwrite); }),
                AllOf(HasSubstr("in use"), Not(HasSubstr("--overwrite"))));
  close(other);
  EXPECT_NO_THROW(Reader reader(path));
}

TEST(Inputs, MarkedAsOpenForWritingAreInUse) {
  const test::TemporaryFolder folder(Communicator::self());
  const std::string path = folder / "swmr.h5";
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access);
  ASSERT_GE(file, 0);
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  std::filesystem::copy_file(path, folder / "copy.h5");  // what a crash would leave: the mark is in the superblock
  H5Fclose(file);
  H5Pclose(access);
  EXPECT_THAT(message_of<InUseError>([&] { Reader reader(folder / "copy.h5"); }),
              AllOf(HasSubstr("in use"), HasSubstr("h5clear")));
}

TEST(Inputs, ThatAreBeingMadeAreInUse) {
  const test::TemporaryFolder folder(Communicator::self());
  const std::string path = folder / "recording.h5";
  const OutputLock lock(Communicator::self(), path, {"simulate", "a.toml"});
  EXPECT_THAT(message_of<InUseError>([&] { Reader reader(path); }), HasSubstr("being made by amacrine simulate (a.toml)"));
}

TEST(Inputs, ThatChangeWhileTheyAreReadAreAnError) {
  const test::TemporaryFolder folder(Communicator::self());
  const std::string path = folder / "in";
  std::ofstream(path) << "abc";
  const std::vector<Input> inputs{checked_input(Communicator::self(), "recording", path)};
  EXPECT_NO_THROW(require_unchanged(Communicator::self(), inputs));
  std::ofstream(path) << "abcd";
  EXPECT_THROW(require_unchanged(Communicator::self(), inputs), core::InputError);
}

/// A file with train/a, test/a and an attribute, with values as given and, on demand, another dataset.
std::string contents(const std::string& path, float train, float test, double frame_ms, bool more, const std::string& rate) {
  ResultWriter writer(Communicator::self(), path, "recording", made_by(rate));
  writer.dimension({"x", 2, "", "", {}, {}});
  if (more) writer.variable({"other", Type::float32, {"x"}, "1", "", {}});
  writer.variable({"train/a", Type::float32, {"x"}, "1", "", {}});
  writer.variable({"test/a", Type::float32, {"x"}, "1", "", {}});
  writer.attribute("frame_ms", frame_ms);
  writer.create();
  if (more) writer.write<float>("other", std::vector<float>{5, 5});
  writer.write<float>("train/a", std::vector<float>{train, 7});
  writer.write<float>("test/a", std::vector<float>{test, 7});
  writer.finish();
  return checked_contents(Communicator::self(), "part", path, {"train", "nowhere"}).checksum;
}

TEST(Inputs, AreKnownByTheContentsThatAreRead) {
  const test::TemporaryFolder folder(Communicator::self());
  const std::string one = contents(folder / "1", 1, 2, 10, false, "1");
  EXPECT_EQ(contents(folder / "2", 1, 3, 10, false, "1"), one) << "the test part does not count";
  EXPECT_EQ(contents(folder / "3", 1, 2, 10, true, "2"), one) << "nor do other datasets, nor how the file was made";
  EXPECT_NE(contents(folder / "4", 1.5f, 2, 10, false, "1"), one);
  EXPECT_NE(contents(folder / "5", 1, 2, 20, false, "1"), one) << "the frame interval counts";
}

}  // namespace
}  // namespace amacrine::io
