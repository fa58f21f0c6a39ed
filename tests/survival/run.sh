#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What jobs, machines and people do to results, on purpose: nothing false may come of it, and nothing whole be lost.
#   tests/survival/run.sh [short|full] [PART ...]
# A part is a script beside this one: PART.sh LENGTH, run in an empty folder, whose last line is "PART PASSED TRIED". The last line
# here sums them up: "survival PASSED TRIED"; non-zero where a case did not pass. `short` (the default) takes under a minute a part.
# AMACRINE_PROGRAM and AMACRINE_MPIEXEC name the programs, AMACRINE_SURVIVAL_SEED the random numbers.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
length=short
[[ ${1:-} == short || ${1:-} == full ]] && { length=$1; shift; }
parts=("$@")
((${#parts[@]})) || mapfile -t parts < <(cd "$here" && ls ./*.sh | sed 's|^\./||; s|\.sh$||' | grep -vx -e run)
export AMACRINE_PROGRAM=${AMACRINE_PROGRAM:-$root/build/openmp/amacrine} AMACRINE_MPIEXEC=${AMACRINE_MPIEXEC:-mpiexec}
export AMACRINE_SURVIVAL_SEED=${AMACRINE_SURVIVAL_SEED:-1}
export OMP_NUM_THREADS=1 OMP_PROC_BIND=false OMP_WAIT_POLICY=passive HDF5_USE_FILE_LOCKING=FALSE
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
[[ -x $AMACRINE_PROGRAM ]] || { echo "no program at $AMACRINE_PROGRAM; build it, or set AMACRINE_PROGRAM"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 tried=0
for part in "${parts[@]}"; do
  [[ -x $here/$part.sh ]] || { echo "there is no part '$part' in tests/survival"; exit 2; }
  mkdir "$work/$part"
  (cd "$work/$part" && "$here/$part.sh" "$length") | tee "$work/$part.log"
  read -r name good all < <(tail -n 1 "$work/$part.log")
  # A part that died has no such line, and did not pass.
  [[ $name == "$part" && $good =~ ^[0-9]+$ && $all =~ ^[0-9]+$ ]] || { echo "part $part did not come to its end"; good=0 all=1; }
  passed=$((passed + good)) tried=$((tried + all))
done
echo "survival $passed $tried"
((passed == tried && tried > 0))
