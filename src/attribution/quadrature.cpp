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

}  // namespace

Quadrature make_quadrature(Rule rule, int panels) {
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
    return q;
  }
  for (int p = 0; p <= panels; ++p) q.alpha.push_back(static_cast<double>(p) / panels);
  q.end = panels;
  q.shift = rule == Rule::right ? 1 : 0;
  if (rule == Rule::secant) grade(q);
  if (rule == Rule::trapezoid) {
    q.weight.assign(count + 1, 1.0 / panels);
    q.weight.front() = q.weight.back() = 0.5 / panels;
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
  for (std::size_t p = 0; p + 1 < q.alpha.size(); ++p) q.weight.push_back(q.alpha[p + 1] - q.alpha[p]);
  return ray;
}

}  // namespace amacrine::attribution
