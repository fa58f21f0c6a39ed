// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"
#include "amacrine/io/provenance.hpp"
#include "amacrine/io/status_file.hpp"
#include "amacrine/parallel/communicator.hpp"
#include "drivers/settings.hpp"

#include <optional>
#include <string>
#include <vector>

namespace amacrine::drivers {

/// The command line of one verb.
struct Options {
  std::string verb;
  std::string study_file;
  std::vector<std::string> overrides;
  bool dry_run = false;             ///< build everything, print sizes and cost, write nothing
  bool overwrite = false;           ///< replace outputs of another study
  bool takeover = false;            ///< take over the locks of runs that are provably dead
  std::string action;               ///< of sweep: "", "status", "extend", "retry", "export"
  std::size_t more_trials = 0;      ///< of sweep extend
  std::string models;               ///< of verbs that read a model: the folders of several ("trials/*"); empty: the study's own
  std::size_t ranks_per_model = 1;  ///< of a group that works on one of these
};

/// What a verb works with: the ranks, the study as read, its settings, and the command line.
struct Context {
  parallel::Communicator world;
  core::Study study;
  Settings settings;
  Options options;
  io::StatusFile* status = nullptr;  ///< of this run; a dry run has none
  /// `name` in the study's output folder.
  std::string output(const std::string& name) const;
  /// Collective: the right to make `path`, or nothing where it can be used again (io::claim_output). A dry run makes no lock, but
  /// is refused where the run would be. `replace`: as if --overwrite were given.
  std::optional<io::OutputLock> claim(const std::string& path, const io::Provenance& provenance, bool replace = false) const;
};

// Each verb is collective and reads like a method section. Throws core::Error.
int simulate(Context& context);
int train(Context& context);
int evaluate(Context& context);
int probe(Context& context);
int attribute(Context& context);
int reduce(Context& context);
int lesion(Context& context);
int fit(Context& context);
int sweep(Context& context);
int report(Context& context);
int status(Context& context);
int inspect(const parallel::Communicator& world, const std::string& path, bool json);

}  // namespace amacrine::drivers
