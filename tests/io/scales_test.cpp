// SPDX-License-Identifier: Apache-2.0
// Dimension scales as HDF5's own readers find them, from the dataset to its scales and back.
#include "amacrine/io/result_file.hpp"
#include "support/compare.hpp"

#include <set>
#include <tuple>

#include <gtest/gtest.h>
#include <hdf5.h>

namespace amacrine::io {
namespace {

std::string name_of(hid_t near, hobj_ref_t reference) {
  const hid_t object = H5Rdereference2(near, H5P_DEFAULT, H5R_OBJECT, &reference);
  char name[256] = {};
  EXPECT_GT(H5Iget_name(object, name, sizeof name), 0);
  H5Oclose(object);
  return name;
}

struct BackReference {
  hobj_ref_t dataset;
  int dimension;
};

/// (dataset, axis) of everything that uses a scale, as the scale's REFERENCE_LIST says.
std::set<std::pair<std::string, int>> users_of(hid_t file, const char* scale) {
  const hid_t object = H5Dopen2(file, scale, H5P_DEFAULT), list = H5Aopen(object, "REFERENCE_LIST", H5P_DEFAULT),
              space = H5Aget_space(list), type = H5Tcreate(H5T_COMPOUND, sizeof(BackReference));
  H5Tinsert(type, "dataset", HOFFSET(BackReference, dataset), H5T_STD_REF_OBJ);
  H5Tinsert(type, "dimension", HOFFSET(BackReference, dimension), H5T_NATIVE_INT);
  std::vector<BackReference> users(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  EXPECT_GE(H5Aread(list, type, users.data()), 0) << scale;
  std::set<std::pair<std::string, int>> found;
  for (const BackReference& user : users) found.emplace(name_of(file, user.dataset), user.dimension);
  H5Tclose(type), H5Sclose(space), H5Aclose(list), H5Dclose(object);
  return found;
}

/// The scales of a dataset's axes, as its DIMENSION_LIST says.
std::vector<std::string> scales_of(hid_t file, const char* dataset) {
  const hid_t object = H5Dopen2(file, dataset, H5P_DEFAULT), list = H5Aopen(object, "DIMENSION_LIST", H5P_DEFAULT),
              space = H5Aget_space(list), type = H5Aget_type(list);
  std::vector<hvl_t> axes(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  EXPECT_GE(H5Aread(list, type, axes.data()), 0) << dataset;
  std::vector<std::string> names;
  for (const hvl_t& axis : axes) names.push_back(name_of(file, *static_cast<const hobj_ref_t*>(axis.p)));
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, axes.data());
  H5Tclose(type), H5Sclose(space), H5Aclose(list), H5Dclose(object);
  return names;
}

/// A scale's CLASS and NAME.
std::pair<std::string, std::string> words_of(hid_t file, const char* scale) {
  std::string words[2];
  const char* const names[] = {"CLASS", "NAME"};
  for (int i = 0; i < 2; ++i) {
    const hid_t attribute = H5Aopen_by_name(file, scale, names[i], H5P_DEFAULT, H5P_DEFAULT), type = H5Aget_type(attribute);
    std::vector<char> text(H5Tget_size(type) + 1, '\0');
    EXPECT_GE(H5Aread(attribute, type, text.data()), 0) << names[i];
    words[i] = text.data();
    H5Tclose(type), H5Aclose(attribute);
  }
  return {words[0], words[1]};
}

TEST(Scales, PointBackToTheAxesThatUseThem) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "scales.h5";
  ResultWriter writer(parallel::Communicator::world(), path, "test", Provenance{});
  writer.dimension({"row", 2, "1", "", {}, {}});
  writer.dimension({"time", 3, "ms", "", {0, 10, 20}, {}});
  writer.dimension({"depth", 4, "1", "", {}, {}});
  writer.variable({"upright", Type::float32, {"row", "time", "depth"}, "1", "", {}});
  writer.variable({"lying", Type::float32, {"time", "row"}, "1", "", {}});
  writer.create();
  writer.write<float>("upright", std::vector<float>(24, 1.0F));
  writer.write<float>("lying", std::vector<float>(6, 1.0F));
  writer.finish();
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  using Users = std::set<std::pair<std::string, int>>;
  EXPECT_EQ(users_of(file, "row"), (Users{{"/upright", 0}, {"/lying", 1}}));
  EXPECT_EQ(users_of(file, "time"), (Users{{"/upright", 1}, {"/lying", 0}}));
  EXPECT_EQ(users_of(file, "depth"), (Users{{"/upright", 2}}));
  EXPECT_EQ(scales_of(file, "upright"), (std::vector<std::string>{"/row", "/time", "/depth"}));
  EXPECT_EQ(scales_of(file, "lying"), (std::vector<std::string>{"/time", "/row"}));
  EXPECT_EQ(words_of(file, "time"), (std::pair<std::string, std::string>{"DIMENSION_SCALE", "time"}));
  // The wording of the netCDF library for a dimension without coordinates, its length in ten places.
  EXPECT_EQ(words_of(file, "depth"), (std::pair<std::string, std::string>{
                                         "DIMENSION_SCALE", "This is a netCDF dimension but not a netCDF variable.         4"}));
  H5Fclose(file);
}

}  // namespace
}  // namespace amacrine::io
