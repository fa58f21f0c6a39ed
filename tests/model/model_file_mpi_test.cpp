// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/io/result_file.hpp"
#include "amacrine/model/circuit_network.hpp"
#include "naive_network.hpp"
#include "support/compare.hpp"

#include <filesystem>
#include <limits>

#include <gtest/gtest.h>

using namespace amacrine;

namespace {

model::Model example(model::Norm norm) {
  model::Architecture a;
  a.history = 5, a.height = 11, a.width = 9, a.cells = 3, a.norm = norm, a.conv_bias = true;
  a.hidden = {{3, 4, 3}, {2, 3, 4}};
  model::Model m = test::random_model(a, 5);
  m.minimum_lag = 1;
  m.normalisation = {"scalar", {0.25}, {1.5}};
  m.coding = {12.5, 3.0};
  m.screen = {11, 9, 50.0, 20.0};
  m.cells[0].centre = stimulus::Centre{4.25, 3.5};
  m.cells[0].centre_error_px = 0.125;
  m.cells[0].radius_px = 2.5;
  m.cells[1].silent = true;
  m.cells[2].no_ceiling = true;
  m.cells[2].id = 17;
  m.channel_names = {"one", "two", "three"};
  return m;
}

void expect_equal(const model::Model& a, const model::Model& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_TRUE(a.architecture == b.architecture);
  EXPECT_EQ(a.parameters, b.parameters);
  EXPECT_EQ(a.statistics, b.statistics);
  EXPECT_EQ(a.normalisation.kind, b.normalisation.kind);
  EXPECT_EQ(a.normalisation.mean, b.normalisation.mean);
  EXPECT_EQ(a.normalisation.scale, b.normalisation.scale);
  EXPECT_EQ(a.coding.zero, b.coding.zero);
  EXPECT_EQ(a.coding.unit, b.coding.unit);
  EXPECT_EQ(a.screen.height, b.screen.height);
  EXPECT_EQ(a.screen.width, b.screen.width);
  EXPECT_EQ(a.screen.pixel_um, b.screen.pixel_um);
  EXPECT_EQ(a.screen.frame_ms, b.screen.frame_ms);
  EXPECT_EQ(a.minimum_lag, b.minimum_lag);
  EXPECT_EQ(a.channel_names, b.channel_names);
  ASSERT_EQ(a.cells.size(), b.cells.size());
  for (std::size_t n = 0; n < a.cells.size(); ++n) {
    EXPECT_EQ(a.cells[n].id, b.cells[n].id);
    EXPECT_EQ(a.cells[n].name, b.cells[n].name);
    ASSERT_EQ(a.cells[n].centre.has_value(), b.cells[n].centre.has_value());
    if (a.cells[n].centre) {
      EXPECT_EQ(a.cells[n].centre->y, b.cells[n].centre->y);
      EXPECT_EQ(a.cells[n].centre->x, b.cells[n].centre->x);
    }
    EXPECT_EQ(a.cells[n].centre_error_px, b.cells[n].centre_error_px);
    EXPECT_EQ(a.cells[n].radius_px, b.cells[n].radius_px);
    EXPECT_EQ(a.cells[n].silent, b.cells[n].silent);
    EXPECT_EQ(a.cells[n].no_ceiling, b.cells[n].no_ceiling);
  }
}

const parallel::Communicator& world() {
  static const parallel::Communicator all = parallel::Communicator::world();
  return all;
}

io::Provenance provenance() {
  io::Provenance p;
  p.verb = "train";
  return p;
}

TEST(ModelFile, HoldsEverythingAModelIs) {
  const test::TemporaryFolder folder;
  for (const model::Norm norm : {model::Norm::none, model::Norm::per_channel, model::Norm::per_unit}) {
    const model::Model m = example(norm);
    const std::string path = folder / ("model" + std::to_string(static_cast<int>(norm)) + ".h5");
    model::write_model(world(), path, m, provenance());
    expect_equal(model::read_model(path), m);
  }
}

TEST(ModelFile, HoldsLnModelsAndPixelwiseNormalisation) {
  const test::TemporaryFolder folder;
  model::Architecture a = model::preset_architecture("ln");
  a.history = 4, a.height = 3, a.width = 5, a.cells = 2;
  model::Model m = test::random_model(a, 3);
  m.kind = "ln";
  m.screen.height = 3, m.screen.width = 5;
  m.normalisation = {"per_pixel", {}, {}};
  for (int p = 0; p < 15; ++p) {
    m.normalisation.mean.push_back(0.1 * p);
    m.normalisation.scale.push_back(1.0 + p);
  }
  model::write_model(world(), folder / "ln.h5", m, provenance());
  expect_equal(model::read_model(folder / "ln.h5"), m);
}

TEST(ModelFile, HasNamedDimensionsAndKernelsOldestFirst) {
  const test::TemporaryFolder folder;
  const model::Model m = example(model::Norm::per_unit);
  model::write_model(world(), folder / "model.h5", m, provenance());
  const io::Reader reader(folder / "model.h5");
  EXPECT_EQ(reader.shape("hidden0_kernel"), (std::vector<std::size_t>{3, 5, 4, 3}));
  EXPECT_EQ(reader.shape("hidden1_gamma"), (std::vector<std::size_t>{2, 6, 4}));
  EXPECT_EQ(reader.shape("readout_weight"), (std::vector<std::size_t>{3, 2, 6, 4}));
  // 20 ms frames, minimum lag 1: the oldest of 5 frames is 100 ms before the target's bin, the newest 20 ms.
  EXPECT_EQ(reader.read<double>("lag"), (std::vector<double>{100, 80, 60, 40, 20}));
  EXPECT_EQ(reader.read_strings("channel0"), m.channel_names);
}

/// The message of the error that reading `path` raises.
std::string refusal(const std::string& path) {
  try {
    model::read_model(path);
  } catch (const core::InputError& error) {
    return error.what();
  }
  return "read without an error";
}

TEST(ModelFile, RefusesWhatIsNoModel) {
  const test::TemporaryFolder folder;
  EXPECT_NE(refusal(folder / "absent.h5").find("absent.h5"), std::string::npos);
  io::ResultWriter other(world(), folder / "other.h5", "evaluation", provenance());
  other.dimension({"cell", 2, "1", "cell", {}, {}});
  other.variable({"score", io::Type::float32, {"cell"}, "1", "score", {}});
  other.create();
  const std::vector<float> scores{0.5F, 0.25F};
  if (world().root()) other.write("score", std::span<const float>(scores));
  other.finish();
  EXPECT_NE(refusal(folder / "other.h5").find("evaluation"), std::string::npos) << refusal(folder / "other.h5");
}

TEST(ModelFile, RefusesNumbersThatAreNotFinite) {
  const test::TemporaryFolder folder;
  model::Model m = example(model::Norm::per_channel);
  const auto entry = model::make_layout(m.architecture).parameter("hidden1.kernel");
  m.parameters[entry.offset + 3] = std::numeric_limits<float>::quiet_NaN();
  model::write_model(world(), folder / "model.h5", m, provenance());
  EXPECT_NE(refusal(folder / "model.h5").find("hidden1_kernel"), std::string::npos) << refusal(folder / "model.h5");
}

TEST(ModelFile, RefusesToWriteWhatDoesNotFit) {
  const test::TemporaryFolder folder;
  model::Model m = example(model::Norm::per_channel);
  m.parameters.push_back(0);
  EXPECT_THROW(model::write_model(world(), folder / "model.h5", m, provenance()), core::Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "model.h5"));
}

}  // namespace
