// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"
#include "amacrine/reduction/reduce.hpp"

#include <functional>
#include <string>
#include <vector>

/// What a reduction file says about pathways and models, one line each (docs/results/reduction.md).
namespace amacrine::reduction {

/// A figure of a pathway: its name in the file, unit, meaning, and where it comes from.
struct Figure {
  std::string name;
  io::Type type;
  std::string units, long_name;
  std::vector<double> values;  ///< of a flag
  std::string meanings;
  std::function<double(const Reduction&, std::size_t)> value;
};

const std::vector<Figure>& pathway_figures();

/// A figure of a reduction as a whole.
struct Total {
  std::string name, units, long_name;
  std::function<double(const Reduction&)> value;
};

const std::vector<Total>& totals();

}  // namespace amacrine::reduction
