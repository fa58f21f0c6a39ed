// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/views.hpp"

#include <cstddef>

/// Multiply-adds between spectra, frequency by frequency. All spectra are (plane, frequency, re|im, padded lanes); `f` below is
/// the number of frequencies. Lanes are windows b, frames, lags l or channel pairs cd. Sums run in a fixed order.
namespace amacrine::model::spectral {

/// out(g,c; k; b) = sum_l conj kernel(c; k; l) frames(g; k; b + l).
template <class S>
void correlate_in_time(const core::Exec& exec, std::size_t f, int segments, int channels, int history, int windows,
                       const S* frames, int frame_lanes, const S* kernel, int kernel_lanes, S* out, int out_lanes);

/// out(g,c; k; l) = sum_b conj d_out(g,c; k; b) frames(g; k; b + l).
template <class S>
void correlate_windows(const core::Exec& exec, std::size_t f, int segments, int channels, int history, int windows,
                       const S* frames, int frame_lanes, const S* d_out, int d_lanes, S* out, int out_lanes);

/// out(g,c; k; b) = sum_d conj kernel(0; k; c * D + d) in(g,d; k; b).
template <class S>
void mix_channels(const core::Exec& exec, std::size_t f, int segments, int in_channels, int out_channels, int lanes, const S* in,
                  const S* kernel, int kernel_lanes, S* out);

/// d_in(g,d; k; b) = sum_c kernel(0; k; c * D + d) d_out(g,c; k; b).
template <class S>
void mix_channels_back(const core::Exec& exec, std::size_t f, int segments, int in_channels, int out_channels, int lanes,
                       const S* d_out, const S* kernel, int kernel_lanes, S* d_in);

/// out(g; k; c * D + d) = sum_b conj d_out(g,c; k; b) in(g,d; k; b).
template <class S>
void pair_channels(const core::Exec& exec, std::size_t f, int segments, int in_channels, int out_channels, int windows, int lanes,
                   const S* in, const S* d_out, S* out, int out_lanes);

}  // namespace amacrine::model::spectral
