// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/lesion/lesioner.hpp"
#include "amacrine/parallel/communicator.hpp"

#include <vector>

namespace amacrine::lesion {

/// Collective: every cell and stimulus of a plan, (cell, stimulus) in that order, on every rank, with the same bits on any number
/// of ranks and threads. Cells and stimuli are tasks of the ranks. Throws parallel::Stopped where the run is asked to stop.
template <class S>
std::vector<StimulusLesions> run_lesions(const parallel::Communicator& communicator, const LesionPlan& plan,
                                         Lesioner<S>& lesioner);

}  // namespace amacrine::lesion
