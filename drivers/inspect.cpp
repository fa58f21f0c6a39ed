// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/core/version.hpp"
#include "amacrine/io/file_check.hpp"
#include "amacrine/io/result_file.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/source.hpp"
#include "amacrine/training/checkpoint.hpp"
#include "drivers/inspect_attributions.hpp"
#include "drivers/inspect_recording.hpp"
#include "drivers/verbs.hpp"

#include <filesystem>
#include <functional>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace amacrine::drivers {
namespace {

using nlohmann::ordered_json;

/// Files up to this size are read whole for their checksum.
constexpr std::uintmax_t cheap_bytes = std::uintmax_t{2} << 30;

const char* type_name(io::Type type) {
  switch (type) {
    case io::Type::float32:
      return "float32";
    case io::Type::float64:
      return "float64";
    case io::Type::int8:
      return "int8";
    case io::Type::uint8:
      return "uint8";
    case io::Type::int32:
      return "int32";
    case io::Type::int64:
      return "int64";
  }
  return "unknown";
}

/// Calls visit(path) for every dataset below `group`.
void for_each_dataset(const io::Reader& reader, const std::string& group, const std::function<void(const std::string&)>& visit) {
  for (const std::string& name : reader.list(group.empty() ? "/" : group)) {
    const std::string path = group.empty() ? name : group + "/" + name;
    if (!reader.has(path)) continue;  // a link that leads nowhere
    if (reader.is_dataset(path)) {
      visit(path);
    } else {
      for_each_dataset(reader, path, visit);
    }
  }
}

std::string text_or_empty(const io::Reader& reader, const std::string& attribute, const std::string& object) {
  try {
    return reader.has_attribute(attribute, object) ? reader.text_attribute(attribute, object) : "";
  } catch (const core::InputError&) {
    return "";
  }
}

ordered_json describe_dataset(const io::Reader& reader, const std::string& path) {
  ordered_json out{{"name", path}, {"type", "other"}, {"shape", reader.shape(path)}};
  try {
    out["type"] = type_name(reader.type(path));
  } catch (const core::InputError&) {
    out["type"] = "text";
  }
  out["units"] = text_or_empty(reader, "units", path);
  out["long_name"] = text_or_empty(reader, "long_name", path);
  return out;
}

void describe_contents(const io::Reader& reader, ordered_json& facts) {
  facts["dimensions"] = ordered_json::array();
  facts["variables"] = ordered_json::array();
  for_each_dataset(reader, "", [&](const std::string& path) {
    const bool scale = text_or_empty(reader, "CLASS", path) == "DIMENSION_SCALE";
    facts[scale ? "dimensions" : "variables"].push_back(describe_dataset(reader, path));
  });
}

/// Whether an input is still what it was when the file was made.
std::string input_state(const io::Input& input, const std::string& study) {
  std::error_code missing;
  const auto bytes = std::filesystem::file_size(input.path, missing);
  if (missing) return "not found from here";
  if (bytes > cheap_bytes) return "present, not checked";
  try {
    const auto& self = parallel::Communicator::self();
    std::string now;
    const recording::RecordingSettings settings = settings_of(study);
    if (input.role == recording::training_part) {
      now = recording::training_input(self, input.path, settings).checksum;
    } else if (input.role == "recording" || (input.role == "movie" && input.path == settings.file)) {
      now = recording::recording_input(self, input.role, input.path, settings).checksum;
    } else {
      now = io::checksum_of(input.path);
    }
    return now == input.checksum ? "unchanged" : "CHANGED since";
  } catch (const core::Error&) {
    return "CHANGED since: it cannot be read any more";
  }
}

void describe_origin(const io::Reader& reader, ordered_json& facts) {
  const io::Provenance made = reader.provenance();
  facts["verb"] = made.verb;
  facts["study_hash"] = made.study_hash;
  for (const io::Input& input : made.inputs)
    facts["inputs"].push_back(
        {{"role", input.role}, {"path", input.path}, {"checksum", input.checksum}, {"now", input_state(input, made.study)}});
  facts["run"] = made.facts;
  facts["study"] = made.study;
}

ordered_json describe_integrity(const io::FileCheck& check) {
  using State = io::FileCheck::State;
  if (check.state == State::none) return {{"state", "no checksums"}};
  ordered_json out{{"state", check.state == State::verified ? "verified" : "damaged"},
                   {"blocks", check.blocks},
                   {"block_bytes", check.block_bytes}};
  if (check.state == State::verified) return out;
  out["damaged_blocks"] = check.damaged_blocks;
  out["damaged_datasets"] = check.damaged_datasets;
  out["structures_whole"] = check.structures_whole;
  return out;
}

void describe_checkpoint(const training::CheckpointFacts& checkpoint, ordered_json& facts) {
  facts["kind"] = "training checkpoint";
  facts["whole"] = checkpoint.fault.empty();
  facts["integrity"] = {{"state", checkpoint.fault.empty() ? "verified" : "damaged"}};
  if (checkpoint.fault.empty()) facts["steps"] = checkpoint.steps;
  if (!checkpoint.fault.empty()) facts["fault"] = checkpoint.fault;
}

/// What HDF5 tells of a file. Throws InputError where it cannot be read.
void describe_hdf5(const std::string& path, ordered_json& facts) {
  const io::Reader reader(path, true);
  const recording::Recognition found = recording::recognise(reader, {});
  const bool recorded = !found.format.empty() && (reader.kind().empty() || reader.kind() == "recording");
  if (!reader.kind().empty()) {
    facts["kind"] = reader.kind();
    facts["format"] = reader.text_attribute("format");
    describe_origin(reader, facts);
    facts["whole"] = reader.attribute("complete") == 1;
    if (!facts["whole"]) facts["fault"] = "is not complete: the run that made it stopped early";
  } else {
    facts["kind"] = recorded ? "recording (foreign)" : "foreign HDF5 file";
    facts["whole"] = true;
    if (!recorded) facts["formats_looked_for"] = found.reason;
  }
  describe_contents(reader, facts);
  if (recorded) facts["recording"] = describe_recording(io::Reader(path, true), {});
  if (reader.kind() == "attributions") facts["attributions"] = describe_attributions(reader);
}

/// A study file: the recording it names, as it is read.
void describe_study_file(const std::string& path, bool json, ordered_json& facts) {
  std::optional<core::LogRedirect> aside;
  if (json) aside.emplace("/dev/stderr");  // the JSON text alone goes to stdout
  facts["kind"] = "study";
  facts["integrity"] = describe_integrity({});
  try {
    facts["recording"] = describe_study(path);
    facts["whole"] = true;
  } catch (const core::StudyError&) {
    throw;
  } catch (const core::Error& error) {
    facts["fault"] = error.what();
  }
}

/// Everything known about a file; "whole" is false, with a "fault", where it cannot be trusted.
ordered_json describe_file(const std::string& given, bool json) {
  const std::string path = recording::session_file(given);
  ordered_json facts{{"path", path}, {"kind", "unknown"}, {"whole", false}};
  std::error_code missing;
  if (const auto bytes = std::filesystem::file_size(path, missing); !missing) {
    facts["bytes"] = bytes;
    if (bytes <= cheap_bytes) facts["checksum"] = core::hash_file(path);
  }
  if (path.ends_with(".toml")) {
    describe_study_file(path, json, facts);
    return facts;
  }
  if (const auto checkpoint = training::describe_checkpoint(path)) {
    describe_checkpoint(*checkpoint, facts);
    return facts;
  }
  const io::FileCheck check = missing ? io::FileCheck{} : io::check_file(path);
  const bool damaged = check.state == io::FileCheck::State::damaged;
  facts["integrity"] = describe_integrity(check);
  try {
    // HDF5 does not survive every damage of its own structures.
    if (!damaged || check.structures_whole) describe_hdf5(path, facts);
  } catch (const core::Error& error) {
    facts["whole"] = false;
    facts["fault"] = error.what();
  }
  if (damaged) facts["whole"] = false, facts["fault"] = check.fault;
  return facts;
}

std::string word(const ordered_json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::string origin_text(const ordered_json& facts) {
  std::string text = fmt::format("made by    amacrine {}, study hash {}\n", word(facts["verb"]), word(facts["study_hash"]));
  const ordered_json& run = facts["run"];
  const auto fact = [&](const char* name) { return run.contains(name) ? word(run[name]) : std::string("?"); };
  text += fmt::format("program    version {}, commit {}{}, {}\n", fact("version"), fact("commit"),
                      fact("commit_dirty") == "1" ? " (changed)" : "", fact("compiler"));
  text += fmt::format("libraries  Kokkos {}, HDF5 {}, {}\n", fact("kokkos_version"), fact("hdf5_version"), fact("mpi"));
  text += fmt::format("ran        {} on {}: {} ranks x {} threads ({})\n", fact("started"), fact("hosts"), fact("ranks"),
                      fact("threads"), fact("device"));
  text += fmt::format("command    {}\n", fact("command_line"));
  if (facts.contains("inputs"))
    for (const auto& input : facts["inputs"])
      text += fmt::format("input      {}: {} (xxh64 {}, {})\n", word(input["role"]), word(input["path"]), word(input["checksum"]),
                          word(input["now"]));
  return text;
}

std::string contents_text(const ordered_json& facts) {
  std::string text;
  for (const char* list : {"dimensions", "variables"}) {
    if (facts[list].empty()) continue;
    text += fmt::format("{}\n", list);
    for (const auto& entry : facts[list])
      text += fmt::format("  {:36} {:8} {:22} {:6} {}\n", word(entry["name"]), word(entry["type"]), entry["shape"].dump(),
                          word(entry["units"]), word(entry["long_name"]));
  }
  return text;
}

std::string integrity_text(const ordered_json& integrity) {
  std::string text = fmt::format("integrity  {}", word(integrity["state"]));
  if (integrity.contains("blocks"))
    text += fmt::format(", {} blocks of {} bytes", word(integrity["blocks"]), word(integrity["block_bytes"]));
  if (integrity.contains("damaged_blocks"))
    text += fmt::format("; damaged: {}{}", integrity["damaged_blocks"].dump(),
                        integrity["structures_whole"].get<bool>() ? " in " + integrity["damaged_datasets"].dump()
                                                                  : ", the file's structures among them");
  return text + "\n";
}

std::string file_text(const ordered_json& facts) {
  std::string text = fmt::format("file       {}\nkind       {}\nwhole      {}\n", word(facts["path"]), word(facts["kind"]),
                                 facts["whole"].get<bool>() ? "yes" : "NO: " + word(facts["fault"]));
  if (facts.contains("integrity")) text += integrity_text(facts["integrity"]);
  if (facts.contains("bytes")) text += fmt::format("size       {}\n", core::human_bytes(facts["bytes"].get<double>()));
  if (facts.contains("checksum")) text += fmt::format("checksum   xxh64 {}\n", word(facts["checksum"]));
  if (facts.contains("steps")) text += fmt::format("trained    {} steps\n", word(facts["steps"]));
  if (facts.contains("run")) text += origin_text(facts);
  if (facts.contains("recording")) text += recording_text(facts["recording"]);
  if (facts.contains("formats_looked_for"))
    text += fmt::format("recording  of no format known here; looked for: {}\n", word(facts["formats_looked_for"]));
  if (facts.contains("attributions")) text += attributions_text(facts["attributions"]);
  if (facts.contains("variables")) text += contents_text(facts);
  return text;
}

}  // namespace

/// Tells what a file is, how it was made and whether it is whole. Returns 3 where it is not.
int inspect(const parallel::Communicator& world, const std::string& path, bool json) {
  int code = 0;
  if (world.root()) {
    const ordered_json facts = describe_file(path, json);
    core::log_line(json ? facts.dump(2, ' ', false, ordered_json::error_handler_t::replace) : file_text(facts));
    code = static_cast<int>(facts["whole"].get<bool>() ? core::ExitCode::done : core::ExitCode::bad_input);
  }
  world.broadcast(&code, sizeof code);
  return code;
}

}  // namespace amacrine::drivers
