// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/circuit_definition.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/paths.hpp"
#include "circuit_table.hpp"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include <fmt/ranges.h>

namespace amacrine::recording {

namespace {

constexpr const char* circuit_tables = "simulation.circuits";

std::string table_of(const std::string& name) { return fmt::format("{}.{}", circuit_tables, name); }

/// Whether the study file itself (not only the command line) says something of a circuit.
bool said_by_file(const core::Study& study, const std::string& name) {
  const std::vector<std::string> keys = study.keys(table_of(name)), tables = study.tables(circuit_tables);
  const auto by_file = [&](const std::string& key) { return study.where(table_of(name) + "." + key) != "command line"; };
  return keys.empty() ? std::find(tables.begin(), tables.end(), name) != tables.end()
                      : std::any_of(keys.begin(), keys.end(), by_file);
}

const Circuit* find(const std::vector<Circuit>& circuits, const std::string& name) {
  const auto found = std::find_if(circuits.begin(), circuits.end(), [&](const Circuit& each) { return each.name == name; });
  return found == circuits.end() ? nullptr : &*found;
}

/// Circuits of a study as they are found, under names that are free.
class Collection {
 public:
  explicit Collection(core::Study& study) : study_(study) {}

  void read_file(const std::string& said) {
    const std::string path = core::input_path(said, study_.file());
    std::error_code unknown;
    core::require<core::StudyError>(std::filesystem::is_regular_file(path, unknown),
                                    "{}: simulation.circuit_files names {}, but there is no such file; write its path as seen "
                                    "from the folder the program runs in, or from that of the study",
                                    study_.where("simulation.circuit_files"), said);
    core::Study file = core::Study::from_file(path);
    const std::vector<std::string> names = file.tables(circuit_tables);
    core::require<core::StudyError>(!names.empty(), "{}: expected tables [{}.NAME], but there is none", path, circuit_tables);
    for (const std::string& name : names) {
      core::require<core::StudyError>(!said_by_file(study_, name),
                                      "{}: the circuit '{}' is defined in {}, too; give one of them another name",
                                      file.where(table_of(name)), name, study_.where(table_of(name)));
      add(file, &study_, name);
    }
    file.require_all_read();
  }

  void add(core::Study& file, core::Study* study, const std::string& name) {
    const std::string place = file.where(table_of(name));
    const std::vector<std::string>& own = circuit_names();
    core::require<core::StudyError>(std::find(own.begin(), own.end(), name) == own.end(),
                                    "{}: the program has a circuit '{}' of its own; give yours another name", place, name);
    core::require<core::StudyError>(find(circuits_, name) == nullptr,
                                    "{}: another file defines the circuit '{}', too; give one of them another name", place, name);
    circuits_.push_back(read_circuit(file, study, name));
  }

  bool has(const std::string& name) const { return find(circuits_, name) != nullptr; }
  std::vector<Circuit> take() { return std::move(circuits_); }

 private:
  core::Study& study_;
  std::vector<Circuit> circuits_;
};

std::vector<std::string> words_of(const std::string& list) {
  std::vector<std::string> words;
  std::istringstream text(list);
  for (std::string word; std::getline(text >> std::ws, word, ',');) words.push_back(word);
  return words;
}

std::vector<Circuit> definitions_of(const io::Reader& file) {
  if (!file.has_attribute("circuit_definitions")) return {};
  try {
    return parse_circuits(file.text_attribute("circuit_definitions"), file.path() + ": attribute circuit_definitions");
  } catch (const core::StudyError& error) {
    core::fail<core::InputError>("{} (the recording is damaged, or of a later version of the program)", error.what());
  }
}

}  // namespace

std::vector<Circuit> read_circuits(core::Study& study) {
  Collection collection(study);
  for (const std::string& path : study.get<std::vector<std::string>>("simulation.circuit_files", {})) collection.read_file(path);
  for (const std::string& name : study.tables(circuit_tables))
    if (!collection.has(name)) collection.add(study, nullptr, name);
  return collection.take();
}

std::vector<Circuit> parse_circuits(const std::string& text, const std::string& name) {
  core::Study file = core::Study::from_text(text, name);
  std::vector<Circuit> circuits;
  for (const std::string& each : file.tables(circuit_tables)) circuits.push_back(read_circuit(file, nullptr, each));
  file.require_all_read();
  return circuits;
}

std::vector<Circuit> recorded_circuits(const io::Reader& file) {
  if (!file.has_attribute("circuits")) return {};
  const std::vector<Circuit> defined = definitions_of(file);
  const std::vector<std::string>& own = circuit_names();
  std::vector<Circuit> circuits;
  for (const std::string& name : words_of(file.text_attribute("circuits"))) {
    const Circuit* found = find(defined, name);
    core::require<core::InputError>(
        found != nullptr || std::find(own.begin(), own.end(), name) != own.end(),
        "{}: cell {} was simulated with the circuit '{}', which neither the file's attribute circuit_definitions nor the program "
        "knows; run `amacrine simulate` again with a study that defines it",
        file.path(), circuits.size(), name);
    circuits.push_back(found != nullptr ? *found : circuit(name));
  }
  return circuits;
}

}  // namespace amacrine::recording
