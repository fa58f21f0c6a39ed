// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/journal.hpp"
#include "amacrine/parallel/communicator.hpp"
#include "amacrine/sweep/entry.hpp"
#include "amacrine/sweep/proposals.hpp"
#include "amacrine/sweep/state.hpp"

#include <string>
#include <vector>

namespace amacrine::sweep {

/// What a sweep's journal says.
struct Record {
  std::vector<std::size_t> rungs;  ///< epochs at whose ends trials are compared; empty: nothing was begun
  std::size_t trials = 0;          ///< as many as were asked for so far
  std::size_t extension = 0;       ///< those of them that `sweep extend` has added and that are not all at their end; 0: none
  std::vector<Entry> entries;
};

/// Collective. The record of a journal, which rank 0 reads; an empty one where there is none, or it is of another sweep.
Record read_record(const parallel::Communicator& communicator, const io::Journal& journal);
/// Collective. Rank 0's record on every rank.
Record shared(const parallel::Communicator& communicator, const Record& record);
/// The record as a journal's entries.
std::vector<std::string> encode(const Record& record);
/// The entry that says how many trials there are from now on. The last of a journal counts.
std::string encode_trials(const Record& record);

/// Trials as the record leaves them. Throws RefusedError where it says of a trial that it set something else than its proposal
/// does.
SweepState state_of(const SweepSettings& settings, const Record& record, const std::vector<Proposal>& proposals,
                    std::vector<std::string> shares);

}  // namespace amacrine::sweep
