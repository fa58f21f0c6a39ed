// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/provenance.hpp"
#include "amacrine/parallel/communicator.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace amacrine::io {

/// A named axis of a result file. Coordinates (if any) are stored in the dimension scale; an axis without them is still a scale.
struct Dimension {
  std::string name;
  std::size_t size = 0;
  std::string units;                ///< "ms", "px", "Hz", "1" ...
  std::string long_name;            ///< for people
  std::vector<double> coordinates;  ///< numeric coordinates, or
  std::vector<std::string> labels;  ///< text coordinates (cell names, unit names)
};

enum class Type { float32, float64, int8, uint8, int32, int64 };

/// A named array over named dimensions.
struct Variable {
  std::string name;  ///< may hold slashes: "train/response/binned"
  Type type = Type::float32;
  std::vector<std::string> dimensions;
  std::string units;
  std::string long_name;
  std::map<std::string, std::string> attributes;  ///< further text attributes
};

/// A text for every place of an axis; known before the file is made.
struct TextVariable {
  std::string name, dimension, long_name;
  std::vector<std::string> texts;
};

/// A file that another program or run is writing (flock(2), as HDF5 takes it, or a lock of ours).
struct InUseError : core::InputError {
  explicit InUseError(const std::string& message) : core::InputError(message) {}
};

/// A block [offset, offset + count) of a variable, and the checksum of its values as they lie in the file.
struct WrittenBlock {
  std::string variable;
  std::vector<std::size_t> offset, count;
  std::string checksum;
};

/// One parallel HDF5 file per study step, also a netCDF4 file: dimension scales on every axis, units and long names, flags as
/// int8 with flag_values / flag_meanings (never HDF5 enums). Written as PATH.partial: every dataset is preallocated and flushed
/// before the first write; writes are raw, unfiltered and independent; finish() checks that all writes succeeded, stamps
/// `complete = 1`, adds checksums of every block behind HDF5's last byte, syncs and renames to PATH. A crash leaves only
/// PATH.partial; PATH is always whole. Only what this writer made is renamed: it throws where the lock of PATH or PATH.partial
/// became another run's.
class ResultWriter {
 public:
  /// Collective. `kind`: "recording", "model", "evaluation", "responses", "attributions", "reduction", ...
  ResultWriter(const parallel::Communicator& communicator, std::string path, const std::string& kind,
               const Provenance& provenance);
  ~ResultWriter();
  ResultWriter(const ResultWriter&) = delete;
  ResultWriter& operator=(const ResultWriter&) = delete;

  void dimension(const Dimension& dimension);  ///< collective, before create()
  void variable(const Variable& variable);     ///< collective, before create()
  void texts(const TextVariable& variable);    ///< collective, before create(); the same on all ranks
  /// Global or variable attribute (`variable` empty: root group). Collective, before create().
  void attribute(const std::string& name, const std::string& value, const std::string& variable = {});
  void attribute(const std::string& name, double value, const std::string& variable = {});
  void attribute(const std::string& name, const std::vector<double>& values, const std::string& variable = {});
  /// Collective: refuses (RefusedError with both figures) where the predicted bytes exceed the free space, then preallocates and
  /// flushes.
  void create();

  /// Local, rank 0, after create(): where the values lie in PATH.partial, and a checksum of everything else in it, which no write
  /// changes.
  const std::string& frame() const;
  /// Collective, in place of create(): opens PATH.partial as an earlier run left it, to write what is missing. `frame`: what
  /// frame() said then. False, and nothing is changed, where there is no such file, anything but values has changed, or the
  /// file's study, inputs or variables are others than those declared.
  bool reopen(const std::string& frame);
  /// Local: from now on every write() adds what it wrote to `blocks`; null: no longer.
  void record(std::vector<WrittenBlock>* blocks);
  /// Local: whether a block that an earlier run recorded is still what it was.
  bool holds(const WrittenBlock& block);
  /// Local: a block that holds counts as written.
  void adopt(const WrittenBlock& block);
  /// Local: makes what this rank wrote durable. Throws core::Error.
  void sync();

  /// Local: writes the block [offset, offset + count) of `variable`. Values are converted to the variable's type by HDF5.
  template <class T>
  void write(const std::string& variable, std::span<const T> values, const std::vector<std::size_t>& offset,
             const std::vector<std::size_t>& count);
  /// Local: the whole variable, from one rank.
  template <class T>
  void write(const std::string& variable, std::span<const T> values);

  /// Collective: what any rank has written so far can be read by every rank.
  void share();
  /// Local: a block that this rank wrote, or another one before share(); T is the variable's type. Throws core::Error.
  template <class T>
  std::vector<T> read(const std::string& variable, const std::vector<std::size_t>& offset,
                      const std::vector<std::size_t>& count) const;

  /// Collective: throws core::Error where any rank's write failed; otherwise the file is complete and renamed.
  void finish();
  /// Bytes of all declared variables.
  std::size_t predicted_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Collective: refuses as create() would (RefusedError with both figures) a file of `bytes` at `path`, and makes nothing.
void require_space(const parallel::Communicator& communicator, const std::string& path, std::size_t bytes);

/// Serial reader of our own and foreign HDF5 files. Local: each rank opens the file by itself. Where a file has checksums, they
/// are compared before HDF5 reads what they belong to: of structures (names, shapes, attributes, texts) when the file is opened,
/// of values when they are first read. Every member that reads throws InputError where they differ.
class Reader {
 public:
  /// Throws InputError: missing file, not HDF5, cut short, damaged, not complete (for our own kinds unless `allow_partial`);
  /// InUseError where somebody is writing it.
  explicit Reader(std::string path, bool allow_partial = false);
  ~Reader();
  Reader(Reader&&) noexcept;

  const std::string& path() const;
  bool checked() const;  ///< whether the file has checksums
  /// Compares all bytes with their checksums, where there are any. Throws InputError naming the first that differ.
  void verify() const;
  /// Whether there is a dataset or group of that name. Throws InputError where it is a link whose target is missing.
  bool has(const std::string& name) const;
  bool is_dataset(const std::string& name) const;
  std::vector<std::string> list(const std::string& group = "/") const;
  std::vector<std::size_t> shape(const std::string& dataset) const;  ///< throws InputError naming the dataset when missing
  /// Bytes of the file [first, second) in which the values lie; equal where they are not in one piece or nowhere.
  std::pair<std::uint64_t, std::uint64_t> extent(const std::string& dataset) const;
  Type type(const std::string& dataset) const;
  /// The whole dataset, converted to T (float, double, std::uint8_t, std::int32_t, std::int64_t).
  template <class T>
  std::vector<T> read(const std::string& dataset) const;
  /// A block.
  template <class T>
  std::vector<T> read(const std::string& dataset, const std::vector<std::size_t>& offset,
                      const std::vector<std::size_t>& count) const;
  std::vector<std::string> read_strings(const std::string& dataset) const;
  bool has_attribute(const std::string& name, const std::string& object = "/") const;
  std::vector<std::string> attribute_names(const std::string& object = "/") const;
  std::string text_attribute(const std::string& name, const std::string& object = "/") const;
  /// Several texts (one axis), or one; throws InputError where there is no such attribute or it is no text.
  std::vector<std::string> text_attributes(const std::string& name, const std::string& object = "/") const;
  double attribute(const std::string& name, const std::string& object = "/") const;
  std::vector<double> attributes(const std::string& name, const std::string& object = "/") const;
  /// kind, format version, resolved study, hash ... of one of our own files; throws InputError for foreign files.
  Provenance provenance() const;
  std::string kind() const;  ///< empty for foreign files

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amacrine::io
