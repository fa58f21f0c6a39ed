// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/log.hpp"
#include "amacrine/core/random.hpp"
#include "amacrine/training/trainer.hpp"

#include <algorithm>
#include <cmath>

/// A small recording in memory whose cells are known: rate = relu of one filter on white noise, Poisson spikes per 10 ms bin.
namespace amacrine::training::synthetic {

inline recording::Recording make_recording(std::size_t frames, std::size_t cells, std::uint64_t seed, std::size_t side = 12) {
  recording::Recording r;
  r.path = "synthetic";
  r.target_kind = "binned";
  r.screen.height = r.screen.width = static_cast<int>(side);
  r.block_starts = {0};
  core::Array<std::uint8_t, 3> movie({frames, side, side});
  core::Random pixels(seed, core::Stream::test, 1), spikes(seed, core::Stream::test, 2);
  for (std::uint8_t& value : movie.values())
    value = static_cast<std::uint8_t>(std::clamp(std::lround(127.0 + 42.0 * pixels.normal()), 0L, 255L));
  r.train.target = core::Array<float, 2>({cells, frames});
  r.train.noiseless = core::Array<float, 2>({cells, frames});
  for (std::size_t n = 0; n < cells; ++n) {
    r.cells.push_back({});
    r.cells.back().id = static_cast<int>(n);
    r.cells.back().name = "cell" + std::to_string(n);
    for (std::size_t t = 0; t < frames; ++t) {
      double drive = 0;  // 3 x 3 pixels, two frames back against four frames back
      for (std::size_t y = 4; y < 7; ++y)
        for (std::size_t x = 3 + n; x < 6 + n; ++x) {
          if (t >= 2) drive += static_cast<double>(movie(t - 2, y, x)) - 127.0;
          if (t >= 4) drive -= static_cast<double>(movie(t - 4, y, x)) - 127.0;
        }
      const double rate = 30.0 * std::max(0.0, drive / (42.0 * 4.2) * (n % 2 == 0 ? 1.0 : -1.0));
      r.train.noiseless(n, t) = static_cast<float>(rate);
      r.train.target(n, t) = 100.0F * static_cast<float>(spikes.poisson(rate / 100.0));
    }
  }
  r.train.movie.pixels = std::move(movie);
  return r;
}

inline TrainingRun make_run(const recording::Recording& recording) {
  core::set_log_level("quiet");
  TrainingRun run{recording, {}, {}, {}, "network", {}, {}, {}};
  run.recording_settings.validation_fraction = 0.2;
  run.architecture.history = 6;
  run.architecture.height = recording.screen.height, run.architecture.width = recording.screen.width;
  run.architecture.hidden = {{2, 5, 5}, {2, 3, 3}};
  run.architecture.cells = static_cast<int>(recording.cells.size());
  run.settings.segments = 4, run.settings.windows = 10;
  run.settings.epoch_windows = 400, run.settings.total_windows = 1200;
  run.settings.statistics_windows = 200;
  return run;
}

}  // namespace amacrine::training::synthetic
