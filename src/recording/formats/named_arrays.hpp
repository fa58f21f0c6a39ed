// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/source.hpp"
#include "stored.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

/// A recording put together of arrays. Private to the formats.
namespace amacrine::recording::formats {

class NamedArrays final : public Source {
 public:
  /// `file`: where attributes of the recording are looked for.
  NamedArrays(Recognition recognition, std::shared_ptr<const io::Reader> file)
      : recognition_(std::move(recognition)), file_(std::move(file)) {}

  /// `name` of the public layout; `axes`: as they are stored, for people.
  void add(const std::string& name, StoredPtr array, const std::string& axes);
  bool holds(const std::string& name) const { return arrays_.contains(name); }
  const Stored& array(const std::string& name) const { return *arrays_.at(name).array; }
  /// What determines a training, beside the arrays of the training part.
  std::vector<std::string> datasets, files_of_training, files;
  std::vector<std::size_t> starts;  ///< of movies in train/stimulus

  const Recognition& recognition() const override { return recognition_; }
  const std::string& path() const override { return file_->path(); }
  std::vector<Origin> origins() const override;
  std::vector<std::size_t> movie_starts() const override { return starts; }
  std::vector<std::string> other_files() const override { return files; }
  std::vector<std::string> training_datasets() const override { return datasets; }
  std::vector<std::string> training_files() const override { return files_of_training; }
  bool has(const std::string& name) const override;
  bool is_dataset(const std::string& name) const override { return holds(name); }
  std::vector<std::string> list(const std::string& group) const override;
  std::vector<std::size_t> shape(const std::string& dataset) const override { return of(dataset).shape(); }
  io::Type type(const std::string& dataset) const override { return of(dataset).type(); }
  bool has_attribute(const std::string& name, const std::string& object) const override;
  double attribute(const std::string& name, const std::string& object) const override;
  std::string text_attribute(const std::string& name, const std::string& object) const override;
  std::vector<std::string> text_attributes(const std::string& name, const std::string& object) const override;

 protected:
  void read_block(const std::string& dataset, const Counts& offset, const Counts& count, std::vector<float>& to) const override {
    of(dataset).read(offset, count, to);
  }
  void read_block(const std::string& dataset, const Counts& offset, const Counts& count, std::vector<double>& to) const override;
  void read_block(const std::string& dataset, const Counts& offset, const Counts& count,
                  std::vector<std::uint8_t>& to) const override {
    of(dataset).read(offset, count, to);
  }

 private:
  struct Entry {
    StoredPtr array;
    std::string axes;
  };
  const Stored& of(const std::string& dataset) const;
  /// The HDF5 file that holds the object and its name there; nothing where it is in no HDF5 file.
  std::pair<const io::Reader*, std::string> object_of(const std::string& object) const;

  Recognition recognition_;
  std::shared_ptr<const io::Reader> file_;
  std::map<std::string, Entry> arrays_;
};

/// "t 3000, h 50, w 50": axes and their lengths.
std::string axes_in_words(const Stored& array, const std::string& axes);

/// Throws InputError where a part's movie and responses have different numbers of frames; `keys`: what to mend.
void check_lengths(const NamedArrays& source, const std::string& part, const std::string& keys);

/// Throws InputError where neither the study nor the file's attribute frame_ms says how long a frame lasts.
void require_interval(const io::Reader& file, const RecordingSettings& settings);

}  // namespace amacrine::recording::formats
