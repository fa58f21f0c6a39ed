# SPDX-License-Identifier: Apache-2.0
"""Figures over many models (report.py --models)."""
import numpy as np

from agreement import kind_name
from style import EXCITE, FAINT, INHIBIT, INK, MODEL, REST, plt, svg

# Fields are no wider than with so many columns.
LEAST_COLUMNS = 8
SIGN_COLOUR = {1: EXCITE, -1: INHIBIT, 0: REST}


def spread(count, width):
    """Offsets of `count` marks beside each other, at most `width` apart in all."""
    return np.linspace(-width / 2, width / 2, count) if count > 1 else np.zeros(count)


def scores(farm, cells):
    """pearson_r of every model by cell, their median, and the noise ceiling of the recording."""
    models = [model for model in farm.models if model.pearson_r]
    values = np.array([[model.pearson_r.get(cell, np.nan) for cell in cells] for model in models])
    ceilings = ceilings_of(models, cells)
    figure, ax = plt.subplots(figsize=(9, 2.9))
    for i in range(len(cells)):
        at = i + spread(len(models), 0.6)
        ax.plot(at, values[:, i], "o", ms=4 if len(models) <= 30 else 2.5, color=MODEL, alpha=0.8, mew=0, zorder=3, label="one model" if i == 0 else None)
        if np.isfinite(values[:, i]).any():
            ax.hlines(np.nanmedian(values[:, i]), i - 0.36, i + 0.36, color=INK, lw=1.2, zorder=4, label="median" if i == 0 else None)
        if np.isfinite(ceilings[i]):
            ax.hlines(ceilings[i], i - 0.44, i + 0.44, color=INK, lw=1.2, ls=(0, (3, 2)), label="noise ceiling" if i == np.flatnonzero(np.isfinite(ceilings))[0] else None)
    lowest = np.nanmin([0.0, *values.flat])
    ax.set_xticks(range(len(cells)), cells, rotation=0 if sum(map(len, cells)) <= 90 else 45, ha="center" if sum(map(len, cells)) <= 90 else "right")
    ax.set(ylabel="r with the trial mean", ylim=(1.05 * lowest, 1.03), xlim=(-0.6, len(cells) - 0.4))
    ax.axhline(0, color=FAINT, lw=0.6)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return svg(figure)


def ceilings_of(models, cells):
    """A cell's noise ceiling, which is the recording's and so the same for all models; NaN where there is none."""
    return np.array([next((model.ceiling[cell] for model in models if np.isfinite(model.ceiling.get(cell, np.nan))), np.nan) for cell in cells])


def counts_grid(rows, columns, shares, words, outlined, xlabel=""):
    """A field per row and column, the deeper the larger its share (0 to 1, NaN: empty), with its words; `outlined` fields have a frame."""
    figure, ax = plt.subplots(figsize=(9, 0.34 * len(rows) + 1.0))
    for r in range(len(rows)):
        for c in range(len(columns)):
            if np.isfinite(shares[r][c]):
                ax.add_patch(plt.Rectangle((c - 0.47, r - 0.44), 0.94, 0.88, color=MODEL, alpha=0.06 + 0.54 * float(shares[r][c]), lw=0))
            if outlined[r][c]:
                ax.add_patch(plt.Rectangle((c - 0.46, r - 0.42), 0.92, 0.84, fill=False, edgecolor=INK, lw=1.5))
            ax.text(c, r, words[r][c], ha="center", va="center", fontsize=8)
    ax.set_yticks(range(len(rows)), rows)
    ax.set_xticks(range(len(columns)), columns, fontsize=8)
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.set(xlim=(-0.5, max(LEAST_COLUMNS, len(columns)) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    ax.set_xlabel(xlabel, loc="left")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return svg(figure)


def phenomena_grid(counts, cells, columns, titles, shown):
    """counts: (models that show it, models probed) by (cell, phenomenon, set). `shown`: what the circuits show, None where that is not known."""
    fields = [[counts.get((cell, *column), (0, 0)) for column in columns] for cell in cells]
    shares = [[k / n if n else np.nan for k, n in row] for row in fields]
    words = [[f"{k} of {n}" if n else "–" for k, n in row] for row in fields]
    return counts_grid(cells, titles, shares, words, [[shown is not None and (cell, *column) in shown for column in columns] for cell in cells])


def numbers_grid(agreements):
    """How many models name how many pathways, by cell; the planted number has a frame."""
    most = max([1, *(n for each in agreements for n in each.numbers()), *(sum(each.planted.values()) for each in agreements if each.planted)])
    columns = list(range(most + 1))
    counts = [[each.numbers().get(n, 0) for n in columns] for each in agreements]
    named = [max(1, len(each.mechanisms)) for each in agreements]
    shares = [[count / all_of if count else np.nan for count in row] for row, all_of in zip(counts, named)]
    outlined = [[each.planted is not None and sum(each.planted.values()) == n for n in columns] for each in agreements]
    return counts_grid([each.cell for each in agreements], columns, shares, [[str(count) if count else "" for count in row] for row in counts], outlined, "pathways")


def kinds_panel(ax, agreement, tallest, last):
    """One cell: a row per kind, a mark per pathway and model at the time of its filter's peak, the circuit's own as bars. `tallest`: rows of the panel with most of
    them; `last`: ms at the end of the axis."""
    kinds = agreement.kinds()
    for row, kind in enumerate(kinds):
        times = agreement.times(kind)
        ax.plot(times, row + spread(len(times), 0.5), "o", ms=4.5, mew=0, alpha=0.8, zorder=3, color=SIGN_COLOUR[kind[1]])
        for time in agreement.planted_times.get(kind, []):
            ax.vlines(time, row - 0.4, row + 0.4, color=INK, lw=1.6)
        ax.text(1.02, row, f"{agreement.models_with(kind)} of {len(agreement.mechanisms)}", transform=ax.get_yaxis_transform(), va="center", fontsize=8)
    ax.set_yticks(range(len(kinds)), [("◆ " if agreement.planted and kind in agreement.planted else "") + kind_name(kind) for kind in kinds], fontsize=8)
    ax.set(ylim=(tallest - 0.5, -0.5), xlim=(-0.02 * last, last), title=agreement.cell, xlabel="ms before the response")


def kinds_over_time(agreements):
    """Panels of cells whose mechanism a model names, or of which it is known."""
    shown = [each for each in agreements if each.kinds()]
    if not shown:
        return None
    every = [time for each in shown for kind in each.kinds() for time in [*each.times(kind), *each.planted_times.get(kind, [])]]
    last = 20 * np.ceil((1.1 * max(every, default=100)) / 20)
    columns = min(2, len(shown))
    rows = -(-len(shown) // columns)
    tallest = max(len(each.kinds()) for each in shown)
    figure, axes = plt.subplots(rows, columns, figsize=(9, rows * (0.3 * tallest + 1.1)), squeeze=False)
    for ax in axes.flat[len(shown):]:
        ax.set_visible(False)
    for ax, each in zip(axes.flat, shown):
        kinds_panel(ax, each, tallest, last)
    figure.tight_layout(w_pad=1.5)
    return svg(figure)
