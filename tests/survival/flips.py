#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Damages the files of a study one byte, page or cut at a time, and counts what is noticed. See flips.sh.

Every trial is a process of its own, so that a crash counts as not noticed.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import h5py
import numpy as np

RECORD = 64  # bytes of the record at a file's end, see docs/results/common.md
SUPERBLOCK = 48
KINDS = ["recording.h5", "model.h5", "ln.h5", "evaluation.h5", "responses_network.h5", "responses_circuit.h5", "attributions_network.h5",
         "attributions_circuit.h5", "reduction_network.h5", "reduction_circuit.h5", "lesions_network.h5", "pathways.h5"]
CHECKPOINTS = ["train.checkpoint", "train.checkpoint.previous"]


class Damage:
    """A way to spoil a file: the bytes from `at` on are replaced by `bytes`, or (None) the file ends there."""

    def __init__(self, name, at, replacement):
        self.name, self.at, self.replacement = name, at, replacement

    def __str__(self):
        return f"{self.name} at byte {self.at}"

    def apply(self, whole):
        if self.replacement is None:
            return whole[:self.at]
        return whole[:self.at] + self.replacement + whole[self.at + len(self.replacement):]


def flip(dice, whole, name, at):
    return Damage(f"a bit of the {name}", at, bytes([whole[at] ^ (1 << dice.randrange(8))]))


def value_ranges(path):
    """Bytes in which the values of each dataset lie, by name."""
    ranges = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and item.id.get_offset() is not None and item.id.get_storage_size() > 0:
            ranges[name] = (item.id.get_offset(), item.id.get_offset() + item.id.get_storage_size())

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return ranges


def outside(values, whole):
    """Bytes of HDF5's part of a file in which no values lie."""
    free = np.ones(int.from_bytes(whole[-RECORD:-RECORD + 8], "little"), bool)
    free[:SUPERBLOCK] = False
    for begin, end in values:
        free[begin:end] = False
    return np.flatnonzero(free).tolist()


def damages_of_result(dice, path, whole, trials):
    """Flips in every region, and larger damage, of a result file."""
    end = int.from_bytes(whole[-RECORD:-RECORD + 8], "little")
    values = list(value_ranges(path).values())
    structures = outside(values, whole)
    regions = [lambda: flip(dice, whole, "superblock", dice.randrange(SUPERBLOCK)),
               lambda: flip(dice, whole, "structures", dice.choice(structures)),
               lambda: flip(dice, whole, "values", dice.randrange(*dice.choice(values))),
               lambda: flip(dice, whole, "checksums", dice.randrange(end, len(whole) - RECORD)),
               lambda: flip(dice, whole, "record", dice.randrange(len(whole) - RECORD, len(whole))),
               lambda: flip(dice, whole, "structures", dice.choice(structures)),
               lambda: Damage("cut", dice.randrange(len(whole)), None),
               lambda: Damage("cut", dice.randrange(end, len(whole)), None),
               lambda: zeros(dice, whole),
               lambda: noise(dice, whole, dice.choice(structures))]
    # The same place of every file is no sample: each file begins elsewhere in the list.
    start = dice.randrange(len(regions))
    return [regions[(start + i) % len(regions)]() for i in range(trials)]


def zeros(dice, whole):
    """A page of zeros where there was something else."""
    while True:
        at = dice.randrange(len(whole)) // 4096 * 4096
        length = min(4096, len(whole) - at)
        if whole[at:at + length] != bytes(length):
            return Damage("a page of zeros", at, bytes(length))


def noise(dice, whole, at):
    length = min(64, len(whole) - at)
    return Damage(f"{length} random bytes", at, dice.randbytes(length))


def damages_of_checkpoint(dice, whole, trials):
    header = whole.index(b"\n") + 1
    regions = [lambda: flip(dice, whole, "header", dice.randrange(header)),
               lambda: flip(dice, whole, "body", dice.randrange(header, len(whole))),
               lambda: Damage("cut", dice.randrange(len(whole)), None)]
    return [regions[i % len(regions)]() for i in range(trials)]


class Judge:
    def __init__(self, amacrine, study):
        self.amacrine, self.study, self.caught, self.tried = amacrine, study, 0, 0
        self.lock = threading.Lock()

    def count(self, noticed, what, process):
        with self.lock:
            self.tried += 1
            self.caught += noticed
        if not noticed:
            print(f"NOT NOTICED: {what}: exit {process.returncode}: {process.stderr[-300:].strip()}", flush=True)

    def run(self, *command):
        return subprocess.run([self.amacrine, *command], capture_output=True, text=True, errors="replace", timeout=120)

    def inspect(self, path, what):
        process = self.run("inspect", path, "--json")
        noticed = process.returncode == 3
        if noticed:
            facts = json.loads(process.stdout)
            noticed = facts["whole"] is False and bool(facts["fault"])
        self.count(noticed, f"inspect: {what}", process)

    def verb(self, verb, folder, what, code, *texts, options=("--overwrite",), besides=lambda: True):
        process = self.run(verb, self.study, f"study.output={folder}", *options)
        said = process.stdout + process.stderr
        self.count(process.returncode == code and all(text in said for text in texts) and besides(), f"{verb}: {what}", process)


def inspecting(judge, dice, folder, trials):
    """inspect on every kind of file: exit code 3, not whole, with a reason."""
    for name in KINDS + CHECKPOINTS:
        path = Path(folder, name)
        whole = path.read_bytes()
        yield partial(inspect_whole, judge, path)
        damages = damages_of_checkpoint(dice, whole, trials) if name in CHECKPOINTS else damages_of_result(dice, path, whole, trials)
        for damage in damages:
            yield partial(inspect_one, judge, damage, whole, name)


def inspect_whole(judge, path):
    assert judge.run("inspect", str(path), "--json").returncode == 0, f"{path} is called damaged before anything was done to it"


def inspect_one(judge, damage, whole, name):
    with tempfile.NamedTemporaryFile(dir=".", suffix=Path(name).suffix) as damaged:
        Path(damaged.name).write_bytes(damage.apply(whole))
        judge.inspect(damaged.name, f"{damage} in {name}")


class Study:
    """A study's folder with some of its files replaced or (None) removed, for one run of a verb."""

    def __init__(self, folder, changed):
        self.folder, self.changed = folder, changed

    def __enter__(self):
        self.copy = tempfile.mkdtemp(dir=".")
        shutil.copytree(self.folder, self.copy, copy_function=os.link, dirs_exist_ok=True)  # verbs replace files, they change none
        for name, contents in self.changed.items():
            Path(self.copy, name).unlink()
            if contents is not None:
                Path(self.copy, name).write_bytes(contents)
        return self.copy

    def __exit__(self, *fault):
        shutil.rmtree(self.copy)


# A verb, the file it reads, and a dataset of which it reads every value (None: the largest).
READERS = [("train", "recording.h5", "train/stimulus"), ("evaluate", "recording.h5", "test/stimulus"), ("evaluate", "model.h5", None),
           ("evaluate", "ln.h5", None), ("probe", "model.h5", None), ("attribute", "model.h5", None),
           ("reduce", "attributions_network.h5", "attribution"), ("lesion", "model.h5", None),
           ("fit", "recording.h5", "train/stimulus")]


def reading(judge, dice, folder, trials):
    """Verbs on inputs with damage in what they read: exit code 3, the file named."""
    for verb, name, dataset in READERS:
        whole, ranges = Path(folder, name).read_bytes(), value_ranges(Path(folder, name))
        read = ranges[dataset] if dataset else max(ranges.values(), key=lambda r: r[1] - r[0])
        structures = outside(ranges.values(), whole)
        kinds = [lambda: flip(dice, whole, "values", dice.randrange(*read)), lambda: noise(dice, whole, dice.choice(structures)),
                 lambda: flip(dice, whole, "structures", dice.choice(structures)), lambda: Damage("cut", dice.randrange(len(whole)), None),
                 lambda: flip(dice, whole, "superblock", dice.randrange(SUPERBLOCK)), lambda: Damage("cut", len(whole) - RECORD, None)]
        for trial in range(trials):
            damage = kinds[trial % len(kinds)]()
            yield partial(read_one, judge, verb, Study(folder, {name: damage.apply(whole)}), name, damage)


def read_one(judge, verb, study, name, damage):
    with study as folder:
        judge.verb(verb, folder, f"{damage} in {name}", 3, name)


def using_again(judge, dice, folder, trials):
    """Outputs with a flipped value are not used again."""
    for verb, name in [("evaluate", "evaluation.h5"), ("reduce", "reduction_network.h5"), ("train", "model.h5"), ("simulate", "recording.h5")][:trials]:
        whole = Path(folder, name).read_bytes()
        bad = flip(dice, whole, "values", dice.randrange(*max(value_ranges(Path(folder, name)).values()))).apply(whole)
        yield partial(use_again, judge, verb, Study(folder, {name: bad}), name)


def use_again(judge, verb, study, name):
    with study as folder:
        judge.verb(verb, folder, f"a flipped value in {name}, which is in the way", 4, name, "is damaged", options=())


def numbers(path):
    """The bytes of every dataset of numbers."""
    with h5py.File(path, "r") as file:
        return {name: file[name][()].tobytes() for name in value_ranges(path) if file[name].dtype.kind != "O"}


def resuming(judge, dice, folder, trials):
    """Damage in one checkpoint leads to the same model, damage in both to exit code 3."""
    names = ["train.checkpoint", "train.checkpoint.previous"]
    expected = numbers(Path(folder, "model.h5"))
    for trial in range(trials):
        changed = {"model.h5": None}
        for name in names[:2 if trial % 2 == 0 else 1]:
            whole = Path(folder, name).read_bytes()
            changed[name] = damages_of_checkpoint(dice, whole, 1 + trial % 3)[-1].apply(whole)
        yield partial(resume_one, judge, Study(folder, changed), names[:len(changed) - 1], expected)


def resume_one(judge, study, damaged, expected):
    with study as folder:
        if len(damaged) == 2:
            judge.verb("train", folder, "both checkpoints damaged", 3, *damaged, "--overwrite", options=("training.ln=false",))
            return
        same = lambda: Path(folder, "model.h5").exists() and numbers(Path(folder, "model.h5")) == expected
        judge.verb("train", folder, "one checkpoint damaged", 0, "goes on from", options=("training.ln=false",), besides=same)


def main():
    amacrine, study, folder, form, seed = sys.argv[1:6]
    assert form in ("short", "full"), f"{form}: expected short or full"
    dice, judge, full = random.Random(int(seed)), Judge(amacrine, study), form == "full"
    parts = (inspecting(judge, dice, folder, 60 if full else 7), reading(judge, dice, folder, 12 if full else 2),
             using_again(judge, dice, folder, 4 if full else 2), resuming(judge, dice, folder, 12 if full else 2))
    for part in parts:
        with ThreadPoolExecutor(6) as pool:  # a process spends most of its time waiting
            list(pool.map(lambda trial: trial(), list(part)))
    print(f"flips {judge.caught} {judge.tried}")
    return 0 if judge.caught == judge.tried else 1


if __name__ == "__main__":
    sys.exit(main())
