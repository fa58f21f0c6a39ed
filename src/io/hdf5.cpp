// SPDX-License-Identifier: Apache-2.0
#include "hdf5.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace amacrine::io::detail {

void start_hdf5() {
  static const bool started = [] {
    H5dont_atexit();
    H5open();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    return true;
  }();
  (void)started;
}

std::string error_text() {
  std::vector<std::string> messages;
  const auto collect = [](unsigned, const H5E_error2_t* error, void* list) -> herr_t {
    if (error->desc != nullptr) static_cast<std::vector<std::string>*>(list)->emplace_back(error->desc);
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect, &messages);
  H5Eclear2(H5E_DEFAULT);
  if (messages.empty()) return "HDF5 gives no reason";
  return messages.size() == 1 ? messages[0] : messages[0] + "; " + messages[1];
}

Id own(hid_t id, Id::Close close, const std::string& what) {
  if (id < 0) core::fail("{}: {}", what, error_text());
  return {id, close};
}

void check(herr_t status, const std::string& what) {
  if (status < 0) core::fail("{}: {}", what, error_text());
}

template <>
hid_t native_type<float>() {
  return H5T_NATIVE_FLOAT;
}
template <>
hid_t native_type<double>() {
  return H5T_NATIVE_DOUBLE;
}
template <>
hid_t native_type<std::int8_t>() {
  return H5T_NATIVE_INT8;
}
template <>
hid_t native_type<std::uint8_t>() {
  return H5T_NATIVE_UINT8;
}
template <>
hid_t native_type<std::int32_t>() {
  return H5T_NATIVE_INT32;
}
template <>
hid_t native_type<std::int64_t>() {
  return H5T_NATIVE_INT64;
}

hid_t file_type(Type type) {
  switch (type) {
    case Type::float32:
      return H5T_IEEE_F32LE;
    case Type::float64:
      return H5T_IEEE_F64LE;
    case Type::int8:
      return H5T_STD_I8LE;
    case Type::uint8:
      return H5T_STD_U8LE;
    case Type::int32:
      return H5T_STD_I32LE;
    case Type::int64:
      return H5T_STD_I64LE;
  }
  core::fail("unknown type {}", static_cast<int>(type));
}

std::size_t type_size(Type type) {
  start_hdf5();
  return H5Tget_size(file_type(type));
}

Id string_type(std::size_t bytes) {
  Id type = own(H5Tcopy(H5T_C_S1), H5Tclose, "string type");
  check(H5Tset_size(type, bytes == 0 ? H5T_VARIABLE : bytes), "string type");
  check(H5Tset_cset(type, H5T_CSET_UTF8), "string type");
  if (bytes > 0) check(H5Tset_strpad(type, H5T_STR_NULLPAD), "string type");
  return type;
}

void write_text(hid_t object, const std::string& name, const std::string& value) {
  const Id type = string_type(std::max<std::size_t>(1, value.size()));
  const Id space = own(H5Screate(H5S_SCALAR), H5Sclose, name);
  const Id attribute =
      own(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, "attribute " + name);
  check(H5Awrite(attribute, type, value.c_str()), "attribute " + name);
}

void write_numbers(hid_t object, const std::string& name, const std::vector<double>& values, hid_t type) {
  const hsize_t count = values.size();
  const Id space = own(count == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, nullptr), H5Sclose, name);
  const Id attribute =
      own(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, "attribute " + name);
  check(H5Awrite(attribute, H5T_NATIVE_DOUBLE, values.data()), "attribute " + name);
}

bool has_attribute(hid_t object, const std::string& name) { return H5Aexists(object, name.c_str()) > 0; }

std::vector<std::string> attribute_names(hid_t object) {
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5A_info_t*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  check(H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names), "attributes");
  return names;
}

namespace {

Id open_attribute(hid_t object, const std::string& name, const std::string& where) {
  core::require<core::InputError>(has_attribute(object, name), "{}: there is no attribute '{}'", where, name);
  return own(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, where + ": attribute " + name);
}

std::size_t points(const Id& attribute) {
  const Id space = own(H5Aget_space(attribute), H5Sclose, "attribute");
  return static_cast<std::size_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space)));
}

}  // namespace

std::vector<std::string> read_texts(hid_t object, const std::string& name, const std::string& where) {
  const Id attribute = open_attribute(object, name, where);
  const Id type = own(H5Aget_type(attribute), H5Tclose, where);
  core::require<core::InputError>(H5Tget_class(type) == H5T_STRING, "{}: attribute '{}' should be text", where, name);
  std::vector<std::string> out(points(attribute));
  if (out.empty()) return out;
  if (H5Tis_variable_str(type) > 0) {
    std::vector<char*> texts(out.size(), nullptr);
    const Id memory = own(H5Tcopy(type), H5Tclose, where);
    check(H5Aread(attribute, memory, texts.data()), where + ": attribute " + name);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = texts[i] == nullptr ? "" : texts[i];
      H5free_memory(texts[i]);
    }
    return out;
  }
  const std::size_t size = H5Tget_size(type);
  std::string bytes(size * out.size(), '\0');
  check(H5Aread(attribute, type, bytes.data()), where + ": attribute " + name);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::string text = bytes.substr(i * size, size);
    out[i] = text.substr(0, text.find('\0'));
  }
  return out;
}

std::string read_text(hid_t object, const std::string& name, const std::string& where) {
  const std::vector<std::string> texts = read_texts(object, name, where);
  core::require<core::InputError>(texts.size() <= 1, "{}: attribute '{}' should be one text", where, name);
  return texts.empty() ? "" : texts[0];
}

std::vector<double> read_numbers(hid_t object, const std::string& name, const std::string& where) {
  const Id attribute = open_attribute(object, name, where);
  const Id type = own(H5Aget_type(attribute), H5Tclose, where);
  const H5T_class_t kind = H5Tget_class(type);
  core::require<core::InputError>(kind == H5T_INTEGER || kind == H5T_FLOAT || kind == H5T_ENUM,
                                  "{}: attribute '{}' should be numbers", where, name);
  std::vector<double> values(points(attribute));
  if (!values.empty()) check(H5Aread(attribute, H5T_NATIVE_DOUBLE, values.data()), where + ": attribute " + name);
  return values;
}

}  // namespace amacrine::io::detail
