// SPDX-License-Identifier: Apache-2.0
// amacrine_benchmark_kernels [segments] [windows] [rounds]: times each convolution kernel of the 40 x 50 x 50 network
// (8 @ 15 x 15, 8 @ 11 x 11) and prints time per window, multiply-adds per second and the windows/s their sum allows.
#include "amacrine/model/kernels.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/core/random.hpp"
#include "amacrine/parallel/environment.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

using namespace amacrine;

namespace {

template <class V>
void fill(const V& view, std::uint64_t id) {
  Kokkos::View<float*, Kokkos::HostSpace> host("benchmark::host", view.size());
  core::Random random(1, core::Stream::test, id);
  for (std::size_t n = 0; n < view.size(); ++n) host(n) = static_cast<float>(random.uniform(-1, 1));
  Kokkos::deep_copy(core::View1<float>(view.data(), view.size()), host);
}

struct Timing {
  std::string name;
  double multiply_adds;  ///< of one window
  std::function<void()> work;
  std::vector<double> seconds{};
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

int run(std::size_t G, std::size_t B, int rounds) {
  const core::Exec exec;
  const double layer1 = 8.0 * 36 * 36 * 40 * 225, layer2 = 8.0 * 26 * 26 * 8 * 121, windows = static_cast<double>(G * B);
  core::View4<float> frames("frames", G, 50, 50, B + 39), kernel1("kernel1", 8, 40, 15, 15), kernel2("kernel2", 8, 8, 11, 11);
  core::View5<float> out1("out1", G, 8, 36, 36, B), d_out1("d_out1", G, 8, 36, 36, B), d_kernel1("d_kernel1", G, 8, 40, 15, 15);
  core::View5<float> out2("out2", G, 8, 26, 26, B), d_out2("d_out2", G, 8, 26, 26, B), d_kernel2("d_kernel2", G, 8, 8, 11, 11);
  fill(frames, 1), fill(kernel1, 2), fill(kernel2, 3), fill(d_out1, 4), fill(d_out2, 5);
  std::vector<Timing> timings{
      {"layer 1 forward", layer1, [&] { model::temporal_conv_forward(exec, frames, kernel1, out1); }},
      {"layer 1 kernel gradient", layer1, [&] { model::temporal_conv_kernel_gradient(exec, frames, d_out1, d_kernel1); }},
      {"layer 2 forward", layer2, [&] { model::conv_forward(exec, out1, kernel2, out2); }},
      {"layer 2 input gradient", layer2, [&] { model::conv_input_gradient(exec, d_out2, kernel2, d_out1); }},
      {"layer 2 kernel gradient", layer2, [&] { model::conv_kernel_gradient(exec, out1, d_out2, d_kernel2); }},
  };
  for (int round = 0; round <= rounds; ++round) {
    for (Timing& timing : timings) {
      const double start = core::wall_seconds();
      timing.work();
      exec.fence();
      if (round > 0) timing.seconds.push_back(core::wall_seconds() - start);  // the first round warms up
    }
  }
  double total = 0;
  std::printf("%zu segments x %zu windows, %s, %d threads, median of %d rounds\n", G, B, parallel::device_name().c_str(),
              parallel::thread_count(), rounds);
  for (const Timing& timing : timings) {
    const double seconds = median(timing.seconds);
    total += seconds;
    std::printf("%-24s %8.2f us per window  %7.1f G multiply-adds/s\n", timing.name.c_str(), seconds / windows * 1e6,
                timing.multiply_adds * windows / seconds * 1e-9);
  }
  std::printf("together                 %8.2f us per window: at most %.0f windows/s of training\n", total / windows * 1e6,
              windows / total);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  parallel::Environment environment(argc, argv);
  const auto argument = [&](int n, int fallback) { return argc > n ? std::atoi(argv[n]) : fallback; };
  return run(static_cast<std::size_t>(argument(1, 16)), static_cast<std::size_t>(argument(2, 32)), argument(3, 3));
}
