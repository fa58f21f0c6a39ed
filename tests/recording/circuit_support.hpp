// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/circuit.hpp"
#include "amacrine/stimulus/phenomena.hpp"
#include "support/screen.hpp"

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

/// Published figures of the simulated cells (tests/data/circuit_targets.json) and how close ours must be.
namespace amacrine::recording::published {

inline nlohmann::json test_data(const std::string& name) {
  const char* folder = std::getenv("AMACRINE_TEST_DATA");
  std::ifstream file(std::string(folder ? folder : "tests/data") + "/" + name);
  return nlohmann::json::parse(file);
}

inline const nlohmann::json& targets() {
  static const nlohmann::json all = test_data("circuit_targets.json");
  return all;
}

inline constexpr double hz_floor = 0.1, ms_floor = 0.5, um_floor = 1.0;

/// 0.5 % of the target or the floor, whichever is larger.
inline void expect_close(double ours, double target, double floor, const std::string& what) {
  const double allowed = std::max(0.005 * std::abs(target), floor);
  EXPECT_TRUE(std::abs(ours - target) <= allowed) << what << ": " << ours << ", target " << target << ", allowed " << allowed;
}

inline void expect_close(const std::vector<double>& ours, const nlohmann::json& target, double floor, const std::string& what) {
  ASSERT_EQ(ours.size(), target.size()) << what;
  for (std::size_t i = 0; i < ours.size(); ++i)
    expect_close(ours[i], target[i].get<double>(), floor, what + " " + std::to_string(i));
}

/// What a circuit answers to every condition, centred in a 50 x 50 field.
inline stimulus::CellResponses respond_all(const Circuit& circuit, const std::vector<stimulus::Condition>& conditions,
                                           const Lesion& lesion = {}) {
  using test::centre;
  using test::screen;
  stimulus::CellResponses responses;
  for (const auto& condition : conditions)
    responses.push_back(respond(circuit, stimulus::render(condition, screen, centre).contrast, screen, centre, lesion).rate_hz);
  return responses;
}

}  // namespace amacrine::recording::published
