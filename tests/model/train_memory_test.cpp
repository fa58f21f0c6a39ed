// SPDX-License-Identifier: Apache-2.0
// The bytes --dry-run names against what Kokkos is asked for.
#include "amacrine/model/train_graph.hpp"

#include <cstdint>

#include <gtest/gtest.h>

namespace amacrine::model {
namespace {

double& allocated() {
  static double bytes = 0;
  return bytes;
}

void count_allocation(Kokkos::Tools::SpaceHandle, const char*, const void*, std::uint64_t bytes) {
  allocated() += static_cast<double>(bytes);
}

double measured(const Architecture& a, const BatchLayout& layout, GraphUse use, ConvEngine engine, FrameRoom room) {
  allocated() = 0;
  Kokkos::Tools::Experimental::set_allocate_data_callback(count_allocation);
  const TrainGraph<float> graph = make_train_graph<float>(a, layout, {0, layout.segments.count}, use, engine, room);
  Kokkos::Tools::Experimental::set_allocate_data_callback(nullptr);
  return allocated();
}

Architecture standard(Norm norm) {
  Architecture a;
  a.norm = norm, a.cells = 5;
  return a;
}

TEST(TrainMemory, PredictedBytesAreAllocated) {
  Architecture linear = standard(Norm::none);
  linear.hidden.clear();
  for (const Architecture& a : {standard(Norm::per_channel), standard(Norm::per_unit), linear})
    for (const GraphUse use : {GraphUse::training, GraphUse::statistics})
      for (const ConvEngine engine : {ConvEngine::automatic, ConvEngine::direct})
        for (const WindowRun& run : {WindowRun(8), WindowRun(20), WindowRun(4, 4), WindowRun(20, 3)})
          for (const FrameRoom room : {FrameRoom::held, FrameRoom::fused}) {
            const BatchLayout layout = batch_layout(a, {4, run, 1}, use, engine);
            const double predicted = train_graph_bytes(a, layout, layout.segments.count, use, engine, room),
                         truth = measured(a, layout, use, engine, room);
            EXPECT_TRUE(truth > 0 && std::abs(predicted - truth) <= 0.01 * truth)
                << describe(a) << " " << predicted << " " << truth;
          }
}

/// An hour at 100 Hz, 50 x 50 bytes: 1.3 times the movie and 400 MB hold the recording, the workspaces of the default recipe and
/// 80 MB for the program, its libraries and its predictions (docs/benchmarks.md has the measured peak).
TEST(NeedsHost, AnHourStaysWithinItsBound) {
  if (!core::detail::exec_is_host) GTEST_SKIP() << "SKIPPED: workspaces lie in the device's memory";
  const double movie = 360'000.0 * 2500, responses = 3 * 5 * 360'000.0 * sizeof(float), program = 80e6;
  for (const Norm norm : {Norm::per_channel, Norm::per_unit}) {
    const BatchLayout batch = batch_layout(standard(norm), {128, {4, 4}}, GraphUse::training),
                      statistics = batch_layout(standard(norm), {512, {4, 4}}, GraphUse::statistics);
    const double workspaces = train_graph_bytes(standard(norm), batch, batch.segments.count, GraphUse::training,
                                                ConvEngine::automatic, FrameRoom::fused) +
                              train_graph_bytes(standard(norm), statistics, statistics.segments.count, GraphUse::statistics);
    EXPECT_TRUE(movie + responses + workspaces + program <= 1.3 * movie + 400e6) << workspaces;
  }
}

}  // namespace
}  // namespace amacrine::model
