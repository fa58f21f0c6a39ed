// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/array.hpp"
#include "amacrine/recording/recording.hpp"
#include "amacrine/recording/source.hpp"

#include <span>
#include <string>
#include <vector>

/// Responses of a lab file, checked and brought to Hz. Private to the reader.
namespace amacrine::recording {

/// What responses are read for.
struct ResponseQuery {
  std::vector<int> cells;  ///< indices on the file's cell axis
  std::string target;      ///< "binned" or "firing_rate_Xms"
  double frame_ms = 10.0;
};

/// sd of the smoothing behind the name of a firing_rate_ target, ms.
double smoothing_of(const std::string& target);
/// Throws InputError where rates are whole numbers of at most 2 per ms of the bin, as counts are; all zero is fine.
void refuse_counts(const Source& reader, const std::string& dataset, std::span<const float> rates, double frame_ms);
/// Number of cells on the file's cell axis. Throws InputError where the part has no such response, naming those it has.
std::size_t cells_in_file(const Source& reader, const std::string& target);
/// Rows of a (cells, T) dataset, (N, T), checked for shape and NaN.
core::Array<float, 2> read_rows(const Source& reader, const std::string& dataset, const std::vector<int>& cells,
                                std::size_t frames);
/// The training target in Hz, checked to be what its name says: (N, T).
core::Array<float, 2> read_train_target(const Source& reader, const ResponseQuery& query, std::size_t frames);
/// Single trials of the test part in Hz, either layout, empty without: (R, N, T).
core::Array<float, 3> read_repeats(const Source& reader, const ResponseQuery& query, std::size_t frames);
/// The test target in Hz, the trial mean, checked to be what its name says: (N, T).
core::Array<float, 2> read_test_target(const Source& reader, const ResponseQuery& query, const core::Array<float, 3>& repeats,
                                       std::size_t frames);
/// Total of a cell's training spikes (or rate where the file has no counts) for each cell.
std::vector<double> training_activity(const Source& reader, const ResponseQuery& query, std::size_t frames);

}  // namespace amacrine::recording
