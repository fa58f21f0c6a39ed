// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/pathway/cell_data.hpp"

#include <span>
#include <vector>

namespace amacrine::pathway {

/// Sizes and units that the models of one cell share.
struct Shape {
  std::size_t bumps = 0, courses = 0;  ///< S, J
  double unit_hz = 30;                 ///< of rest and weights
  double frame_s = 0.01;

  std::size_t pathway_size() const { return bumps + courses + 2; }
  std::size_t size(std::size_t pathways) const { return 2 + pathways * pathway_size(); }
};

/// r = softplus(c + sum_k w_k max(0, (k_k * s)(t) + b_k)) in Hz, softplus(u) = log(1 + exp(beta u)) / beta, k_k a spatial profile
/// times a time course. Parameters as one flat block, all of order 1:
/// [c / unit, log beta (per Hz), then per pathway: S spatial coefficients, J temporal ones, threshold b, weight w / unit].
struct Model {
  std::vector<double> values;

  std::size_t pathways(const Shape& shape) const { return (values.size() - 2) / shape.pathway_size(); }
  double rest() const { return values[0]; }
  double beta() const;  ///< per Hz
  std::span<double> pathway(const Shape& shape, std::size_t k) {
    return std::span(values).subspan(2 + k * shape.pathway_size(), shape.pathway_size());
  }
  std::span<const double> pathway(const Shape& shape, std::size_t k) const {
    return std::span(values).subspan(2 + k * shape.pathway_size(), shape.pathway_size());
  }
  std::span<const double> space(const Shape& shape, std::size_t k) const { return pathway(shape, k).first(shape.bumps); }
  std::span<const double> time(const Shape& shape, std::size_t k) const {
    return pathway(shape, k).subspan(shape.bumps, shape.courses);
  }
  double threshold(const Shape& shape, std::size_t k) const { return pathway(shape, k)[shape.bumps + shape.courses]; }
  double weight(const Shape& shape, std::size_t k) const { return pathway(shape, k)[shape.bumps + shape.courses + 1]; }
};

/// A model without pathways that answers with the mean rate.
Model constant_model(const Shape& shape, double mean_hz);
/// `model` and one more pathway (S + J + 2).
Model with_pathway(const Model& model, std::span<const double> pathway);
/// `model` without pathway k; its mean contribution in Hz goes into the rest.
Model without_pathway(const Shape& shape, const Model& model, std::size_t k, double mean_hz);

}  // namespace amacrine::pathway
