# SPDX-License-Identifier: Apache-2.0
"""What an imported model needs of the recording it was trained on (docs/recordings.md)."""
from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from .errors import ResultError
from .hdf5 import READ_ERRORS, one_line, text
from .model import ContrastCoding

FRAMES = 1000  # read at once


class Recorded:
    """A recording's training movie and attributes. Raises ResultError where they cannot be read."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            with h5py.File(path, "r") as file:
                self.attrs: dict[str, Any] = {name: text(value) for name, value in file.attrs.items()}
                self.shape: tuple[int, ...] = file["train/stimulus"].shape
        except READ_ERRORS as error:
            raise ResultError(path, f"cannot be read ({one_line(error)})", "a recording with train/stimulus") from error
        self.frame_ms = float(self.attrs.get("frame_ms", 10.0))
        self.pixel_um = float(self.attrs.get("pixel_um", 55.0))
        self._sums: tuple[Any, Any] | None = None

    def coding(self) -> ContrastCoding:
        """The recording's own, or the z score by its training movie, as the program has it."""
        if "contrast_zero" in self.attrs and "contrast_unit" in self.attrs:
            return ContrastCoding(float(self.attrs["contrast_zero"]), float(self.attrs["contrast_unit"]))
        mean, sd = self.statistics("scalar", self.shape[1:])
        return ContrastCoding(float(mean), float(sd))

    def statistics(self, kind: str, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Mean and standard deviation of the training movie: one pair, or (Y, X) of each pixel."""
        if self.shape[1:] != size:
            raise ResultError(self.path, f"shows frames of {self.shape[1:]}", f"{size}, as the model sees", "train/stimulus")
        means, squares = self.pixel_sums()
        if kind == "per_pixel":
            return means, np.sqrt(np.maximum(squares - means ** 2, 0))
        mean = means.mean()
        return mean, np.sqrt(max(squares.mean() - mean ** 2, 0.0))

    def pixel_sums(self) -> tuple[Any, Any]:
        """Mean and mean square of each pixel, (Y, X)."""
        if self._sums is None:
            first, second = np.zeros(self.shape[1:]), np.zeros(self.shape[1:])
            with h5py.File(self.path, "r") as file:
                movie = file["train/stimulus"]
                for begin in range(0, len(movie), FRAMES):
                    frames = movie[begin:begin + FRAMES].astype(np.float64)
                    first += frames.sum(0)
                    second += (frames ** 2).sum(0)
            self._sums = (first / self.shape[0], second / self.shape[0])
        return self._sums

    def names(self, cells: list[int]) -> list[str] | None:
        """Names of cells, where the recording has them."""
        listed = self.attrs.get("cells")
        if listed is None:
            return None
        every = listed.split(",") if isinstance(listed, str) else [str(text(name)) for name in np.atleast_1d(listed)]
        return [every[cell] for cell in cells] if all(cell < len(every) for cell in cells) else None
