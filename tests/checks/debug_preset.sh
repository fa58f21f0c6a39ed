#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds with bounds checks, AddressSanitizer and UndefinedBehaviorSanitizer and runs the small tests.
set -euo pipefail
cd "$(dirname "$0")/../.."
./jobs/bootstrap.sh debug
launcher=(); command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
# A report names functions; lines, which take the compiler longer, come with the preset's own flags.
cmake --preset debug -DAMACRINE_JOIN_SOURCES=8 -DAMACRINE_FEW_LENGTHS=ON -DCMAKE_CXX_FLAGS_DEBUG=-O1 "${launcher[@]}" >/dev/null
cmake --build --preset debug --target unit_tests
ctest --preset debug -j "$(nproc)"
