// SPDX-License-Identifier: Apache-2.0
#include "amacrine/io/result_file.hpp"
#include "amacrine/parallel/node_memory.hpp"
#include "amacrine/recording/reader.hpp"

#include <algorithm>

namespace amacrine::recording {

namespace {

/// What training reads of a file, beside the root group's attributes.
const std::vector<std::string>& names_of_training() {
  static const std::vector<std::string> names{"train", "simulated/train", "simulated/centre_y", "simulated/centre_x"};
  return names;
}

double values_in(const std::vector<std::size_t>& shape) {
  double values = 1;
  for (const std::size_t extent : shape) values *= static_cast<double>(extent);
  return values;
}

/// A movie keeps its bytes, anything else becomes float.
double movie_bytes(const io::Reader& reader, const std::string& part) {
  const std::string name = part + "/stimulus";
  if (!reader.has(name)) return 0;
  return values_in(reader.shape(name)) * (reader.type(name) == io::Type::uint8 ? 1 : sizeof(float));
}

/// The largest dataset of a group, as floats.
double largest_bytes(const io::Reader& reader, const std::string& group) {
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

io::Input training_input(const parallel::Communicator& communicator, const std::string& path) {
  return io::checked_contents(communicator, training_part, path, names_of_training());
}

double loaded_bytes(const std::string& path, Load load, const parallel::Communicator* ranks) {
  const io::Reader reader(path);
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
