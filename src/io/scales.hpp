// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <hdf5.h>

/// HDF5 dimension scales (the attributes CLASS, NAME, DIMENSION_LIST and REFERENCE_LIST of the HDF5 Dimension Scale
/// Specification), which give netCDF readers their named dimensions.
namespace amacrine::io::detail {

struct ScaledDataset {
  std::string name;
  std::vector<std::string> dimensions;  ///< paths of the scales, one per axis
};

/// Makes a dataset the scale of the dimension `name`; without `coordinates` netCDF readers show no variable for it.
void make_scale(hid_t dataset, const std::string& name, bool coordinates, std::size_t size);

/// Ties every axis of every dataset to its scale.
void attach_scales(hid_t file, const std::vector<ScaledDataset>& datasets);

}  // namespace amacrine::io::detail
