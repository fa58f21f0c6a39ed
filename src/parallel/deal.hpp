// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/dealer.hpp"

#include <cstddef>
#include <vector>

/// What is decided when tasks are dealt, without the messages: Dealer does it over MPI, and tests/benchmark/dealing.cpp on a
/// simulated clock, for more ranks than a machine has.
namespace amacrine::parallel {

/// Which tasks the next rank that asks gets.
class Deal {
 public:
  /// Tasks 0 ... count - 1; rank 0 does some of them where `root_works`. The first chunks need no message: all ranks know them.
  Deal(std::size_t count, std::size_t ranks, bool root_works) : count_(count), workers_(ranks - (root_works ? 0 : 1)) {
    for (std::size_t rank = 0; rank < ranks; ++rank) first_.push_back(rank == 0 && !root_works ? Range{} : next());
  }
  const Range& first(std::size_t rank) const { return first_[rank]; }
  Range next() {
    const Range chunk{dealt_, dealt_ + guided_chunk(count_ - dealt_, workers_)};
    dealt_ = chunk.end;
    return chunk;
  }
  bool all_dealt() const { return dealt_ == count_; }
  /// Nobody gets any more.
  void drop_the_rest() { dealt_ = count_; }

 private:
  std::size_t count_, workers_, dealt_ = 0;
  std::vector<Range> first_;
};

/// Whether a rank asks for its next chunk before it begins the next task of what it has: before the last.
inline bool asks_before(const Range& mine) { return mine.size() == 1; }

}  // namespace amacrine::parallel
