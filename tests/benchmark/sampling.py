# SPDX-License-Identifier: Apache-2.0
"""Does it matter that a batch is many short runs of windows? Trains the quickstart's network on its recording from batches of 512 windows
cut into segments of several lengths, 1 being fully shuffled sampling, whose windows are several numbers of frames apart, from several seeds,
and prints score and spread (docs/benchmarks.md). Scores are Pearson's r with the noiseless rate on the test part. Finished trainings are not
repeated."""
import argparse
import json
import pathlib
import statistics
import subprocess

import h5py

from sampling_table import BATCH, add_arguments, print_header, print_row

STUDY = pathlib.Path(__file__).resolve().parents[2] / "jobs/quickstart.toml"


class Comparison:
    def __init__(self, program, folder):
        self.program, self.folder = pathlib.Path(program).resolve(), pathlib.Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.run("simulate", "study.output=simulated")

    def run(self, verb, *keys):
        subprocess.run([self.program, verb, STUDY, *keys], cwd=self.folder, check=True, stdout=subprocess.DEVNULL)

    def folder_of(self, budget, length, spacing, seed):
        return self.folder / f"length{length}-spacing{spacing}-seed{seed}-{budget}"

    def train(self, budget, length, spacing, seed):
        """Scores of the cells of one training."""
        output = self.folder_of(budget, length, spacing, seed)
        keys = [f"study.output={output.name}", "recording.file=simulated/recording.h5", f"training.windows={length}",
                f"training.spacing={spacing}", f"training.segments={BATCH // length}", f"training.total_windows={budget}", f"training.epoch_windows={budget}",
                f"training.data_seed={seed}", f"training.model_seed={seed}", "training.ln=false", "evaluation.bootstrap_samples=0"]
        if not (output / "evaluation.h5").exists():
            self.run("train", *keys)
            self.run("evaluate", *keys)
        with h5py.File(output / "evaluation.h5") as file:
            return [float(value) for value in file["score"][0]]

    def speed(self, *training):
        """Its windows per second."""
        return json.loads((self.folder_of(*training) / "curves.jsonl").read_text().splitlines()[-1])["windows_per_second"]

    def cells(self, *training):
        with h5py.File(self.folder_of(*training) / "evaluation.h5") as file:
            return list(file["cell"].asstr()[()])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser, "where recording and trainings are kept", [204_800])
    parser.add_argument("--spacings", type=int, nargs="+", default=[1, 4], help="frames from one window of a segment to the next")
    arguments = parser.parse_args()
    comparison = Comparison(arguments.program, arguments.folder)
    shapes = [(length, spacing) for length in arguments.lengths for spacing in (arguments.spacings if length > 1 else [1])]
    results = {}
    for seed in arguments.seeds:  # a seed of every shape before the next, so that a run that is stopped has whole seeds
        for budget in arguments.windows:
            for shape in shapes:
                results[budget, *shape, seed] = scores = comparison.train(budget, *shape, seed)
                print(f"seed {seed}, {budget} windows, segments of {shape[0]}, {shape[1]} frames apart: {statistics.mean(scores):.3f}", flush=True)
    print_header(comparison.cells(*next(iter(results))))
    for budget in arguments.windows:
        for length, spacing in shapes:
            print_row(budget, length, [results[budget, length, spacing, seed] for seed in arguments.seeds])
            speeds = [comparison.speed(budget, length, spacing, seed) for seed in arguments.seeds]
            print(f"         {spacing} frames apart, {statistics.median(speeds):.0f} windows/s ({min(speeds):.0f} to {max(speeds):.0f})")


if __name__ == "__main__":
    main()
