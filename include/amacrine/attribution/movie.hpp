// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/plan.hpp"
#include "amacrine/recording/settings.hpp"

namespace amacrine::attribution {

/// The file that holds the movie the study attributes: the recording's, or attribution.movie_file; empty for the catalogue.
std::string movie_path(const AttributionSettings& settings, const std::string& recording_path);

/// That movie, read piece by piece; no frames for the catalogue. Throws InputError where its frames are not of the model's size.
Movie open_movie(const AttributionSettings& settings, const std::string& recording_path,
                 const recording::RecordingSettings& recorded_as, const model::Model& model);

}  // namespace amacrine::attribution
