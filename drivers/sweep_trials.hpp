// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/recording.hpp"
#include "amacrine/sweep/proposals.hpp"
#include "amacrine/sweep/run.hpp"
#include "amacrine/training/trainer.hpp"
#include "drivers/verbs.hpp"

#include <functional>
#include <string>
#include <vector>

namespace amacrine::drivers {

/// A trial of a sweep: the study that trains it alone, and where its files lie.
struct Trial {
  core::Study study;
  Settings settings;
  std::string folder;
  std::size_t epochs = 0;  ///< of its whole budget
};

/// What a sweep's trials are trained with.
struct Trials {
  const Context& context;
  const recording::Recording& recording;
  io::Input input;             ///< the recording's training part
  const io::OutputLock& lock;  ///< of the sweep: no other one works in the trials' folders
  std::vector<Trial> all{};
  std::vector<std::size_t> rungs{};  ///< in epochs of the study's own budget, the last of these being all
};

/// "correlation" or "loss".
std::string metric_name(const sweep::SweepSettings& settings);

/// Every trial's study, read and checked. Throws what reading it throws, naming the trial.
std::vector<Trial> read_trials(const Context& context, const std::vector<sweep::Proposal>& proposals);

/// The training of a trial, or of the study's own settings.
training::TrainingRun run_of(const Trials& trials, const Settings& settings, const std::string& folder = {});

/// Per trial, what it must have in common with others to be trained with them; sets the trials' epochs. Collective over `group`.
/// Throws, naming the trial, where one does not fit the recording, has nothing to validate on, or lies beside the checkpoint of
/// another training (unless that is to be replaced).
std::vector<std::string> check_trials(Trials& trials, const std::vector<sweep::Proposal>& proposals,
                                      const parallel::Communicator& group);

/// Bytes that are still to be written for a trial.
double disk_bytes_left(const Trials& trials, const Trial& trial);

/// Trains a task's trials to the end of its rung and writes the models of those that are finished: sweep::Work::train.
std::vector<sweep::Reach> train_task(const Trials& trials, const parallel::Communicator& group, const sweep::Task& task,
                                     const std::function<bool()>& interrupt);

}  // namespace amacrine::drivers
