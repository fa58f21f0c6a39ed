# SPDX-License-Identifier: Apache-2.0
# Writes amacrine/core/version_generated.hpp into the build tree, at configure time and again whenever the commit changes.
find_package(Git QUIET)
set(amacrine_version_arguments
  -DGIT=${GIT_EXECUTABLE} -DROOT=${PROJECT_SOURCE_DIR} -DOUTPUT=${PROJECT_BINARY_DIR}/include/amacrine/core/version_generated.hpp
  -DVERSION=${PROJECT_VERSION} "-DCOMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
  "-DFLAGS=${CMAKE_BUILD_TYPE} ${CMAKE_CXX_FLAGS}" -DKOKKOS=${Kokkos_VERSION} "-DDEVICES=${Kokkos_DEVICES}" "-DKOKKOS_ARCH=${Kokkos_ARCH}"
  -P ${PROJECT_SOURCE_DIR}/cmake/WriteVersion.cmake)
execute_process(COMMAND ${CMAKE_COMMAND} ${amacrine_version_arguments})
add_custom_target(amacrine_version COMMAND ${CMAKE_COMMAND} ${amacrine_version_arguments} VERBATIM)
