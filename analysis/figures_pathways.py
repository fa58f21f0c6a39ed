# SPDX-License-Identifier: Apache-2.0
"""Pathways fitted to a cell's spikes: filters in time and space, and how many there are."""
import textwrap

import numpy as np
from matplotlib.colors import to_rgb

from fitted import disputed, disputed_words, number_of, pathway_words, sign_of
from style import EXCITE, FAINT, INHIBIT, INK, LN, REST, plt, svg

SIGN_COLOUR = {1: EXCITE, -1: INHIBIT, 0: REST}
OPPOSITE = LN  # of parts of a profile that see light the other way round
LABEL_WIDTH = 108  # characters of a row's label
LINEAR_UP_TO = 0.1  # nats per second: above it the axis of the held-out likelihood is logarithmic


def label_of(data, n, k):
    """A row's label, with a line of its own for what is disputed."""
    lines = textwrap.wrap(f"{k + 1}. {pathway_words(data, n, k)}", LABEL_WIDTH)
    return "\n".join(lines + textwrap.wrap(disputed_words(data, n, k), LABEL_WIDTH))


def time_course(ax, data, n, k):
    """The filter over time, the present at the right; dashed where the sign is disputed."""
    lag, course = data["lag"].values, data["time_course"].values[n, k]
    doubt = any(claim == "sign" for claim, *_ in disputed(data, n, k))
    ax.axhline(0, color=FAINT, lw=0.6)
    ax.axvline(float(data["peak_lag"].values[n, k]), color=FAINT, lw=0.8, ls=":")
    ax.plot(lag, course, color=SIGN_COLOUR[sign_of(data, n, k)], lw=1.6, ls="--" if doubt else "-")
    ax.set(yticks=[], xlim=(lag.max(), lag.min()))
    ax.spines["left"].set_visible(False)


def tinted(profile, colour):
    """An image (y, x, rgba): the colour where the profile is positive, amber where negative, the more opaque the larger; the page's paper is seen through it."""
    image = np.where((profile >= 0)[..., None], to_rgb(colour), to_rgb(OPPOSITE))
    return np.concatenate([image, np.abs(profile)[..., None] / (np.abs(profile).max() or 1)], axis=-1)


def profile(ax, data, n, k):
    """The filter over space around the receptive field's centre, in pixels and, where their size is known, in micrometres."""
    x, y = data["profile_x"].values, data["profile_y"].values
    ax.imshow(tinted(data["profile"].values[n, k], SIGN_COLOUR[sign_of(data, n, k)]), extent=(x[0] - 0.5, x[-1] + 0.5, y[-1] + 0.5, y[0] - 0.5), aspect="equal", interpolation="nearest")
    ax.axhline(0, color=FAINT, lw=0.5)
    ax.axvline(0, color=FAINT, lw=0.5)
    ax.plot(float(data["offset_x"].values[n, k]), float(data["offset_y"].values[n, k]), "+", color=INK, ms=6, mew=1)
    ax.spines[:].set_visible(True)
    reach = max(step for step in (1, 2, 5, 10, 20, 50, 100) if step <= max(x[-1], 1))
    ax.set(xticks=[-reach, 0, reach], yticks=[-reach, 0, reach], ylabel="px")
    pixel_um = float(data.attrs.get("pixel_um", 0))
    if pixel_um > 0:
        beside = ax.secondary_yaxis("right", functions=(lambda px: px * pixel_um, lambda um: um / pixel_um))
        beside.set_yticks([-reach * pixel_um, 0, reach * pixel_um])
        beside.set_ylabel("µm", labelpad=1)


def held_out(ax, data, n):
    """Minus log likelihood of held-out frames above the lowest against the number of pathways, two standard errors as bars."""
    number, above, error = data["number"].values, data["held_out"].values[n], 2 * data["held_out_error"].values[n]
    there = np.isfinite(above)
    chosen = number == number_of(data, n)
    ax.axhline(0, color=FAINT, lw=0.6)
    ax.vlines(number[there], (above - error)[there], (above + error)[there], color=INK, lw=1.2)
    ax.plot(number[there & ~chosen], above[there & ~chosen], "o", color=FAINT, ms=4)
    ax.plot(number[there & chosen], above[there & chosen], "o", color=INK, ms=7)
    ax.set_yscale("symlog", linthresh=LINEAR_UP_TO, linscale=0.7)
    top = max(2 * LINEAR_UP_TO, float(np.nanmax((above + error)[there], initial=0)))
    bottom = min(-0.03, float(np.nanmin((above - error)[there], initial=0)))
    ticks = [tick for tick in (-10, -1, -0.1, 0, 0.1, 1, 10, 100, 1000) if bottom <= tick <= 1.6 * top]
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.yaxis.set_minor_locator(plt.NullLocator())
    ax.set(ylim=(1.2 * bottom, 1.6 * top), xlim=(number[0] - 0.5, number[-1] + 0.5), xticks=number)
    ax.set(xlabel="number of pathways", ylabel="above the lowest\n(nats/s)", title=f"number chosen: {number_of(data, n)}")


def panels(rows, lines):
    """A figure with rows of time course, profile, gap and a last panel, and room for labels of so many lines between the rows."""
    height, gap = 1.5, 0.4 + 0.17 * lines  # inches
    figure = plt.figure(figsize=(9.6, rows * height + (rows - 1) * gap))
    return figure, figure.add_gridspec(rows, 4, width_ratios=[2, 1, 0.3, 1.2], left=0, right=1, bottom=0, top=1, wspace=0.25, hspace=gap / height)


def pathways_of_cell(data, n):
    """A row per pathway, the one that moves the rate most first; beside the first the choice of their number."""
    rows = max(0, number_of(data, n))
    figure, grid = panels(max(1, rows), max([1, *(label_of(data, n, k).count("\n") + 1 for k in range(rows))]))
    for k in range(rows):
        course, space = figure.add_subplot(grid[k, 0]), figure.add_subplot(grid[k, 1])
        time_course(course, data, n, k)
        profile(space, data, n, k)
        course.set_title(label_of(data, n, k), fontsize=8.5, fontweight="normal", linespacing=1.25)
        if k == rows - 1:
            course.set_xlabel("ms before the response")
            space.set_xlabel("px from the centre")
    if rows == 0:
        empty = figure.add_subplot(grid[0, 0])
        empty.set_axis_off()
        empty.text(0, 0.5, "no pathway: a constant rate predicts\nthe held-out spikes as well", va="center")
    held_out(figure.add_subplot(grid[0, 3]), data, n)
    return svg(figure)
