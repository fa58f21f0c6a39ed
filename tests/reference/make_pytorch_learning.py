#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/pytorch_learning.h5: a hundred Adam steps of PyTorch, in double and in single precision.

    python make_pytorch_learning.py OUTPUT        (needs torch, numpy, h5py)

Networks, letters and loss as in make_pytorch_reference.py, but every step has a batch of its own and there is no noise. Parameters and
inputs are multiples of 1/4096 and 1/32, the same numbers in both precisions. Groups (one per case) and datasets:
  attributes           architecture (JSON), epsilon, l1_output, l2, learning_rate, steps, windows
  movie (F, Y, X)      int8, in units of 1/32; response (N, F) Hz
  first (K, G)         first frame of each segment of each step
  parameters/NAME      before the first step
  loss64 (K)           loss without the penalty, before each step
  after64/NAME         parameters after K steps
  spread_loss, spread_parameters (R)   how far runs in single precision end up from the one in double, each from initial parameters that
                       are off by a rounding error or none (relative, +-2^-24): Euclidean distance of the parameters over the way the training
                       went, biases in front of a norm left out; rms of the differences of the losses over the rms of the losses
"""
import json
import sys

import h5py
import numpy as np
import torch

import make_pytorch_reference as reference

HISTORY, HEIGHT, WIDTH, CELLS = 9, 18, 16, 3
FRAMES, STEPS, SEGMENTS, WINDOWS, RUNS = 240, 100, 4, 8, 24
EPSILON, L1, L2, RATE = 1e-8, 1e-3, 1e-3, 5e-3
HIDDEN = [dict(channels=4, kernel_y=7, kernel_x=7), dict(channels=4, kernel_y=5, kernel_x=5)]
CASES = {"per_channel": dict(norm="per_channel", conv_bias=False), "per_unit": dict(norm="per_unit", conv_bias=True)}


def architecture_of(case):
    return dict(history=HISTORY, height=HEIGHT, width=WIDTH, hidden=HIDDEN, noise=0.0, norm_epsilon=1e-3, norm_momentum=0.99, output_norm=True,
                softplus_beta=1.0, cells=CELLS, scale="plain", readout_bias=False, **case)


def responses(movie, rng):
    """Counts a network can learn: rectified sums of a patch of the frame four bins ago."""
    rates = []
    for n in range(CELLS):
        drive = movie[:, 4 + 2 * n:10 + 2 * n, 5:11].mean((1, 2)) * (-1) ** n
        rates.append(20 * np.maximum(np.roll(drive, 4), 0) / drive.std() + 1)
    return 100.0 * rng.poisson(np.array(rates) / 100)


def learn(architecture, parameters, movie, response, first, dtype):
    torch.set_default_dtype(dtype)
    network = reference.Network(architecture, np.random.default_rng(0)).to(dtype)
    with torch.no_grad():
        for name, parameter in network.named().items():
            parameter.copy_(parameters[name])
    movie, response = torch.from_numpy(movie).to(dtype), torch.from_numpy(response).to(dtype)
    network.train()
    optimiser = torch.optim.Adam(network.named().values(), lr=RATE, eps=1e-8)
    losses = []
    for starts in first:
        starts = [int(s) + b for s in starts for b in range(WINDOWS)]
        windows = torch.stack([movie[s:s + HISTORY] for s in starts])
        target = torch.stack([response[:, s + HISTORY - 1] for s in starts])
        optimiser.zero_grad()
        rate = network(windows)
        data = (rate - target * torch.log(rate + EPSILON)).mean() + L1 * rate.abs().mean()
        (data + L2 * sum((w**2).sum() for w in network.decayed())).backward()
        optimiser.step()
        losses.append(data.item())
    return losses, {name: p.detach().double() for name, p in network.named().items()}


def distances(start, reached, other):
    apart = lambda a, b: sum(float(((a[n] - b[n])**2).sum()) for n in a if not (n.startswith("hidden") and n.endswith("bias")))
    loss = np.sqrt(np.sum(np.subtract(reached[0], other[0])**2) / np.sum(np.square(reached[0])))
    return loss, np.sqrt(apart(reached[1], other[1]) / apart(reached[1], start))


def write_case(group, architecture, rng):
    steps = np.round(32 * rng.normal(0, 1, (FRAMES, HEIGHT, WIDTH))).clip(-127, 127).astype("i1")
    movie = steps / 32.0
    response = responses(movie, rng)
    first = rng.integers(0, FRAMES - HISTORY - WINDOWS, (STEPS, SEGMENTS))
    torch.set_default_dtype(torch.float64)
    start = {name: p.detach().clone() for name, p in reference.Network(architecture, rng).named().items()}
    group.create_dataset("movie", data=steps, compression="gzip")
    group.create_dataset("response", data=response.astype("f4"), compression="gzip")
    group.create_dataset("first", data=first.astype("i8"))
    reference.write_tree(group, "parameters", start)
    loss, after = learn(architecture, start, movie, response, first, torch.float64)
    group.create_dataset("loss64", data=np.array(loss))
    reference.write_tree(group, "after64", after)
    spread = []
    for run in range(RUNS):
        off = {name: p * (1 + 2.0**-24 * (torch.from_numpy(rng.choice([-1, 0, 1], tuple(p.shape))) if run else 0)) for name, p in start.items()}
        spread.append(distances(start, (loss, after), learn(architecture, off, movie, response, first, torch.float32)))
    for name, values in zip(("spread_loss", "spread_parameters"), np.array(spread).T):
        group.create_dataset(name, data=values)
    group.attrs.update(architecture=json.dumps(architecture), epsilon=EPSILON, l1_output=L1, l2=L2, learning_rate=RATE, steps=STEPS, windows=WINDOWS)


def main():
    torch.set_num_threads(1)
    for name in ("HISTORY", "HEIGHT", "WIDTH", "CELLS", "SEGMENTS", "WINDOWS"):
        setattr(reference, name, globals()[name])
    with h5py.File(sys.argv[1], "w", libver="earliest") as file:
        file.attrs["torch"] = str(torch.__version__)
        for number, (name, case) in enumerate(CASES.items()):
            write_case(file.create_group(name), architecture_of(case), np.random.default_rng(1912 + number))


if __name__ == "__main__":
    main()
