// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/quadrature.hpp"

#include "amacrine/core/errors.hpp"

#include <cmath>

namespace amacrine::attribution {

namespace {

/// Shorter panels near the path's start, alpha = t^(3/2): on grey many units are near their thresholds, so that most of what
/// happens along a path happens early. Halving the panels keeps every other node.
void grade(Quadrature& q) {
  for (double& alpha : q.alpha) alpha *= std::sqrt(alpha);
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

}  // namespace amacrine::attribution
