// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/batches.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/model/gather.hpp"

namespace amacrine::training {
namespace {

/// A host array where the device can read it.
template <class Pixel>
core::View3<const Pixel> resident(const core::SharedArray<Pixel, 3>& array) {
  const Kokkos::View<const Pixel***, Kokkos::LayoutRight, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>> host(
      array.data(), array.extent(0), array.extent(1), array.extent(2));
  if constexpr (Kokkos::SpaceAccessibility<core::Exec, Kokkos::HostSpace>::accessible) {
    return core::View3<const Pixel>(array.data(), array.extent(0), array.extent(1), array.extent(2));
  } else {
    const core::View3<Pixel> device(core::uninitialised("training::movie"), array.extent(0), array.extent(1), array.extent(2));
    Kokkos::deep_copy(device, host);
    return device;
  }
}

std::vector<float> inverse_of(const recording::Normalisation& n, double unit) {
  std::vector<float> values;
  for (const double scale : n.scale) values.push_back(static_cast<float>(1.0 / (unit * scale)));
  return values;
}

std::vector<float> offsets_of(const recording::Normalisation& n, const recording::ContrastCoding& coding) {
  std::vector<float> values;
  for (std::size_t p = 0; p < n.scale.size(); ++p)
    values.push_back(static_cast<float>(-(coding.zero / coding.unit + n.mean[p]) / n.scale[p]));
  return values;
}

}  // namespace

BatchSource::BatchSource(const recording::Recording& recording, const recording::Normalisation& normalisation,
                         std::size_t history, std::size_t minimum_lag)
    : scale_(core::to_device("training::pixel_scale", inverse_of(normalisation, recording.coding.unit))),
      offset_(core::to_device("training::pixel_offset", offsets_of(normalisation, recording.coding))),
      reach_(history - 1 + minimum_lag),
      frames_(recording.train.movie.frames()) {
  std::visit([this](const auto& array) { movie_ = resident(array); }, recording.train.movie.pixels);
  const core::Array<float, 2>& target = recording.train.target;
  core::require<core::InputError>(target.extent(1) == frames_,
                                  "{}: the training response has {} bins and its movie {} frames; they must be equal",
                                  recording.path, target.extent(1), frames_);
  const core::View2<float> response(core::uninitialised("training::response"), target.extent(0), target.extent(1));
  const Kokkos::View<const float**, Kokkos::LayoutRight, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>> host(
      target.data(), target.extent(0), target.extent(1));
  Kokkos::deep_copy(response, host);
  response_ = response;
}

std::vector<std::int64_t> BatchSource::first_frames(const std::vector<std::size_t>& first, std::size_t segments,
                                                    std::size_t frames) const {
  core::require(!first.empty() && first.size() % segments == 0 && frames * segments % first.size() == 0,
                "{} runs were given to room for {} segments", first.size(), segments);
  const std::size_t count = frames * segments / first.size();
  std::vector<std::int64_t> starts;
  for (const std::size_t t : first) {
    core::require(t >= reach_ && t - reach_ + count <= frames_,
                  "windows from frame {} on need {} frames from {} before it on, which the movie of {} does not have", t, count,
                  reach_, frames_);
    starts.push_back(static_cast<std::int64_t>(t - reach_));
  }
  return starts;
}

void BatchSource::fill_frames(const core::Exec& exec, const std::vector<std::size_t>& first, const core::View4<float>& frames,
                              std::size_t spacing) const {
  const core::View1<std::int64_t> from =
      core::to_device("training::first_frames", first_frames(first, frames.extent(0), frames.extent(3)));
  std::visit([&](const auto& movie) { model::gather_frames<float>(exec, movie, from, scale_, offset_, frames, spacing); },
             movie_);
  exec.fence("training::the list of frames ends here");
}

model::SegmentSource<float> BatchSource::fused_frames(const std::vector<std::size_t>& first, std::size_t segments,
                                                      std::size_t frames, std::size_t spacing) const {
  const std::vector<std::int64_t> from = first_frames(first, segments, frames);
  return std::visit(
      [&](const auto& movie) { return model::segment_source<float>(movie, from, scale_, offset_, segments, frames, spacing); },
      movie_);
}

void BatchSource::fill(const core::Exec& exec, const std::vector<std::size_t>& first, model::TrainGraph<float>& graph) const {
  if (graph.holds_frames()) {
    fill_frames(exec, first, graph.frames, graph.spacing);
  } else {
    const std::size_t frames = graph.shape().frames(static_cast<std::size_t>(graph.architecture.history));
    graph.source = fused_frames(first, graph.owned.size(), frames, graph.spacing);
  }
  const std::size_t reach = model::WindowRun(graph.shape().run(), graph.spacing).reach();
  std::vector<std::int64_t> targets;
  for (const std::size_t t : first) {
    core::require(t + reach < frames_, "windows for frames {} to {} were asked of a movie of {}", t, t + reach, frames_);
    targets.push_back(static_cast<std::int64_t>(t));
  }
  model::gather_targets<float>(exec, response_, core::to_device("training::first_targets", targets), graph.target, graph.spacing);
  exec.fence("training::the list of targets ends here");
}

}  // namespace amacrine::training
