// SPDX-License-Identifier: Apache-2.0
#include "scales.hpp"

#include "hdf5.hpp"

#include <map>

#include <fmt/format.h>

namespace amacrine::io::detail {
namespace {

/// One entry of a scale's REFERENCE_LIST: which dataset uses it, and along which axis.
struct BackReference {
  hobj_ref_t dataset;
  int dimension;
};

/// The specification's strings are null-terminated and of ASCII.
void write_ascii(hid_t object, const char* name, const std::string& value) {
  const Id type = own(H5Tcopy(H5T_C_S1), H5Tclose, "string type");
  check(H5Tset_size(type, value.size() + 1), "string type");
  const Id space = own(H5Screate(H5S_SCALAR), H5Sclose, name);
  const Id attribute = own(H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, name);
  check(H5Awrite(attribute, type, value.c_str()), name);
}

hobj_ref_t reference_to(hid_t file, const std::string& name) {
  hobj_ref_t reference{};
  check(H5Rcreate(&reference, file, name.c_str(), H5R_OBJECT, -1), "reference to " + name);
  return reference;
}

void write_dimension_list(hid_t file, const ScaledDataset& dataset) {
  std::vector<hobj_ref_t> references;
  for (const std::string& name : dataset.dimensions) references.push_back(reference_to(file, name));
  std::vector<hvl_t> list;
  list.reserve(references.size());
  for (hobj_ref_t& reference : references) list.push_back({1, &reference});
  const hsize_t rank = list.size();
  const Id type = own(H5Tvlen_create(H5T_STD_REF_OBJ), H5Tclose, "DIMENSION_LIST");
  const Id space = own(H5Screate_simple(1, &rank, nullptr), H5Sclose, "DIMENSION_LIST");
  const Id object = own(H5Dopen2(file, dataset.name.c_str(), H5P_DEFAULT), H5Dclose, dataset.name);
  const Id attribute =
      own(H5Acreate2(object, "DIMENSION_LIST", type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, "DIMENSION_LIST");
  check(H5Awrite(attribute, type, list.data()), "DIMENSION_LIST of " + dataset.name);
}

void write_reference_list(hid_t file, const std::string& scale, const std::vector<BackReference>& users) {
  const hsize_t count = users.size();
  const Id type = own(H5Tcreate(H5T_COMPOUND, sizeof(BackReference)), H5Tclose, "REFERENCE_LIST");
  check(H5Tinsert(type, "dataset", HOFFSET(BackReference, dataset), H5T_STD_REF_OBJ), "REFERENCE_LIST");
  check(H5Tinsert(type, "dimension", HOFFSET(BackReference, dimension), H5T_NATIVE_INT), "REFERENCE_LIST");
  const Id space = own(H5Screate_simple(1, &count, nullptr), H5Sclose, "REFERENCE_LIST");
  const Id object = own(H5Dopen2(file, scale.c_str(), H5P_DEFAULT), H5Dclose, scale);
  const Id attribute =
      own(H5Acreate2(object, "REFERENCE_LIST", type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, "REFERENCE_LIST");
  check(H5Awrite(attribute, type, users.data()), "REFERENCE_LIST of " + scale);
}

}  // namespace

void make_scale(hid_t dataset, const std::string& name, bool coordinates, std::size_t size) {
  write_ascii(dataset, "CLASS", "DIMENSION_SCALE");
  // netCDF's own wording for a dimension without a variable; its readers look for it.
  write_ascii(dataset, "NAME",
              coordinates ? name.substr(name.rfind('/') + 1)
                          : fmt::format("This is a netCDF dimension but not a netCDF variable.{:10}", size));
}

void attach_scales(hid_t file, const std::vector<ScaledDataset>& datasets) {
  std::map<std::string, std::vector<BackReference>> users;
  for (const ScaledDataset& dataset : datasets) {
    if (dataset.dimensions.empty()) continue;
    write_dimension_list(file, dataset);
    for (std::size_t axis = 0; axis < dataset.dimensions.size(); ++axis) {
      BackReference user{};  // zeroed padding: equal content means equal bytes
      user.dataset = reference_to(file, dataset.name);
      user.dimension = static_cast<int>(axis);
      users[dataset.dimensions[axis]].push_back(user);
    }
  }
  for (const auto& [scale, list] : users) write_reference_list(file, scale, list);
}

}  // namespace amacrine::io::detail
