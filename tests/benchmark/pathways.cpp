// SPDX-License-Identifier: Apache-2.0
// What a start of a pathway model costs on a recording of 40 minutes: amacrine_benchmark_pathways [ROUNDS [PATHWAYS]]
#include "amacrine/core/log.hpp"
#include "amacrine/core/random.hpp"
#include "amacrine/parallel/environment.hpp"
#include "amacrine/pathway/screening.hpp"

#include <algorithm>
#include <cstdlib>

namespace amacrine::benchmark {
namespace {

/// White noise under the bumps, and spikes at random: what is computed does not depend on the values.
pathway::CellData made_data(const pathway::Bases& bases, std::size_t frames) {
  pathway::CellData data;
  data.frames = frames, data.bumps = bases.bumps();
  data.stimulus.resize(frames * data.bumps);
  data.counts.resize(frames);
  core::Random random(1, core::Stream::test);
  for (float& value : data.stimulus) value = static_cast<float>(random.uniform(-1, 1));
  for (float& count : data.counts) count = static_cast<float>(random.poisson(0.1));
  return data;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

template <class Work>
double seconds_of(int rounds, const Work& work) {
  std::vector<double> seconds;
  for (int round = 0; round < rounds; ++round) {
    const double start = core::wall_seconds();
    work();
    seconds.push_back(core::wall_seconds() - start);
  }
  return median(seconds);
}

void run(int rounds, std::size_t pathways) {
  constexpr std::size_t frames = 240'000, lags = 40;
  const pathway::PathwaySettings settings;
  const pathway::Bases bases = pathway::make_bases(settings, lags);
  const pathway::CellData data = made_data(bases, frames);
  const pathway::Problem problem{settings,
                                 bases,
                                 data,
                                 {bases.bumps(), bases.courses(), 30, 0.01},
                                 {{lags - 1, frames * 5 / 6}},
                                 {{frames * 5 / 6 + lags - 1, frames}}};
  pathway::Model model = pathway::constant_model(problem.shape, 10);
  const double screening = seconds_of(rounds, [&] { pathway::screen(problem, model, 6); });
  const auto candidates = pathway::screen(problem, model, pathways);
  for (const auto& candidate : candidates) model = pathway::with_pathway(model, candidate.pathway);
  const double start = seconds_of(rounds, [&] { pathway::optimise(problem, {model}, settings.long_steps, 1); });
  const std::vector<pathway::Model> six(6, model);
  const double together = seconds_of(rounds, [&] { pathway::optimise(problem, six, settings.short_steps, 1); });
  core::log("pathways screen_seconds {:.2f}", screening);
  core::log("pathways start_seconds {:.2f}", start);
  core::log("pathways six_short_starts_seconds {:.2f}", together);
}

}  // namespace
}  // namespace amacrine::benchmark

int main(int argc, char** argv) {
  const amacrine::parallel::Environment environment(argc, argv);
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 5, pathways = argc > 2 ? std::max(1, std::atoi(argv[2])) : 3;
  amacrine::benchmark::run(rounds, static_cast<std::size_t>(pathways));
}
