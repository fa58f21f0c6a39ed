// SPDX-License-Identifier: Apache-2.0
#include "written_block.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include <nlohmann/json.hpp>

namespace amacrine::io::detail {
namespace {

using Extents = std::vector<std::pair<std::uint64_t, std::uint64_t>>;  ///< bytes of a file [first, second)

/// The type of values in memory that lie in the file as `type`.
hid_t memory_type(Type type) {
  switch (type) {
    case Type::float32:
      return native_type<float>();
    case Type::float64:
      return native_type<double>();
    case Type::int8:
      return native_type<std::int8_t>();
    case Type::uint8:
      return native_type<std::uint8_t>();
    case Type::int32:
      return native_type<std::int32_t>();
    case Type::int64:
      return native_type<std::int64_t>();
  }
  return -1;
}

bool has_variable(const Reader& reader, const Layout& layout, const Variable& variable) {
  return reader.is_dataset(variable.name) && reader.type(variable.name) == variable.type &&
         reader.shape(variable.name) == layout.shape(variable);
}

bool same_origin(const Provenance& found, const Provenance& wanted) {
  const auto same = [](const Input& a, const Input& b) { return a.role == b.role && a.checksum == b.checksum; };
  return found.verb == wanted.verb && found.study_hash == wanted.study_hash &&
         std::equal(found.inputs.begin(), found.inputs.end(), wanted.inputs.begin(), wanted.inputs.end(), same);
}

/// Takes out of a file's first bytes what HDF5 changes in them while it has the file open for writing, as a killed run leaves it:
/// the superblock's consistency flags, and its checksum of itself (HDF5 file format, superblock versions 2 and 3).
void forget_open_file(std::string& bytes) {
  constexpr std::size_t version_at = 8, flags_at = 11, checksum_at = 44, end = 48;
  if (bytes.size() < end || bytes[version_at] < 2) return;
  bytes[flags_at] = 0;
  std::fill(bytes.begin() + checksum_at, bytes.begin() + end, '\0');
}

/// A checksum of what lies outside of `values` (ascending), which begin behind the superblock; the same whether or not the file
/// is open. Empty where the file ends before they do.
std::string checksum_around(const std::string& path, const Extents& values) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto end = static_cast<std::uint64_t>(std::max<std::streamoff>(0, file.tellg()));
  std::string around;
  std::uint64_t at = 0;
  const auto take_until = [&](std::uint64_t next) {
    const std::size_t before = around.size(), count = next - at;
    around.resize(before + count);
    file.seekg(static_cast<std::streamoff>(at));
    file.read(around.data() + before, static_cast<std::streamsize>(count));
  };
  for (const auto& [begin, past] : values) {
    if (begin < at || past < begin || past > end) return {};
    take_until(begin);
    at = past;
  }
  take_until(end);
  forget_open_file(around);
  return file ? core::hash_bytes(around.data(), around.size()) : std::string{};
}

/// Checked before HDF5, which does not survive every damage, sees the file.
bool has_frame(const std::string& path, const std::string& frame) {
  const auto json = nlohmann::json::parse(frame, nullptr, false);
  if (!json.is_object() || !json.contains("values") || !json.contains("checksum")) return false;
  const std::string found = checksum_around(path, json["values"].get<Extents>());
  return !found.empty() && found == json["checksum"];
}

}  // namespace

std::string frame_of(const std::string& path, const Layout& layout) {
  Extents values;
  {
    const Id file = own(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, path + ": cannot be opened again");
    for (const Variable& variable : layout.variables) {
      const Id dataset = own(H5Dopen2(file, variable.name.c_str(), H5P_DEFAULT), H5Dclose, path + ": " + variable.name);
      const haddr_t begin = H5Dget_offset(dataset);
      if (begin != HADDR_UNDEF) values.emplace_back(begin, begin + H5Dget_storage_size(dataset));
    }
  }
  std::sort(values.begin(), values.end());
  return nlohmann::json{{"values", values}, {"checksum", checksum_around(path, values)}}.dump();
}

bool fits(const std::vector<std::size_t>& shape, const std::vector<std::size_t>& offset, const std::vector<std::size_t>& count) {
  if (offset.size() != shape.size() || count.size() != shape.size()) return false;
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (offset[axis] > shape[axis] || count[axis] > shape[axis] - offset[axis]) return false;
  return true;
}

bool can_go_on(const std::string& path, const Layout& layout, const std::string& frame) {
  if (!std::filesystem::exists(path) || !has_frame(path, frame)) return false;
  try {
    const Reader reader(path, true);
    if (reader.kind() != layout.kind || !same_origin(reader.provenance(), layout.provenance)) return false;
    for (const Variable& variable : layout.variables)
      if (!has_variable(reader, layout, variable)) return false;
    return true;
  } catch (const core::InputError&) {  // whatever it is, it is no use
    return false;
  }
}

std::string block_checksum(hid_t dataset, Type type, const std::vector<std::size_t>& offset,
                           const std::vector<std::size_t>& count) {
  std::vector<char> bytes(volume(count) * type_size(type));
  char* at = bytes.data();
  bool sound = true;
  const auto read_piece = [&](const std::vector<std::size_t>& from, const std::vector<std::size_t>& extent) {
    const std::vector<hsize_t> start(from.begin(), from.end()), extents(extent.begin(), extent.end());
    const hsize_t piece = volume(extent);
    const Id memory = own(H5Screate_simple(1, &piece, nullptr), H5Sclose, "data space");
    const Id space = own(H5Dget_space(dataset), H5Sclose, "data space");
    if (!start.empty())
      check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, extents.data(), nullptr), "block");
    sound = sound && H5Dread(dataset, memory_type(type), memory, space, H5P_DEFAULT, at) >= 0;
    at += piece * type_size(type);
  };
  if (!bytes.empty()) in_pieces(offset, count, piece_bytes / sizeof(double), read_piece);
  return sound ? core::hash_bytes(bytes.data(), bytes.size()) : std::string{};
}

}  // namespace amacrine::io::detail
