# SPDX-License-Identifier: Apache-2.0
"""The four phenomena of one cell, circuit and model side by side, as physiologists draw them."""
import numpy as np

from results import labels
from style import FAINT, INK, LN, MODEL, TRUTH, plt, svg

LOOK = {"circuit": (TRUTH, "circuit"), "recorded": ("#1c9a74", "recorded trials"), "network": (MODEL, "network"), "ln": (LN, "LN")}
SET = 0  # the parameter set drawn: the first of the study


def conditions_of(data, family):
    """Indices of the conditions of a family that belong to the drawn set."""
    names = labels(data, "condition")
    return [i for i, name in enumerate(names) if name.split("/")[0] == family]


def trace(data, condition, cell):
    """Time since the event (ms) and rate of one response."""
    count = int(data["frames"].values[condition])
    event = max(0, int(data["event_frame"].values[condition]))
    step = float(np.diff(data["frame"].values[:2])[0])
    return (np.arange(count) - event) * step, data["rate"].values[condition, cell, :count]


def draw_traces(axes, subjects, cell, chosen, window, titles):
    for ax, condition, title in zip(axes, chosen, titles):
        for name, data in subjects.items():
            time, rate = trace(data, condition, cell)
            inside = (time >= window[0]) & (time <= window[1])
            colour, label = LOOK[name]
            if name == "circuit":
                ax.fill_between(time[inside], rate[inside], color=colour, alpha=0.35, lw=0, label=label)
            elif name != "recorded":
                ax.plot(time[inside], rate[inside], color=colour, lw=1.0 if name == "ln" else 1.5, label=label)
        ax.set_title(title, fontsize=8)


def legend_below(ax, **look):
    """A legend under the axis label, where it covers no line; called after tight_layout, which would give it the panel's room."""
    ax.legend(fontsize=6.5, loc="upper center", bbox_to_anchor=(0.5, -0.24), **{"ncol": 2, "columnspacing": 1.0, **look})


def shown(subjects):
    """Recorded trials have the circuit's traces with noise; they are drawn in the summary panels only."""
    return {k: v for k, v in subjects.items()}


def omitted_stimulus(subjects, cell):
    data = next(iter(subjects.values()))
    chosen = conditions_of(data, "osr")
    if not chosen:
        return None
    periods = data["period_ms"].values[chosen]
    figure, axes = plt.subplots(1, len(chosen) + 1, figsize=(9.6, 2.5), gridspec_kw=dict(width_ratios=[1] * len(chosen) + [1.25]))
    draw_traces(axes[:-1], shown(subjects), cell, chosen, (-320, 420), [f"{p:.0f} ms" for p in periods])
    top = max(ax.get_ylim()[1] for ax in axes[:-1])
    for ax, period in zip(axes[:-1], periods):
        ax.set_ylim(-0.12 * top, top)
        ax.eventplot([t for t in -period * np.arange(12) if t >= -320], lineoffsets=-0.06 * top, linelengths=0.06 * top, colors=INK, linewidths=2)
        ax.axvline(period, color="#d1495b", lw=1, ls=":")
        ax.set_xlabel("ms")
    for ax in axes[1:-1]:
        ax.set_yticks([])
    axes[0].set_ylabel("Hz")
    last = axes[-1]
    for name, d in subjects.items():
        last.plot(d["osr_period"].values, d["osr_latency_ms"].values[SET, cell], "o-", ms=3, color=LOOK[name][0], label=LOOK[name][1])
    last.plot(periods, periods + np.nanmean(data["osr_latency_ms"].values[SET, cell] - data["osr_period"].values), color=FAINT, ls="--", lw=1, label="slope 1")
    last.set(xlabel="period (ms)", title="latency (ms)")
    figure.tight_layout(w_pad=0.4)
    legend_below(last)
    return svg(figure)


def latency_coding(subjects, cell):
    data = next(iter(subjects.values()))
    chosen = conditions_of(data, "latency")
    if not chosen:
        return None
    contrasts = data["contrast"].values[chosen]
    drawn = [n for n in ("circuit", "network", "ln") if n in subjects]
    figure, axes = plt.subplots(1, len(drawn) + 1, figsize=(9.6, 2.5))
    shades = plt.cm.viridis(np.linspace(0.85, 0.1, len(chosen)))
    for ax, name in zip(axes, drawn):
        for condition, contrast, colour in zip(chosen, contrasts, shades):
            time, rate = trace(subjects[name], condition, cell)
            inside = (time >= 0) & (time <= 300)
            ax.plot(time[inside], rate[inside], color=colour, lw=1.1, label=f"{contrast:g}")
        ax.set(title=LOOK[name][1], xlabel="ms from flash")
    axes[0].set_ylabel("Hz")
    for name, d in subjects.items():
        axes[-1].plot(d["latency_contrast"].values, d["latency_ms"].values[SET, cell], "o-", ms=3, color=LOOK[name][0], label=LOOK[name][1])
    axes[-1].set(xlabel="contrast", title="time to peak (ms)")
    figure.tight_layout(w_pad=0.4)
    legend_below(axes[0], ncol=4, title="contrast", title_fontsize=6.5)
    legend_below(axes[-1])
    return svg(figure)


def motion_reversal(subjects, cell):
    data = next(iter(subjects.values()))
    chosen = conditions_of(data, "reversal")
    if not chosen:
        return None
    right = [c for c in chosen if data["direction_of_motion"].values[c] > 0]
    drawn = [n for n in ("circuit", "network", "ln") if n in subjects]
    figure, axes = plt.subplots(1, len(drawn) + 1, figsize=(9.6, 2.5))
    shades = plt.cm.coolwarm(np.linspace(0, 1, len(right)))
    for ax, name in zip(axes, drawn):
        for condition, colour in zip(right, shades):
            time, rate = trace(subjects[name], condition, cell)
            inside = (time >= -500) & (time <= 500)
            ax.plot(time[inside], rate[inside], color=colour, lw=0.9)
        ax.axvline(0, color=FAINT, lw=0.8, ls=":")
        ax.set(title=LOOK[name][1], xlabel="ms from reversal")
    axes[0].set_ylabel("Hz")
    for name, d in subjects.items():
        axes[-1].plot(d["reversal_position"].values, d["reversal_latency_ms"].values[SET, cell, 0], "o-", ms=3, color=LOOK[name][0], label=LOOK[name][1])
    axes[-1].set(xlabel="reversal position (px)", title="latency of the burst (ms)", ylim=(0, 350))
    figure.tight_layout(w_pad=0.4)
    legend_below(axes[-1])
    return svg(figure)


def motion_anticipation(subjects, cell):
    data = next(iter(subjects.values()))
    chosen = conditions_of(data, "moving_bar")
    if not chosen:
        return None
    pixel = float(data.attrs.get("pixel_um", 55.0))
    drawn = [n for n in ("circuit", "network", "ln") if n in subjects]
    figure, axes = plt.subplots(1, len(drawn), figsize=(9.6, 2.5), squeeze=False)
    for ax, name in zip(axes[0], drawn):
        d = subjects[name]
        flash, centre = d["anticipation_flash_hz"].values[SET, cell], d["flash_position"].values * pixel
        if np.isfinite(flash).any():
            ax.fill_between(centre, flash, color=TRUTH, alpha=0.35, lw=0, label="flashed bar (peak)")
        for condition, colour, label in zip(chosen, (MODEL, "#d1495b"), ("moving right", "moving left")):
            count = int(d["frames"].values[condition])
            ax.plot(d["bar_px"].values[condition, :count] * pixel, d["rate"].values[condition, cell, :count], color=colour, lw=1.4, label=label)
        ax.axvline(0, color=FAINT, lw=0.8, ls=":")
        ax.set(title=LOOK[name][1], xlabel="bar position (um)", xlim=(-600, 600))
    axes[0][0].set_ylabel("Hz")
    figure.tight_layout(w_pad=0.4)
    legend_below(axes[0][0], ncol=3)
    return svg(figure)


DRAW = {"osr": omitted_stimulus, "latency": latency_coding, "reversal": motion_reversal, "anticipation": motion_anticipation}
