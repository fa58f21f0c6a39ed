// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/array.hpp"

#include <memory>

namespace amacrine::core {

/// A dense array on the host that is read only, last axis fastest; copies share its values. They may lie in memory that other
/// processes see, too. Letters of axes as of Array.
template <class T, std::size_t Rank>
class SharedArray {
 public:
  using Shape = typename Array<T, Rank>::Shape;

  SharedArray() : shape_{} {}
  SharedArray(Array<T, Rank> array)  // NOLINT(google-explicit-constructor): an array that nobody changes any more
      : shape_(array.shape()), size_(array.size()) {
    const auto kept = std::make_shared<const Array<T, Rank>>(std::move(array));
    values_ = std::shared_ptr<const T>(kept, kept->data());
  }
  /// `values` points at as many values as the shape has.
  SharedArray(Shape shape, std::shared_ptr<const T> values) : shape_(shape), size_(1), values_(std::move(values)) {
    for (const std::size_t extent : shape) size_ *= extent;
  }

  const Shape& shape() const { return shape_; }
  std::size_t extent(std::size_t axis) const { return shape_[axis]; }
  std::size_t size() const { return size_; }
  const T* data() const { return values_.get(); }
  std::span<const T> values() const { return {data(), size_}; }
  /// The block at `index` of the first axis, flat.
  std::span<const T> row(std::size_t index) const {
    const std::size_t stride = shape_[0] == 0 ? 0 : size_ / shape_[0];
    return {data() + index * stride, stride};
  }
  template <class... Index>
  const T& operator()(Index... index) const {
    static_assert(sizeof...(Index) == Rank);
    std::size_t at = 0, axis = 0;
    ((at = at * shape_[axis++] + static_cast<std::size_t>(index)), ...);
    return data()[at];
  }

 private:
  Shape shape_;
  std::size_t size_ = 0;
  std::shared_ptr<const T> values_;
};

}  // namespace amacrine::core
