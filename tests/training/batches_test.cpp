// SPDX-License-Identifier: Apache-2.0
// Batches gathered from a movie, frame by frame against the movie itself.
#include "amacrine/training/batches.hpp"

#include "amacrine/core/random.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/training/initialise.hpp"
#include "synthetic.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace {

using namespace amacrine;
using namespace amacrine::training;

struct Shape {
  std::size_t runs, windows, spacing;
  int history;
};

class Batches : public testing::TestWithParam<Shape> {};

/// What window b of a run sees at lag l is the movie's frame first + spacing b - minimum lag - (history - 1) + l, and its target
/// the bin first + spacing b.
TEST_P(Batches, WindowsSeeTheirFramesAndTargets) {
  const auto& [runs, windows, spacing, history] = GetParam();
  constexpr std::size_t lag = 1, side = 13;  // 169 pixels: whole tiles and a rest
  const recording::Recording recording = synthetic::make_recording(700, 2, 5, side);
  TrainingRun run = synthetic::make_run(recording);
  run.architecture.history = history;
  const model::ConvEngine engine = windows * spacing > 40 ? model::ConvEngine::direct : model::ConvEngine::spectral;
  const model::BatchLayout layout =
      model::batch_layout(run.architecture, {runs, {windows, spacing}, 1}, model::GraphUse::training, engine);
  auto graph =
      model::make_train_graph<float>(run.architecture, layout, {0, layout.segments.count}, model::GraphUse::training, engine);
  const auto normalisation = recording::fit_normalisation(recording.train.movie, recording.coding, "scalar");
  const BatchSource source(recording, normalisation, static_cast<std::size_t>(history), lag);
  std::vector<std::size_t> first;
  for (std::size_t r = 0; r < runs; ++r) first.push_back(static_cast<std::size_t>(history) + 3 + 29 * r % 200);
  const core::Exec exec;
  source.fill(exec, first, graph);
  const std::vector<float> frames = core::to_host(graph.frames), target = core::to_host(graph.target);
  const auto& movie = std::get<core::SharedArray<std::uint8_t, 3>>(recording.train.movie.pixels);
  const std::size_t T = static_cast<std::size_t>(history), phase = windows + (T + spacing - 1) / spacing - 1;
  const std::size_t per_run = spacing * phase, per_segment = graph.runs * per_run;
  ASSERT_EQ(graph.frames.extent(3), per_segment);
  for (std::size_t r = 0; r < runs; ++r)
    for (std::size_t b = 0; b < windows; ++b) {
      for (std::size_t l = 0; l < T; ++l)
        for (std::size_t p = 0; p < side * side; ++p) {
          const double pixel = movie(first[r] + spacing * b - lag - (T - 1) + l, p / side, p % side);
          const double expected =
              ((pixel - recording.coding.zero) / recording.coding.unit - normalisation.mean[0]) / normalisation.scale[0];
          const std::size_t f = spacing * b + l;
          const float found = frames[(r / graph.runs * side * side + p) * per_segment + r % graph.runs * per_run +
                                     f % spacing * phase + f / spacing];
          ASSERT_TRUE(std::abs(static_cast<double>(found) - expected) <= 1e-5)
              << "run " << r << " window " << b << " lag " << l << " pixel " << p << ": " << found << " " << expected;
        }
      for (std::size_t n = 0; n < 2; ++n)
        ASSERT_EQ(target[(r / graph.runs * 2 + n) * graph.windows + r % graph.runs * windows + b],
                  recording.train.target(n, first[r] + spacing * b));
    }
}

struct Step {
  std::vector<float> drive, gradient;
  double loss = 0;
};

Step step_of(const TrainingRun& run, const BatchSource& source, const std::vector<std::size_t>& first, const Shape& shape,
             model::FrameRoom room) {
  constexpr model::ConvEngine engine = model::ConvEngine::spectral;
  const model::BatchLayout layout =
      model::batch_layout(run.architecture, {shape.runs, {shape.windows, shape.spacing}, 1}, model::GraphUse::training, engine);
  auto graph = model::make_train_graph<float>(run.architecture, layout, {0, layout.segments.count}, model::GraphUse::training,
                                              engine, room);
  EXPECT_EQ(graph.holds_frames(), room == model::FrameRoom::held || !model::planes_fuse);
  const core::Exec exec;
  const parallel::Communicator self = parallel::Communicator::self();
  source.fill(exec, first, graph);
  const auto parameters =
      core::to_device("test::parameters", initial_parameters(run.architecture, model::make_layout(run.architecture), 3));
  Step step;
  model::train_forward(exec, self, graph, parameters, {true, 3, 1});
  step.drive = core::to_host(graph.output.z);
  step.loss = model::train_backward(exec, self, graph, parameters, {}, step.gradient);
  return step;
}

/// Frames that are written on the way to their transform give the step the bits that frames in memory give it: with registers
/// that are full and such that are not, of bytes and of floats.
TEST(FramesOnTheWay, GiveTheSameBits) {
  constexpr std::size_t side = 13;
  for (const bool floats : {false, true})
    for (const Shape& shape : {Shape{4, 4, 4, 40}, Shape{6, 8, 1, 40}, Shape{3, 5, 3, 21}}) {
      recording::Recording recording = synthetic::make_recording(400, 2, 5, side);
      if (floats) {
        const auto& bytes = std::get<core::SharedArray<std::uint8_t, 3>>(recording.train.movie.pixels);
        core::Array<float, 3> pixels({bytes.extent(0), side, side});
        std::copy(bytes.values().begin(), bytes.values().end(), pixels.values().begin());
        recording.train.movie.pixels = std::move(pixels);
      }
      TrainingRun run = synthetic::make_run(recording);
      run.architecture.history = shape.history;
      const auto normalisation = recording::fit_normalisation(recording.train.movie, recording.coding, "per_pixel");
      const BatchSource source(recording, normalisation, static_cast<std::size_t>(shape.history), 0);
      std::vector<std::size_t> first;
      for (std::size_t r = 0; r < shape.runs; ++r) first.push_back(static_cast<std::size_t>(shape.history) + 3 + 41 * r);
      const Step held = step_of(run, source, first, shape, model::FrameRoom::held),
                 written = step_of(run, source, first, shape, model::FrameRoom::fused);
      EXPECT_TRUE(std::isfinite(held.loss));
      EXPECT_EQ(held.loss, written.loss);
      EXPECT_EQ(held.drive, written.drive);
      EXPECT_EQ(held.gradient, written.gradient);
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Batches,
                         testing::Values(Shape{4, 8, 1, 40}, Shape{4, 8, 4, 40}, Shape{3, 8, 5, 40}, Shape{2, 5, 7, 9},
                                         Shape{6, 3, 4, 6}, Shape{1, 100, 2, 17}, Shape{2, 33, 4, 30}));

}  // namespace
