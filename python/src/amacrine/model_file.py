# SPDX-License-Identifier: Apache-2.0
"""Models as files that the program reads (docs/results/model.md)."""
from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from .hdf5 import NO_COORDINATE

if TYPE_CHECKING:
    from .architecture import Architecture
    from .model import Model

# Files of the first version of the layout have no checksums behind HDF5's last byte (docs/results/common.md).
FORMAT = "amacrine 1"
FLAGS = {"silent": ("no spikes in training", "active silent"), "no_ceiling": ("fewer than 2 repeats", "repeated no_ceiling")}
LONG_NAMES = {"kernel": "convolution kernel, oldest frame first", "gamma": "scale of the norm", "beta": "shift of the norm",
              "mean": "mean used by the norm", "variance": "variance used by the norm", "weight": "readout weight", "bias": "bias"}


def dimensions_of(architecture: Architecture, name: str, rank: int) -> tuple[str, ...]:
    """Names of the axes of a parameter or statistic."""
    stage, _, what = name.partition("_")
    if name == "readout_weight":
        last = len(architecture.hidden) - 1
        return ("cell", f"channel{last}", f"row{last}", f"column{last}") if architecture.hidden else ("cell", "lag", "y", "x")
    if not stage.startswith("hidden"):
        return ("cell",)
    layer = int(stage.removeprefix("hidden"))
    if what == "kernel":
        return (f"channel{layer}", f"channel{layer - 1}" if layer else "lag", f"kernel{layer}_y", f"kernel{layer}_x")
    return (f"channel{layer}", f"row{layer}", f"column{layer}")[:rank]


class Writer:
    """Datasets with named axes in one open file."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def dimension(self, name: str, size: int, units: str, long_name: str, values: Sequence[float] | Sequence[str] | None = None) -> None:
        """An axis; without values readers see one without a coordinate."""
        if values is None:
            scale = self.file.create_dataset(name, data=np.zeros(size, ">f4"))
        elif values and isinstance(values[0], str):
            scale = self.file.create_dataset(name, data=list(values), dtype=h5py.string_dtype())
        else:
            scale = self.file.create_dataset(name, data=np.asarray(values, np.float64))
        scale.make_scale(name if values is not None else f"{NO_COORDINATE}. {size:10d}")
        scale.attrs["units"], scale.attrs["long_name"] = units, long_name

    def variable(self, name: str, values: Any, dimensions: tuple[str, ...], units: str, long_name: str) -> Any:
        item = self.file.create_dataset(name, data=np.ascontiguousarray(values))
        for axis, dimension in enumerate(dimensions):
            item.dims[axis].attach_scale(self.file[dimension])
        item.attrs["units"], item.attrs["long_name"] = units, long_name
        return item


def write_dimensions(writer: Writer, model: Model) -> None:
    a = model.architecture
    writer.dimension("cell", a.cells, "1", "cell", [cell.name for cell in model.cells])
    writer.dimension("lag", a.history, "ms", "time before the target's bin",
                     [(a.history - 1 - lag + model.minimum_lag) * model.frame_ms for lag in range(a.history)])
    writer.dimension("y", a.height, "px", "row of the screen")
    writer.dimension("x", a.width, "px", "column of the screen")
    for i, layer in enumerate(a.hidden):
        names = list(model.channels[:layer.channels]) if i == 0 else []
        names += [f"channel {c}" for c in range(len(names), layer.channels)]
        rows, columns = a.output_size(i)
        writer.dimension(f"channel{i}", layer.channels, "1", f"channel of hidden layer {i}", names)
        writer.dimension(f"kernel{i}_y", layer.kernel_y, "px", "row of the kernel")
        writer.dimension(f"kernel{i}_x", layer.kernel_x, "px", "column of the kernel")
        writer.dimension(f"row{i}", rows, "px", "row of the layer's output")
        writer.dimension(f"column{i}", columns, "px", "column of the layer's output")


def write_cells(writer: Writer, model: Model) -> None:
    columns: dict[str, tuple[Any, str, str]] = {
        "cell_id": (np.array([cell.id for cell in model.cells], np.int32), "1", "index on the recording's cell axis"),
        "centre_y": (numbers(cell.centre_y for cell in model.cells), "px", "row of the receptive-field centre"),
        "centre_x": (numbers(cell.centre_x for cell in model.cells), "px", "column of the receptive-field centre"),
        "centre_error": (numbers(cell.centre_error for cell in model.cells), "px", "standard error of a fitted centre"),
        "radius": (numbers(cell.radius for cell in model.cells), "px", "1 sd of the receptive field")}
    for name, (values, units, long_name) in columns.items():
        writer.variable(name, values, ("cell",), units, long_name)
    for name, (long_name, meanings) in FLAGS.items():
        item = writer.variable(name, np.array([getattr(cell, name) for cell in model.cells], np.int8), ("cell",), "1", long_name)
        item.attrs["flag_values"], item.attrs["flag_meanings"] = np.array([0, 1], np.int8), meanings


def numbers(values: Any) -> Any:
    """Floats, NaN for None."""
    return np.array([np.nan if value is None else value for value in values], np.float64)


def write_normalisation(writer: Writer, model: Model) -> None:
    file, normalisation = writer.file, model.normalisation
    file.attrs["normalisation"] = normalisation.kind
    if normalisation.mean.shape == () and normalisation.scale.shape == ():
        file.attrs["normalisation_mean"], file.attrs["normalisation_scale"] = float(normalisation.mean), float(normalisation.scale)
        return
    shape = (model.architecture.height, model.architecture.width)
    for name, values, words in (("normalisation_mean", normalisation.mean, "mean contrast of each pixel"),
                                ("normalisation_scale", normalisation.scale, "scale of each pixel's contrast")):
        writer.variable(name, np.broadcast_to(values, shape), ("y", "x"), "1", words)


def write_attributes(file: Any, model: Model, facts: Mapping[str, str]) -> None:
    from . import __version__
    texts = {"format": FORMAT, "kind": "model", "verb": "import", "study": "", "step_study": "", "study_hash": "", "inputs": "[]",
             "run_version": __version__, "run_command_line": " ".join(sys.argv), "run_started": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
             "model_kind": model.kind, "architecture": model.architecture.to_json(), "description": model.architecture.describe(), **facts}
    for name, text in texts.items():
        file.attrs[name] = text
    for name, value in (("minimum_lag", model.minimum_lag), ("contrast_zero", model.contrast.zero), ("contrast_unit", model.contrast.unit),
                        ("frame_ms", model.frame_ms), ("pixel_um", model.pixel_um)):
        file.attrs[name] = float(value)
    file.attrs["complete"] = np.int32(1)


def save_model(model: Model, path: str | os.PathLike[str], overwrite: bool = False, facts: Mapping[str, str] | None = None) -> None:
    """Writes a model file (docs/results/model.md) that `amacrine evaluate`, `probe`, `attribute` and `lesion` read, without checksums.

    `facts`: further texts for its attributes. The file gets its name when it is whole. Raises FileExistsError where there is a file and `overwrite` is not
    given, ValueError where parameters do not fit the architecture.
    """
    where = os.fspath(path)
    if os.path.exists(where) and not overwrite:
        raise FileExistsError(f"{where} is there already; give another path, or overwrite=True (--overwrite)")
    model.check()
    os.makedirs(os.path.dirname(where) or ".", exist_ok=True)
    partial = f"{where}.partial"
    with h5py.File(partial, "w") as file:
        writer = Writer(file)
        write_attributes(file, model, facts or {})
        write_dimensions(writer, model)
        for name, values in {**model.parameters, **model.statistics}.items():
            words = LONG_NAMES[name.partition("_")[2]]
            writer.variable(name, values.astype(np.float32), dimensions_of(model.architecture, name, values.ndim), "1", words)
        write_cells(writer, model)
        write_normalisation(writer, model)
    os.replace(partial, where)
