// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/gather.hpp"
#include "amacrine/model/train_graph.hpp"
#include "amacrine/training/adam.hpp"
#include "pytorch_file.hpp"
#include "support/compare.hpp"

#include <cmath>

#include <fmt/format.h>
#include <gtest/gtest.h>

/// The training graph against PyTorch in double precision: tests/data/pytorch_reference.h5, made by
/// tests/reference/make_pytorch_reference.py.
namespace amacrine::training {
namespace {

using core::Exec;
using core::View1;
using core::View2;
using core::View3;
using model::ParameterEntry;
using pytorch::cast;
using pytorch::piece;

struct Case : pytorch::Case {
  explicit Case(const std::string& group) : pytorch::Case("pytorch_reference.h5", group) {}
};

const std::vector<std::string>& case_names() {
  static const std::vector<std::string> names{"per_channel", "per_channel_absolute", "per_unit", "per_unit_absolute", "no_norm",
                                              "ln"};
  return names;
}

/// The graph of a case with its two segments of five windows, frames and targets gathered from the case's movie.
template <class S>
model::TrainGraph<S> graph_of(const Case& c) {
  const auto first = c.file.read<std::int64_t>(c.name + "/first");
  const auto shape = c.file.shape(c.name + "/movie"), responses = c.file.shape(c.name + "/response");
  const std::size_t history = static_cast<std::size_t>(c.architecture.history), windows = c.file.shape(c.name + "/rate")[2];
  auto graph = model::make_train_graph<S>(c.architecture, {first.size(), windows}, {0, first.size()}, model::GraphUse::training);
  const auto movie = core::to_device("test::movie", c.file.read<float>(c.name + "/movie"));
  const auto response = core::to_device("test::response", c.file.read<float>(c.name + "/response"));
  std::vector<std::int64_t> bins(first);
  for (auto& bin : bins) bin += static_cast<std::int64_t>(history) - 1;
  model::gather_frames<S, float>(Exec(), View3<const float>(movie.data(), shape[0], shape[1], shape[2]),
                                 core::to_device("test::first", first), core::to_device("test::scale", std::vector<S>{1}),
                                 core::to_device("test::offset", std::vector<S>{0}), graph.frames);
  model::gather_targets<S>(Exec(), View2<const float>(response.data(), responses[0], responses[1]),
                           core::to_device("test::bins", bins), graph.target);
  Exec().fence("test::gathered");
  return graph;
}

/// x = gain z + shift of a stage, as the graph sees it.
template <class S>
std::vector<double> after_norm(const model::NormStage<S>& stage) {
  const auto z = core::to_host(stage.z);
  std::vector<double> x(z.size());
  const std::size_t lanes = stage.z.extent(4), units = stage.z.extent(1) * stage.z.extent(2) * stage.z.extent(3);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t k = i / lanes % units / stage.moments.share;
    x[i] = stage.batch.gain[k] * static_cast<double>(z[i]) + stage.batch.shift[k];
  }
  return x;
}

/// Rounding of the two precisions, relative to the largest value of each array.
template <class S>
constexpr double forward_tolerance = sizeof(S) == 8 ? 1e-12 : 5e-6;
template <class S>
constexpr double gradient_tolerance = sizeof(S) == 8 ? 1e-11 : 5e-5;

template <class S>
void compare_forward(const std::string& name) {
  const Case c(name);
  auto graph = graph_of<S>(c);
  const auto parameters = core::to_device("test::parameters", cast<S>(c.flat("parameters", c.layout.parameters)));
  const auto world = parallel::Communicator::world();
  model::train_forward<S>(Exec(), world, graph, parameters, {.on = false});
  for (std::size_t layer = 0; layer < graph.hidden.size(); ++layer)
    EXPECT_LE(test::relative_error(after_norm(graph.hidden[layer].norm), c.values(fmt::format("x{}", layer))),
              forward_tolerance<S>);
  EXPECT_LE(test::relative_error(after_norm(graph.output), c.values("drive")), forward_tolerance<S>);

  const double loss =
      model::train_loss<S>(Exec(), world, graph, {.epsilon = c.number("epsilon"), .l1_output = c.number("l1_output")});
  EXPECT_LE(std::abs(loss - c.number("loss")), forward_tolerance<S> * std::abs(c.number("loss")));
  EXPECT_LE(test::relative_error(core::to_host(graph.rate), c.values("rate")), forward_tolerance<S>);
}

template <class S>
void compare_statistics(const std::string& name) {
  const Case c(name);
  auto graph = graph_of<S>(c);
  const auto parameters = core::to_device("test::parameters", cast<S>(c.flat("parameters", c.layout.parameters)));
  model::train_forward<S>(Exec(), parallel::Communicator::world(), graph, parameters, {.on = false});
  const auto batch = model::batch_statistics<S>(graph);
  const auto before = c.flat("statistics", c.layout.statistics), after = c.flat("statistics_after", c.layout.statistics);
  const double keep = c.architecture.norm_momentum;
  for (const ParameterEntry& entry : c.layout.statistics) {
    const bool hidden = entry.name.starts_with("hidden"), variance = entry.name.ends_with("variance");
    // The file's batch variance is biased; its count is that of one coefficient.
    const double values = static_cast<double>(
        graph.samples() * (hidden ? graph.hidden[static_cast<std::size_t>(entry.name[6] - '0')].norm.moments.share : 1));
    std::vector<double> expected = c.values("batch/" + entry.name), running;
    for (double& value : expected) value *= variance ? values / (values - 1) : 1.0;
    EXPECT_LE(test::relative_error(piece(batch, entry), expected), forward_tolerance<S>) << entry.name;
    for (std::size_t i = entry.offset; i < entry.offset + entry.size; ++i)
      running.push_back(keep * before[i] + (1 - keep) * batch[i]);
    EXPECT_LE(test::relative_error(running, piece(after, entry)), forward_tolerance<S>) << entry.name;
  }
}

template <class S>
std::vector<S> data_gradient(const Case& c, model::TrainGraph<S>& graph, const View1<S>& parameters) {
  const auto world = parallel::Communicator::world();
  std::vector<S> gradient;
  model::train_forward<S>(Exec(), world, graph, parameters, {.on = false});
  model::train_backward<S>(Exec(), world, graph, parameters, {.epsilon = c.number("epsilon"), .l1_output = c.number("l1_output")},
                           gradient);
  return gradient;
}

template <class S>
void compare_gradients(const std::string& name) {
  const Case c(name);
  auto graph = graph_of<S>(c);
  const auto values = c.flat("parameters", c.layout.parameters);
  const auto gradient = data_gradient<S>(c, graph, core::to_device("test::parameters", cast<S>(values)));
  // The file's gradients hold the penalty l2 sum w^2 too.
  const auto reference = c.flat("gradients", c.layout.parameters);
  double largest = 0;
  for (double value : reference) largest = std::max(largest, std::abs(value));
  for (const ParameterEntry& entry : c.layout.parameters) {
    std::vector<double> expected = piece(reference, entry);
    const auto w = piece(values, entry);
    for (std::size_t i = 0; i < w.size() && entry.weight_decay; ++i) expected[i] -= 2 * c.number("l2") * w[i];
    if (c.without_gradient(entry)) {
      EXPECT_LE(test::absolute_error(piece(gradient, entry), expected), gradient_tolerance<S> * largest) << entry.name;
    } else {
      EXPECT_LE(test::relative_error(piece(gradient, entry), expected), gradient_tolerance<S>) << entry.name;
    }
  }
}

/// Steps of Adam on the case's batch; returns the parameters.
template <class S>
std::vector<S> adam_steps(const Case& c, std::uint64_t steps) {
  TrainingSettings settings;
  settings.l2 = c.number("l2");
  auto graph = graph_of<S>(c);
  const auto parameters = core::to_device("test::parameters", cast<S>(c.flat("parameters", c.layout.parameters)));
  const Adam<S> adam = make_adam<S>(c.layout, settings);
  for (std::uint64_t step = 1; step <= steps; ++step) {
    const auto gradient = core::to_device("test::gradient", data_gradient<S>(c, graph, parameters));
    adam_step<S>(Exec(), settings.adam, c.number("learning_rate"), step, gradient, adam, parameters);
    Exec().fence("test::stepped");
  }
  return core::to_host(parameters);
}

/// A step moves a parameter by about the learning rate whatever its gradient, so rounding decides where the gradient itself is
/// rounding: only parameters whose first gradient is above `least` of the array's largest are compared.
template <class S>
void compare_adam(const std::string& name, std::uint64_t steps, double tolerance, double least) {
  const Case c(name);
  const auto moved = adam_steps<S>(c, steps);
  for (const ParameterEntry& entry : c.layout.parameters) {
    if (c.without_gradient(entry)) continue;
    const auto expected = c.values(fmt::format("adam{}/{}", steps, entry.name)), gradient = c.values("gradients/" + entry.name);
    double largest = 0, worst = 0;
    for (double value : gradient) largest = std::max(largest, std::abs(value));
    std::size_t compared = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (std::abs(gradient[i]) < least * largest) continue;
      const double error = std::abs(static_cast<double>(moved[entry.offset + i]) - expected[i]) / c.number("learning_rate");
      worst = std::isfinite(error) ? std::max(worst, error) : HUGE_VAL;
      ++compared;
    }
    EXPECT_LE(worst, tolerance) << entry.name;
    EXPECT_GE(static_cast<double>(compared), 0.8 * static_cast<double>(expected.size())) << entry.name;
  }
}

void compare_penalty(const std::string& name) {
  const Case c(name);
  TrainingSettings settings;
  settings.l2 = c.number("l2");
  const double penalty = l2_penalty(c.layout, settings, cast<float>(c.flat("parameters", c.layout.parameters)));
  EXPECT_LE(std::abs(penalty - c.number("penalty")), 1e-12 * c.number("penalty"));
}

class PyTorch : public testing::TestWithParam<std::string> {};
TEST_P(PyTorch, ForwardInDouble) { compare_forward<double>(GetParam()); }
TEST_P(PyTorch, ForwardInFloat) { compare_forward<float>(GetParam()); }
TEST_P(PyTorch, StatisticsInDouble) { compare_statistics<double>(GetParam()); }
TEST_P(PyTorch, StatisticsInFloat) { compare_statistics<float>(GetParam()); }
TEST_P(PyTorch, GradientsInDouble) { compare_gradients<double>(GetParam()); }
TEST_P(PyTorch, GradientsInFloat) { compare_gradients<float>(GetParam()); }
TEST_P(PyTorch, PenaltyOfKernels) { compare_penalty(GetParam()); }
// Errors in units of the learning rate.
TEST_P(PyTorch, AdamStepInDouble) { compare_adam<double>(GetParam(), 1, 1e-6, 0.0); }
TEST_P(PyTorch, ThreeAdamStepsInDouble) { compare_adam<double>(GetParam(), 3, 1e-6, 0.0); }
TEST_P(PyTorch, AdamStepInFloat) { compare_adam<float>(GetParam(), 1, 1e-3, 2e-3); }
INSTANTIATE_TEST_SUITE_P(Cases, PyTorch, testing::ValuesIn(case_names()), [](const auto& each) { return each.param; });

}  // namespace
}  // namespace amacrine::training
