// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/result.hpp"
#include "amacrine/attribution/symmetry.hpp"

#include <functional>
#include <string>
#include <vector>

namespace amacrine::attribution {

/// Rows that are computed in one way.
struct CostPart {
  std::string how;  ///< which exact saving serves them, and the level
  std::size_t rows = 0;
  double multiply_adds = 0;  ///< without a refinement's further panels
  double seconds = 0;        ///< of one rank, from estimate_seconds(); 0 before it
  std::size_t showing = 0;   ///< one that belongs to it
};

/// What a plan costs, for people and for --dry-run.
struct Cost {
  std::vector<CostPart> parts;
  double multiply_adds = 0;
  double memory_bytes = 0;  ///< the most a rank holds: the largest block and its frames, whatever the number of windows
};
template <class S>
Cost cost_of(const Plan& plan, Attributor<S>& attributor);

/// Multiply-adds of a window of each showing, for all its stimuli and cells, without a refinement's further panels.
template <class S>
std::vector<double> window_work(const Plan& plan, Attributor<S>& attributor);

/// Local: times a few windows of every part and scales them, refinement included as far as those windows need it.
template <class S>
void estimate_seconds(const Plan& plan, Attributor<S>& attributor, Cost& cost);

/// Throws RefusedError where the plan's file would be larger than the study allows: says how large, and what to ask instead.
/// `bytes_of`: bytes of the file for a plan and settings.
void require_size(const Plan& plan, const AttributionSettings& settings, std::size_t bytes,
                  const std::function<std::size_t(const Plan&, const AttributionSettings&)>& bytes_of);

}  // namespace amacrine::attribution
