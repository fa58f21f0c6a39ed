// SPDX-License-Identifier: Apache-2.0
#include "amacrine/io/journal.hpp"

#include "amacrine/core/errors.hpp"
#include "support/compare.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::io {
namespace {

using test::TemporaryFolder;

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string> entries{"task 0", "task 7 with more", "", "task 3"};

std::string text_in(const std::string& path) {
  std::ostringstream all;
  all << std::ifstream(path, std::ios::binary).rdbuf();
  return all.str();
}

void put(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }

class JournalTest : public testing::Test {
 protected:
  TemporaryFolder folder_{parallel::Communicator::self()};
  std::string path_ = folder_ / "x.journal";

  void write() const {
    Journal journal(path_, "study a");
    journal.start({entries[0]});
    journal.append({entries[1], entries[2]});
    journal.append({entries[3]});
  }
  std::vector<std::string> read(const std::string& identity = "study a") const { return Journal(path_, identity).read(); }
};

TEST_F(JournalTest, GivesBackWhatWasWritten) {
  EXPECT_THAT(read(), IsEmpty());
  write();
  EXPECT_EQ(read(), entries);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".partial"));
}

TEST_F(JournalTest, AnotherStudysEntriesAreNone) {
  write();
  EXPECT_THAT(read("study b"), IsEmpty());
}

TEST_F(JournalTest, StartingAgainKeepsWhatIsGivenAndNothingElse) {
  write();
  Journal journal(path_, "study a");
  journal.start({"task 7"});
  journal.append({"task 8"});
  EXPECT_THAT(read(), ElementsAre("task 7", "task 8"));
  journal.remove();
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_THROW(journal.append({"task 9"}), core::Error);
}

/// Cut at every byte: a line counts once its break is there, and never before.
TEST_F(JournalTest, ATornLineIsNone) {
  write();
  const std::string whole = text_in(path_);
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    put(path_, whole.substr(0, length));
    const auto breaks = std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length), '\n');
    const std::vector<std::string> expected(entries.begin(), entries.begin() + std::max<std::ptrdiff_t>(0, breaks - 1));
    EXPECT_EQ(read(), expected) << "cut to " << length;
  }
}

/// Every byte overwritten in turn: the entries that are read are a part of those that were written.
TEST_F(JournalTest, AFlippedByteCostsItsLineOnly) {
  write();
  const std::string whole = text_in(path_);
  const std::size_t header = whole.find('\n') + 1;
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const char value : {'\0', static_cast<char>(whole[at] ^ 1)}) {
      std::string damaged = whole;
      damaged[at] = value;
      put(path_, damaged);
      const std::vector<std::string> found = read();
      for (const std::string& entry : found) EXPECT_THAT(entries, testing::Contains(entry)) << "byte " << at;
      if (at < header) {
        EXPECT_THAT(found, IsEmpty()) << "byte " << at << " of the header";
      } else {  // a break that is gone joins two lines
        EXPECT_GE(found.size(), entries.size() - (whole[at] == '\n' ? 2 : 1)) << "byte " << at;
        EXPECT_LT(found.size(), entries.size()) << "byte " << at;
      }
    }
}

TEST_F(JournalTest, SaysToWhatItBelongs) {
  EXPECT_EQ(Journal::identity_of(path_), "");
  write();
  const std::string whole = text_in(path_), identity = Journal::identity_of(path_);
  EXPECT_THAT(whole, testing::HasSubstr(" " + identity + " "));
  EXPECT_EQ(Journal(path_, identity).read(), entries);
  put(path_, "?" + whole.substr(1));
  EXPECT_EQ(Journal::identity_of(path_), "");
}

/// Blocks that never reached the disk read as zeros.
TEST_F(JournalTest, ZerosAreNoEntries) {
  write();
  put(path_, text_in(path_) + std::string(4096, '\0'));
  EXPECT_EQ(read(), entries);
  put(path_, std::string(4096, '\0'));
  EXPECT_THAT(read(), IsEmpty());
}

}  // namespace
}  // namespace amacrine::io
