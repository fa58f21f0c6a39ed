# SPDX-License-Identifier: Apache-2.0
"""Layers of a Keras model, by their configurations and weights, as steps of an architecture.

Configurations: https://keras.io/api/models/model_saving_apis/model_config_serialization/; of Keras before 2 (nb_filter, border_mode, dim_ordering) as well.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .architecture import Shape
from .assembly import Convolution, Norm, Readout, Relu, Softplus, Step, Unsupported
from .forward import Array

Config = Mapping[str, Any]
IDENTITY = {"InputLayer", "GaussianNoise", "Dropout", "GaussianDropout", "AlphaDropout", "SpatialDropout2D", "ActivityRegularization"}
LAST, FIRST = "channels_last", "channels_first"


def first_of(config: Config, *names: str, default: Any = None) -> Any:
    """The value of the first of these keys that is there: Keras has renamed many."""
    return next((config[name] for name in names if name in config), default)


def pair(value: Any) -> tuple[int, ...]:
    return (int(value),) * 2 if isinstance(value, (int, float)) else tuple(int(each) for each in value)


@dataclass
class Walk:
    """What is known at one point of the model: the shape behind the last layer, without the batch, and steps so far.

    `order` says what a three-axis shape is: channels_first (C, Y, X) or channels_last (Y, X, C); `flat`, that it was flattened in that order.
    """

    shape: Shape
    order: str
    steps: list[Step]
    flat: bool = False
    cells: int = 0  # behind the readout
    flip: bool = False  # kernels are those of true convolutions (Theano)

    def to_units(self, values: Array) -> Array:
        """A vector over the flattened layer, or (..., units), as (..., C, Y, X)."""
        shaped = values.reshape(*values.shape[:-1], *self.shape)
        return np.moveaxis(shaped, -1, -3) if self.order == LAST else shaped

    def channel_axis(self) -> int:
        return 3 if self.order == LAST else 1

    def layer(self, kind: str, name: str, config: Config, weights: list[Array]) -> None:
        """One layer more. Raises Unsupported."""
        if kind in IDENTITY:
            return
        found = LAYERS.get(kind)
        if found is None:
            raise Unsupported(name, f"is a {kind}, which the program does not run")
        found(self, name, config, weights)


def order_of(config: Config, default: str = LAST) -> str:
    named = first_of(config, "data_format", "dim_ordering", default=None) or default
    return {"th": FIRST, "tf": LAST}.get(named, str(named))


def activation_name(activation: Any) -> str:
    """Of a name, a serialised function {"class_name": "function", "config": "relu"}, or a serialised layer {"class_name": "ReLU"}."""
    if isinstance(activation, Mapping):
        kind = str(activation.get("class_name", ""))
        return str(activation.get("config", "")) if kind == "function" else kind.lower()
    return "linear" if activation is None else str(activation)


def activate(walk: Walk, name: str, activation: Any) -> None:
    kind = activation_name(activation)
    if kind == "relu":
        walk.steps.append(Relu(name))
    elif kind == "softplus":
        walk.steps.append(Softplus(name))
    elif kind != "linear":
        raise Unsupported(name, f"has the activation '{kind}'; hidden layers are run with relu, the output with softplus")


def take(name: str, weights: list[Array], wanted: list[str]) -> dict[str, Array]:
    if len(weights) != len(wanted):
        raise Unsupported(name, f"has {len(weights)} arrays of weights; expected {', '.join(wanted)}")
    return dict(zip(wanted, weights))


def convolution(walk: Walk, name: str, config: Config, weights: list[Array]) -> None:
    found = take(name, weights, ["kernel", "bias"] if first_of(config, "use_bias", "bias", default=True) else ["kernel"])
    order = order_of(config, walk.order)
    if order != walk.order or walk.flat or len(walk.shape) != 3:
        raise Unsupported(name, f"is a {order} convolution of {walk.shape} values that are {'flat' if walk.flat else walk.order}")
    padding = first_of(config, "padding", "border_mode", default="valid")
    if padding != "valid":
        raise Unsupported(name, f"has the padding '{padding}'; 'valid' is run")
    for key in ("strides", "subsample", "dilation_rate"):
        if set(pair(config.get(key, 1))) != {1}:
            raise Unsupported(name, f"has {key} {config[key]}; 1 is run")
    if config.get("groups", 1) != 1:
        raise Unsupported(name, f"has {config['groups']} groups; 1 is run")
    kernel = found["kernel"] if "nb_filter" in config and order == FIRST else found["kernel"].transpose(3, 2, 0, 1)
    if walk.flip:
        kernel = kernel[:, :, ::-1, ::-1]
    channels, _, rows, columns = kernel.shape
    walk.steps.append(Convolution(name, kernel, found.get("bias")))
    y, x = (walk.shape[:2] if order == LAST else walk.shape[1:])
    size = (y - rows + 1, x - columns + 1)
    walk.shape = (*size, channels) if order == LAST else (channels, *size)
    activate(walk, name, config.get("activation", "linear"))


def norm(walk: Walk, name: str, config: Config, weights: list[Array]) -> None:
    wanted = [each for each, key in (("gamma", "scale"), ("beta", "center")) if config.get(key, True)] + ["mean", "variance"]
    found = take(name, weights, wanted)
    axis = config.get("axis", -1)
    axis = int(axis[0] if isinstance(axis, (list, tuple)) else axis)
    rank = 1 if walk.flat or walk.cells else len(walk.shape)
    if config.get("mode", 0) != 0 or (rank == 3 and axis % 4 != walk.channel_axis()):
        raise Unsupported(name, f"normalises over axis {axis} (mode {config.get('mode', 0)}) of {walk.order} data; one pair per channel is run "
                                "(or one per unit, behind a Flatten)")
    size = walk.cells or (math.prod(walk.shape) if walk.flat else walk.shape[axis % 4 - 1])
    if any(values.shape != (size,) for values in found.values()):
        raise Unsupported(name, f"has weights of shape {found['mean'].shape}; expected ({size},)")
    values = [found.get("gamma", np.ones(size)), found.get("beta", np.zeros(size)), found["mean"], found["variance"]]
    if walk.flat and not walk.cells:
        values = [walk.to_units(each) for each in values]
    gamma, beta, mean, variance = values
    walk.steps.append(Norm(name, gamma, beta, mean, variance, float(config.get("epsilon", 1e-3))))


def dense(walk: Walk, name: str, config: Config, weights: list[Array]) -> None:
    found = take(name, weights, ["kernel", "bias"] if first_of(config, "use_bias", "bias", default=True) else ["kernel"])
    if walk.cells:
        raise Unsupported(name, "is a second dense layer; one is run, the readout")
    if not walk.flat:
        raise Unsupported(name, "is a dense layer on data that is not flat")
    kernel = found["kernel"]
    if kernel.ndim != 2 or len(kernel) != math.prod(walk.shape):
        raise Unsupported(name, f"has a kernel of shape {kernel.shape} on {math.prod(walk.shape)} values")
    walk.cells = kernel.shape[1]
    walk.steps.append(Readout(name, walk.to_units(kernel.T), found.get("bias")))
    activate(walk, name, config.get("activation", "linear"))


def flatten(walk: Walk, name: str, config: Config, weights: list[Array]) -> None:
    # Keras' Flatten(data_format="channels_first") moves the channels last before it flattens.
    if config.get("data_format") == FIRST and not walk.flat and len(walk.shape) == 3 and walk.order == FIRST:
        walk.shape, walk.order = (*walk.shape[1:], walk.shape[0]), LAST
    walk.flat = True


def reshape(walk: Walk, name: str, config: Config, weights: list[Array]) -> None:
    target = tuple(int(each) for each in first_of(config, "target_shape", "dims", default=()))
    if -1 in target:
        target = tuple(math.prod(walk.shape) // -math.prod(target) if each == -1 else each for each in target)
    if walk.cells or (target != walk.shape and target != (math.prod(walk.shape),)):
        raise Unsupported(name, f"reshapes {walk.shape} to {target}; only flattening and its inverse are run")
    walk.flat = len(target) == 1


def activation(walk: Walk, name: str, config: Config, weights: list[Array]) -> None:
    activate(walk, name, config.get("activation"))


def relu(walk: Walk, name: str, config: Config, weights: list[Array]) -> None:
    if config.get("max_value") is not None or config.get("negative_slope") or config.get("threshold"):
        raise Unsupported(name, "is a ReLU with a largest value, a slope below 0 or a threshold; the plain one is run")
    walk.steps.append(Relu(name))


LAYERS: dict[str, Callable[[Walk, str, Config, list[Array]], None]] = {
    "Conv2D": convolution, "Convolution2D": convolution, "BatchNormalization": norm, "Dense": dense, "Flatten": flatten, "Reshape": reshape,
    "Activation": activation, "ReLU": relu}
