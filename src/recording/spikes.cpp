// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/spikes.hpp"

#include "amacrine/core/random.hpp"

#include <algorithm>

namespace amacrine::recording {

std::vector<std::uint8_t> poisson_counts(const SpikeKey& key, std::size_t first, std::span<const double> rates_hz,
                                         double bin_ms) {
  core::require(key.cell < 4096 && key.repeat < 4096 && first + rates_hz.size() < (std::uint64_t{1} << 40),
                "cell {}, repeat {} or bin {} is beyond what a simulated recording can hold", key.cell, key.repeat, first);
  const core::Stream stream = key.test ? core::Stream::repeats : core::Stream::spikes;
  std::vector<std::uint8_t> counts;
  for (std::size_t i = 0; i < rates_hz.size(); ++i) {
    core::Random random(key.seed, stream, key.cell << 52 | key.repeat << 40 | (first + i));
    counts.push_back(static_cast<std::uint8_t>(std::min(255, random.poisson(rates_hz[i] * bin_ms / 1000.0))));
  }
  return counts;
}

}  // namespace amacrine::recording
