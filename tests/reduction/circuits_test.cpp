// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/reduce.hpp"
#include "circuit_layer.hpp"

#include <map>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

/// The reduction on cells whose mechanism is known: it must find their own units, labels and signs, and its model must stand in
/// for them on periods, contrasts and positions it was not fitted to.
namespace amacrine::reduction {
namespace {

CellReduction reduce(const recording::Circuit& circuit, const std::vector<stimulus::Condition>& shown,
                     AttributedCell* out = nullptr) {
  const FirstLayer layer = testing::layer_of(circuit);
  const ReductionSettings settings;
  const AttributedCell cell = testing::attribute(circuit, shown, settings.held_out_every);
  if (out != nullptr) *out = cell;
  const CellReduction result = reduce_cell(layer, lines_of(layer, true), label_channels(layer, settings), cell, settings);
  std::fputs(table(result, layer).c_str(), stdout);
  return result;
}

/// All planted units are found, and called what they are.
void expect_own_units(const Reduction& reduction, const recording::Circuit& circuit) {
  std::set<int> found;
  for (const Pathway& pathway : reduction.pathways) {
    const auto& unit = circuit.units[static_cast<std::size_t>(pathway.channel)];
    SCOPED_TRACE(unit.name);
    found.insert(pathway.channel);
    EXPECT_EQ(pathway.polarity, unit.polarity);
    EXPECT_EQ(pathway.influence.sign, unit.weight > 0 ? 1 : -1);
    EXPECT_NEAR(pathway.position_px, unit.dx_px, 0.1);
    EXPECT_NEAR(pathway.threshold, unit.bias, 1e-6);
  }
  EXPECT_EQ(found.size(), circuit.units.size());
  EXPECT_EQ(reduction.pathways.size(), circuit.units.size());
}

void expect_stands_in(const Reduction& reduction) {
  EXPECT_GT(reduction.fitted.r, 0.99);
  EXPECT_GT(reduction.held_out.r, 0.99);
  EXPECT_GT(reduction.held_out.fve, 0.98);
}

const Pathway& of_unit(const Reduction& reduction, const recording::Circuit& circuit, const std::string& unit) {
  for (const Pathway& pathway : reduction.pathways)
    if (pathway.channel == static_cast<int>(circuit.unit(unit))) return pathway;
  throw std::runtime_error("no pathway for " + unit);
}

TEST(FullCircuits, OmittedStimulusResponse) {
  const auto& circuit = recording::circuit("osr");
  AttributedCell cell;
  const auto result = reduce(circuit, stimulus::conditions(stimulus::OsrProbe{}, stimulus::Screen{}), &cell);
  const Reduction& osr = result.stimuli.at(0);
  expect_own_units(osr, circuit);
  expect_stands_in(osr);
  EXPECT_EQ(of_unit(osr, circuit, "ON_fast").speed, 1);
  EXPECT_EQ(of_unit(osr, circuit, "ON_slow").speed, -1);
  // The silent tonic inhibition is a positive attribution: +24 Hz at the peak for period 100 ms, while w h is 0.
  const Pathway& inhibition = of_unit(osr, circuit, "OFF_inh");
  EXPECT_NEAR(summed(inhibition, cell.conditions.at(2).attribution, 186), 23.6712, 0.01);
  EXPECT_NEAR(cell.conditions.at(2).rate.at(186), 44.1655, 0.001);
  EXPECT_TRUE(inhibition.disinhibition());
}

TEST(FullCircuits, OtherOmittedStimulusCell) {
  const auto& circuit = recording::circuit("osr_alt");
  const auto result = reduce(circuit, stimulus::conditions(stimulus::OsrProbe{}, stimulus::Screen{}));
  expect_own_units(result.stimuli.at(0), circuit);
  expect_stands_in(result.stimuli.at(0));
  EXPECT_EQ(of_unit(result.stimuli[0], circuit, "ON_fast").speed, 1);
  EXPECT_EQ(of_unit(result.stimuli[0], circuit, "ON_slow").speed, -1);
}

TEST(FullCircuits, LatencyCoding) {
  const auto& circuit = recording::circuit("latency");
  const auto result = reduce(circuit, stimulus::conditions(stimulus::LatencyProbe{}, stimulus::Screen{}));
  expect_own_units(result.stimuli.at(0), circuit);
  expect_stands_in(result.stimuli.at(0));
}

TEST(FullCircuits, MotionReversal) {
  const auto& circuit = recording::circuit("reversal");
  stimulus::ReversalProbe probe;
  probe.positions_px = {-3, -1.5, 0, 1.5, 3};
  const auto result = reduce(circuit, stimulus::conditions(probe, stimulus::Screen{}));
  expect_own_units(result.stimuli.at(0), circuit);
  expect_stands_in(result.stimuli.at(0));
}

TEST(FullCircuits, MotionAnticipation) {
  const auto& circuit = recording::circuit("anticipation");
  stimulus::AnticipationProbe probe;
  probe.flash_positions_px = {-6, -4, -2, 0, 2, 4, 6};
  const auto result = reduce(circuit, stimulus::conditions(probe, stimulus::Screen{}));
  expect_own_units(result.stimuli.at(0), circuit);
  expect_stands_in(result.stimuli.at(0));
}

TEST(FullCircuits, OneSetServesAllStimuliOfACell) {
  const auto& circuit = recording::circuit("osr");
  const stimulus::Screen screen;
  auto shown = stimulus::conditions(stimulus::OsrProbe{}, screen);
  for (const auto& condition : stimulus::conditions(stimulus::LatencyProbe{}, screen)) shown.push_back(condition);
  stimulus::ReversalProbe reversal;
  reversal.positions_px = {0};
  for (const auto& condition : stimulus::conditions(reversal, screen)) shown.push_back(condition);
  const auto result = reduce(circuit, shown);
  expect_own_units(result.joint, circuit);
  expect_stands_in(result.joint);
  for (std::size_t s = 0; s < result.stimuli.size(); ++s)
    EXPECT_GT(result.joint_held_out[s].r, 0.99) << result.stimuli[s].stimulus;
  // The circuit has one set of weights, so the joint fit recovers them; the fits to single stimuli need not.
  for (std::size_t i = 0; i < result.joint.pathways.size(); ++i) {
    const auto& unit = circuit.units[static_cast<std::size_t>(result.joint.pathways[i].channel)];
    EXPECT_NEAR(result.joint.model.weight[i], unit.weight, 0.02 * std::abs(unit.weight)) << unit.name;
    EXPECT_NEAR(result.joint.model.threshold[i], unit.bias, 0.01) << unit.name;
  }
}

TEST(FullCircuits, AStimulusWithoutResponseHasNoPathways) {
  // Centre and surround of the reversal cell's sub-units cancel under a full field: it stays at rest.
  const auto& circuit = recording::circuit("reversal");
  auto shown = stimulus::conditions(stimulus::LatencyProbe{}, stimulus::Screen{});
  stimulus::ReversalProbe reversal;
  reversal.positions_px = {-1, 0, 1};
  for (const auto& condition : stimulus::conditions(reversal, stimulus::Screen{})) shown.push_back(condition);
  const auto result = reduce(circuit, shown);
  EXPECT_TRUE(result.stimuli.at(0).pathways.empty());
  EXPECT_TRUE(std::isnan(result.stimuli[0].fitted.r));
  EXPECT_TRUE(std::isnan(result.joint_fitted[0].r));
  expect_own_units(result.joint, circuit);
  EXPECT_NEAR(result.joint.share_kept, 1.0, 1e-9) << "a silent stimulus takes no part in the ranking";
}

TEST(FullCircuits, LesionsPredictTheLesionedCircuit) {
  const auto& circuit = recording::circuit("latency");
  const auto shown = stimulus::conditions(stimulus::LatencyProbe{}, stimulus::Screen{});
  const auto result = reduce(circuit, shown);
  const Reduction& reduction = result.stimuli.at(0);
  for (std::size_t i = 0; i < reduction.pathways.size(); ++i) {
    if (reduction.pathways[i].channel != static_cast<int>(circuit.unit("ON_inh"))) continue;
    recording::Lesion lesion;
    lesion.dropped = {"ON_inh"};
    std::vector<double> truth, predicted;
    std::size_t row = 0;
    for (const auto& condition : shown) {
      const auto movie = stimulus::render(condition, stimulus::Screen{}, stimulus::Centre{});
      const auto response = recording::respond(circuit, movie.contrast, stimulus::Screen{}, stimulus::Centre{}, lesion);
      for (double rate : response.rate_hz) {
        truth.push_back(rate);
        predicted.push_back(reduction.lesioned(i, 0, row++));
      }
    }
    EXPECT_GT(score(predicted, truth, std::vector<bool>(truth.size(), true)).r, 0.99);
  }
}

/// Only the 400 ms after `event`, as attributions are stored by default.
void keep_window(AttributedCondition& condition, int event) {
  const std::size_t first = static_cast<std::size_t>(event), frames = std::min<std::size_t>(40, condition.size() - first);
  const std::size_t units = condition.attribution.extent(1);
  const AttributedCondition whole = condition;
  condition.rate.assign(whole.rate.begin() + event, whole.rate.begin() + event + static_cast<std::ptrdiff_t>(frames));
  condition.frames.assign(whole.frames.begin() + event, whole.frames.begin() + event + static_cast<std::ptrdiff_t>(frames));
  condition.attribution = condition.drive = condition.downstream = core::Array<double, 3>({frames, units, 1});
  for (std::size_t t = 0; t < frames; ++t)
    for (std::size_t u = 0; u < units; ++u) {
      condition.attribution(t, u, 0) = whole.attribution(first + t, u, 0);
      condition.drive(t, u, 0) = whole.drive(first + t, u, 0);
    }
}

TEST(FullCircuits, TheWindowAfterTheEventIsEnough) {
  const stimulus::Screen screen;
  stimulus::ReversalProbe reversal;
  reversal.positions_px = {-3, -1.5, 0, 1.5, 3};
  const std::vector<std::tuple<std::string, std::string, std::vector<stimulus::Condition>>> cases{
      {"osr", "last_flash", stimulus::conditions(stimulus::OsrProbe{}, screen)},
      {"osr_alt", "last_flash", stimulus::conditions(stimulus::OsrProbe{}, screen)},
      {"latency", "onset", stimulus::conditions(stimulus::LatencyProbe{}, screen)},
      {"reversal", "reversal", stimulus::conditions(reversal, screen)}};
  for (const auto& [name, event, shown] : cases) {
    SCOPED_TRACE(name);
    const auto& circuit = recording::circuit(name);
    const FirstLayer layer = testing::layer_of(circuit);
    const ReductionSettings settings;
    AttributedCell cell;
    cell.name = name;
    for (const auto& condition : shown) {
      if (condition.event(event) < 0) continue;
      cell.conditions.push_back(testing::attribute(circuit, condition));
      keep_window(cell.conditions.back(), condition.event(event));
    }
    cell.rest = testing::attribute(circuit, {}, 0).rest;
    mark_held_out(cell.conditions, settings.held_out_every);
    const auto result = reduce_cell(layer, lines_of(layer, true), label_channels(layer, settings), cell, settings);
    std::fputs(table(result, layer).c_str(), stdout);
    expect_own_units(result.stimuli.at(0), circuit);
    expect_stands_in(result.stimuli.at(0));
  }
}

}  // namespace
}  // namespace amacrine::reduction
