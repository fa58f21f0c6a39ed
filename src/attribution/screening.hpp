// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/plan.hpp"

namespace amacrine::attribution {

/// The frames a rank works on: a rendered stimulus, or a piece of a long movie. Holds one at a time.
class Screening {
 public:
  /// `lead`: frames before a window's own that it needs.
  Screening(const Plan& plan, std::size_t lead) : plan_(plan), lead_(lead) {}

  /// Has the frames that windows at frames [first, first + count) of a showing need. `axes`: what to fold of a rendered stimulus.
  /// Valid until the next call.
  const core::Array<float, 3>& show(std::size_t showing, std::size_t first, std::size_t count, stimulus::Symmetry axes);
  /// The whole of a stimulus of a showing, rendered and folded.
  core::Array<float, 3> rendered(const Showing& showing, std::size_t stimulus, stimulus::Symmetry axes) const;
  std::size_t lead() const { return lead_; }
  /// The frame of the stimulus that contrast begins with.
  std::size_t first() const { return first_; }
  /// Bytes of the largest piece.
  static double bytes(const Plan& plan, std::size_t lead);

 private:
  const Plan& plan_;
  std::size_t lead_;
  std::size_t showing_ = static_cast<std::size_t>(-1), first_ = 0;
  core::Array<float, 3> contrast_;
};

/// The most frames a task of a stimulus needs, pieces of windows that do not overlap included.
std::size_t joined_frames(const Plan& plan, const PlannedStimulus& stimulus, std::size_t lead);

}  // namespace amacrine::attribution
