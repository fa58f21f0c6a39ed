// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/version.hpp"
#include "hdf5.hpp"
#include "layout.hpp"

#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

/// Blocks of a file that is being written, by which a later run knows what it can keep.
namespace amacrine::io::detail {

inline std::size_t volume(const std::vector<std::size_t>& count) {
  return std::accumulate(count.begin(), count.end(), std::size_t{1}, std::multiplies<>());
}

/// Whether [offset, offset + count) is a block of an array of that shape.
bool fits(const std::vector<std::size_t>& shape, const std::vector<std::size_t>& offset, const std::vector<std::size_t>& count);

/// Where the values of a file's variables lie, and a checksum of all its other bytes.
std::string frame_of(const std::string& path, const Layout& layout);
/// Whether the file at `path` has that frame, is of the layout's kind, study and inputs, and has its variables.
bool can_go_on(const std::string& path, const Layout& layout, const std::string& frame);

/// Checksum of a block of an open dataset, in the file's type. Empty where it cannot be read.
std::string block_checksum(hid_t dataset, Type type, const std::vector<std::size_t>& offset,
                           const std::vector<std::size_t>& count);

template <class To, class T>
std::string checksum_as(std::span<const T> values) {
  if constexpr (std::is_same_v<To, T>) return core::hash_bytes(values.data(), values.size_bytes());
  std::vector<To> converted;
  converted.reserve(values.size());
  for (const T value : values) converted.push_back(static_cast<To>(value));
  return core::hash_bytes(converted.data(), converted.size() * sizeof(To));
}

/// The checksum block_checksum() gives of these values once they are written into a variable of `type`. Values out of the type's
/// range are out of the question: the block would then be taken for a damaged one.
template <class T>
std::string values_checksum(std::span<const T> values, Type type) {
  switch (type) {
    case Type::float32:
      return checksum_as<float>(values);
    case Type::float64:
      return checksum_as<double>(values);
    case Type::int8:
      return checksum_as<std::int8_t>(values);
    case Type::uint8:
      return checksum_as<std::uint8_t>(values);
    case Type::int32:
      return checksum_as<std::int32_t>(values);
    case Type::int64:
      return checksum_as<std::int64_t>(values);
  }
  return {};
}

}  // namespace amacrine::io::detail
