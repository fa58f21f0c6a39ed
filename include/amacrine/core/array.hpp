// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/errors.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace amacrine::core {

/// A dense array on the host, last axis fastest (HDF5 order). Rank is fixed by the type, as is its letter order in the docs:
/// B windows, T frames, Y X pixels, C channels, N cells.
template <class T, std::size_t Rank>
class Array {
 public:
  using Shape = std::array<std::size_t, Rank>;

  Array() : shape_{} {}
  explicit Array(Shape shape, T fill = T{}) : shape_(shape), data_(count(shape), fill) {}
  Array(Shape shape, std::vector<T> data) : shape_(shape), data_(std::move(data)) {
    require(data_.size() == count(shape_), "an array of {} values was given {}", count(shape_), data_.size());
  }

  const Shape& shape() const { return shape_; }
  std::size_t extent(std::size_t axis) const { return shape_[axis]; }
  std::size_t size() const { return data_.size(); }
  bool empty() const { return data_.empty(); }
  T* data() { return data_.data(); }
  const T* data() const { return data_.data(); }
  std::vector<T>& values() { return data_; }
  const std::vector<T>& values() const { return data_; }

  template <class... Index>
  T& operator()(Index... index) {
    return data_[offset(index...)];
  }
  template <class... Index>
  const T& operator()(Index... index) const {
    return data_[offset(index...)];
  }

  /// The block at `index` of the first axis, flat.
  std::span<T> row(std::size_t index) { return {data_.data() + index * stride(), stride()}; }
  std::span<const T> row(std::size_t index) const { return {data_.data() + index * stride(), stride()}; }

 private:
  static std::size_t count(const Shape& shape) {
    std::size_t n = 1;
    for (std::size_t extent : shape) n *= extent;
    return n;
  }
  std::size_t stride() const { return shape_[0] == 0 ? 0 : data_.size() / shape_[0]; }
  template <class... Index>
  std::size_t offset(Index... index) const {
    static_assert(sizeof...(Index) == Rank);
    const std::array<std::size_t, Rank> where{static_cast<std::size_t>(index)...};
    std::size_t at = 0;
    for (std::size_t axis = 0; axis < Rank; ++axis) at = at * shape_[axis] + where[axis];
    return at;
  }

  Shape shape_;
  std::vector<T> data_;
};

}  // namespace amacrine::core
