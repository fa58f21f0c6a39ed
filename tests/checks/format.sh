#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every C++ file is as clang-format leaves it, and carries its licence line.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v clang-format >/dev/null || { echo "SKIPPED: clang-format is not installed"; exit 77; }
mapfile -t files < <(find src include drivers tests -name '*.cpp' -o -name '*.hpp')
clang-format --dry-run -Werror "${files[@]}"
bad=0
for f in "${files[@]}"; do
  head -n 1 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || { echo "$f: the first line must name the licence"; bad=1; }
done
# Raw MPI only in parallel, raw HDF5 only in io; quiet execution spaces and unlabelled launches nowhere.
grep -nE '\bMPI_[A-Z][a-z_]+\(' -r src include drivers --include='*.cpp' --include='*.hpp' | grep -vE '/(parallel|io)/' && { echo "raw MPI outside the parallel room"; bad=1; }
grep -nE '\bH5[A-Z]{1,2}[a-z_0-9]+\(' -r src include drivers --include='*.cpp' --include='*.hpp' | grep -v '/io/' && { echo "raw HDF5 outside the io room"; bad=1; }
grep -nE 'parallel_(for|reduce|scan)\((Kokkos::|[^"])' -r src drivers --include='*.cpp' | grep -vE 'parallel_(for|reduce|scan)\($|\? [a-z]+\.label : "|TeamThread|ThreadVector|TeamVector' && { echo "a launch without a label"; bad=1; }
exit $bad
