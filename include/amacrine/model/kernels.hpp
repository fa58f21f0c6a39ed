// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/views.hpp"

/// Convolution kernels over segments: a segment is one run of B windows sharing F frames (SegmentShape); the time axis is last
/// and contiguous, so lanes run over windows. All sums run in a fixed order: results do not depend on the number of threads.
namespace amacrine::model {

/// out(g,c,y,x,b) = sum_{l,j,i} kernel(c,l,j,i) frames(g, y+j, x+i, at(l) + b).  frames (G,Y,X,F), kernel (C,T,KY,KX), out
/// (G,C,OY,OX,B). at(l) = l for neighbouring windows, whose F = B + T - 1; windows `spacing` apart have their frames by phase:
/// at(l) = l % spacing * (F / spacing) + l / spacing.
template <class S>
void temporal_conv_forward(const core::Exec& exec, const core::View4<S>& frames, const core::View4<S>& kernel,
                           const core::View5<S>& out, std::size_t spacing = 1);

/// d_kernel(g,c,l,j,i) = sum_{y,x,b} d_out(g,c,y,x,b) frames(g, y+j, x+i, at(l) + b): one gradient per segment (a logical shard),
/// or where d_kernel has fewer each the sum over as many neighbours.
template <class S>
void temporal_conv_kernel_gradient(const core::Exec& exec, const core::View4<S>& frames, const core::View5<S>& d_out,
                                   const core::View5<S>& d_kernel, std::size_t spacing = 1);

/// out(g,c,y,x,b) = sum_{d,j,i} kernel(c,d,j,i) in(g,d,y+j,x+i,b).  in (G,D,Y,X,B), kernel (C,D,KY,KX), out (G,C,OY,OX,B).
template <class S>
void conv_forward(const core::Exec& exec, const core::View5<S>& in, const core::View4<S>& kernel, const core::View5<S>& out);

/// d_in(g,d,y,x,b) = sum_{c,j,i} kernel(c,d,j,i) d_out(g,c,y-j,x-i,b).
template <class S>
void conv_input_gradient(const core::Exec& exec, const core::View5<S>& d_out, const core::View4<S>& kernel,
                         const core::View5<S>& d_in);

/// d_kernel(g,c,d,j,i) = sum_{y,x,b} d_out(g,c,y,x,b) in(g,d,y+j,x+i,b): one gradient per segment.
template <class S>
void conv_kernel_gradient(const core::Exec& exec, const core::View5<S>& in, const core::View5<S>& d_out,
                          const core::View5<S>& d_kernel);

/// d_frames(g,y,x,f) = sum over windows and lags of the transposed first layer, for pixel attribution of single windows:
/// in(g,l,y,x,b) = sum_{c,j,i} kernel(c,l,j,i) d_out(g,c,y-j,x-i,b): each window's own 40 x 50 x 50 gradient. in (G,T,Y,X,B).
template <class S>
void temporal_conv_transpose(const core::Exec& exec, const core::View5<S>& d_out, const core::View4<S>& kernel,
                             const core::View5<S>& d_window);

}  // namespace amacrine::model
