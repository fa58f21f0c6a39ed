// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/circuit.hpp"

#include "amacrine/core/random.hpp"
#include "amacrine/recording/circuit_stream.hpp"
#include "circuit_support.hpp"

#include <cmath>

namespace amacrine::recording {
namespace {

using nlohmann::json;
using namespace published;

using test::centre;
using test::screen;

core::Array<float, 3> noise_movie(std::size_t frames, std::uint64_t seed) {
  core::Array<float, 3> movie({frames, 50, 50});
  core::Random random(seed, core::Stream::test);
  for (float& pixel : movie.values()) pixel = static_cast<float>(random.normal());
  return movie;
}

TEST(Circuit, KernelsKeepTheirNorms) {
  for (const std::string& name : circuit_names()) {
    for (const CircuitUnit& unit : circuit(name).units) {
      double sum = 0, mass = 0;
      for (const double value : unit.temporal()) sum += std::abs(value);
      for (const double value : unit.spatial(screen, centre)) mass += value;
      EXPECT_NEAR(sum, 1.0, 1e-12) << name << " " << unit.name;
      EXPECT_NEAR(mass, 1.0 - unit.kappa, 1e-12) << name << " " << unit.name;
      EXPECT_EQ(unit.temporal()[0], 0.0);
    }
  }
}

// The definition written out for one window of noise, without projections, streams or shared kernels.
TEST(Circuit, RateIsTheDefinitionWrittenOut) {
  const core::Array<float, 3> movie = noise_movie(60, 3);
  const stimulus::Centre off_centre{20.0, 30.5};
  const auto gauss = [](double d2, double sigma) { return std::exp(-d2 / (2 * sigma * sigma)); };
  for (const std::string name : {"osr", "latency", "reversal", "anticipation"}) {
    const Circuit& cell = circuit(name);
    const CircuitResponse response = respond(cell, movie, screen, off_centre);
    double z = cell.offset_hz;
    for (std::size_t u = 0; u < cell.units.size(); ++u) {
      const CircuitUnit& unit = cell.units[u];
      double norm = 0, centre_mass = 0, surround_mass = 0;
      std::vector<double> k(40, 0.0);
      for (int l = 1; l < 40; ++l) {
        const double a = 10.0 * l / unit.p1_ms, b = 10.0 * l / unit.p2_ms;
        k[static_cast<std::size_t>(l)] =
            std::pow(a, unit.n1) * std::exp(unit.n1 * (1 - a)) - unit.rho * std::pow(b, unit.n2) * std::exp(unit.n2 * (1 - b));
        norm += std::abs(k[static_cast<std::size_t>(l)]);
      }
      const auto distance2 = [&](std::size_t y, std::size_t x) {
        return std::pow(static_cast<double>(y) - off_centre.y, 2) +
               std::pow(static_cast<double>(x) - off_centre.x - unit.dx_px, 2);
      };
      for (std::size_t y = 0; y < 50; ++y)
        for (std::size_t x = 0; x < 50; ++x) {
          centre_mass += gauss(distance2(y, x), unit.sigma_centre_px);
          surround_mass += gauss(distance2(y, x), unit.sigma_surround_px);
        }
      double drive = 0;
      for (std::size_t y = 0; y < 50; ++y)
        for (std::size_t x = 0; x < 50; ++x) {
          const double g = gauss(distance2(y, x), unit.sigma_centre_px) / centre_mass -
                           unit.kappa * gauss(distance2(y, x), unit.sigma_surround_px) / surround_mass;
          for (std::size_t l = 0; l < 40; ++l)
            drive += unit.polarity * k[l] / norm * g * static_cast<double>(movie(59 - l, y, x));
        }
      const double added = unit.weight * std::max(0.0, unit.bias + drive);
      EXPECT_NEAR(response.contribution_hz(u, 59), added, 1e-9);
      z += added;
    }
    EXPECT_NEAR(response.rate_hz[59], std::log(1 + std::exp(0.3 * z)) / 0.3, 1e-9) << name;
  }
}

TEST(Circuit, StreamsInBlocksGiveTheSameBits) {
  const core::Array<float, 3> movie = noise_movie(150, 4);
  for (const std::string& name : circuit_names()) {
    const CircuitResponse whole = respond(circuit(name), movie, screen, centre);
    CircuitStream stream(circuit(name), screen, centre);
    std::vector<double> rate(150);
    for (const auto& [first, frames] : {std::pair{0, 1}, {1, 17}, {18, 62}, {80, 70}})
      stream.feed(movie.row(static_cast<std::size_t>(first)).data(), static_cast<std::size_t>(frames),
                  &rate[static_cast<std::size_t>(first)]);
    EXPECT_EQ(rate, whole.rate_hz) << name;
  }
}

TEST(Circuit, FrozenSynapseIsTheMeanOfItsTrain) {
  EXPECT_NEAR(mean_store_in_train(circuit("osr_depressing")),
              targets()["osr_depressing"]["mean_store_in_100_ms_train"].get<double>(), 6e-5);
}

TEST(Circuit, UnknownNamesAreRefused) {
  EXPECT_THROW(circuit("osrr"), core::InputError);
  EXPECT_THROW(circuit("osr").unit("ON"), core::InputError);
  EXPECT_THROW(CircuitState(circuit("osr"), {.no_feedback = true}), core::InputError);
  EXPECT_THROW(CircuitState(circuit("osr"), {.dropped = {"ON_medium"}}), core::InputError);
  EXPECT_THROW(CircuitState(circuit("anticipation_gain_control"), {.linear = {"all"}}), core::InputError);
}

void expect_attribution(const CircuitAttribution& a, const json& target, const std::string& what) {
  // Drives and activities are published with four decimals.
  expect_close(a.drive, target["drive"], 1e-4, what + " drive");
  expect_close(a.activity, target["hidden"], 1e-4, what + " activity");
  expect_close(a.contribution_hz, target["contribution_hz"], hz_floor, what + " contribution");
  expect_close(a.attribution_hz, target["attribution_hz"], hz_floor, what + " attribution");
  expect_close(a.rate_hz, target["rate_hz"], hz_floor, what + " rate");
  expect_close(a.rate_grey_hz, target["rate_grey_hz"], hz_floor, what + " grey");
  EXPECT_NEAR(a.completeness_error_hz, 0.0, 1e-4) << what;
}

std::size_t frame_of(const json& target) { return target["frame"].get<std::size_t>(); }

TEST(CircuitAttribution, AtTheOsrPeak) {
  for (const std::string name : {"osr", "osr_alt"}) {
    for (const auto& condition : stimulus::conditions(stimulus::OsrProbe{}, screen)) {
      const json& target =
          targets()[name]["attribution_at_osr_peak"][std::to_string(std::lround(condition.parameter("period_ms")))];
      const auto movie = stimulus::render(condition, screen, centre).contrast;
      expect_attribution(attribute(circuit(name), movie, screen, centre, frame_of(target)), target, name + " " + condition.name);
    }
  }
}

TEST(CircuitAttribution, AtTheLatencyPeakAndAlongItsResponse) {
  stimulus::LatencyProbe probe;
  probe.contrasts = {-0.5, -1, -2, -3};
  for (const auto& condition : stimulus::conditions(probe, screen)) {
    const auto movie = stimulus::render(condition, screen, centre).contrast;
    const json& target = targets()["latency"]["attribution_at_peak"][fmt::format("{:g}", condition.parameter("contrast"))];
    expect_attribution(attribute(circuit("latency"), movie, screen, centre, frame_of(target)), target, condition.name);
  }
}

void expect_trace(const std::string& name, const core::Array<float, 3>& movie, const json& target) {
  const auto first = target["frame_from"].get<std::size_t>();
  for (std::size_t t = 0; t < target["rate_hz"].size(); ++t) {
    const CircuitAttribution a = attribute(circuit(name), movie, screen, centre, first + t);
    const std::string what = name + " trace " + std::to_string(t);
    expect_close(a.rate_hz, target["rate_hz"][t], hz_floor, what);
    expect_close(a.attribution_hz, target["attribution_hz"][t], hz_floor, what);
    expect_close(a.contribution_hz, target["contribution_hz"][t], hz_floor, what);
  }
}

TEST(CircuitAttribution, TracesFrameByFrame) {
  stimulus::OsrProbe train;
  train.periods_ms = {100};
  const auto osr = stimulus::conditions(train, screen).front();
  expect_trace("osr", stimulus::render(osr, screen, centre).contrast, targets()["osr"]["attribution_trace_period_100"]);
  stimulus::LatencyProbe flash;
  flash.contrasts = {-2};
  const auto latency = stimulus::conditions(flash, screen).front();
  expect_trace("latency", stimulus::render(latency, screen, centre).contrast,
               targets()["latency"]["attribution_trace_contrast_-2"]);
  stimulus::AnticipationProbe bar;
  const auto moving = stimulus::conditions(bar, screen).front();
  const auto movie = stimulus::render(moving, screen, centre).contrast;
  expect_trace("anticipation", movie, targets()["anticipation"]["attribution_trace_rightward"]);
  const json& peak = targets()["anticipation"]["attribution_at_moving_peak_rightward"];
  expect_attribution(attribute(circuit("anticipation"), movie, screen, centre, frame_of(peak)), peak, "moving peak");
  EXPECT_NEAR(moving.bar_px[frame_of(peak)], peak["bar_px"].get<double>(), 1e-4);
}

TEST(CircuitAttribution, AtTheReversalBurst) {
  stimulus::ReversalProbe probe;
  probe.positions_px = {0};
  const auto turning = stimulus::conditions(probe, screen).front();
  const json& target = targets()["reversal"]["attribution_at_burst_xr0_rightward"];
  expect_attribution(
      attribute(circuit("reversal"), stimulus::render(turning, screen, centre).contrast, screen, centre, frame_of(target)),
      target, "burst");
}

}  // namespace
}  // namespace amacrine::recording
