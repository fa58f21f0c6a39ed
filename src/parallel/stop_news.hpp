// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <mpi.h>

namespace amacrine::parallel::detail {

/// News of a stop among ranks that each go their own way: a rank that was asked to stop, which may be waiting, tells rank 0, and
/// rank 0 tells all. Messages with two tags of a communicator that belongs to the caller.
class StopNews {
 public:
  StopNews() = default;
  /// Local. `first_tag` and the next one are used.
  StopNews(MPI_Comm comm, int first_tag);

  /// Local, any rank: tells rank 0, once.
  void tell();
  /// Local, any rank, as often as it waits: tells rank 0 where this rank was asked to stop.
  void look();
  /// Local, rank 0: whether any rank was asked to stop, as far as is known here.
  bool heard();
  /// Local, rank 0: tells all ranks; a second time it does nothing.
  void notify();
  /// Local, any rank: whether rank 0 has told.
  bool notified();
  /// Collective, the last: waits for all ranks, each looking meanwhile. Nothing of it is left in the communicator afterwards.
  void close();

 private:
  bool receive(int from, int tag);

  MPI_Comm comm_ = MPI_COMM_NULL;
  int told_tag_ = 0, notice_tag_ = 0, rank_ = 0, size_ = 1;
  int received_ = 0;  ///< rank 0: by how many other ranks it was told
  bool told_ = false, heard_ = false, noticed_ = false;
  std::vector<MPI_Request> notices_;
};

}  // namespace amacrine::parallel::detail
