// SPDX-License-Identifier: Apache-2.0
#include "screening.hpp"

#include "amacrine/attribution/symmetry.hpp"
#include "amacrine/core/numbers.hpp"

#include <algorithm>

namespace amacrine::attribution {
namespace {

/// Frames read at once of a movie whose windows lie close together, so that files stored in chunks are unpacked once.
constexpr std::size_t frames_ahead = 1024;

std::size_t read_ahead(const PlannedStimulus& stimulus) { return stimulus.successive() ? frames_ahead : 0; }

}  // namespace

const core::Array<float, 3>& Screening::show(std::size_t showing, std::size_t first, std::size_t count, stimulus::Symmetry axes) {
  const PlannedStimulus& stimulus = plan_.stimuli[plan_.showings[showing].stimulus];
  if (!stimulus.movie.contrast) {
    if (showing_ == showing) return contrast_;
    contrast_ = rendered(plan_.showings[showing], plan_.showings[showing].stimulus, axes);
    first_ = 0;
  } else {
    const std::size_t begin = first > lead_ ? first - lead_ : 0, end = first + count;
    if (showing_ == showing && first_ <= begin && end <= first_ + contrast_.extent(0)) return contrast_;
    const std::size_t until = std::min(stimulus.movie.frames, std::max(end, begin + read_ahead(stimulus)));
    contrast_ = stimulus.movie.contrast(begin, until - begin);
    first_ = begin;
  }
  showing_ = showing;
  return contrast_;
}

core::Array<float, 3> Screening::rendered(const Showing& showing, std::size_t stimulus, stimulus::Symmetry axes) const {
  core::Array<float, 3> contrast = stimulus::render(plan_.stimuli[stimulus].condition, plan_.screen, showing.centre).contrast;
  return axes == stimulus::Symmetry::none ? contrast : fold_movie(contrast, axes);
}

std::size_t joined_frames(const Plan& plan, const PlannedStimulus& stimulus, std::size_t lead) {
  const std::size_t apart = stimulus.listed.empty() ? std::min(stimulus.every, lead + 1) : lead + 1;
  return lead + plan.block_windows * apart;
}

double Screening::bytes(const Plan& plan, std::size_t lead) {
  const double frame = sizeof(float) * static_cast<double>(plan.screen.height) * static_cast<double>(plan.screen.width);
  std::size_t frames = 0;
  for (const PlannedStimulus& stimulus : plan.stimuli)
    frames = std::max(frames,
                      stimulus.movie.contrast
                          ? std::min(stimulus.movie.frames, std::max(read_ahead(stimulus), joined_frames(plan, stimulus, lead)))
                          : stimulus.condition.frames);
  return frame * static_cast<double>(frames);
}

}  // namespace amacrine::attribution
