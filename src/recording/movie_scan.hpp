// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/recording.hpp"
#include "amacrine/recording/source.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// What can be wrong with a movie as a whole: it stands still, or holds another one. Private to the reader.
namespace amacrine::recording {

/// One pass over a movie's frames: which are equal, which are of one value, how bright they are.
class MovieScan {
 public:
  struct Frame {
    std::uint64_t hash;  ///< equal for equal frames, whatever number type stores them
    double mean, square;
    bool uniform;  ///< every pixel has one value
  };
  void add(std::span<const float> pixels);
  const std::vector<Frame>& frames() const { return frames_; }

 private:
  std::vector<Frame> frames_;
};

MovieScan scan_movie(const StoredMovie& movie);
/// The same of a dataset (T, Y, X), streamed.
MovieScan scan_movie(const Source& reader, const std::string& dataset, const std::vector<std::size_t>& shape);

/// Frames [begin, end) that are all equal; `grey` where they are of one value near the mean of the rest of the movie.
struct Still {
  std::size_t begin, end;
  bool uniform, grey;
  double value;  ///< mean over pixels
  std::size_t size() const { return end - begin; }
};
/// Runs of equal frames of at least 1 s and ten times as long as the movie usually holds a frame.
std::vector<Still> still_stretches(const MovieScan& scan, double frame_ms);
/// Refuses (InputError) a movie whose end, 5 % and more of it, is one value other than grey; warns of other stretches that stand
/// still, and of grey ones where they make a tenth of the movie, with their frames.
void check_still(const std::string& what, const MovieScan& scan, double frame_ms);

/// Frames [begin, end) of a longer movie that show frames [test_begin, ...) of a shorter one; empty without.
struct Copy {
  std::size_t begin = 0, end = 0, test_begin = 0;
};
/// A part of `test` with at least 40 changes of the picture (all, of a movie with fewer; never under 5) that is in `train`.
Copy find_copy(const MovieScan& train, const MovieScan& test);

}  // namespace amacrine::recording
