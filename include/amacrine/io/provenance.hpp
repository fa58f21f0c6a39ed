// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"
#include "amacrine/io/lock.hpp"
#include "amacrine/parallel/communicator.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace amacrine::io {

/// An input of a step: path as given and checksum of its contents, of the whole file or of the part that the role names.
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
      facts;  ///< run id, commit, versions, ranks, threads, device, host, SLURM ids, command line, start time
};

/// Collective. `tables`: what of the study determines the step's numbers (core::Study::resolved).
Provenance make_provenance(const parallel::Communicator& communicator, const core::Study& study, const std::string& verb,
                           const std::vector<std::string>& tables, const std::vector<Input>& inputs);

/// xxHash64 of a file's contents, and of those of the files it takes contents from (external links, virtual datasets, external
/// storage); once per process (cached by path, size and time). Local. Throws InputError where a file cannot be read.
std::string checksum_of(const std::string& path);

/// An input with its checksum. Collective: rank 0 reads, all get it.
Input checked_input(const parallel::Communicator& communicator, const std::string& role, const std::string& path);

/// Checksum of the values of an HDF5 file alone: the datasets named, or in the groups named, with their attributes, and the root
/// group's attributes except those on how the file was made. How the values are stored, and what else the file holds, does not
/// count. Names that are not there are left out.
Input checked_contents(const parallel::Communicator& communicator, const std::string& role, const std::string& path,
                       const std::vector<std::string>& names);

/// Collective, once inputs were read: throws InputError where one of them has changed on disk since it was checked, so that what
/// was read may not be what the checksum says.
void require_unchanged(const parallel::Communicator& communicator, const std::vector<Input>& inputs);

enum class Reuse { make, reuse };
/// Collective. What to do about an existing `path`: absent -> make; whole, with equal study hash and input checksums -> reuse
/// (says so); anything else -> RefusedError with the differences, unless `overwrite`.
Reuse check_reuse(const parallel::Communicator& communicator, const std::string& path, const Provenance& wanted, bool overwrite);

/// Collective, before anything is computed: the right to make `path`, or nothing where it is whole and can be used again. Throws
/// RefusedError as check_reuse does, and where another run is making it or its folder cannot be written.
std::optional<OutputLock> claim_output(const parallel::Communicator& communicator, const std::string& path,
                                       const Provenance& wanted, bool overwrite, const LockRequest& request);

}  // namespace amacrine::io
