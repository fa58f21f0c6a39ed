// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/pathway/model.hpp"

#include <vector>

namespace amacrine::pathway {

/// Frames whose likelihood is computed as one piece of work.
inline constexpr std::size_t block_frames = 384;

/// Minus the log likelihood (Poisson, nats; without the terms that depend on the counts alone) of the counts of one block, and
/// its gradient added to `gradient` (as many values as `parameters`; may be null). `parameters` as Model::values. `time_bases`
/// (J, T). Local, one thread.
template <class Real>
double block_loss(const Shape& shape, const Bases& bases, const CellData& data, std::span<const Real> parameters, Range block,
                  Real* gradient);

/// The loss of every model on every block (M, B) in nats, models in the order given: one piece of work each, dealt to the
/// threads.
core::Array<double, 2> losses(const Shape& shape, const Bases& bases, const CellData& data, const std::vector<Model>& models,
                              const std::vector<Range>& blocks);

/// The mean over blocks of loss and gradient per second, and of each model: gradients (M) of as many values as the model. Summed
/// in the order of blocks: the same bits on any number of threads.
struct Slopes {
  std::vector<double> loss;                   ///< (M) nats per second
  std::vector<std::vector<double>> gradient;  ///< (M)
};
Slopes slopes(const Shape& shape, const Bases& bases, const CellData& data, const std::vector<Model>& models,
              const std::vector<Range>& blocks);

/// What a model does in a block: outputs of the pathways' rectifiers h (K, frames), and the rate r (frames) in Hz.
struct Response {
  core::Array<float, 2> activity;
  std::vector<float> rate_hz;
};
Response respond(const Shape& shape, const Bases& bases, const CellData& data, const Model& model, Range block);

}  // namespace amacrine::pathway
