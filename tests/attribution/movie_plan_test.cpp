// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/cost.hpp"
#include "amacrine/attribution/movie.hpp"
#include "amacrine/attribution/plan.hpp"
#include "amacrine/core/numbers.hpp"
#include "attribution/small_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::attribution {
namespace {

/// A movie nobody reads: planning needs its length alone.
Movie unread(std::size_t frames) {
  return {"file/stimulus", frames, [](std::size_t, std::size_t) -> core::Array<float, 3> { throw core::Error("read"); }};
}

AttributionSettings recorded() {
  AttributionSettings settings;
  settings.source = Source::recording;
  settings.levels = "channel";
  return settings;
}

/// The frames of every row, task by task.
std::vector<std::size_t> frames_of(const Plan& plan) {
  std::vector<std::size_t> frames;
  for (std::size_t id = 0; id < plan.tasks; ++id) {
    const Task task = plan.task(id);
    for (std::size_t w = task.first; w < task.first + task.windows; ++w) frames.push_back(plan.stimuli[0].frame(w));
  }
  return frames;
}

std::string movie_fault(const AttributionSettings& settings) {
  try {
    make_plan(settings, {}, small_model(), unread(100));
  } catch (const core::StudyError& error) {
    return error.what();
  }
  return {};
}

TEST(MoviePlan, WindowsBeginWhereTheyAreWhole) {
  const Plan plan = make_plan(recorded(), {}, small_model(), unread(100));
  EXPECT_EQ(plan.windows, 95U);  // 6 frames of history
  EXPECT_EQ(plan.stimuli[0].frame(0), 5U);
  EXPECT_EQ(frames_of(plan).size(), 95U);
  EXPECT_EQ(frames_of(plan).back(), 99U);
  EXPECT_EQ(plan.stimuli[0].level, Level::channel);
}

TEST(MoviePlan, ARangeAStrideAndSingleTimesChooseFrames) {
  AttributionSettings settings = recorded();
  settings.block_windows = 2;
  settings.frames.from_s = 0.2;
  settings.frames.to_s = 0.4;
  settings.frames.every = 6;
  EXPECT_THAT(frames_of(make_plan(settings, {}, small_model(), unread(100))), testing::ElementsAre(20, 26, 32, 38));
  settings.frames = FrameSettings{};
  settings.frames.times_s = {0.07, 0.31, 0.99};
  EXPECT_THAT(frames_of(make_plan(settings, {}, small_model(), unread(100))), testing::ElementsAre(7, 31, 99));
}

TEST(MoviePlan, FramesThatAreNotThereAreRefused) {
  AttributionSettings settings = recorded();
  settings.frames.from_s = 2;
  EXPECT_THAT(movie_fault(settings), testing::HasSubstr("lasts 1 s"));
  settings.frames.from_s = 0;
  settings.frames.to_s = 1.5;
  EXPECT_THAT(movie_fault(settings), testing::HasSubstr("to_s"));
  settings.frames.to_s = 0;
  settings.frames.times_s = {0.01};
  EXPECT_THAT(movie_fault(settings), testing::HasSubstr("0.05"));
}

/// A day of frames at 10 ms. The plan holds no entry per window, and its memory is that of an hour.
TEST(MoviePlan, ADayIsPlannedWithTheMemoryOfAMinute) {
  const std::size_t day = 8640000;
  const AttributionSettings settings = recorded();
  const Plan plan = make_plan(settings, {}, small_model(), unread(day)),
             minute = make_plan(settings, {}, small_model(), unread(6000));
  EXPECT_EQ(plan.windows, day - 5);
  EXPECT_EQ(plan.showings.size(), 1U);
  const Task last = plan.task(plan.tasks - 1);
  EXPECT_EQ(last.first + last.windows, plan.windows);
  EXPECT_EQ(plan.task(123456).first, 123456U * 16);
  Attributor<float> attributor(core::Exec(), model::make_inference<float>(small_model()), settings);
  EXPECT_EQ(cost_of(plan, attributor).memory_bytes, cost_of(minute, attributor).memory_bytes);
  EXPECT_GT(cost_of(plan, attributor).memory_bytes, 0);
}

TEST(MoviePlan, TooLargeAFileIsRefusedWithItsSizeAndAdvice) {
  AttributionSettings settings = recorded();
  settings.levels = "unit";
  settings.largest_file_gb = 60;
  const model::Model model = small_model();
  const Plan plan = make_plan(settings, {}, model, unread(8640000));
  Attributor<float> attributor(core::Exec(), model::make_inference<float>(model), settings);
  const FirstLayerFacts layer = first_layer_facts(attributor.plain());
  const auto bytes_of = [&](const Plan& a_plan, const AttributionSettings& asked) {
    return AttributionFile(parallel::Communicator::self(), "nowhere.h5", "network", a_plan, model, layer, asked, {})
        .predicted_bytes();
  };
  const std::size_t bytes = bytes_of(plan, settings);
  EXPECT_GT(static_cast<double>(bytes), 4.0 * 5 * 8639995 * 3 * (3 * 9 * 9));
  std::string fault;
  try {
    require_size(plan, settings, bytes, bytes_of);
  } catch (const core::RefusedError& error) {
    fault = error.what();
  }
  EXPECT_THAT(fault, testing::AllOf(testing::HasSubstr(std::to_string(bytes)), testing::HasSubstr("levels = \"channel\""),
                                    testing::HasSubstr("top = 64"), testing::HasSubstr("every = ")));
  settings.largest_file_gb = 1e6;
  EXPECT_NO_THROW(require_size(plan, settings, bytes, bytes_of));
}

}  // namespace
}  // namespace amacrine::attribution
