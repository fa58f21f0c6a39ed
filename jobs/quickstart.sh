#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From nothing to a report: installs what is missing, builds, and runs a whole study.
#   ./jobs/quickstart.sh [STUDY.toml] [key=value ...] [--overwrite]
# Run again, it reuses what is whole. The last line is the report's path.
set -euo pipefail
here=$(pwd)
root=$(cd "$(dirname "$0")/.." && pwd)
study=$root/jobs/quickstart.toml
if [[ ${1:-} == *.toml ]]; then study=$(cd "$(dirname "$1")" && pwd)/$(basename "$1"); shift; fi

"$root/jobs/bootstrap.sh" openmp
cd "$root"
echo "[build] amacrine"
launcher=(); command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
cmake --preset openmp "${launcher[@]}" >/dev/null
cmake --build --preset openmp --target amacrine | tail -n 1
cd "$here"
"$root/jobs/python.sh" >/dev/null # makes what the report needs now, if it must

export OMP_PROC_BIND=${OMP_PROC_BIND:-false} HDF5_USE_FILE_LOCKING=${HDF5_USE_FILE_LOCKING:-FALSE}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
amacrine=$root/build/openmp/amacrine
begin=$SECONDS
for verb in simulate train evaluate probe attribute reduce lesion; do
  printf '\n== %s\n' "$verb"
  start=$SECONDS
  "$amacrine" "$verb" "$study" "$@"
  printf '   (%s took %d s)\n' "$verb" $((SECONDS - start))
done
printf '\n== report\n'
drawn=$("$amacrine" report "$study" "$@")
printf '%s\n' "${drawn%$'\n'*}"
printf 'the study took %d s\n' $((SECONDS - begin))
printf '%s\n' "${drawn##*$'\n'}"
