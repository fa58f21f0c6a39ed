# SPDX-License-Identifier: Apache-2.0
"""The architecture of a model, as its file describes it (docs/results/model.md, docs/study/model.md)."""
from __future__ import annotations

import json
from dataclasses import dataclass

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A hidden layer's convolution: `channels` kernels of `kernel_y` x `kernel_x` pixels."""

    channels: int
    kernel_y: int
    kernel_x: int


@dataclass(frozen=True)
class Architecture:
    """Windows (history, height, width) -> hidden layers (convolution, norm, ReLU) -> readout -> norm over cells -> softplus.

    Convolutions are cross-correlations, valid, of stride 1; the first one's input channels are the frames of the window, oldest first. Without a
    hidden layer the readout is a filter on the window (a linear-nonlinear model).
    """

    history: int
    height: int
    width: int
    hidden: tuple[Layer, ...]
    norm: str  # "none", "per_channel", "per_unit"
    scale: str  # "plain", "absolute": |gamma|
    conv_bias: bool
    noise: float  # sd of the noise after each norm, in training only
    norm_epsilon: float
    norm_momentum: float  # weight of the past in the running statistics
    readout_bias: bool
    output_norm: bool
    softplus_beta: float  # 1/Hz
    cells: int

    @classmethod
    def from_json(cls, text: str) -> Architecture:
        """From the JSON of a model file. Raises ValueError where it is none, or does not fit together."""
        try:
            fields = json.loads(text)
            fields["hidden"] = tuple(Layer(**layer) for layer in fields["hidden"])
            found = cls(**fields)
        except (TypeError, KeyError) as error:
            raise ValueError(f"an architecture has other fields ({error})") from error
        known = found.norm in ("none", "per_channel", "per_unit") and found.scale in ("plain", "absolute")
        if not known or min(found.history, found.cells, *found.output_size(len(found.hidden) - 1)) < 1:
            raise ValueError(f"no such architecture: {text}")
        return found

    def to_json(self) -> str:
        """The same JSON as in a model file."""
        fields = {**vars(self), "hidden": [vars(layer) for layer in self.hidden]}
        return json.dumps(fields, separators=(",", ":"))

    def describe(self) -> str:
        """The architecture in one line, as the program has it."""
        words = f"{self.history}x{self.height}x{self.width}"
        for i, layer in enumerate(self.hidden):
            rows, columns = self.output_size(i)
            words += f" -> {layer.channels} @ {layer.kernel_y}x{layer.kernel_x} ({layer.channels}x{rows}x{columns})"
        words += f" -> {self.cells} cell{'' if self.cells == 1 else 's'}"
        if not self.hidden:
            return f"{words}, linear-nonlinear"
        if self.norm == "none":
            return f"{words}, no norm"
        return f"{words}, norm per {self.norm.removeprefix('per_')}{' (|scale|)' if self.scale == 'absolute' else ''}"

    def output_size(self, layer: int) -> tuple[int, int]:
        """(Y, X) of a hidden layer's output; of the window with layer -1."""
        y = self.height - sum(each.kernel_y - 1 for each in self.hidden[:layer + 1])
        x = self.width - sum(each.kernel_x - 1 for each in self.hidden[:layer + 1])
        return y, x

    def norm_shape(self, layer: int) -> Shape:
        """Shape of a hidden layer's norm: (C), or (C, Y, X) where each unit has its own."""
        channels = self.hidden[layer].channels
        return (channels, *self.output_size(layer)) if self.norm == "per_unit" else (channels,)

    def parameter_shapes(self) -> dict[str, Shape]:
        """Trained parameters, by name: kernels (C, D, KY, KX) with D = history in the first layer, readout (N, C, Y, X), ..."""
        shapes: dict[str, Shape] = {}
        inputs = self.history
        for i, layer in enumerate(self.hidden):
            shapes[f"hidden{i}_kernel"] = (layer.channels, inputs, layer.kernel_y, layer.kernel_x)
            if self.conv_bias:
                shapes[f"hidden{i}_bias"] = (layer.channels,)
            if self.norm != "none":
                shapes[f"hidden{i}_gamma"] = shapes[f"hidden{i}_beta"] = self.norm_shape(i)
            inputs = layer.channels
        shapes["readout_weight"] = (self.cells, inputs, *self.output_size(len(self.hidden) - 1))
        if self.readout_bias:
            shapes["readout_bias"] = (self.cells,)
        if self.output_norm:
            shapes["output_gamma"] = shapes["output_beta"] = (self.cells,)
        return shapes

    def statistic_shapes(self) -> dict[str, Shape]:
        """Running statistics of the norms, by name."""
        shapes: dict[str, Shape] = {}
        if self.norm != "none":
            for i in range(len(self.hidden)):
                shapes[f"hidden{i}_mean"] = shapes[f"hidden{i}_variance"] = self.norm_shape(i)
        if self.output_norm:
            shapes["output_mean"] = shapes["output_variance"] = (self.cells,)
        return shapes
