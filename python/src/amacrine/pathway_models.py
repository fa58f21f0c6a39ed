# SPDX-License-Identifier: Apache-2.0
"""Models of few rectified pathways, fitted to a recording (docs/pathways.md), as NumPy arrays and JSON."""
from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from .errors import ResultError
from .forward import Array, softplus

# What a profile is made of: Gaussian bumps, their standard deviation as part of their spacing, and how far they are summed, in standard deviations.
BUMP_PER_SPACING, BUMP_REACH = 0.6, 4.0
FORMAT = "amacrine pathways 1"


def bells(at: Array, knots: Array, bump: float) -> Array:
    """Gaussian bumps around knots at these offsets, (offsets, knots)."""
    values: Array = np.exp(-0.5 * ((at[:, None] - knots) / bump) ** 2)
    return values


@dataclasses.dataclass(frozen=True, eq=False)
class PathwayModel:
    """One cell's model: rate = log(1 + exp(`beta` u)) / `beta`, u = `rest` + sum over pathways of weight max(0, threshold + filter output).

    Filters are a time course times a profile. `time_courses` (P, L): lags `minimum_lag`, `minimum_lag` + 1, ... frames before the response. `profiles` (P, E, E):
    on whole pixels around `centre` (row, column in px), the middle one at it; between them by `on_screen`. `spacing_px`: of the bumps that they are made of.
    """

    cell: str
    rest: float  # Hz
    beta: float  # 1/Hz
    weights: Array  # (P), Hz
    thresholds: Array  # (P), contrast
    time_courses: Array
    profiles: Array
    centre: tuple[float, float]
    spacing_px: float
    radius_px: float
    minimum_lag: int
    frame_ms: float
    pixel_um: float

    def on_screen(self, height: int, width: int) -> Array:
        """Profiles on the pixels of a screen, (P, height, width), for a centre between pixels too."""
        sides = int(self.radius_px / self.spacing_px + 1e-9)
        knots: Array = np.arange(-sides, sides + 1, dtype=np.float64) * self.spacing_px
        bump, reach = BUMP_PER_SPACING * self.spacing_px, self.profiles.shape[1] // 2
        whole = bells(np.arange(-reach, reach + 1.0), knots, bump)
        if np.linalg.matrix_rank(whole) < len(knots):
            raise ValueError(f"profiles of bumps {self.spacing_px:g} px apart are not known between whole pixels; expected 1 px and more")
        back = np.linalg.pinv(whole)
        edges = []
        for centre, extent in zip(self.centre, (height, width)):
            at = np.arange(extent, dtype=np.float64)
            far = knots[-1] + BUMP_REACH * bump
            near = (at >= np.floor(centre - far)) & (at <= np.ceil(centre + far))
            edges.append(bells(at - centre, knots, bump) * near[:, None] @ back)
        found: Array = edges[0] @ self.profiles @ edges[1].T
        return found

    def drives(self, movie: npt.ArrayLike) -> Array:
        """Filter outputs of a contrast movie (T, Y, X) -> (P, T); NaN for frames whose window begins before the movie."""
        contrast = np.asarray(movie, np.float64)
        seen = np.tensordot(self.on_screen(*contrast.shape[1:]), contrast, axes=((1, 2), (1, 2)))
        found = np.full(seen.shape, np.nan)
        lags = self.time_courses.shape[1]
        for pathway, course in enumerate(self.time_courses):
            if len(contrast) >= lags + self.minimum_lag:
                sums = np.convolve(seen[pathway], course, "valid")
                found[pathway, lags - 1 + self.minimum_lag:] = sums[:len(sums) - self.minimum_lag]
        return found

    def contributions(self, movie: npt.ArrayLike) -> Array:
        """What each pathway adds to u, (P, T) in Hz."""
        opened: Array = self.weights[:, None] * np.maximum(0, self.thresholds[:, None] + self.drives(movie))
        return opened

    def predict(self, movie: npt.ArrayLike) -> Array:
        """Rate in Hz for every frame of a contrast movie (T, Y, X); NaN for frames whose window begins before the movie."""
        values = self.contributions(movie)
        known = np.arange(values.shape[1]) >= self.time_courses.shape[1] - 1 + self.minimum_lag
        rate = np.full(values.shape[1], np.nan)
        rate[known] = softplus(self.rest + values[:, known].sum(0), self.beta)
        return rate

    def to_json(self) -> str:
        """All of it as JSON; `pathway_model_from_json` reads it."""
        fields = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(self).items()}
        sizes = {"lags": self.time_courses.shape[1], "extent": self.profiles.shape[1]}
        return json.dumps({"format": FORMAT, **sizes, **fields}, allow_nan=False)


def pathway_model_from_json(text: str) -> PathwayModel:
    """The model that `PathwayModel.to_json` wrote. Raises ValueError where it is none."""
    try:
        fields: dict[str, Any] = json.loads(text)
        if fields.pop("format") != FORMAT:
            raise ValueError("is of another format")
        lags, extent, count = int(fields.pop("lags")), int(fields.pop("extent")), len(fields["weights"])
        for name, shape in (("weights", (count,)), ("thresholds", (count,)), ("time_courses", (count, lags)), ("profiles", (count, extent, extent))):
            fields[name] = np.array(fields[name], np.float64).reshape(shape)
        return PathwayModel(**{**fields, "centre": tuple(fields["centre"])})
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"no pathway model of format '{FORMAT}' ({type(error).__name__}: {error})") from error


def pathway_models(pathways: xr.Dataset, centres: Mapping[str, Sequence[float]]) -> dict[str, PathwayModel]:
    """Models of the cells that were fitted, by name, of a Dataset of pathways.h5; `centres`: (row, column) of each in px, which it does not hold.

    Raises ResultError where a cell has no centre.
    """
    source = str(pathways.encoding.get("source", "pathways.h5"))
    settings: Mapping[str, Any] = tomllib.loads(str(pathways.attrs["study"]))
    found = {}
    for n, cell in enumerate(str(name) for name in pathways["cell"].values):
        count = int(pathways["pathways"].values[n])
        if count < 0:
            continue
        if cell not in centres:
            raise ResultError(source, f"does not hold the receptive-field centre of '{cell}'", "it from elsewhere: centres={...}")
        values = {name: np.asarray(pathways[name].values[n, :count], np.float64) for name in ("weight", "threshold", "time_course", "profile")}
        found[cell] = PathwayModel(cell, float(pathways["rest"].values[n]), float(pathways["beta"].values[n]), values["weight"], values["threshold"],
                                   values["time_course"], values["profile"], (float(centres[cell][0]), float(centres[cell][1])),
                                   float(settings["pathways"]["spacing_px"]), float(settings["pathways"]["radius_px"]),
                                   int(settings["recording"]["minimum_lag"]), float(pathways.attrs["frame_ms"]), float(pathways.attrs["pixel_um"]))
    return found
