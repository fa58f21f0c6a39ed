// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/communicator.hpp"

#include "amacrine/parallel/mpi_handle.hpp"
#include "check.hpp"
#include "pieces.hpp"
#include "type_of.hpp"

#include <algorithm>
#include <exception>

namespace amacrine::parallel {

struct Communicator::Impl {
  MPI_Comm comm = MPI_COMM_NULL;
  int rank = 0, size = 1;

  /// Takes ownership of `owned`.
  explicit Impl(MPI_Comm owned) : comm(owned) {
    check(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
    check(MPI_Comm_size(comm, &size), "MPI_Comm_size");
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    // Freeing is collective: a rank that fails alone must not wait for the others here.
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (!finalized && std::uncaught_exceptions() == 0) MPI_Comm_free(&comm);
  }
};

namespace {

MPI_Comm duplicate(MPI_Comm from) {
  MPI_Comm made = MPI_COMM_NULL;
  check(MPI_Comm_dup(from, &made), "MPI_Comm_dup");
  return made;
}

}  // namespace

namespace detail {
Pieces& pieces() {
  static Pieces limits;
  return limits;
}
}  // namespace detail

Range split(std::size_t count, std::size_t parts, std::size_t part) {
  core::require(parts > 0 && part < parts, "part {} of {} parts was asked for", part, parts);
  // Without the product count * parts, which could overflow.
  const std::size_t whole = count / parts, rest = count % parts;
  const auto at = [&](std::size_t p) { return p * whole + p * rest / parts; };
  return {at(part), at(part + 1)};
}

Range split(const Shards& shards, std::size_t parts, std::size_t part) {
  core::require(shards.count % shards.together == 0, "{} shards are not groups of {}", shards.count, shards.together);
  const Range groups = split(shards.owners(), parts, part);
  return {groups.begin * shards.together, groups.end * shards.together};
}

namespace {
std::shared_ptr<void>& kept_world() {
  static std::shared_ptr<void> kept;
  return kept;
}
}  // namespace

void release_world() { kept_world().reset(); }

Communicator Communicator::world() {
  if (!kept_world()) kept_world() = std::make_shared<Impl>(duplicate(MPI_COMM_WORLD));
  return Communicator(std::static_pointer_cast<Impl>(kept_world()));
}

Communicator Communicator::self() { return Communicator(std::make_shared<Impl>(duplicate(MPI_COMM_SELF))); }

int Communicator::rank() const { return impl_->rank; }
int Communicator::size() const { return impl_->size; }
const void* Communicator::handle() const { return &impl_->comm; }

Communicator Communicator::split_by(int colour) const {
  MPI_Comm made = MPI_COMM_NULL;
  check(MPI_Comm_split(impl_->comm, colour, rank(), &made), "MPI_Comm_split");
  return Communicator(std::make_shared<Impl>(made));
}

void Communicator::barrier() const { check(MPI_Barrier(impl_->comm), "MPI_Barrier"); }

void Communicator::broadcast(void* data, std::size_t bytes, int from) const {
  if (size() == 1) return;
  auto* at = static_cast<char*>(data);
  const std::size_t piece = detail::pieces().broadcast_bytes;
  for (std::size_t done = 0; done < bytes; done += piece) {
    const int count = static_cast<int>(std::min(piece, bytes - done));
    check(MPI_Bcast(at + done, count, MPI_BYTE, from, impl_->comm), "MPI_Bcast");
  }
}

std::string Communicator::broadcast(const std::string& text, int from) const {
  std::uint64_t length = text.size();
  broadcast(&length, sizeof length, from);
  std::string out = text;
  out.resize(length);
  broadcast(out.data(), length, from);
  return out;
}

bool Communicator::any(bool flag) const {
  int mine = flag ? 1 : 0, all = 0;
  check(MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MAX, impl_->comm), "MPI_Allreduce");
  return all != 0;
}

double Communicator::maximum(double value) const {
  double all = 0;
  check(MPI_Allreduce(&value, &all, 1, MPI_DOUBLE, MPI_MAX, impl_->comm), "MPI_Allreduce");
  return all;
}

std::int64_t Communicator::sum(std::int64_t value) const {
  std::int64_t all = 0;
  check(MPI_Allreduce(&value, &all, 1, MPI_INT64_T, MPI_SUM, impl_->comm), "MPI_Allreduce");
  return all;
}

template <class T>
std::vector<T> Communicator::gather_all(std::span<const T> local) const {
  if (size() == 1) return {local.begin(), local.end()};
  const auto ranks = static_cast<std::size_t>(size());
  const std::uint64_t mine = local.size();
  std::vector<std::uint64_t> sizes(ranks);
  check(MPI_Allgather(&mine, 1, MPI_UINT64_T, sizes.data(), 1, MPI_UINT64_T, impl_->comm), "MPI_Allgather");
  std::vector<int> counts, offsets;
  std::uint64_t total = 0;
  for (const std::uint64_t count : sizes) {
    counts.push_back(static_cast<int>(count));
    offsets.push_back(static_cast<int>(total));
    total += count;
  }
  std::vector<T> all(total);
  if (total <= detail::pieces().gather_values) {
    check(MPI_Allgatherv(local.data(), static_cast<int>(mine), type_of<T>(), all.data(), counts.data(), offsets.data(),
                         type_of<T>(), impl_->comm),
          "MPI_Allgatherv");
    return all;
  }
  T* at = all.data();
  for (std::size_t r = 0; r < ranks; at += sizes[r++]) {
    if (r == static_cast<std::size_t>(rank())) std::copy(local.begin(), local.end(), at);
    broadcast(at, sizes[r] * sizeof(T), static_cast<int>(r));
  }
  return all;
}

template std::vector<float> Communicator::gather_all(std::span<const float>) const;
template std::vector<double> Communicator::gather_all(std::span<const double>) const;
template std::vector<std::int32_t> Communicator::gather_all(std::span<const std::int32_t>) const;
template std::vector<std::int64_t> Communicator::gather_all(std::span<const std::int64_t>) const;
template std::vector<std::uint8_t> Communicator::gather_all(std::span<const std::uint8_t>) const;
template std::vector<char> Communicator::gather_all(std::span<const char>) const;

}  // namespace amacrine::parallel
