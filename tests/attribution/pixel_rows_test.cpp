// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/pixel_rows.hpp"

#include "amacrine/attribution/cost.hpp"
#include "amacrine/core/numbers.hpp"
#include "attribution/small_block.hpp"
#include "attribution/small_model.hpp"
#include "support/compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// Rows of pixels from weights of the first layer's units, in every way there is to apply the transposed first layer.
namespace amacrine::attribution {
namespace {

/// Random weights of a random first layer: 3 channels @ 5 x 4 on 4 frames of 11 x 13 pixels, and a movie of 2 windows more than
/// are asked for.
struct PixelCase {
  std::size_t windows, cells;
  naive::Network net;
  naive::Values push, frames;  ///< (M, W, U), (Y X, F)
  std::size_t count() const { return windows + 2 + 3; }
  std::size_t units() const { return core::as_size(net.layers[0].units()); }
  static constexpr std::size_t size = 4 * 11 * 13;

  PixelCase(std::size_t w, std::size_t m) : windows(w), cells(m), net{4, 11, 13, 2, {}, {}, {}, 1.0} {
    core::Random random(91, core::Stream::test);
    net.layers.push_back(naive::random_layer(random, 3, 4, 11, 13, 5, 4, false));
    for (std::size_t i = 0; i < 2 * units(); ++i) net.readout.push_back(random.normal());
    net.constant = {0, 0};
    for (std::size_t i = 0; i < cells * windows * units(); ++i) push.push_back(random.normal());
    for (std::size_t i = 0; i < 11 * 13 * count(); ++i) frames.push_back(random.normal());
  }
  /// The row of window w, the w + 2nd of the movie, and cell m, by plain loops.
  naive::Values truth(std::size_t w, std::size_t m, double scale) const {
    naive::Values weight(units());
    for (std::size_t u = 0; u < units(); ++u) weight[u] = net.layers[0].gain[u] * push[(m * windows + w) * units() + u];
    naive::Values row = naive::conv_transposed(net.layers[0], weight);
    for (std::size_t i = 0; i < row.size(); ++i) row[i] *= scale * frames[i % (11 * 13) * count() + w + 2 + i / (11 * 13)];
    return row;
  }
};

/// Rows of windows [first, first + windows) of a case.
template <class S>
std::vector<float> rows_of(const PixelCase& test, PixelWay way, double scale, std::size_t first, std::size_t windows) {
  const PathNetwork<S> network = make_path_network(naive::inference<S>(test.net));
  const std::size_t units = test.units();
  std::vector<S> values;
  for (std::size_t m = 0; m < test.cells; ++m)
    for (std::size_t i = first * units; i < (first + windows) * units; ++i)
      values.push_back(static_cast<S>(test.push[m * test.windows * units + i]));
  const core::View1<S> flat = core::to_device("test::push", values);
  JoinedFrames<S> frames{{test.frames.begin(), test.frames.end()}, test.count(), {}};
  std::vector<std::size_t> at;
  for (std::size_t w = first; w < first + windows; ++w) at.push_back(w + 2);
  std::vector<float> rows;
  PixelRows<S>(core::Exec(), network, way)
      .attribute(frames, at, static_cast<S>(scale), core::View3<S>(flat.data(), test.cells, windows, units), rows);
  return rows;
}

/// Those the machine has: on a device nothing lies in registers.
std::vector<PixelWay> ways() {
  if (core::detail::exec_is_host) return {PixelWay::lanes, PixelWay::planes, PixelWay::taps};
  return {PixelWay::planes, PixelWay::taps};
}

/// One row, fewer than lanes, and more than lanes and than a group, no multiple of either.
TEST(PixelRows, EveryWayAgreesWithPlainLoops) {
  for (const auto& [windows, cells] : {std::pair{1, 1}, std::pair{3, 2}, std::pair{13, 3}}) {
    const PixelCase test(core::as_size(windows), core::as_size(cells));
    naive::Values truth;
    for (std::size_t row = 0; row < test.windows * test.cells; ++row) {
      const naive::Values one = test.truth(row / test.cells, row % test.cells, 0.5);
      truth.insert(truth.end(), one.begin(), one.end());
    }
    for (const PixelWay way : ways()) {
      EXPECT_LE(test::relative_error(rows_of<double>(test, way, 0.5, 0, test.windows), truth), 1e-7)
          << to_string(way);  // as float
      EXPECT_LE(test::relative_error(rows_of<float>(test, way, 0.5, 0, test.windows), truth), 2e-6) << to_string(way);
    }
  }
}

TEST(PixelRows, ARowHasTheSameBitsInAnyCompany) {
  const PixelCase test(13, 3);
  for (const PixelWay way : ways()) {
    const std::vector<float> together = rows_of<float>(test, way, 1.0, 0, 13);
    for (const std::size_t first : {0U, 5U, 12U}) {
      const std::vector<float> alone = rows_of<float>(test, way, 1.0, first, 1);
      ASSERT_EQ(alone.size(), 3 * PixelCase::size);
      const auto begin = together.begin() + static_cast<std::ptrdiff_t>(first * alone.size());
      EXPECT_TRUE(std::equal(alone.begin(), alone.end(), begin)) << to_string(way) << " " << first;
    }
  }
}

TEST(PixelRows, AreChosenBySizesAlone) {
  const auto way = [](const model::Model& model) {
    return PixelRows<float>::way(make_path_network(model::make_inference<float>(model)));
  };
  EXPECT_EQ(way(small_model()), PixelWay::taps);
  EXPECT_EQ(way(large_kernel_model()), core::lane_count<float> >= 4 ? PixelWay::lanes : PixelWay::planes);
}

/// A plan's cost at pixel level is that at unit level and its rows' transposed first layers.
TEST(PixelRows, AreInTheCostOfAPlan) {
  const Movie movie{"file/stimulus", 100, {}};
  const auto cost = [&](const model::Model& model, const std::string& levels) {
    AttributionSettings settings;
    settings.source = Source::recording;
    settings.levels = levels;
    Attributor<float> attributor(core::Exec(), model::make_inference<float>(model), settings);
    return cost_of(make_plan(settings, {}, model, movie), attributor);
  };
  for (const model::Model& model : {small_model(), large_kernel_model()}) {
    const Cost unit = cost(model, "unit"), pixel = cost(model, "pixel");
    const auto network = make_path_network(model::make_inference<float>(model));
    ASSERT_EQ(pixel.parts.size(), 1U);
    const auto rows = static_cast<double>(pixel.parts[0].rows);
    EXPECT_NEAR((pixel.multiply_adds - unit.multiply_adds) / rows / PixelRows<float>::multiply_adds(network), 1.0, 1e-9);
    const double window = 6.0 * network.height * network.width;
    EXPECT_GE(pixel.memory_bytes - unit.memory_bytes, PixelRows<float>::bytes(network) + 4 * 16 * 3 * window);
    EXPECT_THAT(pixel.parts[0].how, testing::HasSubstr(network.first().kernel.extent(2) > 5 ? "by spectra" : "tap by tap"));
  }
}

}  // namespace
}  // namespace amacrine::attribution
