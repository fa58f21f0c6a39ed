// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"
#include "amacrine/recording/reader.hpp"
#include "support/compare.hpp"

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <hdf5.h>

/// Files as other programs write them: HDF5 by its own calls, NPY byte by byte.
namespace amacrine::recording::foreign {

using Shape = std::vector<std::size_t>;
using Value = std::function<double(const Shape&)>;  ///< of the value at an index

/// All values of an array, last axis fastest.
inline std::vector<double> values_of(const Shape& shape, const Value& value) {
  std::vector<double> all;
  Shape index(shape.size(), 0);
  std::size_t size = 1;
  for (const std::size_t extent : shape) size *= extent;
  for (std::size_t i = 0; i < size; ++i) {
    all.push_back(value(index));
    for (std::size_t k = shape.size(); k-- > 0;) {
      if (++index[k] < shape[k]) break;
      index[k] = 0;
    }
  }
  return all;
}

class Hdf5 {
 public:
  explicit Hdf5(const std::string& path, hsize_t userblock = 0) {
    const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_userblock(creation, userblock);
    file_ = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, H5P_DEFAULT);
    H5Pclose(creation);
  }
  ~Hdf5() { H5Fclose(file_); }
  Hdf5(const Hdf5&) = delete;
  Hdf5& operator=(const Hdf5&) = delete;

  void add(const std::string& name, hid_t type, const Shape& shape, const Value& value, const char* matlab_class = nullptr) {
    const std::vector<hsize_t> extents(shape.begin(), shape.end());
    const std::vector<double> values = values_of(shape, value);
    const hid_t space = H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr),
                links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    const hid_t dataset = H5Dcreate2(file_, name.c_str(), type, space, links, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    if (matlab_class != nullptr) add_text(dataset, "MATLAB_class", matlab_class);
    H5Dclose(dataset);
    H5Pclose(links);
    H5Sclose(space);
  }

 private:
  static void add_text(hid_t object, const char* name, const std::string& text) {
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, text.size());
    const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, text.data());
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
  }
  hid_t file_;
};

/// An NPY file of numbers of type T, named `descr`, by the published format.
template <class T>
void write_npy(const std::string& path, const std::string& descr, const Shape& shape, const Value& value, int version = 1,
               bool fortran = false) {
  std::string extents;
  for (const std::size_t extent : shape) extents += std::to_string(extent) + ", ";
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': (" + extents + "), }";
  const std::size_t width = version == 1 ? 2 : 4;
  while ((8 + width + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  file << "\x93NUMPY" << static_cast<char>(version) << '\0';
  for (std::size_t i = 0, size = header.size(); i < width; ++i, size /= 256) file << static_cast<char>(size % 256);
  file << header;
  Shape stored = shape;
  if (fortran) stored.assign(shape.rbegin(), shape.rend());
  const auto at = [&](const Shape& index) { return fortran ? value(Shape(index.rbegin(), index.rend())) : value(index); };
  for (const double number : values_of(stored, at)) {
    const T typed = static_cast<T>(number);
    file.write(reinterpret_cast<const char*>(&typed), sizeof typed);
  }
}

/// The [recording] of a study text.
inline RecordingSettings settings(const std::string& text) {
  core::Study study = core::Study::from_text(text);
  RecordingSettings read = read_recording(study);
  study.require_all_read();
  return read;
}

/// Pixel (y, x) of frame t as it was read.
inline double pixel(const StoredMovie& movie, std::size_t t, std::size_t y, std::size_t x) {
  return std::visit([&](const auto& pixels) { return static_cast<double>(pixels(t, y, x)); }, movie.pixels);
}

}  // namespace amacrine::recording::foreign
