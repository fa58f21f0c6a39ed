# SPDX-License-Identifier: Apache-2.0
"""What the phenomenon figures say, in words: present, absent, and how far the model has come."""
import re

import numpy as np

from results import text

TITLES = {"osr": "Omitted-stimulus response", "latency": "Latency coding", "reversal": "Motion reversal", "anticipation": "Motion anticipation"}
CAPTIONS = {
    "osr": "A train of dark flashes (black ticks) stops; the dotted red line is where the next flash would have come. A cell with an omitted-stimulus response "
           "fires after the gap, later the longer the period: the latency from the last flash (right) grows along a line of slope near 1.",
    "latency": "Responses to a single 20 ms dark flash. The stronger the flash, the earlier the peak: the right panel falls from weak to strong contrast.",
    "reversal": "A dark bar moves right, turns at time 0 and moves back; colours are the places where it turns. The burst has nearly the same latency wherever "
                "the bar turns (right panel flat) and is larger than anything smooth motion gives.",
    "anticipation": "Response against the position of the moving bar, over the profile of responses to bars flashed there (grey). The moving bar's peak lies ahead "
                    "of the flashed profile's centre: to the left for motion to the right, and to the right for motion to the left.",
}
UNJUDGED = "shown by the network; the cell's own is not known"
REASON = {0: "not shown", -1: "absent: too weak", -2: "absent: no peak inside the window", -3: "absent: too few responses", -4: "not clearly larger than the expected event", -5: "no effect",
          -6: "uncertain: too few resampled sets of trials show it"}


def figure_text(data, cell, name, truth=None):
    """One phenomenon of one cell of one subject: (text, css class). With the circuit as `truth` of recorded trials, a figure where the circuit
    itself shows no such phenomenon is called noise."""
    value = lambda key, *rest: float(np.asarray(data[key].values[(0, cell, *rest)]))
    flag = int(value(f"{name}_present"))
    if flag in (0, -1, -2, -3):
        return REASON[flag], "no"
    if name == "osr":
        words = f"slope {value('osr_slope'):.2f}, OSR/ongoing {value('osr_ratio'):.1f}"
    elif name == "latency":
        words = f"shift {value('latency_shift_ms'):.0f} ms" + (", monotonic" if value("latency_monotonic") == 1 else "")
    elif name == "reversal":
        words = f"{value('reversal_latency_mean_ms'):.0f} ± {value('reversal_latency_sd_ms'):.0f} ms, burst/smooth {value('reversal_ratio'):.1f}"
    else:
        ahead = np.asarray(data["anticipation_ahead_um"].values[0, cell], float)
        words = " / ".join(f"{a:+.0f}" for a in ahead) + " µm ahead"
    if truth is not None and int(truth[f"{name}_present"].values[0, cell]) not in (1, flag):
        return words + "; within trial noise: the circuit does not show it", "no"
    return (words, "yes") if flag == 1 else (words + "; " + REASON.get(flag, "absent"), "part" if flag in (-4, -6) else "no")


LEAST_TRACE_CORRELATION = 0.8
FAMILIES = {"osr": ("osr",), "latency": ("latency",), "reversal": ("reversal",), "anticipation": ("moving_bar", "flashed_bar")}


def trace_correlation(truth, model, cell, name):
    """Correlation of a model's responses with the circuit's over all frames of a phenomenon's stimuli; NaN where one of them is constant."""
    kinds = [str(condition).split("/")[0].split("@")[0] for condition in truth["condition"].values]
    shown = [i for i, kind in enumerate(kinds) if kind in FAMILIES[name]]
    a, b = (np.asarray(data["rate"].values[shown, cell], float).ravel() for data in (truth, model))
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 2 or not (np.ptp(a[both]) > 0 and np.ptp(b[both]) > 0):
        return np.nan
    return float(np.corrcoef(a[both], b[both])[0, 1])


def reproduces(truth, model, cell, name):
    """Whether a model shows the phenomenon its circuit shows: "yes", "in part" or "no". "yes" needs the phenomenon, its figures, and responses that
    correlate with the circuit's by LEAST_TRACE_CORRELATION or more."""
    if int(truth[f"{name}_present"].values[0, cell]) != 1:
        return None
    if int(model[f"{name}_present"].values[0, cell]) not in (1, -4, -6):
        return "no"
    get = lambda data, key: np.asarray(data[key].values[0, cell], float)
    if name == "osr":
        a, b = float(get(truth, "osr_slope")), float(get(model, "osr_slope"))
        ratio = float(get(model, "osr_ratio"))
        close, some = b > 0.8 * a and ratio >= 2, b > 0.3 * a and ratio > 0.5
    elif name == "latency":
        a, b = float(get(truth, "latency_shift_ms")), float(get(model, "latency_shift_ms"))
        close, some = b > 0.7 * a, b > 0.25 * a
    elif name == "reversal":
        a, b = float(get(model, "reversal_ratio")), float(get(model, "reversal_latency_sd_ms"))
        close, some = a >= 2 and b < 15, a > 1 and b < 40
    else:
        a, b = np.nanmean(get(truth, "anticipation_ahead_um")), np.nanmean(get(model, "anticipation_ahead_um"))
        close, some = b > 0.7 * a, b > 0.3 * a
    close = close and int(model[f"{name}_present"].values[0, cell]) == 1 and trace_correlation(truth, model, cell, name) >= LEAST_TRACE_CORRELATION
    return "yes" if close else "in part" if some else "no"


def shows(truth, cell):
    """Phenomena the circuit of a cell shows."""
    return [name for name in TITLES if int(truth[f"{name}_present"].values[0, cell]) == 1]


def trial_noise(recorded):
    """A sentence on the noise in the column of recorded trials."""
    found = re.search(r"^trials = (\d+)$", text(recorded.attrs.get("step_study", "")), re.M)
    trials = f"{found.group(1)} noisy trials" if found else "a limited number of noisy trials"
    return f"The recorded column is measured on means over {trials} and carries their noise; the true values are the circuit's."
