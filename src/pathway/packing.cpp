// SPDX-License-Identifier: Apache-2.0
#include "packing.hpp"

namespace amacrine::pathway {

namespace {

void put(const std::vector<double>& values, std::vector<double>& message) {
  message.push_back(static_cast<double>(values.size()));
  message.insert(message.end(), values.begin(), values.end());
}

/// Reads a message from its beginning.
struct Source {
  const std::vector<double>& message;
  std::size_t at = 0;

  double value() { return message.at(at++); }
  std::size_t number() { return static_cast<std::size_t>(value()); }
  std::vector<double> values() {
    std::vector<double> list(number());
    for (double& v : list) v = value();
    return list;
  }
};

}  // namespace

void pack(const PackedFit& fit, std::vector<double>& message) {
  message.insert(message.end(), {static_cast<double>(fit.cell), static_cast<double>(fit.fold), fit.unit_hz, fit.scale,
                                 static_cast<double>(fit.steps.size())});
  for (const Step& step : fit.steps) {
    message.insert(message.end(), {step.loss, step.runner_up_loss});
    put(step.model.values, message);
    put(step.runner_up.values, message);
    put(step.held_out, message);
  }
}

std::vector<PackedFit> unpack(const std::vector<double>& message) {
  std::vector<PackedFit> fits;
  Source source{message};
  while (source.at < message.size()) {
    PackedFit fit;
    fit.cell = source.number(), fit.fold = source.number();
    fit.unit_hz = source.value(), fit.scale = source.value();
    fit.steps.resize(source.number());
    for (Step& step : fit.steps) {
      step.loss = source.value(), step.runner_up_loss = source.value();
      step.model.values = source.values();
      step.runner_up.values = source.values();
      step.held_out = source.values();
    }
    fits.push_back(std::move(fit));
  }
  return fits;
}

}  // namespace amacrine::pathway
