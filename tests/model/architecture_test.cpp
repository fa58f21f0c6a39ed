// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/architecture.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/model/parameters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace amacrine;

namespace {

model::Architecture read(const std::string& text) {
  core::Study study = core::Study::from_text(text);
  model::Architecture a = model::read_architecture(study);
  study.require_all_read();
  return a;
}

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const core::StudyError& error) {
    return error.what();
  }
  return "accepted";
}

// Sizes and counts of the published network (docs/study/model.md): 8x36x36, 8x26x26; 138,362 parameters with flattened norms,
// 106,842 per channel, both with convolution biases, 5 cells and no readout bias.
TEST(Architecture, HasThePublishedSizes) {
  model::Architecture a = model::preset_architecture("deep-retina");
  a.cells = 5;
  EXPECT_EQ(a.out_y(0), 36);
  EXPECT_EQ(a.out_x(1), 26);
  EXPECT_EQ(a.units(0), 10368U);
  EXPECT_EQ(a.readout_inputs(), 5408U);
  EXPECT_EQ(model::make_layout(a).parameter_count, 138362U);
  a.norm = model::Norm::per_channel;
  EXPECT_EQ(model::make_layout(a).parameter_count, 106842U);
  EXPECT_DOUBLE_EQ(a.multiply_adds(), 93312000.0 + 5234944.0 + 27040.0);
}

TEST(Architecture, PresetsFixTheirRows) {
  const auto keras = read("[model]\npreset = \"deep-retina\"\n"), torch = read("[model]\npreset = \"torch-deep-retina\"\n");
  for (const auto& a : {keras, torch}) {
    EXPECT_EQ(a.hidden, (std::vector<model::ConvLayer>{{8, 15, 15}, {8, 11, 11}}));
    EXPECT_EQ(a.norm, model::Norm::per_unit);
    EXPECT_EQ(a.scale, model::Scale::plain);
    EXPECT_TRUE(a.conv_bias);
    EXPECT_TRUE(a.output_norm);
    EXPECT_EQ(a.noise, 0.05);
    EXPECT_EQ(a.norm_epsilon, 1e-3);
    EXPECT_EQ(a.norm_momentum, 0.99);
    EXPECT_EQ(a.softplus_beta, 1.0);
  }
  EXPECT_FALSE(keras.readout_bias);
  EXPECT_TRUE(torch.readout_bias);
  const auto ours = read("");
  EXPECT_EQ(ours.norm, model::Norm::per_channel);
  EXPECT_FALSE(ours.conv_bias);
  EXPECT_FALSE(ours.readout_bias);
  const auto ln = read("[model]\npreset = \"ln\"\n");
  EXPECT_TRUE(ln.hidden.empty());
  EXPECT_TRUE(ln.readout_bias);
  EXPECT_EQ(ln.readout_inputs(), 100000U);
}

TEST(Architecture, ReadsEveryKey) {
  const auto a = read(
      "[model]\nhistory = 20\nheight = 30\nwidth = 28\nchannels = [4, 6, 2]\nkernels = [9, 5, 3]\nnorm = \"per_unit\"\nscale = "
      "\"absolute\"\n"
      "bias = true\nnoise = 0.1\nnorm_epsilon = 1e-5\nnorm_momentum = 0.9\noutput_norm = false\nreadout_bias = "
      "false\nsoftplus_beta = 0.3\n");
  EXPECT_EQ(a.history, 20);
  EXPECT_EQ(a.out_y(2), 30 - 8 - 4 - 2);
  EXPECT_EQ(a.out_x(2), 28 - 8 - 4 - 2);
  EXPECT_EQ(a.hidden[1].channels, 6);
  EXPECT_EQ(a.scale, model::Scale::absolute);
  EXPECT_TRUE(a.conv_bias);
  EXPECT_FALSE(a.output_norm);
  EXPECT_FALSE(a.readout_bias);
  EXPECT_EQ(a.softplus_beta, 0.3);
  EXPECT_EQ(model::architecture_from_json(model::to_json(a)), a);
}

TEST(Architecture, GivesBiasesWhereThereIsNoNorm) {
  const auto a = read("[model]\nnorm = \"none\"\noutput_norm = false\n");
  EXPECT_TRUE(a.conv_bias);
  EXPECT_TRUE(a.readout_bias);
}

TEST(Architecture, RefusesWhatDoesNotFit) {
  EXPECT_THAT(refusal("[model]\nchannels = [8]\n"), testing::HasSubstr("2"));
  EXPECT_THAT(refusal("[model]\nkernels = [15, 40]\n"), testing::HasSubstr("40 x 40 kernel of hidden layer 1"));
  EXPECT_THAT(refusal("[model]\nchannels = [0, 8]\n"), testing::HasSubstr("0 channels"));
  EXPECT_THAT(refusal("[model]\nnorm = \"batch\"\n"), testing::HasSubstr("per_channel"));
  EXPECT_THAT(refusal("[model]\nkernel = [15, 11]\n"), testing::HasSubstr("kernels"));
  EXPECT_THROW(model::preset_architecture("deep"), core::Error);
  EXPECT_THROW(model::architecture_from_json("{\"history\": 3"), core::InputError);
}

TEST(Architecture, IsDescribedInOneLine) {
  model::Architecture a;
  a.cells = 3;
  EXPECT_EQ(model::describe(a), "40x50x50 -> 8 @ 15x15 (8x36x36) -> 8 @ 11x11 (8x26x26) -> 3 cells, norm per channel");
}

TEST(Layout, IsContiguousAndNamed) {
  model::Architecture a;
  a.cells = 3, a.conv_bias = true, a.readout_bias = true, a.norm = model::Norm::per_unit;
  const auto layout = model::make_layout(a);
  std::size_t at = 0;
  for (const auto& entry : layout.parameters) {
    EXPECT_EQ(entry.offset, at) << entry.name;
    std::size_t size = 1;
    for (const std::size_t extent : entry.shape) size *= extent;
    EXPECT_EQ(entry.size, size) << entry.name;
    at += size;
  }
  EXPECT_EQ(at, layout.parameter_count);
  EXPECT_EQ(layout.parameter("hidden0.kernel").shape, (std::vector<std::size_t>{8, 40, 15, 15}));
  EXPECT_EQ(layout.parameter("hidden1.gamma").shape, (std::vector<std::size_t>{8, 26, 26}));
  EXPECT_EQ(layout.parameter("readout.weight").shape, (std::vector<std::size_t>{3, 5408}));
  EXPECT_EQ(layout.statistic("output.variance").shape, (std::vector<std::size_t>{3}));
  EXPECT_EQ(layout.find("hidden2.kernel"), nullptr);
  EXPECT_THROW(layout.parameter("hidden2.kernel"), core::Error);
  // L2 is for kernels only.
  for (const auto& entry : layout.parameters)
    EXPECT_EQ(entry.weight_decay, entry.name.find("kernel") != std::string::npos) << entry.name;
}

}  // namespace
