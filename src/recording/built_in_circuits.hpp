// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

/// The files of circuits/, which the build compiles into the program (cmake/AmacrineCircuits.cmake). Private to the circuits.
namespace amacrine::recording {

struct CircuitFile {
  const char* name;  ///< of its one circuit
  const char* text;  ///< TOML
};
const std::vector<CircuitFile>& built_in_circuit_files();

}  // namespace amacrine::recording
