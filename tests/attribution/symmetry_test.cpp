// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/symmetry.hpp"

#include "attribution/small_model.hpp"
#include "support/compare.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::attribution {
namespace {

using stimulus::Symmetry;

/// Random contrast with a symmetry: (frames, 13, 12).
core::Array<float, 3> symmetric_movie(std::size_t frames, Symmetry symmetry) {
  core::Random random(51, core::Stream::probe);
  core::Array<float, 3> movie({frames, 13, 12});
  for (std::size_t t = 0; t < frames; ++t) {
    const float field = static_cast<float>(2 * random.normal());
    for (std::size_t x = 0; x < 12; ++x) {
      const float value = symmetry == Symmetry::full_field ? field : static_cast<float>(2 * random.normal());
      for (std::size_t y = 0; y < 13; ++y) movie(t, y, x) = value;
    }
  }
  return movie;
}

model::Model normalised(model::Norm norm) {
  model::Model model = small_model(norm);
  model.normalisation.mean = {0.1};
  model.normalisation.scale = {1.7};
  return model;
}

/// Plain and folded computation of the same windows: largest departure of any figure.
double departure(const model::Model& model, Symmetry symmetry, Level level, const AttributionSettings& settings) {
  Attributor<double> attributor(core::Exec(), model::make_inference<double>(model), settings);
  EXPECT_EQ(attributor.folded(symmetry, level), level == Level::position ? Symmetry::along_y : symmetry);
  const core::Array<float, 3> movie = symmetric_movie(14, symmetry);
  const Block plain = attributor.plain().attribute(movie, 3, 9, {0, 2});
  const Block folded =
      attributor.engine(symmetry, level).attribute(fold_movie(movie, attributor.folded(symmetry, level)), 3, 9, {0, 2});
  using test::absolute_error;
  const auto figures = level == Level::position ? position_level : channel_level;
  const LevelFigures a = figures(plain), b = figures(folded);
  return std::max({absolute_error(plain.rate.values(), folded.rate.values()),
                   absolute_error(plain.baseline_rate.values(), folded.baseline_rate.values()),
                   absolute_error(a.attribution, b.attribution), absolute_error(a.downstream_weight, b.downstream_weight),
                   absolute_error(a.drive, b.drive), absolute_error(a.response_change, b.response_change)});
}

TEST(Symmetry, FoldedNetworksGiveTheFiguresOfThePlainOne) {
  AttributionSettings settings;
  settings.panels = 7;
  const model::Model model = normalised(model::Norm::per_channel);
  for (Rule rule : {Rule::secant, Rule::midpoint}) {
    settings.rule = rule;
    EXPECT_LT(departure(model, Symmetry::full_field, Level::channel, settings), 1e-5);  // stored as float
    EXPECT_LT(departure(model, Symmetry::along_y, Level::channel, settings), 1e-5);
    EXPECT_LT(departure(model, Symmetry::along_y, Level::position, settings), 1e-5);
    EXPECT_LT(departure(model, Symmetry::full_field, Level::position, settings), 1e-5);
  }
}

TEST(Symmetry, ResponseWeightsAgreeWhereUnitsRespond) {
  const model::Model model = normalised(model::Norm::per_channel);
  Attributor<double> attributor(core::Exec(), model::make_inference<double>(model), AttributionSettings{});
  const core::Array<float, 3> movie = symmetric_movie(14, Symmetry::full_field);
  const LevelFigures a = channel_level(attributor.plain().attribute(movie, 3, 9, {0, 2}));
  BlockAttributor<double>& engine = attributor.engine(Symmetry::full_field, Level::channel);
  const LevelFigures b = channel_level(engine.attribute(fold_movie(movie, Symmetry::full_field), 3, 9, {0, 2}));
  int finite = 0;
  for (std::size_t i = 0; i < a.response_weight.size(); ++i) {
    EXPECT_EQ(std::isnan(a.response_weight[i]), std::isnan(b.response_weight[i]));
    if (std::isnan(a.response_weight[i])) continue;
    EXPECT_NEAR(a.response_weight[i], b.response_weight[i], 1e-5);
    ++finite;
  }
  EXPECT_GT(finite, 10);
}

TEST(Symmetry, NormsOfTheUnitsOwnForbidFolding) {
  const auto network = model::make_inference<double>(normalised(model::Norm::per_unit));
  EXPECT_FALSE(fold(network, Symmetry::full_field));
  EXPECT_FALSE(fold(network, Symmetry::along_y));
  EXPECT_FALSE(fold(model::make_inference<double>(normalised(model::Norm::per_channel)), Symmetry::none));
  Attributor<double> attributor(core::Exec(), network, AttributionSettings{});
  EXPECT_EQ(attributor.folded(Symmetry::full_field, Level::channel), Symmetry::none);
}

TEST(Symmetry, NormalisationPerPixelForbidsFolding) {
  model::Model model = normalised(model::Norm::per_channel);
  model.normalisation.kind = "per_pixel";
  model.normalisation.mean.assign(13 * 12, 0.0);
  model.normalisation.scale.assign(13 * 12, 1.0);
  EXPECT_FALSE(fold(model::make_inference<double>(model), Symmetry::full_field));
  EXPECT_FALSE(FoldedFirstLayer<double>::make(model::make_inference<double>(model), Symmetry::full_field));
}

/// Gains and offsets of the units' own leave the first layer's linear part to be folded.
TEST(Symmetry, TheFirstLayerFoldsAloneUnderNormsOfTheUnitsOwn) {
  using test::absolute_error;
  AttributionSettings settings;
  settings.panels = 7;
  for (Symmetry symmetry : {Symmetry::full_field, Symmetry::along_y})
    for (Level level : {Level::channel, Level::position, Level::unit, Level::pixel, Level::unit2}) {
      Attributor<double> attributor(core::Exec(), model::make_inference<double>(normalised(model::Norm::per_unit)), settings);
      BlockAttributor<double>& engine = attributor.engine(symmetry, level);
      EXPECT_TRUE(engine.folded_first_layer());
      const core::Array<float, 3> movie = symmetric_movie(14, symmetry);
      const Block plain = attributor.plain().attribute(movie, 3, 9, {0, 2}, level),
                  folded = engine.attribute(movie, 3, 9, {0, 2}, level);
      EXPECT_LE(absolute_error(plain.rate.values(), folded.rate.values()), 1e-12);
      EXPECT_LE(absolute_error(plain.attribution.values(), folded.attribution.values()), 1e-12);
      EXPECT_LE(absolute_error(plain.weight.values(), folded.weight.values()), 1e-12);
      EXPECT_LE(absolute_error(plain.drive.values(), folded.drive.values()), 1e-12);
      EXPECT_LE(absolute_error(plain.unit_attribution, folded.unit_attribution), 1e-6);
      EXPECT_LE(absolute_error(plain.pixels, folded.pixels), 1e-6);
      EXPECT_LE(absolute_error(plain.second.units, folded.second.units), 1e-6);
    }
}

TEST(Symmetry, AMovieWithoutItIsRefused) {
  Attributor<double> attributor(core::Exec(), model::make_inference<double>(normalised(model::Norm::per_unit)),
                                AttributionSettings{});
  core::Array<float, 3> movie = symmetric_movie(14, Symmetry::along_y);
  BlockAttributor<double>& engine = attributor.engine(Symmetry::along_y, Level::position);
  EXPECT_NO_THROW(engine.attribute(movie, 3, 9, {0, 2}, Level::position));
  EXPECT_THROW(attributor.engine(Symmetry::full_field, Level::channel).attribute(movie, 3, 9, {0, 2}), core::InputError);
  movie(5, 12, 3) += 0.01F;
  EXPECT_THROW(engine.attribute(movie, 3, 9, {0, 2}, Level::position), core::InputError);
}

TEST(Symmetry, UnitsAndPixelsNeedThePlainNetwork) {
  Attributor<double> attributor(core::Exec(), model::make_inference<double>(normalised(model::Norm::per_channel)),
                                AttributionSettings{});
  EXPECT_EQ(attributor.folded(Symmetry::full_field, Level::unit), Symmetry::none);
  EXPECT_EQ(attributor.folded(Symmetry::along_y, Level::pixel), Symmetry::none);
}

}  // namespace
}  // namespace amacrine::attribution
