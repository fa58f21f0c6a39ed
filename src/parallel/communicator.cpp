// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/communicator.hpp"

#include "amacrine/parallel/mpi_handle.hpp"
#include "check.hpp"
#include "pieces.hpp"

#include <algorithm>
#include <exception>
#include <type_traits>

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

template <class T>
MPI_Datatype type_of() {
  if constexpr (std::is_same_v<T, float>) return MPI_FLOAT;
  if constexpr (std::is_same_v<T, double>) return MPI_DOUBLE;
  if constexpr (std::is_same_v<T, std::int32_t>) return MPI_INT32_T;
  if constexpr (std::is_same_v<T, std::int64_t>) return MPI_INT64_T;
  if constexpr (std::is_same_v<T, std::uint8_t>) return MPI_UINT8_T;
  if constexpr (std::is_same_v<T, char>) return MPI_CHAR;
}

MPI_Comm duplicate(MPI_Comm from) {
  MPI_Comm made = MPI_COMM_NULL;
  check(MPI_Comm_dup(from, &made), "MPI_Comm_dup");
  return made;
}

/// total[i] = sum over shards, in their order, of shard(s)[i], in double.
template <class T, class ShardAt>
void sum_in_order(std::size_t shards, std::size_t length, const ShardAt& shard, T* total) {
  constexpr std::size_t block = 512;
  double sums[block];
  for (std::size_t begin = 0; begin < length; begin += block) {
    const std::size_t count = std::min(block, length - begin);
    std::fill_n(sums, count, 0.0);
    for (std::size_t s = 0; s < shards; ++s) {
      const T* values = shard(s) + begin;
      for (std::size_t i = 0; i < count; ++i) sums[i] += static_cast<double>(values[i]);
    }
    for (std::size_t i = 0; i < count; ++i) total[begin + i] = static_cast<T>(sums[i]);
  }
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

namespace {

/// One rank's view of an ordered sum: how many values go to and come from each rank, and where they lie.
struct Exchange {
  std::vector<int> send, send_at, receive, receive_at, slice, slice_at;
};

Exchange plan_exchange(const Communicator& communicator, const Shards& shards, std::size_t length) {
  const auto ranks = static_cast<std::size_t>(communicator.size());
  const std::size_t mine = communicator.owned(shards).size(), my_slice = communicator.owned(length).size();
  Exchange plan;
  int sent = 0, received = 0;
  for (std::size_t r = 0; r < ranks; ++r) {
    const Range slice = split(length, ranks, r);
    plan.slice.push_back(static_cast<int>(slice.size()));
    plan.slice_at.push_back(static_cast<int>(slice.begin));
    plan.send.push_back(static_cast<int>(mine * slice.size()));
    plan.send_at.push_back(sent);
    sent += plan.send.back();
    plan.receive.push_back(static_cast<int>(split(shards, ranks, r).size() * my_slice));
    plan.receive_at.push_back(received);
    received += plan.receive.back();
  }
  return plan;
}

/// Every rank gets one slice of every shard, sums it in shard order, and all gather the sums.
/// `stride` is the distance between two local shards; `length` values of each are summed.
template <class T>
void exchange_and_sum(const Communicator& communicator, const T* local, std::size_t stride, const Shards& shards,
                      std::size_t length, T* total) {
  const MPI_Comm comm = mpi_handle(communicator);
  const Exchange plan = plan_exchange(communicator, shards, length);
  const std::size_t mine = communicator.owned(shards).size(), my_slice = communicator.owned(length).size();
  std::vector<T> packed(mine * length), slices(shards.count * my_slice), sums(my_slice);
  T* at = packed.data();
  for (std::size_t r = 0; r < plan.slice.size(); ++r)
    for (std::size_t s = 0; s < mine; ++s) at = std::copy_n(local + s * stride + plan.slice_at[r], plan.slice[r], at);
  check(MPI_Alltoallv(packed.data(), plan.send.data(), plan.send_at.data(), type_of<T>(), slices.data(), plan.receive.data(),
                      plan.receive_at.data(), type_of<T>(), comm),
        "MPI_Alltoallv");
  sum_in_order(
      shards.count, my_slice, [&](std::size_t s) { return slices.data() + s * my_slice; }, sums.data());
  check(MPI_Allgatherv(sums.data(), static_cast<int>(my_slice), type_of<T>(), total, plan.slice.data(), plan.slice_at.data(),
                       type_of<T>(), comm),
        "MPI_Allgatherv");
}

}  // namespace

template <class T>
void Communicator::ordered_sum(std::span<const T> local, const Shards& shards, std::span<T> total) const {
  const std::size_t length = total.size(), mine = owned(shards).size();
  core::require(static_cast<std::size_t>(size()) <= shards.owners(),
                "{} ranks share {} shards; use at most {} ranks, or a study with more shards", size(), shards.count,
                shards.owners());
  core::require(local.size() == mine * length, "rank {} holds {} values, expected {} shards x {}", rank(), local.size(), mine,
                length);
  if (size() == 1)
    return sum_in_order(
        shards.count, length, [&](std::size_t s) { return local.data() + s * length; }, total.data());
  const std::size_t piece = std::max<std::size_t>(1, detail::pieces().sum_values / shards.count);
  for (std::size_t begin = 0; begin < length; begin += piece)
    exchange_and_sum(*this, local.data() + begin, length, shards, std::min(piece, length - begin), total.data() + begin);
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

template void Communicator::ordered_sum(std::span<const float>, const Shards&, std::span<float>) const;
template void Communicator::ordered_sum(std::span<const double>, const Shards&, std::span<double>) const;
template std::vector<float> Communicator::gather_all(std::span<const float>) const;
template std::vector<double> Communicator::gather_all(std::span<const double>) const;
template std::vector<std::int32_t> Communicator::gather_all(std::span<const std::int32_t>) const;
template std::vector<std::int64_t> Communicator::gather_all(std::span<const std::int64_t>) const;
template std::vector<std::uint8_t> Communicator::gather_all(std::span<const std::uint8_t>) const;
template std::vector<char> Communicator::gather_all(std::span<const char>) const;

}  // namespace amacrine::parallel
