# SPDX-License-Identifier: Apache-2.0
"""Does it matter that a batch is a few runs of neighbouring windows? Trains the same network on batches of 512 windows cut into
segments of several lengths, 1 being fully shuffled sampling, from several seeds, and prints score and spread (docs/benchmarks.md).

The recording is simulated and then cropped to the middle 16 x 16 pixels, so that one-window segments, which share no frames, stay
affordable. Scores are Pearson's r with the noiseless rate on the test part. Finished trainings are not repeated."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import statistics
import subprocess

import h5py

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
[model]
channels = [4, 4]
kernels = [7, 5]
history = 24
height = 16
width = 16
[training]
ln = false
[evaluation]
bootstrap_samples = 0
"""
BATCH, LOW, HIGH = 512, 17, 33
TIES = ("DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME", "_Netcdf4Dimid")


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


class Comparison:
    def __init__(self, arguments):
        self.program, self.windows = pathlib.Path(arguments.program).resolve(), arguments.windows
        self.folder = pathlib.Path(arguments.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "study.toml").write_text(STUDY)

    def run(self, *words):
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run([self.program, *words], cwd=self.folder, env=environment, check=True, capture_output=True, text=True)

    def record(self):
        if not (self.folder / "recording.h5").exists():
            self.run("simulate", "study.toml")
            crop(self.folder / "simulated/recording.h5", self.folder / "partial.h5")
            (self.folder / "partial.h5").rename(self.folder / "recording.h5")

    def train(self, length, seed):
        """Scores of the cells of one training, and its windows per second on one thread."""
        output = f"length{length}-seed{seed}-{self.windows}"
        keys = [f"study.output={output}", "recording.file=recording.h5", f"training.windows={length}",
                f"training.segments={BATCH // length}", f"training.total_windows={self.windows}",
                f"training.epoch_windows={self.windows}", f"training.data_seed={seed}", f"training.model_seed={seed}"]
        if not (self.folder / output / "evaluation.h5").exists():
            self.run("train", "study.toml", *keys)
            self.run("evaluate", "study.toml", *keys)
        with h5py.File(self.folder / output / "evaluation.h5") as file:
            scores = [float(value) for value in file["score"][0]]
        last = json.loads((self.folder / output / "curves.jsonl").read_text().splitlines()[-1])
        return scores, last["windows_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="the amacrine executable")
    parser.add_argument("--folder", required=True, help="where recording and trainings are kept")
    parser.add_argument("--windows", type=int, default=102_400, help="budget of each training")
    parser.add_argument("--lengths", type=int, nargs="+", default=[1, 8, 32, 128])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    arguments = parser.parse_args()
    comparison = Comparison(arguments)
    comparison.record()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {(length, seed): pool.submit(comparison.train, length, seed)
                for seed in arguments.seeds for length in arguments.lengths}
    print("length  segments  latency  anticipation  mean   sd over seeds  seeds' means                        windows/s")
    for length in arguments.lengths:
        results = [runs[length, seed].result() for seed in arguments.seeds]
        cells = [statistics.mean(values) for values in zip(*(scores for scores, _ in results))]
        means = [statistics.mean(scores) for scores, _ in results]
        spread = statistics.stdev(means) if len(means) > 1 else float("nan")
        print(f"{length:6d}  {BATCH // length:8d}  {cells[0]:7.3f}  {cells[1]:12.3f}  {statistics.mean(means):.3f}  {spread:13.3f}  "
              f"{' '.join(f'{mean:.3f}' for mean in means):35s}  {statistics.median(speed for _, speed in results):8.0f}")


if __name__ == "__main__":
    main()
