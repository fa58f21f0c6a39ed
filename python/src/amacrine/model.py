# SPDX-License-Identifier: Apache-2.0
"""A trained model in NumPy (docs/results/model.md)."""
from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt

from . import forward
from .architecture import Architecture
from .hdf5 import READ_ERRORS, ResultFile, one_line, text

if TYPE_CHECKING:
    from .forward import Array


@dataclass(frozen=True)
class ContrastCoding:
    """Contrast = (pixel value - `zero`) / `unit`."""

    zero: float
    unit: float


@dataclass(frozen=True, eq=False)
class Normalisation:
    """What the first layer sees is (contrast - `mean`) / `scale`; both are (Y, X), or () where they are the same for all pixels."""

    kind: str  # "scalar", "per_pixel", "none"
    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Normalisation) and self.kind == other.kind and same(self.mean, other.mean) and same(self.scale, other.scale)

    def __call__(self, contrast: npt.ArrayLike) -> Array:
        """Contrast (..., Y, X) -> what the first layer sees."""
        values: Array = (np.asarray(contrast, np.float64) - self.mean) / self.scale
        return values


@dataclass(frozen=True)
class Cell:
    """A cell that the model predicts: name, index on the recording's cell axis, receptive-field centre and its error (px), 1 sd of the field (px)."""

    name: str
    id: int
    centre_y: float | None  # None where unknown
    centre_x: float | None
    centre_error: float
    radius: float
    silent: bool  # no spikes in training
    no_ceiling: bool  # fewer than 2 repeats


def same(a: Any, b: Any) -> bool:
    """Whether two arrays have one type, shape and values."""
    return bool(a.dtype == b.dtype and np.array_equal(a, b))


@dataclass(eq=False)
class Model:
    """A model: architecture, parameters and statistics by name, and how contrast is made and normalised for it.

    `parameters` and `statistics` are float32 in the shapes of docs/results/model.md: "hidden0_kernel" (C, T, KY, KX) with the oldest frame first,
    "readout_weight" (N, C, Y, X), ... Two models are equal where all of this is; where they were read from does not count.
    """

    kind: str  # "network", "ln", "circuit"
    architecture: Architecture
    parameters: dict[str, npt.NDArray[np.float32]]
    statistics: dict[str, npt.NDArray[np.float32]]
    normalisation: Normalisation
    contrast: ContrastCoding
    minimum_lag: int  # frames between the newest frame of a window and the bin it predicts
    frame_ms: float
    pixel_um: float
    cells: tuple[Cell, ...]
    channels: tuple[str, ...] = ()  # names of the first layer's channels
    source: str = field(default="", repr=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model):
            return NotImplemented
        plain = ("kind", "architecture", "normalisation", "contrast", "minimum_lag", "frame_ms", "pixel_um", "cells", "channels")
        if any(getattr(self, name) != getattr(other, name) for name in plain):
            return False
        return all(mine.keys() == theirs.keys() and all(same(mine[name], theirs[name]) for name in mine)
                   for mine, theirs in ((self.parameters, other.parameters), (self.statistics, other.statistics)))

    def __repr__(self) -> str:
        return f"Model({self.kind}, {self.architecture.to_json()})"

    def contrast_of(self, pixels: npt.ArrayLike) -> Array:
        """Contrast of a movie of pixel values, as the recording has them ("test/stimulus"), (T, Y, X)."""
        values: Array = (np.asarray(pixels, np.float64) - self.contrast.zero) / self.contrast.unit
        return values

    def predict(self, movie: npt.ArrayLike) -> Array:
        """Rates of all cells for every frame of a contrast movie, (T, Y, X) -> (N, T) in Hz, in double precision.

        Before the movie's first frame the world is grey (contrast 0), as for the program. Pixel values go through `contrast_of` first: movies of
        unsigned integers are refused. Raises ValueError where the movie does not fit.
        """
        return forward.predict(self, self._movie(movie))

    def windows(self, movie: npt.ArrayLike, frames: npt.ArrayLike) -> Array:
        """Contrast windows (B, T, Y, X), oldest frame first, from which the rates of these B frames of a contrast movie are predicted.

        They hold contrast before normalisation: what `load_torch` takes.
        """
        contrast, a = self._movie(movie), self.architecture
        newest = np.asarray(frames, np.int64).reshape(-1, 1) - self.minimum_lag
        if newest.size and not (0 <= newest.min() + self.minimum_lag and newest.max() + self.minimum_lag < len(contrast)):
            raise ValueError(f"frames must be those of the movie, 0 ... {len(contrast) - 1}")
        at = newest - np.arange(a.history - 1, -1, -1)
        found: Array = contrast[np.maximum(at, 0)] * (at >= 0)[..., None, None]
        return found

    def check(self) -> None:
        """Raises ValueError where a parameter, statistic or the cells do not fit the architecture, or a value is not finite."""
        for found, shapes in ((self.parameters, self.architecture.parameter_shapes()), (self.statistics, self.architecture.statistic_shapes())):
            if found.keys() != shapes.keys():
                raise ValueError(f"the architecture asks for {', '.join(shapes)}; there are {', '.join(found)}")
            for name, shape in shapes.items():
                if found[name].shape != shape:
                    raise ValueError(f"{name} has the shape {found[name].shape}; the architecture asks for {shape}")
                if not np.isfinite(found[name]).all():
                    raise ValueError(f"{name} holds values that are not finite")
        if len(self.cells) != self.architecture.cells:
            raise ValueError(f"there are {len(self.cells)} cells; the architecture asks for {self.architecture.cells}")

    def to_hdf5(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        """Writes the model as a file that the program reads (model.h5); see `save_model`."""
        from .model_file import save_model
        save_model(self, path, overwrite)

    def to_safetensors(self, path: str | os.PathLike[str]) -> None:
        """Writes the model as a safetensors file: tensors by name, the architecture and all else as JSON in `__metadata__`."""
        from .safetensors import write_safetensors
        write_safetensors(self, path)

    def _movie(self, movie: npt.ArrayLike) -> Array:
        values, a = np.asarray(movie), self.architecture
        if values.dtype.kind in "ub":
            raise ValueError("a movie of unsigned integers holds pixel values, not contrast; give model.contrast_of(movie)")
        if values.ndim != 3 or values.shape[1:] != (a.height, a.width):
            raise ValueError(f"a movie of shape {values.shape} does not fit; the model sees (T, {a.height}, {a.width})")
        contrast = values.astype(np.float64)
        if not np.isfinite(contrast).all():
            raise ValueError("the movie holds values that are not finite")
        return contrast


def load_model(path: str | os.PathLike[str]) -> Model:
    """Reads a model file (model.h5, ln.h5, trials/0007/model.h5, ...). Raises ResultError."""
    found = ResultFile(os.fspath(path), "model")
    try:
        architecture = Architecture.from_json(str(found.attrs["architecture"]))
    except (ValueError, KeyError) as error:
        raise found.lacks(f"describes no architecture that this version knows ({one_line(error)})", "the attribute 'architecture' as JSON") from error
    needed = ("model_kind", "normalisation", "contrast_zero", "contrast_unit", "minimum_lag", "frame_ms", "pixel_um")
    missing = next((name for name in needed if name not in found.attrs), None)
    if missing is not None:
        raise found.lacks(f"has no attribute '{missing}'", "all attributes of docs/results/model.md")
    attrs = found.attrs
    with h5py.File(found.path, "r") as file:
        parameters = {name: tensor(found, file, name, shape) for name, shape in architecture.parameter_shapes().items()}
        statistics = {name: tensor(found, file, name, shape) for name, shape in architecture.statistic_shapes().items()}
        channels = tuple(str(text(name)) for name in values_of(found, file, "channel0")) if architecture.hidden else ()
        return Model(str(attrs["model_kind"]), architecture, parameters, statistics, read_normalisation(found, file, architecture),
                     ContrastCoding(float(attrs["contrast_zero"]), float(attrs["contrast_unit"])), int(attrs["minimum_lag"]), float(attrs["frame_ms"]),
                     float(attrs["pixel_um"]), read_cells(found, file, architecture.cells), channels, found.path)


def values_of(found: ResultFile, file: Any, name: str) -> Any:
    """All values of a dataset."""
    if name not in file:
        raise found.lacks("is not there", "it beside this architecture", name)
    try:
        return file[name][()]
    except READ_ERRORS as error:
        raise found.lacks(f"cannot be read ({one_line(error)})", "a whole file", name) from error


def tensor(found: ResultFile, file: Any, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """A parameter or statistic of the shape that the architecture asks for."""
    values = np.asarray(values_of(found, file, name))
    if values.shape != shape:
        raise found.lacks(f"has the shape {values.shape}", f"{shape}, as its architecture asks for", name)
    if not np.isfinite(values).all():
        raise found.lacks("holds values that are not finite", "numbers", name)
    return values.astype(np.float32)


def read_normalisation(found: ResultFile, file: Any, architecture: Architecture) -> Normalisation:
    values = [np.asarray(found.attrs[name] if name in found.attrs else values_of(found, file, name), np.float64)
              for name in ("normalisation_mean", "normalisation_scale")]
    for name, value in zip(("normalisation_mean", "normalisation_scale"), values):
        if value.shape not in ((), (architecture.height, architecture.width)):
            raise found.lacks(f"has the shape {value.shape}", f"({architecture.height}, {architecture.width})", name)
    if not (values[1] > 0).all():
        raise found.lacks("is not above 0 everywhere", "scales above 0", "normalisation_scale")
    return Normalisation(str(found.attrs["normalisation"]), values[0], values[1])


def centre(value: float) -> float | None:
    """A receptive-field centre's coordinate (px), None where the file has NaN."""
    return float(value) if np.isfinite(value) else None


def read_cells(found: ResultFile, file: Any, count: int) -> tuple[Cell, ...]:
    columns = [values_of(found, file, name) for name in ("cell", "cell_id", "centre_y", "centre_x", "centre_error", "radius", "silent", "no_ceiling")]
    if any(len(column) != count for column in columns):
        raise found.lacks(f"has variables over {sorted({len(column) for column in columns})} cells", f"{count}, as its architecture says")
    return tuple(Cell(str(text(name)), int(number), centre(y), centre(x), float(error), float(radius), bool(silent), bool(no_ceiling))
                 for name, number, y, x, error, radius, silent, no_ceiling in zip(*columns))
