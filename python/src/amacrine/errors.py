# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, in words for people."""
from __future__ import annotations

from collections.abc import Sequence


class ResultError(Exception):
    """A result is missing, damaged, or not what was expected.

    Attributes: `file`; `dataset` ("" where it is the file itself); `expected`; `verb`, the verb of the program that makes it ("" where none does).
    """

    def __init__(self, file: str, problem: str, expected: str, dataset: str = "", verb: str = "") -> None:
        self.file, self.dataset, self.expected, self.verb = file, dataset, expected, verb
        where = f"{file}: dataset '{dataset}' {problem}" if dataset else f"{file} {problem}"
        make = f"; `amacrine {verb} STUDY.toml` makes it" if verb else ""
        super().__init__(f"{where}; expected {expected}{make}")


class RunError(Exception):
    """The program failed.

    Attributes: `exit_code`; `meaning` of it; `message`, the program's own; `command`, the words it was started with.
    """

    def __init__(self, exit_code: int, meaning: str, message: str, command: Sequence[str]) -> None:
        self.exit_code, self.meaning, self.message, self.command = exit_code, meaning, message, list(command)
        super().__init__(f"{message} (exit code {exit_code}: {meaning})")
