// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/request_server.hpp"

#include "amacrine/parallel/mpi_handle.hpp"
#include "check.hpp"
#include "stop_news.hpp"
#include "waiting.hpp"

#include <cstddef>
#include <limits>
#include <list>
#include <utility>
#include <vector>

namespace amacrine::parallel {
namespace {

constexpr int asking_tag = 1, reply_tag = 2, last_tag = 3, news_tag = 4;

/// A rank that has asked and was not answered.
struct Asker {
  int rank = 0;
  std::string request;
};

int length_of(const std::string& text) {
  core::require(text.size() < static_cast<std::size_t>(std::numeric_limits<int>::max()), "a message of {} bytes is too long",
                text.size());
  return static_cast<int>(text.size());
}

}  // namespace

struct RequestServer::Impl {
  MPI_Comm comm = MPI_COMM_NULL;  ///< its own, so that nobody else's messages are taken for requests
  int rank = 0, size = 1, ended = 0;
  Answer answer;
  std::list<Asker> waiting;            ///< rank 0
  std::optional<std::string> to_root;  ///< rank 0's answer to itself
  bool closed = false;
  detail::StopNews news;

  /// The next text with this tag; nothing where none has arrived.
  std::optional<Asker> receive(int from, int tag) {
    int there = 0, length = 0;
    MPI_Status status;
    check(MPI_Iprobe(from, tag, comm, &there, &status), "MPI_Iprobe");
    if (!there) return std::nullopt;
    check(MPI_Get_count(&status, MPI_CHAR, &length), "MPI_Get_count");
    Asker got{status.MPI_SOURCE, std::string(static_cast<std::size_t>(length), '\0')};
    check(MPI_Recv(got.request.data(), length, MPI_CHAR, status.MPI_SOURCE, tag, comm, MPI_STATUS_IGNORE), "MPI_Recv");
    return got;
  }

  void send(int to, int tag, const std::string& text) const {
    check(MPI_Send(text.data(), length_of(text), MPI_CHAR, to, tag, comm), "MPI_Send");
  }

  /// Answers `asker` if rank 0 can. The rank that asks waits for the answer, so sending does not block.
  bool answered(const Asker& asker) {
    std::optional<std::string> text = answer(asker.rank, asker.request);
    if (!text) return false;
    if (asker.rank == 0) {
      to_root = std::move(text);
    } else {
      send(asker.rank, reply_tag, *text);
    }
    return true;
  }

  /// Every answer may make others possible.
  void answer_all() {
    for (bool any = true; any;) {
      any = false;
      for (auto asker = waiting.begin(); asker != waiting.end();) {
        const bool done = answered(*asker);
        any = any || done;
        asker = done ? waiting.erase(asker) : std::next(asker);
      }
    }
  }

  void serve() {
    while (auto asker = receive(MPI_ANY_SOURCE, asking_tag)) waiting.push_back(std::move(*asker));
    while (ended < size - 1 && receive(MPI_ANY_SOURCE, last_tag)) ++ended;
    answer_all();
  }

  void ask(const std::string& request) {
    to_root.reset();
    if (rank == 0) {
      waiting.push_back({0, request});
    } else {
      send(0, asking_tag, request);
    }
  }

  std::optional<std::string> answered() {
    news.look();
    if (rank == 0) {
      serve();
      return std::exchange(to_root, std::nullopt);
    }
    if (auto text = receive(0, reply_tag)) return std::move(text->request);
    return std::nullopt;
  }
};

RequestServer::RequestServer(const Communicator& communicator, Answer answer) : impl_(std::make_unique<Impl>()) {
  check(MPI_Comm_dup(mpi_handle(communicator), &impl_->comm), "MPI_Comm_dup");
  impl_->rank = communicator.rank();
  impl_->size = communicator.size();
  impl_->answer = std::move(answer);
  impl_->news = detail::StopNews(impl_->comm, news_tag);
}

RequestServer::~RequestServer() {
  if (impl_->closed) {
    MPI_Comm_free(&impl_->comm);
    return;
  }
  // Freeing the communicator is collective, and MPI may still read what was sent: the job is about to end.
  [[maybe_unused]] const Impl* const left_to_mpi = impl_.release();
}

void RequestServer::post(const std::string& request) {
  core::require(!impl_->closed, "a request after the last");
  impl_->ask(request);
}

std::optional<std::string> RequestServer::answer() { return impl_->answered(); }

std::string RequestServer::ask(const std::string& request) {
  post(request);
  detail::Patience patience;
  while (true) {
    if (auto text = answer()) return std::move(*text);
    patience.wait();
  }
}

void RequestServer::serve() {
  if (impl_->rank == 0) impl_->serve();
}

void RequestServer::notify() {
  core::require(impl_->rank == 0 && !impl_->news.notified(), "a notice is given by rank 0, once");
  impl_->news.notify();
}

bool RequestServer::notified() { return impl_->news.notified(); }
void RequestServer::tell_stop() { impl_->news.tell(); }
bool RequestServer::stop_heard() { return impl_->news.heard(); }

void RequestServer::close() {
  Impl& my = *impl_;
  if (my.rank == 0) {
    detail::Patience patience;
    for (my.serve(); my.ended < my.size - 1; my.serve()) patience.wait();
  } else {
    my.send(0, last_tag, {});
  }
  my.news.close();
  my.closed = true;
}

}  // namespace amacrine::parallel
