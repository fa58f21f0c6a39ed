// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/training/settings.hpp"

#include <string>
#include <vector>

namespace amacrine::training {

/// One of the models a recipe trains together.
struct Member {
  std::string suffix;                  ///< of its files' names: empty for the first, "_seed2", "_rate0.003", "_seed2_rate0.003"
  std::vector<std::string> overrides;  ///< that turn the study into the one that trains this model alone
};

/// The models of training.model_seeds and training.learning_rates: every rate with every seed, seeds fastest; one model where
/// both lists are empty.
std::vector<Member> members(const TrainingSettings& settings);

}  // namespace amacrine::training
