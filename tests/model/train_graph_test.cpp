// SPDX-License-Identifier: Apache-2.0
#include "model/train_reference.hpp"

#include <gtest/gtest.h>

namespace amacrine::model {
namespace {

using reference::Batch;
using reference::sized;

struct Case {
  const char* name;
  Architecture architecture;
  LossSettings loss;
  ConvEngine engine = ConvEngine::direct;
};

Architecture small(std::vector<ConvLayer> hidden, Norm norm, Scale scale) {
  Architecture a;
  a.history = 5, a.height = 9, a.width = 8, a.cells = 3;
  a.hidden = std::move(hidden);
  a.norm = norm, a.scale = scale;
  a.norm_epsilon = 1e-3;
  return a;
}

std::vector<Case> cases() {
  const std::vector<ConvLayer> two{{3, 4, 3}, {2, 3, 5}}, one{{5, 3, 3}}, three{{2, 3, 2}, {3, 2, 2}, {2, 3, 3}},
      covering{{4, 9, 8}};
  std::vector<Case> all{{"per_channel", small(two, Norm::per_channel, Scale::plain), {}},
                        {"per_channel_absolute", small(two, Norm::per_channel, Scale::absolute), {}},
                        {"per_unit", small(two, Norm::per_unit, Scale::plain), {}},
                        {"per_unit_absolute", small(one, Norm::per_unit, Scale::absolute), {}},
                        {"no_norm", small(two, Norm::none, Scale::plain), {}},
                        {"three_layers", small(three, Norm::per_channel, Scale::plain), {}},
                        {"covering_kernel", small(covering, Norm::per_channel, Scale::plain), {}},
                        {"linear_nonlinear", small({}, Norm::none, Scale::plain), {}},
                        {"linear_nonlinear_norm", small({}, Norm::none, Scale::plain), {}},
                        {"mean_squared", small(one, Norm::per_channel, Scale::plain), {true, 1e-8, 0.0}},
                        {"output_l1", small(one, Norm::per_channel, Scale::plain), {false, 1e-8, 0.3}},
                        {"spectral_per_channel", small(two, Norm::per_channel, Scale::plain), {}, ConvEngine::spectral},
                        {"spectral_per_unit", small(two, Norm::per_unit, Scale::absolute), {}, ConvEngine::spectral},
                        {"spectral_three_layers", small(three, Norm::per_channel, Scale::plain), {}, ConvEngine::spectral},
                        {"spectral_side_by_side", small(two, Norm::per_unit, Scale::plain), {}, ConvEngine::spectral},
                        {"apart", small(two, Norm::per_unit, Scale::plain), {}, ConvEngine::direct},
                        {"apart_linear_nonlinear", small({}, Norm::none, Scale::plain), {}},
                        {"spectral_apart", small(two, Norm::per_channel, Scale::plain), {}, ConvEngine::spectral},
                        {"spectral_apart_side_by_side", small(two, Norm::per_unit, Scale::plain), {}, ConvEngine::spectral}};
  all[4].architecture.conv_bias = true;
  all[5].architecture.conv_bias = true;  // in front of a norm: no gradient
  all[7].architecture.output_norm = false, all[7].architecture.readout_bias = true, all[7].architecture.softplus_beta = 2.5;
  all[2].architecture.readout_bias = true;
  return all;
}

/// A graph filled with a batch; parameters on the device.
struct Fixture {
  TrainGraph<double> graph;
  core::View1<double> parameters;
  parallel::Communicator self = parallel::Communicator::self();
  core::Exec exec;
  Fixture(const Architecture& a, const std::vector<double>& values, const Batch& batch, ConvEngine engine)
      : Fixture(a, values, batch, engine,
                batch_layout(a, {batch.segments, {batch.windows, batch.spacing}, 1}, GraphUse::training, engine)) {}
  Fixture(const Architecture& a, const std::vector<double>& values, const Batch& batch, ConvEngine engine,
          const BatchLayout& layout)
      : graph(make_train_graph<double>(a, layout, {0, layout.segments.count}, GraphUse::training, engine)),
        parameters(core::to_device("test::parameters", values)) {
    fill(graph.frames, side_by_side(by_phase(batch, batch.phase(a)), sized(a.height * a.width), batch.frames_of(a)));
    fill(graph.target, side_by_side(batch.target, sized(a.cells), batch.windows));
  }
  /// Frames of a run sorted by their phase.
  static std::vector<double> by_phase(const Batch& batch, std::size_t phase) {
    std::vector<double> sorted(batch.frames.size());
    const std::size_t all = batch.spacing * phase;
    for (std::size_t i = 0; i < sorted.size(); ++i)
      sorted[i / all * all + i % all % batch.spacing * phase + i % all / batch.spacing] = batch.frames[i];
    return sorted;
  }
  /// (run, rows, length) -> (segment, rows, run of the segment, length)
  std::vector<double> side_by_side(const std::vector<double>& values, std::size_t rows, std::size_t length) const {
    std::vector<double> moved(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t run = i / length / rows, row = i / length % rows;
      moved[((run / graph.runs * rows + row) * graph.runs + run % graph.runs) * length + i % length] = values[i];
    }
    return moved;
  }
  template <class V>
  static void fill(const V& view, const std::vector<double>& values) {
    ASSERT_EQ(view.size(), values.size());
    const Kokkos::View<double*, Kokkos::LayoutRight, typename V::memory_space> flat(view.data(), view.size());
    const auto from = core::to_device("test::values", values);
    Kokkos::deep_copy(flat, from);
  }
  double loss(const std::vector<double>& values, const LossSettings& settings, const StepNoise& noise) {
    fill(parameters, values);
    train_forward(exec, self, graph, parameters, noise);
    return train_loss(exec, self, graph, settings);
  }
};

/// Runs of 7 windows in a batch: an even number of them lies in pairs side by side.
std::size_t runs_of(const Case& c) { return std::string(c.name).ends_with("side_by_side") ? 4 : 3; }
/// Frames from window to window; 3 does not divide the history.
std::size_t spacing_of(const Case& c) { return std::string(c.name).find("apart") == std::string::npos ? 1 : 3; }

class TrainGraphCases : public testing::TestWithParam<Case> {};

TEST_P(TrainGraphCases, FollowsTheDefinition) {
  const auto& [name, a, settings, engine] = GetParam();
  const Batch batch = reference::random_batch(a, runs_of(GetParam()), 7, 11, spacing_of(GetParam()));
  const std::vector<double> values = reference::random_parameters(make_layout(a), 5);
  Fixture f(a, values, batch, engine);
  const double loss = f.loss(values, settings, {false, 0, 0});
  const reference::Step truth = reference::run(a, values, batch, settings);
  EXPECT_TRUE(std::abs(loss - truth.loss) <= 1e-11 * std::abs(truth.loss)) << loss << " " << truth.loss;
  EXPECT_EQ(f.graph.runs, batch.segments == 4 ? 2u : 1u);
  const std::vector<double> rate = core::to_host(f.graph.rate), statistics = batch_statistics(f.graph);
  const std::size_t windows = f.graph.windows;
  for (std::size_t w = 0; w < truth.rate.size(); ++w)
    for (std::size_t n = 0; n < truth.rate[w].size(); ++n)
      EXPECT_TRUE(std::abs(rate[(w / windows * 3 + n) * windows + w % windows] - truth.rate[w][n]) <=
                  1e-10 * (1 + truth.rate[w][n]));
  std::vector<double> expected;
  for (std::size_t k = 0; k < truth.mean.size(); ++k) {
    expected.insert(expected.end(), truth.mean[k].begin(), truth.mean[k].end());
    expected.insert(expected.end(), truth.variance[k].begin(), truth.variance[k].end());
  }
  ASSERT_EQ(statistics.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_TRUE(std::abs(statistics[i] - expected[i]) <= 1e-10 * (1 + std::abs(expected[i]))) << i;
}

/// Central differences of the loss along single coordinates, some of every entry, with the noise on.
TEST_P(TrainGraphCases, GradientMatchesFiniteDifferences) {
  const auto& [name, a, settings, engine] = GetParam();
  const StepNoise noise{true, 3, 17};
  const Batch batch = reference::random_batch(a, runs_of(GetParam()), 7, 23, spacing_of(GetParam()));
  std::vector<double> values = reference::random_parameters(make_layout(a), 7);
  Fixture f(a, values, batch, engine);
  train_forward(f.exec, f.self, f.graph, f.parameters, noise);
  std::vector<double> gradient;
  train_backward(f.exec, f.self, f.graph, f.parameters, settings, gradient);
  double largest = 0;
  for (const double g : gradient) largest = std::max(largest, std::abs(g));
  ASSERT_GT(largest, 0);
  core::Random random(9, core::Stream::test);
  for (const ParameterEntry& entry : f.graph.layout.parameters)
    for (int trial = 0; trial < 8; ++trial) {
      const std::size_t i = entry.offset + random.below(static_cast<std::uint32_t>(entry.size));
      const double kept = values[i], step = 1e-5;
      values[i] = kept + step;
      const double above = f.loss(values, settings, noise);
      values[i] = kept - step;
      const double below = f.loss(values, settings, noise);
      values[i] = kept;
      const double slope = (above - below) / (2 * step);
      EXPECT_TRUE(std::abs(gradient[i] - slope) <= 1e-6 * largest + 1e-5 * std::abs(slope))
          << entry.name << " " << gradient[i] << " " << slope;
    }
}

/// A bias in front of a norm has no effect, and its gradient is exactly zero.
TEST(TrainGraph, BiasInFrontOfANormHasNoGradient) {
  const Case c = cases()[5];
  const Batch batch = reference::random_batch(c.architecture, 2, 6, 31);
  const std::vector<double> values = reference::random_parameters(make_layout(c.architecture), 13);
  Fixture f(c.architecture, values, batch, c.engine);
  train_forward(f.exec, f.self, f.graph, f.parameters, {});
  std::vector<double> gradient;
  train_backward(f.exec, f.self, f.graph, f.parameters, c.loss, gradient);
  for (int l = 0; l < 3; ++l) {
    const ParameterEntry& bias = f.graph.layout.parameter("hidden" + std::to_string(l) + ".bias");
    for (std::size_t i = 0; i < bias.size; ++i) EXPECT_EQ(gradient[bias.offset + i], 0.0);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, TrainGraphCases, testing::ValuesIn(cases()),
                         [](const auto& chosen) { return chosen.param.name; });

}  // namespace
}  // namespace amacrine::model
