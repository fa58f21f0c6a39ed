#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_cases.py FOLDER: writes one small recording per case into FOLDER/NAME.h5, each wrong (or odd) in one way.

A case is a function that changes the whole recording before it is written (a dict of arrays by path, with attributes under
"PATH@NAME"; "@NAME" is the file's). run.sh says what the program must do with each.
"""
import sys

import h5py
import numpy as np

FRAMES, TEST_FRAMES, SIZE, TRIALS, FRAME_S = 2400, 600, 24, 5, 0.01
CASES = {}


def case(change):
    CASES[change.__name__] = change
    return change


def noise(frames, seed):
    """Random squares of 4 pixels, -1 or 1, new every third frame."""
    squares = np.random.default_rng(seed).choice([-1, 1], ((frames + 2) // 3, SIZE // 4, SIZE // 4))
    return np.kron(np.repeat(squares, 3, 0)[:frames], np.ones((1, 4, 4)))


def drive(movie, row, column):
    """Hz: an exponential average over a few pixels, 5 frames ago, rectified."""
    seen, trace, out = movie[:, row:row + 8, column:column + 8].mean((1, 2)), 0.0, []
    for value in np.concatenate([np.zeros(5), seen[:-5]]):
        trace += 0.15 * (value - trace)
        out.append(8 + 120 * max(0.0, trace))
    return np.array(out)


def recording():
    rng = np.random.default_rng(8)
    parts = {"train": noise(FRAMES, 1), "test": noise(TEST_FRAMES, 2)}
    places = [(4, 4), (12, 8)]
    r = {f"{part}/stimulus": (127 + 60 * movie).astype(np.uint8) for part, movie in parts.items()}
    r["train/response/binned"] = np.array([rng.poisson(drive(parts["train"], *p) * FRAME_S) for p in places])
    for n, place in enumerate(places):
        rate = drive(parts["test"], *place) * FRAME_S
        r[f"test/repeats/cell{n + 1:02d}"] = rng.poisson(rate, (TRIALS, TEST_FRAMES))
    r["@frame_ms"], r["@pixel_um"] = 1000 * FRAME_S, 50.0
    return r


@case
def whole(r):
    pass


@case
def interval_in_seconds(r):
    r["@frame_ms"] = 0.01


@case
def interval_in_hertz(r):
    r["@frame_ms"] = 60.0


@case
def no_interval(r):
    del r["@frame_ms"]


@case
def axis_in_microseconds(r):
    r["train/time"], r["train/time@units"] = np.arange(FRAMES) * 1e4, "us"


@case
def axis_one_short(r):
    r["train/time"] = np.arange(FRAMES - 1) * FRAME_S


@case
def seventy_two_hertz(r):
    r["@frame_ms"] = 1000 / 72


@case
def hole_in_the_movie(r):
    r["train/stimulus"][500:900] = 0


@case
def frozen_projector(r):
    r["train/stimulus"][999:1299] = r["train/stimulus"][999]


@case
def test_movie_cut_off(r):
    r["test/stimulus"][350:] = 255


@case
def grey_pause(r):
    r["train/stimulus"][1200:1400] = 127


@case
def grey_to_the_end(r):
    for part in ("train", "test"):  # contrast, where what was not written is 0
        r[f"{part}/stimulus"] = ((r[f"{part}/stimulus"].astype(np.float32) - 127) / 60)
    r["train/stimulus"][1000:] = 0


@case
def test_shown_in_training(r):
    r["train/stimulus"][900:900 + TEST_FRAMES] = r["test/stimulus"]


@case
def movie_transposed_alone(r):
    for part in ("train", "test"):
        r[f"{part}/stimulus"] = r[f"{part}/stimulus"].T.copy()


@case
def responses_transposed_alone(r):
    r["train/response/binned"] = r["train/response/binned"].T.copy()


@case
def packed_movie(r):
    r["train/stimulus@scale_factor"], r["train/stimulus@add_offset"] = 0.01, -1.27


@case
def missing_responses(r):
    r["train/response/binned"][1, 700:720] = 99
    r["train/response/binned@_FillValue"] = 99


@case
def bytes_as_contrast(r):
    r["@contrast_zero"], r["@contrast_unit"] = 0.0, 1.0


@case
def zero_without_unit(r):
    r["@contrast_zero"] = 127.0


@case
def unit_is_nan(r):
    r["train/stimulus@contrast_zero"], r["train/stimulus@contrast_unit"] = 127.0, float("nan")


@case
def lost_cell(r):
    r["train/response/binned"][0, 1299:] = 0
    r["train/response/binned"][0, 1299] = 1


@case
def rates_per_bin_without_test_rates(r):
    counts = r.pop("train/response/binned")
    kernel = np.exp(-0.5 * np.arange(-4, 5) ** 2)
    r["train/response/firing_rate_10ms"] = np.array([np.convolve(c, kernel / kernel.sum(), "same") for c in counts])


@case
def short_test(r):
    for path in [p for p in r if p.startswith("test/")]:
        r[path] = r[path][:110] if path.endswith("stimulus") else r[path][:, :110]


@case
def empty_trials(r):
    r["test/repeats/cell01"][2:4] = 0


@case
def responses_early(r):
    r["train/response/binned"] = np.roll(r["train/response/binned"], -10, 1)


@case
def responses_of_one_cell_late(r):
    r["train/response/binned"][1] = np.roll(r["train/response/binned"][1], 40)


@case
def trial_at_another_trigger(r):
    for path in ("test/repeats/cell01", "test/repeats/cell02"):
        r[path][3] = np.roll(r[path][3], 30)


@case
def trial_of_one_cell_shifted(r):
    rate = 4 * drive(noise(TEST_FRAMES, 2), 12, 8) * FRAME_S
    r["test/repeats/cell02"] = np.random.default_rng(9).poisson(rate, (TRIALS, TEST_FRAMES))
    r["test/repeats/cell02"][0] = np.roll(r["test/repeats/cell02"][0], -25)


@case
def scales_apart(r):
    r["test/stimulus"] = (r["test/stimulus"].astype(np.float32) - 127) / 60


@case
def names_of_fixed_length(r):
    r["@cells"] = np.array([b"brisk ON", b"slow, OFF"])


def write(path, r):
    with h5py.File(path, "w") as f:
        for name, value in r.items():
            if "@" not in name:
                f[name] = value
        for name, value in r.items():
            if "@" in name:
                dataset, attribute = name.split("@")
                (f[dataset] if dataset else f).attrs[attribute] = value


if __name__ == "__main__":
    for name, change in CASES.items():
        changed = recording()
        change(changed)
        write(f"{sys.argv[1]}/{name}.h5", changed)
