#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_advice.py FOLDER: recordings that are wrong, and what becomes of them when the program's advice is followed.

A case of make_cases.py or of this file is written to FOLDER/NAME.h5; each way to mend it that its message names, to
FOLDER/NAME_mended.h5, FOLDER/NAME_mended2.h5, ... advice.sh says what the messages are.
"""
import sys

import numpy as np

from make_cases import CASES, FRAME_S, FRAMES, TEST_FRAMES, recording, write

MENDED = {}


def wrong(change):
    CASES[change.__name__] = change
    MENDED.setdefault(change.__name__, [])
    return change


def mends(name):
    def add(change):
        MENDED.setdefault(name, []).append(change)
        return change
    return add


def as_contrast(r, part):
    r[f"{part}/stimulus"] = (r[f"{part}/stimulus"].astype(np.float32) - 127) / 60


def cut(r, part, begin, end):
    """Keeps frames [begin, end) of a part."""
    for path in [p for p in r if p.startswith(part) and "@" not in p]:
        r[path] = r[path][begin:end] if path.endswith(("stimulus", "time")) else r[path][..., begin:end]


# Time
@mends("axis_in_microseconds")
def _(r):
    r["train/time"], r["train/time@units"] = np.arange(FRAMES) * FRAME_S, "s"


@mends("axis_one_short")
def _(r):
    r["train/time"] = np.arange(FRAMES) * FRAME_S


@wrong
def axis_that_goes_back(r):
    r["train/time"] = np.arange(FRAMES) * FRAME_S
    r["train/time"][1200:] -= 3


@mends("axis_that_goes_back")
def _(r):
    r["train/time"] = np.arange(FRAMES) * FRAME_S


@mends("axis_that_goes_back")
def _(r):
    del r["train/time"]


@wrong
def axis_with_doubled_frames(r):
    steps = np.full(FRAMES, FRAME_S)
    steps[100::40] *= 2
    r["train/time"] = np.cumsum(steps)
    del r["@frame_ms"]


@mends("axis_with_doubled_frames")
def _(r):
    r["train/time"] = np.arange(FRAMES) * FRAME_S


@mends("axis_with_doubled_frames")
def _(r):
    del r["train/time"]
    r["@frame_ms"] = 1000 * FRAME_S


@wrong
def axis_without_unit(r):
    r["train/time"] = np.arange(FRAMES) * 1000 * FRAME_S
    del r["@frame_ms"]


@mends("axis_without_unit")
def _(r):
    r["train/time@units"] = "ms"


@mends("axis_without_unit")
def _(r):
    r["@frame_ms"] = 1000 * FRAME_S


@wrong
def axis_against_attribute(r):
    r["train/time"], r["@frame_ms"] = np.arange(FRAMES) * FRAME_S, 20.0


@mends("axis_against_attribute")
def _(r):
    r["@frame_ms"] = 10.0


@mends("interval_in_seconds")
def _(r):
    r["@frame_ms"] = 10.0


# Movies
@mends("movie_transposed_alone")
def _(r):
    for part in ("train", "test"):
        r[f"{part}/stimulus"] = r[f"{part}/stimulus"].T.copy()


@mends("responses_transposed_alone")
def _(r):
    r["train/response/binned"] = r["train/response/binned"].T.copy()


@mends("packed_movie")
def _(r):
    for part in ("train", "test"):
        r[f"{part}/stimulus"] = 0.01 * r[f"{part}/stimulus"].astype(np.float32) - 1.27
    del r["train/stimulus@scale_factor"], r["train/stimulus@add_offset"]


@mends("scales_apart")
def _(r):
    as_contrast(r, "train")


@wrong
def spreads_apart(r):
    r["test/stimulus"] = (127 + (r["test/stimulus"].astype(int) - 127) // 10).astype(np.uint8)


@mends("spreads_apart")
def _(r):
    r["test/stimulus"] = (127 + (r["test/stimulus"].astype(int) - 127) * 10).astype(np.uint8)


@mends("test_movie_cut_off")
def _(r):
    cut(r, "test", 0, 350)


@mends("test_movie_cut_off")
def _(r):
    r["test/stimulus"] = recording()["test/stimulus"]


@mends("hole_in_the_movie")
def _(r):
    r["train/stimulus"] = recording()["train/stimulus"]


@mends("grey_to_the_end")
def _(r):
    r["train/stimulus"] = recording()["train/stimulus"]
    as_contrast(r, "train")


@mends("test_shown_in_training")
def _(r):
    cut(r, "train", 900 + TEST_FRAMES, FRAMES)


@mends("bytes_as_contrast")
def _(r):
    r["@contrast_zero"], r["@contrast_unit"] = 127.0, 60.0


@mends("zero_without_unit")
def _(r):
    r["@contrast_unit"] = 60.0


@mends("zero_without_unit")
def _(r):
    del r["@contrast_zero"]


@wrong
def wide_screen(r):
    for part in ("train", "test"):
        r[f"{part}/stimulus"] = np.tile(r[f"{part}/stimulus"], (1, 1, 3))[:, :, :70]


@wrong
def movie_that_was_not_written(r):
    r["train/stimulus"][:] = 0


@mends("movie_that_was_not_written")
def _(r):
    r["train/stimulus"] = recording()["train/stimulus"]


@wrong
def brief(r):
    cut(r, "train", 0, 600)


@wrong
def test_movie_of_other_frames(r):
    r["test/stimulus"] = r["test/stimulus"][:, :20]


@mends("test_movie_of_other_frames")
def _(r):
    r["train/stimulus"] = r["train/stimulus"][:, :20]


# Responses
@mends("missing_responses")
def _(r):
    r["train/response/binned"][1, 700:720] = 0


@wrong
def zero_called_missing(r):
    r["train/response/binned@_FillValue"] = 0


@mends("zero_called_missing")
def _(r):
    del r["train/response/binned@_FillValue"]


@wrong
def first_cell_silent(r):
    r["train/response/binned"][0] = 0


@mends("empty_trials")
def _(r):
    r["test/repeats/cell01"] = r["test/repeats/cell01"][[0, 1, 4]]
    r["test/repeats/cell02"] = r["test/repeats/cell02"][[0, 1, 4]]


@mends("trial_at_another_trigger")
def _(r):
    for path in ("test/repeats/cell01", "test/repeats/cell02"):
        r[path][3] = np.roll(r[path][3], -30)


@mends("trial_at_another_trigger")
def _(r):
    for path in ("test/repeats/cell01", "test/repeats/cell02"):
        r[path] = np.delete(r[path], 3, 0)


@mends("responses_early")
def _(r):
    r["train/response/binned"] = r["train/response/binned"][:, :-10]
    r["train/stimulus"] = r["train/stimulus"][10:]


@mends("lost_cell")
def _(r):
    cut(r, "train", 0, 1300)


@wrong
def z_scored_responses(r):
    counts = r["train/response/binned"]
    r["train/response/binned"] = (counts - counts.mean()) / counts.std()


@mends("z_scored_responses")
def _(r):
    r["train/response/binned"] = recording()["train/response/binned"]


@wrong
def one_value_is_missing(r):
    r["train/response/binned"] = r["train/response/binned"].astype(np.float32)
    r["train/response/binned"][1, 77] = np.nan


@mends("one_value_is_missing")
def _(r):
    r["train/response/binned"][1, 77] = 0


@wrong
def cells_copied(r):
    r["train/response/binned"][1] = r["train/response/binned"][0]


@mends("cells_copied")
def _(r):
    r["train/response/binned"][1] = recording()["train/response/binned"][1]


@wrong
def trials_copied(r):
    r["test/repeats/cell02"][2:] = r["test/repeats/cell02"][1]


@mends("trials_copied")
def _(r):
    for path in ("test/repeats/cell01", "test/repeats/cell02"):
        r[path] = r[path][:2]


@mends("trials_copied")
def _(r):
    r["test/repeats/cell02"] = recording()["test/repeats/cell02"]


@wrong
def pixels_in_metres(r):
    r["@pixel_um"] = 5e-5


@mends("pixels_in_metres")
def _(r):
    r["@pixel_um"] = 50.0


@mends("pixels_in_metres")
def _(r):
    del r["@pixel_um"]


@wrong
def one_name_for_two_cells(r):
    r["@cells"] = "brisk ON"


@mends("one_name_for_two_cells")
def _(r):
    r["@cells"] = "brisk ON,slow OFF"


def smoothed(counts):
    kernel = np.exp(-0.5 * np.arange(-4, 5) ** 2)
    return np.array([np.convolve(c, kernel / kernel.sum(), "same") for c in counts]) / FRAME_S


def with_rates(r):
    r["train/response/firing_rate_10ms"] = smoothed(r["train/response/binned"])


@wrong
def rates_called_counts(r):
    with_rates(r)
    r["train/response/binned"] = np.round(r["train/response/firing_rate_10ms"])


@wrong
def smooth_rates_called_counts(r):
    with_rates(r)
    r["train/response/binned"] = r["train/response/firing_rate_10ms"]


@wrong
def counts_called_rates(r):
    r["train/response/firing_rate_10ms"] = r["train/response/binned"].astype(np.float32)


@mends("counts_called_rates")
def _(r):
    r["train/response/firing_rate_10ms"] = smoothed(r["train/response/binned"])


@wrong
def test_rates_per_bin(r):
    with_rates(r)
    trials = np.array([r[f"test/repeats/cell{n:02d}"].mean(0) for n in (1, 2)])
    r["test/response/firing_rate_10ms"] = smoothed(trials) * FRAME_S


@mends("test_rates_per_bin")
def _(r):
    r["test/response/firing_rate_10ms"] /= FRAME_S


@mends("rates_per_bin_without_test_rates")
def _(r):
    r["train/response/firing_rate_10ms"] /= FRAME_S


if __name__ == "__main__":
    for case, ways in MENDED.items():
        made = recording()
        CASES[case](made)
        write(f"{sys.argv[1]}/{case}.h5", made)
        for number, mend in enumerate(ways):
            made = recording()
            CASES[case](made)
            mend(made)
            write(f"{sys.argv[1]}/{case}_mended{number + 1 if number else ''}.h5", made)
    for case in ("whole", "no_interval", "interval_in_hertz", "short_test", "seventy_two_hertz"):
        made = recording()
        CASES[case](made)
        write(f"{sys.argv[1]}/{case}.h5", made)
