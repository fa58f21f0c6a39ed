#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The writer's own test file as xarray shows it with both engines. Usage: opens_in_xarray.sh IO_MPI_TESTS
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$("$here/../../jobs/python.sh" netCDF4 h5netcdf) || { echo "SKIPPED: no Python here has both netCDF4 and h5netcdf"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
AMACRINE_TEST_KEEP=$work/rows.h5 "$1" --gtest_filter=ResultFile.GivesBackWhatAllRanksWrote
"$python" "$here/opens_in_xarray.py" "$work/rows.h5"
