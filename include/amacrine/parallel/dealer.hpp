// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace amacrine::parallel {

/// Guided self-scheduling (Polychronopoulos and Kuck 1987): how many of the `left` tasks the next rank that asks gets. Large
/// chunks first, so that there are few messages; single tasks last, so that ranks end together. No chunk is more than a sixteenth
/// of a rank's equal share of what is left, since the costs of tasks differ and the first may be the longest.
std::size_t guided_chunk(std::size_t left, std::size_t ranks);

/// From so many ranks on rank 0 only deals: with more, those that wait for its task to end are worth more than its own work
/// (docs/benchmarks.md, dealing).
constexpr std::size_t ranks_with_a_dealer = 128;

/// Deals tasks 0 ... count - 1 to ranks, each task once and to whichever rank is free: which one is not determined, so a task's
/// result must not depend on it. A rank asks for its next chunk when it begins the last task of one. Among few ranks rank 0 works
/// like the others and answers them between its own tasks, so that a rank waits where rank 0's task lasts longer than that one;
/// among many it only deals. Where any rank is asked to stop, also one that waits, no rank begins another task once rank 0 knows
/// of it, which it does between its own tasks.
class Dealer {
 public:
  /// Collective. `meanwhile` is called on rank 0 while it waits, about once a millisecond.
  Dealer(
      const Communicator& communicator, std::size_t count, std::function<void()> meanwhile = [] {},
      std::size_t with_a_dealer = ranks_with_a_dealer);
  /// Local; after close() it frees everything, otherwise (an exception) it leaves to MPI what is under way.
  ~Dealer();
  Dealer(const Dealer&) = delete;
  Dealer& operator=(const Dealer&) = delete;

  /// Local: the task this rank does next; nothing where all are dealt, or a rank was asked to stop (throw_if_stopped() after
  /// close() tells). Waits for rank 0's answer.
  std::optional<std::size_t> next();
  /// Collective: this rank does no more tasks, whether or not some are left. Returns once all ranks have said so.
  void close();
  /// Local: seconds this rank has waited for rank 0's answers.
  double waited_s() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amacrine::parallel
