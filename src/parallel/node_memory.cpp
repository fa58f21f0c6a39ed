// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/node_memory.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/numbers.hpp"
#include "amacrine/parallel/mpi_handle.hpp"
#include "amacrine/parallel/together.hpp"
#include "check.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace amacrine::parallel {
namespace {

/// The ranks of the communicator on this one's node, as long as it lives.
class Node {
 public:
  explicit Node(const Communicator& communicator) {
    check(MPI_Comm_split_type(mpi_handle(communicator), MPI_COMM_TYPE_SHARED, communicator.rank(), MPI_INFO_NULL, &comm_),
          "MPI_Comm_split_type");
    check(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  // Freeing is collective, and so is letting go of a Node: nothing throws on one rank alone while there is one.
  ~Node() { MPI_Comm_free(&comm_); }

  int rank() const { return rank_; }
  int size() const { return size_; }
  template <class T>
  void broadcast(T& value) const {
    check(MPI_Bcast(&value, sizeof value, MPI_BYTE, 0, comm_), "MPI_Bcast");
  }

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
};

/// A file descriptor that closes itself.
struct Descriptor {
  int value;
  explicit Descriptor(int opened) : value(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value >= 0) close(value);
  }
};

/// `bytes` of a memory file, or of nobody else's memory where `file` is negative; null where they cannot be had.
std::shared_ptr<std::byte> map(std::size_t bytes, int file, bool writable) {
  void* const at = mmap(nullptr, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ,
                        file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, file, 0);
  if (at == MAP_FAILED) return nullptr;
  return {static_cast<std::byte*>(at), [bytes](std::byte* mapped) { munmap(mapped, bytes); }};
}

/// Where other processes of the node find the memory file of the first rank. A process of the same number in another process
/// namespace has none of that name.
struct Place {
  long process = 0;
  int file = -1;
  std::uint64_t number = 0;
  std::string name() const { return fmt::format("amacrine-{:016x}", number); }
  std::string path() const { return fmt::format("/proc/{}/fd/{}", process, file); }
};

std::shared_ptr<std::byte> map_place(const Place& place, std::size_t bytes) {
  char name[64] = {};
  if (readlink(place.path().c_str(), name, sizeof name - 1) < 0 || std::string(name).find(place.name()) == std::string::npos)
    return nullptr;
  const Descriptor file(open(place.path().c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts {};
  if (file.value < 0 || fstat(file.value, &facts) != 0 || core::as_size(facts.st_size) != bytes) return nullptr;
  return map(bytes, file.value, false);
}

Place random_place() {
  std::random_device random;
  return {getpid(), -1, static_cast<std::uint64_t>(random()) << 32 | random()};
}

}  // namespace

std::shared_ptr<const std::byte> node_memory(const Communicator& communicator, std::size_t bytes,
                                             const std::function<void(std::byte*)>& fill) {
  const Node node(communicator);
  const bool first = node.rank() == 0, shared = node.size() > 1;
  const std::size_t room = std::max<std::size_t>(bytes, 1);
  Place place = random_place();
  const Descriptor file(first && shared ? memfd_create(place.name().c_str(), MFD_CLOEXEC) : -1);
  std::shared_ptr<std::byte> memory;
  if (first && file.value >= 0 && ftruncate(file.value, static_cast<off_t>(room)) == 0) {
    memory = map(room, file.value, true);
    if (memory) place.file = file.value;
  }
  node.broadcast(place);
  if (!first && place.file >= 0) memory = map_place(place, room);
  const bool fills = first || !memory;
  if (!memory) memory = map(room, -1, true);
  const int reason = errno;
  on_some(communicator, fills, [&] {
    core::require(memory != nullptr, "{} bytes of memory cannot be had: {}", bytes, std::strerror(reason));
    fill(memory.get());
  });
  return memory;
}

bool first_of_node(const Communicator& communicator) { return Node(communicator).rank() == 0; }

}  // namespace amacrine::parallel
