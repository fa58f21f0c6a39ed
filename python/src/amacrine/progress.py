# SPDX-License-Identifier: Apache-2.0
"""Progress of a run, as events: epochs from its learning curves, work done from its status file (docs/results/curves.md, docs/stopping.md)."""
from __future__ import annotations

import glob
import json
import os
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Event = dict[str, Any]
OnProgress = Callable[[Event], object]
# Learning curves below an output folder: of the model, of those beside it, of sessions and trials.
CURVES = ("curves*.jsonl", "sessions/*/curves*.jsonl", "trials/*/curves*.jsonl")


def output_folder(command: Sequence[str]) -> str:
    """study.output of the study that a command of the program resolves to; "" where it resolves to none."""
    shown = subprocess.run([*command, "--print-config"], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
    try:
        return str(tomllib.loads(shown.stdout)["study"]["output"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError):
        return ""


def model_name(folder: str, path: str) -> str:
    """ "" for curves.jsonl, "seed2" for curves_seed2.jsonl, "trials/0007" for those of a trial."""
    name = os.path.relpath(path, folder).removesuffix(".jsonl").replace("curves_", "").replace("curves", "")
    return name.rstrip("/")


class Watch:
    """What a run of a verb has added to its output folder since it was last looked at."""

    def __init__(self, verb: str, folder: str) -> None:
        self.verb, self.folder = verb, folder
        self.stamps: dict[str, tuple[int, int]] = {}
        self.seen: dict[str, set[str]] = {}
        self.done: Event | None = None
        for _ in self.events():  # what was there before the run
            pass

    def events(self) -> Iterator[Event]:
        """New events: {"event": "epoch", "model", "epoch", "train_loss", ...} and {"event": "progress", "what", "done", "of", "unit"}."""
        for pattern in CURVES if self.folder else ():  # no folder is not the working folder
            for path in sorted(glob.glob(os.path.join(glob.escape(self.folder), pattern))):
                yield from self._epochs(path)
        status = os.path.join(self.folder, f"{self.verb}.status.json")
        if self.folder and self._changed(status):
            found = read_json(status)
            progress = found.get("progress") if isinstance(found, dict) else None
            if isinstance(progress, dict) and progress != self.done:
                self.done = progress
                yield {"event": "progress", "verb": self.verb, **progress}

    def _epochs(self, path: str) -> Iterator[Event]:
        if not self._changed(path):
            return
        seen = self.seen.setdefault(path, set())
        with open(path, encoding="utf-8") as file:
            rows = [line for line in file.read().splitlines() if line and line not in seen]
        for row in rows:
            seen.add(row)
            yield {"event": "epoch", "verb": self.verb, "model": model_name(self.folder, path), **json.loads(row)}

    def _changed(self, path: str) -> bool:
        """Whether a file is another than when it was last looked at."""
        try:
            found = os.stat(path)
        except OSError:
            return False
        stamp = (found.st_ino, found.st_mtime_ns)
        changed = self.stamps.get(path) != stamp
        self.stamps[path] = stamp
        return changed


def read_json(path: str) -> Any:
    """A file that the program replaces whole; None where it is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None
