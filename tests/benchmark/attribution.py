# SPDX-License-Identifier: Apache-2.0
"""Interleaves attributions by captum, by the lab's loop, by that loop tuned, and by amacrine, at the same accuracy, and prints rows
per second and their ratios (docs/benchmarks.md)."""

import argparse
import copy
import os
import statistics
import subprocess
import tempfile
import time

import numpy
import torch

import attribution_opponents as opponents
from attribution_network import Network, Windows

LEVELS = {"unit": "unit", "channel": "channel", "latency": "channel", "bar": "position", "pixel": "pixel"}
WANTED, ORACLE_PANELS = 0.01, 256
OURS = (*range(1, 25), 28, 32, 40, 48, 64, 80, 96, 128, 256)


class Program:
    """Our program, which answers one request a line."""

    def __init__(self, program, model, recording, folder):
        self.process = subprocess.Popen([program, model, recording], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.folder = folder
        print("ours: " + self.process.stdout.readline().strip(), flush=True)

    def ask(self, request, first_word):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith(first_word + " "):
                return line.split()
        raise SystemExit(f"our program stopped at: {request}")

    def case(self, name):
        path = f"{self.folder}/movie"
        words = self.ask(f"case {name} {path}", "frames")
        at = {key: words.index(key) for key in ("sample", "last_frames")}
        sample = [int(w) for w in words[at["sample"] + 1 : at["last_frames"]]]
        last = [int(w) for w in words[at["last_frames"] + 1 :]]
        movie = numpy.fromfile(path, numpy.float32).reshape(int(words[1]), 50, 50)
        return movie, int(words[3]), int(words[5]), sample, last

    def rows(self, precision, rule, panels):
        path = f"{self.folder}/rows"
        words = self.ask(f"rows {precision} {rule} {panels} 0 {path}", "windows")
        return numpy.fromfile(path, numpy.float32).reshape([int(w) for w in words[1::2]]).astype(float)

    def seconds(self, panels):
        words = self.ask(f"time {panels} 0", "seconds")
        return float(words[1]), int(words[3])


def row_errors(rows, oracle):
    """Sum |A - A*| / max(Sum |A*|, 0.1 Hz) of every row."""
    return abs(rows - oracle).sum(-1) / numpy.maximum(abs(oracle).sum(-1), 0.1)


def worst(rows, oracle):
    """99th percentile of the rows' errors; what is no number is as bad as can be."""
    return numpy.percentile(numpy.nan_to_num(row_errors(rows, oracle), nan=numpy.inf), 99)


def steps_needed(error):
    """Least steps found with error(steps) <= WANTED: doubling, then one interpolation for a rule of first order."""
    steps, found = 16, {}
    while not (found.setdefault(steps, error(steps)) <= WANTED):
        steps *= 2
        if steps > 16384:
            raise SystemExit("no number of steps reaches the accuracy asked for")
    between = int(numpy.ceil(steps / 2 * found.get(steps // 2, 0) / WANTED * 1.05))
    if steps // 2 < between < steps and error(between) <= WANTED:
        return between
    return steps


def check_oracle(network, windows, sample, oracle, level):
    """The oracle against PyTorch in double precision by another rule: midpoints, Richardson's way to no step at all."""
    double = opponents.Tuned(copy.deepcopy(network), level)
    found = []
    for k in sample[:2]:
        rows = double.rows(windows.window(k), windows.grey(), [0, 1, 2], 2048)
        found.append([opponents.at_level(row, level).flatten().numpy() for row in rows])
    error = row_errors(numpy.array(found), oracle[:2, :3])
    print(f"oracle: {ORACLE_PANELS} panels of secants in double; largest difference from PyTorch's 2,048 midpoints in double: "
          f"{error.max():.1e}", flush=True)
    if not error.max() <= WANTED / 10:
        raise SystemExit("the oracle is not what PyTorch computes")


def spread(count, length):
    """`count` of range(length), evenly."""
    return [(2 * i + 1) * length // (2 * count) for i in range(count)]


def time_opponent(opponent, windows, sample, steps, cells):
    """Rows per second, and the rows."""
    shown, grey = [windows.window(k) for k in sample], windows.grey()
    start = time.perf_counter()
    rows = [opponent.rows(window, grey, cells, steps) for window in shown]
    return len(cells) * len(sample) / (time.perf_counter() - start), rows


class CaseRun:
    def __init__(self, name, program, model, seconds):
        self.name, self.program, self.level, self.budget = name, program, LEVELS[name], seconds
        movie, self.windows, intensities, self.sample, last = program.case(name)
        self.oracle = program.rows("double", "secant", ORACLE_PANELS)
        exact = Network(model)
        check_oracle(exact, Windows(exact, movie, last, intensities, torch.float64), self.sample, self.oracle, self.level)
        network = Network(model).float()
        self.shown = Windows(network, movie, last, intensities, torch.float32)
        kinds = (opponents.Captum, opponents.Loop, opponents.Tuned)
        self.opponents = [kind(copy.deepcopy(network), self.level) for kind in kinds]
        self.all_cells = list(range(network.cells))
        self.find_steps()

    def find_steps(self):
        self.steps = {}
        for rule in ("right", "midpoint"):
            self.steps[rule] = steps_needed(lambda steps: worst(self.program.rows("float", rule, steps), self.oracle))
        self.steps["gauss-legendre"] = steps_needed(self.gauss_legendre_error)
        self.best = min(("midpoint", "gauss-legendre"), key=self.steps.get)
        for opponent in self.opponents:
            if opponent.rule != "right":
                opponent.rule = self.best
        for panels in OURS:
            error = worst(self.program.rows("float", "secant", panels), self.oracle)
            if error <= WANTED:
                break
        self.panels = panels
        print(f"case {self.name}: {self.windows} windows x {len(self.all_cells)} cells, {self.level} level; steps for 1 %: captum and "
              f"tuned {self.steps[self.best]} {self.best} (of {self.steps['midpoint']} midpoints, {self.steps['gauss-legendre']} "
              f"Gauss-Legendre nodes), loop {self.steps['right']} right ends, ours {panels} panels "
              f"(99th percentile {100 * error:.2f} % of {self.oracle.shape[0] * self.oracle.shape[1]} rows)", flush=True)

    def gauss_legendre_error(self, steps):
        """Our program has no such rule. Past the first layer all go the same path, so that the tuned loop can stand in for captum."""
        tuned = self.opponents[-1]
        tuned.rule = "gauss-legendre"
        _, rows = time_opponent(tuned, self.shown, self.sample, steps, self.all_cells)
        return worst(self.flat(rows), self.oracle)

    def flat(self, rows):
        """(windows, cells, entries) at the case's level."""
        return numpy.array([[opponents.at_level(row, self.level).flatten().numpy() for row in window] for window in rows])

    def size_samples(self):
        """One row of each opponent, to warm it up; then how many windows and cells a round's sample has."""
        self.samples = {}
        for opponent in self.opponents:
            cells = self.all_cells if opponent.name == "tuned" else [0]
            steps = self.steps[opponent.rule]
            time_opponent(opponent, self.shown, self.sample[:1], min(steps, 64), cells[:1])
            rate, _ = time_opponent(opponent, self.shown, self.sample[:1], steps, cells)
            rows = min(rate * self.budget, len(self.sample) * len(self.all_cells))
            if opponent.name != "tuned":  # whose cells share a forward pass
                cells = spread(max(1, min(int(rows), len(self.all_cells))), len(self.all_cells))
            self.samples[opponent.name] = (cells, spread(max(1, int(rows / len(cells))), len(self.sample)))
        self.program.seconds(self.panels)

    def check(self, opponent, rows, cells, at):
        error = row_errors(self.flat(rows), self.oracle[at][:, cells])
        if not error.max() <= 5 * WANTED:
            raise SystemExit(f"{opponent.name} is {error.max():.2g} off the oracle")
        return error.max()

    def round(self, rates):
        for opponent in self.opponents:
            cells, at = self.samples[opponent.name]
            sample = [self.sample[i] for i in at]
            rate, rows = time_opponent(opponent, self.shown, sample, self.steps[opponent.rule], cells)
            if not rates[opponent.name]:
                error = self.check(opponent, rows, cells, at)
                print(f"  {opponent.name}: {len(at) * len(cells)} rows a round, largest error {100 * error:.2f} %", flush=True)
            rates[opponent.name].append(rate)
        seconds, rows = self.program.seconds(self.panels)
        rates["ours"].append(rows / seconds)

    def run(self, rounds):
        self.size_samples()
        rates = {name: [] for name in ("captum", "loop", "tuned", "ours")}
        for _ in range(rounds):
            self.round(rates)
        return rates


def report(results):
    print(f"\n{'rows per second':<16}" + "".join(f"{name:>28}" for name in ("captum", "loop", "tuned", "ours")))
    for case, rates in results.items():
        spans = (f"{statistics.median(v):.4g} ({min(v):.4g} to {max(v):.4g})" for v in rates.values())
        print(f"{case:<16}" + "".join(f"{span:>28}" for span in spans))
    print()
    for case, rates in results.items():
        for opponent in ("captum", "loop", "tuned"):
            ratios = [a / b for a, b in zip(rates["ours"], rates[opponent])]
            print(f"ratio {case} {opponent} {statistics.median(ratios):.4g} {min(ratios):.4g} {max(ratios):.4g}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--recording", required=True)
    parser.add_argument("--cases", default=",".join(LEVELS), help="of " + ", ".join(LEVELS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="about how long an opponent's sample takes in a round")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    print(f"PyTorch {torch.__version__}, captum {opponents.captum_version()}, {torch.get_num_threads()} threads, oneDNN "
          f"{torch.backends.mkldnn.is_available()}; float32; error asked for: 99 % of rows within {100 * WANTED:g} %", flush=True)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        program = Program(options.program, options.model, options.recording, folder)
        for name in options.cases.split(","):
            results[name] = CaseRun(name, program, options.model, options.seconds).run(options.rounds)
            print("  rows per second: " + ", ".join(f"{who} {statistics.median(v):.4g}" for who, v in results[name].items()), flush=True)
    report(results)


if __name__ == "__main__":
    main()
