#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds with bounds checks, AddressSanitizer and UndefinedBehaviorSanitizer and runs the small tests.
set -euo pipefail
cd "$(dirname "$0")/../.."
./jobs/bootstrap.sh debug
launcher=(); command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
cmake --preset debug -DAMACRINE_JOIN_SOURCES=8 -DAMACRINE_FEW_LENGTHS=ON "${launcher[@]}" >/dev/null
cmake --build --preset debug
ctest --preset debug -j "$(nproc)"
