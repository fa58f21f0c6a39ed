// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/circuit_stream.hpp"
#include "amacrine/stimulus/ensemble.hpp"
#include "circuit_support.hpp"

#include <array>
#include <cmath>

namespace amacrine::recording {
namespace {

using test::centre;
using test::screen;

/// Mean and standard deviation of a rate over 120 s of the natural ensemble or 60 s of white noise, and how far they spread from
/// movie to movie: means and standard deviations over 12 seeds of an independent implementation of ensembles and circuits.
struct Band {
  const char* circuit;
  double mean, mean_spread, sd, sd_spread;
};
constexpr std::array<Band, 7> natural{{{"osr", 15.07, 0.91, 27.7, 1.46},
                                       {"osr_alt", 12.93, 0.59, 26.7, 1.45},
                                       {"latency", 3.77, 0.26, 15.6, 0.88},
                                       {"reversal", 13.3, 1.89, 32.9, 5.5},
                                       {"anticipation", 9.06, 0.51, 17.2, 0.68},
                                       {"osr_depressing", 19.0, 2.6, 42.6, 3.9},
                                       {"anticipation_gain_control", 8.72, 0.36, 18.0, 0.36}}};
constexpr std::array<Band, 7> white{{{"osr", 6.08, 0.25, 11.26, 0.35},
                                     {"osr_alt", 8.36, 0.35, 13.5, 0.42},
                                     {"latency", 4.17, 0.23, 8.76, 0.25},
                                     {"reversal", 2.19, 0.124, 3.04, 0.33},
                                     {"anticipation", 7.26, 0.19, 7.94, 0.21},
                                     {"osr_depressing", 2.45, 0.22, 6.02, 0.32},
                                     {"anticipation_gain_control", 6.15, 0.19, 11.2, 0.39}}};

struct Summary {
  double mean = 0, sd = 0;
};

Summary summarise(const std::vector<double>& rate) {
  constexpr std::size_t dropped = 40;
  const auto n = static_cast<double>(rate.size() - dropped);
  Summary s;
  for (std::size_t t = dropped; t < rate.size(); ++t) s.mean += rate[t] / n;
  for (std::size_t t = dropped; t < rate.size(); ++t) s.sd += (rate[t] - s.mean) * (rate[t] - s.mean) / n;
  s.sd = std::sqrt(s.sd);
  return s;
}

/// What the cells with bands answer to the movie as stored: quantised. Made and fed in blocks of a second.
template <class Make>
std::vector<Summary> record(std::size_t frames, const Make& make) {
  constexpr std::size_t block = 100;
  std::vector<CircuitStream> streams;
  for (const Band& band : natural) streams.emplace_back(circuit(band.circuit), screen, centre);
  std::vector<std::vector<double>> rate(streams.size(), std::vector<double>(frames));
  std::vector<float> movie(block * 2500);
  for (std::size_t first = 0; first < frames; first += block) {
    make(first, movie.data());
    for (float& value : movie) value = stimulus::contrast_of(stimulus::quantise(value));
    for (std::size_t k = 0; k < streams.size(); ++k) streams[k].feed(movie.data(), block, &rate[k][first]);
  }
  std::vector<Summary> summaries;
  for (const auto& each : rate) summaries.push_back(summarise(each));
  return summaries;
}

/// Each movie within 4 spreads, their mean within 4 standard errors of the difference from the mean of the 12.
void expect_bands(const std::vector<std::vector<Summary>>& movies, const std::array<Band, 7>& bands) {
  const double few = static_cast<double>(movies.size()), together = 4 * std::sqrt(1 / few + 1 / 12.0);
  for (std::size_t k = 0; k < bands.size(); ++k) {
    const Band& band = bands[k];
    ASSERT_STREQ(band.circuit, natural[k].circuit);
    double mean = 0, sd = 0;
    for (const auto& movie : movies) {
      EXPECT_NEAR(movie[k].mean, band.mean, 4 * band.mean_spread) << band.circuit;
      EXPECT_NEAR(movie[k].sd, band.sd, 4 * band.sd_spread) << band.circuit;
      mean += movie[k].mean / few;
      sd += movie[k].sd / few;
    }
    EXPECT_NEAR(mean, band.mean, together * band.mean_spread) << band.circuit;
    EXPECT_NEAR(sd, band.sd, together * band.sd_spread) << band.circuit;
  }
}

TEST(FullCircuitEnsemble, RatesOnNaturalMovies) {
  std::vector<std::vector<Summary>> movies;
  for (const std::uint64_t seed : {11, 12, 13, 14})
    movies.push_back(record(12000, [seed](std::size_t first, float* out) {
      stimulus::natural_fixation(stimulus::NaturalSettings{}, seed, first / 100, screen, out);
    }));
  expect_bands(movies, natural);
}

TEST(FullCircuitEnsemble, RatesOnWhiteNoise) {
  std::vector<std::vector<Summary>> movies;
  for (const std::uint64_t seed : {11, 12, 13, 14})
    movies.push_back(record(6000, [seed](std::size_t first, float* out) {
      stimulus::white_frames(stimulus::WhiteSettings{}, seed, first, 100, screen, out);
    }));
  expect_bands(movies, white);
}

}  // namespace
}  // namespace amacrine::recording
