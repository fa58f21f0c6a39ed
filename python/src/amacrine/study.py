# SPDX-License-Identifier: Apache-2.0
"""A study's output folder."""
from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
import pandas as pd
import xarray as xr

from . import tables
from .errors import ResultError
from .hdf5 import ResultFile
from .model import Model, load_model
from .pathway_models import PathwayModel, pathway_models

if TYPE_CHECKING:
    from .hdf5 import Tree

T = TypeVar("T")
# Results of one file each, and their files.
RESULTS = {"evaluation": "evaluation.h5", "lesions": "lesions_network.h5", "pathways": "pathways.h5", "sweep": "sweep.h5"}


class Subjects(Mapping[str, T], Generic[T]):
    """Results of one verb by subject; each is opened when it is asked for. A subject that is not there raises ResultError."""

    def __init__(self, folder: str, prefix: str, read: Callable[[str], T]) -> None:
        self._folder, self._prefix, self._read = folder, prefix, read
        self._opened: dict[str, T] = {}

    def _names(self) -> list[str]:
        pattern = re.compile(re.escape(self._prefix) + r"_(\w+)\.h5")
        return sorted(found[1] for name in os.listdir(self._folder) if (found := pattern.fullmatch(name)))

    def __getitem__(self, subject: str) -> T:
        if subject not in self._opened:
            self._opened[subject] = self._read(os.path.join(self._folder, f"{self._prefix}_{subject}.h5"))
        return self._opened[subject]

    def __contains__(self, subject: object) -> bool:
        return subject in self._names()

    def get(self, subject: str, default: T | None = None) -> T | None:  # type: ignore[override]
        return self[subject] if subject in self else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __repr__(self) -> str:
        return f"{self._prefix} of {', '.join(self._names()) or 'no subject'} in {self._folder}"


class Study:
    """Results in one folder. Every attribute is opened when it is first asked for, and its values are read when they are used.

    What is not there, or is damaged, raises ResultError, which names file, dataset, what was expected and the verb that makes it.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = os.fspath(folder)
        if not os.path.isdir(self.folder):
            raise ResultError(self.folder, "is no folder", "the output folder of a study (study.output)")

    def __repr__(self) -> str:
        return f"Study({self.folder!r})"

    def path(self, name: str) -> str:
        """A file of the folder."""
        return os.path.join(self.folder, name)

    def has(self, name: str) -> bool:
        """Whether a file of this name is there ("evaluation.h5")."""
        return os.path.exists(self.path(name))

    @cached_property
    def evaluation(self) -> xr.Dataset:
        """Predictions and scores: docs/results/evaluation.md."""
        return ResultFile(self.path("evaluation.h5"), "evaluation").dataset()

    @cached_property
    def responses(self) -> Subjects[xr.Dataset]:
        """Responses to artificial stimuli and phenomena, by subject ("network", "circuit", "ln", "recorded"): docs/results/responses.md."""
        return Subjects(self.folder, "responses", lambda path: ResultFile(path, "responses").dataset())

    @cached_property
    def attributions(self) -> Subjects[xr.Dataset]:
        """Attributions by subject ("network", "circuit", "ln", "network_recording", ...): docs/results/attributions.md."""
        return Subjects(self.folder, "attributions", lambda path: ResultFile(path, "attributions").dataset())

    @cached_property
    def reduction(self) -> Subjects[Tree]:
        """Pathways and reduced models by subject; the set for all stimuli is the group "joint": docs/results/reduction.md."""
        return Subjects(self.folder, "reduction", lambda path: ResultFile(path, "reduction").tree())

    @cached_property
    def lesions(self) -> xr.Dataset:
        """The network with units removed: docs/results/lesions.md."""
        return ResultFile(self.path("lesions_network.h5"), "lesions").dataset()

    @cached_property
    def pathways(self) -> xr.Dataset:
        """Pathways fitted to the recording itself: docs/results/pathways.md."""
        return ResultFile(self.path("pathways.h5"), "pathways").dataset()

    @cached_property
    def sweep(self) -> Tree:
        """Trials of a sweep; what they set is the group "parameter": docs/results/sweep.md."""
        return ResultFile(self.path("sweep.h5"), "sweep").tree()

    @cached_property
    def curves(self) -> pd.DataFrame:
        """Learning curves, a row per epoch: docs/results/curves.md. Undefined values are NaN."""
        return tables.read_curves(self.path("curves.csv"))

    @cached_property
    def recording(self) -> Tree:
        """The recording, with groups "train", "test" and, of simulations, "simulated": docs/results/recording.md.

        The folder's own, or the one that its results name as their input.
        """
        return ResultFile(self.recording_path(), "recording").tree()

    @cached_property
    def model(self) -> Model:
        """The trained network (model.h5)."""
        return load_model(self.path("model.h5"))

    @cached_property
    def ln(self) -> Model:
        """The linear-nonlinear model (ln.h5)."""
        return load_model(self.path("ln.h5"))

    def pathway_models(self, centres: Mapping[str, Sequence[float]] | None = None) -> dict[str, PathwayModel]:
        """Pathway models of the fitted cells in NumPy, by name, with receptive-field centres (row, column in px) as given, else those in pathways.h5; files
        of older programs have none, then those of a simulated recording, else of the trained model. Raises ResultError where a cell has none."""
        if centres is None:
            centres = self._centres()
        return pathway_models(self.pathways, centres)

    def _centres(self) -> dict[str, tuple[float, float]]:
        """Receptive-field centres as `amacrine fit` takes them from a file; of real cells those that training found."""
        names = tables.labels(self.pathways, "cell")
        if "centre_y" in self.pathways:
            places = zip(names, self.pathways["centre_y"].values, self.pathways["centre_x"].values)
            return {name: (float(y), float(x)) for name, y, x in places if np.isfinite(y) and np.isfinite(x)}
        try:
            rows, columns = (tables.figure_of(self.recording, f"simulated/centre_{axis}").values for axis in "yx")
            if len(rows) == len(names):
                return {name: (float(y), float(x)) for name, y, x in zip(names, rows, columns)}
        except ResultError:
            pass
        cells = self.model.cells if self.has("model.h5") else ()
        return {cell.name: (cell.centre_y, cell.centre_x) for cell in cells if cell.centre_y is not None and cell.centre_x is not None}

    @cached_property
    def tree(self) -> xr.DataTree:
        """All results as one DataTree that reads values when they are asked for: "evaluation", "responses/network", "reduction/circuit/joint", ...

        A file that is not there is left out, one that is damaged raises ResultError. `curves` is a Dataset over `epoch`. Raises ImportError with an xarray
        before 2024.10, which has no DataTree.
        """
        if not hasattr(xr, "DataTree"):
            raise ImportError("a tree needs xarray 2024.10 or newer, which has DataTree; the attributes of a Study work without")
        nodes: dict[str, xr.DataTree | xr.Dataset] = {name: getattr(self, name) for name, file in RESULTS.items() if self.has(file)}
        for name in ("responses", "attributions", "reduction"):
            nodes |= {f"{name}/{subject}": data for subject, data in getattr(self, name).items()}
        for name in ("model", "ln"):
            if self.has(f"{name}.h5"):
                nodes[name] = ResultFile(self.path(f"{name}.h5"), "model").dataset()
        if self.has("curves.csv"):
            nodes["curves"] = xr.Dataset.from_dataframe(self.curves.set_index("epoch"))
        if self.has_recording():
            nodes["recording"] = self.recording
        return grown(self.folder, nodes)

    def has_recording(self) -> bool:
        """Whether the recording is found."""
        try:
            return bool(self.recording_path())
        except ResultError:
            return False

    def recording_path(self) -> str:
        """Path of the recording. Raises ResultError where it is not found."""
        if self.has("recording.h5"):
            return self.path("recording.h5")
        named: list[str] = []
        for name, kind in (("evaluation.h5", "evaluation"), ("pathways.h5", "pathways"), ("responses_recorded.h5", "responses")):
            if self.has(name):
                inputs = json.loads(ResultFile(self.path(name), kind).attrs.get("inputs", "[]"))
                named += [entry["path"] for entry in inputs if entry["role"] == "recording"]
        for path in named:  # paths are relative to where the program ran: here, or a folder above the results
            above = os.path.abspath(self.folder)
            while True:
                if os.path.exists(os.path.join(above, path)):
                    return os.path.join(above, path)
                if above == os.path.dirname(above):
                    break
                above = os.path.dirname(above)
            if os.path.exists(path):
                return path
        others = f"; nor is {', '.join(dict.fromkeys(named))}, which its results name" if named else ""
        raise ResultError(self.path("recording.h5"), f"is not there{others}", "a recording", verb="simulate")

    def models(self) -> dict[str, Study]:
        """Studies below this folder that have a model, by name: sessions of a joint training and finished trials of a sweep ("trials/0007")."""
        found: dict[str, Study] = {}
        for family in ("sessions", "trials"):
            if os.path.isdir(self.path(family)):
                for name in sorted(os.listdir(self.path(family))):
                    if self.has(f"{family}/{name}/model.h5"):
                        found[f"{family}/{name}"] = Study(self.path(f"{family}/{name}"))
        return found

    def scores(self) -> pd.DataFrame:
        """A row per model and cell: `score`, `pearson_r`, `fev`, `feve` with `_low` and `_high`, the cell's `noise_ceiling`, `silent`, `no_ceiling`."""
        return tables.scores(self.evaluation)

    def phenomena(self) -> pd.DataFrame:
        """A row per subject, parameter set, cell and phenomenon: whether it is `present`, the flag's word, and its main figure with interval."""
        return tables.phenomena(self.responses)

    def pathway_table(self) -> pd.DataFrame:
        """A row per kept pathway of the reductions: `subject`, `cell`, `stimulus` ("joint": the set for all stimuli), `pathway` and its figures."""
        return tables.pathways(self.reduction)


def grown(folder: str, nodes: Mapping[str, xr.DataTree | xr.Dataset]) -> xr.DataTree:
    """One tree of trees and datasets, each under its path."""
    flat: dict[str, xr.Dataset | None] = {"/": xr.Dataset(attrs={"folder": folder})}
    for name, node in nodes.items():
        if isinstance(node, xr.Dataset):
            flat[f"/{name}"] = node
            continue
        for below in node.subtree:
            flat[f"/{name}{below.path}".rstrip("/")] = below.to_dataset(inherit=False)
    return xr.DataTree.from_dict({path: data for path, data in flat.items() if data is not None})


def open_study(folder: str | os.PathLike[str]) -> Study:
    """The results in a folder. Raises ResultError where it is no folder; what is in it is looked at when it is asked for."""
    return Study(folder)
