// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/ln_fit.hpp"

#include "../../src/training/ln_likelihood.hpp"
#include "amacrine/model/inference.hpp"
#include "synthetic.hpp"

#include <gtest/gtest.h>

namespace amacrine::training {
namespace {

using parallel::Communicator;

double correlation(std::span<const float> a, std::span<const float> b) {
  double n = 0, sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    n += 1, sa += x, sb += y, saa += x * x, sbb += y * y, sab += x * y;
  }
  return (sab - sa * sb / n) / std::sqrt((saa - sa * sa / n) * (sbb - sb * sb / n));
}

/// Windows of a small recording, features of every pixel and lag.
struct Small {
  recording::Recording recording = synthetic::make_recording(400, 1, 4);
  LnFeatures features{recording.train.movie, recording.coding, {"none", {0.0}, {1.0}}, crop_around({5, 4}, 12, 12), 6};
  LnData data() const {
    LnData made{features, {}, {}, 0.7};
    for (std::size_t t = 5; t < 400; ++t) made.last.push_back(t), made.rate.push_back(recording.train.target(0, t));
    return made;
  }
  std::vector<double> coefficients() const {
    std::vector<double> w(features.count());
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = 0.4 * std::sin(1.7 * static_cast<double>(i));
    w.back() = 3;
    return w;
  }
};

TEST(LnLikelihood, GradientIsThatOfTheLoss) {
  const Small small;
  const LnData data = small.data();
  const std::vector<double> w = small.coefficients();
  const LnMoments moments = ln_moments(data, w);
  constexpr double step = 1e-5;
  for (const std::size_t i : {std::size_t{0}, std::size_t{77}, std::size_t{200}, w.size() - 1}) {
    std::vector<double> up = w, down = w;
    up[i] += step, down[i] -= step;
    const std::vector<double> losses = ln_losses(data, {up, down});
    const double slope = (losses[0] - losses[1]) / (2 * step) * static_cast<double>(data.last.size());
    EXPECT_TRUE(std::abs(moments.gradient[i] - slope) <= 1e-5 * (1 + std::abs(slope))) << i << " " << slope;
  }
}

TEST(LnLikelihood, InformationIsTheWeightedProductOfFeatures) {
  const Small small;
  const LnData data = small.data();
  const std::vector<double> w = small.coefficients();
  const LnMoments moments = ln_moments(data, w);
  std::vector<float> x(w.size());
  for (const auto& [i, j] : {std::pair<std::size_t, std::size_t>{0, 0}, {3, 250}, {250, 3}, {w.size() - 1, w.size() - 1}}) {
    double sum = 0, size = 0;
    for (const std::size_t last : data.last) {
      small.features.of_window(last, x);
      double u = 0;
      for (std::size_t k = 0; k < w.size(); ++k) u += static_cast<double>(x[k]) * w[k];
      const double slope = 1 / (1 + std::exp(-u)), rate = std::log1p(std::exp(u)) + 0.7;
      const double term = slope * slope / rate * static_cast<double>(x[i]) * static_cast<double>(x[j]);
      sum += term, size += std::abs(term);
    }
    EXPECT_TRUE(std::abs(moments.information(i, j) - sum) <= 1e-5 * size) << i << " " << j << " " << sum;
  }
}

TEST(LnFeatures, AFilterGivesWhatItsFeaturesGive) {
  const Small small;
  const std::vector<double> w = small.coefficients();
  const std::vector<float> filter = small.features.filter(w, 12, 12);
  std::vector<float> x(w.size()), frame(144);
  for (const std::size_t last : {std::size_t{5}, std::size_t{123}}) {
    small.features.of_window(last, x);
    double expected = -w.back(), found = 0;
    for (std::size_t k = 0; k < w.size(); ++k) expected += static_cast<double>(x[k]) * w[k];
    for (std::size_t t = 0; t < 6; ++t) {
      small.recording.train.movie.contrast(last - 5 + t, small.recording.coding, frame.data());
      for (std::size_t p = 0; p < 144; ++p) found += static_cast<double>(filter[t * 144 + p]) * static_cast<double>(frame[p]);
    }
    EXPECT_TRUE(std::abs(found - expected) <= 1e-4 * (1 + std::abs(expected))) << found << " " << expected;
  }
}

TEST(LnFit, PredictsLinearNonlinearCellsNearTheirCeiling) {
  const recording::Recording r = synthetic::make_recording(60000, 1, 3), fresh = synthetic::make_recording(3000, 1, 9);
  const model::Model ln = fit_ln(Communicator::self(), ln_baseline(synthetic::make_run(r)));
  EXPECT_EQ(ln.kind, "ln");
  const auto rates =
      model::predict(Communicator::self(), model::make_inference<float>(ln), fresh.train.movie, fresh.coding, 10, 2900);
  const double found = correlation(rates.row(0), fresh.train.noiseless.row(0).subspan(10, 2900));
  EXPECT_TRUE(found >= 0.97) << found;
}

TEST(LnFit, RefusesRecordingsWithoutWindows) {
  const recording::Recording r = synthetic::make_recording(6, 1, 3);
  EXPECT_THROW(fit_ln(Communicator::self(), ln_baseline(synthetic::make_run(r))), core::InputError);
}

}  // namespace
}  // namespace amacrine::training
