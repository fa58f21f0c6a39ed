// SPDX-License-Identifier: Apache-2.0
#include "stored.hpp"

#include "amacrine/core/errors.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include <fmt/ranges.h>

namespace amacrine::recording::formats {

namespace {

using core::InputError;

std::size_t size_of(const Counts& count) {
  return std::accumulate(count.begin(), count.end(), std::size_t{1}, std::multiplies<>());
}

class Hdf5Array final : public Stored {
 public:
  Hdf5Array(std::shared_ptr<const io::Reader> file, std::string dataset)
      : file_(std::move(file)), dataset_(std::move(dataset)), shape_(file_->shape(dataset_)), type_(file_->type(dataset_)) {}
  std::string place() const override { return fmt::format("dataset {} of {}", dataset_, file_->path()); }
  const Counts& shape() const override { return shape_; }
  io::Type type() const override { return type_; }
  const io::Reader* file() const override { return file_.get(); }
  std::string dataset() const override { return dataset_; }
  void read(const Counts& offset, const Counts& count, std::vector<float>& to) const override {
    to = file_->read<float>(dataset_, offset, count);
  }
  void read(const Counts& offset, const Counts& count, std::vector<std::uint8_t>& to) const override {
    to = file_->read<std::uint8_t>(dataset_, offset, count);
  }

 private:
  std::shared_ptr<const io::Reader> file_;
  std::string dataset_;
  Counts shape_;
  io::Type type_;
};

/// Another array that is seen differently.
class View : public Stored {
 public:
  View(StoredPtr array, Counts shape) : array_(std::move(array)), shape_(std::move(shape)) {}
  std::string place() const override { return array_->place(); }
  const Counts& shape() const override { return shape_; }
  io::Type type() const override { return array_->type(); }
  const io::Reader* file() const override { return array_->file(); }
  std::string dataset() const override { return array_->dataset(); }

 protected:
  StoredPtr array_;
  Counts shape_;
};

constexpr int inserted = -1;  ///< an axis that the array does not have

class Arranged final : public View {
 public:
  /// `from`: the array's axis behind each axis here, or `inserted`; `held`: the index at which the others are held.
  Arranged(StoredPtr array, Counts shape, std::vector<int> from, Counts held)
      : View(std::move(array), std::move(shape)), from_(std::move(from)), held_(std::move(held)) {}
  void read(const Counts& offset, const Counts& count, std::vector<float>& to) const override { arrange(offset, count, to); }
  void read(const Counts& offset, const Counts& count, std::vector<std::uint8_t>& to) const override {
    arrange(offset, count, to);
  }

 private:
  template <class T>
  void arrange(const Counts& offset, const Counts& count, std::vector<T>& to) const {
    Counts first = held_, extent(held_.size(), 1);
    for (std::size_t i = 0; i < from_.size(); ++i)
      if (from_[i] != inserted) {
        first[static_cast<std::size_t>(from_[i])] = offset[i];
        extent[static_cast<std::size_t>(from_[i])] = count[i];
      }
    std::vector<T> block;
    array_->read(first, extent, block);
    if (std::is_sorted(from_.begin(), from_.end())) {
      to = std::move(block);
      return;
    }
    Counts strides(from_.size(), 0);
    for (std::size_t i = 0; i < from_.size(); ++i)
      if (from_[i] != inserted) {
        strides[i] = 1;
        for (std::size_t k = static_cast<std::size_t>(from_[i]) + 1; k < extent.size(); ++k) strides[i] *= extent[k];
      }
    to.resize(block.size());
    permute(block, count, strides, to);
  }
  /// to[i, j, ...] = block[sum of index x stride].
  template <class T>
  static void permute(const std::vector<T>& block, const Counts& count, const Counts& strides, std::vector<T>& to) {
    const std::size_t last = count.size() - 1, runs = count[last] == 0 ? 0 : to.size() / count[last];
    Counts index(count.size(), 0);
    for (std::size_t run = 0; run < runs; ++run) {
      std::size_t at = 0;
      for (std::size_t i = 0; i < last; ++i) at += index[i] * strides[i];
      for (std::size_t k = 0; k < count[last]; ++k) to[run * count[last] + k] = block[at + k * strides[last]];
      for (std::size_t i = last; i-- > 0;) {
        if (++index[i] < count[i]) break;
        index[i] = 0;
      }
    }
  }

  std::vector<int> from_;
  Counts held_;
};

class Joined final : public View {
 public:
  Joined(std::vector<StoredPtr> pieces, std::size_t axis, Counts shape)
      : View(pieces.front(), std::move(shape)), pieces_(std::move(pieces)), axis_(axis) {}
  std::string place() const override {
    std::vector<std::string> places;
    for (const StoredPtr& piece : pieces_) places.push_back(piece->place());
    return fmt::format("{}", fmt::join(places, " + "));
  }
  void read(const Counts& offset, const Counts& count, std::vector<float>& to) const override { join(offset, count, to); }
  void read(const Counts& offset, const Counts& count, std::vector<std::uint8_t>& to) const override { join(offset, count, to); }

 private:
  template <class T>
  void join(const Counts& offset, const Counts& count, std::vector<T>& to) const {
    to.resize(size_of(count));
    const std::size_t inner = size_of(Counts(count.begin() + static_cast<std::ptrdiff_t>(axis_) + 1, count.end()));
    const std::size_t row = count[axis_] * inner, rows = row == 0 ? 0 : to.size() / row;
    std::size_t begin = 0, done = 0;
    for (const StoredPtr& piece : pieces_) {
      const std::size_t end = begin + piece->shape()[axis_];
      const std::size_t low = std::max(begin, offset[axis_]), high = std::min(end, offset[axis_] + count[axis_]);
      if (low < high) {
        Counts first = offset, extent = count;
        first[axis_] = low - begin, extent[axis_] = high - low;
        std::vector<T> part;
        piece->read(first, extent, part);
        const std::size_t length = (high - low) * inner;
        for (std::size_t r = 0; r < rows; ++r)
          std::copy_n(part.begin() + static_cast<std::ptrdiff_t>(r * length), length,
                      to.begin() + static_cast<std::ptrdiff_t>(r * row + done));
        done += length;
      }
      begin = end;
    }
  }

  std::vector<StoredPtr> pieces_;
  std::size_t axis_;
};

class WithoutEmptyRows final : public Stored {
 public:
  explicit WithoutEmptyRows(StoredPtr array) : array_(std::move(array)) {}
  std::string place() const override { return array_->place(); }
  const Counts& shape() const override {
    if (!shape_) find();
    return *shape_;
  }
  io::Type type() const override { return array_->type(); }
  const io::Reader* file() const override { return array_->file(); }
  std::string dataset() const override { return array_->dataset(); }
  void read(const Counts& offset, const Counts& count, std::vector<float>& to) const override { pick(offset, count, to); }
  void read(const Counts& offset, const Counts& count, std::vector<std::uint8_t>& to) const override { pick(offset, count, to); }

 private:
  void find() const {
    const std::size_t columns = array_->shape()[1];
    for (std::size_t r = 0; r < array_->shape()[0]; ++r) {
      std::vector<float> row;
      array_->read({r, 0}, {1, columns}, row);
      if (!std::all_of(row.begin(), row.end(), [](float value) { return std::isnan(value); })) kept_.push_back(r);
    }
    shape_ = Counts{kept_.size(), columns};
  }
  template <class T>
  void pick(const Counts& offset, const Counts& count, std::vector<T>& to) const {
    to.clear();
    shape();
    for (std::size_t r = offset[0]; r < offset[0] + count[0]; ++r) {
      std::vector<T> row;
      array_->read({kept_[r], offset[1]}, {1, count[1]}, row);
      to.insert(to.end(), row.begin(), row.end());
    }
  }

  StoredPtr array_;
  mutable std::optional<Counts> shape_;
  mutable Counts kept_;
};

void check_letters(const Stored& array, const std::string& axes, const std::string& known, const std::string& key) {
  const Counts& shape = array.shape();
  core::require<InputError>(axes.size() == shape.size(),
                            "{} has {} axes ({}), but {} = \"{}\" names {}; give one letter for each axis, in the file's order",
                            array.place(), shape.size(), fmt::join(shape, ", "), key, axes, axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    core::require<InputError>(known.find(axes[i]) != std::string::npos,
                              "{}: {} = \"{}\" holds '{}'; expected letters of \"{}\", '1' for an axis of length 1",
                              array.place(), key, axes, axes[i], known);
    core::require<InputError>(axes[i] == '1' || axes.find(axes[i], i + 1) == std::string::npos,
                              "{}: {} = \"{}\" names the axis '{}' twice", array.place(), key, axes, axes[i]);
    core::require<InputError>(axes[i] != '1' || shape[i] == 1,
                              "{}: {} = \"{}\" calls axis {} one of length 1, but its length is {}", array.place(), key, axes, i,
                              shape[i]);
  }
}

}  // namespace

StoredPtr hdf5_array(const std::shared_ptr<const io::Reader>& file, const std::string& dataset, const std::string& key) {
  core::require<InputError>(file->has(dataset) && file->is_dataset(dataset),
                            "{}: has no dataset {}, which {} names; `amacrine inspect` lists those it has", file->path(), dataset,
                            key);
  return std::make_shared<Hdf5Array>(file, dataset);
}

StoredPtr arranged(StoredPtr array, const std::string& axes, const std::string& wanted, const std::map<char, std::size_t>& held,
                   const std::string& key) {
  std::string known = wanted + "1";
  for (const auto& [letter, index] : held) known += letter;
  check_letters(*array, axes, known, key);
  core::require<InputError>(axes.find('t') != std::string::npos, "{}: {} = \"{}\" names no axis 't', time", array->place(), key,
                            axes);
  Counts shape, fixed(axes.size(), 0);
  std::vector<int> from;
  for (const char letter : wanted) {
    const std::size_t at = axes.find(letter);
    from.push_back(at == std::string::npos ? inserted : static_cast<int>(at));
    shape.push_back(at == std::string::npos ? 1 : array->shape()[at]);
  }
  for (const auto& [letter, index] : held)
    if (const std::size_t at = axes.find(letter); at != std::string::npos) fixed[at] = index;
  return std::make_shared<Arranged>(std::move(array), std::move(shape), std::move(from), std::move(fixed));
}

StoredPtr joined(std::vector<StoredPtr> pieces, std::size_t axis) {
  if (pieces.size() == 1) return pieces.front();
  Counts shape = pieces.front()->shape();
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    Counts other = pieces[i]->shape();
    const std::size_t length = std::exchange(other[axis], shape[axis]);
    core::require<InputError>(other == shape && pieces[i]->type() == pieces.front()->type(),
                              "{} and {} cannot follow one another: their axes or number types differ", pieces.front()->place(),
                              pieces[i]->place());
    shape[axis] += length;
  }
  return std::make_shared<Joined>(std::move(pieces), axis, std::move(shape));
}

StoredPtr without_empty_rows(StoredPtr array) { return std::make_shared<WithoutEmptyRows>(std::move(array)); }

}  // namespace amacrine::recording::formats
