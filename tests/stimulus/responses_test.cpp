// SPDX-License-Identifier: Apache-2.0
#include "amacrine/stimulus/responses.hpp"

#include "amacrine/io/result_file.hpp"
#include "support/compare.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::stimulus {
namespace {

using Flags = std::vector<std::int32_t>;

/// Two cells on grey at 5 Hz; the second answers each flash of the latency family with a bump, 3 frames wide, `delay` frames
/// after the onset, earlier and larger for stronger flashes.
Responses example(const std::vector<std::string>& families, const std::vector<std::string>& sets) {
  ProbeSettings settings;
  settings.families = families;
  settings.sets = sets;
  settings.latency_contrasts = {-0.5, -1.0, -2.0, -3.0};
  Responses responses;
  responses.subject = "network";
  responses.conditions = catalogue(settings, responses.screen);
  responses.symmetry_deviation.assign(responses.conditions.size(), 0.0);
  responses.cells = {"quiet", "answers"};
  responses.centres = {{24.5, 24.5}, {20.5, 30.25}};
  for (const std::string& set : sets) responses.sets.push_back(set_from_name(set));
  for (int cell = 0; cell < 2; ++cell) {
    CellResponses rates;
    for (const Condition& condition : responses.conditions) {
      rates.emplace_back(condition.frames, 5.0);
      if (cell == 0 || condition.family != Family::latency) continue;
      const double strength = std::abs(condition.parameter("contrast"));
      const int peak = condition.event("onset") + 12 - static_cast<int>(2 * strength);
      rates.back()[static_cast<std::size_t>(peak)] = 5 + 20 * strength;
      rates.back()[static_cast<std::size_t>(peak - 1)] = rates.back()[static_cast<std::size_t>(peak + 1)] = 5 + 10 * strength;
    }
    responses.rate_hz.push_back(rates);
  }
  measure(responses);
  return responses;
}

std::string written(const test::TemporaryFolder& folder, const Responses& responses) {
  const std::string path = folder / "responses_network.h5";
  write_responses(parallel::Communicator::world(), path, responses,
                  {.verb = "probe", .study = "", .step_study = "", .study_hash = "0", .inputs = {}, .facts = {}});
  return path;
}

TEST(ResponsesFile, HoldsRatesStimuliAndCells) {
  const test::TemporaryFolder folder;
  const Responses responses = example({"osr", "latency"}, {"circuits"});
  const io::Reader file(written(folder, responses));
  EXPECT_EQ(file.kind(), "responses");
  EXPECT_EQ(file.text_attribute("subject"), "network");
  const auto names = file.read_strings("condition");
  ASSERT_EQ(names.size(), responses.conditions.size());
  EXPECT_EQ(names[0], "grey");
  const auto shape = file.shape("rate");
  const auto rate = file.read<float>("rate");
  const auto frames = file.read<std::int32_t>("frames");
  for (std::size_t k = 0; k < names.size(); ++k)
    for (std::size_t n = 0; n < 2; ++n)
      for (std::size_t t = 0; t < shape[2]; ++t) {
        const float value = rate[(k * 2 + n) * shape[2] + t];
        if (t < static_cast<std::size_t>(frames[k])) {
          ASSERT_EQ(value, static_cast<float>(responses.rate_hz[n][k][t]));
        } else {
          ASSERT_TRUE(std::isnan(value));
        }
      }
  EXPECT_EQ(file.read<double>("rest_hz"), (std::vector<double>{5, 5}));
  EXPECT_EQ(file.read<double>("centre_x"), (std::vector<double>{24.5, 30.25}));
  EXPECT_EQ(file.read_strings("cell"), responses.cells);
  EXPECT_EQ(file.attributes("flag_values", "symmetry"), (std::vector<double>{0, 1, 2}));
  EXPECT_EQ(file.text_attribute("flag_meanings", "symmetry"), "none full_field along_y");
}

TEST(ResponsesFile, PutsFiguresAtTheirCoordinates) {
  const test::TemporaryFolder folder;
  const io::Reader file(written(folder, example({"latency"}, {"circuits", "figure"})));
  // The latency axis holds the asked-for contrasts, weakest first; times to peak are 12 - 2 |contrast| frames of 10 ms.
  EXPECT_EQ(file.read<double>("latency_contrast"), (std::vector<double>{-0.5, -1, -2, -3}));
  const auto latency = file.read<double>("latency_ms");
  ASSERT_EQ(file.shape("latency_ms"), (std::vector<std::size_t>{2, 2, 4}));
  for (std::size_t set = 0; set < 2; ++set)
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_TRUE(std::isnan(latency[(set * 2 + 0) * 4 + i]));  // the quiet cell
      EXPECT_NEAR(latency[(set * 2 + 1) * 4 + i], (std::vector<double>{110, 100, 80, 60})[i], 1e-9);
    }
  EXPECT_NEAR(file.read<double>("latency_shift_ms")[1], 50, 1e-9);
  EXPECT_EQ(file.read<std::int32_t>("latency_monotonic")[1], 1);
  const auto present = file.read<std::int32_t>("latency_present");
  EXPECT_LT(present[0], 0);
  EXPECT_EQ(present[1], 1);
  // phenomenon_present (set, cell, phenomenon): only latency was shown.
  const auto all = file.read<std::int32_t>("phenomenon_present");
  EXPECT_EQ(Flags(all.begin() + 4, all.begin() + 8), (Flags{0, 1, 0, 0}));
}

TEST(ResponsesFile, FamiliesThatWereNotShownHaveOneUndefinedCoordinate) {
  const test::TemporaryFolder folder;
  const io::Reader file(written(folder, example({"latency"}, {"circuits"})));
  for (const char* axis : {"osr_period", "reversal_position", "flash_position"}) {
    ASSERT_EQ(file.shape(axis), (std::vector<std::size_t>{1})) << axis;
    EXPECT_TRUE(std::isnan(file.read<double>(axis)[0])) << axis;
  }
  for (double value : file.read<double>("osr_latency_ms")) EXPECT_TRUE(std::isnan(value));
  for (std::int32_t value : file.read<std::int32_t>("reversal_present_at")) EXPECT_EQ(value, 0);
}

TEST(ResponsesFile, NoisyCellsNeedMore) {
  Responses responses = example({"latency"}, {"circuits"});
  EXPECT_EQ(cell_threshold(responses, 1), 3.0);
  // On grey +-10 Hz about rest: sd 10 Hz, threshold 40 Hz; the bumps of contrasts -0.5 ... -2 (10 ... 40 Hz) are lost in it or
  // not.
  for (std::size_t t = 0; t < responses.rate_hz[1][0].size(); ++t) responses.rate_hz[1][0][t] += t % 2 == 0 ? 10 : -10;
  EXPECT_NEAR(cell_threshold(responses, 1), 40.0, 1e-9);
  measure(responses);
  EXPECT_EQ(responses.figures[0][1].latency.presence[0], Presence::too_weak);
  EXPECT_EQ(responses.figures[0][1].latency.presence[3], Presence::present);
}

TEST(ResponsesFile, TheTableSaysWhatIsThereAndWhatIsAbsent) {
  const std::string table = phenomena_table(example({"latency"}, {"circuits"}));
  EXPECT_NE(table.find("quiet"), std::string::npos);
  EXPECT_NE(table.find("absent"), std::string::npos);
  EXPECT_NE(table.find("time to peak falls by 50 ms: 110 100 80 60 ms"), std::string::npos) << table;
}

}  // namespace
}  // namespace amacrine::stimulus
