// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/movie.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/numbers.hpp"
#include "amacrine/recording/movie_file.hpp"

#include <memory>

namespace amacrine::attribution {

std::string movie_path(const AttributionSettings& settings, const std::string& recording_path) {
  if (settings.source == Source::catalogue) return {};
  return settings.source == Source::recording ? recording_path : settings.movie.file;
}

namespace {

std::shared_ptr<const recording::MovieFile> recorded_movie(const std::string& part, const std::string& path,
                                                           const recording::RecordingSettings& settings) {
  std::unique_ptr<recording::Source> source = recording::open_source(path, settings);
  const recording::ContrastCoding coding = recording::contrast_coding(*source);
  return std::make_shared<const recording::MovieFile>(std::move(source), part + "/stimulus", coding);
}

}  // namespace

Movie open_movie(const AttributionSettings& settings, const std::string& recording_path,
                 const recording::RecordingSettings& recorded_as, const model::Model& model) {
  if (settings.source == Source::catalogue) return {};
  const bool recorded = settings.source == Source::recording;
  const auto file = recorded ? recorded_movie(settings.frames.part, recording_path, recorded_as)
                             : std::make_shared<const recording::MovieFile>(
                                   settings.movie.file, settings.movie.dataset,
                                   recording::ContrastCoding{settings.movie.zero, settings.movie.unit});
  if (!recorded) file->check_contrast("attribution.movie_zero and attribution.movie_unit");
  const model::Architecture& a = model.architecture;
  core::require<core::InputError>(file->height() == core::as_size(a.height) && file->width() == core::as_size(a.width),
                                  "{} has frames of {} x {} pixels, and the model sees {} x {}", file->name(), file->height(),
                                  file->width(), a.height, a.width);
  return {recorded ? "recording/" + settings.frames.part : "file/" + settings.movie.dataset, file->frames(),
          [file](std::size_t first, std::size_t count) { return file->contrast(first, count); }};
}

}  // namespace amacrine::attribution
