// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/circuit_state.hpp"

#include "amacrine/core/errors.hpp"
#include "circuit_sum.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::recording {
namespace {

constexpr int substeps = 5;
constexpr double substep_ms = circuit_frame_ms / substeps;

/// Drives of all units to a full-field sequence of levels on a centred cell: every Gaussian sums to one, so space drops out.
double full_field_drive(const CircuitUnit& unit, const std::vector<double>& temporal, const std::vector<double>& level,
                        std::size_t frame) {
  double sum = 0;
  for (std::size_t lag = 0; lag < std::min(frame + 1, circuit_lags); ++lag) sum += temporal[lag] * level[frame - lag];
  return (1.0 - unit.kappa) * sum;
}

}  // namespace

CircuitState::CircuitState(const Circuit& circuit, const Lesion& lesion)
    : circuit_(circuit),
      dropped_(circuit.units.size(), false),
      linear_(circuit.units.size(), false),
      silent_(circuit.second.size(), false),
      depression_(!lesion.no_depression),
      inhibits_(!lesion.no_inhibition),
      feedback_(!lesion.no_feedback),
      membrane_(circuit.offset_hz) {
  const bool depresses = circuit.kind == CircuitKind::depressing_inhibition, adapts = circuit.kind == CircuitKind::gain_control;
  core::require<core::InputError>(circuit.stateless() || (lesion.dropped.empty() && lesion.linear.empty()),
                                  "units can be dropped or made linear in circuits without a state only, not in {}",
                                  circuit.name);
  core::require<core::InputError>(depresses || (depression_ && inhibits_), "circuit {} has no depressing inhibition to take out",
                                  circuit.name);
  core::require<core::InputError>(adapts || feedback_, "circuit {} has no feedback to take out", circuit.name);
  for (const std::string& name : lesion.dropped) {
    const auto second =
        std::find_if(circuit.second.begin(), circuit.second.end(), [&name](const SecondUnit& unit) { return unit.name == name; });
    if (second != circuit.second.end())
      silent_[static_cast<std::size_t>(second - circuit.second.begin())] = true;
    else
      dropped_[circuit.unit(name)] = true;
  }
  for (const std::string& name : lesion.linear) {
    if (name == "all")
      linear_.assign(linear_.size(), true);
    else
      linear_[circuit.unit(name)] = true;
  }
  if (!depression_) store_ = mean_store_in_train(circuit);
}

double CircuitState::step(const double* drive, double* contribution_hz) {
  switch (circuit_.kind) {
    case CircuitKind::depressing_inhibition:
      return depressing(drive, contribution_hz);
    case CircuitKind::gain_control:
      return gain_control(drive, contribution_hz);
    default:
      return stateless(drive, contribution_hz);
  }
}

double CircuitState::stateless(const double* drive, double* contribution_hz) const {
  std::vector<double> activity;
  for (std::size_t i = 0; i < circuit_.units.size(); ++i) {
    const double bias = circuit_.units[i].bias;
    // A linear unit keeps the activity it has on grey, so that only the stimulus-driven part changes.
    const double driven = linear_[i] ? drive[i] + std::max(bias, 0.0) : std::max(bias + drive[i], 0.0);
    activity.push_back(dropped_[i] ? 0.0 : driven);
  }
  if (contribution_hz) {
    const std::vector<double> weights = secant_weights(circuit_, activity, activity, silent_);
    for (std::size_t i = 0; i < activity.size(); ++i) contribution_hz[i] = weights[i] * activity[i];
  }
  return circuit_softplus(circuit_sum(circuit_, activity, silent_));
}

double CircuitState::depressing(const double* drive, double* contribution_hz) {
  const CircuitDynamics& d = circuit_.dynamics;
  const double amacrine = std::max(0.0, circuit_.units[0].bias + drive[0]);
  const double excitation = circuit_.units[1].weight * std::max(0.0, circuit_.units[1].bias + drive[1]);
  const double loss_per_ms = 1 / d.recovery_ms + d.release_per_ms * amacrine;
  const double settled = 1 / d.recovery_ms / loss_per_ms, keep = std::exp(-substep_ms * loss_per_ms);
  const double conductance_keep = std::exp(-substep_ms / d.inhibition_ms), membrane_keep = std::exp(-substep_ms / d.membrane_ms);
  double sum = 0;
  for (int k = 0; k < substeps; ++k) {
    if (depression_) store_ = settled + (store_ - settled) * keep;
    conductance_ *= conductance_keep;
    if (inhibits_) conductance_ += d.inhibition_hz * d.release_per_ms * amacrine * store_ * substep_ms;
    const double target = circuit_.offset_hz + excitation - conductance_;
    membrane_ = target + (membrane_ - target) * membrane_keep;
    sum += circuit_softplus(membrane_);
  }
  if (contribution_hz) {
    contribution_hz[0] = -conductance_;
    contribution_hz[1] = excitation;
  }
  return sum / substeps;
}

double CircuitState::gain_control(const double* drive, double* contribution_hz) {
  const CircuitDynamics& d = circuit_.dynamics;
  const double keep = std::exp(-substep_ms / d.adaptation_ms);
  double gain_sum = 0;
  for (int k = 0; k < substeps; ++k) {
    const double square = adaptation_ * adaptation_, gain = 1 / (1 + square * square);
    adaptation_ *= keep;
    if (feedback_) adaptation_ += d.feedback_per_ms * std::max(drive[0], 0.0) * gain * substep_ms;
    gain_sum += gain;
  }
  const double z = d.gain_hz * (drive[0] * gain_sum / substeps - d.threshold);
  if (contribution_hz) contribution_hz[0] = z;
  return circuit_softplus(z);
}

double mean_store_in_train(const Circuit& circuit) {
  constexpr std::size_t before = 60, cycle = 10, flashes = 12, last = before + (flashes - 1) * cycle, averaged = 6 * cycle;
  std::vector<double> level(last, 0.0);
  for (std::size_t frame = before; frame < last; ++frame) level[frame] = (frame - before) % cycle < 2 ? -2.0 : 0.0;
  std::vector<std::vector<double>> temporal;
  for (const CircuitUnit& unit : circuit.units) temporal.push_back(unit.temporal());
  CircuitState state(circuit, {});
  std::vector<double> drive(circuit.units.size());
  double sum = 0;
  for (std::size_t frame = 0; frame < last; ++frame) {
    for (std::size_t i = 0; i < drive.size(); ++i) drive[i] = full_field_drive(circuit.units[i], temporal[i], level, frame);
    state.step(drive.data());
    if (frame >= last - averaged) sum += state.store();
  }
  return sum / averaged;
}

double resting_rate(const Circuit& circuit) {
  CircuitState state(circuit, {});
  const std::vector<double> no_drive(circuit.units.size(), 0.0);
  double rate = state.step(no_drive.data());
  // 40 time constants of the slowest state that starts off its resting value, and no less than 2 s, are settled to rounding: the
  // membrane's, and where the inhibition is active on grey, those of its synapse.
  double slowest_ms = 0;
  if (circuit.kind == CircuitKind::depressing_inhibition) {
    const CircuitDynamics& d = circuit.dynamics;
    slowest_ms = circuit.units[0].bias > 0 ? std::max({d.membrane_ms, d.recovery_ms, d.inhibition_ms}) : d.membrane_ms;
  }
  const int frames = std::max(200, static_cast<int>(std::ceil(40 * slowest_ms / circuit_frame_ms)));
  for (int frame = 1; frame < frames; ++frame) rate = state.step(no_drive.data());
  return rate;
}

}  // namespace amacrine::recording
