# SPDX-License-Identifier: Apache-2.0
"""Prints the error of each rule against its panels at unit level, `curve RULE PANELS MEDIAN P99` (docs/attribution.md)."""

import argparse
import copy
import os
import tempfile

import numpy
import torch

import attribution_opponents as opponents
from attribution import ORACLE_PANELS, Program, check_oracle, row_errors, spread
from attribution_network import Network, Windows

PANELS = (4, 8, 16, 32, 64, 128)


def report(rule, panels, errors):
    print(f"curve {rule} {panels} {numpy.median(errors):.3e} {numpy.percentile(errors, 99):.3e}", flush=True)


def gauss_legendre(network, windows, sample, oracle, at):
    """captum's Gauss-Legendre rule; past the first layer the path is the same, so that the tuned loop can stand in for it."""
    tuned = opponents.Tuned(copy.deepcopy(network), "unit")
    tuned.rule = "gauss-legendre"
    cells = list(range(network.cells))
    for panels in PANELS:
        rows = [tuned.rows(windows.window(sample[i]), windows.grey(), cells, panels) for i in at]
        found = numpy.array([[row.flatten().numpy() for row in window] for window in rows])
        report("gauss-legendre", panels, row_errors(found, oracle[at]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("program", "model", "recording"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    with tempfile.TemporaryDirectory() as folder:
        program = Program(options.program, options.model, options.recording, folder)
        movie, _, intensities, sample, last = program.case("unit")
        oracle = program.rows("double", "secant", ORACLE_PANELS)
        exact = Network(options.model)
        check_oracle(exact, Windows(exact, movie, last, intensities, torch.float64), sample, oracle, "unit")
        for rule in ("right", "midpoint", "trapezoid", "secant"):
            for panels in PANELS:
                report(rule, panels, row_errors(program.rows("float", rule, panels), oracle))
        network = Network(options.model).float()
        windows = Windows(network, movie, last, intensities, torch.float32)
        gauss_legendre(network, windows, sample, oracle, spread(8, len(sample)))


if __name__ == "__main__":
    main()
