// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"
#include "amacrine/parallel/communicator.hpp"

#include <map>
#include <string>
#include <vector>

namespace amacrine::io {

/// An input of a step: path as given and checksum of its contents.
struct Input {
  std::string role, path, checksum;
};

/// How a file was made. Stored as attributes of the root group: everything about the run in `facts`, the resolved study as TOML.
struct Provenance {
  std::string verb;
  std::string study;       ///< resolved study (all tables), TOML
  std::string step_study;  ///< resolved tables that determine this step
  std::string study_hash;  ///< hash of step_study
  std::vector<Input> inputs;
  std::map<std::string, std::string>
      facts;  ///< commit, versions, ranks, threads, device, host, SLURM ids, command line, start time
};

/// Collective. `tables`: the top-level tables of the study that determine the step's numbers.
Provenance make_provenance(const parallel::Communicator& communicator, const core::Study& study, const std::string& verb,
                           const std::vector<std::string>& tables, const std::vector<Input>& inputs);

/// Checksums a file once per process (cached by path, size and time). Collective: rank 0 reads, all get it.
Input checked_input(const parallel::Communicator& communicator, const std::string& role, const std::string& path);

enum class Reuse { make, reuse };
/// Collective. What to do about an existing `path`: absent -> make; whole, with equal study hash and input checksums -> reuse
/// (says so); anything else -> RefusedError with the differences, unless `overwrite`.
Reuse check_reuse(const parallel::Communicator& communicator, const std::string& path, const Provenance& wanted, bool overwrite);

}  // namespace amacrine::io
