#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Damages every kind of file of a small study, in every region, and asks inspect and the verbs that read it: all damage must be noticed, and
# nothing may crash. Ends with "flips CAUGHT TRIED". Usage: flips.sh [short|full]
# AMACRINE_PROGRAM names the program, AMACRINE_SURVIVAL_SEED the random numbers.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
amacrine=$(realpath "${AMACRINE_PROGRAM:-$root/build/openmp/amacrine}") study=$root/tests/checks/small_study.toml
python=$("$root/jobs/python.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export OMP_NUM_THREADS=1 OMP_PROC_BIND=false OMP_WAIT_POLICY=passive  # several processes run at a time
for verb in simulate train evaluate probe attribute reduce lesion fit; do
  "$amacrine" "$verb" "$study" study.output=whole >log 2>&1 || { cat log; echo "FAILED: $verb"; exit 1; }
done
PYTHONDONTWRITEBYTECODE=1 "$python" "$here/flips.py" "$amacrine" "$study" whole "${1:-short}" "${AMACRINE_SURVIVAL_SEED:-1}"
