# SPDX-License-Identifier: Apache-2.0
"""Learning curves, predicted against recorded rates, and first-layer filters."""
import numpy as np

from results import labels
from style import FAINT, INK, LN, MODEL, SERIES, TRUTH, plt, svg


def learning_curves(curves):
    """Loss and validation correlation against windows seen."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 2.9))
    seen = curves["windows"] / 1000
    for key, colour, name in (("train_loss", FAINT, "training"), ("validation_loss", MODEL, "validation")):
        if key in curves:
            axes[0].plot(seen, curves[key], color=colour, marker="o", ms=3, label=name)
    axes[0].set(xlabel="windows seen (thousand)", ylabel="Poisson loss", title="Loss")
    axes[0].legend()
    cells = [k for k in curves if k.startswith("r_")]
    for key, colour in zip(cells, SERIES):
        axes[1].plot(seen, curves[key], color=colour, lw=1, label=key[len("r_"):])
    axes[1].plot(seen, curves["validation_r"], color=INK, lw=2, label="mean")
    axes[1].set(xlabel="windows seen (thousand)", ylabel="r with single trials", title="Validation correlation")
    axes[1].legend(ncol=2, loc="lower right")
    return svg(figure)


def raster(ax, trials, top):
    """Spike times of every trial as ticks below 0, a row a trial, all in one path; `top` is the height of the rates above."""
    times = np.concatenate(trials)
    middle = -top * 0.04 * np.repeat(1 + np.arange(len(trials)), [len(each) for each in trials])
    gap = np.full(len(times), np.nan)
    ax.plot(np.column_stack([times, times, gap]).ravel(), np.column_stack([middle - 0.015 * top, middle + 0.015 * top, gap]).ravel(), color=FAINT, lw=0.7,
            solid_capstyle="butt")


def predicted_rates(evaluation, seconds=8.0):
    """Noiseless or trial-mean rate, predictions and single trials over the liveliest stretch of the test movie, one row per cell."""
    cells, models = labels(evaluation, "cell"), labels(evaluation, "model")
    time = evaluation["frame"].values / 1000.0
    truth_name = "noiseless_rate" if "noiseless_rate" in evaluation else "trial_mean_rate"
    truth = evaluation[truth_name].values
    step = np.median(np.diff(time))
    width = min(len(time), int(seconds / step))
    power = np.convolve(np.nanvar(truth / np.nanmax(truth, axis=1, keepdims=True), axis=0), np.ones(width), "valid")
    a = int(np.argmax(power))
    span = slice(a, a + width)
    figure, axes = plt.subplots(len(cells), 1, figsize=(9, 1.55 * len(cells) + 0.5), sharex=True, squeeze=False)
    for n, (cell, ax) in enumerate(zip(cells, axes[:, 0])):
        if "trial_rate" in evaluation:
            trials = evaluation["trial_rate"].values[:, n, span]
            raster(ax, [time[span][t > 0] for t in trials], float(np.nanmax(truth[n, span])))
        ax.fill_between(time[span], truth[n, span], color=TRUTH, alpha=0.35, lw=0, label="simulated rate" if truth_name == "noiseless_rate" else "mean of trials")
        for m, model in enumerate(models):
            r = float(evaluation["score"].values[m, n])
            ax.plot(time[span], evaluation["rate"].values[m, n, span], color=LN if model == "ln" else MODEL, lw=1.0 if model == "ln" else 1.5,
                    label=f"{'LN' if model == 'ln' else model} r = {r:.2f}")
        ax.set_title(cell)
        ax.legend(loc="lower right", ncol=3, bbox_to_anchor=(1, 0.98))
        ax.set_yticks([tick for tick in ax.get_yticks() if 0 <= tick <= ax.get_ylim()[1]])  # below 0 are the spikes
        ax.set_ylabel("Hz")
    axes[-1, 0].set_xlabel("time in the test movie (s)")
    figure.tight_layout()
    return svg(figure)


def ceiling_applies(evaluation, reference):
    """Whether the scores have a ceiling below 1: they are against the mean of few trials, whose noise no model can predict."""
    return reference == "trial_mean" and "noise_ceiling" in evaluation and bool(np.isfinite(evaluation["noise_ceiling"].values).any())


def score_bars(evaluation, reference):
    """Score of every model and cell with its interval, and its ceiling where the scores are against the mean of the trials."""
    cells, models = labels(evaluation, "cell"), labels(evaluation, "model")
    figure, ax = plt.subplots(figsize=(9, 2.6))
    width = 0.8 / len(models)
    lowest = np.nanmin([0.0, *evaluation["score"].values.flat, *evaluation["score_interval"].values.flat])
    for m, model in enumerate(models):
        x = np.arange(len(cells)) + (m - (len(models) - 1) / 2) * width
        value, interval = evaluation["score"].values[m], evaluation["score_interval"].values[m]
        ax.bar(x, value, width * 0.92, color=LN if model == "ln" else MODEL, label="LN" if model == "ln" else model)
        ax.vlines(x, interval[:, 0], interval[:, 1], color=INK, lw=1)
    if ceiling_applies(evaluation, reference):
        ax.plot(np.arange(len(cells)), evaluation["noise_ceiling"].values, "_", color=INK, ms=22, label="noise ceiling")
    ax.set_xticks(np.arange(len(cells)), cells)
    ax.set(ylabel="score (r)", ylim=(1.05 * lowest, 1))
    ax.axhline(0, color=FAINT, lw=0.6)
    ax.legend(ncol=3, loc="lower right", bbox_to_anchor=(1, 1))
    return svg(figure)


def channel_words(reduction, channel):
    """"ON", or "ON, then OFF" where the largest lobe answers the other."""
    words = {1: "ON", -1: "OFF"}
    first, heights = int(reduction["channel_polarity"].values[channel]), reduction["lobe_height"].values[channel]
    if first not in words:
        return "neither"
    # Heights are relative to the largest lobe, with the sign of the gain.
    largest = int(np.sign(heights[int(np.nanargmax(np.abs(heights)))]))
    return words[first] + ("" if largest == first else f", then {words[largest]}")


def filters(attributions, reduction=None):
    """Each first-layer channel in space (at its strongest lag) and in time, with its polarity."""
    kernel = attributions["kernel"].values
    names = labels(attributions, "channel")
    lag = attributions["lag"].values
    gain = attributions["gain"].values.reshape(len(names), -1)
    columns = min(8, len(names))
    rows = -(-len(names) // columns)
    figure, axes = plt.subplots(2 * rows, columns, figsize=(9, 2.9 * rows), squeeze=False, gridspec_kw=dict(height_ratios=[1.25, 1] * rows))
    for ax in axes.flat[:]:
        ax.set_visible(False)
    for c, name in enumerate(names):
        space, time = axes[2 * (c // columns), c % columns], axes[2 * (c // columns) + 1, c % columns]
        power = (kernel[c] ** 2).sum(axis=(1, 2))
        image = kernel[c, int(np.argmax(power))] * np.sign(np.median(gain[c]) or 1)
        top = np.abs(image).max() or 1
        space.set_visible(True)
        space.imshow(image, cmap="RdBu_r", vmin=-top, vmax=top, interpolation="nearest")
        space.set(xticks=[], yticks=[])
        label = name.split("/")[-1]
        if reduction is not None and "channel_polarity" in reduction:
            label += "\n" + channel_words(reduction, c)
        space.set_title(label, fontsize=8, linespacing=1.1)
        time.set_visible(True)
        trace = reduction["temporal_filter"].values[c] if reduction is not None and "temporal_filter" in reduction else kernel[c].sum(axis=(1, 2))
        axis = reduction["lag"].values if reduction is not None and "temporal_filter" in reduction else lag
        time.plot(axis, trace * np.sign(np.median(gain[c]) or 1), color=MODEL)
        time.axhline(0, color=FAINT, lw=0.6)
        time.set(yticks=[], xticks=[0, 200, 400])
        time.invert_xaxis()
        time.spines["left"].set_visible(False)
        if c // columns == rows - 1:
            time.set_xlabel("ms before", fontsize=8)
    figure.tight_layout(w_pad=0.3)
    return svg(figure)
