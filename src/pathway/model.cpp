// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/model.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::pathway {

namespace {
constexpr double first_beta = 0.3;  ///< per Hz: the output is rounded over some Hz
}

double Model::beta() const { return std::exp(values[1]); }

Model constant_model(const Shape& shape, double mean_hz) {
  const double rate = std::max(mean_hz, 0.1);
  return {{std::log(std::expm1(first_beta * rate)) / first_beta / shape.unit_hz, std::log(first_beta)}};
}

Model with_pathway(const Model& model, std::span<const double> pathway) {
  Model larger = model;
  larger.values.insert(larger.values.end(), pathway.begin(), pathway.end());
  return larger;
}

Model without_pathway(const Shape& shape, const Model& model, std::size_t k, double mean_hz) {
  Model smaller = model;
  smaller.values[0] += mean_hz / shape.unit_hz;
  const auto first = smaller.values.begin() + static_cast<std::ptrdiff_t>(2 + k * shape.pathway_size());
  smaller.values.erase(first, first + static_cast<std::ptrdiff_t>(shape.pathway_size()));
  return smaller;
}

}  // namespace amacrine::pathway
