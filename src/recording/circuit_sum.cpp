// SPDX-License-Identifier: Apache-2.0
#include "circuit_sum.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::recording {
namespace {

/// What a unit of the second layer gets, before its rectifier.
double second_input(const SecondUnit& unit, const std::vector<double>& activity) {
  double sum = unit.bias;
  for (std::size_t i = 0; i < activity.size(); ++i) sum += unit.weights[i] * activity[i];
  return sum;
}

}  // namespace

double circuit_sum(const Circuit& circuit, const std::vector<double>& activity, const std::vector<bool>& silent) {
  double z = circuit.offset_hz;
  if (circuit.feed_forward()) {
    for (std::size_t i = 0; i < activity.size(); ++i) z += circuit.units[i].weight * activity[i];
    return z;
  }
  for (std::size_t j = 0; j < circuit.second.size(); ++j)
    if (silent.empty() || !silent[j]) z += circuit.second[j].weight_hz * std::max(0.0, second_input(circuit.second[j], activity));
  return z;
}

std::vector<double> secant_weights(const Circuit& circuit, const std::vector<double>& before, const std::vector<double>& now,
                                   const std::vector<bool>& silent) {
  std::vector<double> weights(now.size(), 0.0);
  if (circuit.feed_forward()) {
    for (std::size_t i = 0; i < now.size(); ++i) weights[i] = circuit.units[i].weight;
    return weights;
  }
  for (std::size_t j = 0; j < circuit.second.size(); ++j) {
    if (!silent.empty() && silent[j]) continue;
    const SecondUnit& unit = circuit.second[j];
    const double from = second_input(unit, before), to = second_input(unit, now);
    const bool moves = std::abs(to - from) > 1e-14;
    const double slope = moves ? (std::max(0.0, to) - std::max(0.0, from)) / (to - from) : to > 0 ? 1.0 : 0.0;
    for (std::size_t i = 0; i < now.size(); ++i) weights[i] += unit.weight_hz * unit.weights[i] * slope;
  }
  return weights;
}

}  // namespace amacrine::recording
