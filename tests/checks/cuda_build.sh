#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles with nvcc all that nvcc compiles of the program. Nothing is linked or run, which would take a GPU, so nothing is optimised
# either; sources without kernels are compiled in the other builds.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v nvcc >/dev/null || { echo "SKIPPED: nvcc is not here; the cuda preset was not compiled"; exit 77; }
./jobs/bootstrap.sh cuda_headers
launcher=(); command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_CUDA_COMPILER_LAUNCHER=ccache)
build=build/cuda_check # not the build of those who have a GPU
cmake --preset cuda -B "$build" -DKokkos_DIR="${AMACRINE_DEPS:-$PWD/.deps}/kokkos-cuda_headers" -DAMACRINE_JOIN_SOURCES=8 -DAMACRINE_FEW_LENGTHS=ON -DCMAKE_CXX_FLAGS_RELEASE=-O0 -DCMAKE_CUDA_FLAGS_RELEASE="-O0 -Xcicc -O0 -Xptxas -O0" "${launcher[@]}" >/dev/null
mapfile -t objects < <(ninja -C "$build" -t targets all | sed -n 's/^\(CMakeFiles\/amacrine_[a-z]*\.dir\/joined\/[a-z_]*_CUDA_[0-9]*\.cpp\.o\):.*/\1/p')
((${#objects[@]} > 5)) || { echo "no sources for nvcc were found in $build"; exit 1; }
cmake --build "$build" --target "${objects[@]}"
