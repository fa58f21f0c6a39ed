// SPDX-License-Identifier: Apache-2.0
// amacrine_benchmark_training [--norm per_unit|per_channel] [--segments G] [--windows B] [--spacing D] [--steps K] [--profile]:
// windows per second of K training steps of BN-CNN (40 x 50 x 50, 5 cells) at a batch of G segments x B windows, each D frames
// after the one before, after two steps that warm up.
// --profile adds the time of every kernel against its roofline.
#include "amacrine/core/log.hpp"
#include "amacrine/parallel/environment.hpp"
#include "kernel_times.hpp"
#include "kernel_work.hpp"
#include "peaks.hpp"
#include "training_step.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

using namespace amacrine;

namespace {

struct Options {
  model::Norm norm = model::Norm::per_unit;
  std::size_t segments = training::TrainingSettings{}.segments, windows = training::TrainingSettings{}.windows,
              spacing = training::TrainingSettings{}.spacing;
  int steps = 20;
  bool profile = false;
};

std::size_t positive(const char* word) { return static_cast<std::size_t>(std::max(1, std::atoi(word))); }

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--profile") {
      options.profile = true;
    } else if (word == "--norm" && i + 1 < argc) {
      const std::string norm = argv[++i];
      core::require<core::StudyError>(norm == "per_unit" || norm == "per_channel", "--norm is per_unit or per_channel, not '{}'",
                                      norm);
      options.norm = norm == "per_unit" ? model::Norm::per_unit : model::Norm::per_channel;
    } else if (word == "--segments" && i + 1 < argc) {
      options.segments = positive(argv[++i]);
    } else if (word == "--windows" && i + 1 < argc) {
      options.windows = positive(argv[++i]);
    } else if (word == "--spacing" && i + 1 < argc) {
      options.spacing = positive(argv[++i]);
    } else if (word == "--steps" && i + 1 < argc) {
      options.steps = static_cast<int>(positive(argv[++i]));
    } else {
      core::fail<core::StudyError>("amacrine_benchmark_training does not know '{}'", word);
    }
  }
  return options;
}

double seconds_of(benchmark::TrainingStep& step, int steps) {
  double loss = 0;
  const double start = core::wall_seconds();
  for (int i = 0; i < steps; ++i) loss = step();
  core::require(std::isfinite(loss), "the loss became {}", loss);
  return core::wall_seconds() - start;
}

/// One line per launch label: microseconds per window, launches a step, what it does, and the fraction of the peak that bounds
/// it.
void print_profile(benchmark::TrainingStep& step, int steps) {
  const benchmark::Peaks peaks = benchmark::measure_peaks();
  benchmark::start_kernel_times();
  const double total = seconds_of(step, steps);
  const auto times = benchmark::stop_kernel_times();
  const model::TrainGraph<float>& graph = step.graph();
  const auto works = benchmark::work_of_step(graph.architecture, graph.segments(), graph.shape());
  std::vector<std::pair<std::string, benchmark::KernelTime>> sorted(times.begin(), times.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  std::printf("peaks: %.0f GFLOP/s of float32 multiply-adds, %.1f GB/s of a triad\n", peaks.flops * 1e-9, peaks.bytes * 1e-9);
  std::printf("%-40s %9s %8s %8s %8s %8s %8s  %s\n", "kernel", "us/window", "launches", "MFLOP", "MB", "GFLOP/s", "GB/s",
              "of roofline");
  const double windows = step.windows() * steps;
  double inside = 0;
  for (const auto& [label, time] : sorted) {
    inside += time.seconds;
    const auto found = works.find(label);
    const benchmark::Work work = found == works.end() ? benchmark::Work{} : found->second;
    const double each = time.seconds / steps, bound = std::max(work.flops / peaks.flops, work.bytes / peaks.bytes);
    std::printf("%-40s %9.2f %8zu %8.1f %8.1f %8.1f %8.1f  ", label.c_str(), time.seconds / windows * 1e6,
                time.launches / static_cast<std::size_t>(steps), work.flops * 1e-6, work.bytes * 1e-6, work.flops / each * 1e-9,
                work.bytes / each * 1e-9);
    if (found == works.end()) {
      std::printf("\n");
    } else {
      std::printf("%3.0f %% (%s)\n", 100 * bound / each,
                  work.flops / peaks.flops > work.bytes / peaks.bytes ? "arithmetic" : "memory");
    }
  }
  std::printf("%-40s %9.2f\n", "host, between kernels", (total - inside) / windows * 1e6);
  std::printf("%-40s %9.2f\n", "together", total / windows * 1e6);
}

int run(const Options& options) {
  constexpr std::size_t cells = 5, frames = 20'000;
  const recording::Recording recording = benchmark::noise_recording(frames, cells);
  benchmark::TrainingStep step(recording, benchmark::bn_cnn(static_cast<int>(cells), options.norm), options.segments,
                               {options.windows, options.spacing});
  seconds_of(step, 2);
  const double seconds = seconds_of(step, options.steps);
  std::printf("%s, %d threads; %s\n", parallel::device_name().c_str(), parallel::thread_count(),
              model::describe_engines(step.graph()).c_str());
  if (options.profile) print_profile(step, std::max(3, options.steps / 2));
  std::printf("windows_per_second %.1f\n", step.windows() * options.steps / seconds);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  parallel::Environment environment(argc, argv);
  return parallel::run_guarded([&] { return run(read_options(argc, argv)); });
}
