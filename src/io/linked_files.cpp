// SPDX-License-Identifier: Apache-2.0
#include "linked_files.hpp"

#include "checked_file.hpp"
#include "hdf5.hpp"
#include "in_use.hpp"
#include "unreadable.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

namespace amacrine::io::detail {
namespace {

namespace fs = std::filesystem;

/// What a file names, as it names it.
using Names = std::vector<std::string>;

herr_t collect_link(hid_t group, const char* name, const H5L_info_t* info, void* names) {
  if (info->type != H5L_TYPE_EXTERNAL) return 0;
  std::vector<char> value(info->u.val_size);
  const char *file = nullptr, *object = nullptr;
  unsigned flags = 0;
  if (H5Lget_val(group, name, value.data(), value.size(), H5P_DEFAULT) >= 0 &&
      H5Lunpack_elink_val(value.data(), value.size(), &flags, &file, &object) >= 0)
    static_cast<Names*>(names)->emplace_back(file);
  return 0;
}

void collect_stored_outside(const Id& made, Names& names) {
  const int count = H5Pget_external_count(made);
  for (int i = 0; i < count; ++i) {
    std::array<char, 4096> name{};
    off_t offset = 0;
    hsize_t size = 0;
    if (H5Pget_external(made, static_cast<unsigned>(i), name.size() - 1, name.data(), &offset, &size) >= 0)
      names.emplace_back(name.data());
  }
}

herr_t collect_dataset(hid_t file, const char* name, const H5O_info_t* info, void* names) {
  if (info->type != H5O_TYPE_DATASET) return 0;
  const Id dataset(H5Dopen2(file, name, H5P_DEFAULT), H5Dclose);
  if (!dataset.valid()) return 0;
  const Id made(H5Dget_create_plist(dataset), H5Pclose);
  for (const std::string& source : virtual_sources(made)) static_cast<Names*>(names)->push_back(source);
  if (H5Pget_layout(made) == H5D_CONTIGUOUS) collect_stored_outside(made, *static_cast<Names*>(names));
  return 0;
}

Names named_by(const std::string& path) {
  const Id file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!file.valid()) {
    const std::string reason = error_text();
    require_closed(path, reason);
    core::fail<core::InputError>("{}: is cut short or damaged: {}; copy or make it again", path, reason);
  }
  Names names;
  check(H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, collect_link, &names), path);
  check(H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, collect_dataset, &names), path);
  return names;
}

/// The files that a name can mean: %b stands for a block's number.
std::vector<fs::path> matching(const fs::path& folder, const std::string& name) {
  std::error_code fault;
  for (const fs::path& place : {folder / name, fs::path(name), folder / fs::path(name).filename()})
    if (fs::exists(place, fault)) return {place};
  const std::size_t number = name.find("%b");
  if (number == std::string::npos) return {};
  const fs::path pattern = folder / name;
  const std::string file = pattern.filename(), before = file.substr(0, file.find("%b")), after = file.substr(file.find("%b") + 2);
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(pattern.parent_path(), fault)) {
    const std::string candidate = entry.path().filename();
    if (candidate.size() > before.size() + after.size() && candidate.starts_with(before) && candidate.ends_with(after))
      found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

void add_linked(const std::string& path, std::vector<std::string>& files) {
  if (CheckedFile::open(path) || H5Fis_hdf5(path.c_str()) <= 0) return;
  for (const std::string& name : named_by(path)) {
    if (name == ".") continue;  // the file itself
    for (const fs::path& found : matching(fs::path(path).parent_path(), name)) {
      const std::string other = found.lexically_normal().string();
      if (other == fs::path(path).lexically_normal().string() || std::find(files.begin(), files.end(), other) != files.end())
        continue;
      files.push_back(other);
      add_linked(other, files);
    }
  }
}

}  // namespace

std::vector<std::string> linked_files(const std::string& path) {
  start_hdf5();
  std::vector<std::string> files;
  std::error_code fault;
  if (fs::is_regular_file(path, fault)) add_linked(path, files);
  return files;
}

}  // namespace amacrine::io::detail
