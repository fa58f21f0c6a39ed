#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sweep.py RESULTS_FOLDER: draws sweep.html beside sweep.h5: history, rungs, parallel coordinates, importance of the parameters, and the groups of
ranks over time."""
import html
import os
import sys

import numpy as np
import xarray

import figures_sweep
from page import Page

STANDINGS = ["waiting", "running", "paused", "ready", "stopped", "finished", "failed"]


class Sweep:
    """sweep.h5 as arrays: value (trial, rung), epochs (rung), standing (trial), parameters by name, tasks."""

    def __init__(self, folder):
        path = os.path.join(folder, "sweep.h5")
        with xarray.open_dataset(path) as data:
            self.value, self.rungs = data["value"].values, data["rung"].values
            self.trials = [str(text) for text in data["trial"].values]
            self.standing = [STANDINGS[int(which)] for which in data["standing"].values]
            self.epochs = data["epochs"].values
            self.tasks = {name: data["task_" + name].values for name in ("trial", "rung", "group", "failed", "begin", "end")}
            self.metric, self.utilisation = data.attrs["metric"], float(data.attrs["utilisation"])
        with xarray.open_dataset(path, group="parameter") as data:
            self.parameters = {name: Parameter(name, data[name]) for name in data.data_vars}

    @property
    def sign(self):
        """1 where higher values are better."""
        return -1.0 if self.metric == "loss" else 1.0

    def last(self):
        """The value at the last rung that each trial has reached; NaN where there is none."""
        filled = np.where(np.isnan(self.value), -np.inf, np.arange(self.value.shape[1]))
        rung = filled.max(axis=1)
        return np.array([row[int(at)] if at >= 0 else np.nan for row, at in zip(self.value, rung)])

    def finished(self):
        """Numbers of the finished trials, the best first."""
        numbers = [t for t, standing in enumerate(self.standing) if standing == "finished"]
        return sorted(numbers, key=lambda t: -self.sign * self.value[t, -1])


class Parameter:
    """What trials set of one key: numbers, or words with their numbers."""

    def __init__(self, name, variable):
        self.name = name
        self.words = variable.attrs["words"].split("\n") if "words" in variable.attrs else None
        self.values = variable.values.astype(float)
        if self.words is not None:
            self.values[self.values < 0] = np.nan
        positive = self.values[np.isfinite(self.values)]
        self.log = self.words is None and len(positive) > 0 and positive.min() > 0 and positive.max() / positive.min() >= 20

    def scale(self):
        """Values on [0, 1], logarithmic where they span more than a factor of 20."""
        values = np.log(self.values) if self.log else self.values
        low, high = np.nanmin(values), np.nanmax(values)
        return (values - low) / (high - low) if high > low else np.full(len(values), 0.5)

    def text(self, trial):
        value = self.values[trial]
        if np.isnan(value):
            return "-"
        return self.words[int(value)] if self.words is not None else f"{value:.4g}"


def importance(sweep):
    """Per parameter, the share of the variance of the value at the first rung that is between its thirds (or words): what is known of a trial before
    any is stopped. Shares of parameters that act together can add up to less or more than 1; chance alone gives about (groups - 1) / (trials - 1)."""
    value = sweep.value[:, 0]
    shares = {}
    for name, parameter in sweep.parameters.items():
        known = np.isfinite(value) & np.isfinite(parameter.values)
        x, y = parameter.values[known], value[known]
        if len(y) < 3 or np.var(y) == 0:
            continue
        if parameter.words is None and len(np.unique(x)) > 3:
            groups = np.searchsorted(np.quantile(x, [1 / 3, 2 / 3]), x, side="right")
        else:
            groups = np.unique(x, return_inverse=True)[1]
        between = sum(np.sum(groups == g) * (y[groups == g].mean() - y.mean()) ** 2 for g in np.unique(groups))
        count = len(np.unique(groups))
        shares[name] = (between / np.sum((y - y.mean()) ** 2), (count - 1) / (len(y) - 1))
    return dict(sorted(shares.items(), key=lambda item: -item[1][0]))


def page_of(sweep, folder):
    counts = {standing: sweep.standing.count(standing) for standing in STANDINGS if standing in sweep.standing}
    told = ", ".join(f"{count} {standing}" for standing, count in counts.items())
    whole = len(sweep.trials) * sweep.rungs[-1]
    share = 100 * sweep.epochs.sum() / whole
    page = Page(f"Sweep: {os.path.basename(os.path.normpath(folder))}",
                f"{len(sweep.trials)} trials: {told}. {int(sweep.epochs.sum())} epochs were trained, {share:.0f} % of those of all trials without stopping.")
    name = "validation loss" if sweep.metric == "loss" else "validation r"
    page.section("Best trials")
    rows = [[str(t), f"{sweep.value[t, -1]:.4f}", *(p.text(t) for p in sweep.parameters.values())] for t in sweep.finished()[:10]]
    page.table(["trial", name, *(html.escape(p) for p in sweep.parameters)], rows)
    page.section("Figures")
    page.figure(figures_sweep.history(sweep, name), "History", "Every trial at the last rung that it has reached, in the order of their numbers; the line is the best finished one so far.")
    page.figure(figures_sweep.rungs(sweep, name), "Rungs", "The value of every trial at the rungs that it has reached. Where lines cross, the order at a rung does not tell the next.")
    page.figure(figures_sweep.parallel_coordinates(sweep, name), "Parallel coordinates", "A line for each trial through what it sets; the best third at the first rung in colour.")
    page.figure(figures_sweep.importances(importance(sweep)), "Importance",
                "Share of the variance of the value at the first rung that lies between the thirds of a parameter (or its words); the tick is what chance gives.")
    if len(sweep.tasks["begin"]):
        page.figure(figures_sweep.timeline(sweep), "Groups of ranks over time", f"Groups were training in {100 * sweep.utilisation:.0f} % of the time; gaps between runs count.")
    failed = [(t, text) for t, (text, standing) in enumerate(zip(sweep.trials, sweep.standing)) if standing == "failed"]
    if failed:
        page.section("Failed trials", "Their reasons are in sweep.csv; <code>amacrine sweep retry STUDY --failed</code> tries them again.")
        page.table(["trial", "what it sets"], [[str(t), (html.escape(text), "text")] for t, text in failed])
    return page


def main(folder):
    sweep = Sweep(folder)
    path = os.path.join(folder, "sweep.html")
    page_of(sweep, folder).write(path)
    print(path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
