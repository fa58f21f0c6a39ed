#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds everything and runs every test; ends with ctest's summary; non-zero on any failure.
# Besides the unit tests ctest runs: the format check, the debug preset on the small tests, what nvcc compiles
# (skipped, and said so, where nvcc is not), the batch scripts on a private SLURM, the Python readers, a small study end to end on 1 to 4 ranks, a smaller one computed again
# in numpy, and whether every mutation of tests/mutations still has its place.
set -euo pipefail
cd "$(dirname "$0")/.."
./jobs/bootstrap.sh openmp
export CMAKE_COLOR_DIAGNOSTICS=OFF
launcher=(); command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_CUDA_COMPILER_LAUNCHER=ccache)
# Joined, sources are compiled in half the time; tests are compiled to be run once.
cmake --preset openmp -DAMACRINE_JOIN_SOURCES=8 -DAMACRINE_TEST_FLAGS=-O1 "${launcher[@]}" >/dev/null
cmake --build --preset openmp
ctest --preset openmp -j "$(nproc)"
