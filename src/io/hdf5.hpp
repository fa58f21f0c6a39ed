// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/errors.hpp"
#include "amacrine/io/result_file.hpp"

#include <string>
#include <utility>
#include <vector>

#include <hdf5.h>

/// HDF5 identifiers that close themselves, and the few calls that every source of this room needs.
namespace amacrine::io::detail {

/// Owns one HDF5 identifier.
class Id {
 public:
  using Close = herr_t (*)(hid_t);
  Id() = default;
  Id(hid_t id, Close closer) : id_(id), close_(closer) {}
  Id(Id&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Id& operator=(Id&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Id() { close(); }

  operator hid_t() const { return id_; }
  bool valid() const { return id_ >= 0; }
  /// Closes now; false where HDF5 reports a fault.
  bool close() {
    const hid_t id = std::exchange(id_, -1);
    return id < 0 || close_ == nullptr || close_(id) >= 0;
  }
  /// Gives up ownership without closing.
  hid_t release() { return std::exchange(id_, -1); }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

/// Called before any other use of HDF5: no messages on stderr, no clean-up at exit (MPI_Finalize does it).
void start_hdf5();

/// The innermost messages of HDF5's error stack, in one line.
std::string error_text();

/// `id` in a handle, or core::Error "WHAT: HDF5's reason".
Id own(hid_t id, Id::Close close, const std::string& what);
/// Throws core::Error where `status` is negative.
void check(herr_t status, const std::string& what);

/// Native HDF5 type of T (not to be closed).
template <class T>
hid_t native_type();
/// Type in the file: little endian, fixed size (not to be closed).
hid_t file_type(Type type);
std::size_t type_size(Type type);

/// A string type of fixed size `bytes` (>= 1), or of variable length for 0; UTF-8.
Id string_type(std::size_t bytes);

// Attributes of an object.
void write_text(hid_t object, const std::string& name, const std::string& value);
/// One value (scalar) or several (one axis), stored as `type`.
void write_numbers(hid_t object, const std::string& name, const std::vector<double>& values, hid_t type);
bool has_attribute(hid_t object, const std::string& name);
/// Text or numbers of an attribute; throws InputError naming it in the words of `where`.
std::string read_text(hid_t object, const std::string& name, const std::string& where);
std::vector<std::string> read_texts(hid_t object, const std::string& name, const std::string& where);
std::vector<double> read_numbers(hid_t object, const std::string& name, const std::string& where);
/// Strings of a dataset or attribute with string type, via `read(memory type, buffer)`.
std::vector<std::string> attribute_names(hid_t object);

/// Calls body(block offset, block count) for pieces of a block that hold at most `limit` values each, in order.
template <class Body>
void in_pieces(std::vector<std::size_t> offset, std::vector<std::size_t> count, std::size_t limit, const Body& body) {
  std::size_t values = 1, axis = 0;
  for (const std::size_t extent : count) values *= extent;
  while (axis < count.size() && count[axis] <= 1) ++axis;
  if (values <= limit || axis == count.size()) return body(offset, count);
  const std::size_t whole = count[axis], step = std::max<std::size_t>(1, limit / (values / whole)), first = offset[axis];
  for (std::size_t done = 0; done < whole; done += step) {
    offset[axis] = first + done;
    count[axis] = std::min(step, whole - done);
    in_pieces(offset, count, limit, body);
  }
}

/// One call moves at most this many bytes: MPI and some file systems fail at 2 GiB.
constexpr std::size_t piece_bytes = std::size_t{1} << 29;

}  // namespace amacrine::io::detail
