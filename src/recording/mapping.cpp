// SPDX-License-Identifier: Apache-2.0
// The table [recording.mapping]: what the datasets of a recording are that is not in the public layout.
#include "mapping.hpp"

#include <algorithm>
#include <utility>

namespace amacrine::recording {

namespace {

using core::StudyError;

const std::string mapping_table = "recording.mapping.";

/// `key` must be there because `because` is.
void require_with(core::Study& study, const std::string& key, const std::string& value, const std::string& because,
                  const std::string& example) {
  core::require<StudyError>(!value.empty(), "{}: {}{} needs {}{}: {}", study.where(mapping_table + because), mapping_table,
                            because, mapping_table, key, example);
}

void check_datasets(core::Study& study, const Mapping& m) {
  const std::string movie = "the dataset of the movie shown in training", axes = "a letter for each axis, such as";
  require_with(study, "train_stimulus", m.train_stimulus, "train_response", movie);
  require_with(study, "train_response", m.train_response, "train_stimulus", "the dataset of the responses to it");
  require_with(study, "stimulus_axes", m.stimulus_axes, "train_stimulus", axes + " \"thw\" for (time, height, width)");
  require_with(study, "response_axes", m.response_axes, "train_response", axes + " \"nt\" for (cells, time)");
  const bool repeats = !m.test_repeats.empty() || !m.test_repeats_by_cell.empty();
  const char* named = m.test_repeats.empty() ? "test_repeats_by_cell" : "test_repeats";
  if (repeats)
    require_with(study, "repeats_axes", m.repeats_axes, named,
                 axes + (m.test_repeats.empty() ? " \"rt\" for (repeats, time)" : " \"rnt\" for (repeats, cells, time)"));
  core::require<StudyError>(m.test_repeats.empty() || m.test_repeats_by_cell.empty(),
                            "{}: {}test_repeats and {}test_repeats_by_cell exclude each other; give the one that the file has",
                            study.where(mapping_table + "test_repeats_by_cell"), mapping_table, mapping_table);
  core::require<StudyError>(m.test_stimulus.empty() == (m.test_response.empty() && !repeats),
                            "{}: the test part needs {}test_stimulus, and test_response, test_repeats or test_repeats_by_cell "
                            "with it; give both or neither",
                            study.where(mapping_table + "test_stimulus"), mapping_table);
}

}  // namespace

bool Mapping::datasets_declared() const {
  return !train_stimulus.empty() || !test_stimulus.empty() || !train_response.empty() || !test_response.empty() ||
         !test_repeats.empty() || !test_repeats_by_cell.empty();
}

void read_mapping(core::Study& study, RecordingSettings& settings) {
  settings.target_declared = study.has("recording.target");
  if (!study.has("recording.mapping")) return;
  Mapping& m = settings.mapping;
  for (const auto& [key, value] : {std::pair<const char*, std::string*>{"train_stimulus", &m.train_stimulus},
                                   {"test_stimulus", &m.test_stimulus},
                                   {"train_response", &m.train_response},
                                   {"test_response", &m.test_response},
                                   {"test_repeats", &m.test_repeats},
                                   {"stimulus_axes", &m.stimulus_axes},
                                   {"response_axes", &m.response_axes},
                                   {"repeats_axes", &m.repeats_axes},
                                   {"test_name", &m.test_name}})
    *value = study.get<std::string>(mapping_table + key, "");
  m.test_repeats_by_cell = study.get<std::vector<std::string>>(mapping_table + "test_repeats_by_cell", {});
  m.train_names = study.get<std::vector<std::string>>(mapping_table + "train_names", {});
  m.order = study.choose(mapping_table + "order", m.order, {"auto", "hdf5", "matlab"});
  m.channel = static_cast<int>(study.integer(mapping_table + "channel", -1, -1, 1000));
  m.test_name_declared = study.has(mapping_table + "test_name");
  if (!m.datasets_declared()) return;
  check_datasets(study, m);
  core::require<StudyError>(settings.target_declared,
                            "{}: [recording.mapping] does not say what the responses are; set recording.target: \"binned\" for "
                            "spikes per bin, \"firing_rate_10ms\" for Hz, \"trace\" for anything else",
                            study.where("recording.mapping"));
}

}  // namespace amacrine::recording
