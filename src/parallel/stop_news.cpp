// SPDX-License-Identifier: Apache-2.0
#include "stop_news.hpp"

#include "amacrine/parallel/stop.hpp"
#include "check.hpp"
#include "waiting.hpp"

#include <cstddef>
#include <utility>

namespace amacrine::parallel::detail {

StopNews::StopNews(MPI_Comm comm, int first_tag) : comm_(comm), told_tag_(first_tag), notice_tag_(first_tag + 1) {
  check(MPI_Comm_rank(comm, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(comm, &size_), "MPI_Comm_size");
}

bool StopNews::receive(int from, int tag) {
  int there = 0;
  MPI_Status status;
  check(MPI_Iprobe(from, tag, comm_, &there, &status), "MPI_Iprobe");
  if (there) check(MPI_Recv(nullptr, 0, MPI_CHAR, status.MPI_SOURCE, tag, comm_, MPI_STATUS_IGNORE), "MPI_Recv");
  return there != 0;
}

void StopNews::look() {
  if (stop_asked()) tell();
}

void StopNews::tell() {
  if (std::exchange(told_, true)) return;
  if (rank_ == 0) {
    heard_ = true;
  } else {
    check(MPI_Send(nullptr, 0, MPI_CHAR, 0, told_tag_, comm_), "MPI_Send");
  }
}

bool StopNews::heard() {
  look();
  while (receive(MPI_ANY_SOURCE, told_tag_)) heard_ = true, ++received_;
  return heard_;
}

void StopNews::notify() {
  if (rank_ != 0 || std::exchange(noticed_, true)) return;
  notices_.assign(static_cast<std::size_t>(size_), MPI_REQUEST_NULL);
  for (int to = 1; to < size_; ++to)
    check(MPI_Isend(nullptr, 0, MPI_CHAR, to, notice_tag_, comm_, &notices_[static_cast<std::size_t>(to)]), "MPI_Isend");
}

bool StopNews::notified() {
  if (rank_ != 0 && !noticed_) noticed_ = receive(0, notice_tag_);
  return noticed_;
}

void StopNews::close() {
  MPI_Request all_here = MPI_REQUEST_NULL;
  check(MPI_Ibarrier(comm_, &all_here), "MPI_Ibarrier");
  Patience patience;
  for (int there = 0; true; patience.wait()) {
    check(MPI_Test(&all_here, &there, MPI_STATUS_IGNORE), "MPI_Test");
    if (there) break;
    look();
  }
  int mine[2] = {rank_ != 0 && told_ ? 1 : 0, rank_ == 0 && noticed_ ? 1 : 0}, all[2] = {0, 0};
  check(MPI_Allreduce(mine, all, 2, MPI_INT, MPI_SUM, comm_), "MPI_Allreduce");
  if (rank_ == 0) {
    for (; received_ < all[0]; ++received_)
      check(MPI_Recv(nullptr, 0, MPI_CHAR, MPI_ANY_SOURCE, told_tag_, comm_, MPI_STATUS_IGNORE), "MPI_Recv");
    check(MPI_Waitall(static_cast<int>(notices_.size()), notices_.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
  } else if (all[1] > 0 && !std::exchange(noticed_, true)) {
    check(MPI_Recv(nullptr, 0, MPI_CHAR, 0, notice_tag_, comm_, MPI_STATUS_IGNORE), "MPI_Recv");
  }
}

}  // namespace amacrine::parallel::detail
