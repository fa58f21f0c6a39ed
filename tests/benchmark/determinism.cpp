// SPDX-License-Identifier: Apache-2.0
// amacrine_benchmark_determinism [ROUNDS]: what the same bits on any number of ranks and threads cost a training step of BN-CNN
// on one rank. A step keeps each segment's statistics and gradients apart and sums them in order, in double. One free sum would
// add the segments' spectra up inside the multiply, go back to taps once, and leave the rest to reductions.
#include "amacrine/core/log.hpp"
#include "amacrine/parallel/environment.hpp"
#include "kernel_times.hpp"
#include "spectral_transform.hpp"
#include "training_step.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

using namespace amacrine;

namespace {

template <class Body>
double median_seconds(int rounds, const Body& body) {
  std::vector<double> all;
  for (int round = -1; round < rounds; ++round) {  // the first one warms up
    const double start = core::wall_seconds();
    body();
    if (round >= 0) all.push_back(core::wall_seconds() - start);
  }
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

/// A layer's kernel gradients: `count` of a batch, planes of lags or channel pairs.
struct Gradient {
  std::size_t count;
  int length, planes, kernel, lanes, padded;
};

/// From spectra to taps, for `count` segments.
double inverse_seconds(const Gradient& g, std::size_t count, int rounds) {
  const std::size_t planes = static_cast<std::size_t>(g.planes) * count;
  const core::View1<float> spectra("benchmark::spectra",
                                   planes * model::spectral::frequencies(g.length) * 2 * static_cast<std::size_t>(g.padded)),
      taps("benchmark::taps", planes * static_cast<std::size_t>(g.kernel * g.kernel * g.lanes));
  const core::Exec exec;
  return median_seconds(rounds, [&] {
    model::spectral::inverse(exec, g.length, spectra.data(), g.padded, static_cast<int>(planes), taps.data(), g.kernel, g.kernel,
                             g.lanes);
    exec.fence("benchmark::inverse");
  });
}

void measure(int rounds) {
  const recording::Recording recording = benchmark::noise_recording(20'000, 5);
  const training::TrainingSettings batch;
  benchmark::TrainingStep step(recording, benchmark::bn_cnn(5, model::Norm::per_unit), batch.segments, batch.run());
  const double whole = median_seconds(4 * rounds, [&] { step(); });
  benchmark::start_kernel_times();
  for (int i = 0; i < rounds; ++i) step();
  auto times = benchmark::stop_kernel_times();
  const double sums = times["model::sum_shards"].seconds / rounds;
  double inverses = 0;
  const std::size_t segments = step.graph().shards, sums_of_first = segments / step.graph().together;
  for (const Gradient& layer : {Gradient{sums_of_first, 50, 8, 15, 40, 48}, Gradient{segments, 36, 1, 11, 64, 64}})
    inverses += inverse_seconds(layer, layer.count, 4 * rounds) - inverse_seconds(layer, 1, 4 * rounds);
  const auto print = [&](const char* what, double seconds) {
    std::printf("%-52s %7.2f us/window %6.2f %%\n", what, seconds / step.windows() * 1e6, 100 * seconds / whole);
  };
  print("step", whole);
  print("sums over segments, in order", sums);
  print("transforms to taps instead of one per layer", inverses);
}

}  // namespace

int main(int argc, char** argv) {
  parallel::Environment environment(argc, argv);
  return parallel::run_guarded([&] {
    std::printf("%s, %d threads\n", parallel::device_name().c_str(), parallel::thread_count());
    measure(argc > 1 ? std::max(1, std::atoi(argv[1])) : 10);
    return 0;
  });
}
