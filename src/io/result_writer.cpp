// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/io/result_file.hpp"
#include "amacrine/parallel/mpi_handle.hpp"
#include "checksums.hpp"
#include "files.hpp"
#include "hdf5.hpp"
#include "held.hpp"
#include "layout.hpp"
#include "on_root.hpp"
#include "written_block.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <numeric>

namespace amacrine::io {

using detail::Id;

struct ResultWriter::Impl {
  struct Target {
    Id dataset;
    std::vector<std::size_t> shape;
    Type type = Type::float32;
    std::int64_t written = 0;  ///< values written by this rank
  };

  parallel::Communicator communicator;
  std::string path, partial;
  std::string frame;  ///< of the partial file, on rank 0
  detail::Layout layout;
  Id file;
  std::map<std::string, Target> targets;
  std::string fault;                              ///< the first failed write of this rank
  detail::FileIdentity identity;                  ///< of the partial file, on rank 0
  std::vector<WrittenBlock>* recorded = nullptr;  ///< where writes are told
  bool created = false, finished = false;

  Impl(const parallel::Communicator& group, std::string to)
      : communicator(group), path(std::move(to)), partial(path + ".partial") {}

  void declare() const {
    core::require(!created, "{}: dimensions, variables and attributes must be declared before create()", path);
  }
  void open_for_writing();
  /// Collective: opens the partial file on all ranks; what went wrong on any, or nothing.
  std::string open_together();
  Target& target(const std::string& variable);
  void close();
};

namespace {

/// Room for attributes, scales and HDF5's own structures.
constexpr std::size_t metadata_bytes = std::size_t{1} << 16;

/// Of a whole file whose variables take `bytes`.
std::size_t file_bytes(std::size_t bytes) { return bytes + metadata_bytes + detail::added_bytes(bytes + metadata_bytes); }

/// Files of writers that were left by an exception: closing is collective, so it waits until all ranks meet again.
std::vector<hid_t>& abandoned() {
  static std::vector<hid_t> files;
  return files;
}

void close_abandoned() {
  for (const hid_t id : abandoned()) H5Fclose(id);
  abandoned().clear();
}

/// MPI-IO with every kind of buffering across ranks switched off: each rank writes its own block where it belongs.
Id parallel_access(const parallel::Communicator& communicator) {
  Id access = detail::own(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "file access");
  // Closing the file closes every dataset in it.
  detail::check(H5Pset_fclose_degree(access, H5F_CLOSE_STRONG), "file access");
  // A write is in the file when it returns, so that sync() makes it durable (over MPI it always is).
  detail::check(H5Pset_sieve_buf_size(access, 0), "file access");
  if (communicator.size() == 1) return access;
  MPI_Info hints = MPI_INFO_NULL;
  MPI_Info_create(&hints);
  for (const char* key : {"romio_cb_write", "romio_ds_write", "romio_cb_read", "romio_ds_read"})
    MPI_Info_set(hints, key, "disable");
  const herr_t status = H5Pset_fapl_mpio(access, parallel::mpi_handle(communicator), hints);
  MPI_Info_free(&hints);
  detail::check(status, "file access over MPI");
  return access;
}

}  // namespace

void ResultWriter::Impl::open_for_writing() {
  if (communicator.root()) identity = detail::identity_of(partial);
  const Id access = parallel_access(communicator);
  file = detail::own(H5Fopen(partial.c_str(), H5F_ACC_RDWR, access), H5Fclose, partial + ": cannot be opened");
  for (const Variable& variable : layout.variables) {
    Target target;
    target.dataset = detail::own(H5Dopen2(file, variable.name.c_str(), H5P_DEFAULT), H5Dclose, partial + ": " + variable.name);
    target.shape = layout.shape(variable);
    target.type = variable.type;
    targets.emplace(variable.name, std::move(target));
  }
}

std::string ResultWriter::Impl::open_together() {
  std::string message;
  try {
    open_for_writing();
  } catch (const core::Error& error) {
    message = error.what();
  }
  if (communicator.any(!message.empty())) {
    targets.clear();
    file.close();
    return message.empty() ? "another rank could not open it" : message;
  }
  created = true;
  return {};
}

ResultWriter::Impl::Target& ResultWriter::Impl::target(const std::string& variable) {
  core::require(created && !finished, "{}: '{}' can be written only between create() and finish()", path, variable);
  const auto found = targets.find(variable);
  core::require(found != targets.end(), "{}: there is no variable '{}'", path, variable);
  return found->second;
}

void ResultWriter::Impl::close() {
  bool sound = H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0;
  for (auto& entry : targets) sound = entry.second.dataset.close() && sound;
  sound = file.close() && sound;
  if (!sound && fault.empty()) fault = "flushing failed: " + detail::error_text();
}

ResultWriter::ResultWriter(const parallel::Communicator& communicator, std::string path, const std::string& kind,
                           const Provenance& provenance)
    : impl_(std::make_unique<Impl>(communicator, std::move(path))) {
  detail::start_hdf5();
  close_abandoned();
  impl_->layout.kind = kind;
  impl_->layout.provenance = provenance;
}

ResultWriter::~ResultWriter() {
  if (!impl_ || !impl_->file.valid()) return;
  for (auto& entry : impl_->targets) entry.second.dataset.close();
  // While an exception unwinds, other ranks may be elsewhere; a collective close would wait for them for ever.
  if (impl_->communicator.size() > 1 && std::uncaught_exceptions() > 0) abandoned().push_back(impl_->file.release());
}

void ResultWriter::dimension(const Dimension& dimension) {
  impl_->declare();
  impl_->layout.dimensions.push_back(dimension);
}

void ResultWriter::variable(const Variable& variable) {
  impl_->declare();
  impl_->layout.variables.push_back(variable);
}

void ResultWriter::texts(const TextVariable& variable) {
  impl_->declare();
  impl_->layout.texts.push_back(variable);
}

void ResultWriter::attribute(const std::string& name, const std::string& value, const std::string& variable) {
  impl_->declare();
  impl_->layout.extras.push_back({variable, name, value});
}

void ResultWriter::attribute(const std::string& name, double value, const std::string& variable) {
  impl_->declare();
  impl_->layout.extras.push_back({variable, name, value});
}

void ResultWriter::attribute(const std::string& name, const std::vector<double>& values, const std::string& variable) {
  impl_->declare();
  impl_->layout.extras.push_back({variable, name, values});
}

std::size_t ResultWriter::predicted_bytes() const {
  std::size_t bytes = 0;
  for (const Variable& variable : impl_->layout.variables) {
    const auto shape = impl_->layout.shape(variable);
    bytes += std::accumulate(shape.begin(), shape.end(), detail::type_size(variable.type), std::multiplies<>());
  }
  return bytes;
}

void require_space(const parallel::Communicator& communicator, const std::string& path, std::size_t bytes) {
  detail::on_root(communicator, [&] {
    std::error_code missing;
    const auto partial = std::filesystem::file_size(path + ".partial", missing);  // a run begins by removing it
    const std::size_t needed = file_bytes(bytes), freed = missing ? 0 : std::min<std::size_t>(partial, needed);
    detail::require_space(path, needed - freed);
  });
}

void ResultWriter::create() {
  Impl& impl = *impl_;
  impl.declare();
  impl.layout.check();
  // One rank makes the file with all its metadata and closes it; then nothing but raw writes happens to it, so a crash
  // leaves a readable file, and its bytes do not depend on the number of ranks.
  detail::on_root(impl.communicator, [&] {
    std::error_code ignored;
    std::filesystem::remove(impl.partial, ignored);
    detail::make_folder(impl.path);
    detail::require_space(impl.path, file_bytes(predicted_bytes()));
    try {
      detail::create_file(impl.partial, impl.layout);
      detail::reserve_blocks(impl.partial);
      impl.frame = detail::frame_of(impl.partial, impl.layout);
    } catch (...) {
      std::filesystem::remove(impl.partial, ignored);
      throw;
    }
  });
  const std::string fault = impl.open_together();
  core::require(fault.empty(), "{}: {}", impl.path, fault);
}

const std::string& ResultWriter::frame() const { return impl_->frame; }

bool ResultWriter::reopen(const std::string& frame) {
  Impl& impl = *impl_;
  impl.declare();
  impl.layout.check();
  bool there = false;
  detail::on_root(impl.communicator, [&] { there = detail::can_go_on(impl.partial, impl.layout, frame); });
  if (!impl.communicator.any(there)) return false;
  return impl.open_together().empty();
}

void ResultWriter::record(std::vector<WrittenBlock>* blocks) { impl_->recorded = blocks; }

bool ResultWriter::holds(const WrittenBlock& block) {
  const auto found = impl_->targets.find(block.variable);
  if (found == impl_->targets.end() || !detail::fits(found->second.shape, block.offset, block.count)) return false;
  const Impl::Target& target = found->second;
  return detail::block_checksum(target.dataset, target.type, block.offset, block.count) == block.checksum;
}

void ResultWriter::adopt(const WrittenBlock& block) {
  impl_->target(block.variable).written += static_cast<std::int64_t>(detail::volume(block.count));
}

void ResultWriter::sync() { detail::make_durable(impl_->partial); }

template <class T>
void ResultWriter::write(const std::string& variable, std::span<const T> values, const std::vector<std::size_t>& offset,
                         const std::vector<std::size_t>& count) {
  Impl::Target& target = impl_->target(variable);
  const std::size_t size = detail::volume(count);
  core::require(values.size() == size && detail::fits(target.shape, offset, count),
                "{}: {} values at ({}) with extents ({}) do not fit '{}' of shape ({})", impl_->path, values.size(),
                fmt::join(offset, ", "), fmt::join(count, ", "), variable, fmt::join(target.shape, ", "));
  if (size == 0) return;
  const T* at = values.data();
  const auto write_piece = [&](const std::vector<std::size_t>& from, const std::vector<std::size_t>& extent) {
    const std::vector<hsize_t> start(from.begin(), from.end()), extents(extent.begin(), extent.end());
    const hsize_t piece = std::accumulate(extents.begin(), extents.end(), hsize_t{1}, std::multiplies<>());
    const Id memory = detail::own(H5Screate_simple(1, &piece, nullptr), H5Sclose, variable);
    const Id space = detail::own(H5Dget_space(target.dataset), H5Sclose, variable);
    if (!start.empty())
      detail::check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, extents.data(), nullptr), variable);
    detail::check(H5Dwrite(target.dataset, detail::native_type<T>(), memory, space, H5P_DEFAULT, at),
                  fmt::format("{}: writing '{}' failed; is the disk full?", impl_->partial, variable));
    at += piece;
  };
  try {
    detail::in_pieces(offset, count, detail::piece_bytes / sizeof(double), write_piece);
  } catch (const core::Error& error) {
    if (impl_->fault.empty()) impl_->fault = error.what();
    throw;
  }
  target.written += static_cast<std::int64_t>(size);
  if (impl_->recorded != nullptr)
    impl_->recorded->push_back({variable, offset, count, detail::values_checksum(values, target.type)});
}

template <class T>
void ResultWriter::write(const std::string& variable, std::span<const T> values) {
  const auto shape = impl_->target(variable).shape;
  write(variable, values, std::vector<std::size_t>(shape.size(), 0), shape);
}

void ResultWriter::share() {
  // MPI-IO promises it after a flush by the writers, a barrier, and a flush by the readers (MPI 3.1, 13.6.1).
  for (int side = 0; side < 2; ++side) {
    const bool flushed = H5Fflush(impl_->file, H5F_SCOPE_GLOBAL) >= 0;
    if (impl_->communicator.any(!flushed)) core::fail("{}: flushing failed; is the disk full?", impl_->partial);
  }
}

template <class T>
std::vector<T> ResultWriter::read(const std::string& variable, const std::vector<std::size_t>& offset,
                                  const std::vector<std::size_t>& count) const {
  const Impl::Target& target = impl_->target(variable);
  core::require(detail::fits(target.shape, offset, count), "{}: a block at ({}) with extents ({}) is not within '{}'",
                impl_->path, fmt::join(offset, ", "), fmt::join(count, ", "), variable);
  std::vector<T> values(detail::volume(count));
  T* at = values.data();
  const auto read_piece = [&](const std::vector<std::size_t>& from, const std::vector<std::size_t>& extent) {
    const std::vector<hsize_t> start(from.begin(), from.end()), extents(extent.begin(), extent.end());
    const hsize_t piece = detail::volume(extent);
    const Id memory = detail::own(H5Screate_simple(1, &piece, nullptr), H5Sclose, variable);
    const Id space = detail::own(H5Dget_space(target.dataset), H5Sclose, variable);
    detail::check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, extents.data(), nullptr), variable);
    detail::check(H5Dread(target.dataset, detail::native_type<T>(), memory, space, H5P_DEFAULT, at),
                  fmt::format("{}: reading '{}' failed", impl_->partial, variable));
    at += piece;
  };
  if (!values.empty()) detail::in_pieces(offset, count, detail::piece_bytes / sizeof(double), read_piece);
  return values;
}

template std::vector<std::uint8_t> ResultWriter::read(const std::string&, const std::vector<std::size_t>&,
                                                      const std::vector<std::size_t>&) const;

void ResultWriter::finish() {
  Impl& impl = *impl_;
  core::require(impl.created && !impl.finished, "{}: finish() comes once, after create()", impl.path);
  std::vector<std::string> gaps;
  for (const auto& [name, target] : impl.targets) {
    const std::size_t size = std::accumulate(target.shape.begin(), target.shape.end(), std::size_t{1}, std::multiplies<>());
    const std::int64_t written = impl.communicator.sum(target.written);
    if (written < static_cast<std::int64_t>(size)) gaps.push_back(fmt::format("{} ({} of {} values)", name, written, size));
  }
  impl.close();
  impl.finished = true;
  if (impl.communicator.any(!impl.fault.empty()))
    core::fail("{} is not whole: {}", impl.partial, impl.fault.empty() ? "a write of another rank failed" : impl.fault);
  core::require(gaps.empty(), "{} is not whole; not written: {}", impl.partial, fmt::join(gaps, ", "));
  std::vector<detail::ByteRange> values;
  detail::on_root(impl.communicator, [&] {
    detail::require_lock(impl.path);
    core::require(detail::identity_of(impl.partial) == impl.identity,
                  "{} was replaced or removed while this run wrote it; {} is not touched", impl.partial, impl.path);
    values = detail::mark_complete(impl.partial, impl.layout);
  });
  detail::add_checksums(impl.communicator, impl.partial, values);
  detail::on_root(impl.communicator, [&] {
    detail::require_lock(impl.path);
    core::require(detail::identity_of(impl.partial) == impl.identity,
                  "{} was replaced or removed while this run finished it; {} is not touched", impl.partial, impl.path);
    detail::publish(impl.partial, impl.path);
    core::require(detail::identity_of(impl.path) == impl.identity, "{} was replaced in the moment this run finished it",
                  impl.path);
  });
}

#define AMACRINE_INSTANTIATE(T)                                                                              \
  template void ResultWriter::write(const std::string&, std::span<const T>, const std::vector<std::size_t>&, \
                                    const std::vector<std::size_t>&);                                        \
  template void ResultWriter::write(const std::string&, std::span<const T>);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
AMACRINE_INSTANTIATE(std::int8_t)
AMACRINE_INSTANTIATE(std::uint8_t)
AMACRINE_INSTANTIATE(std::int32_t)
AMACRINE_INSTANTIATE(std::int64_t)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::io
