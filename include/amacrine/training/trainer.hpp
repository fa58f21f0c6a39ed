// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/lock.hpp"
#include "amacrine/model/model.hpp"
#include "amacrine/parallel/communicator.hpp"
#include "amacrine/recording/recording.hpp"
#include "amacrine/recording/settings.hpp"
#include "amacrine/training/curves.hpp"
#include "amacrine/training/settings.hpp"

#include <functional>
#include <string>
#include <vector>

namespace amacrine::training {

/// What is trained, on what, and where its state is kept. The recording must outlive the run.
struct TrainingRun {
  const recording::Recording& recording;
  recording::RecordingSettings recording_settings;
  model::Architecture architecture;  ///< with the recording's number of cells
  TrainingSettings settings;
  std::string kind = "network";          ///< "network" or "ln"
  std::string checkpoint{};              ///< file of the resumable state; empty: none
  std::string curves{};                  ///< curves file without its ending; empty: none
  std::string recording_checksum{};      ///< of its training part: of what must agree for a resume
  const io::OutputLock* lock = nullptr;  ///< the right to write checkpoint and curves; null: nobody else does
  std::size_t until_epoch = 0;           ///< training pauses, saved, at the end of this epoch; 0: at the end of its budget
  std::size_t session = 0;               ///< of a joint training (joint.hpp): which of its sessions this is
  std::string all_sessions{};            ///< of a joint training: what must agree for a resume, of all of them; else empty
};

struct TrainingResult {
  model::Model model;  ///< the best epoch's, with the statistics it was validated with
  std::vector<EpochRecord> curve;
  bool finished = true;        ///< false: stopped by a signal or max_minutes, or paused; state saved; the same command goes on
  std::string stopped_by;      ///< what stopped it; empty where it is paused at the end of run.until_epoch
  bool stopped_early = false;  ///< early stopping ended it
};

/// Collective. Trains, or goes on from the checkpoint, with the same bits on any number of ranks and threads. Throws InputError
/// where recording and model do not fit, RefusedError for a checkpoint of another training or more ranks than segments,
/// core::Error where the loss is not finite.
TrainingResult train_model(const parallel::Communicator& communicator, const TrainingRun& run);

/// Collective. Trains several models at once: each batch is cut and transformed once, then every model takes its step on it. Each
/// has the bits it has alone, checkpoint and curves included; one that stops early leaves the others to go on. The runs share
/// recording, architecture, batches (segments, windows, data_seed), engine and statistics_windows; seeds, rates, schedules,
/// losses and budgets are each model's own. All stop at the smallest max_minutes. Workspaces do not grow with the number of
/// models. `interrupt` is called on every rank between steps; where it says true on any, all stop as at a signal. Throws
/// RefusedError where the runs differ in what they share, and what train_model throws.
std::vector<TrainingResult> train_together(const parallel::Communicator& communicator, const std::vector<TrainingRun>& runs,
                                           const std::function<bool()>& interrupt = {});

/// The epochs of a run's whole budget, early stopping aside.
std::size_t epochs_of(const TrainingRun& run);
/// Whether a run has windows to validate on.
bool validates(const TrainingRun& run);
/// What models must agree in to be trained together, as text.
std::string shared_identity(const TrainingRun& run);

/// Bytes training takes on this rank beside the program itself.
struct TrainingMemory {
  double recording = 0;   ///< movie and responses
  double workspaces = 0;  ///< of a step
  double statistics = 0;  ///< more, from the first validation on
  double total() const { return recording + workspaces + statistics; }
};
TrainingMemory training_memory(const parallel::Communicator& communicator, const TrainingRun& run);

/// The run of a study's linear-nonlinear baseline (see fit_ln): the same recording and windows, no checkpoint and no curves.
TrainingRun ln_baseline(const TrainingRun& network);

/// Collective, for --dry-run: throws what training would where a checkpoint in its way is of another training (RefusedError).
void check_resume(const parallel::Communicator& communicator, const std::vector<TrainingRun>& runs);
/// Collective, for --overwrite: the checkpoints in the way that training could not go on from, since they are of another training
/// or damaged. One of the same training is not among them: what was begun goes on.
std::vector<std::string> foreign_checkpoints(const parallel::Communicator& communicator, const std::vector<TrainingRun>& runs);
/// Bytes on disk of a model trained by this run: its file, three checkpoints (last, previous, and the one being written), curves.
double training_disk_bytes(const TrainingRun& run);
/// Lines for --dry-run about models trained together: sizes, parameters, windows, memory, multiply-adds.
std::vector<std::string> describe_training(const parallel::Communicator& communicator, const std::vector<TrainingRun>& runs);

}  // namespace amacrine::training
