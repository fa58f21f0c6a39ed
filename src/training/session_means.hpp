// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/training/joint.hpp"

#include <cstddef>
#include <vector>

namespace amacrine::training {

/// Means over the sessions of a joint training, each weighted by its number of cells. All members are collective over
/// share.world; sums are taken in the order of sessions, so that they have the same bits on any number of ranks.
class SessionMeans {
 public:
  /// `cells`: of each of this rank's sessions.
  SessionMeans(const SessionShare& share, const std::vector<std::size_t>& cells);

  /// `values`: one vector for each of this rank's sessions, of which the first `length` numbers are averaged in place.
  void average(const std::vector<std::vector<float>*>& values, std::size_t length) const;
  /// `values` (one for each of this rank's sessions) -> their mean.
  double mean(const std::vector<double>& values) const;

 private:
  template <class T>
  std::vector<T> total(const std::vector<T>& local, std::size_t length) const;

  const SessionShare& share_;
  std::vector<double> weights_;  ///< of this rank's sessions
};

}  // namespace amacrine::training
