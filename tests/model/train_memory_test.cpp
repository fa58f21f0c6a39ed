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

double measured(const Architecture& a, std::size_t segments, std::size_t windows, GraphUse use, ConvEngine engine) {
  allocated() = 0;
  Kokkos::Tools::Experimental::set_allocate_data_callback(count_allocation);
  const TrainGraph<float> graph = make_train_graph<float>(a, segments, {0, segments}, windows, use, engine);
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
      for (const ConvEngine engine : {ConvEngine::automatic, ConvEngine::direct}) {
        const double predicted = train_graph_bytes(a, batch_shards(a, 3, 20, use, engine), 3, 20, use, engine),
                     truth = measured(a, 3, 20, use, engine);
        EXPECT_TRUE(truth > 0 && std::abs(predicted - truth) <= 0.01 * truth) << describe(a) << " " << predicted << " " << truth;
      }
}

/// An hour at 100 Hz, 50 x 50 bytes: 1.3 times the movie and 400 MB hold the recording, the workspaces of the default recipe and
/// 120 MB for the program, its libraries and its predictions (docs/benchmarks.md has the measured peak).
TEST(TrainMemory, AnHourStaysWithinItsBound) {
  const double movie = 360'000.0 * 2500, responses = 3 * 5 * 360'000.0 * sizeof(float), program = 120e6;
  for (const Norm norm : {Norm::per_channel, Norm::per_unit}) {
    const double workspaces =
        train_graph_bytes(standard(norm), batch_shards(standard(norm), 16, 32, GraphUse::training), 16, 32, GraphUse::training) +
        train_graph_bytes(standard(norm), 128, 128, 32, GraphUse::statistics);
    EXPECT_TRUE(movie + responses + workspaces + program <= 1.3 * movie + 400e6) << workspaces;
  }
}

}  // namespace
}  // namespace amacrine::model
