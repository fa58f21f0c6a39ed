// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/recording.hpp"
#include "amacrine/recording/source.hpp"

#include <memory>
#include <string>

namespace amacrine::recording {

/// A movie that stays in its file and is read piece by piece: a day of frames has no place in memory. Local: every rank opens the
/// file by itself.
class MovieFile {
 public:
  /// `dataset`: (T, Y, X) of any numeric type. Throws InputError where it is missing or of another rank.
  MovieFile(const std::string& path, std::string dataset, const ContrastCoding& coding);
  /// The same of a recording, by the names of the public layout.
  MovieFile(std::unique_ptr<Source> source, std::string dataset, const ContrastCoding& coding);

  std::size_t frames() const { return shape_[0]; }
  std::size_t height() const { return shape_[1]; }
  std::size_t width() const { return shape_[2]; }
  std::string name() const { return source_->path() + ": " + dataset_; }
  /// Throws InputError where the coding makes contrasts no movie has, as of bytes that are taken for contrast; `source` says
  /// where zero and unit come from.
  void check_contrast(const std::string& source) const;
  /// Contrast of frames [first, first + count): (count, Y, X). Throws InputError where a pixel is not a number.
  core::Array<float, 3> contrast(std::size_t first, std::size_t count) const;

 private:
  std::unique_ptr<Source> source_;
  std::string dataset_;
  std::vector<std::size_t> shape_;
  ContrastCoding coding_;
};

/// A recording's contrast coding as load_recording() has it: the file's attributes, or mean and sd of the training movie
/// (streamed).
ContrastCoding contrast_coding(const Source& source);

}  // namespace amacrine::recording
