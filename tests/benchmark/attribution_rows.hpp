// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/symmetry.hpp"
#include "attribution_cases.hpp"

namespace amacrine::benchmark {

/// Rows of a case in memory: (window, cell, entry), windows intensity by intensity, entries the values stored at the case's
/// level.
struct Rows {
  std::size_t windows = 0, cells = 0, entries = 0;
  std::vector<float> attribution;
};

/// Attributes a case by the attribution room's public interface, as `amacrine attribute` does.
template <class S>
class CaseAttributor {
 public:
  CaseAttributor(const model::Model& model, const attribution::AttributionSettings& settings);
  /// All windows of the case, intensities by rays.
  Rows all(const Case& what);
  /// The windows of the case's sample; intensities one by one, or, as all() does, by rays.
  Rows sample(const Case& what, bool ray);

 private:
  void attribute(const Case& what, const core::Array<float, 3>& movie, const Stretch& stretch, Rows& rows);

  attribution::Attributor<S> attributor_;
  std::vector<int> cells_;
  std::size_t block_;
};

}  // namespace amacrine::benchmark
