#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""readme_figure.py RESULTS_FOLDER OUT.png: one cell's omitted-stimulus response, the network's, and the pathways behind it."""
import sys

import numpy as np

import figures_mechanism as mechanism
from figures_phenomena import conditions_of, trace
from pathways import pathway_name, used
from results import Study, labels
from style import FAINT, MODEL, SERIES, TRUTH, plt


def main(folder, out, cell=0):
    study = Study(folder)
    circuit, network, reduction = study.responses["circuit"], study.responses["network"], study.reductions["network"]
    names = labels(circuit, "condition")
    condition = next(c for c in conditions_of(circuit, "osr") if names[c].endswith("=100"))
    figure, axes = plt.subplots(1, 3, figsize=(11, 2.9), facecolor="white")
    for data, colour, label in ((circuit, TRUTH, "simulated cell"), (network, MODEL, "trained network")):
        time, rate = trace(data, condition, cell)
        inside = time > -420
        if data is circuit:
            axes[0].fill_between(time[inside], rate[inside], color=colour, alpha=0.4, lw=0, label=label)
        else:
            axes[0].plot(time[inside], rate[inside], color=colour, label=label)
    axes[0].eventplot([-400, -300, -200, -100, 0], lineoffsets=-4, linelengths=4, colors="black", linewidths=2)
    axes[0].axvline(100, color=SERIES[0], ls=":", lw=1)
    axes[0].set(title="A flash is left out (dotted): the cell fires", xlabel="ms from the last flash", ylabel="Hz")
    axes[0].legend(loc="upper left")
    stimulus = labels(reduction, "stimulus").index("osr")
    shown = labels(reduction, "condition").index(names[condition])
    time, count = mechanism.condition_time(reduction, shown)
    kept = used(reduction, (cell, stimulus))
    parts = reduction["attribution"].values[cell, shown, kept, :count]
    unused = [p for p in np.flatnonzero(reduction["kept"].values[cell, stimulus] == 1) if p not in kept]
    rest = reduction["attribution_rest"].values[cell, shown, :count] + reduction["attribution"].values[cell, shown, unused, :count].sum(axis=0)
    mechanism.stack(axes[1], time, [*parts, rest], [*(SERIES[p] for p in kept), FAINT])
    for p in kept:
        axes[1].plot([], [], color=SERIES[p], lw=5, label=pathway_name(reduction, cell, (stimulus, p)))
    axes[1].plot(time, reduction["rate"].values[cell, shown, :count] - reduction["rest"].values[cell], color="black")
    axes[1].set(title="which pathways make the network fire", xlabel="ms from the last flash", ylabel="Hz above rest")
    axes[1].legend(fontsize=7)
    axes[2].fill_between(time, reduction["rate"].values[cell, shown, :count], color=MODEL, alpha=0.3, lw=0, label="network: 10,368 units")
    axes[2].plot(time, reduction["reduced"].values[cell, shown, :count], color=SERIES[0], label=f"reduced model: {len(kept)} pathways")
    axes[2].set(title="and how few are enough", xlabel="ms from the last flash", ylabel="Hz")
    axes[2].legend()
    for ax in axes:
        ax.set_facecolor("white")
        ax.set_ylim(top=1.35 * ax.get_ylim()[1])  # room for the legend
    figure.tight_layout()
    figure.savefig(out, dpi=110, facecolor="white")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: readme_figure.py RESULTS_FOLDER OUT.png")
    main(*sys.argv[1:])
