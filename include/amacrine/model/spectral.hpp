// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/lanes.hpp"
#include "amacrine/core/views.hpp"
#include "amacrine/model/segment_shape.hpp"

#include <cstddef>
#include <functional>

/// Convolutions in the frequency domain. A kernel of K x K is valid on (N - K + 1) of an N-point circular transform, so a 50 x 50
/// frame and a 15 x 15 kernel need no padding; other sizes are padded with zeros to the next length there is a transform for.
/// The spectrum of a frame is computed once and serves all lags, channels and windows that contain it; the spectra of a forward
/// pass are kept for the backward pass. Workspaces are allocated once. Results are independent of threads and of how segments
/// are dealt out: every segment is computed by itself in a fixed order.
namespace amacrine::model {

/// Whether the spectral kernels can serve these sizes at all, and whether they are expected to be faster than the direct ones.
bool spectral_possible(int height, int width);
bool spectral_pays(int height, int width, int kernel_y, int kernel_x, std::size_t channels);

/// What an engine is made for. With gradients the spectra of all segments are kept between the passes; forward alone keeps those
/// of the segments it computes together.
enum class SpectralUse { forward, gradients };

/// Whether element-wise work on planes can be fused with their transforms (PlanePrologue, PlaneEpilogue): on hosts.
inline constexpr bool planes_fuse = core::detail::exec_is_host;

/// Element-wise work that writes the planes (G, C) a transform reads, in place of planes in memory: `write` is called once for
/// every plane, with room for its values (Y, X, B) in the cache of the thread that transforms them. Hosts only
/// (planes_fuse); empty: none.
template <class S>
struct PlanePrologue {
  const char* label = nullptr;  ///< of the launch that does both
  std::function<void(std::size_t plane, S* values)> write;
  explicit operator bool() const { return static_cast<bool>(write); }
};

/// Writes the frames that a transform over time reads, in place of frames in memory: `write` puts those of a segment from `begin`
/// on, a register of them (lane_count<S>), where the thread that transforms them has room (Y, X, lane_count<S>); lanes beyond
/// the segment's last frame may hold anything finite. Hosts only; empty: none.
template <class S>
struct SegmentSource {
  std::size_t segments = 0;
  std::function<void(std::size_t segment, std::size_t begin, S* values)> write;
  explicit operator bool() const { return static_cast<bool>(write); }
};

/// Element-wise work on the planes (G, C) that a transform has just written, while they are in the cache of the thread that
/// transforms them: `run` is called once for every plane. Hosts only (planes_fuse); empty: none.
struct PlaneEpilogue {
  const char* label = nullptr;  ///< of the launch that does both
  std::function<void(std::size_t plane)> run;
  explicit operator bool() const { return static_cast<bool>(run); }
};
/// A prologue or epilogue whose planes are counted from `first`.
PlaneEpilogue from_plane(PlaneEpilogue epilogue, std::size_t first);
template <class S>
PlanePrologue<S> from_plane(PlanePrologue<S> prologue, std::size_t first);

/// Whether forward() transforms the frames it is given, or goes on with the spectra of the call before, whose frames were the
/// same (several models on one batch). The result has the same bits. `kept` needs an engine made for gradients.
enum class FrameSpectra { fresh, kept };

namespace spectral {
struct LagLanes;

/// How segments are cut for a transform over time (src/model/spectral_time.hpp); length 0: they are not. A long run of windows is
/// cut into blocks whose frames overlap; short runs side by side are a block each. A block is transformed phase by phase
/// (SegmentShape), and the products of all phases are summed before the way back.
struct TimeBlocks {
  int length = 0, block = 0, blocks = 0, windows = 0;
  int phases = 1, lags = 0;            ///< lags of a phase
  int advance = 0, phase_advance = 0;  ///< frames from the beginning of a block, or of a phase, to that of the next
  bool side_by_side = false;
  TimeBlocks() = default;
  TimeBlocks(int history, const SegmentShape& shape);

  explicit operator bool() const { return length > 0; }
  /// Values of a block's spectra over time, all phases, at one frequency in space.
  KOKKOS_INLINE_FUNCTION int values() const { return phases * length; }
  /// Windows of block b, and frames of each of its phases.
  KOKKOS_INLINE_FUNCTION int count(int b) const { return b + 1 < blocks ? block : windows - b * block; }
  KOKKOS_INLINE_FUNCTION int frames(int b) const {
    const int left = phase_advance - (side_by_side ? 0 : b * block);
    return left < length ? left : length;
  }
  /// Windows and lags that are read or written in whole registers of `lanes`.
  int windows_touched(int lanes) const;
  int lags_touched(int lanes) const;
};
}  // namespace spectral

/// Segments whose kernel gradients an engine of these sizes had best sum among their spectra, so that they are transformed back
/// once: a divisor of `segments` that leaves `owners` of such sums, 1 where there is no transform over time.
std::size_t gradient_segments(std::size_t segments, std::size_t history, const SegmentShape& shape, std::size_t owners);
/// Runs that such an engine had best compute side by side, as one segment: a divisor of the batch's runs that leaves a segment to
/// each of its ranks.
std::size_t runs_side_by_side(const Batch& batch, std::size_t history);

/// The first layer over segments; shapes as in kernels.hpp (temporal_conv_*). An engine made for gradients, whose segments are
/// always whole, transforms them over time as well where that pays, and then takes runs side by side. One made for forward passes
/// sums lag by lag, so that the bits of a window do not depend on the segment that it is in.
template <class S>
class SpectralTemporalConv {
 public:
  SpectralTemporalConv() = default;
  SpectralTemporalConv(std::size_t segments, std::size_t channels, std::size_t history, std::size_t kernel_y,
                       std::size_t kernel_x, std::size_t height, std::size_t width, const SegmentShape& shape,
                       SpectralUse use = SpectralUse::gradients, std::size_t gradient_segments = 1);

  /// Transforms kernel (C,T,KY,KX); forward() uses it until the next call.
  void set_kernel(const core::Exec& exec, const core::View4<S>& kernel);
  /// frames (G,Y,X,F) -> out (G,C,OY,OX,B), at most as many segments as the engine is made for. `epilogue`: on planes
  /// of out.
  void forward(const core::Exec& exec, const core::View4<S>& frames, const core::View5<S>& out,
               FrameSpectra spectra = FrameSpectra::fresh, const PlaneEpilogue& epilogue = {});
  /// forward() of frames that are written as the transform reads them, which an engine with a transform over time takes on hosts.
  bool takes_source() const { return by_planes(); }
  void forward(const core::Exec& exec, const SegmentSource<S>& source, const core::View5<S>& out,
               FrameSpectra spectra = FrameSpectra::fresh, const PlaneEpilogue& epilogue = {});
  /// d_out (G,C,OY,OX,B) -> d_kernel (G/g,C,T,KY,KX), each the sum over g = gradient_segments neighbours, for the frames of the
  /// last forward(). `prologue`: writes what is taken for planes of d_out.
  void kernel_gradient(const core::Exec& exec, const core::View5<S>& d_out, const core::View5<S>& d_kernel,
                       const PlanePrologue<S>& prologue = {});
  /// Bytes of the workspaces of an engine of these sizes.
  static double bytes(std::size_t segments, std::size_t channels, std::size_t history, std::size_t kernel_y, std::size_t kernel_x,
                      std::size_t height, std::size_t width, const SegmentShape& shape, SpectralUse use,
                      std::size_t gradient_segments = 1);

 private:
  struct Sizes;
  void transform_frames(const core::Exec& exec, const S* frames, int count, S* spectra);
  template <class Planes>
  void transform_segments(const core::Exec& exec, int segments, const Planes& transform_plane);
  void correlate(const core::Exec& exec, const S* spectra, int count, S* out, const PlaneEpilogue& epilogue);
  void require_room(std::size_t segments, FrameSpectra spectra) const;
  void correlate_by_planes(const core::Exec& exec, int segments, S* out, const PlaneEpilogue& epilogue);
  void gradient_by_planes(const core::Exec& exec, const core::View5<S>& d_out, const core::View5<S>& d_kernel,
                          const PlanePrologue<S>& prologue);
  bool by_planes() const { return room_ > 0; }
  std::size_t channels() const { return static_cast<std::size_t>(channels_); }
  spectral::LagLanes lag_order() const;
  std::size_t frame_spectrum() const;
  std::size_t output_area() const;  ///< values of a plane of the output

  SpectralUse use_ = SpectralUse::gradients;
  int n_ = 0, segments_ = 0, channels_ = 0, history_ = 0, kernel_y_ = 0, kernel_x_ = 0, height_ = 0, width_ = 0, windows_ = 0;
  int frames_ = 0;  ///< of a segment
  int lags_ = 0;    ///< of all phases: history_ or a few more
  int frame_lanes_ = 0, window_lanes_ = 0, lag_lanes_ = 0, chunk_ = 0, together_ = 1;
  std::size_t room_ = 0;
  spectral::TimeBlocks time_;
  core::View1<S> frame_spectra_;   ///< (G, f, 2, frame lanes), or over time (G, blocks, f / W, N, 2, W)
  core::View1<S> kernel_spectra_;  ///< (C, f, 2, lag lanes), or over time (C, f / W, N, 2, W)
  core::View1<S> product_;         ///< (chunk * C, f, 2, lanes)
  core::View1<S> gradient_spectra_, packed_;
};

/// A later layer over segments; shapes as in kernels.hpp (conv_*).
template <class S>
class SpectralConv {
 public:
  SpectralConv() = default;
  SpectralConv(std::size_t segments, std::size_t in_channels, std::size_t out_channels, std::size_t kernel_y,
               std::size_t kernel_x, std::size_t height, std::size_t width, std::size_t windows,
               SpectralUse use = SpectralUse::gradients);

  /// Transforms kernel (C,D,KY,KX); forward() and backward() use it until the next call.
  void set_kernel(const core::Exec& exec, const core::View4<S>& kernel);
  /// in (G,D,Y,X,B) -> out (G,C,OY,OX,B). `prologue`: writes what is taken for planes of in;
  /// `epilogue`: on planes of out.
  void forward(const core::Exec& exec, const core::View5<S>& in, const core::View5<S>& out, const PlanePrologue<S>& prologue = {},
               const PlaneEpilogue& epilogue = {});
  /// d_out -> d_in (G,D,Y,X,B) and d_kernel (G,C,D,KY,KX), for the input of the last forward(). Either may be empty. `prologue`:
  /// writes what is taken for planes of d_out; `epilogue`: on planes of d_in.
  void backward(const core::Exec& exec, const core::View5<S>& d_out, const core::View5<S>& d_in, const core::View5<S>& d_kernel,
                const PlanePrologue<S>& prologue = {}, const PlaneEpilogue& epilogue = {});
  /// Bytes of the workspaces of an engine of these sizes.
  static double bytes(std::size_t segments, std::size_t in_channels, std::size_t out_channels, std::size_t kernel_y,
                      std::size_t kernel_x, std::size_t height, std::size_t width, std::size_t windows, SpectralUse use);

 private:
  struct Sizes;
  SpectralUse use_ = SpectralUse::gradients;
  int n_ = 0, segments_ = 0, in_channels_ = 0, out_channels_ = 0, kernel_y_ = 0, kernel_x_ = 0, height_ = 0, width_ = 0,
      windows_ = 0;
  int lanes_ = 0, pair_lanes_ = 0, chunk_ = 0;
  core::View1<S> in_spectra_;      ///< (G * D, f, 2, lanes)
  core::View1<S> kernel_spectra_;  ///< (f, 2, pair lanes)
  core::View1<S> out_spectra_, mixed_, pairs_, packed_;
};

}  // namespace amacrine::model
