// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/settings.hpp"

#include <vector>

namespace amacrine::attribution {

/// A rule on [0, 1] as nodes and intervals. The network runs forward at every node; a gradient is pushed back for every interval.
/// Interval p of a secant uses the slopes between nodes p and p + 1, of any other rule the derivatives at node p + shift.
struct Quadrature {
  Rule rule = Rule::secant;
  int panels = 0;
  std::vector<double> alpha;   ///< (K) nodes, the path's two ends among them
  std::vector<double> weight;  ///< (L) per interval, their sum is 1
  int shift = 0;
  int start = 0, end = 0;  ///< nodes at alpha = 0 and alpha = 1
  /// What a quantity h that is no straight function of alpha adds in an interval: Int g dh ~ sum_p step g_p (h(to_p) -
  /// h(from_p)). (L) nodes; empty for midpoints whose panels' ends are not among the nodes.
  std::vector<int> from, to;
  double step = 1.0;

  bool secant() const { return rule == Rule::secant; }
  int nodes() const { return static_cast<int>(alpha.size()); }
  int intervals() const { return static_cast<int>(weight.size()); }
};

/// `panels` panels of equal length; those of a secant are shorter near the start. Trapezoid: the two ends have half weight (the
/// weights sum to one). `panel_ends`: midpoints have their panels' ends as further nodes, behind the others.
Quadrature make_quadrature(Rule rule, int panels, bool panel_ends = false);

/// One path for a contrast series, scales ascending to 1: the shortest has `panels` panels, and each longer one as many more as
/// keep its panels no longer than those of its own path of `panels` panels. marks: the nodes at the scales.
struct RayQuadrature {
  Quadrature quadrature;
  std::vector<int> marks;
};
RayQuadrature make_ray(const std::vector<double>& scales, int panels);

}  // namespace amacrine::attribution
