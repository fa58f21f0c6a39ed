// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace amacrine::parallel {

/// Rank 0 answers the requests of the other ranks, and its own, while each goes its own way through its own work. Rank 0 works
/// too: it answers between its own steps, in serve(). A rank that waits for an answer and is asked to stop lets rank 0 know.
class RequestServer {
 public:
  /// What rank 0 answers `request` with. Nothing: the rank waits, and its request is put again after every other that is
  /// answered.
  using Answer = std::function<std::optional<std::string>(int rank, const std::string& request)>;

  /// Collective. `answer` is called on rank 0 only.
  RequestServer(const Communicator& communicator, Answer answer);
  /// Local; after close() it frees everything, otherwise (an exception) it leaves to MPI what is under way.
  ~RequestServer();
  RequestServer(const RequestServer&) = delete;
  RequestServer& operator=(const RequestServer&) = delete;

  /// Local: the answer of rank 0. Waits for it; rank 0 serves meanwhile.
  std::string ask(const std::string& request);
  /// Local: the same in two steps, the second repeated until it gives the answer; rank 0 serves meanwhile.
  void post(const std::string& request);
  std::optional<std::string> answer();
  /// Local: on rank 0 answers whoever has asked since; does nothing on other ranks.
  void serve();
  /// Local, rank 0, at most once: lets all ranks know that something has happened.
  void notify();
  /// Local: whether rank 0 has called notify().
  bool notified();
  /// Local: lets rank 0 know that somebody was asked to stop, as ask(), answer() and close() do for this rank.
  void tell_stop();
  /// Local, rank 0: whether a rank has let it know, or it was asked to stop itself.
  bool stop_heard();
  /// Collective: no more requests. Returns once all ranks have called it.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amacrine::parallel
