#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles with nvcc all that nvcc compiles of the program, and links the tests of parallel. Nothing is run, which would take a GPU, so
# nothing is optimised either; sources without kernels are compiled in the other builds, and the other tests where they can run.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v nvcc >/dev/null || { echo "SKIPPED: nvcc is not here; the cuda preset was neither compiled nor linked"; exit 77; }
./jobs/bootstrap.sh cuda
launcher=(); command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_CUDA_COMPILER_LAUNCHER=ccache)
build=build/cuda_check # not the build of those who have a GPU
cmake --preset cuda -B "$build" -DAMACRINE_JOIN_SOURCES=8 -DAMACRINE_FEW_LENGTHS=ON -DCMAKE_CXX_FLAGS_RELEASE=-O0 -DCMAKE_CUDA_FLAGS_RELEASE="-O0 -Xcicc -O0 -Xptxas -O0" "${launcher[@]}" >/dev/null
mapfile -t objects < <(ninja -C "$build" -t targets all | sed -n 's/^\(CMakeFiles\/amacrine_[a-z]*\.dir\/joined\/[a-z_]*_CUDA_[0-9]*\.cpp\.o\):.*/\1/p')
((${#objects[@]} > 10)) || { echo "no sources for nvcc were found in $build"; exit 1; }
cmake --build "$build" --target "${objects[@]}" parallel_tests parallel_mpi_tests
test -x "$build/tests/parallel_tests"
