// SPDX-License-Identifier: Apache-2.0
#include "peaks.hpp"

#include "amacrine/core/lanes.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/core/views.hpp"

#include <algorithm>

namespace amacrine::benchmark {

using core::Exec;
using core::Lanes;

constexpr int chains = 12;       ///< independent sums, enough to cover the latency of two multiply-add units
constexpr long rounds = 40'000;  ///< multiply-adds of a chain

/// Seconds of one pass of multiply-adds by `items` work items.
double multiply_adds(const Exec& exec, long items, const core::View1<float>& out) {
  const double start = core::wall_seconds();
  Kokkos::parallel_for(
      "benchmark::multiply_adds", Kokkos::RangePolicy<Exec>(exec, 0, items), KOKKOS_LAMBDA(const long item) {
        Lanes<float> sum[chains];
        for (int c = 0; c < chains; ++c) sum[c] = Lanes<float>(static_cast<float>(item + c));
        const Lanes<float> factor(0.999f), term(0.001f);
        for (long r = 0; r < rounds; ++r)
          for (int c = 0; c < chains; ++c) sum[c] = Kokkos::fma(sum[c], factor, term);
        Lanes<float> all(0.0f);
        for (int c = 0; c < chains; ++c) all = all + sum[c];
        core::store_lanes<float>(all, out.data() + item * core::lane_count<float>);
      });
  exec.fence("benchmark::multiply_adds");
  return core::wall_seconds() - start;
}

double triad(const Exec& exec, const core::View1<float>& a, const core::View1<float>& b, const core::View1<float>& c) {
  const double start = core::wall_seconds();
  Kokkos::parallel_for(
      "benchmark::triad", Kokkos::RangePolicy<Exec>(exec, 0, a.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i) { a(i) = b(i) + 0.5f * c(i); });
  exec.fence("benchmark::triad");
  return core::wall_seconds() - start;
}

Peaks measure_peaks() {
  const Exec exec;
  const long items = core::detail::exec_is_host ? exec.concurrency() : 64L * 1024;
  const core::View1<float> out("benchmark::out", static_cast<std::size_t>(items * core::lane_count<float>));
  const std::size_t length = 16'000'000;  // 64 MB each
  const core::View1<float> a("benchmark::a", length), b("benchmark::b", length), c("benchmark::c", length);
  double compute = 1e30, memory = 1e30;
  for (int round = 0; round < 6; ++round) {  // the first warms up, and can only be slower
    compute = std::min(compute, multiply_adds(exec, items, out));
    memory = std::min(memory, triad(exec, a, b, c));
  }
  const double flops = 2.0 * chains * static_cast<double>(rounds * items * core::lane_count<float>);
  return {flops / compute, 3.0 * sizeof(float) * static_cast<double>(length) / memory};
}

}  // namespace amacrine::benchmark
