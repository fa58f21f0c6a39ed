// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

#include <Random123/philox.h>

/// Counter-based random numbers: a value depends on its key and its counter only, never on rank, thread or order of calls.
namespace amacrine::core {

/// What a stream of random numbers is for; part of the key, so that streams never overlap.
enum class Stream : std::uint32_t {
  image = 1,
  fixation,
  full_field,
  checks,
  spikes,
  repeats,
  segments,
  weights,
  noise,
  bootstrap,
  probe,
  test,
  sweep,
  pathways,
  lesions
};

/// A stream of random numbers keyed by (seed, purpose, id). Host use.
class Random {
 public:
  Random(std::uint64_t seed, Stream stream, std::uint64_t id = 0)
      : key_{{static_cast<std::uint32_t>(seed),
              static_cast<std::uint32_t>(seed >> 32) ^ (static_cast<std::uint32_t>(stream) * 0x9E3779B9u)}},
        counter_{{0, 0, static_cast<std::uint32_t>(id), static_cast<std::uint32_t>(id >> 32)}} {}

  std::uint32_t bits() {
    if (left_ == 0) {
      block_ = r123::Philox4x32()(counter_, key_);
      if (++counter_[0] == 0) ++counter_[1];
      left_ = 4;
    }
    return block_[4 - left_--];
  }
  /// Uniform on [0, 1), 53 bits.
  double uniform() {
    const std::uint64_t high = bits() >> 5, low = bits() >> 6;
    return static_cast<double>((high << 26) | low) * 0x1p-53;
  }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform integer in [0, n), n < 2^32; unbiased to 2^-32.
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>((static_cast<std::uint64_t>(bits()) * n) >> 32); }
  /// Standard normal deviate (Box and Muller).
  double normal() {
    if (spare_) {
      spare_ = false;
      return kept_;
    }
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform())), angle = 6.283185307179586 * uniform();
    kept_ = radius * std::sin(angle);
    spare_ = true;
    return radius * std::cos(angle);
  }
  /// Poisson deviate by inversion, for means of at most a few hundred.
  int poisson(double mean) {
    double term = std::exp(-mean), sum = term;
    const double u = uniform();
    int k = 0;
    while (u > sum && k < 10000) {
      ++k;
      term *= mean / k;
      sum += term;
    }
    return k;
  }

 private:
  r123::Philox4x32::key_type key_;
  r123::Philox4x32::ctr_type counter_;
  r123::Philox4x32::ctr_type block_{};
  int left_ = 0;
  bool spare_ = false;
  double kept_ = 0;
};

}  // namespace amacrine::core
