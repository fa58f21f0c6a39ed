// SPDX-License-Identifier: Apache-2.0
// Arrays of numbers in NumPy's NPY format, versions 1 to 3
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): six bytes of magic, two of version, the length of the
// header (two bytes, from version 2 on four), a Python dictionary with descr, fortran_order and shape, and the values.
#include "amacrine/core/errors.hpp"
#include "stored.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>

#include <fmt/ranges.h>

namespace amacrine::recording::formats {

namespace {

using core::InputError;

struct NumberType {
  const char* descr;  ///< without the letter of the byte order
  io::Type type;
  std::size_t bytes;
};
constexpr NumberType number_types[] = {{"u1", io::Type::uint8, 1},   {"b1", io::Type::uint8, 1},  {"i1", io::Type::int8, 1},
                                       {"u2", io::Type::int32, 2},   {"i2", io::Type::int32, 2},  {"i4", io::Type::int32, 4},
                                       {"f4", io::Type::float32, 4}, {"f8", io::Type::float64, 8}};

struct NpyHeader {
  const NumberType* number = nullptr;
  bool fortran_order = false;
  Counts shape;
  std::size_t data_at = 0;  ///< byte at which the values begin
};

/// What follows 'KEY': in the dictionary.
std::string value_after(const std::string& dictionary, const std::string& key, const std::string& path) {
  const std::size_t at = dictionary.find("'" + key + "':");
  core::require<InputError>(at != std::string::npos, "{}: the header of the NPY file has no '{}'; is it damaged?", path, key);
  const std::size_t begin = dictionary.find_first_not_of(' ', at + key.size() + 3);
  return begin == std::string::npos ? "" : dictionary.substr(begin);
}

const NumberType* number_of_descr(const std::string& dictionary, const std::string& path) {
  const std::string value = value_after(dictionary, "descr", path);
  const std::string descr = value.starts_with('\'') ? value.substr(1, value.find('\'', 1) - 1) : value.substr(0, 40);
  for (const NumberType& number : number_types)
    if (descr.size() == 3 && descr.substr(1) == number.descr && (number.bytes == 1 || descr[0] == '<')) return &number;
  core::fail<InputError>(
      "{}: holds values of type {}; expected little-endian numbers of types u1, i1, u2, i2, i4, f4 or f8, or bool. Convert it "
      "with "
      "numpy: np.save(name, array.astype('<f4'))",
      path, descr);
}

Counts shape_of_text(const std::string& value, const std::string& path) {
  const std::size_t end = value.find(')');
  core::require<InputError>(value.starts_with('(') && end != std::string::npos,
                            "{}: the header of the NPY file has no shape; is it damaged?", path);
  Counts shape;
  for (std::size_t at = 1; at < end; ++at) {
    std::size_t extent = 0;
    const auto [stop, fault] = std::from_chars(value.data() + at, value.data() + end, extent);
    if (fault == std::errc()) {
      shape.push_back(extent);
      at = static_cast<std::size_t>(stop - value.data());
    }
  }
  return shape;
}

NpyHeader read_header(std::ifstream& file, const std::string& path) {
  char start[8] = {};
  file.read(start, sizeof start);
  core::require<InputError>(file.good() && std::memcmp(start, "\x93NUMPY", 6) == 0,
                            "{}: is no NPY file; expected an array that numpy.save wrote", path);
  const int version = start[6];
  core::require<InputError>(version >= 1 && version <= 3, "{}: is an NPY file of version {}; versions 1 to 3 are read", path,
                            version);
  unsigned char length[4] = {};
  const std::size_t width = version == 1 ? 2 : 4;
  file.read(reinterpret_cast<char*>(length), static_cast<std::streamsize>(width));
  const std::size_t size = length[0] + 256UL * length[1] + 65536UL * length[2] + 16777216UL * length[3];
  std::string text(std::min<std::size_t>(size, std::size_t{1} << 20), ' ');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  core::require<InputError>(file.good() && text.size() == size, "{}: is cut short in its header; copy it again", path);
  NpyHeader header;
  header.number = number_of_descr(text, path);
  header.fortran_order = value_after(text, "fortran_order", path).starts_with("True");
  header.shape = shape_of_text(value_after(text, "shape", path), path);
  header.data_at = 8 + width + size;
  return header;
}

template <class From, class To>
void convert_values(const std::vector<char>& raw, std::vector<To>& to) {
  to.resize(raw.size() / sizeof(From));
  for (std::size_t i = 0; i < to.size(); ++i) {
    From value;
    std::memcpy(&value, raw.data() + i * sizeof(From), sizeof(From));
    to[i] = static_cast<To>(value);
  }
}

/// The values in the file's own order, last axis fastest: of a Fortran array the axes are reversed.
class NpyArray final : public Stored {
 public:
  explicit NpyArray(std::string path) : path_(std::move(path)), stream_(path_, std::ios::binary) {
    core::require<InputError>(stream_.good(), "{}: cannot be opened", path_);
    header_ = read_header(stream_, path_);
    shape_ = header_.shape;
    if (header_.fortran_order) std::reverse(shape_.begin(), shape_.end());
    const std::size_t bytes =
        std::accumulate(shape_.begin(), shape_.end(), header_.number->bytes, std::multiplies<>()) + header_.data_at;
    const std::size_t found = std::filesystem::file_size(path_);
    core::require<InputError>(found >= bytes,
                              "{}: is cut short: its header promises ({}), {} bytes, and the file has {}; copy it again", path_,
                              fmt::join(header_.shape, ", "), bytes, found);
  }
  bool fortran_order() const { return header_.fortran_order; }
  std::string place() const override { return path_; }
  const Counts& shape() const override { return shape_; }
  io::Type type() const override { return header_.number->type; }
  void read(const Counts& offset, const Counts& count, std::vector<float>& to) const override { read_as(offset, count, to); }
  void read(const Counts& offset, const Counts& count, std::vector<std::uint8_t>& to) const override {
    read_as(offset, count, to);
  }

 private:
  template <class T>
  void read_as(const Counts& offset, const Counts& count, std::vector<T>& to) const {
    const std::vector<char> raw = bytes_of(offset, count);
    const std::string descr = header_.number->descr;
    if (descr == "u1" || descr == "b1") convert_values<std::uint8_t>(raw, to);
    if (descr == "i1") convert_values<std::int8_t>(raw, to);
    if (descr == "u2") convert_values<std::uint16_t>(raw, to);
    if (descr == "i2") convert_values<std::int16_t>(raw, to);
    if (descr == "i4") convert_values<std::int32_t>(raw, to);
    if (descr == "f4") convert_values<float>(raw, to);
    if (descr == "f8") convert_values<double>(raw, to);
  }
  /// The block's bytes: one read for every stretch that lies in one piece.
  std::vector<char> bytes_of(const Counts& offset, const Counts& count) const {
    std::size_t whole = shape_.size();  // axes from here on are read whole
    while (whole > 0 && count[whole - 1] == shape_[whole - 1]) --whole;
    const std::size_t outer = whole == 0 ? 0 : whole - 1;
    std::size_t piece = header_.number->bytes, pieces = 1;
    for (std::size_t i = outer; i < count.size(); ++i) piece *= count[i];
    for (std::size_t i = 0; i < outer; ++i) pieces *= count[i];
    std::vector<char> raw(piece * pieces);
    Counts index(outer, 0);
    for (std::size_t p = 0; p < pieces; ++p) {
      std::size_t at = 0;
      for (std::size_t i = 0; i < shape_.size(); ++i) at = at * shape_[i] + offset[i] + (i < outer ? index[i] : 0);
      stream_.seekg(static_cast<std::streamoff>(header_.data_at + at * header_.number->bytes));
      stream_.read(raw.data() + p * piece, static_cast<std::streamsize>(piece));
      core::require<InputError>(stream_.good(), "{}: cannot be read to its end; copy it again", path_);
      for (std::size_t i = outer; i-- > 0;) {
        if (++index[i] < count[i]) break;
        index[i] = 0;
      }
    }
    return raw;
  }

  std::string path_;
  mutable std::ifstream stream_;
  NpyHeader header_;
  Counts shape_;
};

/// An array with its axes reversed.
class Reversed final : public Stored {
 public:
  explicit Reversed(std::shared_ptr<const NpyArray> array) : array_(std::move(array)), shape_(turned(array_->shape())) {}
  std::string place() const override { return array_->place(); }
  const Counts& shape() const override { return shape_; }
  io::Type type() const override { return array_->type(); }
  void read(const Counts& offset, const Counts& count, std::vector<float>& to) const override { transpose(offset, count, to); }
  void read(const Counts& offset, const Counts& count, std::vector<std::uint8_t>& to) const override {
    transpose(offset, count, to);
  }

 private:
  static Counts turned(Counts counts) {
    std::reverse(counts.begin(), counts.end());
    return counts;
  }
  template <class T>
  void transpose(const Counts& offset, const Counts& count, std::vector<T>& to) const {
    std::vector<T> block;
    array_->read(turned(offset), turned(count), block);
    to.resize(block.size());
    Counts index(count.size(), 0);
    for (T& value : to) {
      std::size_t at = 0;
      for (std::size_t i = count.size(); i-- > 0;) at = at * count[i] + index[i];
      value = block[at];
      for (std::size_t i = count.size(); i-- > 0;) {
        if (++index[i] < count[i]) break;
        index[i] = 0;
      }
    }
  }

  std::shared_ptr<const NpyArray> array_;
  Counts shape_;
};

}  // namespace

StoredPtr npy_array(const std::string& path) {
  static_assert(std::endian::native == std::endian::little, "NPY files are read as little-endian");
  auto array = std::make_shared<const NpyArray>(path);
  if (!array->fortran_order()) return array;
  return std::make_shared<Reversed>(std::move(array));
}

}  // namespace amacrine::recording::formats
