# SPDX-License-Identifier: Apache-2.0
"""Loggers for amacrine.run(..., on_progress=...): JSON lines, CSV, TensorBoard."""
from __future__ import annotations

import csv
import importlib
import json
import os
import time
from types import TracebackType
from typing import Any, TextIO

from .progress import Event

NOT_SCALARS = {"event", "verb", "model"}


def scalars(event: Event) -> dict[str, float]:
    """An event's numbers by name, {"train_loss": ..., "r/osr": ...}; without those that are undefined, and without the epoch."""
    found: dict[str, float] = {}
    for name, value in event.items():
        if isinstance(value, dict):
            found |= {f"{name}/{key}": float(each) for key, each in value.items() if each is not None}
        elif isinstance(value, (int, float)) and name not in NOT_SCALARS and name != "epoch":
            found[name] = float(value)
    return found


class Logger:
    """A callable for on_progress that writes events somewhere; closed by `close` or at the end of a `with`."""

    def __call__(self, event: Event) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Ends what is written."""

    def __enter__(self) -> Logger:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class JsonlLogger(Logger):
    """Every event as a line of JSON, added to a file and flushed at once."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file: TextIO = open(path, "a", encoding="utf-8")

    def __call__(self, event: Event) -> None:
        self._file.write(json.dumps(event) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class CsvLogger(Logger):
    """Epochs as rows of a new CSV file: model, epoch, and the numbers of the first event; what a later one has besides is left out."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file: TextIO = open(path, "w", encoding="utf-8", newline="")
        self._writer: csv.DictWriter[str] | None = None

    def __call__(self, event: Event) -> None:
        if event["event"] != "epoch":
            return
        row: dict[str, Any] = {"model": event["model"], "epoch": event["epoch"]}
        for name, value in event.items():
            row |= {f"{name}/{key}": each for key, each in value.items()} if isinstance(value, dict) else {}
        row |= {name: value for name, value in event.items() if not isinstance(value, dict) and name not in ("event", "verb", *row)}
        if self._writer is None:
            self._writer = csv.DictWriter(self._file, list(row), extrasaction="ignore")
            self._writer.writeheader()
        self._writer.writerow(row)
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class TensorBoardLogger(Logger):
    """Epochs as scalars of TensorBoard, a run (folder) per model, by epoch. Needs the package tensorboard; raises ImportError without it."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            writers = importlib.import_module("tensorboard.summary.writer.event_file_writer")
            self._events = importlib.import_module("tensorboard.compat.proto.event_pb2")
            self._summaries = importlib.import_module("tensorboard.compat.proto.summary_pb2")
        except ImportError as error:
            raise ImportError("TensorBoard's files are written by the package tensorboard, which is not installed here: pip install tensorboard "
                              "(or amacrine[tensorboard])") from error
        self.folder = os.fspath(folder)
        self._make = writers.EventFileWriter
        self._writers: dict[str, Any] = {}

    def __call__(self, event: Event) -> None:
        if event["event"] != "epoch":
            return
        model = str(event["model"])
        if model not in self._writers:
            self._writers[model] = self._make(os.path.join(self.folder, model))
        values = [self._summaries.Summary.Value(tag=name, simple_value=value) for name, value in scalars(event).items()]
        self._writers[model].add_event(self._events.Event(wall_time=time.time(), step=int(event["epoch"]), summary=self._summaries.Summary(value=values)))
        self._writers[model].flush()

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()
