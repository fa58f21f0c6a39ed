#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs ./python into a fresh environment and holds it against a small study that the program makes. Usage: package.sh AMACRINE
# $AMACRINE_PYTHON names another Python than the system's; what it has of NumPy, h5py, xarray, pandas and PyTorch is used.
set -euo pipefail
program=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
skip() { echo "SKIPPED: $1"; exit 77; }
base=python3
for each in "${AMACRINE_PYTHON:-}" /usr/bin/python3 python3; do
  if [[ -n $each ]] && "$each" -c 'import sys, numpy, h5py, xarray, pandas; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then base=$each; break; fi
done
"$base" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || skip "Python 3.11 or newer is not installed"
"$base" -m venv --system-site-packages "$work/venv" >/dev/null || skip "this Python makes no virtual environments"
python=$work/venv/bin/python
# An environment's own packages are no system packages: those of $AMACRINE_PYTHON are named to this one.
"$base" -c 'import site; print("\n".join(site.getsitepackages()))' >"$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/base.pth"
install() { "$python" -m pip install -q --disable-pip-version-check "$@"; }
has() { "$python" -c "import $1" 2>/dev/null; }
if ! { has numpy && has h5py && has xarray && has pandas; }; then
  install numpy h5py xarray pandas >/dev/null 2>&1 || skip "numpy, h5py, xarray and pandas are not here and cannot be installed"
fi
if ! has setuptools || ! has wheel; then
  install setuptools wheel >/dev/null 2>&1 || skip "setuptools and wheel are not here and cannot be installed"
fi
cp -r "$root/python" "$work/python"
install --no-deps --no-build-isolation --no-index "$work/python"
export AMACRINE_PROGRAM=$program AMACRINE_STUDY=$root/tests/checks/small_study.toml AMACRINE_README=$root/README.md AMACRINE_PAGE=$root/docs/python.md PYTHONDONTWRITEBYTECODE=1
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
mkdir "$work/run"
cd "$work/run"
"$python" -c "import amacrine, sys; sys.exit(not amacrine.__file__.startswith('$work/venv'))" || { echo "the package is not the one that was installed"; exit 1; }
"$python" -W error::ResourceWarning -m unittest discover -s "$root/python/tests"
