#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles and links the whole tree with nvcc. Nothing is run: that takes a GPU.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v nvcc >/dev/null || { echo "SKIPPED: nvcc is not here; the cuda preset was neither compiled nor linked"; exit 77; }
./jobs/bootstrap.sh cuda
launcher=(); command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_CUDA_COMPILER_LAUNCHER=ccache)
cmake --preset cuda -DAMACRINE_JOIN_SOURCES=8 "${launcher[@]}" >/dev/null
cmake --build --preset cuda
test -x build/cuda/amacrine
