# SPDX-License-Identifier: Apache-2.0
"""Results as tidy tables: one observation a row."""
from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from .errors import ResultError
from .hdf5 import flag_words

if TYPE_CHECKING:
    from .hdf5 import Tree

SCORES = ("score", "pearson_r", "fev", "feve")
# Main figure of each phenomenon and its unit (docs/results/responses.md).
FIGURES = {"osr": ("osr_slope", "1"), "latency": ("latency_shift_ms", "ms"), "reversal": ("reversal_ratio", "1"), "anticipation": ("anticipation_ahead_um", "um")}
SCORE_COLUMNS = ["model", "cell", *(f"{name}{end}" for name in SCORES for end in ("", "_low", "_high")), "noise_ceiling", "noise_ceiling_low",
                 "noise_ceiling_high", "silent", "no_ceiling"]
PHENOMENON_COLUMNS = ["subject", "set", "cell", "phenomenon", "present", "presence", "figure", "unit", "value", "low", "high", "direction", "support",
                      "surprise_index"]
# Figures of a pathway: numbers, and flags that are given as words or, of two values, as truth values.
NUMBERS = ("share", "mean_attribution", "position", "lobe_time", "weight", "threshold", "minority_share", "disinhibition_share")
WORDS = ("polarity", "sign", "speed")
TRUTHS = ("used", "mixed", "disinhibition")
PATHWAY_COLUMNS = ["subject", "cell", "stimulus", "pathway", "channel", *WORDS, *TRUTHS, *NUMBERS, "share_kept", "r_held_out", "fve_held_out"]


def labels(data: Any, dimension: str) -> list[str]:
    return [str(value) for value in data[dimension].values]


def read_curves(path: str) -> pd.DataFrame:
    if not os.path.exists(path):
        raise ResultError(path, "is not there", "learning curves", verb="train")
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise ResultError(path, f"cannot be read ({error})", "a table with a row per epoch", verb="train") from error


def figure_of(data: Tree, name: str) -> xr.DataArray:
    """A variable of a file; raises ResultError where it has none of the name."""
    try:
        found = data[name]
    except KeyError as error:
        kind, verb = (str(data.attrs.get(key, "")) for key in ("kind", "verb"))
        raise ResultError(str(data.encoding.get("source", "this result")), "is not there", f"it in a file of kind '{kind}'", name, verb) from error
    assert isinstance(found, xr.DataArray)
    return found


def values_of(data: xr.Dataset, name: str) -> Any:
    """Values of a variable; raises ResultError where the file has none."""
    return figure_of(data, name).values


def scores(evaluation: xr.Dataset) -> pd.DataFrame:
    models, cells = labels(evaluation, "model"), labels(evaluation, "cell")
    table: dict[str, Any] = {"model": np.repeat(models, len(cells)), "cell": np.tile(cells, len(models))}
    for name in SCORES:
        table[name] = values_of(evaluation, name).ravel()
        interval = values_of(evaluation, f"{name}_interval")
        table[f"{name}_low"], table[f"{name}_high"] = interval[..., 0].ravel(), interval[..., 1].ravel()
    ceiling = values_of(evaluation, "noise_ceiling_interval")
    table["noise_ceiling"] = np.tile(values_of(evaluation, "noise_ceiling"), len(models))
    table["noise_ceiling_low"], table["noise_ceiling_high"] = np.tile(ceiling[:, 0], len(models)), np.tile(ceiling[:, 1], len(models))
    for name in ("silent", "no_ceiling"):
        table[name] = np.tile(values_of(evaluation, name) != 0, len(models))
    return pd.DataFrame(table, columns=SCORE_COLUMNS)


def main_figure(data: xr.Dataset, phenomenon: str, s: int, n: int) -> tuple[float, float, float, float]:
    """Value, ends of its interval, and direction of a phenomenon's main figure; of anticipation, those of the direction with the larger lead."""
    name = FIGURES[phenomenon][0]
    if name not in data:
        return (np.nan,) * 4
    values = [np.atleast_1d(values_of(data, f"{name}{end}")[s, n]) if f"{name}{end}" in data else np.array([np.nan]) for end in ("", "_low", "_high")]
    if "direction" not in data[name].dims:
        return float(values[0][0]), float(values[1][0]), float(values[2][0]), np.nan
    if not np.isfinite(values[0]).any():
        return (np.nan,) * 4
    best = int(np.nanargmax(values[0]))
    return float(values[0][best]), float(values[1][best]), float(values[2][best]), float(data["direction"].values[best])


def phenomena(responses: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for subject in responses:
        data = responses[subject].drop_vars("rate").load()
        present, support, surprise = (values_of(data, name) for name in ("phenomenon_present", "phenomenon_support", "surprise_index"))
        words = flag_words(data["phenomenon_present"])
        for s, group in enumerate(labels(data, "set")):
            for n, cell in enumerate(labels(data, "cell")):
                for p, phenomenon in enumerate(labels(data, "phenomenon")):
                    flag = int(present[s, n, p])
                    rows.append((subject, group, cell, phenomenon, flag > 0, words.get(flag, str(flag)), *FIGURES[phenomenon],
                                 *main_figure(data, phenomenon, s, n), float(support[s, n, p]), float(surprise[s, n, p])))
    return pd.DataFrame(rows, columns=PHENOMENON_COLUMNS)


def pathway_rows(subject: str, tree: Tree, joint: bool) -> list[list[Any]]:
    """Rows of one subject's reductions: of each stimulus, or of the set for all stimuli."""
    figures = {name: figure_of(tree, f"joint/{name}" if joint else name)
               for name in ("kept", "path_channel", *NUMBERS, *WORDS, *TRUTHS, "share_kept", "r_held_out", "fve_held_out")}
    values = {name: np.asarray(figure.values) for name, figure in figures.items()}
    words = {name: flag_words(figures[name]) for name in WORDS}
    cells, channels, stimuli = labels(tree, "cell"), labels(tree, "channel"), ["joint"] if joint else labels(tree, "stimulus")
    rows: list[list[Any]] = []
    for at in zip(*np.nonzero(values["kept"])):
        n, slot, group = int(at[0]), int(at[-1]), tuple(int(i) for i in at[:-1])
        row: list[Any] = [subject, cells[n], stimuli[0 if joint else int(at[1])], slot, channels[int(values["path_channel"][at])]]
        row += [words[name].get(int(values[name][at]), "") for name in WORDS]
        row += [bool(values[name][at] != 0) for name in TRUTHS] + [float(values[name][at]) for name in NUMBERS]
        rows.append(row + [float(values[name][group]) for name in ("share_kept", "r_held_out", "fve_held_out")])
    return rows


def pathways(reduction: Mapping[str, Tree]) -> pd.DataFrame:
    rows: list[list[Any]] = []
    for subject in reduction:
        rows += pathway_rows(subject, reduction[subject], False) + pathway_rows(subject, reduction[subject], True)
    return pd.DataFrame(rows, columns=PATHWAY_COLUMNS)
