// SPDX-License-Identifier: Apache-2.0
#include "drivers/inspect_recording.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/receptive_field.hpp"
#include "amacrine/stimulus/stimulus.hpp"
#include "drivers/settings.hpp"

#include <fmt/format.h>

namespace amacrine::drivers {

namespace {

using nlohmann::ordered_json;

std::string in_text(const ordered_json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

ordered_json describe_part(const recording::Source& source, const std::string& part, double frame_ms) {
  const auto movie = source.shape(part + "/stimulus");
  ordered_json out{
      {"frames", movie.at(0)}, {"seconds", static_cast<double>(movie.at(0)) * frame_ms / 1000.0}, {"stimulus_shape", movie}};
  if (source.has(part + "/response"))
    for (const std::string& kind : source.list(part + "/response")) {
      const std::string path = part + "/response/" + kind;
      if (!source.is_dataset(path)) continue;
      out["responses"].push_back(kind);
      if (const auto shape = source.shape(path); shape.size() == 2) out["cells"] = shape[0];
    }
  if (source.has(part + "/repeats"))
    for (const std::string& name : source.list(part + "/repeats"))
      if (source.is_dataset(part + "/repeats/" + name)) {
        out["repeats"] = source.shape(part + "/repeats/" + name).at(0);
        break;
      }
  return out;
}

ordered_json describe_source(const recording::Source& source, const recording::RecordingSettings& settings) {
  const double said_ms = recording::frame_ms_of_file(source, settings.frame_ms);
  // What training takes where neither says it.
  const double frame_ms = said_ms > 0 ? said_ms : settings.frame_ms > 0 ? settings.frame_ms : stimulus::Screen().frame_ms;
  ordered_json parts;
  for (const std::string part : {"train", "test"})
    if (source.has(part + "/stimulus")) parts[part] = describe_part(source, part, frame_ms);
  const recording::Recognition& found = source.recognition();
  ordered_json out{{"format", found.format}, {"recognised_by", found.reason}, {"frame_interval_ms", frame_ms}, {"parts", parts}};
  for (const recording::Origin& origin : source.origins())
    out["arrays"].push_back({{"name", origin.name}, {"stored_as", origin.place}, {"axes", origin.axes}});
  return out;
}

ordered_json describe_cell(const recording::Cell& cell) {
  ordered_json out{{"id", cell.id}, {"name", cell.name}};
  if (cell.centre)
    out["centre"] = {
        {"y", cell.centre->y}, {"x", cell.centre->x}, {"error_px", cell.centre_error_px}, {"radius_px", cell.radius_px}};
  return out;
}

}  // namespace

ordered_json describe_recording(io::Reader file, const recording::RecordingSettings& settings) {
  const recording::Recognition found = recording::recognise(file, settings);
  try {
    return describe_source(*recording::open_source(std::move(file), settings), settings);
  } catch (const core::InputError& error) {
    if (found.format == "public layout") throw;
    return {
        {"format", found.format}, {"recognised_by", found.reason}, {"needs", error.what()}, {"parts", ordered_json::object()}};
  }
}

ordered_json describe_study(const std::string& path) {
  core::Study study = core::Study::from_file(path);
  const Settings whole = read_settings(study);
  core::require<core::StudyError>(whole.sessions.empty(),
                                  "{}: is a study of several recordings; inspect the files of its sessions one by one", path);
  const recording::RecordingSettings& settings = whole.recording;
  const std::string file = recording::recording_path(settings, whole.output);
  ordered_json out = describe_source(*recording::open_source(file, settings), settings);
  recording::Recording recording = recording::load_recording(file, settings, recording::Load::train);
  recording::fit_centres(recording, settings);
  for (const recording::Cell& cell : recording.cells) out["cells"].push_back(describe_cell(cell));
  out["file"] = file;
  return out;
}

recording::RecordingSettings settings_of(const std::string& study) {
  try {
    core::Study resolved = core::Study::from_text(study);
    return recording::read_recording(resolved);
  } catch (const core::Error&) {
    return {};
  }
}

std::string recording_text(const ordered_json& recording) {
  std::string text =
      fmt::format("format     {}, recognised by {}\n", in_text(recording["format"]), in_text(recording["recognised_by"]));
  if (recording.contains("needs")) text += fmt::format("needs      {}\n", in_text(recording["needs"]));
  for (const auto& [name, part] : recording["parts"].items()) {
    text += fmt::format("{:10} {} frames of {} ms ({}), {} cells", name, part["frames"].get<std::size_t>(),
                        recording["frame_interval_ms"].get<double>(), core::human_seconds(part["seconds"].get<double>()),
                        part.contains("cells") ? in_text(part["cells"]) : "?");
    if (part.contains("repeats")) text += fmt::format(", {} repeats", in_text(part["repeats"]));
    text += "\n";
  }
  if (recording.contains("arrays"))
    for (const auto& array : recording["arrays"])
      text += fmt::format("  {:34} {} ({})\n", in_text(array["name"]), in_text(array["stored_as"]), in_text(array["axes"]));
  if (recording.contains("cells"))
    for (const auto& cell : recording["cells"]) {
      text += fmt::format("cell {:5} {}: ", in_text(cell["id"]), in_text(cell["name"]));
      if (!cell.contains("centre")) {
        text += "no receptive field to be found\n";
        continue;
      }
      const auto& centre = cell["centre"];
      text += fmt::format("receptive field at ({:.2f}, {:.2f}) px, standard error {:.2f} px, radius {:.1f} px\n",
                          centre["y"].get<double>(), centre["x"].get<double>(), centre["error_px"].get<double>(),
                          centre["radius_px"].get<double>());
    }
  return text;
}

}  // namespace amacrine::drivers
