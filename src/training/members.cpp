// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/members.hpp"

#include <fmt/format.h>

namespace amacrine::training {

std::vector<Member> members(const TrainingSettings& settings) {
  const bool seeded = !settings.model_seeds.empty(), rated = !settings.learning_rates.empty();
  const std::vector<std::uint64_t> seeds = seeded ? settings.model_seeds : std::vector<std::uint64_t>{settings.model_seed};
  const std::vector<double> rates = rated ? settings.learning_rates : std::vector<double>{settings.learning_rate};
  std::vector<Member> all;
  for (const double rate : rates)
    for (const std::uint64_t seed : seeds) {
      Member member;
      if (seeded) member.suffix += fmt::format("_seed{}", seed);
      if (rated) member.suffix += fmt::format("_rate{}", rate);
      if (all.empty()) member.suffix.clear();
      member.overrides = {fmt::format("training.model_seed={}", seed), fmt::format("training.learning_rate={}", rate),
                          "training.model_seeds=[]", "training.learning_rates=[]"};
      all.push_back(member);
    }
  return all;
}

}  // namespace amacrine::training
