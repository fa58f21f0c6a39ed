# SPDX-License-Identifier: Apache-2.0

# amacrine_circuits(ROOM NAMES): compiles circuits/NAME.toml into a room, so that an installed program needs no files.
function(amacrine_circuits room)
  set(entries)
  foreach(name IN LISTS ARGN)
    set(file ${PROJECT_SOURCE_DIR}/circuits/${name}.toml)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} text)
    string(APPEND entries "      {\"${name}\", R\"toml(${text})toml\"},\n")
  endforeach()
  set(source ${PROJECT_BINARY_DIR}/circuits/built_in_circuits.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT [[
// Written by cmake/AmacrineCircuits.cmake.
#include "recording/built_in_circuits.hpp"

namespace amacrine::recording {

const std::vector<CircuitFile>& built_in_circuit_files() {
  static const std::vector<CircuitFile> files{
@entries@  };
  return files;
}

}  // namespace amacrine::recording
]] @ONLY)
  target_sources(amacrine_${room} PRIVATE ${source})
  set_source_files_properties(${source} PROPERTIES INCLUDE_DIRECTORIES ${PROJECT_SOURCE_DIR}/src)
endfunction()
