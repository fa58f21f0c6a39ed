// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/views.hpp"

/// Direct kernels for devices: one thread per output, neighbouring threads on neighbouring windows (or lags), so that loads
/// coalesce. A sum of up to 100,000 products is a sum of rows, a row a sum of taps: each is short, so that rounding stays small.
namespace amacrine::model::device {

using core::View4;
using core::View5;

template <class... I>
std::size_t product(I... extents) {
  return (static_cast<std::size_t>(extents) * ...);
}

template <class S>
void temporal_conv_forward(const core::Exec& exec, const View4<S>& frames, const View4<S>& kernel, const View5<S>& out,
                           std::size_t spacing) {
  const std::size_t C = kernel.extent(0), T = kernel.extent(1), KY = kernel.extent(2), KX = kernel.extent(3),
                    phase = frames.extent(3) / spacing;
  const std::size_t G = out.extent(0), OY = out.extent(2), OX = out.extent(3), B = out.extent(4);
  Kokkos::parallel_for(
      "model::temporal_conv_forward", Kokkos::RangePolicy<core::Exec>(exec, 0, product(G, C, OY, OX, B)),
      KOKKOS_LAMBDA(const std::size_t n) {
        const std::size_t b = n % B, x = n / B % OX, y = n / B / OX % OY, c = n / B / OX / OY % C, g = n / B / OX / OY / C;
        S sum = 0;
        for (std::size_t j = 0; j < KY; ++j) {
          S row = 0;
          for (std::size_t i = 0; i < KX; ++i) {
            S tap = 0;
            for (std::size_t l = 0; l < T; ++l)
              tap += kernel(c, l, j, i) * frames(g, y + j, x + i, l % spacing * phase + l / spacing + b);
            row += tap;
          }
          sum += row;
        }
        out(g, c, y, x, b) = sum;
      });
}

template <class S>
void temporal_conv_kernel_gradient(const core::Exec& exec, const View4<S>& frames, const View5<S>& d_out,
                                   const View5<S>& d_kernel, std::size_t spacing) {
  const std::size_t G = d_kernel.extent(0), C = d_kernel.extent(1), T = d_kernel.extent(2), KY = d_kernel.extent(3),
                    KX = d_kernel.extent(4), phase = frames.extent(3) / spacing;
  const std::size_t OY = d_out.extent(2), OX = d_out.extent(3), B = d_out.extent(4), together = d_out.extent(0) / G;
  Kokkos::parallel_for(
      "model::temporal_conv_kernel_gradient", Kokkos::RangePolicy<core::Exec>(exec, 0, product(G, C, KY, KX, T)),
      KOKKOS_LAMBDA(const std::size_t n) {
        const std::size_t l = n % T, i = n / T % KX, j = n / T / KX % KY, c = n / T / KX / KY % C, k = n / T / KX / KY / C;
        S sum = 0;
        for (std::size_t g = k * together; g < (k + 1) * together; ++g)
          for (std::size_t y = 0; y < OY; ++y) {
            S row = 0;
            for (std::size_t x = 0; x < OX; ++x) {
              S windows = 0;
              for (std::size_t b = 0; b < B; ++b)
                windows += d_out(g, c, y, x, b) * frames(g, y + j, x + i, l % spacing * phase + l / spacing + b);
              row += windows;
            }
            sum += row;
          }
        d_kernel(k, c, l, j, i) = sum;
      });
}

template <class S>
void conv_forward(const core::Exec& exec, const View5<S>& in, const View4<S>& kernel, const View5<S>& out) {
  const std::size_t C = kernel.extent(0), D = kernel.extent(1), KY = kernel.extent(2), KX = kernel.extent(3);
  const std::size_t G = out.extent(0), OY = out.extent(2), OX = out.extent(3), B = out.extent(4);
  Kokkos::parallel_for(
      "model::conv_forward", Kokkos::RangePolicy<core::Exec>(exec, 0, product(G, C, OY, OX, B)),
      KOKKOS_LAMBDA(const std::size_t n) {
        const std::size_t b = n % B, x = n / B % OX, y = n / B / OX % OY, c = n / B / OX / OY % C, g = n / B / OX / OY / C;
        S sum = 0;
        for (std::size_t d = 0; d < D; ++d) {
          S channel = 0;
          for (std::size_t j = 0; j < KY; ++j) {
            S row = 0;
            for (std::size_t i = 0; i < KX; ++i) row += kernel(c, d, j, i) * in(g, d, y + j, x + i, b);
            channel += row;
          }
          sum += channel;
        }
        out(g, c, y, x, b) = sum;
      });
}

/// Transposed convolution: in(g,d,y,x,b) = sum_{c,j,i} kernel(c,d,j,i) d_out(g,c,y-j,x-i,b).
template <class S>
void conv_transpose(const core::Exec& exec, const char* label, const View5<S>& d_out, const View4<S>& kernel,
                    const View5<S>& d_in) {
  const std::size_t C = kernel.extent(0), D = kernel.extent(1), KY = kernel.extent(2), KX = kernel.extent(3);
  const std::size_t G = d_in.extent(0), Y = d_in.extent(2), X = d_in.extent(3), B = d_in.extent(4);
  const std::size_t OY = d_out.extent(2), OX = d_out.extent(3);
  Kokkos::parallel_for(
      label, Kokkos::RangePolicy<core::Exec>(exec, 0, product(G, D, Y, X, B)), KOKKOS_LAMBDA(const std::size_t n) {
        const std::size_t b = n % B, x = n / B % X, y = n / B / X % Y, d = n / B / X / Y % D, g = n / B / X / Y / D;
        S sum = 0;
        for (std::size_t c = 0; c < C; ++c) {
          S channel = 0;
          for (std::size_t j = y >= OY ? y - OY + 1 : 0; j < KY && j <= y; ++j) {
            S row = 0;
            for (std::size_t i = x >= OX ? x - OX + 1 : 0; i < KX && i <= x; ++i)
              row += kernel(c, d, j, i) * d_out(g, c, y - j, x - i, b);
            channel += row;
          }
          sum += channel;
        }
        d_in(g, d, y, x, b) = sum;
      });
}

template <class S>
void conv_kernel_gradient(const core::Exec& exec, const View5<S>& in, const View5<S>& d_out, const View5<S>& d_kernel) {
  const std::size_t G = d_kernel.extent(0), C = d_kernel.extent(1), D = d_kernel.extent(2), KY = d_kernel.extent(3),
                    KX = d_kernel.extent(4);
  const std::size_t OY = d_out.extent(2), OX = d_out.extent(3), B = d_out.extent(4);
  Kokkos::parallel_for(
      "model::conv_kernel_gradient", Kokkos::RangePolicy<core::Exec>(exec, 0, product(G, C, D, KY, KX)),
      KOKKOS_LAMBDA(const std::size_t n) {
        const std::size_t i = n % KX, j = n / KX % KY, d = n / KX / KY % D, c = n / KX / KY / D % C, g = n / KX / KY / D / C;
        S sum = 0;
        for (std::size_t y = 0; y < OY; ++y) {
          S row = 0;
          for (std::size_t x = 0; x < OX; ++x) {
            S windows = 0;
            for (std::size_t b = 0; b < B; ++b) windows += d_out(g, c, y, x, b) * in(g, d, y + j, x + i, b);
            row += windows;
          }
          sum += row;
        }
        d_kernel(g, c, d, j, i) = sum;
      });
}

}  // namespace amacrine::model::device
