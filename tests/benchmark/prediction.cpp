// SPDX-License-Identifier: Apache-2.0
// amacrine_benchmark_prediction [ROUNDS]: frames per second that BN-CNN predicts of a resident movie, 5 cells, and the seconds an
// hour of 360,000 frames takes at that.
#include "amacrine/core/log.hpp"
#include "amacrine/model/inference.hpp"
#include "amacrine/parallel/environment.hpp"
#include "amacrine/training/initialise.hpp"
#include "training_step.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

using namespace amacrine;

namespace {

model::Model untrained(model::Norm norm) {
  model::Model model;
  model.architecture = benchmark::bn_cnn(5, norm);
  const model::ParameterLayout layout = model::make_layout(model.architecture);
  model.parameters = training::initial_parameters(model.architecture, layout, 1);
  const std::vector<double> statistics = training::initial_statistics(layout);
  model.statistics.assign(statistics.begin(), statistics.end());
  model.cells.resize(5);
  return model;
}

void time_prediction(const recording::Recording& recording, const char* name, model::Norm norm, int rounds) {
  const auto network = model::make_inference<float>(untrained(norm));
  const std::size_t frames = recording.train.movie.frames();
  std::vector<double> rates;
  for (int round = -1; round < rounds; ++round) {  // the first one warms up
    const double start = core::wall_seconds();
    const auto predicted =
        model::predict(parallel::Communicator::world(), network, recording.train.movie, recording.coding, 0, frames);
    core::require(std::isfinite(predicted(0, frames - 1)), "the last rate is {}", predicted(0, frames - 1));
    if (round >= 0) rates.push_back(static_cast<double>(frames) / (core::wall_seconds() - start));
  }
  std::sort(rates.begin(), rates.end());
  const double median = rates[rates.size() / 2];
  std::printf("prediction %s %.0f %.0f %.0f frames/s; an hour in %.1f s\n", name, median, rates.front(), rates.back(),
              360'000 / median);
}

}  // namespace

int main(int argc, char** argv) {
  parallel::Environment environment(argc, argv);
  return parallel::run_guarded([&] {
    const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 5;
    const recording::Recording recording = benchmark::noise_recording(20'000, 5);
    std::printf("%s, %d threads; median, slowest, fastest of %d\n", parallel::device_name().c_str(), parallel::thread_count(),
                rounds);
    time_prediction(recording, "per_unit", model::Norm::per_unit, rounds);
    time_prediction(recording, "per_channel", model::Norm::per_channel, rounds);
    return 0;
  });
}
