# SPDX-License-Identifier: Apache-2.0
"""Runs the program `amacrine`."""
from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from .errors import RunError
from .progress import OnProgress, Watch, output_folder

FINISHED, STOPPED = 0, 75
TICK_SECONDS = 0.5
EXIT_CODES = {
    FINISHED: "the science is finished",
    1: "a fault no other code names",
    2: "the command line or the study file is wrong",
    3: "an input is missing, damaged or does not fit",
    4: "refused: another study's output is in the way, another run is making it, or folder, disk or memory do not allow it",
    STOPPED: "stopped early and whole: the same command goes on",
}


@dataclass(frozen=True)
class RunResult:
    """How a run of the program ended: finished, or stopped early and to be run again."""

    exit_code: int
    meaning: str
    lines: tuple[str, ...]  # all that it printed
    command: tuple[str, ...]

    @property
    def stopped(self) -> bool:
        """Stopped early and whole (exit code 75): run the same again and it goes on."""
        return self.exit_code == STOPPED


def find_program(program: str | os.PathLike[str] | None = None) -> str:
    """Path of the program: as given, or $AMACRINE_PROGRAM, or `amacrine` on PATH. Raises FileNotFoundError."""
    asked = os.fspath(program) if program is not None else os.environ.get("AMACRINE_PROGRAM") or "amacrine"
    found = shutil.which(asked)
    if found is None:
        raise FileNotFoundError(f"there is no program '{asked}'; name it with program=..., $AMACRINE_PROGRAM, or put `amacrine` on PATH")
    return os.path.abspath(found)


def words_of(overrides: Mapping[str, object] | Sequence[str]) -> list[str]:
    """Overrides as words of the command line: of a mapping, key=value with values as TOML has them."""
    if isinstance(overrides, str):
        raise TypeError(f"overrides are a sequence of words or a mapping, not one text: [{overrides!r}]")
    if not isinstance(overrides, Mapping):
        return [str(word) for word in overrides]
    return [f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in overrides.items()]


def run(verb: str, study_file: str | os.PathLike[str], overrides: Mapping[str, object] | Sequence[str] = (), ranks: int = 1,
        program: str | os.PathLike[str] | None = None, on_line: Callable[[str], object] | None = None,
        on_progress: OnProgress | Sequence[OnProgress] = ()) -> RunResult:
    """Runs `amacrine VERB STUDY OVERRIDES...` and waits for its end.

    `overrides`: words such as "training.learning_rate=3e-3" or "--overwrite", or a mapping of keys to values. `ranks`: above 1 it runs under `mpirun`.
    `on_line` gets every line that the program prints, as it comes; without it lines go to standard output. `on_progress`, one callable or several, get events
    as dictionaries, within a second: of every epoch of a training {"event": "epoch", "model": "", "epoch": 1, "train_loss": ..., ...} (docs/results/curves.md), of
    every verb {"event": "progress", "what", "done", "of", "unit"}; amacrine.JsonlLogger, CsvLogger and TensorBoardLogger are such. An interrupt (Ctrl-C) stops the
    program, which saves what it has, and is raised again once it has ended.

    Returns exit code 0 or 75 (`result.stopped`: the same call goes on). Raises RunError with the program's message for any other, FileNotFoundError where
    there is no program or no `mpirun`.
    """
    if ranks < 1:
        raise ValueError(f"ranks is {ranks}; expected 1 or more")
    command = [find_program(program), verb, os.fspath(study_file), *words_of(overrides)]
    tick = ticker(verb, command, (on_progress,) if callable(on_progress) else tuple(on_progress))
    if ranks > 1:
        mpirun = shutil.which("mpirun")
        if mpirun is None:
            raise FileNotFoundError("there is no program 'mpirun' on PATH, which ranks above 1 need")
        command = [mpirun, "-n", str(ranks), *command]
    code, printed = stream(command, on_line or (lambda line: print(line, flush=True)), tick)
    meaning = EXIT_CODES.get(code, f"ended by signal {-code}" if code < 0 else "unknown")
    if code in (FINISHED, STOPPED):
        return RunResult(code, meaning, tuple(printed), tuple(command))
    raise RunError(code, meaning, message_of(printed), command)


def ticker(verb: str, command: list[str], called: Sequence[OnProgress]) -> Callable[[], None] | None:
    """What gives new events to all callables; None where there are none."""
    if not called:
        return None
    watch = Watch(verb, output_folder(command))

    def tick() -> None:
        for event in watch.events():
            for each in called:
                each(event)

    return tick


class Lines:
    """Lines of a program as they come; with `tick`, which is called after every line and at least every half second, another thread reads them."""

    def __init__(self, source: IO[str], tick: Callable[[], object] | None) -> None:
        self.source, self.tick = source, tick
        self.found: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._read, daemon=True) if tick is not None else None
        if self.thread is not None:
            self.thread.start()

    def _read(self) -> None:
        for line in self.source:
            self.found.put(line)
        self.found.put(None)

    def __iter__(self) -> Iterator[str]:
        if self.tick is None:
            for line in self.source:  # `yield from` would close the file where the loop over this one is left
                yield line
            return
        while True:
            try:
                next_line = self.found.get(timeout=TICK_SECONDS)
            except queue.Empty:
                self.tick()
                continue
            if next_line is None:
                return
            yield next_line
            self.tick()

    def drain(self) -> None:
        """Takes what is still printed, to the end."""
        if self.thread is not None:
            self.thread.join()
        else:
            self.source.read()


def stream(command: list[str], on_line: Callable[[str], object], tick: Callable[[], object] | None = None) -> tuple[int, list[str]]:
    """Exit code, and all lines, each of which `on_line` was given as it came. `tick`: see Lines; called once more at the end."""
    printed: list[str] = []
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        assert process.stdout is not None
        lines = Lines(process.stdout, tick)
        try:
            for line in lines:
                printed.append(line.rstrip("\n"))
                on_line(printed[-1])
            process.wait()
            if tick is not None:
                tick()
        except BaseException:
            process.send_signal(signal.SIGTERM)
            lines.drain()
            process.wait()
            raise
    return process.returncode, printed


def message_of(lines: list[str]) -> str:
    """What the program said was wrong: from its line "error: ..." on, without what `mpirun` adds; where there is none, the last lines."""
    rules = [i for i, line in enumerate(lines) if line.startswith("-----")]
    at = next((i for i, line in enumerate(lines) if line.startswith("error: ")), None)
    if at is None:
        return "\n".join(line for i, line in enumerate(lines) if line and i not in rules).strip()[-1000:] or "the program said nothing"
    ends = [*rules, *(i for i, line in enumerate(lines) if line.startswith("error: ")), len(lines)]
    return "\n".join(lines[at:min(i for i in ends if i > at)]).removeprefix("error: ").strip()
