#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""draw_curves.py CURVES.txt OUT.svg: the error of each rule against its panels, from what attribution_curves.py printed."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "analysis"))
from style import SERIES, plt  # noqa: E402

NAMES = {"right": "right ends (the lab's loop)", "midpoint": "midpoints", "trapezoid": "trapezoids", "gauss-legendre": "Gauss-Legendre",
         "secant": "secants (ours)"}


def read(path):
    curves = {}
    for line in open(path):
        words = line.split()
        if words[:1] == ["curve"]:
            curves.setdefault(words[1], []).append([float(word) for word in words[2:]])
    return curves


def main(source, out):
    curves = read(source)
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.3), sharey=True, facecolor="white")
    for axis, column, title in zip(axes, (1, 2), ("median of rows", "99th percentile of rows")):
        for colour, (rule, name) in zip(SERIES, NAMES.items()):
            points = curves[rule]
            axis.loglog([p[0] for p in points], [p[column] for p in points], marker="o", ms=3, color=colour, label=name)
        axis.axhline(0.01, color="0.6", lw=0.8, ls=":")
        axis.set_title(title)
        axis.set_xlabel("gradients along the path")
        axis.set_xticks([4, 8, 16, 32, 64, 128], ["4", "8", "16", "32", "64", "128"])
        axis.minorticks_off()
    axes[0].set_ylabel("row error  $\\Sigma|A - A^*|\\,/\\,\\Sigma|A^*|$")
    axes[1].legend(loc="lower left")
    figure.tight_layout()
    figure.savefig(out, facecolor="white", dpi=110, metadata={"Date": None} if out.endswith("svg") else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
