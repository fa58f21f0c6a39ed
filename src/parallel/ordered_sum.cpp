// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/ordered_sum.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/parallel/mpi_handle.hpp"
#include "check.hpp"
#include "pieces.hpp"
#include "type_of.hpp"

#include <algorithm>
#include <vector>

namespace amacrine::parallel {
namespace {

/// total[i] = sum over shards, in their order, of values[shard][i], in double; values (shards, length).
template <class T>
void sum_in_order(const T* values, std::size_t shards, std::size_t length, T* total) {
  constexpr std::size_t block = 512;
  double sums[block];
  for (std::size_t begin = 0; begin < length; begin += block) {
    const std::size_t count = std::min(block, length - begin);
    std::fill_n(sums, count, 0.0);
    for (std::size_t s = 0; s < shards; ++s)
      for (std::size_t i = 0; i < count; ++i) sums[i] += static_cast<double>(values[s * length + begin + i]);
    for (std::size_t i = 0; i < count; ++i) total[begin + i] = static_cast<T>(sums[i]);
  }
}

/// Some of the values of an ordered sum: every rank gets one slice of them of every shard, sums it in the order of shards, and
/// all gather the sums.
template <class T>
class Piece {
 public:
  /// `local` (this rank's shards, stride): the first total.size() values of each are summed.
  Piece(const Communicator& communicator, const T* local, std::size_t stride, const Shards& shards, std::span<T> total)
      : comm_(mpi_handle(communicator)), shards_(shards.count), total_(total) {
    plan(communicator, shards);
    pack(local, stride, communicator.owned(shards).size());
  }

  void exchange() {
    check(MPI_Alltoallv(packed_.data(), send_.data(), send_at_.data(), type_of<T>(), slices_.data(), receive_.data(),
                        receive_at_.data(), type_of<T>(), comm_),
          "MPI_Alltoallv");
  }
  void start_exchange() {
    check(MPI_Ialltoallv(packed_.data(), send_.data(), send_at_.data(), type_of<T>(), slices_.data(), receive_.data(),
                         receive_at_.data(), type_of<T>(), comm_, &under_way_),
          "MPI_Ialltoallv");
  }
  void wait() { check(MPI_Wait(&under_way_, MPI_STATUS_IGNORE), "MPI_Wait"); }

  void sum_and_gather() {
    const std::size_t length = slices_.size() / shards_;
    std::vector<T> sums(length);
    sum_in_order(slices_.data(), shards_, length, sums.data());
    check(MPI_Allgatherv(sums.data(), static_cast<int>(length), type_of<T>(), total_.data(), slice_.data(), slice_at_.data(),
                         type_of<T>(), comm_),
          "MPI_Allgatherv");
  }

 private:
  /// How many values go to and come from each rank, and where they lie.
  void plan(const Communicator& communicator, const Shards& shards) {
    const auto ranks = static_cast<std::size_t>(communicator.size());
    const std::size_t mine = communicator.owned(shards).size(), my_slice = communicator.owned(total_.size()).size();
    int sent = 0, received = 0;
    for (std::size_t r = 0; r < ranks; ++r) {
      const Range slice = split(total_.size(), ranks, r);
      slice_.push_back(static_cast<int>(slice.size()));
      slice_at_.push_back(static_cast<int>(slice.begin));
      send_.push_back(static_cast<int>(mine * slice.size()));
      send_at_.push_back(sent);
      sent += send_.back();
      receive_.push_back(static_cast<int>(split(shards, ranks, r).size() * my_slice));
      receive_at_.push_back(received);
      received += receive_.back();
    }
    slices_.resize(shards.count * my_slice);
  }

  void pack(const T* local, std::size_t stride, std::size_t mine) {
    packed_.resize(mine * total_.size());
    T* at = packed_.data();
    for (std::size_t r = 0; r < slice_.size(); ++r)
      for (std::size_t s = 0; s < mine; ++s) at = std::copy_n(local + s * stride + slice_at_[r], slice_[r], at);
  }

  MPI_Comm comm_;
  std::size_t shards_;
  std::span<T> total_;
  std::vector<int> send_, send_at_, receive_, receive_at_, slice_, slice_at_;
  std::vector<T> packed_, slices_;
  MPI_Request under_way_ = MPI_REQUEST_NULL;
};

template <class T>
void require_fitting(const Communicator& communicator, std::span<const T> local, const Shards& shards, std::size_t length) {
  const std::size_t mine = communicator.owned(shards).size();
  core::require(static_cast<std::size_t>(communicator.size()) <= shards.owners(),
                "{} ranks share {} shards; use at most {} ranks, or a study with more shards", communicator.size(), shards.count,
                shards.owners());
  core::require(local.size() == mine * length, "rank {} holds {} values, expected {} shards x {}", communicator.rank(),
                local.size(), mine, length);
}

/// The sum in pieces that MPI's counts can hold, each given to `body`. One rank sums at once, and has none.
template <class T, class Body>
void each_piece(const Communicator& communicator, std::span<const T> local, const Shards& shards, std::span<T> total,
                const Body& body) {
  const std::size_t length = total.size();
  require_fitting(communicator, local, shards, length);
  if (communicator.size() == 1) return sum_in_order(local.data(), shards.count, length, total.data());
  const std::size_t most = std::max<std::size_t>(1, detail::pieces().sum_values / shards.count);
  for (std::size_t begin = 0; begin < length; begin += most)
    body(Piece<T>(communicator, local.data() + begin, length, shards, total.subspan(begin, std::min(most, length - begin))));
}

/// What MPI may still read and write.
template <class T>
std::vector<std::vector<Piece<T>>>& left_to_mpi() {
  static auto* left = new std::vector<std::vector<Piece<T>>>();
  return *left;
}

}  // namespace

template <class T>
struct OrderedSum<T>::Impl {
  std::vector<Piece<T>> pieces;
};

template <class T>
OrderedSum<T>::OrderedSum(const Communicator& communicator, std::span<const T> local, const Shards& shards, std::span<T> total)
    : impl_(std::make_unique<Impl>()) {
  each_piece(communicator, local, shards, total, [&](Piece<T> piece) { impl_->pieces.push_back(std::move(piece)); });
  for (Piece<T>& piece : impl_->pieces) piece.start_exchange();
}

template <class T>
OrderedSum<T>::~OrderedSum() {
  if (impl_ && !impl_->pieces.empty()) left_to_mpi<T>().push_back(std::move(impl_->pieces));
}

template <class T>
OrderedSum<T>::OrderedSum(OrderedSum&&) noexcept = default;

template <class T>
void OrderedSum<T>::finish() {
  for (Piece<T>& piece : impl_->pieces) {
    piece.wait();
    piece.sum_and_gather();
  }
  impl_->pieces.clear();
}

template <class T>
void Communicator::ordered_sum(std::span<const T> local, const Shards& shards, std::span<T> total) const {
  each_piece(*this, local, shards, total, [](Piece<T> piece) {
    piece.exchange();
    piece.sum_and_gather();
  });
}

template void Communicator::ordered_sum(std::span<const float>, const Shards&, std::span<float>) const;
template void Communicator::ordered_sum(std::span<const double>, const Shards&, std::span<double>) const;
template class OrderedSum<float>;
template class OrderedSum<double>;

}  // namespace amacrine::parallel
