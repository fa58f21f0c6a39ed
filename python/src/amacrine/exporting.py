# SPDX-License-Identifier: Apache-2.0
"""Models in the formats of other programs: ONNX, safetensors, Keras' HDF5."""
from __future__ import annotations

import importlib
import json
import math
import os
from typing import Any

import h5py
import numpy as np

from . import forward
from .forward import Array
from .model import Model

FORMATS = {".onnx": "onnx", ".safetensors": "safetensors", ".h5": "keras", ".hdf5": "keras"}
KERAS_EXPECTED = "softplus_beta 1 (Keras' softplus has no other)"


def export(model: Model, path: str | os.PathLike[str], format: str | None = None) -> None:
    """Writes a model for other programs: "onnx", "safetensors" or "keras" (HDF5 of a whole model), by default what the path's end says.

    ONNX: contrast windows (B, T, Y, X) in single precision, oldest frame first -> rates (B, N) in Hz, as `load_torch`; hidden layers are single, the readout
    is double precision; needs the package onnx. Keras: what
    the first layer sees, (contrast - mean) / scale, in windows (B, T, Y, X), channels first -> rates. safetensors: `Model.to_safetensors`. The noise of training
    is left out of ONNX. Raises ValueError where the format cannot hold the model, ImportError without onnx.
    """
    where = os.fspath(path)
    kind = format or FORMATS.get(os.path.splitext(where)[1])
    if kind == "onnx":
        write_onnx(model, where)
    elif kind == "safetensors":
        model.to_safetensors(where)
    elif kind == "keras":
        write_keras(model, where)
    else:
        raise ValueError(f"{where}: there is no format '{kind or os.path.splitext(where)[1]}'; expected onnx, safetensors or keras (.onnx, .safetensors, .h5)")


class Graph:
    """Nodes and constants of an ONNX graph under construction; `at` is the name of the last value."""

    def __init__(self, onnx: Any, start: str) -> None:
        self.onnx, self.at = onnx, start
        self.type: type[np.floating[Any]] = np.float32  # of constants from here on
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, name: str, *values: Any, **attributes: Any) -> None:
        """A node on the last value and further constants."""
        names = []
        for i, value in enumerate(values):
            names.append(f"{name}_{i}")
            self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(value, self.type), names[-1]))
        self.nodes.append(self.onnx.helper.make_node(kind, [self.at, *names], [name], name=name, **attributes))
        self.at = name


    def cast(self, name: str, kind: type[np.floating[Any]]) -> None:
        """Single or double precision from here on."""
        self.add("Cast", name, to=self.onnx.TensorProto.DOUBLE if kind is np.float64 else self.onnx.TensorProto.FLOAT)
        self.type = kind


def write_onnx(model: Model, path: str) -> None:
    try:
        onnx = importlib.import_module("onnx")
        importlib.import_module("onnx.numpy_helper")
    except ImportError as error:
        raise ImportError("an ONNX file is written by the package onnx, which is not installed here: pip install onnx (or amacrine[onnx])") from error
    a, helper = model.architecture, onnx.helper
    graph = Graph(onnx, "contrast")
    if not a.hidden:
        graph.cast("double", np.float64)  # a sum over a whole window
    graph.add("Sub", "centred", model.normalisation.mean)
    graph.add("Div", "normalised", model.normalisation.scale)
    for i, layer in enumerate(a.hidden):
        gain, offset = forward.norm(model, f"hidden{i}", f"hidden{i}_bias", layer.channels)
        graph.add("Conv", f"conv{i}", model.parameters[f"hidden{i}_kernel"])
        graph.add("Mul", f"scaled{i}", gain)
        graph.add("Add", f"shifted{i}", offset)
        graph.add("Relu", f"relu{i}")
    gain, offset = forward.norm(model, "output", "readout_bias", a.cells)
    graph.add("Flatten", "flatten")
    if a.hidden:
        graph.cast("double", np.float64)
    weight = model.parameters["readout_weight"].astype(np.float64).reshape(a.cells, -1) * gain[:, :, 0]
    graph.add("Gemm", "drive", weight * a.softplus_beta, offset[:, 0, 0] * a.softplus_beta, transB=1)
    graph.cast("single", np.float32)
    graph.add("Softplus", "softplus")
    graph.add("Div", "rate", a.softplus_beta)
    single = onnx.TensorProto.FLOAT
    made = helper.make_graph(graph.nodes, "amacrine", [helper.make_tensor_value_info("contrast", single, ["batch", a.history, a.height, a.width])],
                             [helper.make_tensor_value_info("rate", single, ["batch", a.cells])], graph.constants)
    whole = helper.make_model(made, producer_name="amacrine", opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(whole, {"architecture": a.to_json(), "cells": json.dumps([cell.name for cell in model.cells]), "unit": "Hz"})
    onnx.checker.check_model(whole)
    with open(f"{path}.partial", "wb") as file:
        file.write(whole.SerializeToString())
    os.replace(f"{path}.partial", path)


Layers = list[tuple[str, dict[str, Any], dict[str, Array]]]


def norm_layer(model: Model, stage: str, axis: int) -> tuple[str, dict[str, Any], dict[str, Array]]:
    a = model.architecture
    gamma = model.parameters[f"{stage}_gamma"]
    weights = {"gamma": np.abs(gamma) if a.scale == "absolute" else gamma, "beta": model.parameters[f"{stage}_beta"],
               "moving_mean": model.statistics[f"{stage}_mean"], "moving_variance": model.statistics[f"{stage}_variance"]}
    return ("BatchNormalization", {"axis": axis, "epsilon": a.norm_epsilon, "momentum": a.norm_momentum, "center": True, "scale": True},
            {name: np.asarray(values, np.float64).reshape(-1) for name, values in weights.items()})


def keras_layers(model: Model) -> Layers:
    """Class, configuration and weights of each layer."""
    a = model.architecture
    layers: Layers = [("InputLayer", {"batch_input_shape": [None, a.history, a.height, a.width]}, {})]
    flat: tuple[str, dict[str, Any], dict[str, Array]] = ("Flatten", {"data_format": "channels_last"}, {})
    for i, layer in enumerate(a.hidden):
        weights = {"kernel": model.parameters[f"hidden{i}_kernel"].transpose(2, 3, 1, 0).astype(np.float64)}
        if a.conv_bias:
            weights["bias"] = model.parameters[f"hidden{i}_bias"].astype(np.float64)
        layers.append(("Conv2D", {"filters": layer.channels, "kernel_size": [layer.kernel_y, layer.kernel_x], "strides": [1, 1], "padding": "valid",
                                  "data_format": "channels_first", "activation": "linear", "use_bias": a.conv_bias}, weights))
        if a.norm == "per_channel":
            layers.append(norm_layer(model, f"hidden{i}", 1))
        elif a.norm == "per_unit":
            layers += [flat, norm_layer(model, f"hidden{i}", -1), ("Reshape", {"target_shape": list(a.norm_shape(i))}, {})]
        if a.noise > 0:
            layers.append(("GaussianNoise", {"stddev": a.noise}, {}))
        layers.append(("Activation", {"activation": "relu"}, {}))
    readout = {"kernel": model.parameters["readout_weight"].reshape(a.cells, -1).T.astype(np.float64)}
    if a.readout_bias:
        readout["bias"] = model.parameters["readout_bias"].astype(np.float64)
    layers += [flat, ("Dense", {"units": a.cells, "activation": "linear", "use_bias": a.readout_bias}, readout)]
    if a.output_norm:
        layers.append(norm_layer(model, "output", -1))
    return [*layers, ("Activation", {"activation": "softplus"}, {})]


def write_keras(model: Model, path: str) -> None:
    """HDF5 of a whole sequential model, in the layout of Keras 2 (docs/models.md)."""
    if not math.isclose(model.architecture.softplus_beta, 1):
        raise ValueError(f"{path}: a Keras model cannot hold softplus_beta {model.architecture.softplus_beta:g}; expected {KERAS_EXPECTED}")
    counts: dict[str, int] = {}
    configs: list[dict[str, Any]] = []
    with h5py.File(f"{path}.partial", "w") as file:
        root = file.create_group("model_weights")
        for kind, config, weights in keras_layers(model):
            counts[kind] = counts.get(kind, 0) + 1
            name = f"{kind.lower()}_{counts[kind]}"
            configs.append({"class_name": kind, "config": {"name": name, **config}})
            group = root.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{each}:0".encode() for each in weights] or np.zeros(0, "S1")
            for each, values in weights.items():
                group[f"{name}/{each}:0"] = values.astype(np.float32)
        root.attrs["layer_names"] = [config["config"]["name"].encode() for config in configs]
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"name": "amacrine", "layers": configs}})
        for target in (file, root):
            target.attrs["keras_version"], target.attrs["backend"] = "2.2.4", "tensorflow"
    os.replace(f"{path}.partial", path)
