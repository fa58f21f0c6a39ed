// SPDX-License-Identifier: Apache-2.0
#include "amacrine/io/result_file.hpp"
#include "amacrine/lesion/plan.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::lesion {

namespace {

using Names = std::vector<std::string>;

/// Place of a name; the number of names where it is not among them.
std::size_t place_of(const Names& names, const std::string& name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

void require_same_model(const io::Reader& file, const Names& stored, const Names& cells, const std::vector<double>& rest) {
  constexpr double tolerance = 1e-3;
  const auto theirs = file.read<double>("rest");
  for (std::size_t n = 0; n < cells.size(); ++n) {
    const std::size_t at = place_of(stored, cells[n]);
    if (at == stored.size()) continue;
    core::require<core::InputError>(
        std::abs(theirs[at] - rest[n]) <= tolerance * std::max(1.0, rest[n]),
        "{}: {} rests at {:.6g} Hz, in the model at {:.6g} Hz: it is a reduction of another model; run `amacrine attribute` and "
        "`amacrine reduce` again, or remove it",
        file.path(), cells[n], theirs[at], rest[n]);
  }
}

/// The kept pathways of one cell and stimulus.
std::vector<UnitGroup> read_groups(const io::Reader& file, std::size_t cell, std::size_t stimulus, std::size_t slots) {
  const auto read = [&](const char* name) { return file.read<std::int32_t>(name, {cell, stimulus, 0}, {1, 1, slots}); };
  const auto kept = read("kept"), channel = read("path_channel"), first = read("column_first"), last = read("column_last");
  // Files of earlier versions do not tell the parts of a channel.
  const auto sign = file.has("gain_part") ? read("gain_part") : std::vector<std::int32_t>(slots, 0);
  std::vector<UnitGroup> groups;
  for (std::size_t i = 0; i < slots; ++i)
    if (kept[i] != 0) groups.push_back({channel[i], first[i], last[i], sign[i]});
  return groups;
}

}  // namespace

PathwayGroups read_pathways_of(const std::string& path, const LesionPlan& plan, const Names& cells,
                               const std::vector<double>& rest) {
  const io::Reader file(path);
  const Names stored = file.read_strings("cell"), stimuli = file.read_strings("stimulus");
  require_same_model(file, stored, cells, rest);
  const std::size_t slots = file.shape("kept").back();
  PathwayGroups groups(cells.size());
  for (std::size_t n = 0; n < cells.size(); ++n)
    for (const LesionStimulus& stimulus : plan.stimuli) {
      const std::size_t cell = place_of(stored, cells[n]), s = place_of(stimuli, stimulus.name);
      groups[n].push_back(cell < stored.size() && s < stimuli.size() ? read_groups(file, cell, s, slots)
                                                                     : std::vector<UnitGroup>{});
    }
  return groups;
}

}  // namespace amacrine::lesion
