#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens the file of the test ResultFile.GivesBackWhatAllRanksWrote in xarray with both engines and checks what it shows.

opens_in_xarray.sh makes the file and runs this script with it.
"""
import sys

import numpy as np
import xarray as xr


def check(path, engine):
    with xr.open_dataset(path, engine=engine) as data:
        assert dict(data.sizes) == {"row": 7, "time": 1000, "pair": 2} or dict(data.sizes) == {"row": 7, "time": 1000}, data.sizes
        rate = data["rate"]
        assert rate.dims == ("row", "time") and rate.dtype == np.float32, rate
        row, column = np.meshgrid(np.arange(7), np.arange(1000), indexing="ij")
        assert np.array_equal(rate.values, (1024 * row + column) / 1024)
        assert rate.attrs["units"] == "Hz" and rate.attrs["long_name"] == "firing rate" and rate.attrs["note"] == "a note", rate.attrs
        labels = [str(label) for label in data["row"].values]
        assert labels == ["a", "b", "c", "d", "e", "f", "a longer name, 5 µm"], labels
        assert np.array_equal(data["time"].values, 10.0 * np.arange(1000)) and data["time"].attrs["units"] == "ms"
        assert "pair" not in data.coords, "a dimension without coordinates has no variable"
        flag = data["flag"]
        assert flag.dtype == np.int8 and list(flag.values) == [0, 1, 0, 1, 0, 1, 0], flag
        assert np.asarray(flag.attrs["flag_values"]).dtype == np.int8 and flag.attrs["flag_meanings"] == "no yes", flag.attrs
        assert data["loss"].shape == () and np.isnan(data["loss"].values)
        assert data.attrs["kind"] == "test" and int(data.attrs["complete"]) == 1 and "rate = 0.5" in data.attrs["study"], data.attrs
        assert float(data.attrs["frame_interval_ms"]) == 10.0
        assert float(rate.sel(row="c").isel(time=5)) == (1024 * 2 + 5) / 1024
    with xr.open_dataset(path, engine=engine, group="train/response") as data:
        binned = data["binned"]
        assert binned.dims == ("row", "pair") and binned.dtype == np.uint8, binned
        assert list(binned.values[:, 0]) == list(range(7)) and set(binned.values[:, 1]) == {200}


if __name__ == "__main__":
    for name in ("netcdf4", "h5netcdf"):
        check(sys.argv[1], name)
        print(f"{name}: reads all of {sys.argv[1]}")
