# SPDX-License-Identifier: Apache-2.0
set(commit unknown)
set(dirty 0)
if(GIT)
  execute_process(COMMAND ${GIT} -C ${ROOT} rev-parse HEAD OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(commit ${found})
    execute_process(COMMAND ${GIT} -C ${ROOT} status --porcelain --untracked-files=no OUTPUT_VARIABLE changes ERROR_QUIET)
    if(changes)
      set(dirty 1)
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[#pragma once
#define AMACRINE_VERSION "@VERSION@"
#define AMACRINE_COMMIT "@commit@"
#define AMACRINE_COMMIT_DIRTY @dirty@
#define AMACRINE_COMPILER "@COMPILER@"
#define AMACRINE_BUILD_FLAGS "@FLAGS@"
#define AMACRINE_KOKKOS_VERSION "@KOKKOS@"
#define AMACRINE_KOKKOS_DEVICES "@DEVICES@"
#define AMACRINE_KOKKOS_ARCH "@KOKKOS_ARCH@"
]] @ONLY)
