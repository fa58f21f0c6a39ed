// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/array.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace amacrine::recording {

/// The lab's smoothing widths, ms.
inline constexpr std::array<int, 3> smoothing_ms{5, 10, 20};

/// Which spike train: its random numbers depend on these and the bin only.
struct SpikeKey {
  std::uint64_t seed = 1;
  std::uint64_t cell = 0;
  bool test = false;
  std::uint64_t repeat = 0;
};

/// Poisson counts of bins [first, first + rates.size()), mean = rate (Hz) x bin (ms) / 1000.
std::vector<std::uint8_t> poisson_counts(const SpikeKey& key, std::size_t first, std::span<const double> rates_hz, double bin_ms);

}  // namespace amacrine::recording
