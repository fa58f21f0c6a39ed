// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/softplus.hpp"
#include "amacrine/core/views.hpp"
#include "amacrine/model/model.hpp"

#include <memory>
#include <vector>

namespace amacrine::model {

/// A hidden layer with its norm folded in: x_u = gain_u (kernel * input)_u + offset_u, h_u = max(0, x_u).
template <class S>
struct InferenceLayer {
  core::View4<S> kernel;    ///< (C, D, KY, KX), D = T for the first layer, oldest frame first
  core::View3<S> gain;      ///< (C, OY, OX) kappa
  core::View3<S> offset;    ///< (C, OY, OX)
  bool per_channel = true;  ///< gain and offset do not depend on y and x
};

using core::softplus;

/// Frequency-domain workspaces for the convolutions of a network, made on first use for each number of windows; a few are kept.
template <class S>
class SpectralCache;

/// A model as the inference, probing and attribution engines see it, in float or double: running statistics folded, no noise.
/// rate_n = softplus(drive_n), drive_n = sum_u readout_nu h_u + constant_n.
template <class S>
struct InferenceNetwork {
  Architecture architecture;
  recording::Normalisation normalisation;
  int minimum_lag = 0;
  std::vector<InferenceLayer<S>> hidden;
  core::View2<S> readout;   ///< (N, U): output norm folded in
  core::View1<S> constant;  ///< (N)
  S softplus_beta = 1;
  /// Shared by copies; one thread launches at a time. None: later layers go tap by tap.
  std::shared_ptr<SpectralCache<S>> spectra;
};

/// Folds in double, whatever S. Throws core::Error where the blocks of numbers do not fit the architecture.
template <class S>
InferenceNetwork<S> make_inference(const Model& model);

/// Normalised frames of a contrast movie with `architecture.history - 1 + minimum_lag` grey frames put in front, so that window b
/// of the result is the window of movie frame first + b. contrast (T, Y, X) -> frames (1, Y, X, F), F = windows + history - 1.
/// Throws core::Error where the movie's size is not the network's or a window ends after the movie.
template <class S>
core::View4<S> window_frames(const InferenceNetwork<S>& network, const core::Array<float, 3>& contrast, std::size_t first,
                             std::size_t windows);

/// Room for the first layer's linear part: (G, C, OY, OX, B); (G, N, 1, 1, B) for an LN model, whose filters are its readout.
template <class S>
core::View5<S> make_first_layer(const InferenceNetwork<S>& network, std::size_t segments, std::size_t windows);

/// First layer's linear part: z (G, C, OY, OX, B) = kernel * frames, without gain and offset. frames (G, Y, X, F), F = B + T - 1.
template <class S>
void first_layer(const core::Exec& exec, const InferenceNetwork<S>& network, const core::View4<S>& frames,
                 const core::View5<S>& z);

/// What the head computed, for attribution and display. Lanes B are windows or path nodes.
template <class S>
struct HeadState {
  std::vector<core::View5<S>> x;  ///< per hidden layer: pre-activation after the norm (G, C, OY, OX, B)
  std::vector<core::View5<S>> h;  ///< per hidden layer: max(0, x)
  core::View3<S> drive;           ///< (N, G, B) before softplus
  core::View3<S> rate;            ///< (N, G, B) Hz
};
template <class S>
HeadState<S> make_head_state(const InferenceNetwork<S>& network, std::size_t segments, std::size_t windows);

/// Everything after the first layer's linear part: z -> state. One forward serves all cells.
template <class S>
void head_forward(const core::Exec& exec, const InferenceNetwork<S>& network, const core::View5<S>& z, HeadState<S>& state);

/// The part of head_forward past the first hidden layer's activity: from state.h[0], which the caller has filled, to the rates.
/// For networks with a hidden layer; state.x[0] is not touched.
template <class S>
void head_from_activity(const core::Exec& exec, const InferenceNetwork<S>& network, HeadState<S>& state);

// The steps of head_forward, for engines that compute the convolutions in between by other means.
/// x = gain z + offset, h = max(0, x); (G, C, OY, OX, B). z, x and h may be the same, h then wins. A NaN
/// stays one.
template <class S>
void head_rectify(const core::Exec& exec, const InferenceLayer<S>& layer, const core::View5<S>& z, const core::View5<S>& x,
                  const core::View5<S>& h);
/// state.drive and state.rate from the last layer's h.
template <class S>
void head_readout(const core::Exec& exec, const InferenceNetwork<S>& network, HeadState<S>& state);
/// drive (N, G, B) = u (G, N, 1, 1, B) + constant, rate = softplus(drive).
template <class S>
void head_output(const core::Exec& exec, const InferenceNetwork<S>& network, const core::View5<S>& u, HeadState<S>& state);

/// Rates of all cells for every frame of a contrast movie, grey before its first frame: (N, T) Hz. Local.
template <class S>
core::Array<float, 2> predict(const InferenceNetwork<S>& network, const core::Array<float, 3>& contrast);

/// Rates for frames [first, first + count) of a recording's part: (N, count). Frames before the movie's start are grey.
/// Collective: windows are split over the ranks in fixed blocks; all ranks get all rates, with the same bits on any number of
/// ranks. Throws parallel::Stopped where the run is asked to stop.
core::Array<float, 2> predict(const parallel::Communicator& communicator, const InferenceNetwork<float>& network,
                              const recording::StoredMovie& movie, const recording::ContrastCoding& coding, std::size_t first,
                              std::size_t count);

}  // namespace amacrine::model
