// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/version.hpp"
#include "amacrine/parallel/node_memory.hpp"
#include "amacrine/parallel/together.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/source.hpp"

#include <algorithm>
#include <functional>
#include <sstream>

#include <fmt/ranges.h>

namespace amacrine::recording {

namespace {

using Names = std::vector<std::string>;

/// Collective: what `ask` answers of the recording on rank 0.
Names asked(const parallel::Communicator& communicator, const std::string& path, const RecordingSettings& settings,
            const std::function<Names(const Source&)>& ask) {
  std::string text;
  parallel::on_some(communicator, communicator.root(),
                    [&] { text = fmt::format("{}", fmt::join(ask(*open_source(path, settings)), "\n")); });
  std::istringstream lines(communicator.broadcast(text));
  Names names;
  for (std::string line; std::getline(lines, line);) names.push_back(line);
  return names;
}

/// Collective: the checksum of the contents of several files; of the first alone where there are no others.
io::Input with_files(const parallel::Communicator& communicator, io::Input input, const Names& files) {
  if (files.empty()) return input;
  std::string all = input.checksum;
  for (const std::string& file : files) all += io::checked_input(communicator, input.role, file).checksum;
  input.checksum = core::hash_bytes(all.data(), all.size());
  return input;
}

double values_in(const std::vector<std::size_t>& shape) {
  double values = 1;
  for (const std::size_t extent : shape) values *= static_cast<double>(extent);
  return values;
}

/// A movie keeps its bytes, anything else becomes float.
double movie_bytes(const Source& reader, const std::string& part) {
  const std::string name = part + "/stimulus";
  if (!reader.has(name)) return 0;
  return values_in(reader.shape(name)) * (reader.type(name) == io::Type::uint8 ? 1 : sizeof(float));
}

/// The largest dataset of a group, as floats.
double largest_bytes(const Source& reader, const std::string& group) {
  double largest = 0, count = 0;
  if (!reader.has(group) || reader.is_dataset(group)) return 0;
  for (const std::string& name : reader.list(group)) {
    if (!reader.is_dataset(group + "/" + name)) continue;
    largest = std::max(largest, sizeof(float) * values_in(reader.shape(group + "/" + name)));
    ++count;
  }
  // Repeats lie in one dataset for each cell.
  return group.ends_with("repeats") ? largest * count : largest;
}

}  // namespace

io::Input training_input(const parallel::Communicator& communicator, const std::string& path, const RecordingSettings& settings) {
  const auto ask = [&](auto member) {
    return asked(communicator, path, settings, [member](const Source& source) { return (source.*member)(); });
  };
  return with_files(communicator, io::checked_contents(communicator, training_part, path, ask(&Source::training_datasets)),
                    ask(&Source::training_files));
}

io::Input recording_input(const parallel::Communicator& communicator, const std::string& role, const std::string& path,
                          const RecordingSettings& settings) {
  const io::Input file = io::checked_input(communicator, role, path);
  return with_files(communicator, file,
                    asked(communicator, path, settings, [](const Source& source) { return source.other_files(); }));
}

double loaded_bytes(const std::string& path, const RecordingSettings& settings, Load load, const parallel::Communicator* ranks) {
  const std::unique_ptr<Source> source = open_source(path, settings);
  const Source& reader = *source;
  double bytes = 0;
  if (load != Load::test) {
    if (ranks == nullptr || parallel::first_of_node(*ranks)) bytes += movie_bytes(reader, "train");
    bytes += 2 * largest_bytes(reader, "train/response");
  }
  if (load != Load::train)
    bytes += movie_bytes(reader, "test") + 2 * largest_bytes(reader, "test/response") + 2 * largest_bytes(reader, "test/repeats");
  return bytes;
}

}  // namespace amacrine::recording
