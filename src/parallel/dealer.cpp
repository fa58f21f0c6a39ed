// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/dealer.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/parallel/mpi_handle.hpp"
#include "check.hpp"
#include "deal.hpp"
#include "stop_news.hpp"
#include "waiting.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace amacrine::parallel {
namespace {

constexpr int request_tag = 1, answer_tag = 2, end_tag = 3, stop_tag = 4;

}  // namespace

std::size_t guided_chunk(std::size_t left, std::size_t ranks) {
  constexpr std::size_t rounds = 16;
  return std::min(left, std::max<std::size_t>(1, left / (rounds * ranks)));
}

struct Dealer::Impl {
  MPI_Comm comm = MPI_COMM_NULL;  ///< its own, so that nobody else's messages are taken for its
  int rank = 0, size = 1, ended = 0;
  Deal deal;
  bool only_deals = false;  ///< this rank
  std::function<void()> meanwhile;
  Range mine;                        ///< of this rank, not begun
  std::uint64_t answer[2] = {0, 0};  ///< begin and end of the chunk asked for
  MPI_Request asked = MPI_REQUEST_NULL, sent = MPI_REQUEST_NULL;
  std::vector<std::unique_ptr<std::uint64_t[]>> answers;  ///< rank 0: per rank, what is being sent to it
  std::vector<MPI_Request> answering;
  double waited = 0;
  bool closed = false;
  detail::StopNews news;

  Impl(Deal how, std::function<void()> while_waiting) : deal(std::move(how)), meanwhile(std::move(while_waiting)) {}

  void ask() {
    check(MPI_Wait(&sent, MPI_STATUS_IGNORE), "MPI_Wait");
    check(MPI_Irecv(answer, 2, MPI_UINT64_T, 0, answer_tag, comm, &asked), "MPI_Irecv");
    check(MPI_Isend(nullptr, 0, MPI_CHAR, 0, request_tag, comm, &sent), "MPI_Isend");
  }

  Range answered() {
    if (asked == MPI_REQUEST_NULL) return {};
    const double start = core::wall_seconds();
    detail::Patience patience;
    for (int there = 0; true; patience.wait()) {
      check(MPI_Test(&asked, &there, MPI_STATUS_IGNORE), "MPI_Test");
      if (there) break;
      news.look();
    }
    waited += core::wall_seconds() - start;
    return {answer[0], answer[1]};
  }

  /// Rank 0, which has nothing else to do.
  void wait() const {
    meanwhile();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  /// Rank 0: a message without text, and who sent it; -1: none has arrived.
  int received(int tag) const {
    int there = 0;
    MPI_Status status;
    check(MPI_Iprobe(MPI_ANY_SOURCE, tag, comm, &there, &status), "MPI_Iprobe");
    if (!there) return -1;
    check(MPI_Recv(nullptr, 0, MPI_CHAR, status.MPI_SOURCE, tag, comm, MPI_STATUS_IGNORE), "MPI_Recv");
    return status.MPI_SOURCE;
  }

  /// Rank 0: answers whoever has asked since. Once a rank was asked to stop nobody gets any more.
  void serve() {
    if (news.heard()) {
      deal.drop_the_rest();
      news.notify();
    }
    for (int who = received(request_tag); who >= 0; who = received(request_tag)) {
      const auto at = static_cast<std::size_t>(who);
      const Range chunk = deal.next();
      check(MPI_Wait(&answering[at], MPI_STATUS_IGNORE), "MPI_Wait");
      answers[at][0] = chunk.begin, answers[at][1] = chunk.end;
      check(MPI_Isend(answers[at].get(), 2, MPI_UINT64_T, who, answer_tag, comm, &answering[at]), "MPI_Isend");
    }
    while (ended < size - 1 && received(end_tag) >= 0) ++ended;
  }
};

Dealer::Dealer(const Communicator& communicator, std::size_t count, std::function<void()> meanwhile, std::size_t with_a_dealer) {
  const auto ranks = static_cast<std::size_t>(communicator.size());
  const bool root_works = ranks < std::max<std::size_t>(with_a_dealer, 2);
  impl_ = std::make_unique<Impl>(Deal(count, ranks, root_works), std::move(meanwhile));
  Impl& my = *impl_;
  check(MPI_Comm_dup(mpi_handle(communicator), &my.comm), "MPI_Comm_dup");
  my.news = detail::StopNews(my.comm, stop_tag);
  my.rank = communicator.rank(), my.size = communicator.size();
  my.only_deals = my.rank == 0 && !root_works;
  my.mine = my.deal.first(static_cast<std::size_t>(my.rank));
  if (my.rank == 0) {
    for (int rank = 0; rank < my.size; ++rank) my.answers.push_back(std::make_unique<std::uint64_t[]>(2));
    my.answering.assign(static_cast<std::size_t>(my.size), MPI_REQUEST_NULL);
  }
}

Dealer::~Dealer() {
  if (impl_->closed) {
    MPI_Comm_free(&impl_->comm);
    return;
  }
  // Freeing the communicator is collective, and MPI may still write what was asked for: the job is about to end.
  [[maybe_unused]] const Impl* const left_to_mpi = impl_.release();
}

std::optional<std::size_t> Dealer::next() {
  Impl& my = *impl_;
  core::require(!my.closed, "a task asked for after the last");
  my.news.look();
  if (my.rank == 0) my.serve();
  if (my.only_deals) {
    for (; !my.deal.all_dealt(); my.serve()) my.wait();
    return std::nullopt;
  }
  if (my.news.notified()) return std::nullopt;
  if (my.mine.size() == 0) my.mine = my.rank == 0 ? my.deal.next() : my.answered();
  if (my.mine.size() == 0 || my.news.notified()) return std::nullopt;
  if (my.rank != 0 && asks_before(my.mine)) my.ask();
  return my.mine.begin++;
}

void Dealer::close() {
  Impl& my = *impl_;
  if (my.rank == 0) {
    my.deal.drop_the_rest();
    for (my.serve(); my.ended < my.size - 1; my.serve()) my.wait();
    check(MPI_Waitall(my.size, my.answering.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
  } else {
    static_cast<void>(my.answered());
    check(MPI_Wait(&my.sent, MPI_STATUS_IGNORE), "MPI_Wait");
    check(MPI_Send(nullptr, 0, MPI_CHAR, 0, end_tag, my.comm), "MPI_Send");
  }
  my.news.close();
  my.closed = true;
}

double Dealer::waited_s() const { return impl_->waited; }

}  // namespace amacrine::parallel
