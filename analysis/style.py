# SPDX-License-Identifier: Apache-2.0
"""One look for every figure: inline SVG whose ink and paper follow the page's light or dark theme."""
import io
import re

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

# Stand-ins that become CSS variables in the page.
INK, FAINT, PAPER = "#0a0b0c", "#8a8b8c", "#fdfefd"
# Colours that read on white and on near-black, and stay apart for colour-blind readers (Okabe and Ito, mid tones).
TRUTH, MODEL, LN, EXCITE, INHIBIT, REST = "#7f7f7f", "#2a7fd1", "#c98a00", "#d1495b", "#2a7fd1", "#9a9a9a"
SERIES = ["#d1495b", "#2a7fd1", "#1c9a74", "#c98a00", "#9c5fc4", "#5aa9c9", "#c76b1f", "#6b8f1a"]

plt.rcParams.update({
    "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9, "axes.titlesize": 9.5, "axes.titleweight": "bold",
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": FAINT, "axes.labelcolor": INK, "axes.titlelocation": "left",
    "xtick.color": FAINT, "ytick.color": FAINT, "xtick.labelcolor": INK, "ytick.labelcolor": INK, "text.color": INK,
    "figure.facecolor": PAPER, "axes.facecolor": PAPER, "savefig.facecolor": PAPER, "legend.frameon": False, "legend.fontsize": 8,
    "lines.linewidth": 1.3, "svg.hashsalt": "amacrine",
})


def svg(figure):
    """The figure as SVG text whose ink, faint and paper colours are CSS variables; closes the figure."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    text = buffer.getvalue()
    text = text[text.index("<svg"):]
    for colour, variable in ((INK, "var(--ink)"), (FAINT, "var(--faint)"), (PAPER, "var(--paper)")):
        text = text.replace(colour, variable)
    return compact(re.sub(r'<svg ', '<svg role="img" ', re.sub(r'(width|height)="[0-9.]+pt"', "", text, count=2), count=1))


def compact(text):
    """The same drawing in fewer bytes: paths to a tenth of a point, other places to a hundredth, no metadata, comments and indentation."""
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r' (d|x|y|width|height|transform)="[^"]*"', rounded, text)
    return re.sub(r"\s*\n\s*", " ", text).replace("> <", "><")


def rounded(attribute):
    """An attribute's match with its numbers rounded; factors of a scale stay. In a path of lines only, a point after a point is a line."""
    if "scale" in attribute[0] or "matrix" in attribute[0]:
        return attribute[0]
    path = attribute[1] == "d"
    text = re.sub(r"-?\d+\.\d{2,}(?![\d.]*e)", lambda number: f"{float(number[0]):.{1 if path else 2}f}".rstrip("0").rstrip("."), attribute[0])
    if not path or re.search("[CQz] ", text):
        return text
    return re.sub(r"\s+(L\s+)?", " ", text)


def unique_ids(text, prefix):
    """SVG ids made unique within a page, so that clip paths of one figure do not cut another."""
    ids = set(re.findall(r'id="([^"]+)"', text))
    text = re.sub(r'id="([^"]+)"', lambda m: f'id="{prefix}-{m.group(1)}"', text)
    text = re.sub(r'url\(#([^)]+)\)', lambda m: f'url(#{prefix}-{m.group(1)})' if m.group(1) in ids else m.group(0), text)
    return re.sub(r'href="#([^"]+)"', lambda m: f'href="#{prefix}-{m.group(1)}"' if m.group(1) in ids else m.group(0), text)
