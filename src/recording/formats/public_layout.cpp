// SPDX-License-Identifier: Apache-2.0
// The public layout of ganglion-cell recordings: one HDF5 file per session and stimulus, as the loaders of baccuslab/deep-retina
// and baccuslab/torch-deep-retina read it. Names and axes are those of Source.
#include "format.hpp"

namespace amacrine::recording::formats {

namespace {

/// Forwards to the file.
class AsStored final : public Source {
 public:
  AsStored(io::Reader file, Recognition recognition) : file_(std::move(file)), recognition_(std::move(recognition)) {}

  const Recognition& recognition() const override { return recognition_; }
  const std::string& path() const override { return file_.path(); }
  std::vector<std::string> training_datasets() const override {
    return {"train", "simulated/train", "simulated/centre_y", "simulated/centre_x"};
  }
  bool has(const std::string& name) const override { return file_.has(name); }
  bool is_dataset(const std::string& name) const override { return file_.is_dataset(name); }
  std::vector<std::string> list(const std::string& group) const override { return file_.list(group); }
  std::vector<std::size_t> shape(const std::string& dataset) const override { return file_.shape(dataset); }
  io::Type type(const std::string& dataset) const override { return file_.type(dataset); }
  bool has_attribute(const std::string& name, const std::string& object) const override {
    return file_.has_attribute(name, object);
  }
  double attribute(const std::string& name, const std::string& object) const override { return file_.attribute(name, object); }
  std::string text_attribute(const std::string& name, const std::string& object) const override {
    return file_.text_attribute(name, object);
  }
  std::vector<std::string> text_attributes(const std::string& name, const std::string& object) const override {
    return file_.text_attributes(name, object);
  }

 protected:
  void read_block(const std::string& dataset, const Counts& offset, const Counts& count, std::vector<float>& to) const override {
    to = file_.read<float>(dataset, offset, count);
  }
  void read_block(const std::string& dataset, const Counts& offset, const Counts& count, std::vector<double>& to) const override {
    to = file_.read<double>(dataset, offset, count);
  }
  void read_block(const std::string& dataset, const Counts& offset, const Counts& count,
                  std::vector<std::uint8_t>& to) const override {
    to = file_.read<std::uint8_t>(dataset, offset, count);
  }

 private:
  io::Reader file_;
  Recognition recognition_;
};

/// Either part is enough: what is missing is named when it is read.
Verdict recognise_public_layout(const io::Reader& file, const RecordingSettings&) {
  for (const char* name : {"train/stimulus", "test/stimulus", "train", "test"})
    if (file.has(name)) return {true, fmt::format("{} {}", file.is_dataset(name) ? "dataset" : "group", name)};
  return {false, "datasets train/stimulus (time, height, width) and train/response/... (cells, time), which are not there"};
}

std::unique_ptr<Source> open_public_layout(io::Reader file, const RecordingSettings&, const Recognition& recognition) {
  return std::make_unique<AsStored>(std::move(file), recognition);
}

}  // namespace

Format public_layout() { return {"public layout", recognise_public_layout, open_public_layout}; }

}  // namespace amacrine::recording::formats

namespace amacrine::recording {

std::unique_ptr<Source> open_as_stored(const std::string& path) {
  return std::make_unique<formats::AsStored>(io::Reader(path), Recognition{"HDF5 file", "named by the study"});
}

}  // namespace amacrine::recording
