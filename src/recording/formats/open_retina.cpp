// SPDX-License-Identifier: Apache-2.0
// Sessions as open-retina's h5_dataset_reader reads them: in one HDF5 file per session datasets responses_NAME (cells, time), and
// the movie NAME as stimuli/NAME.npy (channels, time, height, width) beside it, for all sessions, or as the session's own dataset
// stimulus_NAME. Movies are trained on one after the other, in alphabetical order, except those named for testing.
#include "amacrine/core/errors.hpp"
#include "format.hpp"
#include "named_arrays.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/ranges.h>

namespace amacrine::recording::formats {

namespace {

namespace fs = std::filesystem;
using core::InputError;

const std::string responses_prefix = "responses_", stimulus_prefix = "stimulus_";

/// Names of the movies that a session has responses to.
std::vector<std::string> shown_movies(const io::Reader& file) {
  std::vector<std::string> names;
  for (const std::string& name : file.list())
    if (name.starts_with(responses_prefix) && file.is_dataset(name)) names.push_back(name.substr(responses_prefix.size()));
  std::sort(names.begin(), names.end());
  return names;
}

class Session {
 public:
  Session(std::shared_ptr<const io::Reader> file, const RecordingSettings& settings, const Recognition& recognition)
      : file_(std::move(file)),
        settings_(settings),
        shown_(shown_movies(*file_)),
        source_(std::make_unique<NamedArrays>(recognition, file_)) {}

  std::unique_ptr<Source> source() && {
    require_declared();
    const std::string& test = settings_.mapping.test_name;
    std::vector<std::string> train = settings_.mapping.train_names;
    if (train.empty())
      std::copy_if(shown_.begin(), shown_.end(), std::back_inserter(train), [&](const auto& name) { return name != test; });
    core::require<InputError>(!train.empty(), "{}: has responses to {} alone, which is tested on; there is nothing to train on",
                              file_->path(), test);
    core::require<InputError>(std::find(train.begin(), train.end(), test) == train.end(),
                              "{}: recording.mapping.train_names and test_name both name {}; take it out of one", file_->path(),
                              test);
    add_part("train", train);
    if (!test.empty()) add_part("test", {test});
    for (const char* part : {"train", "test"}) check_lengths(*source_, part, "the file");
    return std::move(source_);
  }

 private:
  void require_declared() const {
    const Mapping& mapping = settings_.mapping;
    const std::string which =
        fmt::format("{}: is an open-retina session with responses to {}", file_->path(), fmt::join(shown_, ", "));
    core::require<InputError>(mapping.test_name_declared,
                              "{}; set recording.mapping.test_name to the one that is tested on (\"\": none)", which);
    core::require<InputError>(settings_.target_declared,
                              "{}, which does not say what they are; set recording.target: \"binned\" for spikes per bin, "
                              "\"firing_rate_10ms\" for Hz, \"trace\" for anything else",
                              which);
    require_interval(*file_, settings_);
    for (const std::string& name : mapping.train_names) require_shown(name, "train_names");
    if (!mapping.test_name.empty()) require_shown(mapping.test_name, "test_name");
  }
  void require_shown(const std::string& name, const char* key) const {
    core::require<InputError>(std::find(shown_.begin(), shown_.end(), name) != shown_.end(),
                              "{}: has no dataset {}{}, which recording.mapping.{} asks for; it has responses to {}",
                              file_->path(), responses_prefix, name, key, fmt::join(shown_, ", "));
  }
  void add_part(const std::string& part, const std::vector<std::string>& names) {
    std::vector<StoredPtr> movies, responses;
    std::size_t frames = 0;
    for (const std::string& name : names) {
      movies.push_back(movie(name, part == "train"));
      responses.push_back(arranged(hdf5_array(file_, responses_prefix + name, "open-retina"), "nt", "nt", {}, "the layout"));
      require_equal_length(*movies.back(), *responses.back());
      if (part == "train") {
        source_->starts.push_back(frames);
        source_->datasets.push_back(responses_prefix + name);
      }
      frames += movies.back()->shape()[0];
    }
    const StoredPtr all_movies = joined(std::move(movies), 0), all_responses = joined(std::move(responses), 1);
    source_->add(part + "/stimulus", all_movies, axes_in_words(*all_movies, "thw"));
    source_->add(part + "/response/" + settings_.target, all_responses, axes_in_words(*all_responses, "nt"));
  }
  static void require_equal_length(const Stored& movie, const Stored& response) {
    core::require<InputError>(movie.shape()[0] == response.shape()[1],
                              "{} has {} frames, but {} has {} bins; expected one bin for each frame. Cut one of them at its end "
                              "if the rest was not recorded",
                              movie.place(), movie.shape()[0], response.place(), response.shape()[1]);
  }
  /// (T, Y, X) of a movie: the session's own, or the one for all sessions.
  StoredPtr movie(const std::string& name, bool training) {
    const std::string path = (fs::path(file_->path()).parent_path() / "stimuli" / (name + ".npy")).string();
    StoredPtr stored;
    if (file_->has(stimulus_prefix + name)) {
      stored = hdf5_array(file_, stimulus_prefix + name, "open-retina");
      if (training) source_->datasets.push_back(stimulus_prefix + name);
    } else {
      std::error_code fault;
      core::require<InputError>(
          fs::exists(path, fault),
          "{}: has {}{}, but the movie is missing: neither {} nor a dataset {}{} is there. Put it there, or "
          "leave it out with recording.mapping.train_names",
          file_->path(), responses_prefix, name, path, stimulus_prefix, name);
      stored = npy_array(path);
      source_->files.push_back(path);
      if (training) source_->files_of_training.push_back(path);
    }
    return of_one_channel(stored);
  }
  StoredPtr of_one_channel(const StoredPtr& stored) const {
    const Counts& shape = stored->shape();
    core::require<InputError>(shape.size() == 4, "{}: has {} axes ({}); expected a movie (channels, time, height, width)",
                              stored->place(), shape.size(), fmt::join(shape, ", "));
    const int declared = settings_.mapping.channel;
    core::require<InputError>(
        declared >= 0 || shape[0] == 1,
        "{}: has {} channels of colour, and models see one; choose it with recording.mapping.channel, from 0 on", stored->place(),
        shape[0]);
    const auto channel = static_cast<std::size_t>(std::max(0, declared));
    core::require<InputError>(channel < shape[0], "{}: has {} channels, and recording.mapping.channel is {}; they count from 0",
                              stored->place(), shape[0], channel);
    return arranged(stored, "cthw", "thw", {{'c', channel}}, "the layout");
  }

  std::shared_ptr<const io::Reader> file_;
  const RecordingSettings& settings_;
  std::vector<std::string> shown_;
  std::unique_ptr<NamedArrays> source_;
};

Verdict recognise_session(const io::Reader& file, const RecordingSettings&) {
  std::vector<std::string> names = shown_movies(file);
  if (names.empty()) return {false, "datasets responses_NAME in the root group, which are not there"};
  for (std::string& name : names) name.insert(0, responses_prefix);
  return {true, fmt::format("dataset{} {}", names.size() == 1 ? "" : "s", fmt::join(names, ", "))};
}

std::unique_ptr<Source> open_session(io::Reader file, const RecordingSettings& settings, const Recognition& recognition) {
  return Session(std::make_shared<const io::Reader>(std::move(file)), settings, recognition).source();
}

}  // namespace

Format open_retina_session() { return {"open-retina session", recognise_session, open_session}; }

}  // namespace amacrine::recording::formats

namespace amacrine::recording {

std::string session_file(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code fault;
  if (!fs::is_directory(path, fault)) return path;
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(path, fault)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("session") && (name.ends_with(".hdf5") || name.ends_with(".h5"))) found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  core::require<core::InputError>(!found.empty(),
                                  "{}: is a folder without session_*.hdf5; expected a recording's file, or the folder of an "
                                  "open-retina session",
                                  path);
  core::require<core::InputError>(found.size() == 1,
                                  "{}: is a folder with {} sessions; name one of them with recording.file, or each in a table "
                                  "[sessions.NAME]: {}",
                                  path, found.size(), fmt::join(found, ", "));
  return path + "/" + found.front();
}

}  // namespace amacrine::recording
