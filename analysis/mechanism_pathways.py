# SPDX-License-Identifier: Apache-2.0
"""Pathways of pathways.h5 as the values of a mechanism file; `n` counts cells and `k` pathways. Words and claims are those of fitted.py."""
import math

import numpy as np

from fitted import LINEAR, SIGN, disputed, disputed_words, number_of, number_words, pathway_words, sign_of, value, why_not_fitted
from mechanism_values import put, put_list
from pathways import POLARITY
from results import labels

LOBE_THRESHOLD = 0.2  # of the largest lobe: src/pathway/evidence.cpp, docs/reduction.md
FORM = "rate_hz = log(1 + exp(beta_per_hz u)) / beta_per_hz, u = rest_hz + sum over pathways of weight_hz h"
ACTIVITY = ("h = max(0, threshold_contrast + sum over lags and pixels of temporal.values[lag] spatial.values[y][x] contrast(t - lag, centre + offset)); pixels are counted from 0, where the centre is not a "
            "whole pixel the profile is interpolated; what lies outside of the movie has contrast 0")
SHARE = ("modulation_hz over its sum over the cell's pathways; modulation_hz is the standard deviation of weight_hz h over the fitted frames (`spread` of pathways.h5). Pathways that vary together are "
         "counted each for itself")
FITS = {2: ["fit to the first half", "fit to the second half"], 3: ["fit to the first half", "fit to the second half", "next best start"]}
NO_PIXEL = "the size of a pixel is not in pathways.h5 (pixel_um)"


CLAIMS = ("sign", "polarity", "peak", "place")


def answers(data, n, k, claim):
    """{fit: whether it says the same} of the fits that were compared; None where an older file only counts them."""
    if "agrees" not in data:
        return None
    said = data["agrees"].values[n, k, :, labels(data, "claim").index(claim)]
    names = {"first half": FITS[2][0], "second half": FITS[2][1]}
    return {names.get(fit, fit): bool(each) for fit, each in zip(labels(data, "other_fit"), said) if each >= 0}


def who(said, fits, agree):
    """Who disputes a claim; an older file counts the fits that agree and does not name them."""
    if fits == 0:
        return "no other fit was compared"
    if said is not None:
        return ", ".join(fit for fit, same in said.items() if not same)
    against = fits - agree
    names = FITS.get(fits, [f"{fits} other fits"])
    return ", ".join(names) if against == fits else f"{against} of these (the file does not say which): {', '.join(names)}"


def claims_of(data, n, k):
    """State of each claim, by the rule of docs/pathways.md; a linear pathway claims neither sign nor polarity."""
    disputes = {claim: (agree, fits) for claim, agree, fits in disputed(data, n, k)}
    claims = {}
    for claim in CLAIMS:
        if claim in ("sign", "polarity") and sign_of(data, n, k) == 0:
            claims[claim] = {"state": "not claimed", "why": LINEAR}
            continue
        agree, fits = int(value(data, f"agree_{claim}", n, k)), int(value(data, "fits", n, k))
        said = answers(data, n, k, claim)
        claims[claim] = {"state": "disputed" if claim in disputes else "agreed", "fits": fits, "agreeing": agree}
        if said is not None:
            claims[claim]["agrees"] = said
        if claim in disputes:
            claims[claim]["disputed_by"] = who(said, fits, agree)
    return claims


def runs(course):
    """(first, last + 1) of the runs of one sign of a time course, zeros left out."""
    sign = np.sign(np.nan_to_num(course))
    edges = [0, *(np.flatnonzero(np.diff(sign)) + 1), len(sign)]
    return [(a, b) for a, b in zip(edges[:-1], edges[1:]) if sign[a] != 0]


def lobe(lag, course, span):
    at = span[0] + int(np.argmax(np.abs(course[slice(*span)])))
    return {"polarity": "ON" if course[at] > 0 else "OFF", "peak_ms": float(lag[at]), "height": float(abs(course[at]) / np.nanmax(np.abs(course)))}


def put_lobes(target, lag, course, polarity):
    """The first lobe has the polarity that the file names, the largest one the largest value."""
    lobes = [lobe(lag, course, span) for span in runs(course)]
    first = [each for each in lobes if each["polarity"] == POLARITY[polarity] and each["height"] >= LOBE_THRESHOLD]
    target["first_lobe"] = first[0] if first else None
    if not first:
        target["first_lobe_why"] = "no lobe of the pathway's polarity reaches 0.2 of the largest one"
    target["largest_lobe"] = max(lobes, key=lambda each: each["height"], default=None)
    if not lobes:
        target["largest_lobe_why"] = "the filter is 0"


def put_place(target, data, n, k, centre):
    """Relative to the receptive field's centre and, where that is known, in the movie (px from the first pixel's middle)."""
    pixel_um = float(data.attrs.get("pixel_um", 0)) or math.nan
    for axis, at in zip("yx", centre.position_px):
        offset = value(data, f"offset_{axis}", n, k)
        put(target, f"offset_{axis}_px", offset, "not in pathways.h5")
        put(target, f"offset_{axis}_um", offset * pixel_um, NO_PIXEL)
        put(target, f"{axis}_px", at + offset, centre.why)
        put(target, f"{axis}_um", (at + offset) * pixel_um, centre.why if not math.isfinite(at) else NO_PIXEL)


def filters_of(data, n, k):
    """Temporal and spatial filter with their axes; each one's absolute values sum to 1."""
    temporal, spatial = {}, {}
    put_list(temporal, "lag_ms", data["lag"].values, "no axis")
    put_list(temporal, "values", data["time_course"].values[n, k], "not in pathways.h5")
    for axis in "yx":
        put_list(spatial, f"offset_{axis}_px", data[f"profile_{axis}"].values, "no axis")
    put_list(spatial, "values", data["profile"].values[n, k], "not in pathways.h5")
    return temporal, spatial


def pathway_of(data, n, k, centre):
    sign, polarity = sign_of(data, n, k), int(value(data, "polarity", n, k))
    linear = sign == 0
    found = {"pathway": k + 1, "linear": linear, "words": pathway_words(data, n, k), "sign": None if linear else SIGN[sign], "polarity": None if linear else POLARITY[polarity]}
    if linear:
        found |= {"sign_why": LINEAR, "polarity_why": LINEAR, "first_lobe": None, "first_lobe_why": LINEAR, "largest_lobe": None, "largest_lobe_why": LINEAR}
    else:
        put_lobes(found, data["lag"].values, data["time_course"].values[n, k], polarity)
    for key, name in (("peak_ms", "peak_lag"), ("weight_hz", "weight"), ("threshold_contrast", "threshold"), ("closed_share", "closed")):
        put(found, key, value(data, name, n, k), f"`{name}` is not known in pathways.h5")
    put_place(found, data, n, k, centre)
    spread = data["spread"].values[n, :number_of(data, n)] if "spread" in data else np.full(number_of(data, n), np.nan)
    total = float(np.sum(spread))
    put(found, "modulation_hz", spread[k], "`spread` is not in pathways.h5")
    put(found, "modulation_share", spread[k] / total if total > 0 else math.nan, "`spread` is not in pathways.h5, or 0")
    found["type"] = int(value(data, "type", n, k)) + 1
    found["claims"] = claims_of(data, n, k)
    found["temporal"], found["spatial"] = filters_of(data, n, k)
    return found


def number(data, n):
    """How many pathways, what the halves found, and the held-out curve."""
    own, found = number_of(data, n), {"words": number_words(data, n)}
    fitted = own >= 0
    put(found, "pathways", own if fitted else math.nan, why_not_fitted(data, n))
    for half, count in zip(("first", "second"), data["pathways_of_half"].values[n]):
        put(found, f"pathways_of_{half}_half", int(count) if count >= 0 else math.nan, why_not_fitted(data, n))
    against = [f"{half} half: {int(count)}" for half, count in zip(("first", "second"), data["pathways_of_half"].values[n]) if count != own]
    found["state"] = ("disputed" if against else "agreed") if fitted else "not known"
    if fitted and against:
        found["disputed_by"] = ", ".join(against)
    tried = np.isfinite(data["held_out"].values[n])
    curve = {"pathways": data["number"].values[tried].astype(int).tolist()}
    for key, name in (("above_lowest_nats_per_s", "held_out"), ("standard_error_nats_per_s", "held_out_error"), ("loss_nats_per_s", "held_out_loss"), ("loss_standard_error_nats_per_s", "held_out_loss_error")):
        if name in data:
            put_list(curve, key, data[name].values[n][tried], "not known in pathways.h5")
    found["held_out"] = curve
    members = {}
    for k in range(max(0, own)):
        members.setdefault(int(value(data, "type", n, k)) + 1, []).append(k + 1)
    found["types"] = [{"type": kind, "pathways": group} for kind, group in members.items()]
    return found


def output_of(data, n):
    found = {"form": FORM, "activity": ACTIVITY}
    for key, name in (("rest_hz", "rest"), ("beta_per_hz", "beta")):
        put(found, key, data[name].values[n] if name in data else math.nan, f"`{name}` is not in pathways.h5" if name not in data else why_not_fitted(data, n))
    return found


def term(data, n, k, centre):
    """"+ 180 Hz x [ON, peak 70 ms, at (24.5, 24.5) px, above 0.02]"."""
    weight = value(data, "weight", n, k)
    kind = POLARITY[int(value(data, "polarity", n, k))] if sign_of(data, n, k) else "linear"
    offset = [value(data, f"offset_{axis}", n, k) for axis in "yx"]
    known = all(math.isfinite(each) for each in centre.position_px)
    y, x = (at + (centre.position_px[i] if known else 0) for i, at in enumerate(offset))
    place = f"at ({y:.1f}, {x:.1f}) px" + ("" if known else " from the cell's centre")
    return f"{'-' if weight < 0 else '+'} {abs(weight):.3g} Hz x [{kind}, peak {value(data, 'peak_lag', n, k):.0f} ms, {place}, above {-value(data, 'threshold', n, k) + 0.0:.2g}]"


def equation_of(data, n, centre):
    """The model in one line, and a sentence for every pathway and for the output."""
    if number_of(data, n) < 0:
        return {"line": None, "line_why": why_not_fitted(data, n), "sentences": []}
    terms = [term(data, n, k, centre) for k in range(number_of(data, n))]
    output = output_of(data, n)
    rest = "c" if output["rest_hz"] is None else f"{output['rest_hz']:.3g} Hz"
    sentences = []
    for k, of_pathway in enumerate(terms):
        doubt = disputed_words(data, n, k)
        sentences.append(f"Pathway {k + 1} adds {of_pathway}: {pathway_words(data, n, k)}" + (f"; {doubt}" if doubt else "") + ".")
    beta = "" if output["beta_per_hz"] is None else f" with beta = {output['beta_per_hz']:.3g} per Hz"
    sentences.append(f"Output: u, the sum of {rest} and the pathways, becomes rate = softplus(u) = log(1 + exp(beta u)) / beta{beta}.")
    return {"line": f"rate = softplus({' '.join([rest, *terms])})", "sentences": sentences, "brackets": "[filter, above a] is max(0, filter output - a), a = -threshold_contrast"}
