#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What presence says of cells whose truth is known, in full: every cell and contrast from its rates and from SETS sets of 100 trials
# (default 20, about a quarter of an hour). Prints the table; non-zero where something false is present or too much is missed.
#   ./tests/presence/run.sh [SETS] [BUILD_FOLDER]
set -eu
cd "$(dirname "$0")/../.."
build=${2:-build/openmp}
cmake --build "$build" --target recording_tests
export AMACRINE_PRESENCE_SEEDS="${1:-20}" AMACRINE_TEST_DATA="$PWD/tests/data" OMP_PROC_BIND=false
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
exec "./$build/tests/recording_tests" --gtest_filter='FullPresence.*'
