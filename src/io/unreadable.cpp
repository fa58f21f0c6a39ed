// SPDX-License-Identifier: Apache-2.0
#include "unreadable.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace amacrine::io::detail {

namespace {

/// Where a link leads: "dataset '/train' of file 'movie.h5'".
std::string target_of(hid_t file, const std::string& name) {
  H5L_info_t info{};
  if (H5Lget_info(file, name.c_str(), &info, H5P_DEFAULT) < 0 || info.type == H5L_TYPE_HARD) return "an object";
  std::vector<char> value(info.u.val_size + 1, '\0');
  if (H5Lget_val(file, name.c_str(), value.data(), info.u.val_size, H5P_DEFAULT) < 0) return "an object";
  if (info.type == H5L_TYPE_SOFT) return fmt::format("'{}'", value.data());
  const char *other = nullptr, *object = nullptr;
  unsigned flags = 0;
  if (H5Lunpack_elink_val(value.data(), info.u.val_size, &flags, &other, &object) < 0) return "an object";
  return fmt::format("'{}' of the file '{}'", object, other);
}

/// Text that an HDF5 call hands out by size: call(buffer, size) returns the length.
template <class Call>
std::string text_of(const Call& call) {
  const auto length = call(nullptr, 0);
  if (length <= 0) return {};
  std::string text(static_cast<std::size_t>(length) + 1, '\0');
  call(text.data(), text.size());
  text.resize(static_cast<std::size_t>(length));
  return text;
}

}  // namespace

bool exists(hid_t file, const std::string& path, const std::string& name) {
  if (name == "/" || name.empty()) return true;
  for (std::size_t slash = name.find('/', 1);; slash = name.find('/', slash + 1)) {
    const std::string here = name.substr(0, slash);
    if (H5Lexists(file, here.c_str(), H5P_DEFAULT) <= 0) return false;
    core::require<core::InputError>(H5Oexists_by_name(file, here.c_str(), H5P_DEFAULT) > 0,
                                    "{}: '{}' is a link to {}, which is not there; was it left behind when the file was copied?",
                                    path, here, target_of(file, here));
    if (slash == std::string::npos) return true;
  }
}

std::string missing_filters(hid_t dataset) {
  const Id made = own(H5Dget_create_plist(dataset), H5Pclose, "dataset");
  std::string missing;
  const int count = H5Pget_nfilters(made);
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    std::array<char, 64> name{};
    const H5Z_filter_t filter =
        H5Pget_filter2(made, static_cast<unsigned>(i), &flags, &values, nullptr, name.size(), name.data(), nullptr);
    if (filter < 0 || H5Zfilter_avail(filter) > 0) continue;
    missing += fmt::format("{}'{}' ({})", missing.empty() ? "" : ", ", name.data(), filter);
  }
  return missing;
}

std::vector<std::string> virtual_sources(hid_t properties) {
  std::vector<std::string> sources;
  std::size_t count = 0;
  if (H5Pget_layout(properties) != H5D_VIRTUAL || H5Pget_virtual_count(properties, &count) < 0) return sources;
  for (std::size_t i = 0; i < count; ++i)
    sources.push_back(text_of([&](char* text, std::size_t size) { return H5Pget_virtual_filename(properties, i, text, size); }));
  return sources;
}

void require_sources(hid_t dataset, const std::string& path, const std::string& name) {
  const Id made = own(H5Dget_create_plist(dataset), H5Pclose, name);
  for (const std::string& source : virtual_sources(made)) {
    if (source == "." || source.find('%') != std::string::npos) continue;
    const std::filesystem::path beside = std::filesystem::path(path).parent_path() / source;
    std::error_code fault;
    core::require<core::InputError>(std::filesystem::exists(beside, fault) || std::filesystem::exists(source, fault),
                                    "{}: dataset {} takes values from the file '{}', which is not there; copy it beside this one",
                                    path, name, source);
  }
}

}  // namespace amacrine::io::detail
