// SPDX-License-Identifier: Apache-2.0
// amacrine_benchmark_together [ROUNDS [STEPS]]: windows x models per second where 1, 2, 4 and 8 models of BN-CNN train together
// on one movie, batches of the default shape, in interleaved rounds; then what stacking the models' channels in one first-layer
// kernel would give.
#include "amacrine/core/log.hpp"
#include "amacrine/model/spectral.hpp"
#include "amacrine/parallel/environment.hpp"
#include "training_step.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

using namespace amacrine;

namespace {

constexpr std::size_t group_sizes[] = {1, 2, 4, 8};

/// Median, smallest and largest.
void print_row(const char* what, std::size_t models, std::vector<double> values, double reference) {
  std::sort(values.begin(), values.end());
  const double median = values[values.size() / 2];
  std::printf("%s %zu %.1f %.1f %.1f  %.3f\n", what, models, median, values.front(), values.back(), median / reference);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void time_groups(int rounds, int steps) {
  const recording::Recording recording = benchmark::noise_recording(20'000, 5);
  const training::TrainingSettings batch;
  std::vector<std::unique_ptr<benchmark::TrainingStep>> groups;
  for (const std::size_t models : group_sizes)
    groups.push_back(std::make_unique<benchmark::TrainingStep>(recording, benchmark::bn_cnn(5, model::Norm::per_unit),
                                                               batch.segments, batch.run(), models));
  std::vector<std::vector<double>> rates(groups.size());
  for (int round = -1; round < rounds; ++round)  // the first one warms up
    for (std::size_t i = 0; i < groups.size(); ++i) {
      const int count = std::max(1, steps / static_cast<int>(group_sizes[i]));
      const double start = core::wall_seconds();
      for (int step = 0; step < count; ++step) {
        const double loss = (*groups[i])();
        core::require(std::isfinite(loss), "the loss became {}", loss);
      }
      if (round >= 0) rates[i].push_back(groups[i]->windows() * count / (core::wall_seconds() - start));
    }
  std::printf("windows x models per second: models, median, smallest, largest, of one model alone\n");
  for (std::size_t i = 0; i < groups.size(); ++i) print_row("together", group_sizes[i], rates[i], median(rates[0]));
}

/// The first layer of `models` models: forward and kernel gradient with 8 channels each, in turn on kept spectra, or stacked in
/// one engine. Microseconds per window and model.
double first_layer_time(std::size_t models, bool stacked, int steps) {
  const model::SegmentShape shape(16, 2);
  const std::size_t windows = shape.windows;
  constexpr std::size_t segments = 32, channels = 8, history = 40, kernel = 15, side = 50, out = side - kernel + 1;
  const std::size_t width = channels * (stacked ? models : 1), turns = stacked ? 1 : models;
  model::SpectralTemporalConv<float> engine(segments, width, history, kernel, kernel, side, side, shape);
  const core::View4<float> frames("benchmark::frames", segments, side, side, shape.frames(history)),
      weights("benchmark::kernel", width, history, kernel, kernel);
  const core::View5<float> z("benchmark::z", segments, width, out, out, windows),
      gradient("benchmark::d_kernel", segments, width, history, kernel, kernel);
  const core::Exec exec;
  Kokkos::deep_copy(frames, 0.5F);
  Kokkos::deep_copy(weights, 0.01F);
  double start = 0;
  for (int step = -1; step < steps; ++step) {
    if (step == 0) start = core::wall_seconds();
    for (std::size_t turn = 0; turn < turns; ++turn) {
      engine.set_kernel(exec, weights);
      engine.forward(exec, frames, z, turn == 0 ? model::FrameSpectra::fresh : model::FrameSpectra::kept);
      engine.kernel_gradient(exec, z, gradient);
    }
    exec.fence("benchmark::first_layer");
  }
  return (core::wall_seconds() - start) / (static_cast<double>(steps) * segments * windows * static_cast<double>(models)) * 1e6;
}

void time_stacking(int rounds) {
  std::printf("first layer, microseconds per window and model: models, in turn, stacked\n");
  for (const std::size_t models : {1u, 2u, 4u}) {
    std::vector<double> turns, stacks;
    for (int round = 0; round < rounds; ++round) {
      turns.push_back(first_layer_time(models, false, 3));
      stacks.push_back(first_layer_time(models, true, 3));
    }
    std::printf("stacking %zu %.2f %.2f\n", models, median(turns), median(stacks));
  }
}

}  // namespace

int main(int argc, char** argv) {
  parallel::Environment environment(argc, argv);
  return parallel::run_guarded([&] {
    const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 7, steps = argc > 2 ? std::max(1, std::atoi(argv[2])) : 16;
    std::printf("%s, %d threads\n", parallel::device_name().c_str(), parallel::thread_count());
    time_groups(rounds, steps);
    time_stacking(rounds);
    return 0;
  });
}
