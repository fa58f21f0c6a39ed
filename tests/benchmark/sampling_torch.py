# SPDX-License-Identifier: Apache-2.0
"""The question of sampling.py put to another program: a small network on a cropped recording in PyTorch, where a single window costs
as much as one of a segment (docs/benchmarks.md). Scores are Pearson's r with the noiseless rate on the test part. Finished trainings are
not repeated."""
import argparse
import concurrent.futures
import json
import math
import multiprocessing
import os
import pathlib
import subprocess

import h5py
import torch
from torch import nn

from sampling_table import BATCH, add_arguments, print_header, print_row

STUDY = """[study]
name = "sampling"
output = "simulated"
[simulation]
seed = 11
train_minutes = 15
test_seconds = 60
repeats = 10
[simulation.cells.latency]
y = 24.5
x = 24.5
[simulation.cells.anticipation]
y = 24.5
x = 24.5
"""
LOW, HIGH = 17, 33  # rows and columns of the recording that are kept
TIES = ("DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME", "_Netcdf4Dimid")
HISTORY, SIZE, CHANNELS, KERNEL_1, KERNEL_2 = 24, HIGH - LOW, 4, 7, 5
OUT_2 = SIZE - KERNEL_1 - KERNEL_2 + 2
VALIDATION, STATISTICS_WINDOWS, DISCARD, FRAME_SECONDS = 0.05, 4096, 40, 0.01
RATE, WARM, START_DIVISOR, END_DIVISOR, L2, GAIN = 1e-2, 0.3, 25, 1000, 1e-3, 0.5
NORM = {"eps": 1e-3, "momentum": 1.0}  # the last batch's statistics are kept: those of `settle`


def crop(source, target):
    """The recording with only rows and columns LOW to HIGH of its stimulus; dimension scales are not carried along."""
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        new.attrs.update(old.attrs)

        def copy(name, item):
            if isinstance(item, h5py.Dataset):
                new[name] = item[:, LOW:HIGH, LOW:HIGH] if name.endswith("stimulus") else item[()]
            else:
                new.require_group(name)
            new[name].attrs.update({key: value for key, value in item.attrs.items() if key not in TIES})

        old.visititems(copy)


def record(program, folder):
    """The cropped recording, which is simulated unless the folder has it already."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "recording.h5").exists():
        return
    (folder / "study.toml").write_text(STUDY)
    subprocess.run([pathlib.Path(program).resolve(), "simulate", "study.toml"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    crop(folder / "simulated/recording.h5", folder / "partial.h5")
    (folder / "partial.h5").rename(folder / "recording.h5")


class Data:
    """The cropped recording: normalised movies (frame, pixel), and per frame and cell the training spikes and the noiseless test rate in Hz."""

    def __init__(self, path):
        with h5py.File(path) as file:
            train, test = (torch.from_numpy(file[f"{part}/stimulus"][()]).float().flatten(1) for part in ("train", "test"))
            self.target = torch.from_numpy(file["train/response/binned"][()]).float().T.contiguous() / FRAME_SECONDS
            self.noiseless = torch.from_numpy(file["simulated/test/rate"][()]).double().T
        mean, sd = train.double().mean().item(), train.double().std(correction=0).item()
        self.train, self.test = (train - mean) / sd, (test - mean) / sd
        self.first, self.end = HISTORY - 1, len(train) - round(VALIDATION * len(train))


def windows(movie, frames):
    """The windows (batch, history, y, x) that end with these frames."""
    rows = frames[:, None] + torch.arange(1 - HISTORY, 1)
    return movie.index_select(0, rows.flatten()).view(-1, HISTORY, SIZE, SIZE).contiguous(memory_format=torch.channels_last)


def segment_starts(data, length, phase):
    """First frames of all segments of an epoch; one segment is left out so that there is room for every phase."""
    count = (data.end - data.first + 1 - length) // length
    return data.first + phase(data.end - data.first - count * length) + length * torch.arange(count)


def batches(data, length, random):
    """Batches of target frames without end: segments in random order, none twice in a pass, each pass at another phase."""
    while True:
        starts = segment_starts(data, length, lambda slack: torch.randint(slack + 1, (1,), generator=random))
        starts = starts[torch.randperm(len(starts), generator=random)]
        for chosen in starts[: len(starts) // (BATCH // length) * (BATCH // length)].split(BATCH // length):
            yield (chosen[:, None] + torch.arange(length)).flatten()


def spread(data, length):
    """Target frames of the segments, evenly spread over the training part, from which statistics are recomputed."""
    starts, wanted = segment_starts(data, length, lambda slack: 0), STATISTICS_WINDOWS // length
    return (starts[(2 * torch.arange(wanted) + 1) * len(starts) // (2 * wanted)][:, None] + torch.arange(length)).flatten()


def shift_for(mean):
    """The beta at which softplus(GAIN * mean * z + beta) has this mean over a standard normal z."""
    z = torch.arange(-8, 8.001, 1 / 128, dtype=torch.float64)
    weight, low, high = torch.exp(-z * z / 2), -50.0 - 10 * GAIN * mean, mean + 1.0
    for _ in range(100):
        middle = (low + high) / 2
        value = (nn.functional.softplus(GAIN * mean * z + middle) * weight).sum() / weight.sum()
        low, high = (middle, high) if value < mean else (low, middle)
    return low


class Network(nn.Module):
    """Windows -> rates (batch, cell). The output norm's parameters are in units of the cells' mean rates, and start there."""

    def __init__(self, mean_rates):
        super().__init__()
        self.convolutions = nn.ModuleList(
            [nn.Conv2d(HISTORY, CHANNELS, KERNEL_1, bias=False), nn.Conv2d(CHANNELS, CHANNELS, KERNEL_2, bias=False)])
        self.norms = nn.ModuleList([nn.BatchNorm2d(CHANNELS, **NORM), nn.BatchNorm2d(CHANNELS, **NORM)])
        self.readout = nn.Linear(CHANNELS * OUT_2 * OUT_2, len(mean_rates), bias=False)
        self.output_norm = nn.BatchNorm1d(len(mean_rates), affine=False, **NORM)
        self.mean_rates, self.noise = mean_rates, 0.05
        self.gamma = nn.Parameter(torch.full_like(mean_rates, GAIN))
        self.beta = nn.Parameter(torch.tensor([shift_for(mean) / mean for mean in mean_rates.tolist()]))

    def forward(self, x):
        for convolution, norm in zip(self.convolutions, self.norms):
            x = norm(convolution(x))
            x = torch.relu(x + self.noise * torch.randn_like(x) if self.noise else x)
        x = self.output_norm(self.readout(x.flatten(1)))
        return nn.functional.softplus(self.mean_rates * (self.gamma * x + self.beta))

    @torch.no_grad()
    def settle(self, x):
        """Recomputes the norms' statistics on these windows, without noise, and ends training."""
        self.noise = 0
        self.train()(x)
        self.eval()


def scheduled_rate(step, steps):
    position = step / (steps - 1)
    a, b, fraction = ((RATE / START_DIVISOR, RATE, position / WARM) if position < WARM else
                      (RATE, RATE / END_DIVISOR, (position - WARM) / (1 - WARM)))
    return b + (a - b) * 0.5 * (1 + math.cos(math.pi * fraction))


@torch.no_grad()
def scores(network, data):
    """Pearson's r of every cell with the noiseless rate of the test part."""
    frames = torch.arange(DISCARD, len(data.test)).split(1024)
    predicted = torch.cat([network(windows(data.test, part)) for part in frames]).double()
    return [torch.corrcoef(torch.stack(pair))[0, 1].item() for pair in zip(predicted.T, data.noiseless[DISCARD:].T)]


def train(data, length, seed, budget):
    torch.manual_seed(seed)
    network = Network(data.target[data.first:data.end].mean(0)).to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(network.parameters(), lr=RATE)
    loss = nn.PoissonNLLLoss(log_input=False, eps=1e-8)
    steps = math.ceil(budget / BATCH)
    for step, frames in zip(range(steps), batches(data, length, torch.Generator().manual_seed(seed))):
        adam.param_groups[0]["lr"] = scheduled_rate(step, steps)
        adam.zero_grad()
        penalty = L2 * sum(convolution.weight.square().sum() for convolution in network.convolutions)
        (loss(network(windows(data.train, frames)), data.target[frames]) + penalty).backward()
        adam.step()
    network.settle(windows(data.train, spread(data, length)))
    return scores(network, data)


def finished(folder, length, seed, budget):
    """The scores of one training, which is done unless the folder has it already."""
    path = pathlib.Path(folder) / f"length{length}-seed{seed}-{budget}.json"
    if not path.exists():
        torch.set_num_threads(1)
        result = train(Data(pathlib.Path(folder) / "recording.h5"), length, seed, budget)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(result))
        partial.rename(path)
    return json.loads(path.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser, "where recording and scores are kept", [102_400, 409_600])
    arguments = parser.parse_args()
    record(arguments.program, pathlib.Path(arguments.folder))
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        runs = {(budget, length, seed): pool.submit(finished, arguments.folder, length, seed, budget)
                for budget in arguments.windows for seed in arguments.seeds for length in arguments.lengths}
        print_header(["latency", "anticipation"])
        for budget in arguments.windows:
            for length in arguments.lengths:
                print_row(budget, length, [runs[budget, length, seed].result() for seed in arguments.seeds])


if __name__ == "__main__":
    main()
