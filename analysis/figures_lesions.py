# SPDX-License-Identifier: Apache-2.0
"""What is left of a network's responses where only some of its first-layer units keep their activity."""
import numpy as np

from pathways import stimulus_title
from results import labels
from style import EXCITE, FAINT, INK, SERIES, TRUTH, plt, svg

# Orders by their name in the file: words, colour, dashes.
OURS = "attribution"
ORDERS = {OURS: ("path attribution", EXCITE, "-"), "signed_attribution": ("signed attribution", EXCITE, ":"), "activation": ("activation", FAINT, "-"),
          "gradient": ("gradient × activation", FAINT, "--"), "ablation": ("single-unit ablation", FAINT, "-."), "random": ("random", FAINT, ":")}
PER_ROW = 4  # stimuli
LIMITS = (-0.5, 1.6)  # of the axis; curves may leave it


def shown(data, n):
    """Stimuli of a cell that have curves."""
    return [s for s in range(data.sizes["stimulus"]) if int(data["windows_used"].values[n, s]) > 0]


def silent(data, n):
    return [stimulus_title(labels(data, "stimulus")[s]) for s in range(data.sizes["stimulus"]) if s not in shown(data, n)]


def band(ax, part, draws):
    """Mean and standard deviation of the random orders."""
    mean, spread = draws.mean(axis=0), draws.std(axis=0)
    ax.fill_between(part, mean - spread, mean + spread, color=FAINT, alpha=0.25, lw=0)


def curves(ax, data, n, s, which):
    """Curves of one cell and stimulus; `which`: "faithfulness" or "faithfulness_without"."""
    part = data["size_units"].values / float(data["size_units"].values[-1])
    inner = part > 0
    ax.axhline(0, color=FAINT, lw=0.5)
    ax.axhline(1, color=FAINT, lw=0.5)
    band(ax, part[inner], data[f"random_{which}"].values[n, s][:, inner])
    for name in reversed(labels(data, "order")):  # ours last, on top
        words, colour, dashes = ORDERS[name]
        values = data[which].values[n, s, labels(data, "order").index(name)]
        ax.plot(part[inner], values[inner], color=colour, ls=dashes, lw=2 if name == OURS else 1.1, label=words)
    ax.set(xscale="log", ylim=LIMITS, xlim=(part[inner][0], 1), yticks=[0, 0.5, 1])


def of_cell(data, n):
    """A panel of two per stimulus, as many beside each other as the page holds: kept alone above, removed below."""
    stimuli = shown(data, n)
    columns = min(PER_ROW, len(stimuli))
    rows = 2 * -(-len(stimuli) // PER_ROW)
    figure, axes = plt.subplots(rows, columns, figsize=(max(4.2, 2.4 * columns), 1.9 * rows + 0.4), sharex=True, sharey=True, squeeze=False, layout="constrained")
    for i in range(rows // 2 * columns):
        kept, removed = axes[2 * (i // columns), i % columns], axes[2 * (i // columns) + 1, i % columns]
        if i >= len(stimuli):
            kept.remove(), removed.remove()
            continue
        curves(kept, data, n, stimuli[i], "faithfulness")
        curves(removed, data, n, stimuli[i], "faithfulness_without")
        kept.set_title(stimulus_title(labels(data, "stimulus")[stimuli[i]]))
    for row in range(rows):
        axes[row, 0].set_ylabel("without these" if row % 2 else "with these alone")
    figure.supxlabel("part of the first layer's units, the first of the order", fontsize=9)
    handles, words = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles[::-1], words[::-1], loc="lower center", bbox_to_anchor=(0.5, 1), ncol=min(6, 3 * columns))
    return svg(figure)


def cmd_rows(data):
    """Per cell and stimulus: windows used of those that respond, the CMD of each order, random ones with their standard deviation, and what the pathways alone leave."""
    rows = []
    for n, cell in enumerate(labels(data, "cell")):
        for s, stimulus in enumerate(labels(data, "stimulus")):
            used, responding = int(data["windows_used"].values[n, s]), int(data["windows_responding"].values[n, s])
            values = data["cmd"].values[n, s]
            alone = float(data["faithfulness_only_pathways"].values[n, s])
            words = [f"{value:.3f}" for value in values] if used else ["" for _ in values]
            if used:
                words[labels(data, "order").index("random")] += f" ± {data['random_cmd'].values[n, s].std():.3f}"
            rows.append([cell, (stimulus_title(stimulus), "text"), f"{used} of {responding}" if used else "silent", *words, "" if np.isnan(alone) else f"{alone:.2f}"])
    return rows


def without_pathways(data, n, s):
    """The condition with the largest response: the network, without each pathway, and with the pathways alone."""
    pathways = [p for p in range(data.sizes["pathway"]) if int(data["pathway_units"].values[n, s, p]) >= 0]
    members = [c for c in range(data.sizes["condition"]) if int(data["condition_stimulus"].values[c]) == s]
    if not pathways or not members:
        return None
    rest = float(data["rest"].values[n])
    best = max(members, key=lambda c: np.nanmax(np.abs(data["rate"].values[n, c] - rest)))
    count = int(data["condition_frames"].values[best])
    time = data["frame"].values[:count]
    figure, axes = plt.subplots(1, len(pathways) + 1, figsize=(2.2 * (len(pathways) + 1), 2.1), sharex=True, sharey=True, squeeze=False, layout="constrained")
    traces = [(f"without pathway {p + 1}", data["without_pathway"].values[n, best, p, :count], SERIES[i % len(SERIES)]) for i, p in enumerate(pathways)]
    traces.append(("these pathways alone", data["only_pathways"].values[n, best, :count], INK))
    for ax, (title, trace, colour) in zip(axes[0], traces):
        ax.axhline(rest, color=FAINT, lw=0.6, ls=":")
        ax.plot(time, data["rate"].values[n, best, :count], color=TRUTH, lw=2.2, alpha=0.6)
        ax.plot(time, trace, color=colour)
        ax.set_title(title)
        ax.set_xlabel("ms")
    axes[0, 0].set_ylabel("Hz")
    return svg(figure)
