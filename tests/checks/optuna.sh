#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A sweep of twelve trials that a real Optuna proposes (TPE), whole and in two parts, which must propose the same. Usage: optuna.sh AMACRINE
set -euo pipefail
program=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
home=$root/.deps/optuna
if [[ ! -f $home/.complete ]]; then
  python3 -m venv "$home" && "$home/bin/pip" install -q --disable-pip-version-check optuna >/dev/null 2>&1 \
    || { echo "SKIPPED: Optuna cannot be installed from the Python package index"; exit 77; }
  touch "$home/.complete"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export AMACRINE=$program PYTHONDONTWRITEBYTECODE=1
study=$root/tests/checks/small_study.toml
propose() { "$home/bin/python" "$root/analysis/optuna_sweep.py" "$study" "$1" 4 "study.output=$2" recording.file=recording.h5 >"$2.log" 2>&1 || { cat "$2.log"; exit 1; }; }
"$program" simulate "$study" study.output=. >/dev/null
propose 12 whole
PYTHONPATH=$root/analysis "$home/bin/python" "$root/tests/checks/optuna_test.py" whole
propose 8 parts
[[ $(wc -l <parts/proposals.txt) == 8 ]] || { echo "eight trials were asked for"; exit 1; }
propose 12 parts
cmp whole/proposals.txt parts/proposals.txt
cmp whole/sweep.csv parts/sweep.csv
