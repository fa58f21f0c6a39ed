#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles the program and the tests of parallel with nvcc and links them. Nothing is run, which would take a GPU, so nothing is
# optimised either; the other tests are left to the machine that runs them.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v nvcc >/dev/null || { echo "SKIPPED: nvcc is not here; the cuda preset was neither compiled nor linked"; exit 77; }
./jobs/bootstrap.sh cuda
launcher=(); command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_CUDA_COMPILER_LAUNCHER=ccache)
build=build/cuda_check # not the build of those who have a GPU
cmake --preset cuda -B "$build" -DAMACRINE_JOIN_SOURCES=8 -DAMACRINE_FEW_LENGTHS=ON -DCMAKE_CXX_FLAGS_RELEASE=-O0 -DCMAKE_CUDA_FLAGS_RELEASE="-O0 -Xcicc -O0 -Xptxas -O0" "${launcher[@]}" >/dev/null
cmake --build "$build" --target amacrine parallel_tests parallel_mpi_tests
test -x "$build/amacrine"
