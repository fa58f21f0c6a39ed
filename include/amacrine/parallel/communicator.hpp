// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// The only room that calls MPI. Every member says whether it is collective (all ranks of the communicator must call it).
namespace amacrine::parallel {

/// A half-open range of global ids owned by one rank.
struct Range {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
  bool contains(std::size_t id) const { return id >= begin && id < end; }
};

/// Contiguous split of `count` ids over `parts`: part p owns [p*count/parts, (p+1)*count/parts). Depends on ids only.
Range split(std::size_t count, std::size_t parts, std::size_t part);

/// Ids that ranks share: `count` of them, every `together` neighbours with one owner. `count` is a multiple of `together`.
struct Shards {
  std::size_t count = 0, together = 1;
  Shards(std::size_t all, std::size_t neighbours = 1)
      : count(all), together(neighbours) {}  // NOLINT(google-explicit-constructor)
  std::size_t owners() const { return count / together; }
};
Range split(const Shards& shards, std::size_t parts, std::size_t part);

/// A group of ranks. Copies share the underlying MPI communicator. Return codes are always checked; a failure throws core::Error.
class Communicator {
 public:
  /// Every rank of the job (a duplicate of MPI_COMM_WORLD). Valid while an Environment lives.
  static Communicator world();
  /// This rank alone.
  static Communicator self();

  int rank() const;
  int size() const;
  bool root() const { return rank() == 0; }
  /// The ids this rank owns (local).
  Range owned(const Shards& shards) const {
    return split(shards, static_cast<std::size_t>(size()), static_cast<std::size_t>(rank()));
  }
  /// Ranks with the same colour form a new communicator, ordered by their rank here (collective).
  Communicator split_by(int colour) const;

  void barrier() const;                                                ///< collective
  void broadcast(void* data, std::size_t bytes, int from = 0) const;   ///< collective
  std::string broadcast(const std::string& text, int from = 0) const;  ///< collective; the text of rank `from`
  bool any(bool flag) const;                                           ///< collective: true where any rank says true
  double maximum(double value) const;                                  ///< collective
  std::int64_t sum(std::int64_t value) const;                          ///< collective, exact

  /// Collective. Sums shard contributions in the order of global shard ids, whatever rank holds them: the result has the same
  /// bits on any number of ranks. `local` holds this rank's shards one after another, each of `length` values (shards
  /// owned(shards)); `total` gets `length` values on every rank. Throws where there are more ranks than can own one.
  template <class T>
  void ordered_sum(std::span<const T> local, const Shards& shards, std::span<T> total) const;

  /// Collective. Every rank's block, in rank order, on every rank (blocks may differ in length).
  template <class T>
  std::vector<T> gather_all(std::span<const T> local) const;

  /// The handle, for the io room only (an MPI_Comm stored as an opaque pointer-sized value; see parallel/mpi_handle.hpp).
  const void* handle() const;

 private:
  struct Impl;
  explicit Communicator(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace amacrine::parallel
