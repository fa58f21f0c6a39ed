#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints a Python that has h5py, xarray and matplotlib: the system's, or one made in .venv from the Python package index.
# Usage: python.sh [MODULE ...], further modules it must have: netCDF4, h5netcdf (the environment made here has both).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
wanted=$(printf 'import %s\n' h5py xarray matplotlib "$@")
for python in "${AMACRINE_PYTHON:-}" /usr/bin/python3 python3 "$root/.venv/bin/python"; do
  if [[ -n $python ]] && "$python" -c "$wanted" >/dev/null 2>&1; then echo "$python"; exit 0; fi
done
echo "[python] making .venv with h5py, h5netcdf, netCDF4, xarray and matplotlib" >&2
python3 -m venv "$root/.venv"
"$root/.venv/bin/pip" install -q --disable-pip-version-check h5py h5netcdf netCDF4 xarray matplotlib >&2
echo "$root/.venv/bin/python"
