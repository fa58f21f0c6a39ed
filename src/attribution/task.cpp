// SPDX-License-Identifier: Apache-2.0
#include "task.hpp"

#include "amacrine/core/numbers.hpp"

namespace amacrine::attribution {
namespace {

/// A showing's cells among the model's.
std::vector<int> model_cells(const Plan& plan, const Showing& showing) {
  std::vector<int> cells;
  for (int cell : showing.cells) cells.push_back(plan.cells[core::as_size(cell)]);
  return cells;
}

/// The frames of a task, windows that overlap in one piece.
std::vector<Piece> pieces_of(const Plan& plan, const Task& task, Screening& screening) {
  const PlannedStimulus& stimulus = plan.stimuli[plan.showings[task.showing].stimulus];
  std::vector<Piece> pieces;
  for (std::size_t w = task.first; w < task.first + task.windows; ++w) {
    if (pieces.empty() || stimulus.frame(w) > pieces.back().frames.back() + screening.lead()) pieces.emplace_back();
    pieces.back().frames.push_back(stimulus.frame(w));
  }
  for (Piece& piece : pieces) {
    const std::size_t first = piece.frames.front();
    piece.contrast = screening.show(task.showing, first, piece.frames.back() - first + 1, stimulus::Symmetry::none);
    for (std::size_t& frame : piece.frames) frame -= screening.first();
  }
  return pieces;
}

}  // namespace

template <class S>
const Block& attribute_task(const Plan& plan, const Task& task, Attributor<S>& attributor, Screening& screening) {
  const Showing& showing = plan.showings[task.showing];
  const PlannedStimulus& stimulus = plan.stimuli[showing.stimulus];
  const std::vector<int> cells = model_cells(plan, showing);
  BlockAttributor<S>& engine = attributor.engine(stimulus.symmetry, stimulus.level);
  if (!stimulus.successive()) return engine.attribute(pieces_of(plan, task, screening), cells, stimulus.level);
  const std::size_t first = stimulus.frame(task.first);
  const auto& contrast = screening.show(task.showing, first, task.windows, attributor.folded(stimulus.symmetry, stimulus.level));
  return engine.attribute(contrast, first - screening.first(), task.windows, cells, stimulus.level);
}

template const Block& attribute_task(const Plan&, const Task&, Attributor<float>&, Screening&);
template const Block& attribute_task(const Plan&, const Task&, Attributor<double>&, Screening&);

}  // namespace amacrine::attribution
