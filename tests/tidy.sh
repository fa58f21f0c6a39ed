#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over our own sources, with the openmp preset's compile commands. Files may be named; default: all.
set -euo pipefail
cd "$(dirname "$0")/.."
[[ -f build/openmp/compile_commands.json ]] || { ./jobs/bootstrap.sh openmp; cmake --preset openmp >/dev/null; }
files=("$@"); ((${#files[@]})) || mapfile -t files < <(find src drivers -name '*.cpp' | sort)
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p build/openmp
