// SPDX-License-Identifier: Apache-2.0
// Any HDF5 file by the declarations of [recording.mapping]: which dataset is what, and what its axes are. MATLAB's v7.3 files are
// HDF5 files whose axes lie in the reverse of the order that MATLAB shows; their datasets have the attribute MATLAB_class
// (https://www.mathworks.com/help/matlab/import_export/mat-file-versions.html).
#include "amacrine/core/errors.hpp"
#include "format.hpp"
#include "named_arrays.hpp"

#include <algorithm>

#include <fmt/ranges.h>

namespace amacrine::recording::formats {

namespace {

using core::InputError;

const std::string movie_letters = "thw", response_letters = "nt";

/// Puts the declared arrays together.
class Declared {
 public:
  Declared(std::shared_ptr<const io::Reader> file, const RecordingSettings& settings, const Recognition& recognition)
      : file_(std::move(file)),
        mapping_(settings.mapping),
        target_(settings.target),
        source_(std::make_unique<NamedArrays>(recognition, file_)) {}

  std::unique_ptr<Source> source() && {
    movie("train", mapping_.train_stimulus, "recording.mapping.train_stimulus");
    movie("test", mapping_.test_stimulus, "recording.mapping.test_stimulus");
    response("train", mapping_.train_response, "recording.mapping.train_response");
    response("test", mapping_.test_response, "recording.mapping.test_response");
    repeats();
    source_->datasets = {mapping_.train_stimulus, mapping_.train_response};
    for (const char* part : {"train", "test"})
      check_lengths(*source_, part, "recording.mapping.stimulus_axes, response_axes or order");
    return std::move(source_);
  }

 private:
  /// Letters in the order in which HDF5 holds the axes.
  std::string stored_axes(const Stored& array, std::string axes) const {
    const bool reversed =
        mapping_.order == "matlab" || (mapping_.order == "auto" && file_->has_attribute("MATLAB_class", array.dataset()));
    if (reversed) std::reverse(axes.begin(), axes.end());
    return axes;
  }
  void add(const std::string& name, const StoredPtr& stored, const std::string& axes, StoredPtr seen) {
    source_->add(name, std::move(seen), axes_in_words(*stored, axes));
  }
  void movie(const std::string& part, const std::string& dataset, const std::string& key) {
    if (dataset.empty()) return;
    const StoredPtr stored = hdf5_array(file_, dataset, key);
    const std::string axes = stored_axes(*stored, mapping_.stimulus_axes);
    const std::size_t at = axes.find('c');
    std::size_t channel = 0;
    if (at != std::string::npos && at < stored->shape().size()) {
      const std::size_t channels = stored->shape()[at];
      core::require<InputError>(
          mapping_.channel >= 0 || channels == 1,
          "{}: has {} channels of colour, and models see one; choose it with recording.mapping.channel, from 0 "
          "on",
          stored->place(), channels);
      channel = static_cast<std::size_t>(std::max(0, mapping_.channel));
      core::require<InputError>(channel < channels, "{}: has {} channels, and recording.mapping.channel is {}; they count from 0",
                                stored->place(), channels, channel);
    }
    add(part + "/stimulus", stored, axes,
        arranged(stored, axes, movie_letters, {{'c', channel}}, "recording.mapping.stimulus_axes"));
  }
  void response(const std::string& part, const std::string& dataset, const std::string& key) {
    if (dataset.empty()) return;
    const StoredPtr stored = hdf5_array(file_, dataset, key);
    const std::string axes = stored_axes(*stored, mapping_.response_axes);
    add(part + "/response/" + target_, stored, axes,
        arranged(stored, axes, response_letters, {}, "recording.mapping.response_axes"));
  }
  /// One array of trials for each cell, so that cells may have different numbers of them.
  void repeats() {
    const std::string key = "recording.mapping.repeats_axes";
    if (!mapping_.test_repeats.empty()) {
      const StoredPtr stored = hdf5_array(file_, mapping_.test_repeats, "recording.mapping.test_repeats");
      const std::string axes = stored_axes(*stored, mapping_.repeats_axes);
      const std::size_t at = axes.find('n'), cells = at < stored->shape().size() ? stored->shape()[at] : 1;
      for (std::size_t n = 0; n < cells; ++n) add_trials(n, stored, axes, arranged(stored, axes, "rt", {{'n', n}}, key));
    }
    for (std::size_t n = 0; n < mapping_.test_repeats_by_cell.size(); ++n) {
      const StoredPtr stored = hdf5_array(file_, mapping_.test_repeats_by_cell[n], "recording.mapping.test_repeats_by_cell");
      const std::string axes = stored_axes(*stored, mapping_.repeats_axes);
      add_trials(n, stored, axes, arranged(stored, axes, "rt", {}, key));
    }
  }
  void add_trials(std::size_t cell, const StoredPtr& stored, const std::string& axes, StoredPtr trials) {
    add(fmt::format("test/repeats/cell{:02d}", cell + 1), stored, axes, without_empty_rows(std::move(trials)));
  }

  std::shared_ptr<const io::Reader> file_;
  const Mapping& mapping_;
  std::string target_;
  std::unique_ptr<NamedArrays> source_;
};

Verdict recognise_declared(const io::Reader&, const RecordingSettings& settings) {
  if (settings.mapping.datasets_declared()) return {true, "the study's [recording.mapping]"};
  return {false, "a table [recording.mapping] in the study, which says what the file's datasets are"};
}

std::unique_ptr<Source> open_declared(io::Reader file, const RecordingSettings& settings, const Recognition& recognition) {
  require_interval(file, settings);
  return Declared(std::make_shared<const io::Reader>(std::move(file)), settings, recognition).source();
}

}  // namespace

Format declared_mapping() { return {"declared mapping", recognise_declared, open_declared}; }

}  // namespace amacrine::recording::formats
