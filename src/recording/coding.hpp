// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/recording.hpp"
#include "amacrine/recording/source.hpp"
#include "movie_scan.hpp"

#include <optional>
#include <string>
#include <vector>

/// How a recording's pixel values become contrast. Private to the reader.
namespace amacrine::recording {

/// The attributes contrast_zero and contrast_unit of the file or of train/stimulus, else mean and sd of the training movie
/// (T, Y, X); where it is streamed for that, its frames are added to `scan`. Throws InputError: one attribute without the other,
/// values that are no coding, contrasts no movie has, a movie that never changes or holds NaN.
ContrastCoding read_coding(const Source& reader, const std::vector<std::size_t>& shape, MovieScan* scan = nullptr);

/// Throws InputError where frames spread over a movie (T, Y, X) become contrasts of more than 10 (root mean square), as bytes do
/// that are taken for contrast; warns below 0.02. `source` says where zero and unit come from.
void check_contrast(const Source& reader, const std::string& dataset, const std::vector<std::size_t>& shape,
                    const ContrastCoding& coding, const std::string& source);

/// values (T, pixels) begin with frame `first` of the dataset. Throws InputError where one is not a number.
void require_finite(const Source& reader, const std::string& dataset, std::span<const float> values, std::size_t pixels,
                    std::size_t first = 0);

}  // namespace amacrine::recording
