// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"
#include "amacrine/training/trainer.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

/// One model of many recordings: sessions whose networks share all hidden layers (the trunk) and have readouts of their own.
namespace amacrine::training {

/// Which sessions a rank works on, and with whom. With at least as many sessions as ranks every rank has some by itself; with
/// more ranks every session has a group of neighbouring ranks, which share its batches by segments.
struct SessionShare {
  /// Collective.
  SessionShare(const parallel::Communicator& world, std::size_t sessions);

  parallel::Communicator world;  ///< all ranks
  parallel::Communicator ranks;  ///< those that work on the same sessions as this one
  std::size_t count = 0;         ///< of all sessions
  parallel::Range mine;          ///< this rank's
  /// Of the first ranks of the groups, which own the sessions' sums in order; of the others, without a use.
  parallel::Communicator firsts;
};

/// Completes this rank's runs (one for each session of share.mine, in order) with what depends on all sessions: the number of the
/// session, the length of an epoch (where the study leaves it open, a pass of the longest recording), and of which sessions,
/// described by `descriptions` (one for each run, a line without line breaks), a checkpoint must be. Collective. Throws
/// RefusedError where a run cannot be part of a joint training (no hidden layer), and on every rank where sessions differ in the
/// hidden layers, in history, the frame interval or the size of a pixel, or only some have windows to validate on.
void join_sessions(const SessionShare& share, std::vector<TrainingRun>& runs, const std::vector<std::string>& descriptions);

/// Collective over share.world. Trains the sessions' models jointly: in every step each session takes its own batch, with norms
/// over that batch, and has its own gradient for its readout; kernels, biases, gammas and betas of the hidden layers move by the
/// mean of the sessions' gradients, weighted by their numbers of cells, which is the gradient of the mean loss over all cells.
/// The best epoch, early stopping and the plateau follow the mean over all cells. Losses, scores and statistics in a session's
/// curve and model are its own. The same bits on any number of ranks and threads, stopped and resumed anywhere. `runs` are
/// completed by join_sessions. Returns this rank's models. `interrupt` and errors as for train_together.
std::vector<TrainingResult> train_sessions(const SessionShare& share, const std::vector<TrainingRun>& runs,
                                           const std::function<bool()>& interrupt = {});

/// Parameters that sessions share: the first so many of the flat block, all that lie before the readout.
std::size_t trunk_size(const model::ParameterLayout& layout);

}  // namespace amacrine::training
