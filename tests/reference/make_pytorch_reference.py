#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/pytorch_reference.h5: what PyTorch computes, in double precision, for small networks of odd sizes.

    python make_pytorch_reference.py OUTPUT        (needs torch, numpy, h5py)

One HDF5 group per case. Letters: G segments, B windows, T history, Y X pixels, C channels, N cells, U readout inputs. Window b of
segment g is frames first[g] + b ... first[g] + b + T - 1 of the movie, oldest first, and predicts the bin of its last frame. Inputs and
initial parameters are multiples of 1/4096, so that they are the same numbers in float32.

Minimised: mean over windows and cells of rate - target log(rate + epsilon), plus l1_output mean |rate|, plus l2 sum w^2 over convolution
kernels (the filter of an LN model). Adam as torch has it. Groups and datasets:
  attributes          architecture (JSON), epsilon, l1_output, l2, learning_rate, loss (without l2), penalty (l2 part)
  movie (F, Y, X), first (G), response (N, F)
  parameters/NAME, statistics/NAME     before the step; gradients/NAME; batch/NAME the batch's mean and biased variance
  statistics_after/NAME                after one training pass (torch: the variance is unbiased)
  adam1/NAME, adam3/NAME               parameters after one and three steps on the same batch
  x0, x1 (G, C, OY, OX, B) after the norm, before the ReLU; drive (after the output norm), rate (G, N, B): training mode
  eval_rate (G, N, B)                  with the statistics of before the step
"""
import json
import sys

import h5py
import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)

HISTORY, HEIGHT, WIDTH, CELLS = 7, 13, 11, 2
SEGMENTS, WINDOWS = 2, 5
EPSILON, L1, L2, RATE = 1e-8, 1e-2, 3e-2, 1e-2

CASES = {
    "per_channel": dict(norm="per_channel", scale="plain", conv_bias=False, readout_bias=False),
    "per_channel_absolute": dict(norm="per_channel", scale="absolute", conv_bias=True, readout_bias=False),
    "per_unit": dict(norm="per_unit", scale="plain", conv_bias=True, readout_bias=True),
    "per_unit_absolute": dict(norm="per_unit", scale="absolute", conv_bias=False, readout_bias=False),
    "no_norm": dict(norm="none", scale="plain", conv_bias=True, readout_bias=True, output_norm=False),
    "ln": dict(norm="none", scale="plain", conv_bias=False, readout_bias=True, output_norm=False, hidden=[]),
}
HIDDEN = [dict(channels=3, kernel_y=5, kernel_x=3), dict(channels=4, kernel_y=3, kernel_x=3)]


def architecture_of(case):
    architecture = dict(history=HISTORY, height=HEIGHT, width=WIDTH, hidden=HIDDEN, noise=0.0, norm_epsilon=1e-3, norm_momentum=0.99,
                        output_norm=True, softplus_beta=1.0, cells=CELLS)
    architecture.update(case)
    if case["norm"] == "per_unit":
        architecture["softplus_beta"] = 0.3
    return architecture


def rounded(values):
    return torch.from_numpy(np.round(values * 4096) / 4096)


class Norm(torch.nn.Module):
    """Batch norm over the batch and, per channel, over positions; gamma or |gamma|."""

    def __init__(self, shape, architecture, rng):
        super().__init__()
        self.absolute = architecture["scale"] == "absolute"
        self.momentum, self.eps = 1 - architecture["norm_momentum"], architecture["norm_epsilon"]
        self.gamma = torch.nn.Parameter(rounded(rng.choice([-1, 1], shape) * rng.uniform(0.5, 1.5, shape)))
        self.beta = torch.nn.Parameter(rounded(rng.uniform(-0.5, 0.5, shape)))
        self.register_buffer("mean", rounded(rng.uniform(-0.5, 0.5, shape)))
        self.register_buffer("variance", rounded(rng.uniform(0.5, 2.0, shape)))

    def forward(self, z):
        gamma = self.gamma.abs() if self.absolute else self.gamma
        per_channel = self.gamma.dim() == 1 and z.dim() == 4
        flat = z if per_channel else z.flatten(1)
        axes = (0, 2, 3) if per_channel else (0,)
        self.batch = (flat.mean(axes).detach(), flat.var(axes, unbiased=False).detach())
        out = F.batch_norm(flat, self.mean.view(-1), self.variance.view(-1), gamma.flatten(), self.beta.flatten(), self.training,
                           self.momentum, self.eps)
        return out.view(z.shape)


class Network(torch.nn.Module):
    def __init__(self, architecture, rng):
        super().__init__()
        self.architecture = a = architecture
        self.kernels, self.biases, self.norms = torch.nn.ParameterList(), torch.nn.ParameterList(), torch.nn.ModuleList()
        inputs, height, width = HISTORY, HEIGHT, WIDTH
        for layer in a["hidden"]:
            shape = (layer["channels"], inputs, layer["kernel_y"], layer["kernel_x"])
            self.kernels.append(torch.nn.Parameter(rounded(rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape))))
            if a["conv_bias"]:
                self.biases.append(torch.nn.Parameter(rounded(rng.normal(0, 0.3, shape[0]))))
            inputs, height, width = shape[0], height - shape[2] + 1, width - shape[3] + 1
            if a["norm"] != "none":
                self.norms.append(Norm((inputs,) if a["norm"] == "per_channel" else (inputs, height, width), a, rng))
        units = inputs * height * width
        self.weight = torch.nn.Parameter(rounded(rng.normal(0, 1 / np.sqrt(units), (CELLS, units))))
        self.bias = torch.nn.Parameter(rounded(rng.normal(0, 0.3, CELLS))) if a["readout_bias"] else None
        self.output = Norm((CELLS,), a, rng) if a["output_norm"] else None

    def forward(self, windows):
        h, self.x = windows, []
        for layer, kernel in enumerate(self.kernels):
            z = F.conv2d(h, kernel, self.biases[layer] if self.architecture["conv_bias"] else None)
            self.x.append(self.norms[layer](z) if self.architecture["norm"] != "none" else z)
            h = F.relu(self.x[-1])
        drive = F.linear(h.flatten(1), self.weight, self.bias)
        self.drive = self.output(drive) if self.output is not None else drive
        return F.softplus(self.drive, beta=self.architecture["softplus_beta"], threshold=1e9)

    def named(self):
        names = {}
        for layer, kernel in enumerate(self.kernels):
            names[f"hidden{layer}.kernel"] = kernel
            if self.architecture["conv_bias"]:
                names[f"hidden{layer}.bias"] = self.biases[layer]
            if self.architecture["norm"] != "none":
                names[f"hidden{layer}.gamma"], names[f"hidden{layer}.beta"] = self.norms[layer].gamma, self.norms[layer].beta
        names["readout.weight"] = self.weight
        if self.bias is not None:
            names["readout.bias"] = self.bias
        if self.output is not None:
            names["output.gamma"], names["output.beta"] = self.output.gamma, self.output.beta
        return names

    def all_norms(self):
        norms = {f"hidden{layer}": norm for layer, norm in enumerate(self.norms)}
        if self.output is not None:
            norms["output"] = self.output
        return norms

    def decayed(self):
        return list(self.kernels) if len(self.kernels) else [self.weight]


def loss_of(network, rate, target):
    data = (rate - target * torch.log(rate + EPSILON)).mean() + L1 * rate.abs().mean()
    return data, L2 * sum((w**2).sum() for w in network.decayed())


def segments(values):
    """(G * B, ...) -> (G, ..., B): the layout of the program, neighbouring windows last."""
    array = values.detach().numpy()
    return np.moveaxis(array.reshape((SEGMENTS, WINDOWS) + array.shape[1:]), 1, -1)


def write_tree(group, name, arrays):
    for key, value in arrays.items():
        group.create_dataset(f"{name}/{key}", data=value.detach().numpy(), dtype="f8")


def write_case(group, architecture, rng):
    movie = rounded(rng.normal(0, 1, (24, HEIGHT, WIDTH)))
    first = np.array([0, 10])
    response = torch.from_numpy(100.0 * rng.poisson(0.3, (CELLS, 24)))
    starts = [int(f) + b for f in first for b in range(WINDOWS)]
    windows = torch.stack([movie[s:s + HISTORY] for s in starts])
    target = torch.stack([response[:, s + HISTORY - 1] for s in starts])
    network = Network(architecture, rng)
    for name, data in (("movie", movie), ("response", response)):
        group.create_dataset(name, data=data.numpy().astype("f4"))
    group.create_dataset("first", data=first.astype("i8"))
    statistics = lambda: {f"{n}.{s}": getattr(m, s).clone() for n, m in network.all_norms().items() for s in ("mean", "variance")}
    write_tree(group, "parameters", network.named())
    write_tree(group, "statistics", statistics())
    network.eval()
    group.create_dataset("eval_rate", data=segments(network(windows)))

    network.train()
    optimiser = torch.optim.Adam(network.named().values(), lr=RATE)
    for step in range(3):
        optimiser.zero_grad()
        rate = network(windows)
        data, penalty = loss_of(network, rate, target)
        (data + penalty).backward()
        if step == 0:
            write_tree(group, "gradients", {n: p.grad for n, p in network.named().items()})
            write_tree(group, "batch", {f"{n}.{s}": m.batch[i].view(m.mean.shape) for n, m in network.all_norms().items()
                                        for i, s in enumerate(("mean", "variance"))})
            write_tree(group, "statistics_after", statistics())
            for layer, x in enumerate(network.x):
                group.create_dataset(f"x{layer}", data=segments(x))
            group.create_dataset("drive", data=segments(network.drive))
            group.create_dataset("rate", data=segments(rate))
            group.attrs.update(loss=data.item(), penalty=penalty.item())
        optimiser.step()
        if step in (0, 2):
            write_tree(group, f"adam{step + 1}", network.named())
    group.attrs.update(architecture=json.dumps(architecture), epsilon=EPSILON, l1_output=L1, l2=L2, learning_rate=RATE)


def main():
    with h5py.File(sys.argv[1], "w", libver="earliest") as file:
        file.attrs["torch"] = str(torch.__version__)
        for number, (name, case) in enumerate(CASES.items()):
            write_case(file.create_group(name), architecture_of(case), np.random.default_rng(2019 + number))


if __name__ == "__main__":
    main()
