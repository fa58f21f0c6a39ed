// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/quadrature.hpp"

#include "amacrine/core/errors.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::attribution {

namespace {

/// Shorter panels near the path's start, alpha = t^2: on grey many units are near their thresholds, so that most of what happens
/// along a path happens early. Halving the panels keeps every other node.
void grade(Quadrature& q) {
  for (double& alpha : q.alpha) alpha *= alpha;
  for (std::size_t p = 0; p < q.weight.size(); ++p) q.weight[p] = q.alpha[p + 1] - q.alpha[p];
}

/// Intervals between successive nodes.
void pair_nodes(Quadrature& q) {
  q.from.clear();
  q.to.clear();
  for (int p = 0; p < q.panels; ++p) {
    q.from.push_back(p);
    q.to.push_back(p + 1);
  }
}

/// Each midpoint's panel from its own ends.
void add_panel_ends(Quadrature& q) {
  const int first_inner = q.nodes();
  for (int p = 1; p < q.panels; ++p) q.alpha.push_back(static_cast<double>(p) / q.panels);
  for (int p = 0; p < q.panels; ++p) {
    q.from.push_back(p == 0 ? q.start : first_inner + p - 1);
    q.to.push_back(p == q.panels - 1 ? q.end : first_inner + p);
  }
}

/// Half of the panels on either side of every node.
void pair_neighbours(Quadrature& q) {
  for (int k = 0; k <= q.panels; ++k) {
    q.from.push_back(std::max(0, k - 1));
    q.to.push_back(std::min(q.panels, k + 1));
  }
  q.step = 0.5;
}

}  // namespace

Quadrature make_quadrature(Rule rule, int panels, bool panel_ends) {
  core::require(panels >= 1, "a path needs at least one panel, {} were asked for", panels);
  const auto count = static_cast<std::size_t>(panels);
  Quadrature q;
  q.rule = rule;
  q.panels = panels;
  q.weight.assign(count, 1.0 / panels);
  if (rule == Rule::midpoint) {
    for (int p = 0; p < panels; ++p) q.alpha.push_back((p + 0.5) / panels);
    q.alpha.insert(q.alpha.end(), {0.0, 1.0});
    q.start = panels;
    q.end = panels + 1;
    if (panel_ends) add_panel_ends(q);
    return q;
  }
  for (int p = 0; p <= panels; ++p) q.alpha.push_back(static_cast<double>(p) / panels);
  q.end = panels;
  q.shift = rule == Rule::right ? 1 : 0;
  if (rule == Rule::secant) grade(q);
  if (rule == Rule::trapezoid) {
    q.weight.assign(count + 1, 1.0 / panels);
    q.weight.front() = q.weight.back() = 0.5 / panels;
    pair_neighbours(q);
  } else {
    pair_nodes(q);
  }
  return q;
}

RayQuadrature make_ray(const std::vector<double>& scales, int panels) {
  core::require(!scales.empty() && scales.back() == 1.0, "a ray's scales must end with 1");
  RayQuadrature ray{make_quadrature(Rule::secant, panels), {panels}};
  Quadrature& q = ray.quadrature;
  const double longest = q.weight.back();  // of a path's panels: its last
  for (double& alpha : q.alpha) alpha *= scales.front();
  q.alpha.back() = scales.front();
  for (std::size_t j = 1; j < scales.size(); ++j) {
    const double from = scales[j - 1], length = scales[j] - from;
    core::require(from > 0 && length > 0, "a ray's scales must be positive and ascend");
    const int count = std::max(1, static_cast<int>(std::ceil(length / (longest * scales[j]))));
    for (int k = 1; k < count; ++k) q.alpha.push_back(from + length * k / count);
    q.alpha.push_back(scales[j]);
    ray.marks.push_back(static_cast<int>(q.alpha.size()) - 1);
  }
  q.panels = q.end = static_cast<int>(q.alpha.size()) - 1;
  q.weight.clear();
  pair_nodes(q);
  for (std::size_t p = 0; p + 1 < q.alpha.size(); ++p) q.weight.push_back(q.alpha[p + 1] - q.alpha[p]);
  return ray;
}

}  // namespace amacrine::attribution
