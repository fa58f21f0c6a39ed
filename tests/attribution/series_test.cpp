// SPDX-License-Identifier: Apache-2.0
// Several contrast series in one plan: each is attributed on its own movies.
#include "../../src/attribution/task.hpp"
#include "attribution/small_model.hpp"

#include <cmath>
#include <set>

#include <gtest/gtest.h>

namespace amacrine::attribution {
namespace {

AttributionSettings of_series() {
  AttributionSettings settings;
  settings.stimuli = {"latency"};
  settings.levels = "channel";
  settings.panels = 8;
  settings.after_ms = 90;
  settings.block_windows = 4;
  settings.weights = false;
  settings.quantities = {"attribution"};
  return settings;
}

TEST(Series, DarkAndLightAreAttributedOnTheirOwnMovies) {
  const AttributionSettings settings = of_series();
  const model::Model model = small_model(model::Norm::per_channel);
  stimulus::ProbeSettings probe;
  probe.sets = {"circuits"};
  probe.latency_contrasts = {-1.0, -2.0, 0.75, 1.5};
  const Plan plan = make_plan(settings, stimulus::catalogue(probe, model.screen), model);
  std::size_t series = 0;
  for (const Showing& showing : plan.showings) series += showing.ray.size() == 2;
  ASSERT_EQ(series, 2U) << "two series of two contrasts";

  const auto network = model::make_inference<double>(model);
  Attributor<double> attributor(core::Exec(), network, settings);
  BlockAttributor<double> alone(core::Exec(), network, settings);
  TaskRunner<double> runner(plan, attributor);
  std::set<std::size_t> seen;
  double largest = 0;
  for (std::size_t id = 0; id < plan.tasks; ++id) {
    const Task task = plan.task(id);
    runner.run(task, [&](const Showing& showing, std::size_t stimulus, const Block& block) {
      seen.insert(stimulus);
      const PlannedStimulus& planned = plan.stimuli[stimulus];
      const auto movie = stimulus::render(planned.condition, plan.screen, showing.centre).contrast;
      const Block& expected = alone.attribute(movie, planned.frame(task.first), task.windows, showing.cells);
      ASSERT_EQ(block.rate.size(), expected.rate.size());
      for (std::size_t i = 0; i < block.rate.size(); ++i) {
        EXPECT_NEAR(block.rate.values()[i], expected.rate.values()[i], 1e-6) << planned.condition.name;
        largest = std::max(largest, std::abs(expected.rate.values()[i] - expected.baseline_rate.values()[i]));
      }
      const auto found = channel_level(block).attribution, wanted = channel_level(expected).attribution;
      for (std::size_t i = 0; i < wanted.size(); ++i)
        EXPECT_NEAR(static_cast<double>(found[i]), static_cast<double>(wanted[i]),
                    2e-2 * (1 + std::abs(static_cast<double>(wanted[i]))))
            << planned.condition.name;
    });
  }
  EXPECT_EQ(seen.size(), 4U);
  EXPECT_GT(largest, 0.1) << "the stimuli move no rate; this test shows nothing";
}

}  // namespace
}  // namespace amacrine::attribution
