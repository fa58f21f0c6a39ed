// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/training/settings.hpp"

#include <cstddef>

namespace amacrine::training {

/// The learning rate of `step` of `total` under the constant and one-cycle schedules (the plateau schedule scales the rate).
double scheduled_rate(const ScheduleSettings& settings, double rate, std::size_t step, std::size_t total);

/// Follows a metric over epochs. A value improves where it beats the best so far by more than min_delta; an undefined value never
/// does.
struct Watch {
  double best = 0;
  bool any = false;  ///< whether there is a best yet
  int waiting = 0;   ///< epochs since
  /// True where `value` improves; counts otherwise.
  bool update(double value, Metric metric, double min_delta);
};

/// After each epoch: multiplies `scale` by the factor once `patience` epochs in a row did not improve, then counts anew.
struct Plateau {
  Watch watch;
  double scale = 1.0;
  void update(const ScheduleSettings& settings, double value, double rate);
};

}  // namespace amacrine::training
