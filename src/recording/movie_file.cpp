// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/movie_file.hpp"

#include "amacrine/core/errors.hpp"
#include "coding.hpp"
#include "layout_checks.hpp"

#include <cmath>

#include <fmt/ranges.h>

namespace amacrine::recording {

MovieFile::MovieFile(const std::string& path, std::string dataset, const ContrastCoding& coding)
    : MovieFile(open_as_stored(path), std::move(dataset), coding) {}

MovieFile::MovieFile(std::unique_ptr<Source> source, std::string dataset, const ContrastCoding& coding)
    : source_(std::move(source)), dataset_(std::move(dataset)), coding_(coding) {
  const std::string& path = source_->path();
  core::require<core::InputError>(source_->has(dataset_) && source_->is_dataset(dataset_),
                                  "{}: dataset {} is missing; expected a movie (time, height, width) there", path, dataset_);
  shape_ = source_->shape(dataset_);
  core::require<core::InputError>(shape_.size() == 3 && shape_[0] * shape_[1] * shape_[2] > 0,
                                  "{}: dataset {} should be (time, height, width), but is ({})", path, dataset_,
                                  fmt::join(shape_, ", "));
  refuse_packed(*source_, dataset_);
}

void MovieFile::check_contrast(const std::string& source) const {
  recording::check_contrast(*source_, dataset_, shape_, coding_, source);
}

core::Array<float, 3> MovieFile::contrast(std::size_t first, std::size_t count) const {
  core::Array<float, 3> out({count, height(), width()},
                            source_->read<float>(dataset_, {first, 0, 0}, {count, height(), width()}));
  const auto zero = static_cast<float>(coding_.zero), gain = static_cast<float>(1.0 / coding_.unit);
  bool finite = true;
  for (float& value : out.values()) {
    value = (value - zero) * gain;  // grey is exactly 0
    finite = finite && std::isfinite(value);
  }
  core::require<core::InputError>(finite, "{}: dataset {} holds a pixel that is not a number in frames {} to {}", source_->path(),
                                  dataset_, first, first + count);
  return out;
}

}  // namespace amacrine::recording
