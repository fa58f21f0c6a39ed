# SPDX-License-Identifier: Apache-2.0
"""Layers as other programs have them, put together to an architecture that the program runs."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .architecture import Architecture, Layer, Shape
from .forward import Array

SUPPORTED = ("[convolution (valid, stride 1), batch norm per channel or per unit or none, ReLU] any number of times, then a dense readout, "
             "batch norm over the cells or none, softplus")


class Unsupported(Exception):
    """A layer that the program cannot run: `layer`, its name in the file, and `reason`."""

    def __init__(self, layer: str, reason: str) -> None:
        self.layer, self.reason = layer, reason
        super().__init__(f"layer '{layer}' {reason}")


@dataclass(frozen=True)
class Convolution:
    """A valid cross-correlation of stride 1: kernel (C, D, KY, KX), bias (C) or None."""

    name: str
    kernel: Array
    bias: Array | None = None


@dataclass(frozen=True)
class Norm:
    """gamma (v - mean) / sqrt(variance + epsilon) + beta, all of one shape: (C), or (C, Y, X), or (N) behind a readout. `absolute`: |gamma|."""

    name: str
    gamma: Array
    beta: Array
    mean: Array
    variance: Array
    epsilon: float
    absolute: bool = False


@dataclass(frozen=True)
class Relu:
    name: str


@dataclass(frozen=True)
class Readout:
    """weight (N, C, Y, X) over the last hidden layer's output, or over the window; bias (N) or None."""

    name: str
    weight: Array
    bias: Array | None = None


@dataclass(frozen=True)
class Softplus:
    """log(1 + exp(z))."""

    name: str


Step = Convolution | Norm | Relu | Readout | Softplus


@dataclass
class Assembled:
    """An architecture with its parameters and statistics."""

    architecture: Architecture
    parameters: dict[str, npt.NDArray[np.float32]]
    statistics: dict[str, npt.NDArray[np.float32]]


@dataclass
class Stages:
    """Steps in their places: a convolution, norm or None for each hidden layer; readout, its norm or None, softplus."""

    convolutions: list[Convolution] = field(default_factory=list)
    norms: list[Norm | None] = field(default_factory=list)
    readout: Readout | None = None
    output_norm: Norm | None = None
    softplus: Softplus | None = None


def placed(steps: Sequence[Step]) -> Stages:
    """Steps in their places. Raises Unsupported where one follows another that it may not follow."""
    stages, open_layer = Stages(), False
    for step in steps:
        if stages.softplus is not None:
            raise Unsupported(step.name, "comes after the softplus, which must be last")
        if isinstance(step, (Convolution, Readout)):
            if open_layer:
                raise Unsupported(stages.convolutions[-1].name, "has no ReLU before the next layer")
            if stages.readout is not None:
                raise Unsupported(step.name, f"comes after the readout '{stages.readout.name}'; one dense layer is run")
            if isinstance(step, Readout):
                stages.readout = step
            else:
                stages.convolutions.append(step)
                stages.norms.append(None)
                open_layer = True
        elif isinstance(step, Norm):
            place_norm(stages, step, open_layer)
        elif isinstance(step, Relu):
            if not open_layer:
                raise Unsupported(step.name, "is a ReLU that follows no convolution")
            open_layer = False
        else:
            if stages.readout is None:
                raise Unsupported(step.name, "is a softplus before the readout")
            stages.softplus = step
    if stages.readout is None or stages.softplus is None:
        raise Unsupported(steps[-1].name if steps else "", f"is the last one, and there is no {'softplus' if stages.readout else 'dense readout'} after it")
    return stages


def place_norm(stages: Stages, norm: Norm, open_layer: bool) -> None:
    if open_layer and stages.norms[-1] is None:
        stages.norms[-1] = norm
    elif stages.readout is not None and stages.output_norm is None:
        stages.output_norm = norm
    else:
        raise Unsupported(norm.name, "is a norm that follows neither a convolution nor the readout")


def norm_kind(stages: Stages, sizes: list[Shape]) -> str:
    """"none", "per_channel" or "per_unit", the widest that any hidden layer needs."""
    kinds = {"none"}
    for convolution, norm, size in zip(stages.convolutions, stages.norms, sizes):
        if norm is not None:
            channels = (len(convolution.kernel),)
            if norm.gamma.shape not in (channels, (*channels, *size)):
                raise Unsupported(norm.name, f"is a norm of {norm.gamma.shape} values behind a layer of {(*channels, *size)}; "
                                             "one per channel or one per unit is run")
            kinds.add("per_channel" if norm.gamma.shape == channels else "per_unit")
    return next(kind for kind in ("per_unit", "per_channel", "none") if kind in kinds)


def check_sizes(stages: Stages, window: Shape) -> list[Shape]:
    """(Y, X) of each hidden layer's output. Raises Unsupported where a layer does not fit the one before."""
    inputs, size = window[0], window[1:]
    sizes: list[Shape] = []
    for convolution in stages.convolutions:
        channels, depth, rows, columns = convolution.kernel.shape
        if depth != inputs:
            raise Unsupported(convolution.name, f"takes {depth} channels and is given {inputs}")
        inputs, size = channels, (size[0] - rows + 1, size[1] - columns + 1)
        if min(size) < 1:
            raise Unsupported(convolution.name, f"has a kernel of {rows} x {columns} that does not fit its input")
        sizes.append(size)
    assert stages.readout is not None
    if stages.readout.weight.shape[1:] != (inputs, *size):
        raise Unsupported(stages.readout.name, f"reads {stages.readout.weight.shape[1:]} values and is given {(inputs, *size)}")
    return sizes


def assemble(steps: Sequence[Step], window: Shape, noise: float = 0.0) -> Assembled:
    """Architecture and parameters of layers on windows (T, Y, X).

    One epsilon holds for all norms: the smallest; the difference goes to the variances. |gamma| is kept as such where all norms have it, and taken
    otherwise. Raises Unsupported where the program has no such architecture.
    """
    stages = placed(steps)
    assert stages.readout is not None
    sizes = check_sizes(stages, window)
    kind = norm_kind(stages, sizes)
    norms = [norm for norm in (*stages.norms, stages.output_norm) if norm is not None]
    epsilon = max(min((norm.epsilon for norm in norms), default=1e-3), 1e-12)
    absolute = bool(norms) and all(norm.absolute for norm in norms)
    readout, output_norm = stages.readout, stages.output_norm
    architecture = Architecture(
        history=window[0], height=window[1], width=window[2], noise=noise, norm=kind, scale="absolute" if absolute else "plain",
        hidden=tuple(Layer(len(each.kernel), each.kernel.shape[2], each.kernel.shape[3]) for each in stages.convolutions),
        conv_bias=any(each.bias is not None for each in stages.convolutions), norm_epsilon=epsilon, norm_momentum=0.99,
        readout_bias=readout.bias is not None, output_norm=output_norm is not None, softplus_beta=1.0, cells=len(readout.weight))
    made = Assembled(architecture, {}, {})
    for i, (convolution, norm) in enumerate(zip(stages.convolutions, stages.norms)):
        put(made, f"hidden{i}_kernel", convolution.kernel)
        if architecture.conv_bias:
            put(made, f"hidden{i}_bias", np.zeros(len(convolution.kernel)) if convolution.bias is None else convolution.bias)
        if kind != "none":
            put_norm(made, f"hidden{i}", norm, architecture.norm_shape(i))
    put(made, "readout_weight", readout.weight)
    if readout.bias is not None:
        put(made, "readout_bias", readout.bias)
    if output_norm is not None:
        put_norm(made, "output", output_norm, (architecture.cells,))
    return made


def put(made: Assembled, name: str, values: Array) -> None:
    target = made.statistics if name.endswith(("_mean", "_variance")) else made.parameters
    target[name] = np.ascontiguousarray(values, np.float32)


def put_norm(made: Assembled, stage: str, norm: Norm | None, shape: Shape) -> None:
    """A norm in the architecture's shape and with its epsilon; the identity where a layer has none beside others that have."""
    a = made.architecture
    if norm is None:
        norm = Norm(stage, np.ones(shape), np.zeros(shape), np.zeros(shape), np.ones(shape), 0.0)
    gamma = np.abs(norm.gamma) if norm.absolute and a.scale == "plain" else norm.gamma
    for name, values in (("gamma", gamma), ("beta", norm.beta), ("mean", norm.mean), ("variance", norm.variance + (norm.epsilon - a.norm_epsilon))):
        if values.shape != shape and (values.size != shape[0] or values.ndim != 1):
            raise Unsupported(norm.name, f"is a norm of {values.shape} values where {shape} are read")
        put(made, f"{stage}_{name}", np.broadcast_to(values.reshape(shape[0], *(1,) * (len(shape) - 1)) if values.ndim == 1 else values, shape))
