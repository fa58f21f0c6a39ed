// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace amacrine::benchmark {

struct KernelTime {
  double seconds = 0;
  std::size_t launches = 0;
};

/// Times every labelled launch and deep copy of this process by Kokkos' own tool callbacks, with a fence after each, between
/// start_kernel_times() and stop_kernel_times().
void start_kernel_times();
std::map<std::string, KernelTime> stop_kernel_times();

}  // namespace amacrine::benchmark
