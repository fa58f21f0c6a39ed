// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/views.hpp"
#include "amacrine/model/spectral.hpp"
#include "amacrine/model/train_noise.hpp"

#include <cstddef>
#include <cstdint>

/// The element-wise half of a training step: batch norm, noise, ReLU, readout and loss. Activations are
/// (G, C, OY, OX, B); U = C * OY * OX units. K coefficients of a norm serve `share` neighbouring units each: share = OY * OX per
/// channel, 1 per unit. Sums run over fixed blocks in a fixed order, in double.
namespace amacrine::model {

/// Units of a layer's block (segments, C, Y, X, windows): C Y X.
template <class S>
std::size_t units_of(const core::View5<S>& block) {
  return block.extent(1) * block.extent(2) * block.extent(3);
}

/// First and second sums of a segment: rows (G, U / span, 2) is scratch, sums (G, K, 2) the result.
struct MomentSums {
  core::View3<double> rows, sums;
  std::size_t span = 1;   ///< units of a row
  std::size_t share = 1;  ///< units of a coefficient, a multiple of span
};
MomentSums make_moment_sums(std::size_t segments, std::size_t channels, std::size_t height, std::size_t width, bool per_channel);

/// sums(g, k, :) = sum of (z, z^2) over the units of k and the windows of segment g.
template <class S>
void forward_moments(const core::Exec& exec, const core::View5<S>& z, const MomentSums& moments);

/// Which units passed their ReLU: 1 or 0, shaped like their activities.
using Gates = core::View5<std::uint8_t>;

/// sums(g, k, :) = sum of (d, d z) where the gate is open; `gates` without extents counts everything.
template <class S>
void backward_moments(const core::Exec& exec, const core::View5<S>& d, const Gates& gates, const core::View5<S>& z,
                      const MomentSums& moments);

/// h = max(0, gain_k z + shift_k + noise * normal), and its gates unless they are without extents. h may be z.
template <class S>
void norm_relu(const core::Exec& exec, const core::View5<S>& z, const core::View1<S>& gain, const core::View1<S>& shift,
               std::size_t share, double noise, const NoiseKey& key, const core::View5<S>& h, const Gates& gates);

/// d = from_d_k d [gate open] + from_z_k z + constant_k, in place. `gates` without extents counts everything.
template <class S>
void norm_backward(const core::Exec& exec, const core::View5<S>& d, const Gates& gates, const core::View5<S>& z,
                   const core::View1<S>& from_d, const core::View1<S>& from_z, const core::View1<S>& constant, std::size_t share);

/// Moments, norm_relu and norm_backward plane by plane, fused with the transforms before or after them, to the same bits: h and
/// the new d go straight into the transform. The moments' rows are then still to be summed (sum_moment_rows).
template <class S>
PlaneEpilogue forward_moment_rows(const core::View5<S>& z, const MomentSums& moments);
template <class S>
PlaneEpilogue backward_moment_rows(const core::View5<S>& d, const Gates& gates, const core::View5<S>& z,
                                   const MomentSums& moments);
void sum_moment_rows(const core::Exec& exec, const MomentSums& moments);
template <class S>
PlanePrologue<S> norm_relu_of_planes(const core::View5<S>& z, const core::View1<S>& gain, const core::View1<S>& shift,
                                     std::size_t share, double noise, const NoiseKey& key, const Gates& gates);
template <class S>
PlanePrologue<S> norm_backward_of_planes(const core::View5<S>& d, const Gates& gates, const core::View5<S>& z,
                                         const core::View1<S>& from_d, const core::View1<S>& from_z,
                                         const core::View1<S>& constant, std::size_t share);

/// drive (G, N, 1, 1, B) = sum_u weight (N, U) h (G, U..., B). `partial` (G, chunks, N, B) is scratch, chunks =
/// readout_chunks(U).
std::size_t readout_chunks(std::size_t units);
template <class S>
void readout_forward(const core::Exec& exec, const core::View5<S>& h, const core::View2<S>& weight, const core::View4<S>& partial,
                     const core::View5<S>& drive);
/// d_h = sum_n weight (N, U) d_drive (G, N, 1, 1, B).
template <class S>
void readout_input_gradient(const core::Exec& exec, const core::View5<S>& d_drive, const core::View2<S>& weight,
                            const core::View5<S>& d_h);
/// d_weight (G, N, U) = sum_b d_drive h: one gradient per segment.
template <class S>
void readout_weight_gradient(const core::Exec& exec, const core::View5<S>& h, const core::View5<S>& d_drive,
                             const core::View3<S>& d_weight);

/// What is minimised: the mean over windows and cells of rate - target log(rate + epsilon) (Poisson, rates in Hz) or of
/// (rate - target)^2, plus l1_output times the mean of |rate|.
struct LossSettings {
  bool mean_squared = false;
  double epsilon = 1e-8;
  double l1_output = 0.0;
};

/// rate = log(1 + exp(beta x)) / beta with x = gain_n drive + shift_n; loss(g) = this segment's share of the mean over `samples`
/// windows of the whole batch and N cells; d_x = its derivative. drive, target, rate, d_x (G, N, 1, 1, B); loss (G, N) by cell.
template <class S>
void output_loss(const core::Exec& exec, const core::View5<S>& drive, const core::View1<S>& gain, const core::View1<S>& shift,
                 const core::View5<S>& target, double beta, const LossSettings& settings, std::size_t samples,
                 const core::View5<S>& rate, const core::View5<S>& d_x, const core::View2<double>& loss);

}  // namespace amacrine::model
