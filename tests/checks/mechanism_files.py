# SPDX-License-Identifier: Apache-2.0
"""Made-up results of a study of four simulated cells, as the program writes them, for mechanism_test.py."""
import json
import os

import h5py
import numpy as np
import xarray as xr

CELLS = ["on/off 1", "On_Off 1", "none", "unfit"]
SLOTS, LAGS, HEIGHT, WIDTH, FRAMES, DISCARDED, PIXEL_UM = 3, 12, 5, 7, 60, 8, 50.0
CENTRES = {"y": [12.0, 10.5, 9.0, 8.0], "x": [14.0, 16.0, 9.0, 8.0]}
COLUMNS = ("weight", "threshold", "polarity", "peak_lag", "offset_y", "offset_x", "closed", "spread", "type", "fits", "agree_sign", "agree_polarity", "agree_peak", "agree_place")
PATHWAYS = [[(180, -0.02, 1, 70, 0.5, 2, 0.6, 30, 0, 3, 3, 2, 1, 0), (-500, 0.04, -1, 100, -1, -2, 0.25, 15, 1, 3, 3, 3, 3, 3), (8, 0.1, 1, 60, 0, 0, 0.0009, 5, 2, 3, 0, 0, 3, 2)],
            [(90, 0.1, -1, 80, 1, 0, 0.3, 10, 0, 2, 1, 2, 2, 2), (85, 0.1, -1, 80, -1, 0, 0.3, 9, 0, 4, 3, 2, 4, 4)], [], None]
HALVES = [(3, 2), (2, 2), (0, 0), (-1, -1)]
HELD_OUT = [([20, 5, 0.1, 0], [1, 0.3, 0.2, 0]), ([3, 1, 0, np.nan], [0.5, 0.1, 0, np.nan]), ([0, 0.1, np.nan, np.nan], [0, 0.1, np.nan, np.nan]), ([np.nan] * 4, [np.nan] * 4)]
STUDY = "[study]\nname = \"made up\"\n[evaluation]\ndiscard_frames = 8\n[model]\nchannels = [4, 4]\n"
STEP = "[recording]\ncells = []\ncentres = \"auto\"\ntarget = \"binned\"\n"
ATTRIBUTES = {"frame_ms": 10.0, "pixel_um": PIXEL_UM, "study": STUDY, "step_study": STEP, "study_hash": "0123456789abcdef", "run_study_file": "made_up.toml", "run_version": "9.8.7", "run_commit": "c0ffee",
              "run_commit_dirty": "0", "run_started": "2026-01-02T03:04:05Z", "inputs": json.dumps([{"role": "recording", "path": "nowhere/recording.h5", "checksum": "feedbeef"}])}
RATES = np.random.default_rng(5).gamma(2.0, 5.0, (len(CELLS), FRAMES))


def courses():
    """Time courses with a small first and a large second lobe where the peak is late; absolute values sum to 1."""
    random, course = np.random.default_rng(3), np.full((len(CELLS), SLOTS, LAGS), np.nan)
    for n, of_cell in enumerate(PATHWAYS):
        for k, pathway in enumerate(of_cell or []):
            values = 0.01 * random.standard_normal(LAGS)
            values[2], values[pathway[3] // 10 - 1] = 0.4 * pathway[2], -1.0 * pathway[2]  # lags begin at 10 ms
            course[n, k] = values / np.abs(values).sum()
    return course


def answers():
    """Of the fits that were compared the first ones disagree, as many as do not agree."""
    said = np.full((len(CELLS), SLOTS, 3, 4), -1, np.int8)
    for n, of_cell in enumerate(PATHWAYS):
        for k, pathway in enumerate(of_cell or []):
            fits = min(3, pathway[COLUMNS.index("fits")])
            for c, agree in enumerate(pathway[-4:]):
                said[n, k, :fits, c] = np.arange(fits) >= fits - agree
    return said


def network(osr, reversal):
    return np.array([[osr, reversal]] * len(CELLS), float)


def said_in_full():
    """What older files lack: reasons, centres, losses, and which fit says what."""
    return {"not_fitted": ("cell", ["", "", "", "no spikes at all"]), "agrees": (("cell", "pathway", "other_fit", "claim"), answers()), "centre_y": ("cell", [12.25, 10.5, 9.0, np.nan]),
            "centre_x": ("cell", [14.5, 16.0, 9.0, np.nan]), "other_fit": ["first half", "second half", "next best start"], "claim": ["sign", "polarity", "peak", "place"],
            "one_layer": ("cell", np.array([-1, 1, 0, 0], np.int8)), "not_judged": ("cell", np.array([0, 0, 6, 1], np.int8)), "best_number": ("cell", [3, 2, 1, -1]),
            **{name: ("cell", [value, value + 1, np.nan, np.nan]) for value, name in enumerate(("test_loss", "test_loss_error", "network_test_loss", "network_test_loss_error", "network_above",
                                                                                                "network_above_error", "missed", "missed_error"))},
            "network_correlation": (("cell", "stimulus", "pathway"), network((0.9, -0.1, np.nan), (np.nan,) * 3)), "network_share": (("cell", "stimulus", "pathway"), network((0.5, 0.25, 0), (0, 0, 0))),
            "network_rest": (("cell", "stimulus"), [[0.25, np.nan]] * len(CELLS)), "network_pathway": (("cell", "stimulus", "line", "column"), [[[[0, -2], [1, -2]], [[-1, 0], [0, 0]]]] * len(CELLS)),
            "stimulus": ["osr", "reversal"], "line": ["channel 0", "channel 1"], "held_out_loss": (("cell", "number"), [np.array(each[0]) - 30 for each in HELD_OUT]), "held_out_loss_error": (("cell", "number"), [np.array(each[1]) + 2 for each in HELD_OUT])}


def write_pathways(folder, without=(), more=None, **attributes):
    """As src/pathway/pathway_file.cpp writes it. Lags begin at 10 ms, and profiles are wider than high, so that nothing can be mixed up."""
    found = [each or [] for each in PATHWAYS]
    data = {name: (("cell", "pathway"), [[*(pathway[i] for pathway in of_cell), *[np.nan] * (SLOTS - len(of_cell))] for of_cell in found]) for i, name in enumerate(COLUMNS)}
    profile = np.random.default_rng(4).standard_normal((len(CELLS), SLOTS, HEIGHT, WIDTH))
    for n, of_cell in enumerate(found):
        profile[n, len(of_cell):] = np.nan
    fitted = [each is not None for each in PATHWAYS]
    data |= {"time_course": (("cell", "pathway", "lag"), courses()), "profile": (("cell", "pathway", "profile_y", "profile_x"), profile / np.abs(profile).sum(axis=(2, 3), keepdims=True)),
             "pathways": ("cell", [-1 if each is None else len(each) for each in PATHWAYS]), "pathways_of_half": (("cell", "half"), HALVES), "rest": ("cell", np.where(fitted, -2.5, np.nan)),
             "beta": ("cell", np.where(fitted, 0.3, np.nan)), "rate": (("cell", "frame"), np.where(np.array(fitted)[:, None], RATES + np.arange(FRAMES) % 3, np.nan))}
    data |= {name: (("cell", "number"), [each[i] for each in HELD_OUT]) for i, name in enumerate(("held_out", "held_out_error"))}
    data |= more or {}
    pixels = lambda extent: np.arange(extent) - float(extent // 2)
    coordinates = {"cell": CELLS, "number": np.arange(SLOTS + 1.0), "lag": 10.0 + 10.0 * np.arange(LAGS), "profile_y": pixels(HEIGHT), "profile_x": pixels(WIDTH), "frame": 10.0 * np.arange(FRAMES)}
    kept = {key: value for key, value in (ATTRIBUTES | attributes).items() if value is not None}
    xr.Dataset(data, attrs={"kind": "pathways", "complete": 1, **kept}, coords=coordinates).drop_vars(without).to_netcdf(os.path.join(folder, "pathways.h5"))


def write_recording(folder):
    """A recording of simulated cells; the first has two units, the second one."""
    with h5py.File(os.path.join(folder, "recording.h5"), "w") as file:
        file.attrs.update({"cells": ",".join(CELLS), "circuits": "mine,osr,osr,osr", "pixel_um": PIXEL_UM, "frame_ms": 10.0, "contrast_zero": 127.0, "contrast_unit": 42.0,
                           "circuit_definitions": "[simulation.circuits.mine]\noffset_hz = -2.0\n"})
        file["unit"] = np.array(["on/off 1/ON_exc", "on/off 1/OFF_inh", "On_Off 1/OFF_exc"], dtype=h5py.string_dtype())
        for name, values in (("unit_cell", [0, 0, 1]), ("unit_sign", [1, -1, 1]), ("unit_polarity", [1, -1, -1]), ("unit_dx", [0.0, -1.5, 2.0]), ("centre_y", CENTRES["y"]), ("centre_x", CENTRES["x"])):
            file[f"simulated/{name}"] = values
        file["simulated/test/rate"], file["test/response/binned"] = RATES, np.roll(RATES, 1, axis=1) / 100


def write_evaluation(folder, checksum="feedbeef", noiseless=True):
    models, rates = ["network", "ln"], RATES[:, DISCARDED:]
    score = np.array([[0.81, 0.72, 0.63, np.nan], [0.5, 0.4, 0.3, np.nan]])
    data = {name: (("model", "cell"), score - i / 100) for i, name in enumerate(("score", "pearson_r", "fev", "feve"))}
    data |= {f"{name}_interval": (("model", "cell", "bound"), np.stack([score - 0.1, score + 0.1], axis=-1)) for name in ("score", "pearson_r", "fev", "feve")}
    data |= {"trial_mean_rate": (("cell", "frame"), np.roll(rates, 2, axis=1)), "noise_ceiling": ("cell", [0.95, 0.9, 0.8, np.nan])}
    if noiseless:
        data["noiseless_rate"] = (("cell", "frame"), rates)
    xr.Dataset(data, coords={"model": models, "cell": CELLS}, attrs={"kind": "evaluation", "complete": 1, "score_reference": "noiseless" if noiseless else "trial_mean", "discarded_frames": float(DISCARDED),
               "study": STUDY, "inputs": json.dumps([{"role": "recording", "path": "recording.h5", "checksum": checksum}])}).to_netcdf(os.path.join(folder, "evaluation.h5"))


def write_responses(folder, subject, latency=1):
    """One cell shows latency coding in the second set alone; anticipation has a direction without a figure."""
    full = lambda value, *more: (("set", "cell", *more), np.full((2, 1) + (2,) * len(more), value, float))
    data = {f"{name}_present": full(-1) for name in ("osr", "latency", "reversal", "anticipation")}
    data |= {name: full(np.nan) for name in ("osr_slope", "osr_slope_low", "osr_slope_high", "latency_shift_ms", "latency_shift_ms_low", "latency_shift_ms_high")}
    data |= {"latency_monotonic": full(-1), "anticipation_ahead_um": full(np.nan, "direction"), "phenomenon_support": (("set", "cell", "phenomenon"), np.full((2, 1, 4), np.nan)), "rest_hz": ("cell", [1.0])}
    for name, value in (("latency_present", latency), ("latency_shift_ms", 52.5), ("latency_shift_ms_low", 40.0), ("latency_shift_ms_high", 61.0), ("latency_monotonic", 1)):
        data[name][1][1, 0] = value
    data["anticipation_ahead_um"][1][0, 0, 1] = 85.0
    data["phenomenon_support"][1][1, 0, 1] = 0.97
    xr.Dataset(data, coords={"set": ["circuits", "bright"], "cell": CELLS[:1], "direction": [1.0, -1.0], "phenomenon": ["osr", "latency", "reversal", "anticipation"]},
               attrs={"kind": "responses", "complete": 1, "subject": subject}).to_netcdf(os.path.join(folder, f"responses_{subject}.h5"))


def write_reduction_and_lesions(folder):
    """Of the first cell: a pathway with a weight and one without; a stimulus that moves it and one that does not."""
    slots = {"kept": [1, 1, 0], "used": [1, 0, 0], "polarity": [1, -1, 0], "later_polarity": [0, 0, 0], "sign": [1, -1, 0], "mixed": [0, 0, 0], "disinhibition": [0, 0, 0], "share": [0.7, 0.2, np.nan],
             "weight": [40.0, 0.0, np.nan], "threshold": [0.1, 0.2, np.nan], "lobe_time": [60.0, 80.0, np.nan], "position": [1.5, 0.0, np.nan]}
    path = os.path.join(folder, "reduction_network.h5")
    xr.Dataset({"share_of_ceiling": ("cell", [0.9])}, coords={"cell": CELLS[:1]}, attrs={"complete": 1, "least_share": 0.6}).to_netcdf(path)
    joint = {name: (("cell", "joint_pathway"), [values]) for name, values in slots.items()} | {name: ("cell", [0.95]) for name in ("r_fitted", "r_held_out", "share_kept")}
    xr.Dataset(joint).to_netcdf(path, group="joint", mode="a")
    curves = {"cmd": (("cell", "stimulus", "order"), [[[0.5, 0.0123], [np.nan, np.nan]]]), "windows_used": (("cell", "stimulus"), [[5, 0]]), "faithfulness_only_pathways": (("cell", "stimulus"), [[0.87, np.nan]])}
    xr.Dataset(curves, coords={"cell": CELLS[:1], "stimulus": ["osr", "latency@bright"], "order": ["random", "attribution"]}, attrs={"complete": 1}).to_netcdf(os.path.join(folder, "lesions_network.h5"))
