// SPDX-License-Identifier: Apache-2.0
// Files of ours with bytes flipped, cut off, overwritten and added: nothing of it may be read as if it were whole.
#include "amacrine/io/file_check.hpp"
#include "amacrine/io/result_file.hpp"
#include "support/compare.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <xxhash.h>

namespace amacrine::io {
namespace {

using parallel::Communicator;
using testing::AllOf;
using testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t record_bytes = 64, block_bytes = 4096;

Bytes contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void put(const std::string& path, const Bytes& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

template <class T>
T number_at(const Bytes& bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// Two variables of some blocks each, texts, coordinates and a long study.
void make_own(const std::string& path) {
  Provenance made{"train", std::string(9000, 'x'), "[a]\nb = 1\n", "0123456789abcdef", {{"recording", "r.h5", "00"}}, {}};
  ResultWriter writer(Communicator::self(), path, "test", made);
  writer.dimension({"row", 3, "1", "", {}, {"first", "second", "third"}});
  writer.dimension({"time", 1000, "ms", "", std::vector<double>(1000, 0.5), {}});
  writer.dimension({"count", 5000, "1", "", {}, {}});
  writer.variable({"rate", Type::float64, {"row", "time"}, "Hz", "", {}});
  writer.variable({"part/bytes", Type::uint8, {"count"}, "1", "", {}});
  writer.create();
  std::vector<double> rate(3000);
  std::iota(rate.begin(), rate.end(), 0.0);
  writer.write<double>("rate", rate);
  writer.write<std::uint8_t>("part/bytes", std::vector<std::uint8_t>(5000, 7));
  writer.finish();
}

/// Everything a user of the file could read.
void read_all(const std::string& path) {
  const Reader reader(path);
  reader.provenance();
  reader.read<double>("rate");
  reader.read<std::uint8_t>("part/bytes");
  reader.read<double>("time");
  reader.read_strings("row");
}

std::string fault_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const core::InputError& error) {
    return error.what();
  }
  return "(no InputError)";
}

class Checksums : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new test::TemporaryFolder(Communicator::self());
    make_own(*folder_ / "own.h5");
    whole_ = contents(*folder_ / "own.h5");
  }
  static void TearDownTestSuite() { delete folder_; }

  static std::string path() { return *folder_ / "changed.h5"; }
  static std::size_t hdf5_bytes() { return number_at<std::uint64_t>(whole_, whole_.size() - record_bytes); }
  /// Where the number lies in the whole file.
  static std::size_t find(double number) {
    Bytes wanted(sizeof number);
    std::memcpy(wanted.data(), &number, sizeof number);
    const auto found = std::search(whole_.begin(), whole_.end(), wanted.begin(), wanted.end());
    core::require(found != whole_.end(), "{} is not in the file", number);
    return static_cast<std::size_t>(found - whole_.begin());
  }
  static std::string fault_with(const Bytes& bytes) {
    put(path(), bytes);
    return fault_of([] { read_all(path()); });
  }

  static inline test::TemporaryFolder* folder_ = nullptr;
  static inline Bytes whole_;
};

TEST_F(Checksums, LieBehindTheBytesOfHdf5AsDocumented) {
  const std::size_t record = whole_.size() - record_bytes, begin = hdf5_bytes();
  const auto blocks = number_at<std::uint64_t>(whole_, record + 8);
  EXPECT_EQ(number_at<std::uint32_t>(whole_, record + 16), 1u) << "format";
  EXPECT_EQ(number_at<std::uint32_t>(whole_, record + 20), block_bytes);
  ASSERT_EQ(blocks, (begin + block_bytes - 1) / block_bytes);
  ASSERT_EQ(begin + 16 + 17 * blocks + record_bytes, whole_.size());
  const auto expect_checksum = [&](std::size_t at, std::size_t from, std::size_t bytes) {
    XXH128_canonical_t expected;
    XXH128_canonicalFromHash(&expected, XXH3_128bits(whole_.data() + from, bytes));
    EXPECT_EQ(std::memcmp(expected.digest, whole_.data() + at, 16), 0) << from;
  };
  for (std::size_t block = 0; block < blocks; ++block)
    expect_checksum(begin + 16 + 16 * block, block * block_bytes, std::min(block_bytes, begin - block * block_bytes));
  expect_checksum(record + 32, begin, record + 32 - begin);
  EXPECT_EQ(std::string(whole_.end() - 16, whole_.end()), "amacrine:checks\n");
}

TEST_F(Checksums, NoticeEveryFlippedBit) {
  put(path(), whole_);
  EXPECT_EQ(fault_of([] { read_all(path()); }), "(no InputError)");
  std::size_t missed = 0, tried = 0;
  for (std::size_t at = 0; at < whole_.size(); at += 19, ++tried) {
    Bytes bytes = whole_;
    bytes[at] ^= static_cast<std::uint8_t>(1U << (at % 8));
    const std::string fault = fault_with(bytes);
    if (fault != "(no InputError)" && fault.starts_with(path())) continue;
    ++missed;
    ADD_FAILURE() << "byte " << at << " of " << whole_.size() << ": " << fault;
  }
  EXPECT_GE(tried, 2000u);
  EXPECT_EQ(missed, 0u);
}

/// Names, shapes, attributes and texts are wherever no variable's values are, in the same block, too.
TEST_F(Checksums, OfStructuresAreComparedOnOpening) {
  const auto rate = Reader(*folder_ / "own.h5").extent("rate"), part = Reader(*folder_ / "own.h5").extent("part/bytes");
  ASSERT_EQ(rate.second - rate.first, 24000u);
  ASSERT_EQ(part.second - part.first, 5000u);
  const auto in = [](const auto& extent, std::size_t at) { return extent.first <= at && at < extent.second; };
  std::size_t tried = 0;
  for (std::size_t at = 0; at < whole_.size(); at += 23) {
    if (in(rate, at) || in(part, at)) continue;
    Bytes bytes = whole_;
    bytes[at] ^= 0x10;
    put(path(), bytes);
    EXPECT_NE(fault_of([] { const Reader reader(path()); }), "(no InputError)") << "byte " << at;
    ++tried;
  }
  EXPECT_GE(tried, 500u);
}

TEST_F(Checksums, NoticeCutsAndAdditions) {
  for (std::size_t kept = 0; kept < whole_.size(); kept += 311)
    EXPECT_NE(fault_with({whole_.begin(), whole_.begin() + static_cast<std::ptrdiff_t>(kept)}), "(no InputError)") << kept;
  for (const std::size_t lost : {1, 16, 63, 64, 65}) {
    const Bytes cut(whole_.begin(), whole_.end() - static_cast<std::ptrdiff_t>(lost));
    EXPECT_THAT(fault_with(cut), HasSubstr("checksums at its end are cut short")) << lost;
  }
  Bytes longer = whole_;
  longer.resize(whole_.size() + 100);
  EXPECT_THAT(fault_with(longer), HasSubstr("checksums at its end"));
  Bytes inner = whole_;
  inner.erase(inner.begin() + 5000, inner.begin() + 5001);
  EXPECT_NE(fault_with(inner), "(no InputError)");
}

/// An interrupted copy that had reserved the room: the end, or pages amid the file, are zeros.
TEST_F(Checksums, NoticeZerosInPlaceOfBytes) {
  for (std::size_t zeros = 1; zeros + 48 < whole_.size(); zeros = zeros * 3 / 2 + 1) {
    Bytes bytes = whole_;
    std::fill(bytes.end() - static_cast<std::ptrdiff_t>(zeros), bytes.end(), std::uint8_t{0});
    EXPECT_THAT(fault_with(bytes), HasSubstr("is damaged")) << zeros << " zeros at the end";
  }
  for (std::size_t page = 0; page + 4096 < whole_.size(); page += 4096) {
    Bytes bytes = whole_;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(page), 4096, std::uint8_t{0});
    EXPECT_THAT(fault_with(bytes), HasSubstr("is damaged")) << "page at " << page;
  }
}

TEST_F(Checksums, NoticeBlocksInEachOthersPlace) {
  const std::size_t first = find(1000) / block_bytes * block_bytes, second = first + block_bytes;
  Bytes bytes = whole_;
  std::swap_ranges(bytes.begin() + static_cast<std::ptrdiff_t>(first), bytes.begin() + static_cast<std::ptrdiff_t>(second),
                   bytes.begin() + static_cast<std::ptrdiff_t>(second));
  EXPECT_THAT(fault_with(bytes), HasSubstr("values of 'rate'"));
}

TEST_F(Checksums, OfValuesAreComparedWhenTheValuesAreRead) {
  Bytes bytes = whole_;
  bytes[find(1500) + 6] ^= 1;
  put(path(), bytes);
  const Reader reader(path());
  EXPECT_TRUE(reader.checked());
  EXPECT_EQ(reader.read<double>("rate", {0, 0}, {1, 400}).at(399), 399.0) << "rows in other blocks are whole";
  EXPECT_EQ(reader.read<std::uint8_t>("part/bytes").at(4999), 7);
  for (int time = 0; time < 2; ++time)
    EXPECT_THAT(fault_of([&] {
                  reader.read<double>("rate", {1, 400}, {1, 200});
                }),
                AllOf(HasSubstr(path()), HasSubstr("values of 'rate'"), HasSubstr("--overwrite")));
  EXPECT_THAT(fault_of([&] { reader.read<double>("rate", {0, 500}, {3, 1}); }), HasSubstr("values of 'rate'"));
  EXPECT_THAT(fault_of([&] { reader.verify(); }), HasSubstr("is damaged"));
}

TEST_F(Checksums, TellWhichBlocksAndDatasetsAreDamaged) {
  using State = FileCheck::State;
  put(path(), whole_);
  const FileCheck whole = check_file(path());
  EXPECT_EQ(whole.state, State::verified);
  EXPECT_EQ(whole.blocks, (hdf5_bytes() + block_bytes - 1) / block_bytes);
  const std::size_t at = find(1500);
  Bytes bytes = whole_;
  bytes[at] ^= 4;
  put(path(), bytes);
  const FileCheck values = check_file(path());
  EXPECT_EQ(values.state, State::damaged);
  EXPECT_THAT(values.damaged_blocks, testing::ElementsAre(at / block_bytes));
  EXPECT_TRUE(values.structures_whole);
  EXPECT_THAT(values.damaged_datasets, testing::ElementsAre("rate"));
  bytes[100] ^= 4;
  put(path(), bytes);
  const FileCheck both = check_file(path());
  EXPECT_THAT(both.damaged_blocks, testing::ElementsAre(0u, at / block_bytes));
  EXPECT_FALSE(both.structures_whole);
  bytes = whole_;
  bytes[hdf5_bytes() + 20] ^= 4;
  put(path(), bytes);
  EXPECT_EQ(check_file(path()).state, State::damaged) << "the checksums themselves";
}

/// Opens the file for writing with HDF5, which cuts off what it does not know of, and gives it another format, or none.
void change_format(const std::string& path, const char* format) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  ASSERT_GE(file, 0);
  const hid_t attribute = H5Aopen(file, "format", H5P_DEFAULT), type = H5Aget_type(attribute);
  const herr_t written = format != nullptr ? H5Awrite(attribute, type, format) : 0;
  H5Tclose(type);
  H5Aclose(attribute);
  EXPECT_GE(written, 0);
  EXPECT_GE(format != nullptr ? 0 : H5Adelete(file, "format"), 0);
  H5Fclose(file);
}

TEST_F(Checksums, MissingFromAFileThatHadThemAreDamage) {
  put(path(), whole_);
  change_format(path(), "amacrine 2");
  EXPECT_EQ(std::filesystem::file_size(path()), hdf5_bytes());
  EXPECT_THAT(fault_of([] { read_all(path()); }), AllOf(HasSubstr("checksums at its end are missing"), HasSubstr("'format'")));
  EXPECT_THAT(fault_of([] { Reader reader(path(), true); }), HasSubstr("are missing"));
  EXPECT_EQ(check_file(path()).state, FileCheck::State::damaged);
  change_format(path(), nullptr);  // as the message says
  EXPECT_EQ(Reader(path()).read<double>("rate").at(2999), 2999.0);
}

TEST_F(Checksums, AreNotAskedOfEarlierFormatsAndForeignFiles) {
  put(path(), whole_);
  change_format(path(), "amacrine 1");
  EXPECT_EQ(fault_of([] { read_all(path()); }), "(no InputError)");
  EXPECT_FALSE(Reader(path()).checked());
  EXPECT_EQ(check_file(path()).state, FileCheck::State::none);
  change_format(path(), "amacrine 3");
  EXPECT_THAT(fault_of([] { read_all(path()); }), AllOf(HasSubstr("'amacrine 3'"), HasSubstr("program that made it")));
  const hid_t foreign = H5Fcreate(path().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), scalar = H5Screate(H5S_SCALAR);
  H5Aclose(H5Acreate2(foreign, "format", H5T_STD_I32LE, scalar, H5P_DEFAULT, H5P_DEFAULT));  // a number of its own
  H5Sclose(scalar);
  H5Fclose(foreign);
  EXPECT_EQ(Reader(path()).kind(), "");
  EXPECT_EQ(check_file(path()).state, FileCheck::State::none);
  std::ofstream(path(), std::ios::app) << "bytes of another program";
  EXPECT_TRUE(Reader(path()).list().empty()) << "HDF5 allows bytes behind its own";
}

}  // namespace
}  // namespace amacrine::io
