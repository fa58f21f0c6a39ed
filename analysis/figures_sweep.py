# SPDX-License-Identifier: Apache-2.0
"""Figures of a sweep (analysis/sweep.py)."""
import numpy as np

from style import FAINT, INK, MODEL, SERIES, plt, svg

COLOURS = {"finished": MODEL, "stopped": FAINT, "paused": "#c98a00", "ready": "#c98a00", "running": "#c98a00", "waiting": "#c98a00", "failed": "#d1495b"}


def history(sweep, name):
    """Values by trial number, and the best finished so far."""
    figure, ax = plt.subplots(figsize=(9, 2.8))
    last = sweep.last()
    for standing in dict.fromkeys(sweep.standing):
        numbers = [t for t, each in enumerate(sweep.standing) if each == standing and np.isfinite(last[t])]
        if numbers:
            ax.plot(numbers, last[numbers], "o", ms=4, color=COLOURS[standing], label=standing)
    best, xs, ys = None, [], []
    for t, standing in enumerate(sweep.standing):
        if standing == "finished":
            best = last[t] if best is None else sweep.sign * max(sweep.sign * best, sweep.sign * last[t])
        if best is not None:
            xs.append(t), ys.append(best)
    ax.step(xs, ys, where="post", color=INK, lw=1, label="best so far")
    ax.set(xlabel="trial", ylabel=name)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return svg(figure)


def rungs(sweep, name):
    """A line per trial over rungs."""
    figure, ax = plt.subplots(figsize=(9, 2.8))
    for t, row in enumerate(sweep.value):
        known = np.isfinite(row)
        ax.plot(sweep.rungs[known], row[known], "o-", ms=3, lw=1, color=COLOURS[sweep.standing[t]], zorder=3 if sweep.standing[t] == "finished" else 2)
    ax.set(xlabel="epochs trained", ylabel=name)
    ax.set_xscale("log")
    ax.set_xticks(sweep.rungs, [f"{int(epochs)}" for epochs in sweep.rungs])
    ax.minorticks_off()
    for standing in ("finished", "stopped", "failed"):
        if standing in sweep.standing:
            ax.plot([], [], "o-", ms=3, lw=1, color=COLOURS[standing], label=standing)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return svg(figure)


def tick_labels(parameter):
    """Where on [0, 1] an axis of the parameter is labelled, and how."""
    known = parameter.values[np.isfinite(parameter.values)]
    scaled = parameter.scale()
    if parameter.words is not None:
        return [(scaled[list(parameter.values).index(i)], word) for i, word in enumerate(parameter.words)]
    return [(0.0, f"{known.min():.3g}"), (1.0, f"{known.max():.3g}")] if known.min() < known.max() else [(0.5, f"{known.min():.3g}")]


def parallel_coordinates(sweep, name):
    """A line per trial through its parameters and its value at the first rung."""
    value = sweep.value[:, 0]
    known = np.isfinite(value)
    axes = [(p.name.split(".", 1)[1], p.scale(), tick_labels(p)) for p in sweep.parameters.values()]
    if known.any():
        low, high = value[known].min(), value[known].max()
        axes.append((f"{name},\nfirst rung", (value - low) / max(high - low, 1e-300), [(0.0, f"{low:.3f}"), (1.0, f"{high:.3f}")]))
    good = known & (sweep.sign * value >= np.quantile(sweep.sign * value[known], 2 / 3)) if known.any() else known
    figure, ax = plt.subplots(figsize=(9, 3.2))
    for t in np.argsort(good, kind="stable"):
        if known[t]:
            ax.plot(range(len(axes)), [scaled[t] for _, scaled, _ in axes], lw=1.4 if good[t] else 0.7, color=MODEL if good[t] else FAINT, alpha=0.9 if good[t] else 0.5)
    for i, (_, _, ticks) in enumerate(axes):
        ax.axvline(i, color=INK, lw=0.8)
        for height, text in ticks:
            ax.annotate(text, (i, height), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8, color=INK, bbox={"boxstyle": "square,pad=0.1", "fc": "#fdfefd", "ec": "none"})
    ax.set_xticks(range(len(axes)), [title for title, _, _ in axes])
    ax.set(yticks=[], xlim=(-0.15, len(axes) - 0.7))
    ax.spines[:].set_visible(False)
    return svg(figure)


def importances(shares):
    """Bars of the share of variance, a tick for chance."""
    figure, ax = plt.subplots(figsize=(9, 0.6 + 0.36 * max(1, len(shares))))
    names = list(shares)[::-1]
    for i, key in enumerate(names):
        share, chance = shares[key]
        ax.barh(i, share, color=MODEL, height=0.6)
        ax.plot([chance, chance], [i - 0.4, i + 0.4], color=INK, lw=1.5)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlim=(0, 1), xlabel="share of the variance")
    return svg(figure)


def timeline(sweep):
    """A row per group of ranks, a bar per task, coloured by rung."""
    tasks = sweep.tasks
    start = tasks["begin"].min()
    scale, unit = (60.0, "minutes") if tasks["end"].max() - start > 300 else (1.0, "seconds")
    groups = sorted(set(tasks["group"].tolist()))
    figure, ax = plt.subplots(figsize=(9, 0.9 + 0.28 * len(groups)))
    for i in range(len(tasks["trial"])):
        begin, end = (tasks["begin"][i] - start) / scale, (tasks["end"][i] - start) / scale
        colour = "#d1495b" if tasks["failed"][i] else SERIES[1:][int(tasks["rung"][i]) % (len(SERIES) - 1)]
        ax.barh(groups.index(tasks["group"][i]), end - begin, left=begin, height=0.7, color=colour, edgecolor="#fdfefd", linewidth=0.6)
    for rung in sorted(set(tasks["rung"].tolist())):
        ax.barh(0, 0, color=SERIES[1:][int(rung) % (len(SERIES) - 1)], label=f"to {int(sweep.rungs[int(rung)])} epochs")
    ax.set_yticks(range(len(groups)), [f"group {g}" for g in groups])
    ax.set(xlabel=f"{unit} since the first task")
    ax.invert_yaxis()
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return svg(figure)
