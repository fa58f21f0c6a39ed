# SPDX-License-Identifier: Apache-2.0
"""Models of other programs as models of this one."""
from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from .architecture import Architecture, Shape
from .assembly import SUPPORTED, Assembled, Unsupported, assemble
from .errors import ResultError
from .keras_files import is_keras, read_keras
from .model import Cell, ContrastCoding, Model, Normalisation
from .model_file import save_model
from .recorded import Recorded
from .safetensors import FORMAT, read_parts, read_safetensors, taken
from .torch_files import Checkpoint, read_checkpoint, steps_of

DEFAULTS: dict[str, Any] = {"hidden": [], "norm": "none", "scale": "plain", "conv_bias": False, "noise": 0.0, "norm_epsilon": 1e-3, "norm_momentum": 0.99,
                            "readout_bias": True, "output_norm": False, "softplus_beta": 1.0}
Json = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class ImportSettings:
    """What a file of another program may not say.

    `architecture`: JSON of the architecture, or a path to it, for files that hold weights alone. `cells`: 0-based indices of the cells on the recording's
    cell axis. `names`, `centres` (row, column in px): one per cell. `minimum_lag`: frames between the newest frame of a window and the bin it predicts.
    `normalisation`: "scalar", "per_pixel" or "none", what was done to contrast before the first layer. `mean`, `sd`: of the movie it was trained on, in
    pixel values. `recording`: the recording it was trained on, whose training movie gives what is not given. `newest_first`: the window's first frame is
    the newest. `time_axis`: "first" or "last", of a window of a Keras model without a convolution. `flip_kernels`: kernels are those of true
    convolutions. `locations`: where a convolutional readout is read (`locations_of`), or the rule. `output_epsilon`: of a checkpoint's norm over the
    cells. `trust`: run what a checkpoint of PyTorch asks to be run.
    """

    architecture: str | os.PathLike[str] | Json | None = None
    cells: Sequence[int] | None = None
    names: Sequence[str] | None = None
    centres: Sequence[Sequence[float]] | None = None
    minimum_lag: int | None = None
    normalisation: str | None = None
    mean: float | None = None
    sd: float | None = None
    recording: str | os.PathLike[str] | None = None
    frame_ms: float | None = None
    pixel_um: float | None = None
    newest_first: bool = False
    time_axis: str | None = None
    flip_kernels: bool | None = None
    locations: Sequence[tuple[int, int]] | str | None = None
    output_epsilon: float = 1e-3
    trust: bool = False


@dataclasses.dataclass(frozen=True)
class Found:
    """What a file says: the network, and, where it says so, mean and standard deviation of the movie, cells, centres and lag."""

    network: Assembled
    minimum_lag: int
    statistics: tuple[float, float] | None = None
    cells: Sequence[int] | None = None
    centres: Sequence[Sequence[float]] | None = None


def import_model(path: str | os.PathLike[str], output: str | os.PathLike[str] | None = None, overwrite: bool = False, **settings: Any) -> Model:
    """A model of Keras, torch-deep-retina or in safetensors as a Model, and as a file for the program where `output` names one.

    `path`: HDF5 of Keras, a .keras archive, a checkpoint of torch-deep-retina or a state dictionary (.pt, .pth), or safetensors. `output`: a file, or a
    folder that gets model.h5 (ln.h5 of a model without a hidden layer). Further arguments are those of ImportSettings. Raises ResultError where the file
    cannot be read or holds what the program does not run (which layer, why), FileExistsError, ImportError (PyTorch for checkpoints).
    """
    where, asked = os.fspath(path), ImportSettings(**settings)
    if not os.path.isfile(where):
        raise ResultError(where, "is not there", "a model's file")
    try:
        model = read_any(where, asked)
    except Unsupported as error:
        raise ResultError(where, f"cannot be run by the program: {error}", SUPPORTED) from error
    if output is not None:
        save_model(model, model_path(model, output), overwrite, {"imported_from": where, "imported_sha256": sha256(where)})
    return model


def model_path(model: Model, output: str | os.PathLike[str]) -> str:
    """The file that an output means: itself where it ends in .h5, else the folder's model.h5 or ln.h5."""
    where = os.fspath(output)
    return where if where.endswith(".h5") else os.path.join(where, "model.h5" if model.architecture.hidden else "ln.h5")


def sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_any(path: str, asked: ImportSettings) -> Model:
    """The model in a file of any kind, by what is in it."""
    with open(path, "rb") as file:
        start = file.read(10)
    if h5py.is_hdf5(path):
        with h5py.File(path, "r") as hdf5:
            if hdf5.attrs.get("kind", b"") in ("model", b"model"):
                raise ResultError(path, "is a model of this program already", "another program's; load_model reads this one")
            if not is_keras(hdf5):
                raise ResultError(path, "is HDF5, but not of a Keras model", "model_config, layer_names or layer_0 in it")
        return complete(path, from_keras(path, asked), asked)
    if is_keras_archive(path):
        return complete(path, from_keras(path, asked), asked)
    if start[8:9] == b"{":
        metadata, tensors = read_parts(path)
        if metadata.get("format") == FORMAT:
            return read_safetensors(path)
        return complete(path, described(path, tensors, asked), asked)
    checkpoint = read_checkpoint(path, asked.trust)
    return complete(path, from_torch(path, checkpoint, asked), asked)


def is_keras_archive(path: str) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "config.json" in archive.namelist()


def description_of(asked: ImportSettings) -> Json | None:
    """The JSON of `architecture`, read where it is a path."""
    given = asked.architecture
    if given is None or isinstance(given, Mapping):
        return given
    with open(given, encoding="utf-8") as file:
        found: Json = json.load(file)
    return found



def from_keras(path: str, asked: ImportSettings) -> Found:
    """A Keras model. Its windows end one frame before the bin they predict, as deep-retina's do."""
    return Found(assemble(*read_keras(path, description_of(asked), asked.time_axis, asked.flip_kernels)), 1)


def from_torch(path: str, checkpoint: Checkpoint, asked: ImportSettings) -> Found:
    if description_of(asked) is not None:
        return described(path, dict(checkpoint.state), asked)
    if not checkpoint.model_type:
        raise ResultError(path, "holds tensors and no word on the layers between them", "architecture=... (--architecture FILE): JSON with the architecture")
    hyps, movie = checkpoint.hyps, checkpoint.norm_stats
    statistics = None if movie is None else (movie[0], movie[1] + 1e-7)  # as its data loader divides
    return Found(assemble(*steps_of(checkpoint, asked.locations, asked.output_epsilon)), 1, statistics, hyps.get("cells"), hyps.get("centers"))


def described(path: str, tensors: Mapping[str, Any], asked: ImportSettings) -> Found:
    """Tensors with a JSON of the architecture (docs/python.md): its fields, and the names that tensors have in the file where they are others."""
    description = description_of(asked)
    if description is None:
        raise ResultError(path, "holds tensors and no word on the layers between them", "architecture=... (--architecture FILE): JSON with the architecture")
    fields, names = description.get("architecture", description), description.get("tensors", {})
    try:
        readout = names.get("readout_weight", "readout_weight")
        cells = {"cells": len(tensors[readout])} if readout in tensors else {}
        architecture = Architecture.from_json(json.dumps({**DEFAULTS, **cells, **fields}))
    except (ValueError, TypeError) as error:
        raise ResultError(path, f"comes with an architecture that cannot be understood ({error})", "the fields of docs/results/model.md") from error
    unknown = sorted(set(names) - set(architecture.parameter_shapes()) - set(architecture.statistic_shapes()))
    if unknown:
        raise ResultError(path, f"comes with names for {', '.join(unknown)}, which its architecture does not have", ", ".join(architecture.parameter_shapes()))
    shapes = {**architecture.parameter_shapes(), **architecture.statistic_shapes()}
    values = taken(path, {name: as_shape(tensors[names.get(name, name)], shape) for name, shape in shapes.items() if names.get(name, name) in tensors}, shapes)
    arrays = {name: np.ascontiguousarray(value, np.float32) for name, value in values.items()}
    return Found(Assembled(architecture, {name: arrays[name] for name in architecture.parameter_shapes()},
                           {name: arrays[name] for name in architecture.statistic_shapes()}), 0)


def as_shape(tensor: Any, shape: Shape) -> Any:
    """A tensor in another shape of as many values that begins with the same axis: weights and norms over flattened layers."""
    fits = tensor.size == int(np.prod(shape)) and (tensor.shape[:1] == shape[:1] or tensor.ndim == 1)
    return tensor.reshape(shape) if fits else tensor


def complete(path: str, found: Found, asked: ImportSettings) -> Model:
    """A model of what the file says and what was asked for."""
    a = found.network.architecture
    recorded = Recorded(os.fspath(asked.recording)) if asked.recording is not None else None
    if (asked.mean is None) != (asked.sd is None) or (asked.sd is not None and not asked.sd > 0):
        raise ValueError(f"mean and sd belong together, and sd is above 0; given were mean {asked.mean} and sd {asked.sd}")
    statistics = (asked.mean, asked.sd) if asked.mean is not None and asked.sd is not None else found.statistics
    coding, normalisation = normalise(path, a, statistics, recorded, asked.normalisation)
    cells = cells_of(path, a.cells, found, recorded, asked)
    frame_ms, pixel_um = asked.frame_ms or (recorded.frame_ms if recorded else 10.0), asked.pixel_um or (recorded.pixel_um if recorded else 55.0)
    network = found.network
    if asked.newest_first:
        first = "hidden0_kernel" if a.hidden else "readout_weight"
        network.parameters[first] = np.ascontiguousarray(network.parameters[first][:, ::-1])
    lag = found.minimum_lag if asked.minimum_lag is None else asked.minimum_lag
    names = tuple(f"channel {c}" for c in range(a.hidden[0].channels)) if a.hidden else ()
    model = Model("network" if a.hidden else "ln", a, network.parameters, network.statistics, normalisation, coding, lag, frame_ms, pixel_um, cells,
                  names, path)
    try:
        model.check()
    except ValueError as error:
        raise ResultError(path, f"does not fit together: {error}", "finite numbers in the shapes of its architecture") from error
    return model


def normalise(path: str, a: Architecture, statistics: tuple[float, float] | None, recorded: Recorded | None,
              kind: str | None) -> tuple[ContrastCoding, Normalisation]:
    """How pixel values become contrast, and what is done to contrast before the first layer.

    Where there is no recording, contrast is what the network was trained on: (pixel value - mean) / sd, and a scalar normalisation has nothing left to do.
    """
    kind = kind or "scalar"
    if kind not in ("scalar", "per_pixel", "none"):
        raise ValueError(f"there is no normalisation '{kind}'; expected scalar, per_pixel or none")
    one, none = np.float64(1), np.float64(0)
    if recorded is None:
        if kind == "per_pixel":
            raise ResultError(path, "was trained on pixels that were normalised one by one", "recording=... (--recording FILE): the one it was trained on")
        mean, sd = statistics or (0.0, 1.0)
        return ContrastCoding(mean, sd), Normalisation(kind, np.asarray(none), np.asarray(one))
    coding = recorded.coding()
    if kind == "none":
        return coding, Normalisation(kind, np.asarray(none), np.asarray(one))
    if kind == "scalar" and statistics is not None:
        values: tuple[Any, Any] = statistics
    else:
        values = recorded.statistics(kind, (a.height, a.width))
    means, sds = (np.asarray(value, np.float64) for value in values)
    return coding, Normalisation(kind, np.asarray((means - coding.zero) / coding.unit), np.where(sds > 0, sds / coding.unit, 1.0))


def cells_of(path: str, count: int, found: Found, recorded: Recorded | None, asked: ImportSettings) -> tuple[Cell, ...]:
    ids = asked.cells if asked.cells is not None else found.cells if found.cells is not None else range(count)
    numbers = [int(each) for each in (range(count) if isinstance(ids, str) else ids)]
    centres = asked.centres if asked.centres is not None else found.centres
    for what, given in (("cells", numbers), ("names", asked.names), ("centres", centres)):
        if given is not None and len(given) != count:
            raise ResultError(path, f"predicts {count} cells and is given {len(given)} {what}", f"{count}: {what}=... (--{what})")
    if len(set(numbers)) != count:
        raise ResultError(path, f"is given the cells {numbers}", "each cell once")
    names = asked.names or (recorded.names(numbers) if recorded else None) or [f"cell{number + 1:02d}" for number in numbers]
    return tuple(Cell(str(names[n]), number, float(centres[n][0]) if centres is not None else None, float(centres[n][1]) if centres is not None else None, 0.0, 0.0, False, False)
                 for n, number in enumerate(numbers))
