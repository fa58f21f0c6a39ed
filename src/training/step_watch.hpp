// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/log.hpp"
#include "amacrine/parallel/communicator.hpp"
#include "amacrine/parallel/stop.hpp"
#include "amacrine/training/stop.hpp"

#include <functional>
#include <string>

namespace amacrine::training {

/// What a training does between two steps besides stepping: stop where it was asked to, and save where it is time to. All ranks
/// of the communicator agree on both.
class StepWatch {
 public:
  struct Limits {
    double max_minutes = 0;                ///< of wall clock; 0: none
    double save_every_s = 0;               ///< 0: at the ends of epochs only
    std::function<bool()> interrupt = {};  ///< called between steps; true stops
  };
  StepWatch(const parallel::Communicator& communicator, Limits limits);

  enum class Due : int { nothing, save, stop };
  /// Collective. After `save` the time to the next one counts from here.
  Due due();
  /// Local. How long a step took, a validation included: a process that is asked to stop may go on for twice the longest, so that
  /// what was learnt is saved.
  void record(double seconds);
  /// Collective. What asked to stop.
  std::string stopped_by() const { return stop_.why(communicator_); }

 private:
  parallel::Communicator communicator_;
  Limits limits_;
  StopRequest stop_;
  parallel::StopPatience patience_;
  double longest_s_ = 0, saved_ = core::wall_seconds();
};

}  // namespace amacrine::training
