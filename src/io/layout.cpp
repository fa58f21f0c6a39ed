// SPDX-License-Identifier: Apache-2.0
#include "layout.hpp"

#include "hdf5.hpp"
#include "scales.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

namespace amacrine::io::detail {

const Dimension* Layout::find_dimension(const std::string& name) const {
  const auto found = std::find_if(dimensions.begin(), dimensions.end(), [&](const auto& d) { return d.name == name; });
  return found == dimensions.end() ? nullptr : &*found;
}

const Variable* Layout::find_variable(const std::string& name) const {
  const auto found = std::find_if(variables.begin(), variables.end(), [&](const auto& v) { return v.name == name; });
  return found == variables.end() ? nullptr : &*found;
}

std::vector<std::size_t> Layout::shape(const Variable& variable) const {
  std::vector<std::size_t> extents;
  for (const std::string& name : variable.dimensions) extents.push_back(find_dimension(name)->size);
  return extents;
}

void Layout::check() const {
  std::set<std::string> names;
  for (const Dimension& d : dimensions) {
    core::require(!d.name.empty() && names.insert(d.name).second, "the name '{}' is used twice in one result file", d.name);
    core::require(d.coordinates.empty() || d.coordinates.size() == d.size, "dimension '{}' has {} coordinates for {} values",
                  d.name, d.coordinates.size(), d.size);
    core::require(d.labels.empty() || d.labels.size() == d.size, "dimension '{}' has {} labels for {} values", d.name,
                  d.labels.size(), d.size);
    core::require(d.labels.empty() || d.coordinates.empty(), "dimension '{}' has both labels and coordinates", d.name);
  }
  for (const Variable& v : variables) {
    core::require(!v.name.empty() && names.insert(v.name).second, "the name '{}' is used twice in one result file", v.name);
    for (const std::string& d : v.dimensions)
      core::require(find_dimension(d) != nullptr, "variable '{}' has an unknown dimension '{}'", v.name, d);
  }
  for (const TextVariable& t : texts) {
    core::require(!t.name.empty() && names.insert(t.name).second, "the name '{}' is used twice in one result file", t.name);
    const Dimension* dimension = find_dimension(t.dimension);
    core::require(dimension != nullptr, "variable '{}' has an unknown dimension '{}'", t.name, t.dimension);
    core::require(t.texts.size() == dimension->size, "variable '{}' has {} texts for {} places of '{}'", t.name, t.texts.size(),
                  dimension->size, t.dimension);
  }
  for (const Extra& extra : extras)
    core::require(extra.object.empty() || names.contains(extra.object),
                  "attribute '{}' belongs to '{}', which is not in the file", extra.name, extra.object);
}

namespace {

struct File {
  Id id;
  std::map<std::string, Id> objects;
};

Id dataset_properties(hid_t type, H5D_alloc_time_t when) {
  Id properties = own(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "dataset properties");
  check(H5Pset_layout(properties, H5D_CONTIGUOUS), "dataset properties");
  check(H5Pset_alloc_time(properties, when), "dataset properties");
  // Values are written exactly once; texts of variable length are references, which must never be undefined.
  const bool texts = H5Tis_variable_str(type) > 0;
  check(H5Pset_fill_time(properties, texts ? H5D_FILL_TIME_ALLOC : H5D_FILL_TIME_NEVER), "dataset properties");
  check(H5Pset_obj_track_times(properties, false), "dataset properties");
  return properties;
}

Id simple_space(const std::vector<std::size_t>& shape) {
  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  return own(
      extents.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr),
      H5Sclose, "data space");
}

/// Order kept as declared; no times in the metadata, so that equal content means equal bytes.
void keep_order(hid_t properties) {
  check(H5Pset_link_creation_order(properties, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), "group properties");
  check(H5Pset_obj_track_times(properties, false), "group properties");
}

/// The groups on the way to `name`.
void make_groups(hid_t file, const std::string& name) {
  const Id properties = own(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, "group properties");
  keep_order(properties);
  for (std::size_t slash = name.find('/', 1); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    const std::string group = name.substr(0, slash);
    if (H5Lexists(file, group.c_str(), H5P_DEFAULT) > 0) continue;
    own(H5Gcreate2(file, group.c_str(), H5P_DEFAULT, properties, H5P_DEFAULT), H5Gclose, "group " + group);
  }
}

Id make_dataset(File& file, const std::string& name, hid_t type, const std::vector<std::size_t>& shape, H5D_alloc_time_t when) {
  const Id space = simple_space(shape), properties = dataset_properties(type, when);
  make_groups(file.id, name);
  return own(H5Dcreate2(file.id, name.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT), H5Dclose, "dataset " + name);
}

void add_units(hid_t object, const std::string& units, const std::string& long_name) {
  if (!units.empty()) write_text(object, "units", units);
  if (!long_name.empty()) write_text(object, "long_name", long_name);
}

/// A dataset of texts with one axis.
Id make_texts(File& file, const std::string& name, const std::vector<std::string>& texts) {
  const Id type = string_type(0);
  Id dataset = make_dataset(file, name, type, {texts.size()}, H5D_ALLOC_TIME_EARLY);
  std::vector<const char*> values;
  for (const std::string& text : texts) values.push_back(text.c_str());
  check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "texts of " + name);
  return dataset;
}

Id make_dimension(File& file, const Dimension& dimension) {
  if (!dimension.labels.empty()) return make_texts(file, dimension.name, dimension.labels);
  if (!dimension.coordinates.empty()) {
    Id dataset = make_dataset(file, dimension.name, H5T_IEEE_F64LE, {dimension.size}, H5D_ALLOC_TIME_EARLY);
    check(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, dimension.coordinates.data()),
          "coordinates of " + dimension.name);
    return dataset;
  }
  return make_dataset(file, dimension.name, H5T_IEEE_F32BE, {dimension.size}, H5D_ALLOC_TIME_LATE);
}

void make_dimensions(File& file, const Layout& layout) {
  for (const Dimension& dimension : layout.dimensions) {
    Id dataset = make_dimension(file, dimension);
    add_units(dataset, dimension.units, dimension.long_name);
    const bool coordinates = !dimension.labels.empty() || !dimension.coordinates.empty();
    make_scale(dataset, dimension.name, coordinates, dimension.size);
    file.objects.emplace(dimension.name, std::move(dataset));
  }
}

void make_variables(File& file, const Layout& layout) {
  std::vector<ScaledDataset> scaled;
  for (const Variable& variable : layout.variables) {
    Id dataset = make_dataset(file, variable.name, file_type(variable.type), layout.shape(variable), H5D_ALLOC_TIME_EARLY);
    add_units(dataset, variable.units, variable.long_name);
    for (const auto& [name, value] : variable.attributes) write_text(dataset, name, value);
    scaled.push_back({variable.name, variable.dimensions});
    file.objects.emplace(variable.name, std::move(dataset));
  }
  for (const TextVariable& variable : layout.texts) {
    Id dataset = make_texts(file, variable.name, variable.texts);
    add_units(dataset, "1", variable.long_name);
    scaled.push_back({variable.name, {variable.dimension}});
    file.objects.emplace(variable.name, std::move(dataset));
  }
  attach_scales(file.id, scaled);
}

void write_extra(hid_t object, const Extra& extra, const Variable* variable) {
  if (auto text = std::get_if<std::string>(&extra.value)) return write_text(object, extra.name, *text);
  const auto* list = std::get_if<std::vector<double>>(&extra.value);
  const std::vector<double> values = list ? *list : std::vector<double>{std::get<double>(extra.value)};
  // The flag values must have the type of the variable they explain.
  const bool flags = extra.name == "flag_values" && variable != nullptr;
  write_numbers(object, extra.name, values, flags ? file_type(variable->type) : H5T_IEEE_F64LE);
}

void write_provenance(hid_t root, const Layout& layout) {
  const Provenance& made = layout.provenance;
  write_text(root, "format", "amacrine " + std::to_string(format_version));
  write_text(root, "kind", layout.kind);
  write_numbers(root, "complete", {0}, H5T_STD_I32LE);
  write_text(root, "verb", made.verb);
  write_text(root, "study", made.study);
  write_text(root, "step_study", made.step_study);
  write_text(root, "study_hash", made.study_hash);
  nlohmann::json inputs = nlohmann::json::array();
  for (const Input& input : made.inputs)
    inputs.push_back({{"role", input.role}, {"path", input.path}, {"checksum", input.checksum}});
  write_text(root, "inputs", inputs.dump());
  for (const auto& [name, value] : made.facts) write_text(root, "run_" + name, value);
}

Id access_properties() {
  Id access = own(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "file access");
  // Attributes beyond 64 kB (a long study) need the 1.8 format; every reader of today has it.
  check(H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110), "file access");
  return access;
}

}  // namespace

void create_file(const std::string& path, const Layout& layout) {
  const Id access = access_properties();
  const Id creation = own(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "file creation");
  keep_order(creation);
  File file;
  file.id = own(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose, path + ": cannot be created");
  make_dimensions(file, layout);
  make_variables(file, layout);
  write_provenance(file.id, layout);
  for (const Extra& extra : layout.extras) {
    const hid_t object = extra.object.empty() ? static_cast<hid_t>(file.id) : static_cast<hid_t>(file.objects.at(extra.object));
    write_extra(object, extra, layout.find_variable(extra.object));
  }
  file.objects.clear();
  if (!file.id.close()) core::fail("{}: cannot be written: {}", path, error_text());
}

std::vector<ByteRange> mark_complete(const std::string& path, const Layout& layout) {
  Id file = own(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose, path + ": cannot be opened again");
  {
    const Id attribute = own(H5Aopen(file, "complete", H5P_DEFAULT), H5Aclose, path + ": attribute complete");
    const int yes = 1;
    check(H5Awrite(attribute, H5T_NATIVE_INT, &yes), path + ": attribute complete");
  }
  std::vector<ByteRange> values;
  for (const Variable& variable : layout.variables) {
    const Id dataset = own(H5Dopen2(file, variable.name.c_str(), H5P_DEFAULT), H5Dclose, path + ": " + variable.name);
    const haddr_t begin = H5Dget_offset(dataset);
    if (begin != HADDR_UNDEF) values.push_back({begin, begin + H5Dget_storage_size(dataset)});
  }
  if (!file.close()) core::fail("{}: cannot be closed: {}", path, error_text());
  return values;
}

}  // namespace amacrine::io::detail
