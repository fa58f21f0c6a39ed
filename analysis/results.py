# SPDX-License-Identifier: Apache-2.0
"""Reads a study's result files; never computes science that the program should have computed."""
import csv
import os

import numpy as np
import xarray as xr


class Study:
    """The output folder of one study. Files that were not made are None."""

    def __init__(self, folder):
        self.folder = folder
        self.evaluation = self.open("evaluation.h5")
        self.responses = {s: d for s in ("circuit", "recorded", "network", "ln") if (d := self.open(f"responses_{s}.h5")) is not None}
        self.attributions = {s: d for s in ("circuit", "network") if (d := self.open(f"attributions_{s}.h5")) is not None}
        self.reductions = {s: d for s in ("circuit", "network") if (d := self.open(f"reduction_{s}.h5")) is not None}
        self.joint = {s: self.open(f"reduction_{s}.h5", group="joint") for s in self.reductions}
        self.curves = self.read_curves()

    def path(self, name):
        return os.path.join(self.folder, name)

    def open(self, name, group=None):
        path = self.path(name)
        if not os.path.exists(path):
            return None
        try:
            return xr.open_dataset(path, engine="netcdf4", group=group, decode_times=False)
        except (ImportError, ValueError):
            return xr.open_dataset(path, engine="h5netcdf", group=group, decode_times=False)

    @property
    def score_reference(self):
        """What the scores are against: "noiseless" (the simulated rate) or "trial_mean"."""
        return text(self.evaluation.attrs.get("score_reference", "noiseless" if "noiseless_rate" in self.evaluation else "trial_mean"))

    def read_curves(self):
        """curves.csv as columns of floats; empty where there was no training."""
        path = self.path("curves.csv")
        if not os.path.exists(path):
            return {}
        with open(path, newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        number = lambda text: float(text) if text not in ("", None) else np.nan
        columns = {}
        for key in rows[0] if rows else []:
            try:
                columns[key] = np.array([number(row[key]) for row in rows])
            except ValueError:
                pass
        return columns

    def provenance(self):
        """Root attributes of the file that stands nearest to the end of the study."""
        for dataset in [*self.reductions.values(), *self.attributions.values(), *self.responses.values(), self.evaluation]:
            if dataset is not None:
                return dict(dataset.attrs)
        return {}


def text(value):
    """A text attribute or label as str."""
    return value.decode() if isinstance(value, bytes) else str(value)


def labels(dataset, dimension):
    """Text coordinates of a dimension as a list of str."""
    return [text(v) for v in dataset[dimension].values]


def families(names):
    """Conditions by family, in order: {"osr": [0, 1, ...], ...}."""
    found = {}
    for i, name in enumerate(names):
        found.setdefault(name.split("/")[0], []).append(i)
    return found
