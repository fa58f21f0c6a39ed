// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/likelihood.hpp"

#include "made_cell.hpp"
#include "support/compare.hpp"

#include <numeric>

#include <gtest/gtest.h>

namespace amacrine::pathway {
namespace {

constexpr std::size_t lags = 11, frames = 160;

/// 3 x 3 bumps and 3 courses that are no cosines. Odd sizes: the loops' remainders count, too.
struct Small {
  Bases bases;
  CellData data = test::white_noise(9, frames, 0.5, 1);
  Shape shape{9, 3, 30, 0.01};
  Model model;
  std::vector<Range> blocks{{lags - 1, 83}, {100, 133}, {140, 160}};

  Small() {
    core::Random random(5, core::Stream::test, 2);
    bases.knots_px = {-1.5, 0, 1.5}, bases.bump_px = 0.9;
    bases.course = core::Array<double, 2>({3, lags});
    for (double& value : bases.course.values()) value = random.normal();
    for (float& count : data.counts) count = static_cast<float>(random.poisson(0.7));
    model.values = {0.4, std::log(0.2)};
    for (std::size_t k = 0; k < 2; ++k) {
      for (std::size_t i = 0; i < 12; ++i) model.values.push_back(0.4 * random.normal());
      model.values.insert(model.values.end(), {k == 0 ? -0.3 : 0.2, k == 0 ? 0.9 : -0.6});
    }
  }

  double naive_loss(const Range& block, const Model& of) const {
    double loss = 0;
    for (std::size_t f = block.begin; f < block.end; ++f) {
      const double rate = test::rate_of(shape, bases, data, of, f);
      loss += rate * data.frame_s - static_cast<double>(data.counts[f]) * std::log(rate);
    }
    return loss;
  }
  template <class Real = double>
  double loss(const Range& block, const Model& of, std::vector<Real>* gradient = nullptr) const {
    const std::vector<Real> values(of.values.begin(), of.values.end());
    return block_loss<Real>(shape, bases, data, values, block, gradient != nullptr ? gradient->data() : nullptr);
  }
};

/// A model of another seed.
Model other_model(const Small& small) {
  Model other = small.model;
  for (double& value : other.values) value = 0.8 * value + 0.05;
  return other;
}

TEST(Likelihood, IsThatOfThePlainFormula) {
  const Small small;
  for (const Range& block : small.blocks) {
    const double plain = small.naive_loss(block, small.model);
    EXPECT_NEAR(small.loss(block, small.model), plain, 1e-10 * std::abs(plain));
  }
}

TEST(Likelihood, OfAConstantModelIsThatOfItsRate) {
  Small small;
  const Model constant = constant_model(small.shape, 12.5);
  double spikes = 0;
  for (std::size_t f = 20; f < 70; ++f) spikes += static_cast<double>(small.data.counts[f]);
  EXPECT_NEAR(small.loss({20, 70}, constant), 50 * 0.01 * 12.5 - spikes * std::log(12.5), 1e-9);
}

TEST(Likelihood, BlocksAddUp) {
  const Small small;
  const double whole = small.loss({20, 90}, small.model);
  EXPECT_NEAR(small.loss({20, 53}, small.model) + small.loss({53, 90}, small.model), whole, 1e-10 * std::abs(whole));
}

TEST(Likelihood, GradientIsThatOfFiniteDifferences) {
  const Small small;
  constexpr double step = 1e-5;
  double nearest = INFINITY;
  for (const Range& block : small.blocks)
    for (std::size_t f = block.begin; f < block.end; ++f)
      for (std::size_t k : {0u, 1u})
        nearest = std::min(nearest, std::abs(test::unit_input(small.shape, small.bases, small.data, small.model, k, f)));
  ASSERT_GT(nearest, 100 * step);  // no unit opens or closes on the way
  for (const Range& block : small.blocks) {
    std::vector<double> gradient(small.model.values.size(), 0.0);
    small.loss(block, small.model, &gradient);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      Model above = small.model, below = small.model;
      above.values[i] += step, below.values[i] -= step;
      const double slope = (small.naive_loss(block, above) - small.naive_loss(block, below)) / (2 * step);
      EXPECT_NEAR(gradient[i], slope, 1e-6 * (1 + std::abs(slope))) << "parameter " << i << " of the block at " << block.begin;
    }
  }
}

TEST(Likelihood, GradientIsAddedToWhatIsThere) {
  const Small small;
  std::vector<double> once(small.model.values.size(), 0.0), more(once.size(), 3.0);
  small.loss(small.blocks[0], small.model, &once);
  small.loss(small.blocks[0], small.model, &more);
  for (double& value : more) value -= 3;
  EXPECT_LE(test::relative_error(more, once), 1e-12);
}

/// The loss, and its slope by the rest, of a cell that is told to be silent at `x` = beta u.
template <class Real>
void expect_silent(double x) {
  const Small small;
  const Range block{20, 60};
  const Model silent{{x / (0.2 * 30), std::log(0.2)}};
  double spikes = 0;
  for (std::size_t f = block.begin; f < block.end; ++f) spikes += static_cast<double>(small.data.counts[f]);
  // log(1 + e^x) is e^x: the rate is almost 0, its logarithm x - log beta.
  std::vector<Real> gradient(2, Real(0));
  const double loss = small.loss<Real>(block, silent, &gradient), expected = -spikes * (x - std::log(0.2));
  EXPECT_NEAR(loss, expected, 1e-4 * expected) << "beta u = " << x;
  EXPECT_NEAR(static_cast<double>(gradient[0]), -spikes * 30 * 0.2, 1e-3 * spikes) << "beta u = " << x;
  EXPECT_NEAR(static_cast<double>(gradient[1]), -spikes * (x - 1), 1e-3 * std::abs(spikes * x)) << "beta u = " << x;
}

TEST(Likelihood, RatesOfAlmostNothingStayFinite) {
  for (double x : {-20.0, -46.0, -300.0, -5000.0}) {
    expect_silent<float>(x);
    expect_silent<double>(x);
  }
}

TEST(Likelihood, GreatRatesStayFinite) {
  const Small small;
  const Model loud{{50, std::log(0.2)}};  // 1500 Hz: exp(beta u) overflows in float
  double spikes = 0;
  for (std::size_t f = 20; f < 60; ++f) spikes += static_cast<double>(small.data.counts[f]);
  const double expected = 40 * 0.01 * 1500 - spikes * std::log(1500.0);
  EXPECT_NEAR(small.loss<float>({20, 60}, loud), expected, 1e-4 * expected);
}

TEST(Likelihood, TheLogarithmOfTheRateHasNoStep) {
  const Small small;
  std::vector<double> loss;
  for (double x : {-11.9999, -12.0001}) loss.push_back(small.loss<double>({20, 60}, {{x / (0.2 * 30), std::log(0.2)}}));
  double spikes = 0;
  for (std::size_t f = 20; f < 60; ++f) spikes += static_cast<double>(small.data.counts[f]);
  EXPECT_NEAR((loss[1] - loss[0]) / spikes, 0.0002, 1e-5);
}

TEST(Likelihood, FloatAgreesWithDouble) {
  const Small small;
  for (const Range& block : small.blocks) {
    std::vector<double> fine(small.model.values.size(), 0.0);
    std::vector<float> coarse(fine.size(), 0.0F);
    const double loss = small.loss(block, small.model, &fine);
    EXPECT_NEAR(small.loss<float>(block, small.model, &coarse), loss, 1e-4 * std::abs(loss));
    EXPECT_LE(test::relative_error(coarse, fine), 1e-4);
  }
}

TEST(Likelihood, LossesAreThoseOfEachModelOnEachBlock) {
  const Small small;
  const std::vector<Model> models{small.model, constant_model(small.shape, 20), other_model(small)};
  const core::Array<double, 2> found = losses(small.shape, small.bases, small.data, models, small.blocks);
  ASSERT_EQ(found.extent(0), 3u);
  ASSERT_EQ(found.extent(1), 3u);
  for (std::size_t m = 0; m < 3; ++m)
    for (std::size_t b = 0; b < 3; ++b) {
      const double plain = small.naive_loss(small.blocks[b], models[m]);
      EXPECT_NEAR(found(m, b), plain, 1e-4 * std::abs(plain)) << "model " << m << ", block " << b;
    }
}

TEST(Likelihood, SlopesAreMeansPerSecond) {
  const Small small;
  const std::vector<Model> models{small.model, constant_model(small.shape, 20)};
  const Slopes found = slopes(small.shape, small.bases, small.data, models, small.blocks);
  const core::Array<double, 2> loss = losses(small.shape, small.bases, small.data, models, small.blocks);
  const double seconds = (73 + 33 + 20) * 0.01;
  ASSERT_EQ(found.gradient.size(), 2u);
  for (std::size_t m = 0; m < 2; ++m) {
    const double sum = loss(m, 0) + loss(m, 1) + loss(m, 2);
    EXPECT_NEAR(found.loss[m], sum / seconds, 1e-10 * std::abs(sum / seconds));
    std::vector<double> gradient(models[m].values.size(), 0.0);
    for (const Range& block : small.blocks) small.loss(block, models[m], &gradient);
    for (double& value : gradient) value /= seconds;
    EXPECT_LE(test::relative_error(found.gradient[m], gradient), 1e-4);
  }
}

// One thread after the other gives the bits that any number of them must give.
TEST(Likelihood, SlopesHaveTheBitsOfBlocksInTheirOrder) {
  const Small small;
  const std::vector<Model> models{small.model, other_model(small)};
  std::vector<Range> blocks;
  for (std::size_t i = 0; i < 40; ++i) blocks.push_back({lags - 1 + 3 * i, lags - 1 + 3 * i + 17});
  const Slopes found = slopes(small.shape, small.bases, small.data, models, blocks);
  const double seconds = static_cast<double>(40 * 17) * small.data.frame_s;
  for (std::size_t m = 0; m < models.size(); ++m) {
    double loss = 0;
    std::vector<double> gradient(models[m].values.size(), 0.0);
    for (const Range& block : blocks) {
      std::vector<float> part(gradient.size(), 0.0F);
      loss += small.loss<float>(block, models[m], &part) / seconds;
      for (std::size_t i = 0; i < part.size(); ++i) gradient[i] += static_cast<double>(part[i]) / seconds;
    }
    EXPECT_EQ(found.loss[m], loss);
    EXPECT_EQ(found.gradient[m], gradient);
  }
}

TEST(Likelihood, ResponseIsThatOfThePlainFormula) {
  const Small small;
  const Range block{30, 71};
  const Response response = respond(small.shape, small.bases, small.data, small.model, block);
  std::vector<double> rate;
  for (std::size_t f = block.begin; f < block.end; ++f)
    rate.push_back(test::rate_of(small.shape, small.bases, small.data, small.model, f));
  EXPECT_LE(test::relative_error(response.rate_hz, rate), 1e-4);
  for (std::size_t k : {0u, 1u}) {
    std::vector<double> h;
    for (std::size_t f = block.begin; f < block.end; ++f)
      h.push_back(std::max(0.0, test::unit_input(small.shape, small.bases, small.data, small.model, k, f)));
    EXPECT_LE(test::relative_error(response.activity.row(k), h), 1e-4);
  }
}

TEST(Model, PathwaysAreAddedAndLeftOut) {
  const Small small;
  const Shape& shape = small.shape;
  EXPECT_EQ(small.model.pathways(shape), 2u);
  const std::span<const double> first = small.model.pathway(shape, 0);
  const Model larger = with_pathway(small.model, first);
  ASSERT_EQ(larger.pathways(shape), 3u);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), larger.pathway(shape, 2).begin()));
  const Model smaller = without_pathway(shape, larger, 0, 6.0);
  ASSERT_EQ(smaller.pathways(shape), 2u);
  EXPECT_NEAR(smaller.rest(), small.model.rest() + 6.0 / 30, 1e-15);
  EXPECT_EQ(smaller.weight(shape, 0), small.model.weight(shape, 1));
  EXPECT_EQ(smaller.weight(shape, 1), small.model.weight(shape, 0));
  EXPECT_EQ(smaller.threshold(shape, 0), 0.2);
}

}  // namespace
}  // namespace amacrine::pathway
