// SPDX-License-Identifier: Apache-2.0
#include "amacrine/io/result_file.hpp"
#include "checked_file.hpp"
#include "hdf5.hpp"
#include "in_use.hpp"
#include "layout.hpp"
#include "unreadable.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <optional>

#include <nlohmann/json.hpp>

namespace amacrine::io {

using core::fail;
using core::InputError;
using core::require;
using detail::Id;

struct Reader::Impl {
  std::string path;
  std::optional<detail::CheckedFile> checked;  ///< where the file has checksums
  Id file;

  bool exists(const std::string& name) const;
  Id open(const std::string& dataset) const;
  Id object(const std::string& name) const;
  std::string name_of(const std::string& object) const { return path + ": " + object; }
  /// The file's own marks: its format, and that it is whole.
  void require_complete(bool allow_partial) const;
  /// Compares the values of a block of a dataset with their checksums.
  void verify(const Id& dataset, const std::string& name, const std::vector<std::size_t>& offset,
              const std::vector<std::size_t>& count);
};

namespace {

/// Throws InputError where there is nothing to open.
void require_file(const std::string& path) {
  std::error_code fault;
  if (!std::filesystem::exists(path, fault)) {
    detail::require_not_in_the_making(path);
    const bool partial = std::filesystem::exists(path + ".partial", fault);
    fail<InputError>("{}: there is no such file{}", path,
                     partial ? "; " + path + ".partial is there, left by a run that stopped early: run that step again" : "");
  }
  require<InputError>(std::filesystem::is_regular_file(path, fault), "{}: is not a file; expected an HDF5 file", path);
  detail::require_not_in_use(path);
}

Id open_file(const std::string& path) {
  const htri_t hdf5 = H5Fis_hdf5(path.c_str());
  require<InputError>(hdf5 > 0, "{}: is not an HDF5 file, hence neither a recording nor a result file of amacrine", path);
  // Reading wants no lock: another program may have the file open.
  const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (id < 0) {
    const std::string reason = detail::error_text();
    detail::require_closed(path, reason);
    fail<InputError>("{}: is cut short or damaged: {}; copy or make it again", path, reason);
  }
  return {id, H5Fclose};
}

bool own_file(const Id& file) {
  if (!detail::has_attribute(file, "format")) return false;
  try {
    return detail::read_text(file, "format", "file").starts_with("amacrine ");
  } catch (const InputError&) {
    return false;  // a foreign file's own "format", which is no text
  }
}

template <class T>
std::vector<T> read_block(const Id& dataset, const std::string& where, const std::vector<std::size_t>& offset,
                          const std::vector<std::size_t>& count) {
  std::vector<T> values(std::accumulate(count.begin(), count.end(), std::size_t{1}, std::multiplies<>()));
  if (values.empty()) return values;
  T* at = values.data();
  detail::in_pieces(offset, count, detail::piece_bytes / sizeof(double), [&](const auto& from, const auto& extent) {
    const std::vector<hsize_t> start(from.begin(), from.end()), extents(extent.begin(), extent.end());
    const hsize_t piece = std::accumulate(extents.begin(), extents.end(), hsize_t{1}, std::multiplies<>());
    const Id memory = detail::own(H5Screate_simple(1, &piece, nullptr), H5Sclose, where);
    const Id space = detail::own(H5Dget_space(dataset), H5Sclose, where);
    if (!start.empty())
      detail::check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, extents.data(), nullptr), where);
    if (H5Dread(dataset, detail::native_type<T>(), memory, space, H5P_DEFAULT, at) < 0) {
      const std::string reason = detail::error_text(), filters = detail::missing_filters(dataset);
      require<InputError>(filters.empty(),
                          "{}: is stored with a filter that is not installed: {}; store it without, or with gzip (h5repack)",
                          where, filters);
      fail<InputError>("{}: cannot be read, the file is damaged or cut short: {}", where, reason);
    }
    at += piece;
  });
  return values;
}

std::vector<std::size_t> shape_of(const Id& dataset, const std::string& where) {
  const Id space = detail::own(H5Dget_space(dataset), H5Sclose, where);
  std::vector<hsize_t> extents(static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(space))));
  if (!extents.empty()) H5Sget_simple_extent_dims(space, extents.data(), nullptr);
  return {extents.begin(), extents.end()};
}

/// Where the values of a dataset lie; empty where they are in pieces or nowhere (an axis without coordinates).
detail::ByteRange extent_of(const Id& dataset) {
  const haddr_t begin = H5Dget_offset(dataset);
  if (begin == HADDR_UNDEF) return {};
  return {begin, begin + H5Dget_storage_size(dataset)};
}

/// First and last value of a block, counted in the order of storage; the block is not empty.
std::pair<std::size_t, std::size_t> span_of(const std::vector<std::size_t>& shape, const std::vector<std::size_t>& offset,
                                            const std::vector<std::size_t>& count) {
  std::size_t first = 0, last = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    first = first * shape[axis] + offset[axis];
    last = last * shape[axis] + offset[axis] + count[axis] - 1;
  }
  return {first, last};
}

void require_numbers(const Id& dataset, const std::string& where) {
  const Id type = detail::own(H5Dget_type(dataset), H5Tclose, where);
  const H5T_class_t kind = H5Tget_class(type);
  require<InputError>(kind == H5T_INTEGER || kind == H5T_FLOAT || kind == H5T_ENUM, "{}: does not hold numbers", where);
}

std::string trimmed(const char* text, std::size_t size, H5T_str_t padding) {
  std::string out(text, strnlen(text, size));
  if (padding == H5T_STR_SPACEPAD) out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

}  // namespace

bool Reader::Impl::exists(const std::string& name) const { return detail::exists(file, path, name); }

Id Reader::Impl::object(const std::string& name) const {
  require<InputError>(exists(name), "{}: there is no '{}'", path, name);
  return detail::own(H5Oopen(file, name.empty() ? "/" : name.c_str(), H5P_DEFAULT), H5Oclose, name_of(name));
}

Id Reader::Impl::open(const std::string& dataset) const {
  require<InputError>(exists(dataset), "{}: there is no dataset '{}'", path, dataset);
  const hid_t id = H5Dopen2(file, dataset.c_str(), H5P_DEFAULT);
  if (id < 0) fail<InputError>("{}: '{}' is not a readable dataset: {}", path, dataset, detail::error_text());
  Id opened(id, H5Dclose);
  detail::require_sources(opened, path, dataset);
  return opened;
}

void Reader::Impl::require_complete(bool allow_partial) const {
  if (!own_file(file)) return;
  const std::string format = detail::read_text(file, "format", path);
  const int version = std::atoi(format.c_str() + std::string("amacrine ").size());
  require<InputError>(version >= 1 && version <= detail::format_version,
                      "{}: is in format '{}', and this program reads 'amacrine {}' and older; use the program that made it", path,
                      format, detail::format_version);
  const std::vector<double> complete = detail::read_numbers(file, "complete", path);
  const bool whole = complete.size() == 1 && complete[0] == 1;
  require<InputError>(whole || allow_partial, "{}: is not complete; the run that made it stopped early: run that step again",
                      path);
  // Whoever opens a file for writing cuts off what HDF5 does not know of.
  require<InputError>(
      !whole || checked || version < detail::first_checked_version,
      "{}: is damaged: the checksums at its end are missing; it was cut short, or changed by another program after "
      "it was written. Copy it again, or make it again (the verb that made it with --overwrite); a recording "
      "that was changed on purpose is read without checksums once its root attribute 'format' is deleted",
      path);
}

void Reader::Impl::verify(const Id& dataset, const std::string& name, const std::vector<std::size_t>& offset,
                          const std::vector<std::size_t>& count) {
  if (!checked || std::find(count.begin(), count.end(), 0u) != count.end()) return;
  const detail::ByteRange extent = extent_of(dataset);
  if (extent.begin == extent.end && H5Dget_storage_size(dataset) > 0) return checked->require_all();
  if (extent.begin == extent.end) return;
  const Id type = detail::own(H5Dget_type(dataset), H5Tclose, name_of(name));
  const std::size_t bytes = H5Tget_size(type);
  const auto [first, last] = span_of(shape_of(dataset, name_of(name)), offset, count);
  checked->require_values({extent.begin + first * bytes, extent.begin + (last + 1) * bytes}, name);
}

Reader::Reader(std::string path, bool allow_partial) : impl_(std::make_unique<Impl>()) {
  detail::start_hdf5();
  impl_->path = std::move(path);
  require_file(impl_->path);
  // Before HDF5 reads a byte: it does not survive every damage.
  impl_->checked = detail::CheckedFile::open(impl_->path);
  if (impl_->checked) impl_->checked->require_structures();
  impl_->file = open_file(impl_->path);
  impl_->require_complete(allow_partial);
}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;

const std::string& Reader::path() const { return impl_->path; }

bool Reader::checked() const { return impl_->checked.has_value(); }

void Reader::verify() const {
  if (impl_->checked) impl_->checked->require_all();
}

bool Reader::has(const std::string& name) const { return impl_->exists(name); }

bool Reader::is_dataset(const std::string& name) const {
  if (!impl_->exists(name)) return false;
  const Id object = impl_->object(name);
  return H5Iget_type(object) == H5I_DATASET;
}

std::vector<std::string> Reader::list(const std::string& group) const {
  require<InputError>(impl_->exists(group), "{}: there is no group '{}'", impl_->path, group);
  const hid_t id = H5Gopen2(impl_->file, group.c_str(), H5P_DEFAULT);
  if (id < 0) fail<InputError>("{}: '{}' is not a group", impl_->path, group);
  const Id opened(id, H5Gclose);
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5L_info_t*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  detail::check(H5Literate(opened, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names), impl_->name_of(group));
  return names;
}

std::vector<std::size_t> Reader::shape(const std::string& dataset) const {
  return shape_of(impl_->open(dataset), impl_->name_of(dataset));
}

std::pair<std::uint64_t, std::uint64_t> Reader::extent(const std::string& dataset) const {
  const detail::ByteRange extent = extent_of(impl_->open(dataset));
  return {extent.begin, extent.end};
}

Type Reader::type(const std::string& dataset) const {
  const Id opened = impl_->open(dataset);
  require_numbers(opened, impl_->name_of(dataset));
  const Id type = detail::own(H5Dget_type(opened), H5Tclose, dataset);
  const std::size_t bytes = H5Tget_size(type);
  if (H5Tget_class(type) == H5T_FLOAT) return bytes <= 4 ? Type::float32 : Type::float64;
  const bool with_sign = H5Tget_sign(type) != H5T_SGN_NONE;
  if (bytes == 1) return with_sign ? Type::int8 : Type::uint8;
  return bytes + (with_sign ? 0 : 1) <= 4 ? Type::int32 : Type::int64;
}

template <class T>
std::vector<T> Reader::read(const std::string& dataset) const {
  const Id opened = impl_->open(dataset);
  require_numbers(opened, impl_->name_of(dataset));
  const auto shape = shape_of(opened, impl_->name_of(dataset));
  const std::vector<std::size_t> start(shape.size(), 0);
  impl_->verify(opened, dataset, start, shape);
  return read_block<T>(opened, impl_->name_of(dataset), start, shape);
}

template <class T>
std::vector<T> Reader::read(const std::string& dataset, const std::vector<std::size_t>& offset,
                            const std::vector<std::size_t>& count) const {
  const Id opened = impl_->open(dataset);
  require_numbers(opened, impl_->name_of(dataset));
  const auto shape = shape_of(opened, impl_->name_of(dataset));
  bool fits = offset.size() == shape.size() && count.size() == shape.size();
  for (std::size_t axis = 0; fits && axis < shape.size(); ++axis)
    fits = offset[axis] <= shape[axis] && count[axis] <= shape[axis] - offset[axis];
  require<InputError>(fits, "{}: the block at ({}) with extents ({}) is not inside the shape ({})", impl_->name_of(dataset),
                      fmt::join(offset, ", "), fmt::join(count, ", "), fmt::join(shape, ", "));
  impl_->verify(opened, dataset, offset, count);
  return read_block<T>(opened, impl_->name_of(dataset), offset, count);
}

std::vector<std::string> Reader::read_strings(const std::string& dataset) const {
  const Id opened = impl_->open(dataset);
  const std::string where = impl_->name_of(dataset);
  const Id type = detail::own(H5Dget_type(opened), H5Tclose, where), space = detail::own(H5Dget_space(opened), H5Sclose, where);
  require<InputError>(H5Tget_class(type) == H5T_STRING, "{}: does not hold texts", where);
  const auto shape = shape_of(opened, where);
  impl_->verify(opened, dataset, std::vector<std::size_t>(shape.size(), 0), shape);
  const auto count = static_cast<std::size_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space)));
  std::vector<std::string> out;
  if (count == 0) return out;
  if (H5Tis_variable_str(type) > 0) {
    std::vector<char*> texts(count, nullptr);
    if (H5Dread(opened, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()) < 0) fail<InputError>("{}: cannot be read", where);
    for (const char* text : texts) out.emplace_back(text == nullptr ? "" : text);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts.data());
    return out;
  }
  const std::size_t size = H5Tget_size(type);
  std::vector<char> bytes(size * count);
  if (H5Dread(opened, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0) fail<InputError>("{}: cannot be read", where);
  for (std::size_t i = 0; i < count; ++i) out.push_back(trimmed(bytes.data() + i * size, size, H5Tget_strpad(type)));
  return out;
}

bool Reader::has_attribute(const std::string& name, const std::string& object) const {
  return impl_->exists(object) && detail::has_attribute(impl_->object(object), name);
}

std::vector<std::string> Reader::attribute_names(const std::string& object) const {
  return detail::attribute_names(impl_->object(object));
}

std::string Reader::text_attribute(const std::string& name, const std::string& object) const {
  return detail::read_text(impl_->object(object), name, impl_->name_of(object));
}

std::vector<std::string> Reader::text_attributes(const std::string& name, const std::string& object) const {
  return detail::read_texts(impl_->object(object), name, impl_->name_of(object));
}

std::vector<double> Reader::attributes(const std::string& name, const std::string& object) const {
  return detail::read_numbers(impl_->object(object), name, impl_->name_of(object));
}

double Reader::attribute(const std::string& name, const std::string& object) const {
  const std::vector<double> values = attributes(name, object);
  require<InputError>(values.size() == 1, "{}: attribute '{}' holds {} numbers, expected one", impl_->name_of(object), name,
                      values.size());
  return values[0];
}

std::string Reader::kind() const { return own_file(impl_->file) ? text_attribute("kind") : std::string(); }

Provenance Reader::provenance() const {
  require<InputError>(own_file(impl_->file), "{}: is not a file of this program", impl_->path);
  Provenance made;
  made.verb = text_attribute("verb");
  made.study = text_attribute("study");
  made.step_study = text_attribute("step_study");
  made.study_hash = text_attribute("study_hash");
  const auto inputs = nlohmann::json::parse(text_attribute("inputs"), nullptr, false);
  require<InputError>(inputs.is_array(), "{}: attribute 'inputs' is damaged", impl_->path);
  for (const auto& input : inputs)
    made.inputs.push_back({input.value("role", ""), input.value("path", ""), input.value("checksum", "")});
  for (const std::string& name : detail::attribute_names(impl_->file))
    if (name.starts_with("run_")) made.facts[name.substr(4)] = text_attribute(name);
  return made;
}

#define AMACRINE_INSTANTIATE(T)                                                                                              \
  template std::vector<T> Reader::read(const std::string&) const;                                                            \
  template std::vector<T> Reader::read(const std::string&, const std::vector<std::size_t>&, const std::vector<std::size_t>&) \
      const;
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
AMACRINE_INSTANTIATE(std::int8_t)
AMACRINE_INSTANTIATE(std::uint8_t)
AMACRINE_INSTANTIATE(std::int32_t)
AMACRINE_INSTANTIATE(std::int64_t)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::io
