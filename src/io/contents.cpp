// SPDX-License-Identifier: Apache-2.0
#include "contents.hpp"

#include "amacrine/core/version.hpp"
#include "hdf5.hpp"

#include <algorithm>

namespace amacrine::io::detail {
namespace {

/// Collects a description of names, shapes and values; values of datasets enter as checksums of their pieces.
class Summary {
 public:
  explicit Summary(const Reader& reader) : reader_(reader) {}

  void add_object(const std::string& name) {
    add_attributes(name);
    if (reader_.is_dataset(name)) return add_dataset(name);
    for (const std::string& member : reader_.list(name)) add_object(name + "/" + member);
  }
  void add_attributes(const std::string& object) {
    std::vector<std::string> names = reader_.attribute_names(object);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names)
      if (!is_about_the_file(name)) text_ += fmt::format("{} @ {} = {}\n", object, name, value_of(name, object));
  }
  std::string checksum() const { return core::hash_bytes(text_.data(), text_.size()); }

 private:
  /// Attributes that say how a file was made and how its axes hang together, not what it holds.
  static bool is_about_the_file(const std::string& name) {
    static const std::vector<std::string> all{"format",        "kind",           "complete",      "verb",  "study",
                                              "step_study",    "study_hash",     "inputs",        "CLASS", "NAME",
                                              "_NCProperties", "DIMENSION_LIST", "REFERENCE_LIST"};
    return name.starts_with("run_") || name.starts_with("_Netcdf4") || std::find(all.begin(), all.end(), name) != all.end();
  }
  /// Text or numbers; what is neither (references, opaque values) is nothing this program reads.
  std::string value_of(const std::string& name, const std::string& object) const {
    try {
      return fmt::format("'{}'", fmt::join(reader_.text_attributes(name, object), "', '"));
    } catch (const core::InputError&) {
    }
    try {
      return fmt::format("{}", fmt::join(reader_.attributes(name, object), ", "));
    } catch (const core::InputError&) {
      return "(another type)";
    }
  }
  void add_dataset(const std::string& name) {
    const std::vector<std::size_t> shape = reader_.shape(name);
    text_ += fmt::format("{} ({})\n", name, fmt::join(shape, ", "));
    Type type{};
    try {
      type = reader_.type(name);
    } catch (const core::InputError&) {
      return add_strings(name);
    }
    text_ += fmt::format("type {}\n", static_cast<int>(type));
    in_pieces(std::vector<std::size_t>(shape.size(), 0), shape, std::size_t{1} << 24,
              [&](const auto& offset, const auto& count) { add_piece(name, type, offset, count); });
  }
  void add_strings(const std::string& name) {
    try {
      text_ += fmt::format("'{}'\n", fmt::join(reader_.read_strings(name), "', '"));
    } catch (const core::InputError&) {
      text_ += "(another type)\n";
    }
  }
  template <class T>
  void add_values(const std::string& name, const std::vector<std::size_t>& offset, const std::vector<std::size_t>& count) {
    const std::vector<T> values = reader_.read<T>(name, offset, count);
    text_ += core::hash_bytes(values.data(), values.size() * sizeof(T)) + "\n";
  }
  void add_piece(const std::string& name, Type type, const std::vector<std::size_t>& offset,
                 const std::vector<std::size_t>& count) {
    switch (type) {
      case Type::float32:
        return add_values<float>(name, offset, count);
      case Type::float64:
        return add_values<double>(name, offset, count);
      case Type::int8:
        return add_values<std::int8_t>(name, offset, count);
      case Type::uint8:
        return add_values<std::uint8_t>(name, offset, count);
      case Type::int32:
        return add_values<std::int32_t>(name, offset, count);
      case Type::int64:
        return add_values<std::int64_t>(name, offset, count);
    }
  }

  const Reader& reader_;
  std::string text_;
};

}  // namespace

std::string contents_checksum(const Reader& reader, const std::vector<std::string>& names) {
  Summary summary(reader);
  summary.add_attributes("/");
  for (const std::string& name : names)
    if (reader.has(name)) summary.add_object(name);
  return summary.checksum();
}

}  // namespace amacrine::io::detail
