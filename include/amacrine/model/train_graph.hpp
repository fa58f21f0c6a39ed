// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/views.hpp"
#include "amacrine/model/architecture.hpp"
#include "amacrine/model/parameters.hpp"
#include "amacrine/model/spectral.hpp"
#include "amacrine/model/train_kernels.hpp"
#include "amacrine/model/train_norm.hpp"
#include "amacrine/parallel/communicator.hpp"

#include <cstdint>
#include <vector>

/// One training step of an Architecture over a batch of segments. A batch has `shards` segments of B windows, in one run or
/// several (SegmentShape); this rank holds those of its range. Batch-norm statistics, loss and gradients are sums
/// over all segments of all ranks in the order of global segment ids, so that a step has the same bits on any number of ranks and
/// threads.
namespace amacrine::model {

/// Segments of a statistics graph whose frames are held at a time.
constexpr std::size_t statistics_part = 8;

enum class GraphUse {
  training,    ///< forward and backward
  statistics,  ///< forward only: layer outputs overwrite their inputs, frames pass through in parts
};

/// Where a training graph has the frames of its batch: in memory, or, where the first layer's engine takes them so, nowhere: they
/// are written where they are transformed (SegmentSource).
enum class FrameRoom { held, fused };

/// How convolutions are computed: tap by tap, in the frequency domain, or whichever is expected to be faster for the layer's
/// sizes.
enum class ConvEngine { automatic, direct, spectral };
ConvEngine conv_engine(const std::string& word);  ///< "auto", "direct", "spectral"

/// A norm (or bias) after a linear stage: z is the stage's output, h what follows, gates which of it passed the ReLU, d the
/// gradient, first of h then of z. Where the next transform makes h and the latter d on its way, neither is stored.
template <class S>
struct NormStage {
  std::string name;  ///< "hidden0." ... or "output."
  core::View5<S> z, h, d;
  Gates gates;
  MomentSums moments;
  core::View1<S> gain, shift, from_d, from_z, constant;  ///< (K)
  NormParameters parameters;
  NormForward batch;
  double count = 0;  ///< values per coefficient in the global batch
};

/// A hidden layer: its convolution's gradient, per segment or summed over neighbours (G or fewer, C, D, KY, KX), its norm, and
/// where it is spectral its spectra.
template <class S>
struct HiddenStage {
  bool spectral = false;
  SpectralTemporalConv<S> first;  ///< layer 0
  SpectralConv<S> later;          ///< the others
  core::View5<S> d_kernel;
  NormStage<S> norm;
};

/// Workspaces of a training step, allocated once. Fill `frames`, or where they have no room set `source`, and `target` before
/// each step.
template <class S>
struct TrainGraph {
  Architecture architecture;
  ParameterLayout layout;
  std::size_t shards = 0, windows = 0, runs = 1, spacing = 1, together = 1;  ///< `together` neighbouring segments have one owner
  parallel::Range owned;
  core::View4<S> frames;    ///< (G, Y, X, F) normalised; for statistics at most statistics_part segments at a time
  SegmentSource<S> source;  ///< where frames are fused, and `frames` is empty
  core::View5<S> target;    ///< (G, N, 1, 1, B) Hz
  core::View5<S> rate;      ///< (G, N, 1, 1, B) Hz
  std::vector<HiddenStage<S>> hidden;
  NormStage<S> output;            ///< z: drive (G, N, 1, 1, B)
  core::View4<S> partial;         ///< readout's partial sums
  core::View1<S> d_weight;        ///< readout gradient per segment, (G, N, U) flat; a filter's per `together` segments
  core::View2<double> cell_loss;  ///< (G, N)

  std::size_t samples() const { return shards * windows; }
  SegmentShape shape() const { return {windows, runs, spacing}; }
  bool holds_frames() const { return frames.extent(0) > 0; }
  parallel::Shards segments() const { return {shards, together}; }
};

/// How a batch of runs of windows lies in segments, and how ranks may share those: neighbouring segments whose gradients are
/// summed before anything else have one owner. Throws StudyError where windows apart have no transform over time that they need.
struct BatchLayout {
  parallel::Shards segments;
  SegmentShape shape;
};
BatchLayout batch_layout(const Architecture& architecture, const Batch& batch, GraphUse use,
                         ConvEngine engine = ConvEngine::automatic);

/// `owned`: segments of the layout.
template <class S>
TrainGraph<S> make_train_graph(const Architecture& architecture, const BatchLayout& layout, parallel::Range owned, GraphUse use,
                               ConvEngine engine = ConvEngine::automatic, FrameRoom room = FrameRoom::held);
/// Bytes of a TrainGraph<float> of a batch, `segments` of its segments on this rank: what --dry-run prints.
double train_graph_bytes(const Architecture& architecture, const BatchLayout& layout, std::size_t segments, GraphUse use,
                         ConvEngine engine = ConvEngine::automatic, FrameRoom room = FrameRoom::held);

/// Which noise a step draws; `on` false leaves it out.
struct StepNoise {
  bool on = true;
  std::uint64_t model_seed = 0, step = 0;
};

/// One line per hidden layer: which engine serves it, for the log.
template <class S>
std::string describe_engines(const TrainGraph<S>& graph);

/// Collective. frames -> drive, with the statistics of this batch. parameters: the flat block of `layout`. `spectra` kept: the
/// frames are those of the call before, of whatever parameters; for graphs made for training.
template <class S>
void train_forward(const core::Exec& exec, const parallel::Communicator& communicator, TrainGraph<S>& graph,
                   const core::View1<S>& parameters, const StepNoise& noise, FrameSpectra spectra = FrameSpectra::fresh);

/// Collective. After train_forward: rate and loss against `target`, and the gradient of the loss (length parameter_count, host).
/// Returns the loss, the same on every rank.
template <class S>
double train_backward(const core::Exec& exec, const parallel::Communicator& communicator, TrainGraph<S>& graph,
                      const core::View1<S>& parameters, const LossSettings& settings, std::vector<S>& gradient);

/// The two halves of train_forward, for batches whose frames come in parts: the first layer's linear stage of the segments
/// [begin, begin + G') of this rank, whose frames (G', Y, X, F) are given; and, collective, all that follows.
template <class S>
void train_first_layer(const core::Exec& exec, TrainGraph<S>& graph, const core::View1<S>& parameters,
                       const core::View4<S>& frames, std::size_t begin, FrameSpectra spectra = FrameSpectra::fresh);
template <class S>
void train_later_layers(const core::Exec& exec, const parallel::Communicator& communicator, TrainGraph<S>& graph,
                        const core::View1<S>& parameters, const StepNoise& noise);

/// Collective. Only the loss.
template <class S>
double train_loss(const core::Exec& exec, const parallel::Communicator& communicator, TrainGraph<S>& graph,
                  const LossSettings& settings);

/// The last batch's means and unbiased variances in the layout's order (length statistic_count); a mean counts the bias in front
/// of its norm, as the running statistics do.
template <class S>
std::vector<double> batch_statistics(const TrainGraph<S>& graph);

}  // namespace amacrine::model
