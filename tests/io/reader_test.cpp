// SPDX-License-Identifier: Apache-2.0
// Foreign files, made here with plain HDF5 calls, and damaged ones.
#include "amacrine/io/result_file.hpp"
#include "support/compare.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

namespace amacrine::io {
namespace {

using parallel::Communicator;
using testing::ElementsAre;
using testing::HasSubstr;

/// A dataset of `file_type`, 4 x 6, holding 0 ... 23; chunked and compressed on demand.
void add_dataset(hid_t file, const char* name, hid_t file_type, bool compressed) {
  const hsize_t extents[2] = {4, 6}, chunk[2] = {3, 4};
  std::vector<double> values(24);
  std::iota(values.begin(), values.end(), 0.0);
  const hid_t space = H5Screate_simple(2, extents, nullptr), properties = H5Pcreate(H5P_DATASET_CREATE),
              links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  if (compressed) {
    H5Pset_chunk(properties, 2, chunk);
    H5Pset_shuffle(properties);
    H5Pset_deflate(properties, 6);
  }
  const hid_t dataset = H5Dcreate2(file, name, file_type, space, links, properties, H5P_DEFAULT);
  ASSERT_GE(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  H5Dclose(dataset);
  H5Pclose(links);
  H5Pclose(properties);
  H5Sclose(space);
}

void add_strings(hid_t file) {
  const hsize_t two = 2;
  const hid_t space = H5Screate_simple(1, &two, nullptr), fixed = H5Tcopy(H5T_C_S1);
  H5Tset_size(fixed, 5);
  H5Tset_strpad(fixed, H5T_STR_SPACEPAD);
  const hid_t dataset = H5Dcreate2(file, "names", fixed, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  ASSERT_GE(H5Dwrite(dataset, fixed, H5S_ALL, H5S_ALL, H5P_DEFAULT, "osr  slow "), 0);
  H5Dclose(dataset);
  H5Tclose(fixed);
  H5Sclose(space);
}

void make_foreign(const std::string& path) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  ASSERT_GE(file, 0);
  add_dataset(file, "big_endian", H5T_IEEE_F64BE, false);
  add_dataset(file, "half/compressed", H5T_STD_U16BE, true);
  add_dataset(file, "signed", H5T_STD_I64LE, true);
  add_strings(file);
  H5Fclose(file);
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const core::InputError& error) {
    return error.what();
  }
  return "(no InputError)";
}

TEST(Reader, ReadsForeignFilesOfAnyNumericType) {
  const test::TemporaryFolder folder;
  make_foreign(folder / "foreign.h5");
  const Reader reader(folder / "foreign.h5");
  EXPECT_EQ(reader.kind(), "");
  for (const char* name : {"big_endian", "half/compressed", "signed"}) {
    EXPECT_THAT(reader.shape(name), ElementsAre(4, 6)) << name;
    EXPECT_EQ(reader.read<float>(name).at(23), 23.0f) << name;
    EXPECT_THAT(reader.read<std::uint8_t>(name, {2, 3}, {2, 2}), ElementsAre(15, 16, 21, 22)) << name;
  }
  EXPECT_EQ(reader.type("big_endian"), Type::float64);
  EXPECT_EQ(reader.type("half/compressed"), Type::int32);
  EXPECT_EQ(reader.type("signed"), Type::int64);
  EXPECT_THAT(reader.read_strings("names"), ElementsAre("osr", "slow"));
  EXPECT_THAT(reader.list(), ElementsAre("big_endian", "half", "names", "signed"));
}

TEST(Reader, SaysWhatIsMissingOrOfTheWrongKind) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "foreign.h5";
  make_foreign(path);
  const Reader reader(path);
  EXPECT_THAT(message_of([&] { reader.shape("train/stimulus"); }),
              testing::AllOf(HasSubstr(path), HasSubstr("no dataset 'train/stimulus'")));
  EXPECT_THAT(message_of([&] { reader.read<float>("half"); }), HasSubstr("'half' is not a readable dataset"));
  EXPECT_THAT(message_of([&] { reader.read<float>("names"); }), HasSubstr("does not hold numbers"));
  EXPECT_THAT(message_of([&] { reader.read_strings("signed"); }), HasSubstr("does not hold texts"));
  EXPECT_THAT(message_of([&] { reader.read<float>("signed", {0, 5}, {1, 2}); }), HasSubstr("not inside the shape (4, 6)"));
  EXPECT_THAT(message_of([&] { reader.attribute("nothing"); }), HasSubstr("no attribute 'nothing'"));
  EXPECT_THAT(message_of([&] { reader.list("nowhere"); }), HasSubstr("no group 'nowhere'"));
  EXPECT_THAT(message_of([&] { reader.provenance(); }), HasSubstr("not a file of this program"));
}

TEST(Reader, TellsMissingForeignAndTruncatedFilesApart) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "f.h5";
  EXPECT_THAT(message_of([&] { Reader reader(path); }), HasSubstr("there is no such file"));
  EXPECT_THAT(message_of([&] { Reader reader(folder.path()); }), HasSubstr("is not a file"));
  std::ofstream(path) << "this is a text";
  EXPECT_THAT(message_of([&] { Reader reader(path); }), HasSubstr("is not an HDF5 file"));
  std::ofstream(path).flush();
  EXPECT_THAT(message_of([&] { Reader reader(path); }), HasSubstr("is not an HDF5 file")) << "empty";
  make_foreign(path);
  const auto size = std::filesystem::file_size(path);
  for (const auto kept : {size - 1, size / 2, std::uintmax_t{300}}) {
    make_foreign(path);
    std::filesystem::resize_file(path, kept);
    EXPECT_THAT(message_of([&] { Reader reader(path); }), HasSubstr("cut short")) << kept;
  }
}

TEST(Reader, OwnFilesCutAnywhereAreNotRead) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "own.h5";
  const auto make = [&] {
    core::Study study = core::Study::from_text("");
    ResultWriter writer(Communicator::world(), path, "test", make_provenance(Communicator::world(), study, "train", {}, {}));
    writer.dimension({"x", 1000, "", "", {}, {}});
    writer.variable({"v", Type::float32, {"x"}, "1", "", {}});
    writer.create();
    writer.write<float>("v", std::vector<float>(1000, 1.0f));
    writer.finish();
  };
  make();
  const auto size = std::filesystem::file_size(path);
  for (std::uintmax_t kept = 0; kept < size; kept += size / 13) {
    make();
    std::filesystem::resize_file(path, kept);
    EXPECT_NE(message_of([&] { Reader reader(path); }), "(no InputError)") << kept << " of " << size << " bytes";
  }
}

TEST(Reader, NamesLinksThatLeadNowhere) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "links.h5";
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  add_dataset(file, "there", H5T_STD_U8LE, false);
  H5Lcreate_soft("/gone", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("/there", file, "whole", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_external("movie.h5", "/train", file, "outside", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
  const Reader reader(path);
  EXPECT_TRUE(reader.has("whole"));
  EXPECT_FALSE(reader.has("nowhere"));
  EXPECT_THAT(message_of([&] { reader.has("soft"); }), testing::AllOf(HasSubstr("'soft' is a link to '/gone'"), HasSubstr(path)));
  EXPECT_THAT(message_of([&] { reader.shape("outside/stimulus"); }),
              HasSubstr("'outside' is a link to '/train' of the file 'movie.h5'"));
}

TEST(Reader, NamesSourcesOfVirtualDatasetsThatAreMissing) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "virtual.h5";
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t extents[2] = {4, 6};
  const hid_t space = H5Screate_simple(2, extents, nullptr), made = H5Pcreate(H5P_DATASET_CREATE);
  ASSERT_GE(H5Pset_virtual(made, space, "source.h5", "values", space), 0);
  H5Dclose(H5Dcreate2(file, "view", H5T_STD_U8LE, space, H5P_DEFAULT, made, H5P_DEFAULT));
  H5Pclose(made);
  H5Sclose(space);
  H5Fclose(file);
  EXPECT_THAT(message_of([&] { Reader(path).read<float>("view"); }), HasSubstr("the file 'source.h5', which is not there"));
  const hid_t source = H5Fcreate((folder / "source.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  add_dataset(source, "values", H5T_STD_U8LE, false);
  H5Fclose(source);
  EXPECT_EQ(Reader(path).read<float>("view").at(23), 23.0f);
}

/// A filter of a number nobody has registered, which leaves the bytes as they are.
std::size_t pass(unsigned, std::size_t, const unsigned*, std::size_t bytes, std::size_t*, void**) { return bytes; }

TEST(Reader, NamesFiltersThatAreNotInstalled) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "filtered.h5";
  constexpr H5Z_filter_t number = 32000;
  const H5Z_class2_t filter{H5Z_CLASS_T_VERS, number, 1, 1, "lzf", nullptr, nullptr, pass};
  ASSERT_GE(H5Zregister(&filter), 0);
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t extents[1] = {4};
  const float values[4] = {1, 2, 3, 4};
  const hid_t space = H5Screate_simple(1, extents, nullptr), made = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(made, 1, extents);
  H5Pset_filter(made, number, H5Z_FLAG_MANDATORY, 0, nullptr);
  const hid_t dataset = H5Dcreate2(file, "packed", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, made, H5P_DEFAULT);
  ASSERT_GE(H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
  H5Dclose(dataset);
  H5Pclose(made);
  H5Sclose(space);
  H5Fclose(file);
  H5Zunregister(number);
  EXPECT_THAT(message_of([&] { Reader(path).read<float>("packed"); }),
              testing::AllOf(HasSubstr("'lzf' (32000)"), HasSubstr("not installed")));
}

TEST(Reader, TextAttributesAreOneOrSeveral) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "names.h5";
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), text = H5Tcopy(H5T_C_S1);
  H5Tset_size(text, H5T_VARIABLE);
  const char* names[2] = {"OFF brisk, 1", "ON \u03b2"};
  const hsize_t two = 2;
  const hid_t list = H5Screate_simple(1, &two, nullptr), scalar = H5Screate(H5S_SCALAR);
  for (const auto& [name, space] : {std::pair<const char*, hid_t>{"cells", list}, {"title", scalar}}) {
    const hid_t attribute = H5Acreate2(file, name, text, space, H5P_DEFAULT, H5P_DEFAULT);
    ASSERT_GE(H5Awrite(attribute, text, names), 0);
    H5Aclose(attribute);
  }
  H5Sclose(list);
  H5Sclose(scalar);
  H5Tclose(text);
  H5Fclose(file);
  const Reader reader(path);
  EXPECT_THAT(reader.text_attributes("cells"), ElementsAre("OFF brisk, 1", "ON \u03b2"));
  EXPECT_THAT(reader.text_attributes("title"), ElementsAre("OFF brisk, 1"));
  EXPECT_THAT(message_of([&] { reader.text_attribute("cells"); }), HasSubstr("should be one text"));
}

std::uint8_t mark(std::size_t frame) { return static_cast<std::uint8_t>(frame * 2654435761u >> 24); }

TEST(NeedsSpaceReader, MoreThanTwoGigabytesInOneCall) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "big.h5";
  const std::size_t frames = 860'000;
  if (std::filesystem::space(folder.path()).available < 6'000'000'000)
    GTEST_SKIP() << "SKIPPED: less than 6 GB of temporary space";
  core::Study study = core::Study::from_text("");
  {
    std::vector<std::uint8_t> movie(frames * 2500);
    for (std::size_t frame = 0; frame < frames; ++frame) std::memset(movie.data() + frame * 2500, mark(frame), 2500);
    ResultWriter writer(Communicator::world(), path, "test", make_provenance(Communicator::world(), study, "train", {}, {}));
    writer.dimension({"time", frames, "", "", {}, {}});
    writer.dimension({"y", 50, "", "", {}, {}});
    writer.dimension({"x", 50, "", "", {}, {}});
    writer.variable({"movie", Type::uint8, {"time", "y", "x"}, "1", "", {}});
    writer.create();
    writer.write<std::uint8_t>("movie", movie);
    writer.finish();
  }
  const auto movie = Reader(path).read<std::uint8_t>("movie");
  std::size_t wrong = 0;
  for (std::size_t frame = 0; frame < frames; ++frame) {
    const auto* first = movie.data() + frame * 2500;
    // All bytes of a frame are equal: the first is the mark, and each equals its neighbour.
    wrong += first[0] != mark(frame) || std::memcmp(first, first + 1, 2499) != 0;
  }
  EXPECT_EQ(movie.size(), frames * 2500);
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace amacrine::io
