// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/source.hpp"

#include <span>
#include <string>
#include <vector>

/// What a file says about its datasets beside their shapes. Private to the reader.
namespace amacrine::recording {

/// Refuses (InputError) a training movie whose time is its last axis: "looks transposed".
void refuse_transposed(const Source& reader, const std::string& target);
/// Refuses a time axis of a part ("train", "test") of another length than its movie.
void check_time_length(const Source& reader, const std::string& part, std::size_t frames);
/// Refuses packed data: attributes scale_factor other than 1 or add_offset other than 0.
void refuse_packed(const Source& reader, const std::string& dataset);
/// Refuses values that the dataset's attribute _FillValue or missing_value calls missing. `values` begin at row `first` of the
/// dataset's first axis, each of `row` values.
template <class T>
void refuse_missing(const Source& reader, const std::string& dataset, std::span<const T> values, std::size_t row,
                    std::size_t first = 0);

}  // namespace amacrine::recording
