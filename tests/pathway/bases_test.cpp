// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/bases.hpp"

#include "support/compare.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::pathway {
namespace {

Bases usual(std::size_t lags = 40) { return make_bases({}, lags); }

TEST(Bases, BumpsAreSpacedEvenlyAroundTheCentre) {
  PathwaySettings settings;
  settings.radius_px = 5, settings.spacing_px = 2;
  const Bases bases = make_bases(settings, 40);
  EXPECT_EQ(bases.knots_px, (std::vector<double>{-4, -2, 0, 2, 4}));
  EXPECT_EQ(bases.bumps(), 25u);
  EXPECT_EQ(bases.lags(), 40u);
  EXPECT_GE(bases.courses(), 4u);
}

// 0.5 (1 + cos) two spacings to either side: at every lag four of them are not 0, and their cosines cancel. The outermost lags
// miss neighbours.
TEST(Bases, RaisedCosinesSumToAConstantInside) {
  const Bases bases = usual();
  const std::vector<double> sum = bases.time_course(std::vector<double>(bases.courses(), 1.0));
  std::size_t inside = 0;
  const double spacing = std::log(43.0 / 4.0) / static_cast<double>(bases.courses() - 1);
  for (std::size_t l = 0; l < sum.size(); ++l) {
    const double at = std::log((static_cast<double>(l) + 4) / 4) / spacing;
    if (at < 1 || at > static_cast<double>(bases.courses()) - 2) continue;
    EXPECT_NEAR(sum[l], 2.0, 1e-12) << "lag " << l;
    ++inside;
  }
  EXPECT_GE(inside, 25u);
}

TEST(Bases, CoursesReachOneAndComeOneAfterTheOther) {
  const Bases bases = usual();
  double before = -1;
  for (std::size_t j = 0; j < bases.courses(); ++j) {
    const std::span<const double> course = bases.course.row(j);
    double mass = 0, moment = 0;
    for (std::size_t l = 0; l < course.size(); ++l) {
      EXPECT_GE(course[l], 0.0);
      EXPECT_LE(course[l], 1.0);
      mass += course[l], moment += course[l] * static_cast<double>(l);
    }
    EXPECT_GT(moment / mass, before) << "course " << j;
    before = moment / mass;
  }
  EXPECT_NEAR(bases.course(0, 0), 1.0, 1e-12);
  EXPECT_NEAR(bases.course(bases.courses() - 1, 39), 1.0, 1e-12);
}

TEST(Bases, ABumpSumsToOneOverThePixels) {
  const Bases bases = usual();
  for (const std::size_t s : {std::size_t{0}, bases.bumps() / 2, bases.bumps() - 2}) {
    std::vector<double> one(bases.bumps(), 0.0);
    one[s] = 1;
    double sum = 0, y_moment = 0, x_moment = 0;
    for (int y = -20; y <= 20; ++y)
      for (int x = -20; x <= 20; ++x) {
        const double value = bases.profile(one, y + 0.3, x - 0.4);  // the centre lies between pixels
        sum += value, y_moment += value * (y + 0.3), x_moment += value * (x - 0.4);
      }
    const std::size_t n = bases.knots_px.size();
    EXPECT_NEAR(sum, 1.0, 1e-6);
    EXPECT_NEAR(y_moment, bases.knots_px[s / n], 1e-5);
    EXPECT_NEAR(x_moment, bases.knots_px[s % n], 1e-5);
  }
}

TEST(Bases, ProfilesAreSumsOfTheirBumps) {
  const Bases bases = usual();
  std::vector<double> both(bases.bumps(), 0.0), first = both, second = both;
  both[3] = first[3] = 2, both[20] = second[20] = -0.7;
  EXPECT_NEAR(bases.profile(both, -8, -4), bases.profile(first, -8, -4) + bases.profile(second, -8, -4), 1e-15);
  EXPECT_GT(bases.profile(first, bases.knots_px[0], bases.knots_px[3]), 0.1);
}

TEST(Bases, FittedFindsTheCoefficientsOfACourseOfTheirs) {
  const Bases bases = usual();
  std::vector<double> coefficients;
  for (std::size_t j = 0; j < bases.courses(); ++j) coefficients.push_back(std::sin(1.7 * static_cast<double>(j) + 0.4));
  EXPECT_LE(test::absolute_error(bases.fitted(bases.time_course(coefficients)), coefficients), 1e-8);
}

TEST(Bases, FittedFindsACourseOfFewLags) {
  for (const std::size_t lags : {13u, 16u, 25u}) {
    const Bases bases = usual(lags);
    std::vector<double> coefficients(bases.courses(), 0.3);
    coefficients[2] = -1;
    const std::vector<double> course = bases.time_course(coefficients);
    EXPECT_LE(test::absolute_error(bases.time_course(bases.fitted(course)), course), 1e-6) << lags << " lags";
  }
}

TEST(Bases, FittedIsNearestBySquares) {
  const Bases bases = usual();
  std::vector<double> wanted(bases.lags());
  for (std::size_t l = 0; l < wanted.size(); ++l) wanted[l] = l % 3 == 0 ? 1.0 : -0.2;
  const std::vector<double> nearest = bases.time_course(bases.fitted(wanted));
  for (std::size_t j = 0; j < bases.courses(); ++j) {  // what is left is orthogonal to every course
    double product = 0;
    for (std::size_t l = 0; l < wanted.size(); ++l) product += (wanted[l] - nearest[l]) * bases.course(j, l);
    EXPECT_NEAR(product, 0.0, 1e-9) << "course " << j;
  }
}

TEST(Bases, AGaussianIsOneAtTheBumpNextToItsPlace) {
  const Bases bases = usual();  // knots from -9 to 9 in steps of 1.5
  const std::size_t n = bases.knots_px.size();
  ASSERT_EQ(n, 13u);
  const std::vector<double> values = bases.gaussian(3.2, -4.4, 2.0);
  ASSERT_EQ(values.size(), bases.bumps());
  const std::size_t largest = static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
  EXPECT_EQ(values[largest], 1.0);
  EXPECT_EQ(bases.knots_px[largest / n], 3.0);
  EXPECT_EQ(bases.knots_px[largest % n], -4.5);
  // The next bump along x is 1.4 px from the place instead of 0.1, that along y 1.3 px instead of 0.2.
  EXPECT_NEAR(values[largest + 1] / values[largest], std::exp((0.1 * 0.1 - 1.4 * 1.4) / 8), 1e-12);
  EXPECT_NEAR(values[largest + n] / values[largest], std::exp((0.2 * 0.2 - 1.3 * 1.3) / 8), 1e-12);
}

}  // namespace
}  // namespace amacrine::pathway
