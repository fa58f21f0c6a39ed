// SPDX-License-Identifier: Apache-2.0
#include "kernel_times.hpp"

#include "amacrine/core/log.hpp"

#include <cstdint>

#include <Kokkos_Core.hpp>

namespace amacrine::benchmark {
namespace {

namespace tools = Kokkos::Tools::Experimental;

struct Watch {
  std::map<std::string, KernelTime> times;
  std::string label;
  double since = 0;
  int depth = 0;  ///< a deep copy may launch kernels of its own: what is outermost counts
};

Watch& watch() {
  static Watch only;
  return only;
}

void begin(const char* label) {
  if (watch().depth++ > 0) return;
  watch().label = label;
  watch().since = core::wall_seconds();
}

void end() {
  if (--watch().depth > 0) return;
  KernelTime& time = watch().times[watch().label];
  time.seconds += core::wall_seconds() - watch().since;
  ++time.launches;
}

// Kokkos fences before both callbacks of a launch, since a tool asks for that unless it says otherwise.
void begin_launch(const char* label, std::uint32_t, std::uint64_t* id) {
  *id = 0;
  begin(label);
}
void end_launch(std::uint64_t) { end(); }
void begin_copy(Kokkos::Tools::SpaceHandle, const char* to, const void*, Kokkos::Tools::SpaceHandle, const char*, const void*,
                std::uint64_t) {
  begin((std::string("copy ") + to).c_str());
}

}  // namespace

void start_kernel_times() {
  watch() = Watch();
  tools::set_begin_parallel_for_callback(begin_launch);
  tools::set_end_parallel_for_callback(end_launch);
  tools::set_begin_deep_copy_callback(begin_copy);
  tools::set_end_deep_copy_callback(end);
}

std::map<std::string, KernelTime> stop_kernel_times() {
  tools::set_begin_parallel_for_callback(nullptr);
  tools::set_end_parallel_for_callback(nullptr);
  tools::set_begin_deep_copy_callback(nullptr);
  tools::set_end_deep_copy_callback(nullptr);
  return watch().times;
}

}  // namespace amacrine::benchmark
