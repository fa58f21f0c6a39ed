// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/train_graph.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/lanes.hpp"
#include "amacrine/core/numbers.hpp"
#include "amacrine/model/kernels.hpp"
#include "amacrine/parallel/ordered_sum.hpp"

#include <algorithm>

namespace amacrine::model {

using core::as_size;
using core::Exec;
using core::View1;
using core::View2;
using core::View3;
using core::View4;
using core::View5;
using parallel::Communicator;
using parallel::Shards;

/// data (shards, size): the sum over shards, in order and in double, into the first of them.
template <class T>
void sum_shards(const Exec& exec, T* data, std::size_t shards, std::size_t size) {
  constexpr std::size_t block = core::detail::exec_is_host ? 128 : 1;  // values of a work item
  Kokkos::parallel_for(
      "model::sum_shards", Kokkos::RangePolicy<Exec>(exec, 0, (size + block - 1) / block), KOKKOS_LAMBDA(const std::size_t item) {
        const std::size_t begin = item * block, count = size - begin < block ? size - begin : block;
        double sums[block] = {};
        for (std::size_t s = 0; s < shards; ++s)
          for (std::size_t i = 0; i < count; ++i) sums[i] += static_cast<double>(data[s * size + begin + i]);
        for (std::size_t i = 0; i < count; ++i) data[begin + i] = static_cast<T>(sums[i]);
      });
}

namespace {

/// Collective. data (this rank's shards, size), overwritten: the sum over all shards of all ranks in order. One rank that has all
/// of them sums where they lie, to the same bits.
template <class T>
void ordered_total(const Exec& exec, const Communicator& communicator, const Shards& shards, T* data, std::span<T> total) {
  const bool alone = communicator.size() == 1;
  const std::size_t owned = communicator.owned(shards).size();
  if (alone) sum_shards(exec, data, shards.count, total.size());
  exec.fence("model::what a step has summed is read on the host");
  const std::vector<T> local = core::to_host(View1<T>(data, (alone ? 1 : owned) * total.size()));
  alone ? static_cast<void>(std::copy(local.begin(), local.end(), total.begin()))
        : communicator.ordered_sum<T>(local, shards, total);
}

/// The gradient of all parameters, some sums of which may not be finished.
template <class S>
struct GradientSums {
  std::vector<S>& gradient;
  std::vector<parallel::OrderedSum<S>> begun;
};

/// Collective. Begins the ordered total of `data`, which becomes the gradient of `entry`: nothing computed later in the step
/// needs it, so that its messages travel meanwhile.
template <class S>
void begin_total(const Exec& exec, const Communicator& communicator, const Shards& shards, S* data, const ParameterEntry& entry,
                 GradientSums<S>& sums) {
  const std::span<S> total = std::span<S>(sums.gradient).subspan(entry.offset, entry.size);
  if (communicator.size() == 1) return ordered_total<S>(exec, communicator, shards, data, total);
  exec.fence("model::a gradient is read on the host");
  const std::vector<S> local = core::to_host(View1<S>(data, communicator.owned(shards).size() * total.size()));
  sums.begun.emplace_back(communicator, std::span<const S>(local), shards, total);
}

template <class S>
View4<S> kernel_of(const ParameterEntry& entry, const View1<S>& parameters) {
  return View4<S>(parameters.data() + entry.offset, entry.shape[0], entry.shape[1], entry.shape[2], entry.shape[3]);
}

template <class S>
View2<S> readout_of(const TrainGraph<S>& graph, const View1<S>& parameters) {
  const ParameterEntry& entry = graph.layout.parameter("readout.weight");
  return View2<S>(parameters.data() + entry.offset, entry.shape[0], entry.shape[1]);
}

/// The readout of an LN model as a first-layer kernel that covers the canvas.
template <class S>
View4<S> filter_of(const TrainGraph<S>& graph, const View1<S>& parameters) {
  const Architecture& a = graph.architecture;
  return View4<S>(readout_of(graph, parameters).data(), as_size(a.cells), as_size(a.history), as_size(a.height),
                  as_size(a.width));
}

/// A named parameter on the host in double, repeated `times` for each value; empty where the layout has none.
template <class S>
std::vector<double> host_values(const ParameterEntry* entry, const View1<S>& parameters) {
  if (entry == nullptr) return {};
  const View1<S> slice(parameters.data() + entry->offset, entry->size);
  const std::vector<S> values = core::to_host(slice);
  return {values.begin(), values.end()};
}

template <class S>
void read_norm(const TrainGraph<S>& graph, const View1<S>& parameters, NormStage<S>& stage) {
  const bool output = stage.name == "output.";
  stage.parameters.gamma = host_values(graph.layout.find(stage.name + "gamma"), parameters);
  stage.parameters.beta = host_values(graph.layout.find(stage.name + "beta"), parameters);
  stage.parameters.bias = host_values(graph.layout.find(output ? "readout.bias" : stage.name + "bias"), parameters);
  stage.parameters.absolute = graph.architecture.scale == Scale::absolute;
  stage.parameters.epsilon = graph.architecture.norm_epsilon;
}

template <class S>
void upload(const std::vector<double>& values, const View1<S>& to) {
  const std::vector<S> cast(values.begin(), values.end());
  const Kokkos::View<const S*, Kokkos::LayoutRight, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>> host(cast.data(),
                                                                                                                     cast.size());
  Kokkos::deep_copy(to, host);
}

/// Whether element-wise work on hidden layer `layer`'s planes is fused with its convolution's transforms.
template <class S>
bool fuses(const TrainGraph<S>& graph, std::size_t layer) {
  return planes_fuse && layer < graph.hidden.size() && graph.hidden[layer].spectral;
}

/// Statistics of z over the global batch -> gain and shift on the device. `rows_are_there`: from the transform that wrote z.
template <class S>
void prepare_norm(const Exec& exec, const Communicator& communicator, const TrainGraph<S>& graph, const View1<S>& parameters,
                  NormStage<S>& stage, bool rows_are_there) {
  read_norm(graph, parameters, stage);
  std::vector<double> totals(stage.moments.sums.extent(1) * 2, 0.0);
  if (stage.parameters.present()) {
    rows_are_there ? sum_moment_rows(exec, stage.moments) : forward_moments(exec, stage.z, stage.moments);
    const View3<double>& sums = stage.moments.sums;
    ordered_total<double>(exec, communicator, graph.segments(), sums.data(), totals);
  }
  stage.batch = norm_forward(stage.parameters, totals, stage.count);
  upload(stage.batch.gain, stage.gain);
  upload(stage.batch.shift, stage.shift);
}

template <class S>
void put(const ParameterEntry* entry, const std::vector<double>& values, std::vector<S>& gradient) {
  if (entry == nullptr) return;
  for (std::size_t i = 0; i < entry->size; ++i) gradient[entry->offset + i] = static_cast<S>(values[i]);
}

/// Gradient of the norm's own values into `gradient`, and what norm_backward needs for stage.d from dL/dh to dL/dz.
/// `rows_are_there`: from the transform that wrote d.
template <class S>
void prepare_back_through_norm(const Exec& exec, const Communicator& communicator, const TrainGraph<S>& graph,
                               NormStage<S>& stage, bool rows_are_there, std::vector<S>& gradient) {
  rows_are_there ? sum_moment_rows(exec, stage.moments) : backward_moments(exec, stage.d, stage.gates, stage.z, stage.moments);
  const View3<double>& sums = stage.moments.sums;
  std::vector<double> totals(sums.extent(1) * 2);
  ordered_total<double>(exec, communicator, graph.segments(), sums.data(), totals);
  const NormBackward back = norm_backward_coefficients(stage.parameters, stage.batch, totals);
  const bool output = stage.name == "output.";
  put(graph.layout.find(stage.name + "gamma"), back.d_gamma, gradient);
  put(graph.layout.find(stage.name + "beta"), back.d_beta, gradient);
  put(graph.layout.find(output ? "readout.bias" : stage.name + "bias"), back.d_bias, gradient);
  upload(back.from_d, stage.from_d);
  upload(back.from_z, stage.from_z);
  upload(back.constant, stage.constant);
}

/// The noise of a layer of this step.
template <class S>
NoiseKey noise_key(const TrainGraph<S>& graph, const StepNoise& noise, std::size_t layer) {
  return {noise.model_seed, noise.step, graph.owned.begin * graph.windows, static_cast<std::uint32_t>(layer)};
}

/// z of the layer before -> h there and z of a later layer, with the rows of its moments where they are fused.
template <class S>
void linear_stage(const Exec& exec, TrainGraph<S>& graph, const View1<S>& parameters, std::size_t layer, double sd,
                  const NoiseKey& key) {
  HiddenStage<S>& stage = graph.hidden[layer];
  const NormStage<S>& before = graph.hidden[layer - 1].norm;
  const View4<S> kernel = kernel_of(graph.layout.parameter(stage.norm.name + "kernel"), parameters);
  if (stage.spectral) stage.later.set_kernel(exec, kernel);
  if (fuses(graph, layer)) {
    stage.later.forward(exec, before.h, stage.norm.z,
                        norm_relu_of_planes(before.z, before.gain, before.shift, before.moments.share, sd, key, before.gates),
                        forward_moment_rows(stage.norm.z, stage.norm.moments));
    return;
  }
  norm_relu(exec, before.z, before.gain, before.shift, before.moments.share, sd, key, before.h, before.gates);
  stage.spectral ? stage.later.forward(exec, before.h, stage.norm.z) : conv_forward(exec, before.h, kernel, stage.norm.z);
}

/// dL/dh of a hidden layer -> dL/dz, its kernel's gradient per segment, and dL/dh of the layer before, with the rows of its
/// moments where they are fused.
template <class S>
void back_through_linear_stage(const Exec& exec, TrainGraph<S>& graph, const View1<S>& parameters, std::size_t layer) {
  HiddenStage<S>& stage = graph.hidden[layer];
  const NormStage<S>& norm = stage.norm;
  PlanePrologue<S> prologue;
  if (fuses(graph, layer)) {
    prologue = norm_backward_of_planes(norm.d, norm.gates, norm.z, norm.from_d, norm.from_z, norm.constant, norm.moments.share);
  } else {
    norm_backward(exec, norm.d, norm.gates, norm.z, norm.from_d, norm.from_z, norm.constant, norm.moments.share);
  }
  if (layer == 0) {
    stage.spectral ? stage.first.kernel_gradient(exec, norm.d, stage.d_kernel, prologue)
                   : temporal_conv_kernel_gradient(exec, graph.frames, norm.d, stage.d_kernel, graph.spacing);
    return;
  }
  const NormStage<S>& before = graph.hidden[layer - 1].norm;
  if (stage.spectral) {
    stage.later.backward(
        exec, norm.d, before.d, stage.d_kernel, prologue,
        fuses(graph, layer) ? backward_moment_rows(before.d, before.gates, before.z, before.moments) : PlaneEpilogue{});
    return;
  }
  conv_kernel_gradient(exec, before.h, norm.d, stage.d_kernel);
  conv_input_gradient(exec, norm.d, kernel_of(graph.layout.parameter(norm.name + "kernel"), parameters), before.d);
}

/// dL/dz of the readout -> its weight's gradient and dL/dh of the last hidden layer.
template <class S>
void back_through_readout(const Exec& exec, TrainGraph<S>& graph, const View1<S>& parameters) {
  const Architecture& a = graph.architecture;
  const std::size_t segments = graph.owned.size(), cells = as_size(a.cells);
  if (graph.hidden.empty()) {
    const View5<S> d_filter(graph.d_weight.data(), segments / graph.together, cells, as_size(a.history), as_size(a.height),
                            as_size(a.width));
    temporal_conv_kernel_gradient(exec, graph.frames, graph.output.d, d_filter, graph.spacing);
    return;
  }
  const NormStage<S>& last = graph.hidden.back().norm;
  readout_weight_gradient(exec, last.h, graph.output.d, View3<S>(graph.d_weight.data(), segments, cells, a.readout_inputs()));
  readout_input_gradient(exec, graph.output.d, readout_of(graph, parameters), last.d);
}

template <class S>
void back_through_hidden(const Exec& exec, const Communicator& communicator, TrainGraph<S>& graph, const View1<S>& parameters,
                         std::size_t layer, GradientSums<S>& sums) {
  HiddenStage<S>& stage = graph.hidden[layer];
  prepare_back_through_norm(exec, communicator, graph, stage.norm, fuses(graph, layer + 1), sums.gradient);
  back_through_linear_stage(exec, graph, parameters, layer);
  const ParameterEntry& kernel = graph.layout.parameter(stage.norm.name + "kernel");
  // A gradient is a segment's, or that of all segments with one owner.
  const bool summed = stage.d_kernel.extent(0) < graph.owned.size();
  begin_total(exec, communicator, summed ? Shards(graph.segments().owners()) : graph.segments(), stage.d_kernel.data(), kernel,
              sums);
}

}  // namespace

template <class S>
void train_first_layer(const Exec& exec, TrainGraph<S>& graph, const View1<S>& parameters, const View4<S>& frames,
                       std::size_t begin, FrameSpectra spectra) {
  const View5<S>& all = graph.hidden.empty() ? graph.output.z : graph.hidden.front().norm.z;
  const View5<S> z(all.data() + begin * all.stride(0), frames.extent(0), all.extent(1), all.extent(2), all.extent(3),
                   all.extent(4));
  if (graph.hidden.empty()) return temporal_conv_forward(exec, frames, filter_of(graph, parameters), z, graph.spacing);
  HiddenStage<S>& stage = graph.hidden.front();
  const View4<S> kernel = kernel_of(graph.layout.parameter(stage.norm.name + "kernel"), parameters);
  if (!stage.spectral) return temporal_conv_forward(exec, frames, kernel, z, graph.spacing);
  if (begin == 0) stage.first.set_kernel(exec, kernel);
  PlaneEpilogue rows;
  if (fuses(graph, 0)) rows = from_plane(forward_moment_rows(stage.norm.z, stage.norm.moments), begin * all.extent(1));
  stage.first.forward(exec, frames, z, spectra, rows);
}

/// train_first_layer of all segments, whose frames are written as the transform reads them.
template <class S>
void fused_first_layer(const Exec& exec, TrainGraph<S>& graph, const View1<S>& parameters, FrameSpectra spectra) {
  HiddenStage<S>& stage = graph.hidden.front();
  stage.first.set_kernel(exec, kernel_of(graph.layout.parameter(stage.norm.name + "kernel"), parameters));
  stage.first.forward(exec, graph.source, stage.norm.z, spectra, forward_moment_rows(stage.norm.z, stage.norm.moments));
}

template <class S>
void train_later_layers(const Exec& exec, const Communicator& communicator, TrainGraph<S>& graph, const View1<S>& parameters,
                        const StepNoise& noise) {
  const double sd = noise.on ? graph.architecture.noise : 0.0;
  for (std::size_t layer = 0; layer < graph.hidden.size(); ++layer) {
    if (layer > 0) linear_stage(exec, graph, parameters, layer, sd, noise_key(graph, noise, layer - 1));
    prepare_norm(exec, communicator, graph, parameters, graph.hidden[layer].norm, fuses(graph, layer));
  }
  if (!graph.hidden.empty()) {
    const NormStage<S>& last = graph.hidden.back().norm;
    norm_relu(exec, last.z, last.gain, last.shift, last.moments.share, sd, noise_key(graph, noise, graph.hidden.size() - 1),
              last.h, last.gates);
    readout_forward(exec, last.h, readout_of(graph, parameters), graph.partial, graph.output.z);
  }
  prepare_norm(exec, communicator, graph, parameters, graph.output, false);
}

template <class S>
void train_forward(const Exec& exec, const Communicator& communicator, TrainGraph<S>& graph, const View1<S>& parameters,
                   const StepNoise& noise, FrameSpectra spectra) {
  if (graph.holds_frames()) {
    core::require(graph.frames.extent(0) == graph.owned.size(), "a graph for statistics takes its frames in parts");
    train_first_layer(exec, graph, parameters, graph.frames, 0, spectra);
  } else {
    fused_first_layer(exec, graph, parameters, spectra);
  }
  train_later_layers(exec, communicator, graph, parameters, noise);
}

template <class S>
double train_loss(const Exec& exec, const Communicator& communicator, TrainGraph<S>& graph, const LossSettings& settings) {
  output_loss(exec, graph.output.z, graph.output.gain, graph.output.shift, graph.target, graph.architecture.softplus_beta,
              settings, graph.samples(), graph.rate, graph.output.d, graph.cell_loss);
  exec.fence("model::output_loss is read on the host");
  const std::vector<double> local = core::to_host(graph.cell_loss);
  std::vector<double> totals(graph.cell_loss.extent(1));
  communicator.ordered_sum<double>(local, graph.segments(), totals);
  double loss = 0;
  for (const double cell : totals) loss += cell;
  return loss;
}

template <class S>
double train_backward(const Exec& exec, const Communicator& communicator, TrainGraph<S>& graph, const View1<S>& parameters,
                      const LossSettings& settings, std::vector<S>& gradient) {
  gradient.resize(graph.layout.parameter_count);
  const double loss = train_loss(exec, communicator, graph, settings);
  const NormStage<S>& output = graph.output;
  prepare_back_through_norm(exec, communicator, graph, graph.output, false, gradient);
  norm_backward(exec, output.d, output.gates, output.z, output.from_d, output.from_z, output.constant, output.moments.share);
  back_through_readout(exec, graph, parameters);
  GradientSums<S> sums{gradient, {}};
  begin_total(exec, communicator, graph.hidden.empty() ? Shards(graph.segments().owners()) : graph.segments(),
              graph.d_weight.data(), graph.layout.parameter("readout.weight"), sums);
  for (std::size_t layer = graph.hidden.size(); layer-- > 0;)
    back_through_hidden(exec, communicator, graph, parameters, layer, sums);
  for (parallel::OrderedSum<S>& begun : sums.begun) begun.finish();
  return loss;
}

template <class S>
std::vector<double> batch_statistics(const TrainGraph<S>& graph) {
  std::vector<double> flat(graph.layout.statistic_count, 0.0);
  const auto store = [&](const NormStage<S>& stage) {
    if (!stage.parameters.present()) return;
    const ParameterEntry &mean = graph.layout.statistic(stage.name + "mean"),
                         &variance = graph.layout.statistic(stage.name + "variance");
    const std::size_t biases = stage.parameters.bias.size(), size = stage.batch.mean.size();
    for (std::size_t k = 0; k < size; ++k) {
      const double bias = biases == 0 ? 0.0 : stage.parameters.bias[k * biases / size];
      flat[mean.offset + k] = stage.batch.mean[k] + bias;
      flat[variance.offset + k] = stage.batch.variance[k] * stage.count / std::max(1.0, stage.count - 1.0);
    }
  };
  for (const HiddenStage<S>& stage : graph.hidden) store(stage.norm);
  store(graph.output);
  return flat;
}

#define AMACRINE_INSTANTIATE(S)                                                                                                 \
  template void train_first_layer<S>(const Exec&, TrainGraph<S>&, const View1<S>&, const View4<S>&, std::size_t, FrameSpectra); \
  template void train_later_layers<S>(const Exec&, const Communicator&, TrainGraph<S>&, const View1<S>&, const StepNoise&);     \
  template void train_forward<S>(const Exec&, const Communicator&, TrainGraph<S>&, const View1<S>&, const StepNoise&,           \
                                 FrameSpectra);                                                                                 \
  template double train_loss<S>(const Exec&, const Communicator&, TrainGraph<S>&, const LossSettings&);                         \
  template double train_backward<S>(const Exec&, const Communicator&, TrainGraph<S>&, const View1<S>&, const LossSettings&,     \
                                    std::vector<S>&);                                                                           \
  template std::vector<double> batch_statistics<S>(const TrainGraph<S>&);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::model
