# SPDX-License-Identifier: Apache-2.0
"""Attributions as stacked pathways over time, and the reduced model beside the network."""
import numpy as np
from matplotlib.colors import to_rgb

from pathways import pathway_name, stimulus_title, used
from results import labels
from style import FAINT, INK, SERIES, plt, svg


def stack(ax, time, parts, colours):
    """Positive parts piled up above zero, negative ones below."""
    parts = np.nan_to_num(np.asarray(parts))
    up, down = np.zeros(parts.shape[1]), np.zeros(parts.shape[1])
    for part, colour in zip(parts, colours):
        high, low = np.maximum(part, 0), np.minimum(part, 0)
        ax.fill_between(time, up, up + high, color=colour, alpha=0.75, lw=0)
        ax.fill_between(time, down, down + low, color=colour, alpha=0.75, lw=0)
        up, down = up + high, down + low


def condition_time(reduction, condition):
    frame = reduction["frame"].values
    count = int(reduction["condition_frames"].values[condition])
    return frame[:count], count


def channel_colours(reduction, cell):
    """A colour per first-layer channel, the same in all figures of a cell: the six that carry most, then grey."""
    order = np.argsort(-np.nansum(reduction["channel_share"].values[cell], axis=0))
    colours = [FAINT] * len(order)
    for colour, channel in zip(SERIES[:6], order):
        colours[channel] = colour
    return colours


def pathway_colours(reduction, cell, stimulus, kept):
    """Each kept pathway in its channel's colour; further pathways of a channel ever paler."""
    colours, seen = channel_colours(reduction, cell), {}
    result = {}
    for p in kept:
        channel = int(reduction["path_channel"].values[cell, stimulus, p])
        strength = 0.6 ** seen.setdefault(channel, 0)
        seen[channel] += 1
        result[p] = tuple(1 - strength * (1 - value) for value in to_rgb(colours[channel]))
    return result


def pathway_traces(reduction, cell, condition):
    """W*s, G and A of each kept pathway over time for one condition, with the network's response."""
    stimulus = int(reduction["condition_stimulus"].values[condition])
    time, count = condition_time(reduction, condition)
    kept = used(reduction, (cell, stimulus))
    all_kept = np.flatnonzero(reduction["kept"].values[cell, stimulus] == 1)
    names = labels(reduction, "channel")
    colours = pathway_colours(reduction, cell, stimulus, kept)
    figure, axes = plt.subplots(1, 3, figsize=(9, 2.9))
    drive, downstream, attribution = (reduction[v].values[cell, condition, :, :count] for v in ("drive", "downstream", "attribution"))
    for p in kept:
        channel = names[int(reduction["path_channel"].values[cell, stimulus, p])].split("/")[-1]
        axes[0].plot(time, drive[p], color=colours[p], label=f"{channel}: {pathway_name(reduction, cell, (stimulus, p))}")
        axes[1].plot(time, downstream[p], color=colours[p])
    rest = reduction["attribution_rest"].values[cell, condition, :count] + sum(attribution[p] for p in all_kept if p not in kept)
    stack(axes[2], time, [*attribution[kept], rest], [*(colours[p] for p in kept), FAINT])
    axes[2].plot(time, reduction["rate"].values[cell, condition, :count] - reduction["rest"].values[cell], color=INK, lw=1.4)
    for ax, title, unit in zip(axes, ("What the pathway sees, W*s", "What it is worth, G", "What it contributes, A"), ("", "Hz per unit", "Hz above rest")):
        ax.axhline(0, color=FAINT, lw=0.6)
        ax.set(title=title, xlabel="ms", ylabel=unit)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="upper center", ncol=min(3, max(1, len(kept))), bbox_to_anchor=(0.5, 0.02))
    figure.tight_layout()
    return svg(figure)


def reduced_responses(reduction, cell, stimulus):
    """Network and reduced model for the conditions of one stimulus, held-out ones marked."""
    conditions = [i for i in range(reduction.sizes["condition"]) if int(reduction["condition_stimulus"].values[i]) == stimulus]
    if len(conditions) > 8:
        conditions = [conditions[i] for i in np.linspace(0, len(conditions) - 1, 8).astype(int)]
    names = labels(reduction, "condition")
    figure, axes = plt.subplots(1, len(conditions), figsize=(9, 1.9), sharey=True, squeeze=False)
    for ax, i in zip(axes[0], conditions):
        time, count = condition_time(reduction, i)
        ax.fill_between(time, reduction["rate"].values[cell, i, :count], color=FAINT, alpha=0.4, lw=0)
        ax.plot(time, reduction["reduced"].values[cell, i, :count], color=SERIES[0])
        held = reduction["held_out"].values[i] == 1
        title = names[i].split("/", 1)[-1].replace("_", " ")
        ax.set_title((title[:22] + "…" if len(title) > 23 else title) + ("*" if held else ""), fontsize=6.5, color=SERIES[0] if held else INK)
        ax.set_xticks([0, time[-1]] if count else [])
    axes[0, 0].set_ylabel("Hz")
    axes[0, 0].set_xlabel("ms")
    return svg(figure)


def shares(reduction, cell):
    """Share of each first-layer channel in the response, per stimulus."""
    share = reduction["channel_share"].values[cell]
    stimuli, channels = labels(reduction, "stimulus"), labels(reduction, "channel")
    figure, ax = plt.subplots(figsize=(9, 0.42 * len(stimuli) + 0.9))
    left = np.zeros(len(stimuli))
    order = np.argsort(-np.nansum(share, axis=0))
    colours = channel_colours(reduction, cell)
    for rank, c in enumerate(order):
        value = np.nan_to_num(share[:, c])
        ax.barh(np.arange(len(stimuli)), value, left=left, color=colours[c], alpha=0.85, edgecolor="none", label=channels[c].split("/")[-1] if rank < 6 and value.max() >= 0.01 else None)
        left += value
    ax.set_yticks(np.arange(len(stimuli)), [stimulus_title(s) for s in stimuli])
    ax.invert_yaxis()
    ax.set(xlabel="share of the summed |attribution|", xlim=(0, 1))
    ax.legend(ncol=6, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return svg(figure)


def representative(reduction, cell, stimulus):
    """The condition of a stimulus in which the cell answers most."""
    rate = reduction["rate"].values[cell]
    chosen = [i for i in range(reduction.sizes["condition"]) if int(reduction["condition_stimulus"].values[i]) == stimulus]
    peaks = [np.nanmax(rate[i]) if np.isfinite(rate[i]).any() else -1 for i in chosen]
    return chosen[int(np.argmax(peaks))] if chosen else None
