// SPDX-License-Identifier: Apache-2.0
#include "amacrine/stimulus/phenomena.hpp"

#include "support/screen.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::stimulus {
namespace {

using test::screen;

std::vector<double> flat(const Condition& condition, double hz) { return std::vector<double>(condition.frames, hz); }

/// A parabola with its top of `height` at `frame`, ten frames wide at its foot.
void add_bump(std::vector<double>& hz, double frame, double height) {
  for (std::size_t t = 0; t < hz.size(); ++t) {
    const double off = (static_cast<double>(t) - frame) / 5;
    hz[t] += height * std::max(0.0, 1 - off * off);
  }
}

CellResponses silent(const std::vector<Condition>& shown, double hz = 0) {
  CellResponses responses;
  for (const Condition& each : shown) responses.push_back(flat(each, hz));
  return responses;
}

/// A cell whose omitted response comes 62.5 ms after the omission: latency = period + 62.5 ms, slope 1.
CellResponses timed_cell(const std::vector<Condition>& shown, double rest, double osr_hz, double flash_hz) {
  CellResponses responses = silent(shown, rest);
  for (std::size_t k = 0; k < shown.size(); ++k) {
    add_bump(responses[k], shown[k].event("omitted") + 6.25, osr_hz);
    add_bump(responses[k], shown[k].event("last_flash") - 6, flash_hz);
  }
  return responses;
}

TEST(Peak, IsFoundBetweenFrames) {
  std::vector<double> hz(40, 1.0);
  add_bump(hz, 20.3, 8.0);
  const Peak peak = find_peak(hz);
  EXPECT_NEAR(peak.frame, 20.3, 1e-9);
  EXPECT_FALSE(peak.on_edge);
  EXPECT_TRUE(find_peak(std::vector<double>{5, 4, 3}).on_edge);
  EXPECT_TRUE(find_peak(std::vector<double>{3, 4, 5}).on_edge);
  EXPECT_NEAR(response_centroid(hz), 20.3, 0.05);
  EXPECT_TRUE(std::isnan(response_centroid(std::vector<double>(10, 0.0))));
}

TEST(Osr, LineOfATimedCell) {
  const auto shown = conditions(OsrProbe{}, screen);
  const OsrFigures f = reported(measure_osr(shown, timed_cell(shown, 2.0, 40.0, 10.0), screen, 2.0));
  EXPECT_EQ(f.overall, Presence::present);
  EXPECT_NEAR(f.slope, 1.0, 1e-9);
  EXPECT_NEAR(f.max_deviation_ms, 0.0, 1e-9);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(f.latency_ms[i], f.period_ms[i] + 62.5, 1e-9);
  // The highest sample lies a quarter of a frame off the top: 40 (1 - 0.05^2) + 2 against 10 + 2.
  EXPECT_NEAR(f.surprise_index, (41.9 - 12) / (41.9 + 12), 1e-9);
  EXPECT_NEAR(f.min_ratio, 41.9 / 12, 1e-9);
}

// A silent cell with a ripple too small to count: raw figures show the perfect slope, reported ones do not.
TEST(Osr, SilentCellIsAbsentNotSlopeOne) {
  const auto shown = conditions(OsrProbe{}, screen);
  const OsrFigures raw = measure_osr(shown, timed_cell(shown, 0.0, 0.01, 0.0), screen, 0.0);
  EXPECT_NEAR(raw.slope, 1.0, 1e-9);
  EXPECT_EQ(raw.overall, Presence::too_weak);
  const OsrFigures f = reported(raw);
  EXPECT_TRUE(std::isnan(f.slope) && std::isnan(f.latency_ms[2]) && std::isnan(f.surprise_index) && std::isnan(f.min_ratio));
  const OsrFigures constant = reported(measure_osr(shown, silent(shown, 20), screen, 20));
  EXPECT_EQ(constant.overall, Presence::too_weak);
  EXPECT_TRUE(std::isnan(constant.slope));
}

TEST(Osr, TailOfTheLastFlashIsOnTheEdge) {
  const auto shown = conditions(OsrProbe{}, screen);
  CellResponses responses = silent(shown);
  for (std::size_t k = 0; k < shown.size(); ++k)
    for (std::size_t t = static_cast<std::size_t>(shown[k].event("last_flash")); t < shown[k].frames; ++t)
      responses[k][t] = 80 * std::exp(-0.1 * static_cast<double>(static_cast<int>(t) - shown[k].event("last_flash")));
  const OsrFigures f = reported(measure_osr(shown, responses, screen, 0));
  EXPECT_EQ(f.overall, Presence::on_edge);
  EXPECT_TRUE(std::isnan(f.slope));
}

TEST(Osr, NoLargerThanTheOngoingResponse) {
  const auto shown = conditions(OsrProbe{}, screen);
  const OsrFigures f = reported(measure_osr(shown, timed_cell(shown, 0, 10, 40), screen, 0));
  EXPECT_EQ(f.overall, Presence::not_above_expected);
  EXPECT_LT(f.surprise_index, 0);
  EXPECT_NEAR(f.slope, 1.0, 1e-9);
}

TEST(Osr, SomePeriodsOnly) {
  const auto shown = conditions(OsrProbe{}, screen);
  CellResponses responses = timed_cell(shown, 0, 40, 5);
  responses[1] = flat(shown[1], 0);
  OsrFigures f = reported(measure_osr(shown, responses, screen, 0));
  EXPECT_EQ(f.overall, Presence::present);
  EXPECT_TRUE(std::isnan(f.latency_ms[1]));
  EXPECT_NEAR(f.slope, 1.0, 1e-9) << "the line is that of the other four";
  responses[0] = flat(shown[0], 0);
  responses[4] = flat(shown[4], 0);
  f = reported(measure_osr(shown, responses, screen, 0));
  EXPECT_EQ(f.overall, Presence::too_few);
  EXPECT_TRUE(std::isnan(f.slope));
}

TEST(Latency, ShiftAndSurprise) {
  auto shown = conditions(LatencyProbe{}, screen);
  OsrProbe train;
  for (Condition& each : conditions(train, screen)) shown.push_back(std::move(each));
  CellResponses responses = silent(shown, 1);
  for (std::size_t k = 0; k < 7; ++k) add_bump(responses[k], 45 + 12 - static_cast<double>(k) * 0.5, 10.0);
  const std::size_t period_100 = 7 + 2;
  add_bump(responses[period_100], shown[period_100].event("last_flash") - 5, 4.0);
  const LatencyFigures f = reported(measure_latency(shown, responses, screen, 1.0));
  EXPECT_EQ(f.overall, Presence::present);
  EXPECT_NEAR(f.latency_ms[0], 120, 1e-9);
  EXPECT_NEAR(f.total_shift_ms, 30, 1e-9);
  EXPECT_EQ(f.monotonic, 1);
  // Contrast -2 is the fifth: peak 11 Hz on a whole frame; the train's largest rate 5 Hz.
  EXPECT_NEAR(f.surprise_index, (11.0 - 5.0) / 16.0, 1e-9);
  EXPECT_EQ(measure_latency(shown, silent(shown, 1), screen, 1.0).overall, Presence::too_weak);
}

TEST(Latency, ConstantTimeToPeakIsNoLatencyCoding) {
  const auto shown = conditions(LatencyProbe{}, screen);
  CellResponses responses = silent(shown, 1);
  for (CellResponses::value_type& response : responses) add_bump(response, 45 + 9, 10.0);
  const LatencyFigures f = reported(measure_latency(shown, responses, screen, 1.0));
  EXPECT_EQ(f.overall, Presence::no_effect);
  EXPECT_NEAR(f.latency_ms[3], 90, 1e-9) << "there is a response all the same";
}

TEST(Reversal, FixedLatencyBurst) {
  const auto shown = conditions(ReversalProbe{}, screen);
  CellResponses responses = silent(shown, 1);
  for (std::size_t k = 0; k < shown.size(); ++k) {
    if (shown[k].family == Family::reversal) add_bump(responses[k], 130 + 13.5, 50);
    add_bump(responses[k], 100, 9);
  }
  const ReversalFigures f = reported(measure_reversal(shown, responses, screen, 1.0));
  EXPECT_EQ(f.overall, Presence::present);
  EXPECT_NEAR(f.latency_mean_ms, 135, 1e-6);
  EXPECT_NEAR(f.latency_sd_ms, 0, 1e-6);
  EXPECT_NEAR(f.smooth_peak_hz, 10, 1e-9);
  EXPECT_NEAR(f.ratio, (50 * 0.99 + 1) / 10, 1e-9);
  auto without_control = shown;
  without_control.erase(without_control.begin() + 1);
  CellResponses fewer = responses;
  fewer.erase(fewer.begin() + 1);
  EXPECT_THROW(measure_reversal(without_control, fewer, screen, 1.0), core::InputError);
}

TEST(Anticipation, LeadInBothDirections) {
  AnticipationProbe probe;
  named_probe(ParameterSet::circuits, probe);
  const auto shown = conditions(probe, screen);
  CellResponses responses = silent(shown, 2);
  // Both peaks 1.6 px before the centre: frame 40 + (14 - 1.6) / 0.08 = 195. The flashed profile is centred at +0.5 px.
  add_bump(responses[0], 195, 30);
  add_bump(responses[1], 195, 30);
  for (std::size_t k = 2; k < shown.size(); ++k) {
    const double x = shown[k].parameter("position_px") - 0.5;
    add_bump(responses[k], 40 + 8, 20 * std::max(0.0, 1 - std::abs(x) / 4));
  }
  const AnticipationFigures f = reported(measure_anticipation(shown, responses, screen, 2.0));
  EXPECT_EQ(f.overall, Presence::present);
  EXPECT_NEAR(f.directions[0].peak_um, -88, 1e-6);
  EXPECT_NEAR(f.directions[1].peak_um, -88, 1e-6);
  EXPECT_NEAR(f.flash_centre_um, 27.5, 1e-6);
  EXPECT_NEAR(f.directions[0].ahead_um, 88 + 27.5, 1e-6);
  EXPECT_NEAR(f.directions[1].ahead_um, 88 - 27.5, 1e-6);
  EXPECT_NEAR(f.directions[0].rate_at_centre_hz, 2.0, 1e-9);
  EXPECT_NEAR(f.surprise_index, (19.5 - 2) / (19.5 + 2), 1e-9);
  const AnticipationFigures none = reported(measure_anticipation(shown, silent(shown, 2), screen, 2.0));
  EXPECT_EQ(none.overall, Presence::too_weak);
  EXPECT_TRUE(std::isnan(none.directions[0].ahead_um) && std::isnan(none.surprise_index) && std::isnan(none.flash_centre_um));
}

// 110 um ahead one way and 99 um behind the other: the moving bar drives a place beside the centre. One way alone is a lead.
TEST(Anticipation, ADisplacedFieldIsNoLeadButOneDirectionIs) {
  AnticipationProbe probe;
  named_probe(ParameterSet::circuits, probe);
  const auto shown = conditions(probe, screen);
  CellResponses responses = silent(shown, 2);
  for (std::size_t k = 2; k < shown.size(); ++k)
    add_bump(responses[k], 48, 20 * std::max(0.0, 1 - std::abs(shown[k].parameter("position_px")) / 4));
  CellResponses one_way = responses;
  add_bump(responses[0], 190, 30);    // frame 40 + (14 - 2) / 0.08
  add_bump(responses[1], 237.5, 30);  // 1.8 px behind the centre
  const AnticipationFigures displaced = reported(measure_anticipation(shown, responses, screen, 2.0));
  EXPECT_NEAR(displaced.directions[0].ahead_um, 110, 1e-6);
  EXPECT_NEAR(displaced.directions[1].ahead_um, -99, 1e-6);
  EXPECT_EQ(displaced.overall, Presence::no_effect);
  EXPECT_EQ(displaced.directions[0].lead, Presence::no_effect);
  add_bump(one_way[0], 190, 30);
  add_bump(one_way[1], 217.5, 30);  // 0.2 px behind
  const AnticipationFigures one_sided = reported(measure_anticipation(shown, one_way, screen, 2.0));
  EXPECT_EQ(one_sided.overall, Presence::present);
  EXPECT_EQ(one_sided.directions[0].lead, Presence::present);
  EXPECT_EQ(one_sided.directions[1].lead, Presence::no_effect);
}

TEST(Phenomena, NotShownIsNotMeasured) {
  const std::vector<Condition> shown{grey_condition()};
  const PhenomenonFigures f = measure_phenomena(shown, silent(shown, 4), screen);
  EXPECT_EQ(f.rest_hz, 4);
  EXPECT_EQ(f.osr.overall, Presence::not_measured);
  EXPECT_EQ(f.latency.overall, Presence::not_measured);
  EXPECT_EQ(f.reversal.overall, Presence::not_measured);
  EXPECT_EQ(f.anticipation.overall, Presence::not_measured);
  EXPECT_TRUE(std::isnan(f.osr.slope) && std::isnan(f.reversal.latency_mean_ms) && std::isnan(f.anticipation.surprise_index));
}

TEST(Phenomena, ResponsesThatDoNotFitAreRefused) {
  const auto shown = conditions(OsrProbe{}, screen);
  CellResponses responses = silent(shown);
  responses.back().pop_back();
  EXPECT_THROW(measure_osr(shown, responses, screen, 0), core::InputError);
  responses.pop_back();
  EXPECT_THROW(measure_osr(shown, responses, screen, 0), core::InputError);
}

TEST(Presence, NamesFollowTheFlags) {
  EXPECT_EQ(presence_name(Presence::present), "present");
  EXPECT_EQ(presence_name(Presence::not_measured), "not_measured");
  EXPECT_EQ(presence_name(Presence::too_weak), "too_weak");
  EXPECT_EQ(presence_name(Presence::on_edge), "on_edge");
  EXPECT_EQ(presence_name(Presence::too_few), "too_few");
  EXPECT_EQ(presence_name(Presence::not_above_expected), "not_above_expected");
}

}  // namespace
}  // namespace amacrine::stimulus
