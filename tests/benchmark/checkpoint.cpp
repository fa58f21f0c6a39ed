// SPDX-License-Identifier: Apache-2.0
// amacrine_benchmark_checkpoint FOLDER [ROUNDS]: what a checkpoint of BN-CNN (40 x 50 x 50, per-unit norm, 5 cells) costs,
// written to FOLDER with its fsync as `amacrine train` does, and the share of the training that is at the default interval.
#include "amacrine/training/checkpoint.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/parallel/environment.hpp"
#include "amacrine/training/settings.hpp"
#include "training_step.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

using namespace amacrine;

namespace {

/// As large as that of a training under way: last and best parameters, both moments of Adam, and a learning curve of 100 epochs.
training::TrainState state_of(const model::Architecture& architecture) {
  const model::ParameterLayout layout = model::make_layout(architecture);
  training::TrainState state;
  state.parameters.assign(layout.parameter_count, 0.5F);
  state.first = state.second = state.best_parameters = state.parameters;
  state.statistics.assign(layout.statistic_count, 0.25);
  state.best_statistics.assign(layout.statistic_count, 0.25F);
  state.curve.resize(100);
  return state;
}

void measure(const std::string& folder, int rounds) {
  const parallel::Communicator self = parallel::Communicator::self();
  const training::TrainState state = state_of(benchmark::bn_cnn(5, model::Norm::per_unit));
  const std::string path = folder + "/benchmark.checkpoint";
  std::vector<double> seconds;
  for (int round = -2; round < rounds; ++round) {  // the first ones make the file and its predecessor
    const double start = core::wall_seconds();
    training::write_checkpoint(self, path, state, "a benchmark");
    if (round >= 0) seconds.push_back(core::wall_seconds() - start);
  }
  const auto bytes = static_cast<double>(std::filesystem::file_size(path));
  for (const std::string& file : training::checkpoint_files(path)) std::filesystem::remove(file);
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2], minutes = training::TrainingSettings{}.checkpoint_minutes;
  std::printf("checkpoint of %s: median %.1f ms, %.1f to %.1f ms over %d rounds; every %g minutes: %.4f %% of the time\n",
              core::human_bytes(bytes).c_str(), 1e3 * median, 1e3 * seconds.front(), 1e3 * seconds.back(), rounds, minutes,
              100 * median / (60 * minutes));
}

}  // namespace

int main(int argc, char** argv) {
  const parallel::Environment environment(argc, argv);
  return parallel::run_guarded([&] {
    core::require<core::StudyError>(argc > 1, "usage: amacrine_benchmark_checkpoint FOLDER [ROUNDS]");
    measure(argv[1], argc > 2 ? std::max(1, std::atoi(argv[2])) : 21);
    return 0;
  });
}
