# SPDX-License-Identifier: Apache-2.0
"""Does it matter that a batch is many short runs of neighbouring windows? Trains the quickstart's network on its recording from batches of
512 windows cut into segments of several lengths, 1 being fully shuffled sampling, from several seeds, and prints score and spread
(docs/benchmarks.md). Scores are Pearson's r with the noiseless rate on the test part. Finished trainings are not repeated."""
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

    def train(self, budget, length, seed):
        """Scores of the cells of one training."""
        output = f"length{length}-seed{seed}-{budget}"
        keys = [f"study.output={output}", "recording.file=simulated/recording.h5", f"training.windows={length}",
                f"training.segments={BATCH // length}", f"training.total_windows={budget}", f"training.epoch_windows={budget}",
                f"training.data_seed={seed}", f"training.model_seed={seed}", "training.ln=false", "evaluation.bootstrap_samples=0"]
        if not (self.folder / output / "evaluation.h5").exists():
            self.run("train", *keys)
            self.run("evaluate", *keys)
        with h5py.File(self.folder / output / "evaluation.h5") as file:
            return [float(value) for value in file["score"][0]]

    def speed(self, budget, length, seed):
        """Its windows per second."""
        curve = self.folder / f"length{length}-seed{seed}-{budget}" / "curves.jsonl"
        return json.loads(curve.read_text().splitlines()[-1])["windows_per_second"]

    def cells(self, budget, length, seed):
        with h5py.File(self.folder / f"length{length}-seed{seed}-{budget}" / "evaluation.h5") as file:
            return list(file["cell"].asstr()[()])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser, "where recording and trainings are kept", [204_800])
    arguments = parser.parse_args()
    comparison = Comparison(arguments.program, arguments.folder)
    results = {}
    for seed in arguments.seeds:  # a seed of every length before the next, so that a run that is stopped has whole seeds
        for budget in arguments.windows:
            for length in arguments.lengths:
                results[budget, length, seed] = comparison.train(budget, length, seed)
                print(f"seed {seed}, {budget} windows, segments of {length}: {statistics.mean(results[budget, length, seed]):.3f}", flush=True)
    print_header(comparison.cells(*next(iter(results))))
    for budget in arguments.windows:
        for length in arguments.lengths:
            print_row(budget, length, [results[budget, length, seed] for seed in arguments.seeds])
            speeds = [comparison.speed(budget, length, seed) for seed in arguments.seeds]
            print(f"         {statistics.median(speeds):.0f} windows/s ({min(speeds):.0f} to {max(speeds):.0f})")


if __name__ == "__main__":
    main()
