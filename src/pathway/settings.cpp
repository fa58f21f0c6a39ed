// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/settings.hpp"

namespace amacrine::pathway {

PathwaySettings read_pathways(core::Study& study) {
  PathwaySettings s;
  const auto whole = [&](const char* key, int fallback, std::int64_t low, std::int64_t high) {
    return static_cast<int>(study.integer(key, fallback, low, high));
  };
  s.most = whole("pathways.most", s.most, 1, 16);
  s.candidates = whole("pathways.candidates", s.candidates, 2, 100);
  s.short_steps = whole("pathways.short_steps", s.short_steps, 10, 100000);
  s.long_steps = whole("pathways.long_steps", s.long_steps, 10, 100000);
  s.radius_px = study.number("pathways.radius_px", s.radius_px, 1.0, 100.0);
  s.spacing_px = study.number("pathways.spacing_px", s.spacing_px, 0.5, 50.0);
  s.held_out = study.number("pathways.held_out", s.held_out, 0.01, 0.5);
  s.learning_rate = study.number("pathways.learning_rate", s.learning_rate, 1e-5, 1.0);
  s.spatial_prior = study.number("pathways.spatial_prior", s.spatial_prior, 0.0, 1e6);
  s.temporal_prior = study.number("pathways.temporal_prior", s.temporal_prior, 0.0, 1e6);
  s.seed = static_cast<std::uint64_t>(study.integer("pathways.seed", 1, 0, INT64_MAX));
  core::require<core::StudyError>(s.spacing_px <= s.radius_px, "{}: pathways.spacing_px = {} is above pathways.radius_px = {}",
                                  study.where("pathways.spacing_px"), s.spacing_px, s.radius_px);
  return s;
}

}  // namespace amacrine::pathway
