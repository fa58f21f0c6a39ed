// SPDX-License-Identifier: Apache-2.0
#include "drivers/small_study.hpp"

#include <gtest/gtest.h>

namespace amacrine::drivers {
namespace {

using namespace test_study;

/// A recording of 14 s in all and a network with a 6 x 6 second layer's worth of work.
const char* const study = R"(
[simulation]
train_minutes = 0.1
test_seconds = 8
repeats = 10
[simulation.cells.osr]
y = 24.5
x = 24.5
[simulation.cells.anticipation_gain_control]
y = 20.5
x = 28.5
[model]
channels = [2, 3]
kernels = [45, 3]
[evaluation]
bootstrap_samples = 20
[probe]
families = ["osr", "reversal", "white_noise"]
osr_periods_ms = [60.0, 100.0]
reversal_positions_px = [0.0, 1.0]
)";

// The same verbs on one rank and on all of them.
TEST(ProbeAndEvaluate, AnyNumberOfRanksGivesTheSameBits) {
  const auto world = parallel::Communicator::world();
  const test::TemporaryFolder folder;
  const std::string together = folder / "together", alone = folder / "alone";
  Context all = make_context(world, together, study);
  simulate(all);
  write_random_model(all, false);
  write_random_model(all, true);
  EXPECT_EQ(probe(all), 0);
  EXPECT_EQ(evaluate(all), 0);
  world.barrier();
  if (world.root()) {
    Context one = make_context(parallel::Communicator::self(), alone, study);
    simulate(one);
    write_random_model(one, false);
    write_random_model(one, true);
    probe(one);
    evaluate(one);
    for (const char* name : {"responses_network.h5", "responses_ln.h5", "responses_circuit.h5", "responses_recorded.h5"}) {
      const io::Reader a(together + "/" + name), b(alone + "/" + name);
      for (const char* dataset :
           {"rate", "osr_latency_ms", "reversal_burst_hz", "surprise_index", "symmetry_deviation", "rest_hz"})
        EXPECT_EQ(bits(a, dataset), bits(b, dataset)) << name << " " << dataset;
    }
    const io::Reader a(together + "/evaluation.h5"), b(alone + "/evaluation.h5");
    for (const char* dataset : {"rate", "score", "score_interval", "feve", "mean_score_interval", "oracle_jackknife"})
      EXPECT_EQ(bits(a, dataset), bits(b, dataset)) << dataset;
    EXPECT_EQ(a.read_strings("model"), (std::vector<std::string>{"network", "ln"}));
  }
  world.barrier();
}

TEST(ProbeAndEvaluate, ASecondCallReusesAndAnotherStudyIsRefused) {
  const auto world = parallel::Communicator::world();
  const test::TemporaryFolder folder;
  const std::string quick = std::string(study) + "subjects = [\"circuit\"]\n";
  Context first = make_context(world, folder.path(), quick);
  simulate(first);
  write_random_model(first, false);
  probe(first);
  evaluate(first);
  world.barrier();
  const std::string responses = core::hash_file(folder / "responses_circuit.h5"),
                    scores = core::hash_file(folder / "evaluation.h5");
  Context again = make_context(world, folder.path(), quick);
  EXPECT_EQ(probe(again), 0);
  EXPECT_EQ(evaluate(again), 0);
  world.barrier();
  EXPECT_EQ(core::hash_file(folder / "responses_circuit.h5"), responses);
  EXPECT_EQ(core::hash_file(folder / "evaluation.h5"), scores);
  Context other = make_context(world, folder.path(), quick + "osr_contrast = -1.5\n");
  EXPECT_THROW(probe(other), core::RefusedError);
  other.options.overwrite = true;
  EXPECT_EQ(probe(other), 0);
}

}  // namespace
}  // namespace amacrine::drivers
