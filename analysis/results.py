# SPDX-License-Identifier: Apache-2.0
"""Reads a study's result files; never computes science that the program should have computed."""
import csv
import json
import os

import h5py
import numpy as np
import xarray as xr

from damage import lacks


class Result(xr.Dataset):
    """A result file's data, which says of what file and dataset it is that something is missing."""

    __slots__ = ()

    def __getitem__(self, key):
        try:
            return super().__getitem__(key)
        except KeyError as error:
            if isinstance(key, str) and "source" in self.encoding:
                raise lacks(self.encoding["source"], self.encoding.get("group", "") + key) from error
            raise


def opened(path, engine, group):
    data = xr.open_dataset(path, engine=engine, group=group, decode_times=False)
    result = Result(data.variables, attrs=data.attrs)
    result = result.set_coords(list(data.coords))
    result.encoding = {**data.encoding, "source": path, "group": f"{group}/" if group else ""}
    result.set_close(data._close)
    return result


class Study:
    """The output folder of one study. Files that were not made are None."""

    def __init__(self, folder):
        self.folder = folder
        self.evaluation = self.open("evaluation.h5")
        self.responses = {s: d for s in ("circuit", "recorded", "network", "ln") if (d := self.open(f"responses_{s}.h5")) is not None}
        self.attributions = {s: d for s in ("circuit", "network") if (d := self.open(f"attributions_{s}.h5")) is not None}
        self.reductions = {s: d for s in ("circuit", "network") if (d := self.open(f"reduction_{s}.h5")) is not None}
        self.joint = {s: self.open(f"reduction_{s}.h5", group="joint") for s in self.reductions}
        self.lesions = finished(self.open("lesions_network.h5"))
        self.pathways = finished(self.open("pathways.h5"))
        self.curves = self.read_curves()
        self.planted = self.read_planted()

    def path(self, name):
        return os.path.join(self.folder, name)

    def open(self, name, group=None):
        path = self.path(name)
        if not os.path.exists(path):
            return None
        try:
            return opened(path, "netcdf4", group)
        except (ImportError, ValueError):
            return opened(path, "h5netcdf", group)

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

    def sets(self):
        """Names of the parameter sets that were probed, in order."""
        return labels(next(iter(self.responses.values())), "set") if self.responses else []

    def responses_of(self, name):
        """Responses to one parameter set, by subject."""
        return {subject: of_set(data, name) for subject, data in self.responses.items()}

    def read_planted(self):
        """Units of each cell's circuit, (polarity, sign) of each by the cell's name; empty for recordings of real cells."""
        inputs = [self.path("recording.h5")]
        for dataset in (self.evaluation, self.pathways):
            if dataset is not None:
                inputs += [i["path"] for i in json.loads(text(dataset.attrs.get("inputs", "[]"))) if i["role"] == "recording"]
        for path in inputs:
            if not os.path.exists(path):
                continue
            with h5py.File(path, "r") as recording:
                if "simulated/unit_cell" not in recording:
                    continue
                cells = text(recording.attrs["cells"]).split(",")
                units = zip(*(recording[f"simulated/unit_{name}"][:].tolist() for name in ("cell", "polarity", "sign")))
                planted = {cell: [] for cell in cells}
                for cell, polarity, sign in units:
                    planted[cells[cell]].append((polarity, sign))
                return planted
        return {}

    def provenance(self):
        """Root attributes of the file that stands nearest to the end of the study."""
        for dataset in [*self.reductions.values(), *self.attributions.values(), *self.responses.values(), self.evaluation, self.pathways]:
            if dataset is not None:
                return dict(dataset.attrs)
        return {}


def finished(dataset):
    """The dataset, or None where its writing was interrupted."""
    return dataset if dataset is not None and int(dataset.attrs.get("complete", 1)) else None


def text(value):
    """A text attribute or label as str."""
    return value.decode() if isinstance(value, bytes) else str(value)


def labels(dataset, dimension):
    """Text coordinates of a dimension as a list of str."""
    return [text(v) for v in dataset[dimension].values]


def of_set(data, name):
    """A responses dataset with the conditions and figures of one parameter set alone, its conditions named without the set."""
    plain = [condition.split("/")[0] for condition in labels(data, "condition")]
    wanted = [i for i, head in enumerate(plain) if head == "grey" or (head.split("@") + ["circuits"])[1] == name]
    names = [labels(data, "condition")[i].replace(f"@{name}", "") for i in wanted]
    one = data.isel(set=[labels(data, "set").index(name)], condition=wanted).assign_coords(condition=names)
    if "latency_contrast" in one.sizes and "latency_ms" in one:
        shown = one["contrast"].values[[i for i, n in enumerate(names) if n.startswith("latency/")]]
        one = one.isel(latency_contrast=[i for i, c in enumerate(one["latency_contrast"].values) if np.isclose(c, shown).any()])
    return one
