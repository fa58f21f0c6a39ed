// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace amacrine::benchmark {

/// What this machine does at best, measured now, on all threads: float32 multiply-adds on registers (2 FLOP each) and the bytes
/// of a triad a = b + s c over arrays larger than the private caches.
struct Peaks {
  double flops = 0, bytes = 0;  ///< per second
};
Peaks measure_peaks();

}  // namespace amacrine::benchmark
