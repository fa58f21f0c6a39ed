// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/checkpoint.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/core/study.hpp"
#include "amacrine/core/version.hpp"
#include "amacrine/io/durable_file.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>
#include <type_traits>

#include <fmt/ranges.h>

namespace amacrine::training {
namespace {

constexpr std::string_view format_name = "amacrine-training-checkpoint ";
constexpr const char* epoch_ending = ".epoch";
constexpr std::string_view format_version = "4";

/// Appends values to bytes, or takes them off in the same order.
class Packer {
 public:
  std::string bytes;
  template <class T>
  void operator()(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const std::size_t at = bytes.size();
    bytes.resize(at + sizeof value);
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }
  template <class T>
  void operator()(const std::vector<T>& values) {
    (*this)(static_cast<std::uint64_t>(values.size()));
    for (const T& value : values) (*this)(value);
  }
  void operator()(const std::string& text) { (*this)(std::vector<char>(text.begin(), text.end())); }
};

class Unpacker {
 public:
  Unpacker(const std::string& bytes, const std::string& path) : bytes_(bytes), path_(path) {}
  template <class T>
  void operator()(T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    core::require<core::InputError>(at_ + sizeof value <= bytes_.size(), "{}: the checkpoint ends early", path_);
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
  }
  template <class T>
  void operator()(std::vector<T>& values) {
    std::uint64_t count = 0;
    (*this)(count);
    core::require<core::InputError>(count <= bytes_.size(), "{}: the checkpoint's contents do not fit together", path_);
    values.resize(count);
    for (T& value : values) (*this)(value);
  }
  void operator()(std::string& text) {
    std::vector<char> letters;
    (*this)(letters);
    text.assign(letters.begin(), letters.end());
  }

 private:
  const std::string& bytes_;
  const std::string& path_;
  std::size_t at_ = 0;
};

template <class Visitor, class Record>
void visit_record(Visitor& visit, Record& r) {
  visit(r.epoch);
  visit(r.windows), visit(r.learning_rate), visit(r.train_loss), visit(r.penalty), visit(r.validation_loss),
      visit(r.validation_r);
  visit(r.cell_r);
  visit(r.seconds), visit(r.windows_per_second), visit(r.best);
}

/// The state's members in the order they are stored; the same list writes and reads.
template <class Visitor, class State>
void visit_state(Visitor& visit, State& s) {
  visit(s.step);
  visit(s.parameters), visit(s.first), visit(s.second), visit(s.average), visit(s.statistics);
  visit(s.loss_sum), visit(s.loss_steps), visit(s.seconds), visit(s.epoch_seconds);
  for (auto* watch : {&s.plateau.watch, &s.early, &s.best}) visit(watch->best), visit(watch->any), visit(watch->waiting);
  visit(s.plateau.scale), visit(s.rate_cuts);
  visit(s.best_parameters), visit(s.best_statistics);
  visit(s.stopped_early);
}

std::string hash_of(std::string_view bytes) { return core::hash_bytes(bytes.data(), bytes.size()); }

/// "NAME FORMAT BYTES CHECKSUM-OF-BODY CHECKSUM-OF-THIS-LINE-SO-FAR": damage of the line is not taken for another format.
std::string header_of(std::string_view body) {
  const std::string header = fmt::format("{}{} {} {}", format_name, format_version, body.size(), hash_of(body));
  return header + " " + hash_of(header);
}

/// What keeps this program from reading a checkpoint with this header; empty where nothing does, or where the header is damaged.
std::string version_fault(std::string_view header) {
  const std::string_view rest = header.substr(format_name.size()), found = rest.substr(0, rest.find(' '));
  if (found == format_version) return {};
  const std::size_t last = header.rfind(' ');
  const bool sound = hash_of(header.substr(0, last)) == header.substr(last + 1);
  // Formats 1 and 2 had no checksum of the header.
  const bool old = (found == "1" || found == "2") && std::count(rest.begin(), rest.end(), ' ') == 2;
  if (!sound && !old) return {};
  return fmt::format("is a training checkpoint in format {}, and this program reads format {}", found, format_version);
}

struct Parts {
  std::string_view header, body;
};

Parts parts_of(std::string_view bytes) {
  const std::size_t line = std::min(bytes.find('\n'), bytes.size());
  return {bytes.substr(0, line), bytes.substr(std::min(line + 1, bytes.size()))};
}

std::optional<std::string> read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}

/// A training looks at its checkpoint before it starts and when it starts.
void warn_once(const std::string& text) {
  static std::set<std::string> said;
  if (said.insert(text).second) core::warn("{}", text);
}

}  // namespace

std::string encode_checkpoint(const TrainState& state, const std::string& identity) {
  Packer pack;
  pack(identity);
  visit_state(pack, state);
  pack(static_cast<std::uint64_t>(state.curve.size()));
  for (const EpochRecord& record : state.curve) visit_record(pack, record);
  return header_of(pack.bytes) + "\n" + pack.bytes;
}

TrainState decode_checkpoint(const std::string& bytes, const std::string& identity, const std::string& path) {
  const auto [header, body] = parts_of(bytes);
  core::require<core::InputError>(header.starts_with(format_name), "{} is damaged, or no training checkpoint of this program",
                                  path);
  const std::string fault = version_fault(header);
  core::require<core::RefusedError>(
      fault.empty(), "{} {}. Go on with the program that wrote it, use --overwrite to start anew, or another output folder", path,
      fault);
  core::require<core::InputError>(header == header_of(body), "{} is damaged: its checksums do not fit its contents", path);
  const std::string packed(body);
  Unpacker unpack(packed, path);
  std::string made_by;
  unpack(made_by);
  if (made_by != identity) {
    std::string differences;
    for (const std::string& difference : core::study_differences(made_by, identity)) differences += "\n  " + difference;
    core::fail<core::RefusedError>(
        "{} belongs to another training; going on would mix the two. Use --overwrite to start anew, or another "
        "output folder. Differences:{}",
        path, differences);
  }
  TrainState state;
  visit_state(unpack, state);
  std::uint64_t records = 0;
  unpack(records);
  for (std::uint64_t i = 0; i < records; ++i) visit_record(unpack, state.curve.emplace_back());
  return state;
}

std::optional<CheckpointFacts> describe_checkpoint(const std::string& path) {
  std::string beginning(format_name.size(), ' ');
  std::ifstream(path, std::ios::binary).read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  std::size_t differing = 0;
  for (std::size_t i = 0; i < beginning.size(); ++i) differing += beginning[i] != format_name[i] ? 1 : 0;
  if (differing > beginning.size() / 4) return std::nullopt;  // whatever it is, it may be too large to read whole
  const std::string bytes = read_bytes(path).value_or("");
  const auto [header, body] = parts_of(bytes);
  CheckpointFacts facts;
  if (differing == 0) facts.fault = version_fault(header);
  if (facts.fault.empty() && header != header_of(body))
    facts.fault = "is cut short or damaged: its checksums do not fit its contents";
  if (!facts.fault.empty()) return facts;
  const std::string packed(body);
  Unpacker unpack(packed, path);
  std::string identity;
  unpack(identity), unpack(facts.steps);
  return facts;
}

void write_checkpoint(const parallel::Communicator& communicator, const std::string& path, const TrainState& state,
                      const std::string& identity) {
  if (communicator.root()) {
    // A damaged file must not take the place of the whole one before it.
    const auto present = describe_checkpoint(path);
    io::replace_file(path, encode_checkpoint(state, identity), present && present->fault.empty());
  }
  communicator.barrier();
}

std::optional<TrainState> read_checkpoint(const parallel::Communicator& communicator, const std::string& path,
                                          const std::string& identity) {
  std::vector<std::string> faults;
  for (const std::string& from : {path, path + ".previous"}) {
    std::optional<std::string> bytes;
    if (communicator.root()) bytes = read_bytes(from);
    if (!communicator.any(bytes.has_value())) continue;
    try {
      TrainState state = decode_checkpoint(communicator.broadcast(bytes.value_or("")), identity, from);
      if (!faults.empty()) warn_once(fmt::format("{}; training goes on from {}", faults[0], from));
      return state;
    } catch (const core::InputError& error) {
      faults.emplace_back(error.what());
    }
  }
  core::require<core::InputError>(faults.empty(),
                                  "{}. Training cannot go on from there, and what was trained is not thrown away unasked: copy "
                                  "{} back from where it is whole, or start anew with --overwrite",
                                  fmt::join(faults, "; "), faults.size() > 1 ? "one of them" : "it");
  return std::nullopt;
}

std::optional<TrainState> read_checkpoint_at(const parallel::Communicator& communicator, const std::string& path,
                                             const std::string& identity, std::uint64_t step) {
  for (const std::string& from : {path, path + ".previous"}) {
    const std::string bytes = communicator.broadcast(communicator.root() ? read_bytes(from).value_or("") : std::string());
    if (bytes.empty()) continue;
    try {
      TrainState state = decode_checkpoint(bytes, identity, from);
      if (state.step == step) return state;
    } catch (const core::InputError& error) {
      warn_once(error.what());
    }
  }
  return std::nullopt;
}

void write_epoch_state(const parallel::Communicator& communicator, const std::string& checkpoint, const TrainState& state,
                       const std::string& identity) {
  if (communicator.root()) io::replace_file(checkpoint + epoch_ending, encode_checkpoint(state, identity));
  communicator.barrier();
}

std::optional<TrainState> read_epoch_state(const parallel::Communicator& communicator, const std::string& checkpoint,
                                           const std::string& identity) {
  const std::string path = checkpoint + epoch_ending;
  std::string bytes;
  if (communicator.root()) bytes = read_bytes(path).value_or("");
  bytes = communicator.broadcast(bytes);
  if (bytes.empty()) return std::nullopt;
  try {
    return decode_checkpoint(bytes, identity, path);
  } catch (const core::InputError& error) {
    warn_once(fmt::format("{}; where this training diverges, it cannot go back to the end of its last epoch", error.what()));
  } catch (const core::RefusedError&) {  // of another training
  }
  return std::nullopt;
}

std::vector<std::string> checkpoint_files(const std::string& checkpoint) {
  return {checkpoint, checkpoint + ".previous", checkpoint + epoch_ending};
}

}  // namespace amacrine::training
