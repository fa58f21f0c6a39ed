# SPDX-License-Identifier: Apache-2.0
"""Interleaves training steps of PyTorch and amacrine and prints windows per second and their ratios (docs/benchmarks.md)."""

import argparse
import os
import statistics
import subprocess

import torch

import opponents


def best_of(kind, makers):
    """Warms every variant up, lets them take three steps in turn, and keeps the one with the fastest step."""
    trainers = []
    for make in makers:
        trainer = make()
        try:
            trainer.step()
            trainers.append(trainer)
        except Exception as error:  # torch.compile needs a compiler, and fails in many ways
            print(f"tried {kind}, {trainer.name}: does not run here ({str(error).splitlines()[0]})", flush=True)
    turns = [[trainer.windows_per_second(1) for trainer in trainers] for _ in range(3)]
    fastest = [max(rates) for rates in zip(*turns)]
    for trainer, rate in zip(trainers, fastest):
        print(f"tried {kind}, {trainer.name}: {rate:.1f} windows/s", flush=True)
    best = trainers[fastest.index(max(fastest))]
    print(f"{kind}: {best.name} is taken", flush=True)
    return best


def ours(program, *arguments):
    """What the program prints, and its windows per second."""
    text = subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout
    rate = [line.split()[1] for line in text.splitlines() if line.startswith("windows_per_second ")]
    return text, float(rate[0])


def run_rounds(program, steps, shape, stock, fft, rounds):
    arguments = [*steps, *shape]
    rates = {"stock": [], "fft": [], "ours": [], "ours per channel": [], "ours from [training]'s segments": []}
    for r in range(rounds):
        rates["stock"].append(stock.windows_per_second(1))
        rates["fft"].append(fft.windows_per_second(3))
        rates["ours"].append(ours(program, *arguments)[1])
        rates["ours per channel"].append(ours(program, *arguments, "--norm", "per_channel")[1])
        rates["ours from [training]'s segments"].append(ours(program, *steps)[1])
        print(f"round {r + 1}: " + ", ".join(f"{name} {values[-1]:.1f}" for name, values in rates.items()) + " windows/s", flush=True)
    return rates


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", default="20", help="our steps in a round")
    parser.add_argument("--segments", type=int, default=64, help="segments of a batch, on both sides")
    parser.add_argument("--windows", type=int, default=8, help="windows of a segment, on both sides")
    parser.add_argument("--spacing", type=int, default=1, help="frames from one window of a segment to the next, on both sides")
    parser.add_argument("--device", default="cpu", help="PyTorch's device")
    options = parser.parse_args()
    batch = opponents.Batch(options.segments, options.windows, options.spacing)
    steps = ["--steps", options.steps]
    shape = ["--segments", str(batch.segments), "--windows", str(batch.windows), "--spacing", str(batch.spacing)]
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, oneDNN {torch.backends.mkldnn.is_available()}, "
          f"device {options.device}")
    print(f"BN-CNN 40 x 50 x 50, {opponents.CELLS} cells, batch {batch.size} = {batch.segments} segments of {batch.windows}, "
          f"{batch.spacing} frames apart, float32, noise on, norm per unit", flush=True)
    opponents.check_same_network(batch)
    stock = best_of("stock", opponents.stock_trainers(batch, options.device))
    fft = best_of("fft", opponents.fft_trainers(batch, options.device))
    rates = run_rounds(options.program, steps, shape, stock, fft, options.rounds)
    for name, values in rates.items():
        print(f"{name}: {statistics.median(values):.1f} windows/s ({min(values):.1f} to {max(values):.1f})")
    for opponent in ("stock", "fft"):
        ratios = [a / b for a, b in zip(rates["ours"], rates[opponent])]
        print(f"ratio {opponent} {statistics.median(ratios):.1f} {min(ratios):.1f} {max(ratios):.1f}", flush=True)
    for norm in ("per_unit", "per_channel"):
        print(f"\nour kernels, norm {norm}")
        print(ours(options.program, *steps, *shape, "--norm", norm, "--profile")[0], end="", flush=True)


if __name__ == "__main__":
    main()
