// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace amacrine::parallel {

/// Texts that ranks send to rank 0 while each goes its own way through its own work: no rank waits for another before close().
class Mailbox {
 public:
  /// Collective.
  explicit Mailbox(const Communicator& communicator);
  /// Local; after close() it frees everything, otherwise (an exception) it leaves to MPI what is still on its way.
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// Local: sends a text to rank 0, not empty; rank 0 may send to itself.
  void post(std::string text);
  /// Local, rank 0: what has arrived since the last call, in the order of each sender.
  std::vector<std::string> collect();
  /// Collective: returns once rank 0 has given every text that was posted to `take`, which is called on rank 0 with those that
  /// have come together.
  void close(const std::function<void(const std::vector<std::string>&)>& take);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amacrine::parallel
