# SPDX-License-Identifier: Apache-2.0
"""PyTorch's side of the attribution benchmark: captum, the lab's loop, and that loop at its best."""

import importlib.metadata

import captum.attr
import numpy
import torch
from torch.nn import functional

CHUNK = 64  # nodes in one batch


def captum_version():
    return importlib.metadata.version("captum")


def nodes(rule, steps):
    """Places on the path and their weights."""
    if rule == "gauss-legendre":
        at, weights = numpy.polynomial.legendre.leggauss(steps)
        return list(zip((at + 1) / 2, weights / 2))
    shift = {"right": 1.0, "midpoint": 0.5}[rule]
    return [((i + shift) / steps, 1 / steps) for i in range(steps)]


def chunks(values):
    return [values[i : i + CHUNK] for i in range(0, len(values), CHUNK)]


def columns(part, like):
    """A chunk's places and weights, (nodes, 1, 1, 1) each."""
    return torch.tensor(part, dtype=like.dtype).T.reshape(2, -1, 1, 1, 1)


class Captum:
    """LayerIntegratedGradients of the first convolution, or IntegratedGradients of the pixels; one window and cell a call."""

    name, rule = "captum", "midpoint"

    def __init__(self, network, level):
        self.network = network
        self.pixels = level == "pixel"
        method = captum.attr.IntegratedGradients(network) if self.pixels else captum.attr.LayerIntegratedGradients(
            network, network.first)
        self.method = method

    @property
    def method_name(self):
        return {"midpoint": "riemann_middle", "gauss-legendre": "gausslegendre"}[self.rule]

    def rows(self, window, grey, cells, steps):
        return [
            self.method.attribute(window, baselines=grey, target=n, n_steps=steps, method=self.method_name,
                                  internal_batch_size=CHUNK).detach()
            for n in cells
        ]


class Loop:
    """The whole network and its gradient at every step of the path, right ends, one cell at a time."""

    name, rule = "loop", "right"

    def __init__(self, network, level):
        self.network, self.pixels = network, level == "pixel"

    def rows(self, window, grey, cells, steps):
        return [self.row(window, grey, n, steps) for n in cells]

    def row(self, window, grey, cell, steps):
        total = 0
        for part in chunks(nodes(self.rule, steps)):
            alpha, weight = columns(part, grey)
            inputs = grey + alpha * (window - grey)
            if self.pixels:
                inputs.requires_grad_()
            z = self.network.first(inputs)
            rate = self.network.after(z)[:, cell].sum()
            gradient = torch.autograd.grad(rate, inputs if self.pixels else z)[0]
            total = total + (weight * gradient).sum(0, keepdim=True)
        if self.pixels:
            return (window - grey) * total
        with torch.no_grad():
            return self.network.first(window - grey) * total


class Tuned:
    """Midpoints or Gauss-Legendre nodes, channels-last, the first layer once per window, one forward for all cells, pixels by one transposed first
    layer."""

    name, rule = "tuned", "midpoint"

    def __init__(self, network, level):
        self.network, self.pixels = network, level == "pixel"
        self.network.to(memory_format=torch.channels_last)

    def rows(self, window, grey, cells, steps):
        with torch.no_grad():
            start = self.network.first(grey)
            drive = self.network.first(window - grey)
        totals = [0] * len(cells)
        for part in chunks(nodes(self.rule, steps)):
            alpha, weight = columns(part, grey)
            z = (start + alpha * drive).contiguous(memory_format=torch.channels_last).requires_grad_()
            rates = self.network.after(z).sum(0)
            for i, n in enumerate(cells):
                gradient = torch.autograd.grad(rates[n], z, retain_graph=i + 1 < len(cells))[0]
                totals[i] = totals[i] + (weight * gradient).sum(0, keepdim=True)
        if not self.pixels:
            return [drive * total for total in totals]
        with torch.no_grad():
            return [(window - grey) * functional.conv_transpose2d(t, self.network.first.weight) for t in totals]


def at_level(row, level):
    """(1, C, Y, X) -> what is stored at the level."""
    if level == "channel":
        return row.sum((0, 2, 3))
    if level == "position":
        return row.sum((0, 2))
    return row[0]
