# SPDX-License-Identifier: Apache-2.0
"""What a recording says of a cell of pathways.h5: its number and centre, the response to be predicted, and the planted units of a simulated one."""
import math
import os
import tomllib
from dataclasses import dataclass

import h5py
import numpy as np

from fitted import SIGN
from mechanism_values import inputs_of, of_another_recording, put, put_text, settings_of
from pathways import POLARITY
from results import labels, text


@dataclass
class Centre:
    """(y, x) in px of the movie; NaN where not known, and `why`."""

    position_px: tuple
    source: str
    why: str = ""


def recording_path(study):
    """The recording in the folder, or else the one that pathways.h5 names; None where neither is there."""
    named = inputs_of(study.pathways).get("recording", {}).get("path")
    return next((path for path in (study.path("recording.h5"), named) if path and os.path.exists(path)), None)


class Source:
    """A study's recording; without a file, everything is absent."""

    def __init__(self, study):
        self.path = recording_path(study)
        self.settings = settings_of(study.pathways, "step_study").get("recording", {})
        self.cells, self.circuits, self.planted, self.attrs, self.definitions = [], [], {}, {}, {}
        if self.path is not None:
            with h5py.File(self.path, "r") as file:
                self.read(file)

    def read(self, file):
        self.attrs = dict(file.attrs)
        self.cells = text(file.attrs["cells"]).split(",") if "cells" in file.attrs else []
        self.circuits = text(file.attrs["circuits"]).split(",") if "circuits" in file.attrs else []
        self.definitions = definitions_of(text(file.attrs.get("circuit_definitions", "")))
        if "simulated/unit_cell" in file:
            names = [text(each).split("/")[-1] for each in file["unit"][:]] if "unit" in file else None
            for u, cell in enumerate(file["simulated/unit_cell"][:]):
                unit = {"unit": names[u] if names else f"unit {u + 1}", "sign": SIGN[int(file["simulated/unit_sign"][u])], "polarity": POLARITY[int(file["simulated/unit_polarity"][u])]}
                put(unit, "offset_x_px", file["simulated/unit_dx"][u] if "simulated/unit_dx" in file else math.nan, "`simulated/unit_dx` is not in the recording")
                put(unit, "offset_x_um", (unit["offset_x_px"] if unit["offset_x_px"] is not None else math.nan) * (float(self.attrs.get("pixel_um", 0)) or math.nan),
                    "place or size of a pixel are not in the recording")
                self.planted.setdefault(self.cells[int(cell)], []).append(unit)

    def id_of(self, study, n):
        """(0-based number of a cell in its recording or NaN, where it is from)."""
        cell = labels(study.pathways, "cell")[n]
        if cell in self.cells:
            return self.cells.index(cell), "the recording's `cells`"
        chosen = self.settings.get("cells")
        if chosen:
            return int(chosen[n]), "recording.cells of the study"
        return (n, "all cells of the recording were fitted, in its order") if chosen == [] else (math.nan, "")

    def simulated(self, name, of_cell):
        """A row of a dataset of the group `simulated`; None where there is none."""
        if self.path is None or not math.isfinite(of_cell):
            return None
        with h5py.File(self.path, "r") as file:
            return file[f"simulated/{name}"][int(of_cell)] if f"simulated/{name}" in file else None

    def response(self, of_cell):
        """Mean over trials of the test part, as it was recorded; None where there is none."""
        target = self.settings.get("target", "binned")
        if self.path is None or not math.isfinite(of_cell):
            return None
        with h5py.File(self.path, "r") as file:
            name = f"test/response/{target}"
            return file[name][int(of_cell)].astype(float) if name in file and of_cell < len(file[name]) else None


def definitions_of(toml):
    """Circuits by their name, as docs/circuits.md describes them."""
    try:
        return tomllib.loads(toml).get("simulation", {}).get("circuits", {})
    except tomllib.TOMLDecodeError:
        return {}


def centre_of(study, source, n):
    """The receptive field's centre that the fit had. Older files do not hold it: then the study's, the recording's, or the one that the network was probed around."""
    if "centre_y" in study.pathways:
        return Centre(tuple(float(study.pathways[f"centre_{axis}"].values[n]) for axis in "yx"), "pathways.h5", "the cell has no receptive field (pathways.h5)")
    centres, of_cell = source.settings.get("centres", "auto"), source.id_of(study, n)[0]
    given = [source.settings.get(f"centre_{axis}", []) for axis in "yx"]
    if centres == "given" and all(n < len(each) for each in given):
        return Centre(tuple(float(each[n]) for each in given), "recording.centre_y and recording.centre_x of the study")
    planted = [source.simulated(f"centre_{axis}", of_cell) for axis in "yx"]
    if centres == "auto" and all(each is not None for each in planted):
        return Centre(tuple(float(each) for each in planted), "the recording")
    probed, cell = study.responses.get("network"), labels(study.pathways, "cell")[n]
    if probed is not None and not of_another_recording(study) and cell in labels(probed, "cell") and "centre_y" in probed:
        at = labels(probed, "cell").index(cell)
        return Centre(tuple(float(probed[f"centre_{axis}"].values[at]) for axis in "yx"), "responses_network.h5", "the centre is not known in responses_network.h5")
    return Centre((np.nan, np.nan), "", "the receptive field's centre is not in pathways.h5; neither the recording nor responses_network.h5, which know it, are there")


def planted_of(source, cell):
    """The circuit of a simulated cell; None for others."""
    if cell not in source.planted:
        return None
    found = {"recording": source.path}
    circuit = source.circuits[source.cells.index(cell)] if len(source.circuits) == len(source.cells) else None
    put_text(found, "circuit", circuit, "the recording does not name its circuits")
    found["units"] = source.planted[cell]
    found["definition"] = source.definitions.get(circuit)
    if found["definition"] is None:
        found["definition_why"] = "the recording holds no definition of it (`circuit_definitions`)"
    return found
