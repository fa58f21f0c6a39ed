// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/model/architecture.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace amacrine::model {

/// A named piece of the flat parameter block.
struct ParameterEntry {
  std::string name;  ///< "hidden0.kernel", "hidden0.bias", "hidden0.gamma", "hidden0.beta", "readout.weight", "readout.bias",
                     ///< "output.gamma", "output.beta"
  std::vector<std::size_t> shape;  ///< kernel (C, D, KY, KX) with D = T for the first layer, oldest frame first; weight (N, U)
  std::size_t offset = 0, size = 0;
  bool weight_decay = false;  ///< a kernel that L2 applies to
};

/// Where everything lies: all trainable parameters are one flat block, all running statistics another.
struct ParameterLayout {
  std::vector<ParameterEntry> parameters;  ///< trainable
  std::vector<ParameterEntry> statistics;  ///< "hidden0.mean", "hidden0.variance", "output.mean", ...: (C) or (C, Y, X) or (N)
  std::size_t parameter_count = 0, statistic_count = 0;
  const ParameterEntry& parameter(const std::string& name) const;  ///< throws core::Error when there is none
  const ParameterEntry* find(const std::string& name) const;       ///< nullptr when there is none
  const ParameterEntry& statistic(const std::string& name) const;
};

ParameterLayout make_layout(const Architecture& architecture);

}  // namespace amacrine::model
