// SPDX-License-Identifier: Apache-2.0
#include "task.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/core/numbers.hpp"

namespace amacrine::attribution {

template <class S>
TaskRunner<S>::TaskRunner(const Plan& plan, Attributor<S>& attributor)
    : plan_(plan), attributor_(attributor), screening_(plan, frames_before(attributor.plain().network())) {}

/// A showing's cells among the model's.
template <class S>
std::vector<int> TaskRunner<S>::model_cells(const Showing& showing) const {
  std::vector<int> cells;
  for (int cell : showing.cells) cells.push_back(plan_.cells[core::as_size(cell)]);
  return cells;
}

/// The frames of a part, windows that overlap in one piece.
template <class S>
std::vector<Piece> TaskRunner<S>::pieces_of(const Part& part) {
  const PlannedStimulus& stimulus = plan_.stimuli[plan_.showings[part.showing].stimulus];
  std::vector<Piece> pieces;
  for (std::size_t w = part.first; w < part.first + part.windows; ++w) {
    if (pieces.empty() || stimulus.frame(w) > pieces.back().frames.back() + screening_.lead()) pieces.emplace_back();
    pieces.back().frames.push_back(stimulus.frame(w));
  }
  for (Piece& piece : pieces) {
    const std::size_t first = piece.frames.front();
    piece.contrast = screening_.show(part.showing, first, piece.frames.back() - first + 1, stimulus::Symmetry::none);
    for (std::size_t& frame : piece.frames) frame -= screening_.first();
  }
  return pieces;
}

template <class S>
const Block& TaskRunner<S>::run_one(const Part& part) {
  const Showing& showing = plan_.showings[part.showing];
  const PlannedStimulus& stimulus = plan_.stimuli[showing.stimulus];
  const std::vector<int> cells = model_cells(showing);
  BlockAttributor<S>& engine = attributor_.engine(stimulus.symmetry, stimulus.level);
  if (!stimulus.successive()) return engine.attribute(pieces_of(part), cells, stimulus.level);
  const std::size_t first = stimulus.frame(part.first);
  const auto& contrast =
      screening_.show(part.showing, first, part.windows, attributor_.folded(stimulus.symmetry, stimulus.level));
  return engine.attribute(contrast, first - screening_.first(), part.windows, cells, stimulus.level);
}

template <class S>
void TaskRunner<S>::run_ray(const Part& part, const Take& take) {
  const Showing& showing = plan_.showings[part.showing];
  const PlannedStimulus& largest = plan_.stimuli[showing.stimulus];
  BlockAttributor<S>& engine = attributor_.engine(largest.symmetry, largest.level);
  if (ray_showing_ != part.showing) {
    ray_showing_ = part.showing;
    ray_movies_.clear();
    for (std::size_t stimulus : showing.ray)
      ray_movies_.push_back(screening_.rendered(showing, stimulus, attributor_.folded(largest.symmetry, largest.level)));
    ray_scales_ = ray_scales(engine, ray_movies_, largest.first_frame, largest.windows);
    if (ray_scales_.empty())
      core::warn(
          "attribution: {} and its series are not one another's multiples as the network sees them; each is computed alone",
          largest.condition.name);
  }
  const std::vector<int> cells = model_cells(showing);
  const std::size_t first = largest.frame(part.first);
  if (ray_scales_.empty()) {
    for (std::size_t i = 0; i < showing.ray.size(); ++i)
      take(showing, showing.ray[i], engine.attribute(ray_movies_[i], first, part.windows, cells, largest.level));
    return;
  }
  const std::vector<Block>& blocks =
      engine.attribute_ray(ray_movies_.back(), ray_scales_, first, part.windows, cells, largest.level);
  for (std::size_t i = 0; i < showing.ray.size(); ++i) take(showing, showing.ray[i], blocks[i]);
}

template <class S>
void TaskRunner<S>::run(const Task& task, const Take& take) {
  for (std::size_t s = task.showing; s < task.showing + task.showings; ++s) {
    const Showing& showing = plan_.showings[s];
    const Part part{s, task.first, task.windows};
    if (showing.ray.empty()) {
      take(showing, showing.stimulus, run_one(part));
    } else {
      run_ray(part, take);
    }
  }
}

template class TaskRunner<float>;
template class TaskRunner<double>;

}  // namespace amacrine::attribution
