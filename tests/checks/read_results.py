#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""read_results.py FOLDER: every result file opens in xarray with each engine there is, with named axes, units and no lost variable."""
import glob
import importlib.util
import os
import sys

import h5py
import numpy as np
import xarray as xr

engines = [e for e, module in (("netcdf4", "netCDF4"), ("h5netcdf", "h5netcdf")) if importlib.util.find_spec(module)]
if not engines:
    sys.exit("neither netCDF4 nor h5netcdf is installed")
paths = sorted(glob.glob(os.path.join(sys.argv[1], "*.h5")))
if not paths:
    sys.exit(f"no result files in {sys.argv[1]}")
for path in paths:
    with h5py.File(path, "r") as file:
        # An axis without coordinates that no variable of the root group uses is a dimension only: nothing to lose.
        root = {name: item.shape for name, item in file.items() if isinstance(item, h5py.Dataset)
                and not item.attrs.get("NAME", b"").startswith(b"This is a netCDF dimension but not a netCDF variable")}
        groups = [name for name, item in file.items() if isinstance(item, h5py.Group)]
        for name, item in file.items():
            if isinstance(item, h5py.Dataset) and h5py.check_enum_dtype(item.dtype):
                sys.exit(f"{path}: {name} is an HDF5 enum, which the netcdf4 engine loses")
    opened = {}
    for engine in engines:
        with xr.open_dataset(path, engine=engine, decode_times=False) as data:
            names = set(data.variables) | set(data.dims)
            lost = [name for name in root if name not in names]
            if lost:
                sys.exit(f"{path}: {engine} does not see {lost}")
            for name, variable in data.data_vars.items():
                unnamed = [d for d in variable.dims if d.startswith("phony")]
                if unnamed:
                    sys.exit(f"{path}: {name} has axes without a name in {engine}")
                if "long_name" not in variable.attrs:
                    sys.exit(f"{path}: {name} has no long_name")
            opened[engine] = {n: np.asarray(v.values) for n, v in data.data_vars.items()}
        for group in groups:
            xr.open_dataset(path, engine=engine, group=group, decode_times=False).close()
    if len(engines) == 2:
        for name, value in opened[engines[0]].items():
            other = opened[engines[1]][name]
            if value.dtype.kind in "fiu" and not np.array_equal(value, other, equal_nan=value.dtype.kind == "f"):
                sys.exit(f"{path}: {name} differs between the engines")
    print(f"{os.path.basename(path)}: {len(root)} datasets, {len(groups)} groups, read by {' and '.join(engines)}")
