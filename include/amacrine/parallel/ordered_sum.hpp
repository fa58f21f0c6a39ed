// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <memory>
#include <span>

namespace amacrine::parallel {

/// Communicator::ordered_sum() in two halves, so that ranks compute while the values of shards travel between them. T: float,
/// double.
template <class T>
class OrderedSum {
 public:
  /// Collective: sends this rank's shards, `local` (shards, length), of which it keeps a copy. `total` (length) must live until
  /// finish(). Throws as ordered_sum() does.
  OrderedSum(const Communicator& communicator, std::span<const T> local, const Shards& shards, std::span<T> total);
  /// Local. The buffers of a sum that was not finished, since an exception unwinds, are left to MPI.
  ~OrderedSum();
  OrderedSum(OrderedSum&&) noexcept;
  OrderedSum& operator=(OrderedSum&&) = delete;

  /// Collective, in the same order on all ranks: puts into `total` what ordered_sum() would, to the same bits.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amacrine::parallel
