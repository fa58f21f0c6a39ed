// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace amacrine::parallel {

/// Rank 0 answers the requests of the other ranks, and its own, while each goes its own way through its own work. Rank 0 works
/// too: it answers between its own steps, in serve().
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
  /// Local: on rank 0 answers whoever has asked since; does nothing on other ranks.
  void serve();
  /// Local, rank 0, at most once: lets all ranks know that something has happened.
  void notify();
  /// Local: whether rank 0 has called notify().
  bool notified();
  /// Collective: no more requests. Returns on rank 0 once all ranks have called it.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amacrine::parallel
