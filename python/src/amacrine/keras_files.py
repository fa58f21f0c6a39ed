# SPDX-License-Identifier: Apache-2.0
"""Keras' files: full models and weights as HDF5 (also those of Keras before 1, layer_0/param_0, ...), and .keras archives."""
from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from .architecture import Shape
from .assembly import Step, Unsupported
from .errors import ResultError
from .forward import Array
from .hdf5 import READ_ERRORS, one_line, text
from .keras_layers import FIRST, LAST, Config, Walk, first_of, order_of

EXPECTED = "a Keras model: HDF5 with the attribute model_config or beside an architecture.json, or a .keras archive"


@dataclass(frozen=True)
class KerasLayer:
    kind: str
    name: str
    config: Config
    weights: list[Array]


@dataclass(frozen=True)
class KerasSource:
    """Layers with weights in the order in which they are run, and whether kernels are those of true convolutions."""

    layers: list[KerasLayer]
    flip: bool


def is_keras(file: Any) -> bool:
    """Whether an open HDF5 file is one of Keras'."""
    return "model_config" in file.attrs or "layer_names" in file.attrs or "model_weights" in file or "layer_0" in file


def layer_list(model: Config) -> list[Config]:
    """Configurations of a model's layers, each with class_name and config. Models of Keras before 1 name a layer's class `name`."""
    inner = model.get("config", model)
    listed = inner["layers"] if isinstance(inner, Mapping) else inner
    layers = []
    for layer in listed:
        if "config" in layer:
            layers.append(layer)
        else:
            layers.append({"class_name": layer.get("name", ""), "config": {**layer, "name": layer.get("custom_name", layer.get("name", ""))}})
    check_chain(layers)
    return layers


def names_in(node: Any, known: set[str]) -> Iterator[str]:
    """Names of layers in a description of what a layer is given: [["name", 0, 0, {}]], or tensors with a keras_history."""
    if isinstance(node, Mapping):
        if "keras_history" in node:
            yield str(node["keras_history"][0])
        else:
            for value in node.values():
                yield from names_in(value, known)
    elif isinstance(node, Sequence) and not isinstance(node, str):
        if node and isinstance(node[0], str) and node[0] in known:
            yield node[0]
        else:
            for value in node:
                yield from names_in(value, known)


def check_chain(layers: list[Config]) -> None:
    """Raises Unsupported where a layer takes another input than the layer before it."""
    names = [str(layer.get("name", layer["config"].get("name", ""))) for layer in layers]
    for i, layer in enumerate(layers):
        given = set(names_in(layer.get("inbound_nodes", []), set(names)))
        if "inbound_nodes" in layer and given != (set(names[i - 1:i]) if i else set()):
            raise Unsupported(names[i], f"takes {', '.join(sorted(given)) or 'no layer'}; a chain of layers is run, each after the one before")


def weights_of(group: Any) -> list[Array]:
    """Weights of a layer's group, in their order."""
    if "weight_names" in group.attrs:
        return [np.asarray(group[str(text(name))][()], np.float64) for name in group.attrs["weight_names"]]
    names = sorted((name for name in group if re.fullmatch(r"param_\d+", name)), key=lambda name: int(name[6:]))
    return [np.asarray(group[name][()], np.float64) for name in names]


def read_hdf5(path: str, architecture: Config | None) -> KerasSource:
    """Layers of an HDF5 file; of one that holds weights alone, with the configuration given or that of architecture.json beside it."""
    with h5py.File(path, "r") as file:
        weights = file["model_weights"] if "model_weights" in file else file
        if architecture is None and "model_config" in file.attrs:
            architecture = json.loads(text(file.attrs["model_config"]))
        if architecture is None:
            architecture = beside(path)
        layers = layer_list(architecture)
        old = "layer_0" in weights
        if old:
            groups = {i: weights_of(weights[f"layer_{i}"]) for i in range(len(layers)) if f"layer_{i}" in weights}
        else:
            named = {str(text(name)): weights_of(weights[text(name)]) for name in weights.attrs["layer_names"]}
            groups = {i: named.get(str(layer["config"].get("name", "")), []) for i, layer in enumerate(layers)}
        backend = str(text(weights.attrs.get("backend", file.attrs.get("backend", "theano" if old else ""))))
    found = [KerasLayer(str(layer["class_name"]), str(layer["config"].get("name", f"layer_{i}")), layer["config"], groups.get(i, []))
             for i, layer in enumerate(layers)]
    norm = next((layer for layer in found if old and layer.kind == "BatchNormalization"), None)
    if norm is not None:
        raise Unsupported(norm.name, "is a batch norm of a Keras before 1, whose files do not tell a variance from a standard deviation")
    return KerasSource(found, backend == "theano")


def beside(path: str) -> Any:
    """architecture.json in the folder of a file of weights."""
    where = os.path.join(os.path.dirname(path), "architecture.json")
    if not os.path.exists(where):
        raise ResultError(path, "holds weights without the model's configuration", "it as JSON (Keras' model.to_json()): "
                          "architecture=... (--architecture FILE), or architecture.json in the same folder")
    with open(where, encoding="utf-8") as file:
        return json.load(file)


def read_archive(path: str) -> KerasSource:
    """Layers of a .keras archive: config.json, and model.weights.h5 with groups layers/NAME/vars, named by class and count."""
    with zipfile.ZipFile(path) as archive:
        layers = layer_list(json.loads(archive.read("config.json")))
        weights = io.BytesIO(archive.read("model.weights.h5"))
    counts: dict[str, int] = {}
    found = []
    with h5py.File(weights, "r") as file:
        # Keras 2.12 to 2.15 call the group of layers otherwise.
        stored = next((file[name] for name in ("layers", "_layer_checkpoint_dependencies") if name in file), file)
        for i, layer in enumerate(layers):
            kind, config = str(layer["class_name"]), layer["config"]
            name = snake(kind)
            counts[name] = counts.get(name, -1) + 1
            group = f"{name}_{counts[name]}" if counts[name] else name
            values = stored[f"{group}/vars"] if f"{group}/vars" in stored else {}
            arrays = [np.asarray(values[key][()], np.float64) for key in sorted(values, key=int)]
            found.append(KerasLayer(kind, str(config.get("name", f"layer {i}")), config, arrays))
    return KerasSource(found, False)


def snake(name: str) -> str:
    """The name that Keras makes of a class' name: BatchNormalization -> batch_normalization, Conv2D -> conv2d."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def window_of(layers: list[KerasLayer], time_axis: str | None) -> tuple[Shape, str]:
    """Shape of a window as the model takes it, and the order of its axes: that of the first convolution, or as asked."""
    shapes = (first_of(layer.config, "batch_input_shape", "batch_shape") or (None, *(layer.config.get("input_shape") or ())) for layer in layers)
    shape = next((tuple(each[1:]) for each in shapes if len(each) == 4), None)
    if shape is None or None in shape:
        raise Unsupported(layers[0].name if layers else "", "does not say the shape of a window; expected (time, rows, columns) or (rows, columns, time)")
    convolution = next((layer.config for layer in layers if layer.kind in ("Conv2D", "Convolution2D")), None)
    order = {"first": FIRST, "last": LAST}.get(time_axis or "", "")
    if convolution is not None:
        order = order_of(convolution, FIRST if "nb_filter" in convolution else LAST)
    return tuple(int(each) for each in shape), order or FIRST


def read_keras(path: str, architecture: Config | None, time_axis: str | None, flip: bool | None) -> tuple[list[Step], Shape, float]:
    """Steps, window (T, Y, X) and standard deviation of the noise of a Keras model. Raises ResultError, Unsupported."""
    try:
        source = read_archive(path) if zipfile.is_zipfile(path) else read_hdf5(path, architecture)
    except (*READ_ERRORS, IndexError, AttributeError, zipfile.BadZipFile) as error:
        raise ResultError(path, f"cannot be understood ({type(error).__name__}: {one_line(error)})", EXPECTED) from error
    shape, order = window_of(source.layers, time_axis)
    walk = Walk(shape, order, [], flip=source.flip if flip is None else flip)
    noise = 0.0
    for layer in source.layers:
        if layer.kind == "GaussianNoise":
            noise = float(first_of(layer.config, "stddev", "sigma", default=0.0))
        walk.layer(layer.kind, layer.name, layer.config, layer.weights)
    return walk.steps, (shape[2], *shape[:2]) if order == LAST else shape, noise
