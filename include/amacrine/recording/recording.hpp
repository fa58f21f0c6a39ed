// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/array.hpp"
#include "amacrine/core/shared_array.hpp"
#include "amacrine/core/study.hpp"
#include "amacrine/io/provenance.hpp"
#include "amacrine/stimulus/stimulus.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace amacrine::recording {

/// How pixel values become contrast: contrast = (value - zero) / unit. Ours: 127 and 42; lab files: mean and sd of the training
/// movie.
struct ContrastCoding {
  double zero = 127.0, unit = 42.0;
};

/// What is done to contrast before the first layer: x = (contrast - mean) / scale, one pair for all pixels ("scalar"), one per
/// pixel ("per_pixel", row-major Y x X), or nothing ("none": mean 0, scale 1). Part of the model file. Constant pixels get
/// scale 1.
struct Normalisation {
  std::string kind = "scalar";
  std::vector<double> mean{0.0}, scale{1.0};
};

/// A movie as stored: uint8 stays uint8 (0.9 GB an hour), anything else becomes float32. (T, Y, X). Ranks of a node may share it.
struct StoredMovie {
  std::variant<core::SharedArray<std::uint8_t, 3>, core::SharedArray<float, 3>> pixels;
  std::size_t frames() const;
  std::size_t height() const;
  std::size_t width() const;
  std::size_t bytes() const;
  /// Contrast of frame t into `out` (Y*X values).
  void contrast(std::size_t frame, const ContrastCoding& coding, float* out) const;
};

/// A cell of a recording.
struct Cell {
  int id = 0;                              ///< 0-based index on the file's cell axis
  std::string name;                        ///< "cell01" or the circuit's name
  std::optional<stimulus::Centre> centre;  ///< receptive-field centre: as given, or fitted
  double centre_error_px = 0;              ///< standard error of a fitted centre, 0 where given
  double radius_px = 0;                    ///< 1 sd of the Gaussian fit, 0 where unknown
  bool silent = false;                     ///< no spikes in training: left out of means
  bool no_ceiling = false;                 ///< fewer than 2 repeats
};

/// One part (train or test) of a recording.
struct Part {
  StoredMovie movie;
  core::Array<float, 2> target;     ///< (N, T) the asked-for response in Hz, trial mean for the test part
  core::Array<float, 2> noiseless;  ///< (N, T) simulated rate in Hz, empty for real recordings
  core::Array<float, 3> repeats;    ///< (R, N, T) Hz, single trials; empty without repeats
};

/// A recording in memory, cells selected. Times: frame t of the movie and bin t of the responses are the same 10 ms.
struct Recording {
  std::string path;
  stimulus::Screen screen;
  ContrastCoding coding;
  std::string target_kind;  ///< "binned", "firing_rate_5ms", ..., "trace"
  std::vector<Cell> cells;
  Part train, test;
  std::vector<std::size_t> block_starts;  ///< first frame of each training block
  std::size_t skip_frames = 0;            ///< frames left out at the start of each block
};

}  // namespace amacrine::recording
