// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/errors.hpp"
#include "amacrine/parallel/communicator.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <unistd.h>

/// Helpers shared by the tests of all rooms.
namespace amacrine::test {

/// max |a - b| / max |b|; infinite where the sizes differ or any value is not finite, so that `error <= tolerance` fails on NaN.
/// Where b is all zeros it is max |a|.
template <class A, class B>
double relative_error(const A& a, const B& b) {
  constexpr double bad = std::numeric_limits<double>::infinity();
  if (std::size(a) != std::size(b)) return bad;
  double difference = 0, scale = 0;
  auto other = std::begin(b);
  for (const auto& value : a) {
    const double x = static_cast<double>(value), y = static_cast<double>(*other++);
    if (!std::isfinite(x) || !std::isfinite(y)) return bad;
    difference = std::max(difference, std::fabs(x - y));
    scale = std::max(scale, std::fabs(y));
  }
  return scale > 0 ? difference / scale : difference;
}

/// max |a - b|, with the same rules.
template <class A, class B>
double absolute_error(const A& a, const B& b) {
  constexpr double bad = std::numeric_limits<double>::infinity();
  if (std::size(a) != std::size(b)) return bad;
  double difference = 0;
  auto other = std::begin(b);
  for (const auto& value : a) {
    const double x = static_cast<double>(value), y = static_cast<double>(*other++);
    if (!std::isfinite(x) || !std::isfinite(y)) return bad;
    difference = std::max(difference, std::fabs(x - y));
  }
  return difference;
}

/// An empty folder, the same on all ranks, removed at the end of its life (collective).
class TemporaryFolder {
 public:
  explicit TemporaryFolder(parallel::Communicator communicator = parallel::Communicator::world())
      : communicator_(std::move(communicator)) {
    std::string made;
    if (communicator_.root()) {
      std::string pattern = (std::filesystem::temp_directory_path() / "amacrine-test-XXXXXX").string();
      if (mkdtemp(pattern.data()) != nullptr) made = pattern;
    }
    path_ = communicator_.broadcast(made);
    core::require(!path_.empty(), "no temporary folder could be made");
  }
  ~TemporaryFolder() {
    communicator_.barrier();
    std::error_code ignored;
    if (communicator_.root()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  /// The path of `name` in the folder.
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  parallel::Communicator communicator_;
  std::string path_;
};

/// A committed file of reference values: tests/data/`name`.
inline std::string data_file(const std::string& name) {
  const char* folder = std::getenv("AMACRINE_TEST_DATA");
  core::require(folder != nullptr, "set AMACRINE_TEST_DATA to the folder tests/data");
  return std::string(folder) + "/" + name;
}

}  // namespace amacrine::test
