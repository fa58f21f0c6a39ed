# SPDX-License-Identifier: Apache-2.0
"""A product model file as a PyTorch network, and the windows it sees."""

import json

import h5py
import numpy
import torch
from torch import nn
from torch.nn import functional


class Affine(nn.Module):
    """A batch norm in evaluation, folded: gain and offset per unit or channel."""

    def __init__(self, gain, offset):
        super().__init__()
        self.gain, self.offset = nn.Parameter(gain), nn.Parameter(offset)

    def forward(self, x):
        return torch.addcmul(self.offset, x, self.gain)


def affine(file, prefix, shape):
    read = {key: torch.from_numpy(file[f"{prefix}_{key}"][...]).double() for key in ("gamma", "beta", "mean", "variance")}
    a = architecture_of(file)
    gamma = read["gamma"].abs() if a["scale"] == "absolute" else read["gamma"]
    gain = gamma / torch.sqrt(read["variance"] + a["norm_epsilon"])
    offset = read["beta"] - gain * read["mean"]
    return Affine(gain.reshape(shape), offset.reshape(shape))


def architecture_of(file):
    return json.loads(file.attrs["architecture"])


class Network(nn.Module):
    """Windows (batch, history, y, x) -> rates (batch, cells); `after` is what follows the first convolution."""

    def __init__(self, path):
        super().__init__()
        with h5py.File(path) as file:
            a = architecture_of(file)
            kernels = [torch.from_numpy(file[f"hidden{i}_kernel"][...]).double() for i in (0, 1)]
            sizes = [50 - kernels[0].shape[2] + 1]
            sizes.append(sizes[0] - kernels[1].shape[2] + 1)
            shapes = [(-1, s, s) if a["norm"] == "per_unit" else (-1, 1, 1) for s in sizes]
            self.norm_1, self.norm_2 = (affine(file, f"hidden{i}", shapes[i]) for i in (0, 1))
            self.output = affine(file, "output", (-1,))
            readout = torch.from_numpy(file["readout_weight"][...]).double().flatten(1)
            mean, scale = file.attrs["normalisation_mean"], file.attrs["normalisation_scale"]
            self.beta = float(a["softplus_beta"])
        self.first = convolution(kernels[0])
        self.second = convolution(kernels[1])
        self.readout = nn.Linear(readout.shape[1], readout.shape[0], bias=False)
        self.readout.weight.data = readout
        self.cells, self.history = readout.shape[0], kernels[0].shape[1]
        self.mean, self.scale = float(numpy.squeeze(mean)), float(numpy.squeeze(scale))

    def after(self, z):
        h = functional.relu(self.norm_1(z))
        h = functional.relu(self.norm_2(self.second(h)))
        return functional.softplus(self.output(self.readout(h.flatten(1))), self.beta)

    def forward(self, window):
        return self.after(self.first(window))


def convolution(kernel):
    layer = nn.Conv2d(kernel.shape[1], kernel.shape[0], kernel.shape[2], bias=False)
    layer.weight.data = kernel
    return layer


class Windows:
    """Windows of a case by number: intensity by intensity, every intensity the same last frames."""

    def __init__(self, network, movie, last_frames, intensities, dtype):
        self.network, self.movie, self.last, self.intensities, self.dtype = network, movie, last_frames, intensities, dtype

    def grey(self):
        n = self.network
        return torch.full((1, n.history, 50, 50), -n.mean / n.scale, dtype=self.dtype)

    def window(self, index):
        """(1, history, y, x), as the first layer sees it. The world before the movie is grey."""
        n = self.network
        scale = (1 + index // len(self.last)) / self.intensities
        last = self.last[index % len(self.last)]
        frames = numpy.zeros((n.history, 50, 50))
        first = max(0, last - n.history + 1)
        frames[n.history - (last - first + 1) :] = scale * self.movie[first : last + 1]
        return torch.from_numpy((frames - n.mean) / n.scale).to(self.dtype)[None]
