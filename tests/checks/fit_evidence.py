#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fit_evidence.py FOLDER: what pathways.h5 says of the network in the folder, computed again in numpy from evaluation.h5 and attributions_network.h5 by docs/results/pathways.md."""
import os
import sys

import h5py
import numpy as np

HISTORY, DISCARDED, LEAST_BLOCKS, BLOCK = 40, 40, 16, 384


def read(folder, name):
    with h5py.File(os.path.join(folder, name), "r") as file:
        return {key: item[()] for key, item in file.items() if isinstance(item, h5py.Dataset)}


def text(values):
    return [v.decode() for v in values]


def loss(rate, target):
    return np.maximum(rate, 1e-30) - target * np.log(np.maximum(rate, 1e-30))


def check_losses(fit, evaluation):
    """Evaluations leave out the first 40 frames, the fit 39: one frame may make a difference of one frame's loss."""
    frames = fit["rate"].shape[1]
    length = min(BLOCK, max(HISTORY, (frames - HISTORY + 1) // LEAST_BLOCKS))
    end = HISTORY - 1 + (frames - HISTORY + 1) // length * length
    at = text(evaluation["model"]).index("network")
    for n, name in enumerate(text(fit["cell"])):
        terms = loss(evaluation["rate"][at, n].astype(float), evaluation["trial_mean_rate"][n].astype(float))[:end - DISCARDED]
        one_frame = 2 * np.abs(terms).max() / len(terms)
        assert abs(terms.mean() - fit["network_test_loss"][n]) <= one_frame, f"{name}: network_test_loss is {fit['network_test_loss'][n]}, the evaluation's rates say {terms.mean()}"
        if fit["best_number"][n] == fit["pathways"][n]:
            own = loss(fit["rate"][n, DISCARDED:end].astype(float), evaluation["trial_mean_rate"][n, :end - DISCARDED].astype(float))
            assert abs(own.mean() - fit["test_loss"][n]) <= 2 * np.abs(own).max() / len(own), f"{name}: test_loss is {fit['test_loss'][n]}, the file's rates say {own.mean()}"
        above = fit["network_test_loss"][n] - fit["test_loss"][n]
        assert abs(above - fit["network_above"][n]) <= 1e-9 * max(1, abs(fit["network_test_loss"][n])), f"{name}: network_above is not the difference of the losses"
        assert (fit["one_layer"][n] == -1) == (fit["network_above"][n] < -2 * fit["network_above_error"][n]), f"{name}: the verdict is not that of the rule"
        assert (fit["one_layer"][n] == 0) == (fit["not_judged"][n] != 0), f"{name}: a verdict has a reason against it, or none is judged without"


def check_groups(fit, attributions):
    """Full fields: the share of each pathway is that of the channels that follow it."""
    first, count = attributions["stimulus_first_window"], attributions["stimulus_windows"]
    names, cells = text(attributions["stimulus"]), text(attributions["cell"])
    checked = 0
    for n, name in enumerate(text(fit["cell"])):
        for s, stimulus in enumerate(text(fit["stimulus"])):
            rest, share, group = fit["network_rest"][n, s], np.nan_to_num(fit["network_share"][n, s]), fit["network_pathway"][n, s]
            if not np.isfinite(rest):
                continue
            assert abs(share.sum() + rest - 1) <= 1e-9, f"{name}, {stimulus}: shares and rest add up to {share.sum() + rest}"
            if (group[:, 1:] != -2).any() or len(group) != attributions["attribution"].shape[2]:
                continue  # bars, and channels whose units of both signs are apart
            windows = np.concatenate([np.arange(first[i], first[i] + count[i]) for i, each in enumerate(names) if each.split("/")[0] == stimulus])
            absolute = np.abs(attributions["attribution"][windows, cells.index(name)].astype(float)).sum(axis=0)
            for k in range(fit["pathways"][n]):
                expected = absolute[group[:, 0] == k].sum() / absolute.sum()
                assert abs(expected - share[k]) <= 1e-6, f"{name}, {stimulus}: pathway {k + 1} has a share of {share[k]}, its channels {expected}"
                checked += 1
    assert checked > 0 or not (fit["pathways"] > 0).any(), "no share was compared"


if __name__ == "__main__":
    found = read(sys.argv[1], "pathways.h5")
    check_losses(found, read(sys.argv[1], "evaluation.h5"))
    check_groups(found, read(sys.argv[1], "attributions_network.h5"))
