// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"
#include "amacrine/reduction/attribution_file.hpp"
#include "amacrine/reduction/reduce.hpp"

#include <string>
#include <vector>

namespace amacrine::reduction {

/// Writes a reduction file (docs/results/reduction.md), cells in any order and from any rank.
class ReductionFile {
 public:
  /// Collective: declares and preallocates everything. `source` and `labels` must be the same on all ranks.
  ReductionFile(const parallel::Communicator& communicator, const std::string& path, const AttributionFile& source,
                const std::vector<ChannelLabel>& labels, const ReductionSettings& settings, const io::Provenance& provenance);
  /// Local: everything about one cell.
  void write_cell(std::size_t cell, const AttributedCell& attributed, const CellReduction& reduction);
  /// Collective: the file is complete after it.
  void finish() { writer_.finish(); }

 private:
  void declare_dimensions(const AttributionFile& source, const ReductionSettings& settings);
  void declare_variables();
  void declare_pathways(const std::string& prefix, const std::vector<std::string>& dimensions);
  void declare_scores(const std::string& prefix, const std::vector<std::string>& dimensions);
  void declare_traces(const std::string& prefix, const std::string& pathway);
  void write_channels(const std::vector<ChannelLabel>& labels);
  void write_conditions();
  void write_shares(std::size_t cell, const CellReduction& reduction);
  void write_pathways(const std::string& prefix, const std::vector<std::size_t>& at, const Reduction& reduction,
                      std::size_t slots);
  void write_scores(const std::string& prefix, const std::vector<std::size_t>& at, const Reduction& reduction);
  void write_traces(const std::string& prefix, std::size_t cell, const AttributedCell& attributed, const Reduction& reduction,
                    std::size_t slots);
  void write_lesions(std::size_t cell, const AttributedCell& attributed, const Reduction& reduction);

  io::ResultWriter writer_;
  FirstLayer layer_;
  std::vector<Line> lines_;
  std::vector<StoredCondition> conditions_;
  std::vector<std::string> stimuli_;
  std::size_t slots_ = 0, joint_slots_ = 0, columns_ = 1, frames_ = 0, lobes_ = 6;
};

}  // namespace amacrine::reduction
