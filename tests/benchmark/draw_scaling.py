# SPDX-License-Identifier: Apache-2.0
"""The figure of scaling.py: efficiency of a training step against ranks, strong and weak, by the model."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "analysis"))
from scaling_model import strong_efficiency, weak_efficiency, whole  # noqa: E402
from style import SERIES, plt  # noqa: E402

TITLES = {"infiniband": "InfiniBand", "ethernet": "Ethernet"}
MOST_WEAK = 1024


def band(axis, ranks, values, colour, name):
    """Between messages in turn (the lower edge) and at once."""
    lower, upper = (list(edge) for edge in zip(*values))
    axis.fill_between(ranks, lower, upper, color=colour, alpha=0.3, lw=0)
    axis.plot(ranks, upper, color=colour, lw=1.3)
    axis.plot(ranks, lower, color=colour, lw=1.3, label=name)


def name_of(name, link):
    return f"{TITLES.get(name, name)}, {1e6 * link.latency:g} µs, {link.bandwidth / 1e9:g} GB/s"


def draw(network, machine, links, parts, weak_parts, path):
    figure, (strong, weak) = plt.subplots(1, 2, figsize=(8.4, 3.3), sharey=True, facecolor="white")
    ranks = list(range(1, parts + 1))
    strong.plot(ranks, [parts / (r * whole(parts).most(r)) for r in ranks], color="0.5", lw=1, ls=":", label="whole parts alone")
    for colour, (name, link) in zip((SERIES[1], SERIES[0], *SERIES[2:]), links.items()):
        band(strong, ranks, [[strong_efficiency(network, machine, link, parts, r, way) for way in (False, True)] for r in ranks], colour, name_of(name, link))
        doubled = [2**power for power in range(MOST_WEAK.bit_length())]
        band(weak, doubled, [[weak_efficiency(network, machine, link, weak_parts, r, way) for way in (False, True)] for r in doubled], colour, name_of(name, link))
    strong.set(title=f"strong: a batch of {parts} parts", xlabel="ranks", ylabel="efficiency (model)", ylim=(0, 1.03), xlim=(0, parts + 1))
    weak.set(title=f"weak: {weak_parts} parts a rank", xlabel="ranks", xscale="log")
    weak.set_xticks([1, 4, 16, 64, 256, 1024], ["1", "4", "16", "64", "256", "1,024"])
    weak.minorticks_off()
    for axis in (strong, weak):
        axis.set_facecolor("white")
    figure.legend(*strong.get_legend_handles_labels(), ncol=3, loc="upper center", bbox_to_anchor=(0.5, 0.02))
    figure.tight_layout()
    figure.savefig(path, facecolor="white", dpi=110, bbox_inches="tight", metadata={"Date": None} if path.endswith("svg") else None)
