// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/mailbox.hpp"

#include "amacrine/parallel/mpi_handle.hpp"
#include "check.hpp"

#include <chrono>
#include <limits>
#include <list>
#include <optional>
#include <thread>
#include <utility>

namespace amacrine::parallel {
namespace {

constexpr int text_tag = 1;

/// A text on its way.
struct Letter {
  std::string text;
  MPI_Request request = MPI_REQUEST_NULL;
};

}  // namespace

struct Mailbox::Impl {
  MPI_Comm comm = MPI_COMM_NULL;  ///< its own, so that nobody else's messages are taken for letters
  int rank = 0, size = 1, ended = 0;
  std::list<Letter> sent;
  std::vector<std::string> own;  ///< of rank 0 to itself
  bool closed = false;

  void send(std::string text) {
    std::erase_if(sent, [](Letter& letter) {
      int done = 0;
      check(MPI_Test(&letter.request, &done, MPI_STATUS_IGNORE), "MPI_Test");
      return done != 0;
    });
    core::require(text.size() < static_cast<std::size_t>(std::numeric_limits<int>::max()), "a message of {} bytes is too long",
                  text.size());
    Letter& letter = sent.emplace_back(Letter{std::move(text), MPI_REQUEST_NULL});
    check(MPI_Isend(letter.text.data(), static_cast<int>(letter.text.size()), MPI_CHAR, 0, text_tag, comm, &letter.request),
          "MPI_Isend");
  }

  /// The next text that has arrived. An empty one is a sender's last.
  std::optional<std::string> next() {
    int there = 0, length = 0;
    MPI_Status status;
    check(MPI_Iprobe(MPI_ANY_SOURCE, text_tag, comm, &there, &status), "MPI_Iprobe");
    if (!there) return std::nullopt;
    check(MPI_Get_count(&status, MPI_CHAR, &length), "MPI_Get_count");
    std::string text(static_cast<std::size_t>(length), '\0');
    check(MPI_Recv(text.data(), length, MPI_CHAR, status.MPI_SOURCE, text_tag, comm, MPI_STATUS_IGNORE), "MPI_Recv");
    return text;
  }
};

Mailbox::Mailbox(const Communicator& communicator) : impl_(std::make_unique<Impl>()) {
  check(MPI_Comm_dup(mpi_handle(communicator), &impl_->comm), "MPI_Comm_dup");
  impl_->rank = communicator.rank();
  impl_->size = communicator.size();
}

Mailbox::~Mailbox() {
  if (impl_->closed) {
    MPI_Comm_free(&impl_->comm);
    return;
  }
  // Freeing the communicator is collective, and MPI may still read what was posted: the job is about to end.
  [[maybe_unused]] const Impl* const left_to_mpi = impl_.release();
}

void Mailbox::post(std::string text) {
  core::require(!text.empty() && !impl_->closed, "an empty message, or a message after the last");
  if (impl_->rank == 0) {
    impl_->own.push_back(std::move(text));
  } else {
    impl_->send(std::move(text));
  }
}

std::vector<std::string> Mailbox::collect() {
  std::vector<std::string> texts = std::exchange(impl_->own, {});
  while (impl_->ended < impl_->size - 1) {
    std::optional<std::string> text = impl_->next();
    if (!text) break;
    if (text->empty()) {
      ++impl_->ended;
    } else {
      texts.push_back(std::move(*text));
    }
  }
  return texts;
}

void Mailbox::close(const std::function<void(const std::vector<std::string>&)>& take) {
  if (impl_->rank == 0) {
    do {
      const std::vector<std::string> texts = collect();
      if (!texts.empty()) take(texts);
      if (texts.empty() && impl_->ended < impl_->size - 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    } while (impl_->ended < impl_->size - 1);
  } else {
    impl_->send({});
    for (Letter& letter : impl_->sent) check(MPI_Wait(&letter.request, MPI_STATUS_IGNORE), "MPI_Wait");
    impl_->sent.clear();
  }
  impl_->closed = true;
}

}  // namespace amacrine::parallel
