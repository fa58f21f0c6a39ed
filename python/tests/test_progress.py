# SPDX-License-Identifier: Apache-2.0
"""Progress of runs as events, and their loggers, against the learning curves that the program wrote."""
import csv
import importlib.util
import json
import math
import os
import shutil
import sys
import unittest
from unittest import mock

from small import FOLDER, STUDY_FILE, make, skip

import amacrine
from amacrine.progress import Watch

setUpModule = make


def train(folder, on_progress, *more):
    return amacrine.run("train", STUDY_FILE, [f"study.output={folder}", f"recording.file={FOLDER}/recording.h5", "training.ln=false", "model.channels=[2, 2]",
                                              *more], on_line=lambda line: None, on_progress=on_progress)


def curve(folder, name="curves.jsonl"):
    with open(f"{folder}/{name}", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def epochs(events, model=""):
    """Epochs of a model as the curve's file has them."""
    return [{name: value for name, value in event.items() if name not in ("event", "verb", "model")}
            for event in events if event["event"] == "epoch" and event["model"] == model]


class Events(unittest.TestCase):
    def folder(self, name):
        shutil.rmtree(name, ignore_errors=True)
        return name

    def test_epochs_and_loggers(self):
        """All loggers at once: what they hold are the epochs of curves.jsonl."""
        events, folder = [], self.folder("logged")
        boards = importlib.util.find_spec("tensorboard") is not None
        for name in ("log.jsonl", "log.csv"):
            if os.path.exists(name):
                os.remove(name)
        shutil.rmtree("boards", ignore_errors=True)
        with amacrine.JsonlLogger("log.jsonl") as lines, amacrine.CsvLogger("log.csv") as table:
            board = amacrine.TensorBoardLogger("boards") if boards else None
            train(folder, [events.append, lines, table, *([board] if board else [])])
            if board:
                board.close()
        want = curve(folder)
        self.assertEqual(len(want), 2)
        self.assertEqual(epochs(events), want)
        self.assertEqual(events[-1]["event"] == "progress" and (events[-1]["done"], events[-1]["unit"]), (1024, "windows"))
        with open("log.jsonl", encoding="utf-8") as file:
            self.assertEqual([json.loads(line) for line in file], events)
        with open("log.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([(row["epoch"], float(row["train_loss"]), float(row["r/osr"])) for row in rows],
                         [(str(row["epoch"]), row["train_loss"], row["r"]["osr"]) for row in want])
        if board is None:
            skip(self, "tensorboard is not installed")
        self.check_board(want)

    def check_board(self, want):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        found = EventAccumulator("boards").Reload()
        for name, values in (("train_loss", [row["train_loss"] for row in want]), ("r/osr", [row["r"]["osr"] for row in want])):
            scalars = found.Scalars(name)
            self.assertEqual([scalar.step for scalar in scalars], [1, 2])
            for scalar, value in zip(scalars, values):
                self.assertTrue(math.isclose(scalar.value, value, rel_tol=1e-6))

    def test_each_event_once_over_runs_that_stop(self):
        """Stopped and gone on with: no epoch twice, none left out; events come while the program runs."""
        events, folder = [], self.folder("stopped_twice")

        class Enough(Exception):
            pass

        def until_an_epoch(event):
            events.append(event)
            if event["event"] == "epoch":
                raise Enough

        more = ("training.total_windows=2048",)
        with self.assertRaises(Enough):
            train(folder, until_an_epoch, *more)
        with open(f"{folder}/train.status.json", encoding="utf-8") as file:
            self.assertEqual(json.load(file)["state"], "stopped")
        before = len(epochs(events))
        self.assertEqual(before, 1)
        kept = curve(folder)
        train(folder, events.append, *more)
        self.assertEqual(epochs(events)[before:], curve(folder)[len(kept):])
        self.assertEqual(len(curve(folder)), 4)

    def test_names_of_models(self):
        folder = self.folder("named")
        watch = Watch("sweep", folder)
        for name in ("curves.jsonl", "curves_seed2.jsonl", "trials/0007/curves.jsonl", "sessions/monday/curves_rate0.003.jsonl"):
            os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
            shutil.copy(f"{FOLDER}/curves.jsonl", f"{folder}/{name}")
        events = list(watch.events())
        self.assertEqual(sorted({event["model"] for event in events}), ["", "seed2", "sessions/monday/rate0.003", "trials/0007"])
        self.assertEqual(len(events), 8)
        self.assertEqual(list(watch.events()), [])
        shutil.copy(f"{FOLDER}/train.status.json", f"{folder}/sweep.status.json")
        self.assertEqual(list(watch.events()), [{"event": "progress", "verb": "sweep", "what": "train", "done": 1024.0, "of": 1024.0, "unit": "windows"}])

    def test_scalars(self):
        event = {"event": "epoch", "verb": "train", "model": "", "epoch": 3, "train_loss": -2.5, "validation_r": None, "r": {"osr": 0.5, "other": None}, "best": True}
        self.assertEqual(amacrine.scalars(event), {"train_loss": -2.5, "r/osr": 0.5, "best": 1.0})

    def test_without_tensorboard(self):
        with mock.patch.dict(sys.modules, {"tensorboard.summary.writer.event_file_writer": None}), self.assertRaisesRegex(ImportError, "pip install tensorboard"):
            amacrine.TensorBoardLogger("nowhere")

    def test_a_study_that_is_wrong_fails_as_ever(self):
        with self.assertRaises(amacrine.RunError) as caught:
            train(self.folder("wrong"), print, "traning.l2=0")
        self.assertEqual(caught.exception.exit_code, 2)


if __name__ == "__main__":
    unittest.main()
