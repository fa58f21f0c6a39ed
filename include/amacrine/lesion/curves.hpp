// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/array.hpp"

#include <cstddef>
#include <string>
#include <vector>

/// How much of a response is left where only some units, or all but these, keep their activity: curves and their areas.
namespace amacrine::lesion {

/// A number of units, and the part of all units that it stands for.
struct Size {
  double fraction = 0;
  std::size_t units = 0;
};

/// Numbers of units from none to all: parts 1, 2 and 5 times powers of ten, from one unit on, which include the circuit sizes of
/// MIB (0.001 ... 1) where there are enough units; every number of up to 32 units. Rising, each number once.
std::vector<Size> sizes_of(std::size_t units);

/// Responses r_w(m) of W windows at K sizes, whose ends are known: `full` (W) with all units, `rest` with none.
struct Curve {
  std::vector<double> faithfulness;  ///< (K) f(m) = sum_w sign(d_w) (r_w(m) - rest) / sum_w |d_w|, d_w = r_w - rest
  std::vector<double> distance;      ///< (K) sum_w |r_w(m) - r_w| / sum_w |d_w|
};

/// `responses` (K, W). f is the mean over windows of each one's own (r_w(m) - rest) / d_w with the weight |d_w|, the distance
/// that of |1 - f_w(m)|: windows that hardly respond count little in both. Exactly 0 and 1 where r_w(m) is `rest` and `full`. NaN
/// where no window responds.
Curve curve(const core::Array<double, 2>& responses, const std::vector<double>& full, double rest);

/// Areas under values (K) by the trapezoid rule, from the first size that is at least 0.1 % of the units on.
struct Areas {
  double linear = 0;  ///< over the part of units: the area of MIB
  double log = 0;     ///< over the logarithm of the part, divided by its range: every decade counts alike
};
Areas areas(const std::vector<Size>& sizes, const std::vector<double>& values);

/// Figures of the two curves of an order. MIB: Mueller et al., "MIB: A Mechanistic Interpretability Benchmark", ICML 2025,
/// arXiv:2504.13151.
struct Summary {
  Areas cpr;          ///< under f where the first units of the order are kept (MIB's circuit performance ratio)
  Areas cmd;          ///< under |1 - f| (MIB's circuit-model distance)
  Areas cmd_windows;  ///< under the distance: no window makes up for another
  Areas without;      ///< under f where these units are held at their baseline
};
Summary summarise(const std::vector<Size>& sizes, const Curve& kept, const Curve& without);

/// What became of one order: its curves, and their figures.
struct OrderResult {
  Curve kept, without;
  Summary summary;
};

/// The areas of a summary one after another, named as in the file.
const std::vector<std::string>& area_names();
std::vector<double> area_values(const Summary& summary);

/// Means of everything over orders of the same sizes, such as random draws.
OrderResult mean_of(const std::vector<OrderResult>& results);

/// Places (U) of the units in the order of falling scores; of equals, and of those that are no numbers, which come last, the unit
/// with the smaller number first.
std::vector<int> ranks_of(const std::vector<double>& scores);

/// Places (U) of the units in an order in which the members of a group come first; both parts by number.
std::vector<int> members_first(const std::vector<bool>& members);

}  // namespace amacrine::lesion
