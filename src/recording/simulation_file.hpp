// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"
#include "amacrine/recording/settings.hpp"
#include "amacrine/recording/simulation.hpp"

/// The layout of a simulated recording (docs/results/recording.md). Private to the simulation.
namespace amacrine::recording {

/// Collective: dimensions, variables and attributes.
void declare_recording(io::ResultWriter& writer, const SimulationSettings& settings, const SimulationPlan& plan);
/// Local, one rank: times and centres.
void write_axes(io::ResultWriter& writer, const SimulationSettings& settings, const SimulationPlan& plan);

}  // namespace amacrine::recording
