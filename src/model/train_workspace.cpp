// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/core/numbers.hpp"
#include "amacrine/model/train_graph.hpp"

#include <algorithm>

namespace amacrine::model {

using core::as_size;
using core::uninitialised;

namespace {

struct StageShape {
  std::size_t channels, height, width;
};

/// What follows a norm: nothing; activities that are stored; or fused with the next convolution's transform.
enum class Activities { none, stored, fused };

template <class S>
NormStage<S> make_stage(const std::string& name, const StageShape& shape, std::size_t segments, std::size_t windows,
                        std::size_t samples, bool per_channel, GraphUse use, Activities activities) {
  NormStage<S> stage;
  stage.name = name;
  const auto allocate = [&](const std::string& label) {
    return core::workspace<core::View5<S>>("model::train_" + label, segments, shape.channels, shape.height, shape.width, windows);
  };
  stage.z = allocate("z");
  const bool training = use == GraphUse::training;
  const bool gated = activities != Activities::none;
  if (activities == Activities::stored) stage.h = training ? allocate("h") : stage.z;
  if (gated && training)
    stage.gates = core::workspace<Gates>("model::train_gates", segments, shape.channels, shape.height, shape.width, windows);
  if (training || !gated) stage.d = allocate("d");
  stage.moments = make_moment_sums(segments, shape.channels, shape.height, shape.width, per_channel);
  const std::size_t coefficients = stage.moments.sums.extent(1);
  for (core::View1<S>* view : {&stage.gain, &stage.shift, &stage.from_d, &stage.from_z, &stage.constant})
    *view = core::View1<S>(uninitialised("model::norm_coefficients"), coefficients);
  stage.count = static_cast<double>(samples) * static_cast<double>(stage.moments.share);
  return stage;
}

/// What a hidden layer's convolution reads and how.
struct Convolution {
  std::size_t inputs, channels, kernel_y, kernel_x, height, width;
  bool spectral;
};

/// The frequency domain serves a layer where that engine is asked for, or expected to be faster.
Convolution convolution_of(const Architecture& a, int l, ConvEngine engine) {
  const ConvLayer& layer = a.hidden[as_size(l)];
  const int height = l == 0 ? a.height : a.out_y(l - 1), width = l == 0 ? a.width : a.out_x(l - 1);
  core::require<core::StudyError>(
      engine != ConvEngine::spectral || spectral_possible(height, width),
      "training.engine = \"spectral\" has no transform for {} x {} pixels; use \"auto\" or \"direct\"", height, width);
  const std::size_t channels = as_size(layer.channels);
  const bool spectral =
      engine == ConvEngine::spectral ||
      (engine == ConvEngine::automatic && spectral_pays(height, width, layer.kernel_y, layer.kernel_x, channels));
  return {as_size(l == 0 ? a.history : a.hidden[as_size(l - 1)].channels),
          channels,
          as_size(layer.kernel_y),
          as_size(layer.kernel_x),
          as_size(height),
          as_size(width),
          spectral};
}

Activities activities_of(const Architecture& a, int l, ConvEngine engine) {
  const bool fused = planes_fuse && l + 1 < a.layers() && convolution_of(a, l + 1, engine).spectral;
  return fused ? Activities::fused : Activities::stored;
}

/// Segments whose frames are held at a time.
std::size_t frame_segments(GraphUse use, std::size_t segments) {
  return use == GraphUse::training ? segments : std::min(segments, statistics_part);
}

/// Whether frames need room: not where their normalisation is fused with the first layer's transform.
bool frames_held(const Architecture& a, const SegmentShape& shape, GraphUse use, ConvEngine engine, FrameRoom room) {
  return room == FrameRoom::held || use != GraphUse::training || !planes_fuse || a.layers() == 0 ||
         !convolution_of(a, 0, engine).spectral || !spectral::TimeBlocks(a.history, shape);
}

SpectralUse spectral_use(GraphUse use) { return use == GraphUse::training ? SpectralUse::gradients : SpectralUse::forward; }

/// The first layer's engine is made for gradients also where there are none: it transforms over time, and takes runs side by
/// side.
template <class S>
void make_engine(const Convolution& c, int l, std::size_t segments, const SegmentShape& shape, GraphUse use, std::size_t together,
                 HiddenStage<S>& stage) {
  stage.spectral = c.spectral;
  if (!c.spectral) return;
  if (l == 0) {
    stage.first = SpectralTemporalConv<S>(frame_segments(use, segments), c.channels, c.inputs, c.kernel_y, c.kernel_x, c.height,
                                          c.width, shape, SpectralUse::gradients, together);
  } else {
    stage.later = SpectralConv<S>(segments, c.inputs, c.channels, c.kernel_y, c.kernel_x, c.height, c.width, shape.windows,
                                  spectral_use(use));
  }
}

double engine_bytes(const Convolution& c, int l, std::size_t segments, const SegmentShape& shape, GraphUse use,
                    std::size_t together) {
  if (!c.spectral) return 0;
  return l == 0 ? SpectralTemporalConv<float>::bytes(frame_segments(use, segments), c.channels, c.inputs, c.kernel_y, c.kernel_x,
                                                     c.height, c.width, shape, SpectralUse::gradients, together)
                : SpectralConv<float>::bytes(segments, c.inputs, c.channels, c.kernel_y, c.kernel_x, c.height, c.width,
                                             shape.windows, spectral_use(use));
}

/// Gradients of the readout: one a segment, but a filter's, which is as large as a window, is summed over neighbours.
std::size_t readout_gradients(const Architecture& a, std::size_t segments, std::size_t together) {
  return a.hidden.empty() ? segments / together : segments;
}

/// Bytes of a norm stage of `units` values a window, `copies` of them; its moments and coefficients.
double stage_bytes(std::size_t units, std::size_t channels, std::size_t rows, std::size_t segments, std::size_t windows,
                   double copies) {
  const double moments = static_cast<double>(segments * 2 * (rows + (rows == channels || rows == units ? 0 : channels)));
  const std::size_t coefficients = rows == units ? units : channels;
  return static_cast<double>(segments * units * windows) * copies * sizeof(float) + moments * sizeof(double) +
         static_cast<double>(5 * coefficients * sizeof(float));
}

}  // namespace

ConvEngine conv_engine(const std::string& word) {
  if (word == "direct") return ConvEngine::direct;
  if (word == "spectral") return ConvEngine::spectral;
  core::require<core::StudyError>(word == "auto", "the engine must be auto, direct or spectral, not '{}'", word);
  return ConvEngine::automatic;
}

template <class S>
std::string describe_engines(const TrainGraph<S>& graph) {
  std::string text;
  for (std::size_t l = 0; l < graph.hidden.size(); ++l)
    text += fmt::format("{}layer {}: {}", l == 0 ? "" : ", ", l + 1, graph.hidden[l].spectral ? "spectral" : "direct");
  return text;
}

BatchLayout batch_layout(const Architecture& a, const Batch& batch, GraphUse use, ConvEngine engine) {
  const std::size_t runs = batch.runs;
  const WindowRun& run = batch.run;
  const bool training = use == GraphUse::training;
  const SegmentShape alone(run.windows, 1, run.spacing);
  if (a.layers() == 0) return {{runs, training ? sharing_neighbours(runs, run.windows, batch.owners()) : 1}, alone};
  if (!convolution_of(a, 0, engine).spectral) return {runs, alone};
  core::require<core::StudyError>(
      run.spacing == 1 || spectral::TimeBlocks(a.history, alone),
      "training.spacing = {} with a history of {} frames needs longer transforms over time than there are; use "
      "training.spacing = 1 or training.engine = \"direct\"",
      run.spacing, a.history);
  const std::size_t some = runs_side_by_side(batch, as_size(a.history)), segments = runs / some;
  const SegmentShape shape(some * run.windows, some, run.spacing);
  return {{segments, training ? gradient_segments(segments, as_size(a.history), shape, batch.owners()) : 1}, shape};
}

template <class S>
TrainGraph<S> make_train_graph(const Architecture& a, const BatchLayout& layout, parallel::Range owned, GraphUse use,
                               ConvEngine engine, FrameRoom room) {
  core::require(a.cells > 0, "a training graph needs at least one cell");
  TrainGraph<S> graph;
  graph.architecture = a;
  graph.layout = make_layout(a);
  graph.shards = layout.segments.count, graph.together = layout.segments.together, graph.owned = owned;
  graph.windows = layout.shape.windows, graph.runs = layout.shape.runs, graph.spacing = layout.shape.spacing;
  core::require(owned.begin % graph.together == 0 && owned.size() % graph.together == 0,
                "segments {} to {} are not whole groups of {}", owned.begin, owned.end, graph.together);
  const std::size_t segments = owned.size(), windows = graph.windows, cells = as_size(a.cells), samples = graph.samples();
  if (frames_held(a, layout.shape, use, engine, room))
    graph.frames = core::workspace<core::View4<S>>("model::train_frames", frame_segments(use, segments), as_size(a.height),
                                                   as_size(a.width), layout.shape.frames(as_size(a.history)));
  graph.target = core::View5<S>("model::train_target", segments, cells, 1, 1, windows);
  graph.rate = core::View5<S>(uninitialised("model::train_rate"), segments, cells, 1, 1, windows);
  graph.cell_loss = core::View2<double>("model::train_loss", segments, cells);
  for (int l = 0; l < a.layers(); ++l) {
    const ConvLayer& layer = a.hidden[as_size(l)];
    const StageShape shape{as_size(layer.channels), as_size(a.out_y(l)), as_size(a.out_x(l))};
    HiddenStage<S> stage;
    stage.norm = make_stage<S>(fmt::format("hidden{}.", l), shape, segments, windows, samples, a.norm != Norm::per_unit, use,
                               activities_of(a, l, engine));
    const Convolution convolution = convolution_of(a, l, engine);
    if (use == GraphUse::training)
      stage.d_kernel =
          core::workspace<core::View5<S>>("model::train_d_kernel", l == 0 ? segments / graph.together : segments, shape.channels,
                                          convolution.inputs, convolution.kernel_y, convolution.kernel_x);
    make_engine(convolution, l, segments, layout.shape, use, graph.together, stage);
    graph.hidden.push_back(std::move(stage));
  }
  graph.output = make_stage<S>("output.", {cells, 1, 1}, segments, windows, samples, false, use, Activities::none);
  if (!a.hidden.empty())
    graph.partial =
        core::View4<S>(uninitialised("model::train_readout"), segments, readout_chunks(a.readout_inputs()), cells, windows);
  if (use == GraphUse::training)
    graph.d_weight = core::workspace<core::View1<S>>("model::train_d_weight",
                                                     readout_gradients(a, segments, graph.together) * cells * a.readout_inputs());
  return graph;
}

double train_graph_bytes(const Architecture& a, const BatchLayout& layout, std::size_t segments, GraphUse use, ConvEngine engine,
                         FrameRoom room) {
  const bool training = use == GraphUse::training;
  const std::size_t cells = as_size(a.cells), frame = as_size(a.height * a.width), windows = layout.shape.windows,
                    together = layout.segments.together;
  std::size_t values = 2 * segments * cells * windows;
  if (frames_held(a, layout.shape, use, engine, room))
    values += frame_segments(use, segments) * frame * layout.shape.frames(as_size(a.history));
  double bytes = static_cast<double>(segments * cells * sizeof(double));
  for (int l = 0; l < a.layers(); ++l) {
    const Convolution c = convolution_of(a, l, engine);
    const std::size_t units = a.units(l), rows = a.norm == Norm::per_unit ? units : units / as_size(a.out_x(l));
    // z and d and a quarter of their bytes for the gates, and h where it is stored.
    const double copies = training ? (activities_of(a, l, engine) == Activities::stored ? 3.25 : 2.25) : 1.0;
    bytes += engine_bytes(c, l, segments, layout.shape, use, together) +
             stage_bytes(units, c.channels, rows, segments, windows, copies);
    if (training) values += (l == 0 ? segments / together : segments) * c.channels * c.inputs * c.kernel_y * c.kernel_x;
  }
  bytes += stage_bytes(cells, cells, cells, segments, windows, 2.0);
  if (!a.hidden.empty()) values += segments * readout_chunks(a.readout_inputs()) * cells * windows;
  if (training) values += readout_gradients(a, segments, together) * cells * a.readout_inputs();
  return bytes + static_cast<double>(values * sizeof(float));
}

template TrainGraph<float> make_train_graph<float>(const Architecture&, const BatchLayout&, parallel::Range, GraphUse, ConvEngine,
                                                   FrameRoom);
template TrainGraph<double> make_train_graph<double>(const Architecture&, const BatchLayout&, parallel::Range, GraphUse,
                                                     ConvEngine, FrameRoom);
template std::string describe_engines<float>(const TrainGraph<float>&);
template std::string describe_engines<double>(const TrainGraph<double>&);

}  // namespace amacrine::model
