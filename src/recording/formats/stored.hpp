// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

/// Arrays in files, and the same arrays seen with other axes. Nothing is read before it is asked for. Private to the formats.
namespace amacrine::recording::formats {

using Counts = std::vector<std::size_t>;

/// An array in a file, read block by block, last axis fastest.
class Stored {
 public:
  virtual ~Stored() = default;
  /// "dataset stim of rec.mat", for people.
  virtual std::string place() const = 0;
  virtual const Counts& shape() const = 0;
  virtual io::Type type() const = 0;
  /// The HDF5 dataset behind it, for its attributes; null for other files.
  virtual const io::Reader* file() const { return nullptr; }
  virtual std::string dataset() const { return {}; }
  /// The block [offset, offset + count). Throws InputError where the file cannot be read.
  virtual void read(const Counts& offset, const Counts& count, std::vector<float>& to) const = 0;
  virtual void read(const Counts& offset, const Counts& count, std::vector<std::uint8_t>& to) const = 0;
};
using StoredPtr = std::shared_ptr<const Stored>;

/// A dataset of an HDF5 file. Throws InputError where there is none of that name; `key` is the study's that names it.
StoredPtr hdf5_array(const std::shared_ptr<const io::Reader>& file, const std::string& dataset, const std::string& key);
/// A NumPy array file (npy_file.cpp).
StoredPtr npy_array(const std::string& path);

/// `array` with its axes named by the letters of `axes`, in the order of `wanted`. Axes in `held` are held at one index, axes
/// called '1' must be of length 1, and wanted axes that the array does not have become axes of length 1. Throws InputError where
/// letters and axes do not fit; `key` is the study's that names them.
StoredPtr arranged(StoredPtr array, const std::string& axes, const std::string& wanted, const std::map<char, std::size_t>& held,
                   const std::string& key);

/// Arrays of equal other axes, one after the other along `axis`. Throws InputError where they do not fit.
StoredPtr joined(std::vector<StoredPtr> pieces, std::size_t axis);

/// The rows (first axis) of a (R, T) array that hold a number, which NaN fills up where cells have different numbers of trials.
StoredPtr without_empty_rows(StoredPtr array);

}  // namespace amacrine::recording::formats
