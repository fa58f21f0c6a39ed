# SPDX-License-Identifier: Apache-2.0
"""The modules of load_torch; needs PyTorch."""
from __future__ import annotations

from collections import OrderedDict

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from .model import Model


class Normalise(nn.Module):
    """(contrast - mean) / scale; mean and scale are () or (Y, X)."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, mean: torch.Tensor, scale: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, contrast: torch.Tensor) -> torch.Tensor:
        return (contrast - self.mean) / self.scale


def double(values: npt.ArrayLike) -> torch.Tensor:
    return torch.from_numpy(np.array(values, np.float64))


def fill(target: torch.Tensor | None, values: npt.ArrayLike) -> None:
    """Copies values into a parameter or buffer of as many."""
    assert target is not None
    with torch.no_grad():
        target.copy_(double(values).reshape(target.shape))


def make_norm(model: Model, stage: str, module: nn.BatchNorm1d | nn.BatchNorm2d) -> nn.Module:
    """A norm with the model's scale, shift and statistics."""
    gamma = model.parameters[f"{stage}_gamma"]
    fill(module.weight, np.abs(gamma) if model.architecture.scale == "absolute" else gamma)
    fill(module.bias, model.parameters[f"{stage}_beta"])
    fill(module.running_mean, model.statistics[f"{stage}_mean"])
    fill(module.running_var, model.statistics[f"{stage}_variance"])
    return module


def hidden(model: Model, i: int, inputs: int) -> list[tuple[str, nn.Module]]:
    """Convolution, norm and ReLU of a hidden layer. A norm per unit is one over the flattened units."""
    a, layer = model.architecture, model.architecture.hidden[i]
    conv = nn.Conv2d(inputs, layer.channels, (layer.kernel_y, layer.kernel_x), bias=a.conv_bias).double()
    fill(conv.weight, model.parameters[f"hidden{i}_kernel"])
    if a.conv_bias:
        fill(conv.bias, model.parameters[f"hidden{i}_bias"])
    modules: list[tuple[str, nn.Module]] = [(f"conv{i}", conv)]
    momentum = 1 - a.norm_momentum
    if a.norm == "per_channel":
        modules.append((f"norm{i}", make_norm(model, f"hidden{i}", nn.BatchNorm2d(layer.channels, a.norm_epsilon, momentum).double())))
    elif a.norm == "per_unit":
        shape = a.norm_shape(i)
        norm = make_norm(model, f"hidden{i}", nn.BatchNorm1d(int(np.prod(shape)), a.norm_epsilon, momentum).double())
        modules += [(f"flatten{i}", nn.Flatten()), (f"norm{i}", norm), (f"unflatten{i}", nn.Unflatten(1, shape))]
    return [*modules, (f"relu{i}", nn.ReLU())]


def build(model: Model) -> nn.Sequential:
    """The module of a model; see load_torch."""
    a = model.architecture
    modules: list[tuple[str, nn.Module]] = [("normalise", Normalise(double(model.normalisation.mean), double(model.normalisation.scale)))]
    inputs = a.history
    for i, layer in enumerate(a.hidden):
        modules += hidden(model, i, inputs)
        inputs = layer.channels
    weight = model.parameters["readout_weight"]
    readout = nn.Linear(weight[0].size, a.cells, bias=a.readout_bias).double()
    fill(readout.weight, weight)
    if a.readout_bias:
        fill(readout.bias, model.parameters["readout_bias"])
    modules += [("flatten", nn.Flatten()), ("readout", readout)]
    if a.output_norm:
        modules.append(("output_norm", make_norm(model, "output", nn.BatchNorm1d(a.cells, a.norm_epsilon, 1 - a.norm_momentum).double())))
    modules.append(("softplus", nn.Softplus(a.softplus_beta, threshold=40)))
    return nn.Sequential(OrderedDict(modules)).eval()
