// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/training/trainer.hpp"

#include <string>

namespace amacrine::training {

/// Everything that decides a training's numbers, as sorted TOML lines: a checkpoint goes on only where all agree. Limits
/// of wall clock are not part of it.
std::string training_identity(const TrainingRun& run);

}  // namespace amacrine::training
