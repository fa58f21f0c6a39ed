// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"
#include "amacrine/recording/settings.hpp"

#include <memory>
#include <string>
#include <vector>

/// Files of several formats under the names and axes of one, the public layout: train/stimulus and test/stimulus (T, Y, X),
/// train/response/KIND and test/response/KIND (cells, T), test/repeats/cellNN (repeats, T) or test/repeats/KIND (repeats, cells,
/// T). The formats are in src/recording/formats.
namespace amacrine::recording {

/// Which format a file has, and by what it was recognised.
struct Recognition {
  std::string format;  ///< "public layout", "declared mapping", "open-retina session"
  std::string reason;  ///< "dataset train/stimulus"
};

/// Where an array of a source comes from, for people and results.
struct Origin {
  std::string name;   ///< in the public layout: "train/stimulus"
  std::string place;  ///< "dataset stim of rec.mat"
  std::string axes;   ///< "t 3000, h 50, w 50", as they are stored
};

/// A recording's arrays and attributes under the names of the public layout. Local: every rank opens the files by itself. Members
/// that read throw InputError as io::Reader does.
class Source {
 public:
  virtual ~Source() = default;

  virtual const Recognition& recognition() const = 0;
  /// The file, for messages.
  virtual const std::string& path() const = 0;
  /// Arrays that are stored under other names or axes; empty for the public layout.
  virtual std::vector<Origin> origins() const { return {}; }
  /// Frames of train/stimulus at which another movie begins, 0 among them; empty where that is not known.
  virtual std::vector<std::size_t> movie_starts() const { return {}; }
  /// Other files that hold part of the recording.
  virtual std::vector<std::string> other_files() const { return {}; }
  /// Datasets of the file at path() that determine a training, for a checksum (io::checked_contents), and such files beside it.
  virtual std::vector<std::string> training_datasets() const = 0;
  virtual std::vector<std::string> training_files() const { return {}; }

  virtual bool has(const std::string& name) const = 0;
  virtual bool is_dataset(const std::string& name) const = 0;
  virtual std::vector<std::string> list(const std::string& group) const = 0;
  virtual std::vector<std::size_t> shape(const std::string& dataset) const = 0;
  virtual io::Type type(const std::string& dataset) const = 0;
  virtual bool has_attribute(const std::string& name, const std::string& object = "/") const = 0;
  virtual double attribute(const std::string& name, const std::string& object = "/") const = 0;
  virtual std::string text_attribute(const std::string& name, const std::string& object = "/") const = 0;
  virtual std::vector<std::string> text_attributes(const std::string& name, const std::string& object = "/") const = 0;

  /// A block, converted to T (float, double, std::uint8_t).
  template <class T>
  std::vector<T> read(const std::string& dataset, const std::vector<std::size_t>& offset,
                      const std::vector<std::size_t>& count) const;
  /// The whole dataset.
  template <class T>
  std::vector<T> read(const std::string& dataset) const {
    const std::vector<std::size_t> count = shape(dataset);
    return read<T>(dataset, std::vector<std::size_t>(count.size(), 0), count);
  }

 protected:
  using Counts = std::vector<std::size_t>;
  virtual void read_block(const std::string& dataset, const Counts& offset, const Counts& count,
                          std::vector<float>& to) const = 0;
  virtual void read_block(const std::string& dataset, const Counts& offset, const Counts& count,
                          std::vector<double>& to) const = 0;
  virtual void read_block(const std::string& dataset, const Counts& offset, const Counts& count,
                          std::vector<std::uint8_t>& to) const = 0;
};

template <class T>
std::vector<T> Source::read(const std::string& dataset, const std::vector<std::size_t>& offset,
                            const std::vector<std::size_t>& count) const {
  std::vector<T> values;
  read_block(dataset, offset, count, values);
  return values;
}

/// Opens the recording at `path` by the format that its contents, or the study's [recording.mapping], say it has. Throws
/// InputError where no format recognises it, naming what each looked for and what to declare, and where the format asks for a
/// key that is not there.
std::unique_ptr<Source> open_source(const std::string& path, const RecordingSettings& settings);
std::unique_ptr<Source> open_source(io::Reader file, const RecordingSettings& settings);
/// The format of a file, without opening it; where none recognises it `format` is empty and `reason` says what each looked for.
Recognition recognise(const io::Reader& file, const RecordingSettings& settings);
/// The session's file where `path` is a folder with one session_*.hdf5 of open-retina, else `path`. Throws InputError for a
/// folder with none or several.
std::string session_file(const std::string& path);
/// An HDF5 file under its own names, whatever it holds.
std::unique_ptr<Source> open_as_stored(const std::string& path);

}  // namespace amacrine::recording
