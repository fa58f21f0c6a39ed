// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/plan.hpp"

#include "attribution/small_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::attribution {
namespace {

/// The dark stimuli.
std::vector<stimulus::Condition> catalogue() {
  stimulus::ProbeSettings probe;
  probe.sets = {"circuits"};
  return stimulus::catalogue(probe, small_model().screen);
}

const PlannedStimulus& find(const Plan& plan, const std::string& name) {
  for (const PlannedStimulus& stimulus : plan.stimuli)
    if (stimulus.condition.name == name) return stimulus;
  throw core::Error("no stimulus " + name);
}

TEST(Plan, WindowsOfAllStimuliFollowOneAnother) {
  const Plan plan = make_plan(AttributionSettings{}, catalogue(), small_model());
  std::size_t next = 0, positions = 0;
  for (const PlannedStimulus& stimulus : plan.stimuli) {
    EXPECT_EQ(stimulus.first_window, next);
    next += stimulus.windows;
    if (stimulus.level == Level::position) {
      EXPECT_EQ(stimulus.first_stored, positions);
      positions += stimulus.windows;
    }
  }
  EXPECT_EQ(plan.windows, next);
  EXPECT_EQ(plan.stored[static_cast<int>(Level::position)], positions);
  EXPECT_EQ(plan.rows(), 3 * next);
}

TEST(Plan, EveryRowIsComputedExactlyOnce) {
  AttributionSettings settings;
  settings.block_windows = 7;
  const Plan plan = make_plan(settings, catalogue(), small_model());
  std::vector<int> times(plan.rows(), 0);
  for (std::size_t id = 0; id < plan.tasks; ++id) {
    const Task task = plan.task(id);
    for (std::size_t s = task.showing; s < task.showing + task.showings; ++s) {
      const Showing& showing = plan.showings[s];
      EXPECT_EQ(showing.stimulus, plan.showings[task.showing].stimulus);
      for (int cell : showing.cells)
        for (std::size_t w = 0; w < task.windows; ++w)
          ++times[(plan.stimuli[showing.stimulus].first_window + task.first + w) * 3 + static_cast<std::size_t>(cell)];
    }
  }
  EXPECT_THAT(times, testing::Each(1));
}

TEST(Plan, BarsAreShownOncePerCentreAndFullFieldsOnce) {
  AttributionSettings settings;
  settings.stimuli = {"latency/contrast=-2", "moving_bar"};
  const Plan plan = make_plan(settings, catalogue(), small_model());
  std::vector<int> showings(plan.stimuli.size(), 0);
  for (const Showing& showing : plan.showings) ++showings[showing.stimulus];
  EXPECT_THAT(showings, testing::ElementsAre(1, 2, 2));  // two centres among three cells
  EXPECT_EQ(plan.stimuli[0].level, Level::channel);
  EXPECT_EQ(plan.stimuli[1].level, Level::position);
}

TEST(Plan, FramesStartAtTheEventAndBarsStayNearTheCell) {
  AttributionSettings settings;
  settings.before_ms = 20;
  settings.after_ms = 100;
  settings.bar_range_px = 3;
  const Plan plan = make_plan(settings, catalogue(), small_model());
  for (const PlannedStimulus& stimulus : plan.stimuli) {
    const stimulus::Condition& condition = stimulus.condition;
    if (condition.family == stimulus::Family::osr) {
      EXPECT_EQ(stimulus.event_frame, condition.event("last_flash"));
      EXPECT_EQ(stimulus.first_frame, static_cast<std::size_t>(condition.event("last_flash") - 2));
      EXPECT_EQ(stimulus.windows, 12U);
    }
    if (condition.family != stimulus::Family::moving_bar) continue;
    const std::size_t last = stimulus.first_frame + stimulus.windows - 1;
    EXPECT_LE(std::abs(condition.bar_px[stimulus.first_frame]), 3.0);
    EXPECT_GT(std::abs(condition.bar_px[stimulus.first_frame - 1]), 3.0);
    EXPECT_LE(std::abs(condition.bar_px[last]), 3.0);
    EXPECT_GT(std::abs(condition.bar_px[last + 1]), 3.0);
    EXPECT_LT(std::abs(condition.bar_px[static_cast<std::size_t>(stimulus.event_frame)]), 0.05);
  }
}

TEST(Plan, ASymmetryThatTheNormalisationBreaksIsNotUsed) {
  model::Model model = small_model();
  model.normalisation.kind = "per_pixel";
  model.normalisation.mean.assign(13 * 12, 0.1);
  for (int i = 0; i < 13 * 12; ++i) model.normalisation.scale.push_back(1.0 + 0.01 * (i % 7));
  model.normalisation.scale.erase(model.normalisation.scale.begin());
  AttributionSettings settings;
  settings.stimuli = {"osr", "moving_bar"};
  for (const PlannedStimulus& stimulus : make_plan(settings, catalogue(), model).stimuli) {
    EXPECT_EQ(stimulus.symmetry, stimulus::Symmetry::none);
    EXPECT_EQ(stimulus.level, Level::unit);
  }
  model.normalisation.scale.assign(13 * 12, 2.0);
  EXPECT_EQ(find(make_plan(settings, catalogue(), model), "osr/period_ms=60").symmetry, stimulus::Symmetry::full_field);
}

TEST(Plan, TheSecondLayerIsStoredForAllStimuliOrRefused) {
  AttributionSettings settings;
  settings.stimuli = {"latency", "moving_bar"};
  for (Level level : {Level::channel2, Level::unit2}) {
    settings.levels = to_string(level);
    const Plan plan = make_plan(settings, catalogue(), small_model());
    EXPECT_EQ(plan.stored[static_cast<int>(level)], plan.windows);
    for (const PlannedStimulus& stimulus : plan.stimuli) {
      EXPECT_EQ(stimulus.level, level);
      EXPECT_EQ(stimulus.first_stored, stimulus.first_window);
    }
    model::Model shallow = small_model();
    shallow.architecture.hidden.pop_back();
    try {
      make_plan(settings, catalogue(), shallow);
      ADD_FAILURE() << "nothing was refused";
    } catch (const core::StudyError& error) {
      EXPECT_THAT(std::string(error.what()), testing::AllOf(testing::HasSubstr(settings.levels), testing::HasSubstr("1 hidden"),
                                                            testing::HasSubstr("ask for \"channel\", \"unit\" or \"pixel\"")));
    }
    for (const char* advised : {"channel", "unit", "pixel"}) {
      settings.levels = advised;
      EXPECT_NO_THROW(make_plan(settings, catalogue(), shallow)) << advised;
    }
  }
}

TEST(Plan, UnknownStimuliAndCellsAreRefusedByName) {
  const auto fault = [](auto change) {
    AttributionSettings settings;
    change(settings);
    try {
      make_plan(settings, catalogue(), small_model());
    } catch (const core::StudyError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(fault([](AttributionSettings& s) { s.stimuli = {"latencyy"}; }),
              testing::AllOf(testing::HasSubstr("latencyy"), testing::HasSubstr("\"latency\"")));
  EXPECT_THAT(fault([](AttributionSettings& s) { s.cells = {"cell9"}; }), testing::HasSubstr("cell9"));
  EXPECT_THAT(fault([](AttributionSettings& s) {
                s.bar_range_px = -1.0;
                s.stimuli = {"moving_bar"};
              }),
              testing::HasSubstr("moving_bar"));
}

}  // namespace
}  // namespace amacrine::attribution
