// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"
#include "amacrine/training/curves.hpp"
#include "amacrine/training/schedule.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace amacrine::training {

/// Everything training needs to go on with the bits of a run that was never interrupted: last and best model included.
struct TrainState {
  std::uint64_t step = 0;                        ///< steps done
  std::vector<float> parameters, first, second;  ///< last parameters, Adam's memory
  std::vector<float> average;                    ///< of the parameters; empty without averaging
  std::vector<double> statistics;                ///< running statistics
  double loss_sum = 0;                           ///< over this epoch's steps so far
  std::uint64_t loss_steps = 0;
  double seconds = 0, epoch_seconds = 0;  ///< wall clock in all, and of this epoch's steps
  Plateau plateau;
  std::uint64_t rate_cuts = 0;  ///< times the rate was lowered since a loss or gradient was not finite
  Watch early, best;
  std::vector<float> best_parameters, best_statistics;
  std::vector<EpochRecord> curve;
  bool stopped_early = false;
};

/// A checkpoint as bytes: header with format, length, checksum of the rest and of itself, the identity (TOML lines that must
/// agree for a resume), the state. decode throws InputError where the bytes are not a whole checkpoint, RefusedError where they
/// are in another version of the format, or, with the differences, where the identity is another.
std::string encode_checkpoint(const TrainState& state, const std::string& identity);
TrainState decode_checkpoint(const std::string& bytes, const std::string& identity, const std::string& path);

/// What can be told of a checkpoint without knowing its training.
struct CheckpointFacts {
  std::string fault;        ///< why it cannot be read; empty where it is whole and of this format
  std::uint64_t steps = 0;  ///< done; 0 where it is not whole
};
/// The facts of the file at `path`, nothing where it does not begin like a checkpoint of this program, a few damaged bytes aside.
std::optional<CheckpointFacts> describe_checkpoint(const std::string& path);

/// Collective: rank 0 writes temporary file, fsync, rename, and keeps the one before as PATH.previous where that one is whole.
void write_checkpoint(const parallel::Communicator& communicator, const std::string& path, const TrainState& state,
                      const std::string& identity);
/// Collective: the state of PATH, or of PATH.previous (with one warning) where PATH is damaged; nothing where neither exists.
/// Throws InputError, naming the files, where all that exist are damaged.
std::optional<TrainState> read_checkpoint(const parallel::Communicator& communicator, const std::string& path,
                                          const std::string& identity);

/// Collective: the state after `step` steps, of PATH or PATH.previous; nothing where neither is whole and of that step. Throws
/// RefusedError where one is of another training.
std::optional<TrainState> read_checkpoint_at(const parallel::Communicator& communicator, const std::string& path,
                                             const std::string& identity, std::uint64_t step);

/// Collective: where a training goes back to if it diverges: its state at the end of an epoch, in a file beside the checkpoint.
void write_epoch_state(const parallel::Communicator& communicator, const std::string& checkpoint, const TrainState& state,
                       const std::string& identity);
/// Collective: that state; nothing where there is none, where it is damaged (with a warning), or where it is another training's.
std::optional<TrainState> read_epoch_state(const parallel::Communicator& communicator, const std::string& checkpoint,
                                           const std::string& identity);
/// The files a training keeps its state in: the checkpoint, the one before it, and the end of the last epoch.
std::vector<std::string> checkpoint_files(const std::string& checkpoint);

}  // namespace amacrine::training
