// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/training/trainer.hpp"

namespace amacrine::training {

/// Throws InputError where no window of the recording fits the baseline or chooses its penalty. Local, cheap: asked before the
/// networks are trained.
void require_ln_windows(const TrainingRun& run);
/// Collective. The linear-nonlinear baseline of a run, fitted directly: r = softplus(c + k * s) by Poisson likelihood over a
/// background of the mean rate, the filter k in few parameters. Space: sites of 2 x 2 pixels in 16 x 16 around the cell's centre
/// (given, or fitted to its spike-triggered average). Time: 8 raised cosines on a logarithmic axis. Fisher scoring; weight and
/// shape of the penalty, rank and number of steps are chosen by the likelihood of the validation frames. Each cell is fitted by
/// one rank, with the same bits on any number of ranks and threads. The model is of kind "ln": a dense filter on the window.
/// Throws InputError where no window fits the recording.
model::Model fit_ln(const parallel::Communicator& communicator, const TrainingRun& run);

}  // namespace amacrine::training
