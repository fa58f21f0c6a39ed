// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/views.hpp"
#include "amacrine/model/spectral.hpp"

#include <cstddef>

/// A third transform, over time, of spectra of planes: sums over lags become one product per frequency in time. Long runs of
/// windows are cut into blocks that overlap by history - 1 frames (overlap-save); short runs side by side are a block each. Here
/// lanes are W neighbouring frequencies of the plane; spectra over time are (plane, block of windows, f / W rounded up, N, re|im,
/// W).
namespace amacrine::model::spectral {

/// cos and sin of 2 pi k / (N / 2) and 2 pi k / N, interleaved; they last as long as the execution space.
template <class S>
struct TimeTwiddles {
  const S *half, *whole;
};
template <class S>
TimeTwiddles<S> time_twiddles(int length);

/// Values of a spectrum over time of one plane with f frequencies.
template <class S>
std::size_t time_spectrum(const TimeBlocks& time, std::size_t f, int blocks);

/// frames (P, f, 2, lanes) -> spectra over time of all blocks, divided by their length.
template <class S>
void transform_frames(const core::Exec& exec, const TimeBlocks& time, std::size_t f, int planes, const S* frames, int lanes,
                      S* out);
/// kernel (C, f, 2, lanes): its lags -> spectra over time, one block each.
template <class S>
void transform_lags(const core::Exec& exec, const TimeBlocks& time, std::size_t f, int channels, const S* kernel, int lanes,
                    S* out);

/// What correlate_in_time (spectral_multiply.hpp) computes, from spectra over time: out (G, C, f, 2, lanes).
template <class S>
void correlate_spectra(const core::Exec& exec, const TimeBlocks& time, std::size_t f, int segments, int channels, const S* frames,
                       const S* kernel, S* out, int lanes);

/// What correlate_windows computes, from the spectra over time of the frames: out (K, C, f, 2, out_lanes) from K times `together`
/// segments, summed over each `together`.
template <class S>
void correlate_window_spectra(const core::Exec& exec, const TimeBlocks& time, std::size_t f, int kernels, int together,
                              int channels, const S* frames, const S* d_out, int d_lanes, S* out, int out_lanes);

/// These for a few segments' frames, or one gradient's, by the host thread that calls: `channels` planes of kernel, out
/// (segments, channels, ...), and of a gradient d (channels, together, ...) and out (channels, ...). twiddle: of the blocks'
/// length.
template <class S>
void transform_frames_here(const TimeBlocks& time, const TimeTwiddles<S>& twiddle, std::size_t f, const S* frames, int lanes,
                           S* out);
template <class S>
void correlate_here(const TimeBlocks& time, const TimeTwiddles<S>& twiddle, std::size_t f, int segments, int channels,
                    const S* frames, const S* kernel, S* out, int lanes);
template <class S>
void correlate_windows_here(const TimeBlocks& time, const TimeTwiddles<S>& twiddle, std::size_t f, int together, int channels,
                            const S* frames, const S* d_out, int d_lanes, S* out, int out_lanes);

}  // namespace amacrine::model::spectral
