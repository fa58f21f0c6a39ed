// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/cell_data.hpp"

#include "amacrine/core/random.hpp"
#include "made_cell.hpp"
#include "support/compare.hpp"

#include <numbers>

#include <gtest/gtest.h>

namespace amacrine::pathway {
namespace {

constexpr std::size_t height = 14, width = 17, movie_frames = 70;

Bases few_bumps(std::size_t lags = 20) {
  PathwaySettings settings;
  settings.radius_px = 3;
  return make_bases(settings, lags);
}

core::Array<std::uint8_t, 3> random_pixels() {
  core::Array<std::uint8_t, 3> pixels({movie_frames, height, width});
  core::Random random(1, core::Stream::test);
  for (auto& pixel : pixels.values()) pixel = static_cast<std::uint8_t>(random.below(256));
  return pixels;
}

/// Bump s on frame f: all pixels of the movie, in double.
double direct_sum(const core::Array<std::uint8_t, 3>& pixels, const recording::ContrastCoding& coding, const Bases& bases,
                  const stimulus::Centre& centre, std::size_t s, std::size_t f) {
  const std::size_t n = bases.knots_px.size();
  const double y0 = centre.y + bases.knots_px[s / n], x0 = centre.x + bases.knots_px[s % n], sd = bases.bump_px;
  double sum = 0;
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x) {
      const double dy = static_cast<double>(y) - y0, dx = static_cast<double>(x) - x0;
      const double weight = std::exp(-(dy * dy + dx * dx) / (2 * sd * sd)) / (2 * std::numbers::pi * sd * sd);
      sum += weight * (pixels(f, y, x) - coding.zero) / coding.unit;
    }
  return sum;
}

void expect_direct_sums(const stimulus::Centre& centre) {
  const core::Array<std::uint8_t, 3> pixels = random_pixels();
  const recording::ContrastCoding coding{120, 50};
  const Bases bases = few_bumps();
  const std::vector<float> projected = project({pixels}, coding, bases, centre);
  ASSERT_EQ(projected.size(), bases.bumps() * movie_frames);
  std::vector<double> direct;
  for (std::size_t s = 0; s < bases.bumps(); ++s)
    for (std::size_t f = 0; f < movie_frames; ++f) direct.push_back(direct_sum(pixels, coding, bases, centre, s, f));
  // Contrasts reach 2.7, and what is more than 4 sd away may be left out: 3e-5 of a bump on each side.
  EXPECT_LE(test::absolute_error(projected, direct), 2e-4);
}

TEST(CellData, ProjectionIsTheSumOverAllPixels) { expect_direct_sums({7.3, 8.6}); }
TEST(CellData, ProjectionNearTheBorderTakesGreyForWhatLiesOutside) {
  expect_direct_sums({0.4, 15.8});
  expect_direct_sums({13.7, 0.2});
}
TEST(CellData, ProjectionFarOutsideIsGrey) {
  const std::vector<float> projected = project({random_pixels()}, {}, few_bumps(), {-30, 60});
  EXPECT_LE(test::absolute_error(projected, std::vector<double>(projected.size(), 0.0)), 0.0);
}

TEST(CellData, ProjectionTakesFramesOfFloatAlike) {
  const core::Array<std::uint8_t, 3> pixels = random_pixels();
  core::Array<float, 3> real({movie_frames, height, width});
  std::copy(pixels.values().begin(), pixels.values().end(), real.values().begin());
  const stimulus::Centre centre{6.5, 9.1};
  EXPECT_EQ(project({real}, {}, few_bumps(), centre), project({pixels}, {}, few_bumps(), centre));
}

TEST(CellData, CountsAreThoseOfTheResponseThatDependsOnTheFrame) {
  const Bases bases = few_bumps();
  std::vector<float> rates;
  for (int f = 0; f < 52; ++f) rates.push_back(static_cast<float>(100 * (f % 7)));
  for (const std::size_t lag : {0u, 1u, 3u}) {
    const std::vector<float> projected(bases.bumps() * rates.size(), 0.5F);
    const CellData data = make_cell_data(projected, rates, bases, 0.01, lag, 1.0);
    ASSERT_EQ(data.counts.size(), 52u);
    for (std::size_t f = 0; f < 52; ++f) {
      const double spikes = f + lag < 52 ? static_cast<double>((f + lag) % 7) : 0.0;
      EXPECT_NEAR(static_cast<double>(data.counts[f]), spikes, 1e-5) << "frame " << f << ", lag " << lag;
    }
    EXPECT_EQ(data.frames, 52u);
    EXPECT_EQ(data.bumps, bases.bumps());
    EXPECT_EQ(data.frame_s, 0.01);
  }
}

TEST(CellData, AGivenScaleMultipliesTheStimulus) {
  const Bases bases = few_bumps();
  const CellData noise = test::white_noise(bases.bumps(), 60, 1.0, 5);
  const std::vector<float> rates(60, 0.0F);
  const CellData data = make_cell_data(noise.stimulus, rates, bases, 0.01, 0, 2.5);
  EXPECT_EQ(data.scale, 2.5);
  for (std::size_t i = 0; i < noise.stimulus.size(); ++i) EXPECT_FLOAT_EQ(data.stimulus[i], 2.5F * noise.stimulus[i]);
}

// The output of white noise has the sd of the noise times the filter's norm: largest 1 over space with an sd of two bumps, one
// lobe with its peak at lag 6.
TEST(CellData, TheScaleBringsACentredGaussianOfOneLobeToSdOne) {
  const Bases bases = few_bumps(30);
  const double sd = 0.37, width_px = 2 * bases.bump_px;
  double space = 0, time = 0;
  for (double y : bases.knots_px)
    for (double x : bases.knots_px) space += std::exp(-(y * y + x * x) / (width_px * width_px));
  std::vector<double> lobe;
  for (int l = 0; l < 30; ++l) lobe.push_back(std::pow(l / 6.0, 3) * std::exp(3 - l / 2.0));
  for (double v : bases.time_course(bases.fitted(lobe))) time += v * v;
  const std::vector<float> noise = test::white_noise(bases.bumps(), 30000, sd, 6).stimulus;
  const CellData data = make_cell_data(noise, std::vector<float>(30000, 0.0F), bases, 0.01, 0);
  // An sd of 30000 frames, of which about 10 in a row are alike, is known to 1 / sqrt(2 * 3000).
  EXPECT_NEAR(data.scale * sd * std::sqrt(space * time), 1.0, 0.05);
  EXPECT_FLOAT_EQ(data.stimulus[7], static_cast<float>(data.scale) * noise[7]);
}

TEST(CellData, AStimulusThatNeverChangesHasScaleOne) {
  const Bases bases = few_bumps();
  const CellData data =
      make_cell_data(std::vector<float>(bases.bumps() * 100, 0.0F), std::vector<float>(100, 1.0F), bases, 0.01, 0);
  EXPECT_EQ(data.scale, 1.0);
}

/// Every frame of the ranges in their order.
std::vector<std::size_t> frames_of(const std::vector<Range>& ranges) {
  std::vector<std::size_t> frames;
  for (const Range& range : ranges)
    for (std::size_t f = range.begin; f < range.end; ++f) frames.push_back(f);
  return frames;
}

/// Random ranges in ascending order, some of them touching, some empty.
std::vector<Range> random_ranges(core::Random& random) {
  std::vector<Range> ranges;
  std::size_t at = random.below(5);
  for (std::uint32_t i = 0, count = random.below(6); i < count; ++i) {
    const std::size_t length = random.below(40);
    ranges.push_back({at, at + length});
    at += length + random.below(3) * 7;
  }
  return ranges;
}

TEST(CellData, HalvesPartitionTheFramesInOrder) {
  for (std::uint64_t id = 0; id < 300; ++id) {
    core::Random random(2, core::Stream::test, id);
    const std::vector<Range> ranges = random_ranges(random);
    const std::vector<std::size_t> all = frames_of(ranges), second = frames_of(half_of(ranges, 1));
    std::vector<std::size_t> both = frames_of(half_of(ranges, 0));
    EXPECT_LE(both.size(), second.size());
    EXPECT_LE(second.size(), both.size() + 1);
    both.insert(both.end(), second.begin(), second.end());
    ASSERT_EQ(both, all) << "case " << id;
    for (int half : {0, 1})
      for (const Range& range : half_of(ranges, half)) ASSERT_GT(range.size(), 0u);
  }
}

TEST(CellData, BlocksPartitionTheRangesInOrder) {
  for (std::uint64_t id = 0; id < 300; ++id) {
    core::Random random(3, core::Stream::test, id);
    const std::vector<Range> ranges = random_ranges(random);
    const std::size_t length = 1 + random.below(20);
    const std::vector<Range> blocks = blocks_of(ranges, length);
    ASSERT_EQ(frames_of(blocks), frames_of(ranges)) << "case " << id;
    for (const Range& block : blocks) {
      ASSERT_GT(block.size(), 0u);
      ASSERT_LE(block.size(), length);
      const auto holds = [&](const Range& range) { return range.begin <= block.begin && block.end <= range.end; };
      ASSERT_TRUE(std::any_of(ranges.begin(), ranges.end(), holds));
    }
  }
}

TEST(CellData, BlocksAreFullButForTheLastOfARange) {
  const std::vector<Range> blocks = blocks_of({{3, 13}, {20, 24}}, 4);
  ASSERT_EQ(blocks.size(), 4u);
  EXPECT_EQ(frames_of({blocks[0], blocks[1]}), frames_of({{3, 11}}));
  EXPECT_EQ(blocks[0].size(), 4u);
  EXPECT_EQ(blocks[2].size(), 2u);
  EXPECT_EQ(blocks[3].begin, 20u);
}

}  // namespace
}  // namespace amacrine::pathway
