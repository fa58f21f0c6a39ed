#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""read_results.py FOLDER: every dataset of every group of every result file has named axes, units and a long name, and opens in xarray with
both engines, none lost and all with the same values. A missing engine is a failure."""
import glob
import os
import sys

import h5netcdf  # noqa: F401  xarray's engines: without one of them this check fails here
import h5py
import netCDF4  # noqa: F401
import numpy as np
import xarray as xr

ENGINES = ("netcdf4", "h5netcdf")
BARE_AXIS = b"This is a netCDF dimension but not a netCDF variable"


def groups_of(file):
    """The root group and all below it."""
    found = [file]
    file.visititems(lambda name, item: found.append(item) if isinstance(item, h5py.Group) else None)
    return found


def is_scale(dataset):
    return dataset.attrs.get("CLASS", b"") == b"DIMENSION_SCALE"


def described(dataset):
    """Faults of a dataset's description."""
    faults = []
    if h5py.check_enum_dtype(dataset.dtype):
        faults.append("is an HDF5 enum, which the netcdf4 engine loses")
    bare = dataset.attrs.get("NAME", b"").startswith(BARE_AXIS)
    if dataset.dtype.kind in "fiu" and not bare:
        faults += [f"has no {name}" for name in ("long_name", "units") if not dataset.attrs.get(name)]
    if not is_scale(dataset):
        faults += [f"has no name for axis {axis}" for axis, dimension in enumerate(dataset.dims) if not len(dimension)]
    return faults


def check_group(path, group):
    """Names of the group's variables, after asking HDF5 and both engines."""
    items = {name: item for name, item in group.items() if isinstance(item, h5py.Dataset)}
    faults = [f"{item.name} {fault}" for item in items.values() for fault in described(item)]
    if faults:  # the engines would fail too, but say less
        return list(items), faults
    opened = {}
    for engine in ENGINES:
        with xr.open_dataset(path, engine=engine, group=group.name, decode_times=False) as data:
            # An axis without coordinates that no variable of its group uses is a dimension only: nothing to lose.
            wanted = {n for n, item in items.items() if not item.attrs.get("NAME", b"").startswith(BARE_AXIS)}
            faults += [f"{group.name}: {engine} does not see {name}" for name in sorted(wanted - set(data.variables) - set(data.dims))]
            faults += [f"{group.name}: {name} has axes without a name in {engine}" for name, variable in data.data_vars.items()
                       if any(d.startswith("phony") for d in variable.dims)]
            opened[engine] = {name: np.asarray(variable.values) for name, variable in data.data_vars.items()}
    for name, value in opened[ENGINES[0]].items():
        other = opened[ENGINES[1]].get(name)
        if other is None or value.dtype.kind in "fiu" and not np.array_equal(value, other, equal_nan=value.dtype.kind == "f"):
            faults.append(f"{group.name}: {name} differs between the engines")
    return list(items), faults


paths = sorted(glob.glob(os.path.join(sys.argv[1], "*.h5")))
if not paths:
    sys.exit(f"no result files in {sys.argv[1]}")
bad = 0
for path in paths:
    datasets, faults = [], []
    with h5py.File(path, "r") as file:
        groups = groups_of(file)
        for group in groups:
            names, found = check_group(path, group)
            datasets += names
            faults += found
    bad += len(faults)
    for fault in faults:
        print(f"{path}: {fault}")
    print(f"{os.path.basename(path)}: {len(datasets)} datasets in {len(groups)} groups, read by {' and '.join(ENGINES)}")
sys.exit(1 if bad else 0)
