// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"
#include "amacrine/reduction/attributed.hpp"
#include "amacrine/reduction/settings.hpp"
#include "amacrine/stimulus/stimulus.hpp"

#include <string>
#include <vector>

namespace amacrine::reduction {

/// A stimulus of an attributions file that can be reduced: its windows, and where its values lie.
struct StoredCondition {
  std::string name;
  std::size_t first_window = 0, windows = 0;  ///< on the axis `window`
  std::size_t first_stored = 0;               ///< on the axis of the level it is read from
  stimulus::Symmetry symmetry = stimulus::Symmetry::full_field;
  bool held_out = false;
};

/// An attributions file (docs/results/attributions.md), read one cell at a time. Full fields are read at channel level, bars at
/// position level; where channels hold units of both signs of gain and all stimuli have the unit level, that is read and split by
/// the sign. Layers with one unit per channel need the channel level only. Stimuli without a level that fits are left out, with a
/// warning.
class AttributionFile {
 public:
  /// Local. Throws InputError naming the dataset and what was expected.
  AttributionFile(const std::string& path, const ReductionSettings& settings);

  const FirstLayer& layer() const { return layer_; }
  const std::vector<Line>& lines() const { return lines_; }
  const std::vector<std::string>& cells() const { return cells_; }
  const std::vector<StoredCondition>& conditions() const { return conditions_; }
  const std::string& subject() const { return subject_; }
  /// Local: everything about one cell. Throws InputError where a value is not finite.
  AttributedCell read_cell(std::size_t cell) const;

 private:
  void read_layer();
  void choose_levels(const ReductionSettings& settings);
  std::string level_of(const StoredCondition& condition) const;
  AttributedCondition read_condition(const StoredCondition& condition, std::size_t cell) const;
  void read_units(const StoredCondition& condition, std::size_t cell, AttributedCondition& out) const;
  core::Array<double, 3> read_values(const std::string& dataset, const StoredCondition& condition, std::size_t cell) const;

  std::string path_, subject_;
  io::Reader reader_;
  FirstLayer layer_;
  std::vector<Line> lines_;
  std::vector<std::string> cells_;
  std::vector<StoredCondition> conditions_;
  bool by_unit_ = false;
};

}  // namespace amacrine::reduction
