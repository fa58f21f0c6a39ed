# SPDX-License-Identifier: Apache-2.0
"""Models as safetensors files: 8 bytes with the header's length (little endian), the header as JSON, the tensors' values.

https://github.com/huggingface/safetensors. Written and read with NumPy alone.
"""
from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Any

import numpy as np

from .architecture import Architecture, Shape
from .errors import ResultError
from .model import Cell, ContrastCoding, Model, Normalisation

TYPES: dict[str, np.dtype[Any]] = {"F16": np.dtype("<f2"), "F32": np.dtype("<f4"), "F64": np.dtype("<f8"), "I32": np.dtype("<i4"), "I64": np.dtype("<i8")}
FORMAT = "amacrine model 1"


def metadata_of(model: Model) -> dict[str, str]:
    """All of a model that is no tensor, as texts."""
    description = {"kind": model.kind, "normalisation": model.normalisation.kind, "contrast": asdict(model.contrast), "minimum_lag": model.minimum_lag,
                   "frame_ms": model.frame_ms, "pixel_um": model.pixel_um, "cells": [asdict(cell) for cell in model.cells], "channels": model.channels}
    return {"format": FORMAT, "architecture": model.architecture.to_json(), "model": json.dumps(description, allow_nan=False)}


def write_safetensors(model: Model, path: str | os.PathLike[str]) -> None:
    tensors: dict[str, np.ndarray[Any, Any]] = {**model.parameters, **model.statistics, "normalisation_mean": model.normalisation.mean,
                                                "normalisation_scale": model.normalisation.scale}
    header: dict[str, Any] = {"__metadata__": metadata_of(model)}
    values, at = [], 0
    for name, tensor in sorted(tensors.items(), key=lambda item: -item[1].dtype.itemsize):  # wide types first: every tensor is aligned
        kind = "F64" if tensor.dtype == np.float64 else "F32"
        data = np.ascontiguousarray(tensor, TYPES[kind]).tobytes()
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [at, at + len(data)]}
        values.append(data)
        at += len(data)
    text = json.dumps(header, allow_nan=False).encode()
    text += b" " * (-len(text) % 8)
    whole = f"{os.fspath(path)}.partial"
    with open(whole, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(values))
    os.replace(whole, path)


def read_parts(path: str) -> tuple[dict[str, str], dict[str, np.ndarray[Any, Any]]]:
    """Metadata and tensors of a safetensors file."""
    def wrong(problem: str, tensor: str = "") -> ResultError:
        return ResultError(path, problem, "a safetensors file, whole", tensor)

    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise wrong(f"cannot be read ({error.strerror})") from error
    begin = 8 + int.from_bytes(data[:8], "little")
    if len(data) < 8 or begin > len(data):
        raise wrong("ends within its header")
    try:
        header = json.loads(data[8:begin])
        metadata = dict(header.pop("__metadata__", {}))
        tensors = {}
        for name, entry in header.items():
            first, last = (int(offset) for offset in entry["data_offsets"])
            kind = TYPES[entry["dtype"]]
            shape = tuple(int(extent) for extent in entry["shape"])
            if not 0 <= first <= last <= len(data) - begin or last - first != kind.itemsize * int(np.prod(shape, dtype=np.int64)):
                raise wrong("lies outside the file, or is of another size than its shape", name)
            tensors[name] = np.frombuffer(data[begin + first:begin + last], kind).reshape(shape).copy()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise wrong(f"has a header that cannot be understood ({type(error).__name__}: {error})") from error
    return metadata, tensors


def taken(path: str, tensors: dict[str, np.ndarray[Any, Any]], shapes: dict[str, Shape]) -> dict[str, np.ndarray[Any, Any]]:
    """The tensors of these names and shapes."""
    for name, shape in shapes.items():
        if name not in tensors or tensors[name].shape != shape:
            found = f"has the shape {tensors[name].shape}" if name in tensors else "is not there"
            raise ResultError(path, found, f"the shape {shape}, as its architecture asks for", name)
    return {name: tensors[name] for name in shapes}


def read_safetensors(path: str | os.PathLike[str]) -> Model:
    """Reads a model that `Model.to_safetensors` wrote; it equals the one written. Raises ResultError."""
    where = os.fspath(path)
    metadata, tensors = read_parts(where)
    if metadata.get("format") != FORMAT:
        raise ResultError(where, f"has the format '{metadata.get('format', '')}' in its metadata", f"'{FORMAT}'")
    try:
        architecture, description = Architecture.from_json(metadata["architecture"]), json.loads(metadata["model"])
        normalisation = Normalisation(description["normalisation"], tensors["normalisation_mean"], tensors["normalisation_scale"])
        cells = tuple(Cell(**cell) for cell in description["cells"])
        parameters, statistics = (taken(where, tensors, shapes) for shapes in (architecture.parameter_shapes(), architecture.statistic_shapes()))
        return Model(description["kind"], architecture, parameters, statistics, normalisation, ContrastCoding(**description["contrast"]),
                     description["minimum_lag"], description["frame_ms"], description["pixel_um"], cells, tuple(description["channels"]), where)
    except (ValueError, KeyError, TypeError) as error:
        raise ResultError(where, f"has metadata that cannot be understood ({type(error).__name__}: {error})", f"those of '{FORMAT}'") from error
