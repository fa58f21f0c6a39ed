# SPDX-License-Identifier: Apache-2.0
"""Result files as xarray Datasets that read values when they are asked for. Layouts: docs/results/*.md."""
from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from .errors import ResultError

if TYPE_CHECKING:
    Tree = xr.DataTree | xr.Dataset

# Kind of a file: the verb that makes it, and datasets that every whole file of the kind has.
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "recording": ("simulate", ("train/stimulus", "test/stimulus")),
    "model": ("train", ("cell", "readout_weight", "cell_id")),
    "evaluation": ("evaluate", ("model", "cell", "rate", "score", "score_interval", "pearson_r", "fev", "feve", "noise_ceiling", "silent", "no_ceiling")),
    "responses": ("probe", ("condition", "cell", "set", "rate")),
    "attributions": ("attribute", ("stimulus", "cell", "rate", "baseline_rate", "residual")),
    "reduction": ("reduce", ("cell", "stimulus", "condition", "channel", "kept", "path_channel", "share", "sign", "polarity", "weight", "joint/kept")),
    "lesions": ("lesion", ("cell", "stimulus", "order", "size", "faithfulness", "cmd")),
    "pathways": ("fit", ("cell", "pathway", "pathways", "weight", "threshold", "time_course", "profile")),
    "sweep": ("sweep", ("trial", "rung", "value", "standing")),
}
NO_COORDINATE = "This is a netCDF dimension but not a netCDF variable"
HIDDEN = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "DIMENSION_LABELS", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_NCProperties"}
CHECKS_RECORD, CHECKS_MAGIC, CHECKS_HEAD = 64, b"amacrine:checks\n", 16  # docs/results/common.md, checksums
READ_ERRORS = (OSError, RuntimeError, ValueError, KeyError, TypeError)


def text(value: Any) -> Any:
    """An attribute's value as Python has it: text as str, single numbers as int or float."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.generic):
        return value.item()
    return value


class Stored(BackendArray):  # type: ignore[misc, no-any-unimported, unused-ignore]
    """Values of one dataset, read from the file when they are asked for."""

    def __init__(self, path: str, verb: str, dataset: Any) -> None:
        self.path, self.verb, self.name = path, verb, dataset.name.lstrip("/")
        self.shape: tuple[int, ...] = dataset.shape
        self.dtype: np.dtype[Any] = dataset.dtype

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, indexing.BasicIndexer):  # by itself: xarray 2023.1 takes slices of negative step wrongly apart
            forward = tuple(ascending(each, size) if isinstance(each, slice) else each for each, size in zip(key.tuple, self.shape))
            turn = tuple(slice(None, None, -1 if (each.step or 1) < 0 else 1) for each in key.tuple if isinstance(each, slice))
            return self._read(forward)[turn]
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._read)

    def _read(self, key: tuple[Any, ...]) -> Any:
        try:
            with h5py.File(self.path, "r") as file:
                found = file[self.name]
                if found.shape == self.shape:
                    return found[key]
        except READ_ERRORS as error:
            raise ResultError(self.path, f"cannot be read ({one_line(error)})", "a whole file", self.name, self.verb) from error
        raise ResultError(self.path, "has another shape than when the study was opened", "a file that stays; open the study again", self.name, self.verb)


def ascending(part: slice, size: int) -> slice:
    """The same elements of an axis of `size`, first to last."""
    chosen = range(*part.indices(size))
    if not chosen:
        return slice(0, 0)
    first, last = sorted((chosen[0], chosen[-1]))
    return slice(first, last + 1, abs(chosen.step))


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


class ResultFile:
    """One result file, checked when it is opened: present, of the kind, whole as far as its ends tell, and with the datasets of the kind.

    Values that were changed in place are for `amacrine inspect FILE`, which compares all checksums. Raises ResultError.
    """

    def __init__(self, path: str, kind: str) -> None:
        self.path, self.kind = path, kind
        self.verb, self.required = KINDS[kind]
        self.attrs: dict[str, Any] = {}
        self._check()

    def lacks(self, problem: str, expected: str, dataset: str = "") -> ResultError:
        return ResultError(self.path, problem, expected, dataset, self.verb)

    def _check(self) -> None:
        if not os.path.exists(self.path):
            making = " yet: it is still being made, or its making was interrupted" if os.path.exists(self.path + ".partial") else ""
            raise self.lacks(f"is not there{making}", f"a file of kind '{self.kind}'")
        try:
            with h5py.File(self.path, "r") as file:
                self.attrs = {name: text(value) for name, value in file.attrs.items() if name not in HIDDEN}
                missing = next((name for name in self.required if name not in file), None)
        except READ_ERRORS as error:
            raise self.lacks(f"cannot be opened as an HDF5 file ({one_line(error)})", f"a whole file of kind '{self.kind}'") from error
        kind = self.attrs.get("kind", "recording" if "format" not in self.attrs else "")
        if kind != self.kind:
            raise self.lacks(f"is of kind '{kind}'", f"a file of kind '{self.kind}'")
        if self.attrs.get("complete", 1) != 1 or (self.attrs.get("format") == "amacrine 2" and not self._ends_whole()):
            raise self.lacks("is not whole (`amacrine inspect` says what is damaged)", "a file that was written to its end and not changed since")
        if missing is not None:
            raise self.lacks("is not there", f"it in a whole file of kind '{self.kind}'", missing)

    def _ends_whole(self) -> bool:
        """Whether the record at the file's end is there and says of the file what its length says."""
        size = os.path.getsize(self.path)
        with open(self.path, "rb") as file:
            file.seek(max(0, size - CHECKS_RECORD))
            record = file.read()
        values, blocks = (int.from_bytes(record[at:at + 8], "little") for at in (0, 8))
        return record.endswith(CHECKS_MAGIC) and values + CHECKS_HEAD + blocks * (16 + 1) + CHECKS_RECORD == size

    def dataset(self) -> xr.Dataset:
        """Variables of the root group."""
        return self._groups()[""]

    def tree(self) -> Tree:
        """All groups: an xarray DataTree, or where this xarray has none (before 2024.10) a Dataset with variables called "group/name".

        `tree["group/name"]` is a DataArray in both.
        """
        groups = self._groups()
        if hasattr(xr, "DataTree"):
            return xr.DataTree.from_dict({"/" + name: data for name, data in groups.items()})
        flat = groups.pop("")
        for name, data in groups.items():
            flat = flat.assign({f"{name}/{each}": variable for each, variable in data.variables.items()})
        return flat

    def _groups(self) -> dict[str, xr.Dataset]:
        try:
            with h5py.File(self.path, "r") as file:
                return {name: self._group(group) for name, group in walk(file)}
        except READ_ERRORS as error:
            raise self.lacks(f"cannot be read ({one_line(error)})", f"a whole file of kind '{self.kind}'") from error

    def _group(self, group: Any) -> xr.Dataset:
        variables: dict[str, xr.Variable] = {}
        coordinates: dict[str, xr.Variable] = {}
        for name, item in group.items():
            if not isinstance(item, h5py.Dataset):
                continue
            is_scale = text(item.attrs.get("CLASS", b"")) == "DIMENSION_SCALE"
            if is_scale and str(text(item.attrs.get("NAME", b""))).startswith(NO_COORDINATE):
                continue
            (coordinates if is_scale else variables)[name] = self._variable(item, is_scale)
        attrs = {name: text(value) for name, value in group.attrs.items() if name not in HIDDEN}
        result = xr.Dataset(variables, coordinates, attrs)
        result.encoding["source"] = self.path
        return result

    def _variable(self, item: Any, is_scale: bool) -> xr.Variable:
        attrs = {name: text(value) for name, value in item.attrs.items() if name not in HIDDEN}
        if h5py.check_string_dtype(item.dtype) is not None:
            values: Any = np.array(item.asstr()[()], dtype=str)
        elif is_scale or item.ndim == 0:
            values = item[()]
        else:
            values = indexing.LazilyIndexedArray(Stored(self.path, self.verb, item))
        return xr.Variable(dimensions(item, is_scale), values, attrs)


def dimensions(item: Any, is_scale: bool) -> tuple[str, ...]:
    """Names of a dataset's axes. Axes without a scale, in files of other programs, are called after the dataset."""
    name = item.name.lstrip("/")
    if is_scale:
        return (name.split("/")[-1],)
    plain = name.replace("/", "_")
    return tuple(axis[0].name.split("/")[-1] if len(axis) else f"{plain}_{i}" for i, axis in enumerate(item.dims))


def walk(group: Any) -> Iterator[tuple[str, Any]]:
    """The group and all below it, with their names: "" first."""
    yield group.name.lstrip("/"), group
    for item in group.values():
        if isinstance(item, h5py.Group):
            yield from walk(item)


def flag_words(data: xr.DataArray) -> dict[int, str]:
    """Meaning of a flag's values, from its attributes."""
    values = np.atleast_1d(data.attrs["flag_values"]).tolist()
    return dict(zip((int(value) for value in values), str(data.attrs["flag_meanings"]).split()))
