// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/core/version.hpp"
#include "amacrine/io/result_file.hpp"
#include "support/compare.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

namespace amacrine::io {
namespace {

using parallel::Communicator;
using testing::ElementsAre;
using testing::HasSubstr;

core::Study small_study(double rate = 0.5) {
  core::Study study = core::Study::from_text("[training]\nrate = " + std::to_string(rate) + "\n");
  study.get<double>("training.rate", 1);
  study.get<int>("probe.steps", 4);
  return study;
}

/// Provenance with no fact that depends on the run.
Provenance fixed_provenance() {
  Provenance made =
      make_provenance(Communicator::world(), small_study(), "train", {"training"}, {{"recording", "r.h5", "0123456789abcdef"}});
  made.facts = {{"version", "1"}};
  return made;
}

float value_at(std::size_t row, std::size_t column) { return static_cast<float>(1024 * row + column) / 1024; }

constexpr std::size_t rows = 7, columns = 1000;

/// A file in which every rank writes the rows it owns.
void write_rows(const std::string& path, const Communicator& world, const Provenance& provenance) {
  ResultWriter writer(world, path, "test", provenance);
  writer.dimension({"row", rows, "1", "row of the test", {}, {"a", "b", "c", "d", "e", "f", "a longer name, 5 \xC2\xB5m"}});
  std::vector<double> times(columns);
  for (std::size_t i = 0; i < columns; ++i) times[i] = 10.0 * static_cast<double>(i);
  writer.dimension({"time", columns, "ms", "time", times, {}});
  writer.dimension({"pair", 2, "", "", {}, {}});
  writer.variable({"rate", Type::float32, {"row", "time"}, "Hz", "firing rate", {{"note", "a note"}}});
  writer.variable({"train/response/binned", Type::uint8, {"row", "pair"}, "1", "spike counts", {}});
  writer.variable({"flag", Type::int8, {"row"}, "1", "whether it is so", {{"flag_meanings", "no yes"}}});
  writer.variable({"loss", Type::float64, {}, "1", "one number", {}});
  writer.texts({"reason", "row", "why", {"", "b", "c", "d", "e", "f", "5 \xC2\xB5m too short"}});
  writer.attribute("title", "a test");
  writer.attribute("frame_interval_ms", 10.0);
  writer.attribute("flag_values", std::vector<double>{0, 1}, "flag");
  EXPECT_EQ(writer.predicted_bytes(), rows * columns * 4 + rows * 2 + rows + 8);
  writer.create();
  const parallel::Range mine = world.owned(rows);
  for (std::size_t row = mine.begin; row < mine.end; ++row) {
    std::vector<double> values(columns);
    for (std::size_t i = 0; i < columns; ++i) values[i] = static_cast<double>(value_at(row, i));
    writer.write<double>("rate", values, {row, 0}, {1, columns});
    writer.write<std::uint8_t>("train/response/binned", std::vector<std::uint8_t>{static_cast<std::uint8_t>(row), 200}, {row, 0},
                               {1, 2});
    writer.write<std::int32_t>("flag", std::vector<std::int32_t>{row % 2 == 0 ? 0 : 1}, {row}, {1});
  }
  if (world.root()) writer.write<double>("loss", std::vector<double>{std::numeric_limits<double>::quiet_NaN()});
  EXPECT_FALSE(std::filesystem::exists(path));
  writer.finish();
}
void write_rows(const std::string& path) { write_rows(path, Communicator::world(), fixed_provenance()); }

TEST(ResultFile, GivesBackWhatAllRanksWrote) {
  const test::TemporaryFolder folder;
  write_rows(folder / "deep/er/rows.h5");
  // tests/checks/opens_in_xarray.py looks at this file with Python.
  if (const char* keep = std::getenv("AMACRINE_TEST_KEEP"); keep != nullptr && Communicator::world().root())
    std::filesystem::copy_file(folder / "deep/er/rows.h5", keep, std::filesystem::copy_options::overwrite_existing);
  const Reader reader(folder / "deep/er/rows.h5");
  EXPECT_EQ(reader.kind(), "test");
  EXPECT_FALSE(std::filesystem::exists(folder / "deep/er/rows.h5.partial"));
  EXPECT_THAT(reader.shape("rate"), ElementsAre(rows, columns));
  EXPECT_EQ(reader.type("rate"), Type::float32);
  const auto rate = reader.read<float>("rate");
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t i = 0; i < columns; ++i) ASSERT_EQ(rate[row * columns + i], value_at(row, i));
  EXPECT_THAT(reader.read<double>("rate", {3, 10}, {1, 2}), ElementsAre(value_at(3, 10), value_at(3, 11)));
  EXPECT_THAT(reader.read<std::uint8_t>("train/response/binned", {6, 0}, {1, 2}), ElementsAre(6, 200));
  EXPECT_THAT(reader.read<std::int32_t>("flag"), ElementsAre(0, 1, 0, 1, 0, 1, 0));
  EXPECT_TRUE(std::isnan(reader.read<double>("loss").at(0)));
  EXPECT_EQ(reader.read_strings("row").back(), "a longer name, 5 \xC2\xB5m");
  EXPECT_EQ(reader.read<double>("time").at(999), 9990.0);
  EXPECT_EQ(reader.read_strings("reason"), (std::vector<std::string>{"", "b", "c", "d", "e", "f", "5 \xC2\xB5m too short"}));
  EXPECT_EQ(reader.text_attribute("long_name", "reason"), "why");
  EXPECT_EQ(reader.text_attribute("units", "rate"), "Hz");
  EXPECT_EQ(reader.text_attribute("note", "rate"), "a note");
  EXPECT_THAT(reader.attributes("flag_values", "flag"), ElementsAre(0, 1));
  EXPECT_EQ(reader.attribute("frame_interval_ms"), 10.0);
  EXPECT_EQ(reader.text_attribute("title"), "a test");
  EXPECT_THAT(reader.list("train"), ElementsAre("response"));
  EXPECT_TRUE(reader.has("train/response"));
  EXPECT_FALSE(reader.has("test/response/binned"));
}

TEST(ResultFile, KeepsItsProvenance) {
  const test::TemporaryFolder folder;
  write_rows(folder / "rows.h5");
  const Provenance made = Reader(folder / "rows.h5").provenance();
  EXPECT_EQ(made.verb, "train");
  EXPECT_EQ(made.study, small_study().resolved());
  EXPECT_EQ(made.step_study, "[training]\nrate = 0.5\n");
  EXPECT_EQ(made.study_hash, small_study().hash({"training"}));
  ASSERT_EQ(made.inputs.size(), 1u);
  EXPECT_EQ(made.inputs[0].role, "recording");
  EXPECT_EQ(made.inputs[0].checksum, "0123456789abcdef");
  EXPECT_EQ(made.facts.at("version"), "1");
}

TEST(ResultFile, HasTheSameBytesOnAnyNumberOfRanks) {
  const test::TemporaryFolder folder;
  const Provenance provenance = fixed_provenance();
  write_rows(folder / "all.h5", Communicator::world(), provenance);
  // Times in the metadata, of one second's resolution, would differ.
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  if (Communicator::world().root()) {
    write_rows(folder / "one.h5", Communicator::self(), provenance);
    EXPECT_EQ(core::hash_file(folder / "all.h5"), core::hash_file(folder / "one.h5"));
  }
}

TEST(ResultFile, RefusesTooLittleSpaceWithBothFigures) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "huge.h5";
  ResultWriter writer(Communicator::world(), path, "test", fixed_provenance());
  writer.dimension({"x", std::size_t{1} << 50, "", "", {}, {}});
  writer.variable({"v", Type::float64, {"x"}, "1", "", {}});
  try {
    writer.create();
    FAIL() << "8 PiB were accepted";
  } catch (const core::RefusedError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("huge.h5: needs 9.01 PB (9009535717015649 bytes)"), HasSubstr("free")))
        << "2^53 bytes of values, 2^16 of the rest, checksums of 17 bytes for each 2^16, and 80";
  }
  EXPECT_FALSE(std::filesystem::exists(path + ".partial"));
}

TEST(ResultFile, SpaceIsAskedForWithoutMakingAnything) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "not/there/yet.h5";
  EXPECT_NO_THROW(require_space(Communicator::world(), path, 1000));
  EXPECT_THROW(require_space(Communicator::world(), path, std::size_t{1} << 60), core::RefusedError);
  EXPECT_FALSE(std::filesystem::exists(folder / "not"));
}

TEST(ResultFile, UnfinishedFilesAreNeverReadAsWhole) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "stopped.h5";
  {
    ResultWriter writer(Communicator::world(), path, "test", fixed_provenance());
    writer.dimension({"x", 4, "", "", {}, {}});
    writer.variable({"v", Type::float32, {"x"}, "1", "", {}});
    writer.create();
    if (Communicator::world().root()) writer.write<float>("v", std::vector<float>{1, 2}, {0}, {2});
    EXPECT_THROW(writer.finish(), core::Error) << "two values were never written";
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  try {
    Reader reader(path);
    FAIL();
  } catch (const core::InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("stopped.h5.partial is there"));
  }
  EXPECT_THROW(Reader(path + ".partial"), core::InputError);
  EXPECT_THAT(Reader(path + ".partial", true).read<float>("v", {0}, {2}), ElementsAre(1, 2));
}

TEST(ResultFile, AnExceptionOnAllRanksLeavesOnlyThePartialFileAndNoHang) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "thrown.h5";
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      ResultWriter writer(Communicator::world(), path, "test", fixed_provenance());
      writer.dimension({"x", 4, "", "", {}, {}});
      writer.variable({"v", Type::float32, {"x"}, "1", "", {}});
      writer.create();
      writer.write<float>("v", std::vector<float>(9), {0}, {9});
      FAIL() << "nine values do not fit into four";
    } catch (const core::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("do not fit 'v' of shape (4)"));
    }
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ResultFile, RefusesWrongDeclarations) {
  const test::TemporaryFolder folder;
  const auto create = [&](const auto& declare) {
    ResultWriter writer(Communicator::world(), folder / "x.h5", "test", fixed_provenance());
    declare(writer);
    writer.create();
  };
  EXPECT_THROW(create([](auto& w) { w.variable({"v", Type::int8, {"nowhere"}, "", "", {}}); }), core::Error);
  EXPECT_THROW(create([](auto& w) { w.dimension({"x", 3, "", "", {1, 2}, {}}); }), core::Error);
  EXPECT_THROW(create([](auto& w) {
                 w.dimension({"x", 3, "", "", {}, {}}), w.variable({"x", Type::int8, {"x"}, "", "", {}});
               }),
               core::Error);
  EXPECT_THROW(create([](auto& w) { w.attribute("a", 1.0, "nowhere"); }), core::Error);
  EXPECT_THROW(create([](auto& w) { w.texts({"t", "nowhere", "", {}}); }), core::Error);
  EXPECT_THROW(create([](auto& w) { w.dimension({"x", 2, "", "", {}, {}}), w.texts({"t", "x", "", {"one"}}); }), core::Error);
}

TEST(Reuse, OnlyWholeFilesOfTheSameStudyAndInputs) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "rows.h5";
  const Communicator world = Communicator::world();
  core::set_log_level("quiet");
  const Provenance wanted = fixed_provenance();
  EXPECT_EQ(check_reuse(world, path, wanted, false), Reuse::make);
  write_rows(path);
  EXPECT_EQ(check_reuse(world, path, wanted, false), Reuse::reuse);
  EXPECT_EQ(check_reuse(world, path, wanted, true), Reuse::reuse);
  const auto refusal = [&](const Provenance& other) -> std::string {
    EXPECT_EQ(check_reuse(world, path, other, true), Reuse::make);
    try {
      check_reuse(world, path, other, false);
    } catch (const core::RefusedError& error) {
      return error.what();
    }
    return "(not refused)";
  };
  Provenance other_study = make_provenance(world, small_study(0.25), "train", {"training"}, wanted.inputs);
  EXPECT_THAT(refusal(other_study), HasSubstr("training.rate: 0.5 -> 0.25"));
  Provenance other_input = wanted;
  other_input.inputs[0].checksum = "ffff";
  EXPECT_THAT(refusal(other_input), HasSubstr("checksum of the recording: 0123456789abcdef -> ffff"));
  other_input.inputs.clear();
  EXPECT_THAT(refusal(other_input), HasSubstr("(absent)"));
  world.barrier();
  if (world.root()) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const float value = value_at(3, 500);
    std::ostringstream all;
    all << file.rdbuf();
    const std::size_t at = all.str().find(std::string(reinterpret_cast<const char*>(&value), sizeof value));
    file.seekp(static_cast<std::streamoff>(at)).put('\x7f');
  }
  world.barrier();
  EXPECT_THAT(refusal(wanted), HasSubstr("is damaged")) << "a flipped byte in the values";
  if (world.root()) std::filesystem::remove(path);
  world.barrier();
  write_rows(path);
  if (world.root()) std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  world.barrier();
  EXPECT_THAT(refusal(wanted), HasSubstr("cut short"));
  core::set_log_level("info");
}

TEST(CheckedInput, KnowsWhenTheFileChanges) {
  const test::TemporaryFolder folder;
  const Communicator world = Communicator::world();
  const std::string path = folder / "input";
  if (world.root()) std::ofstream(path) << "abc";
  world.barrier();
  EXPECT_EQ(checked_input(world, "recording", path).checksum, "44bc2cf5ad770999") << "xxHash64 of abc, published vector";
  EXPECT_EQ(checked_input(world, "recording", path).checksum, "44bc2cf5ad770999");
  if (world.root()) std::ofstream(path) << "abcd";
  world.barrier();
  EXPECT_NE(checked_input(world, "recording", path).checksum, "44bc2cf5ad770999");
  EXPECT_THROW(checked_input(world, "recording", folder / "missing"), core::InputError);
}

/// `file` holds `name` as one dataset of the bytes 1 2 3 4, stored by `properties`.
void write_dataset(const std::string& file, const char* name, hid_t properties = H5P_DEFAULT) {
  const hid_t id = H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t four = 4;
  const std::uint8_t values[4] = {1, 2, 3, 4};
  const hid_t space = H5Screate_simple(1, &four, nullptr),
              dataset = H5Dcreate2(id, name, H5T_STD_U8LE, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  ASSERT_GE(H5Dwrite(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
  H5Dclose(dataset);
  H5Sclose(space);
  H5Fclose(id);
}

void write_external_link(const std::string& file) {
  const hid_t id = H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_external("movie.h5", "/values", id, "stimulus", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(id);
}

void write_view(const std::string& file) {
  const hid_t id = H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), made = H5Pcreate(H5P_DATASET_CREATE);
  const hsize_t four = 4;
  const hid_t space = H5Screate_simple(1, &four, nullptr);
  H5Pset_virtual(made, space, "movie.h5", "values", space);
  H5Dclose(H5Dcreate2(id, "view", H5T_STD_U8LE, space, H5P_DEFAULT, made, H5P_DEFAULT));
  H5Sclose(space);
  H5Pclose(made);
  H5Fclose(id);
}

TEST(CheckedInput, KnowsWhenAFileChangesThatItTakesContentsFrom) {
  const test::TemporaryFolder folder;
  const Communicator world = Communicator::world();
  const std::string movie = folder / "movie.h5", linked = folder / "linked.h5", view = folder / "view.h5",
                    raw = folder / "raw.h5";
  if (world.root()) {
    write_dataset(movie, "values");
    write_external_link(linked);
    write_view(view);
    const hid_t made = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(made, (folder / "raw.bin").c_str(), 0, 4);
    write_dataset(raw, "values", made);
    H5Pclose(made);
  }
  world.barrier();
  const auto all = [&] {
    std::vector<std::string> found;
    for (const std::string& path : {linked, view, raw}) found.push_back(checked_input(world, "recording", path).checksum);
    return found;
  };
  const std::vector<std::string> before = all();
  EXPECT_THAT(all(), testing::ElementsAreArray(before));
  world.barrier();
  if (world.root()) {
    std::fstream(movie, std::ios::in | std::ios::out | std::ios::binary).seekp(-1, std::ios::end).put('\x55');
    std::ofstream(folder / "raw.bin") << "abcde";
    std::filesystem::last_write_time(movie, std::filesystem::last_write_time(movie) + std::chrono::seconds(1));
  }
  world.barrier();
  const std::vector<std::string> after = all();
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_NE(after[i], before[i]) << i;
}

/// Otherwise it would be called another input, and the advice would be --overwrite.
TEST(CheckedInput, RefusesADamagedFileOfOurs) {
  const test::TemporaryFolder folder;
  const Communicator world = Communicator::world();
  write_rows(folder / "movie.h5");
  if (world.root()) write_external_link(folder / "linked.h5");
  world.barrier();
  for (const char* name : {"movie.h5", "linked.h5"}) EXPECT_NO_THROW(checked_input(world, "recording", folder / name));
  if (world.root()) std::fstream(folder / "movie.h5", std::ios::in | std::ios::out | std::ios::binary).seekp(60).put('\x55');
  world.barrier();
  for (const char* name : {"movie.h5", "linked.h5"}) {
    try {
      checked_input(world, "recording", folder / name);
      FAIL() << "a damaged file was taken by way of " << name;
    } catch (const core::InputError& error) {
      EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("movie.h5"), HasSubstr("is damaged")));
    }
  }
}

TEST(Provenance, TellsHowTheRunWasMade) {
  const Communicator world = Communicator::world();
  const Provenance made = make_provenance(world, small_study(), "train", {"training", "probe"}, {});
  EXPECT_EQ(made.facts.at("ranks"), std::to_string(world.size()));
  for (const char* key :
       {"commit", "compiler", "hdf5_version", "mpi", "hosts", "command_line", "started", "threads", "device", "kokkos_version"})
    EXPECT_FALSE(made.facts.at(key).empty()) << key;
  EXPECT_EQ(made.step_study, small_study().resolved());
}

TEST(SharedBlocks, OfEveryRankAreReadByEveryRank) {
  const Communicator world = Communicator::world();
  const test::TemporaryFolder folder;
  const auto size = static_cast<std::size_t>(world.size()), rank = static_cast<std::size_t>(world.rank());
  constexpr std::size_t width = 5000;
  ResultWriter writer(world, folder / "shared.h5", "test", fixed_provenance());
  writer.dimension({"row", size, "1", "", {}, {}});
  writer.dimension({"column", width, "1", "", {}, {}});
  writer.variable({"movie", Type::uint8, {"row", "column"}, "1", "", {}});
  writer.create();
  const auto value = [](std::size_t row, std::size_t column) { return static_cast<std::uint8_t>(31 * row + column); };
  std::vector<std::uint8_t> mine(width);
  for (std::size_t i = 0; i < width; ++i) mine[i] = value(rank, i);
  writer.write<std::uint8_t>("movie", mine, {rank, 0}, {1, width});
  writer.share();
  const std::vector<std::uint8_t> seen = writer.read<std::uint8_t>("movie", {0, 7}, {size, width - 7});
  ASSERT_EQ(seen.size(), size * (width - 7));
  for (std::size_t row = 0; row < size; ++row)
    for (std::size_t i = 7; i < width; ++i) ASSERT_EQ(seen[row * (width - 7) + i - 7], value(row, i)) << row << " " << i;
  EXPECT_THROW(writer.read<std::uint8_t>("movie", {0, 0}, {size + 1, width}), core::Error);
  EXPECT_THROW(writer.read<std::uint8_t>("sound", {0, 0}, {1, 1}), core::Error);
  writer.finish();
}

}  // namespace
}  // namespace amacrine::io
