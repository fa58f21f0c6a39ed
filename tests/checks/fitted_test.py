#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the report draws and says of pathways fitted to the spikes, on a made-up pathways.h5."""
import contextlib
import io
import itertools
import os
import re
import sys
import tempfile
import unittest

import h5py
import numpy as np
import xarray as xr

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "analysis"))
import figures_pathways  # noqa: E402
import fitted  # noqa: E402
import report  # noqa: E402
from mechanism_network import layer_words  # noqa: E402
from style import EXCITE, INHIBIT, REST  # noqa: E402

COLUMNS = ("weight", "threshold", "polarity", "peak_lag", "offset_y", "offset_x", "closed", "type", "fits", "agree_sign", "agree_polarity", "agree_peak", "agree_place")
SLOTS, LAGS, EXTENT = 4, 20, 7
# By COLUMNS. Cell a: two sub-units of one type, one of them disputed, and a linear pathway. Cell b: none. Cell c was not fitted. Cell d: one.
PATHWAYS = {"a": [(-957, -0.39, -1, 140, 2, 0, 0.79, 0, 3, 1, 2, 3, 3), (-500, 0.2, -1, 140, -2, 0, 0.5, 0, 3, 3, 3, 3, 3), (8, 0.1, 1, 60, 0, 0, 0.0009, 1, 3, 0, 0, 3, 0)],
            "b": [], "c": None, "d": [(128.57, 0.0227, -1, 60, 0, 0, 0.465, 0, 2, 2, 2, 2, 2)]}
HALVES = {"a": (3, 4), "b": (0, 0), "c": (-1, -1), "d": (1, 1)}
HELD_OUT = {"a": ([20, 5, 1, 0.0, 0.1], [1, 0.3, 0.2, 0, 0.1]), "b": ([0, 0.1], [0, 0.1]), "c": ([], []), "d": ([10, 0.02, 0], [0.5, 0.04, 0])}


def padded(values, length):
    return [*values, *[np.nan] * (length - len(values))]


def pathways_file(**attributes):
    """As src/pathway/pathway_file.cpp writes it; time courses and profiles have one peak where the figures say."""
    cells = list(PATHWAYS)
    found = [PATHWAYS[cell] or [] for cell in cells]
    data = {name: (("cell", "pathway"), [padded([pathway[i] for pathway in of_cell], SLOTS) for of_cell in found]) for i, name in enumerate(COLUMNS)}
    course, profile = np.full((len(cells), SLOTS, LAGS), np.nan), np.full((len(cells), SLOTS, EXTENT, EXTENT), np.nan)
    for n, of_cell in enumerate(found):
        for k, pathway in enumerate(of_cell):
            course[n, k], profile[n, k] = 0, -0.01
            course[n, k, pathway[3] // 10] = pathway[2]
            profile[n, k, EXTENT // 2 + pathway[4], EXTENT // 2] = 0.5
    data |= {"time_course": (("cell", "pathway", "lag"), course), "profile": (("cell", "pathway", "profile_y", "profile_x"), profile),
             "pathways": ("cell", [-1 if PATHWAYS[cell] is None else len(PATHWAYS[cell]) for cell in cells]), "pathways_of_half": (("cell", "half"), list(HALVES.values()))}
    data |= {name: (("cell", "number"), [padded(HELD_OUT[cell][i], SLOTS + 1) for cell in cells]) for i, name in enumerate(("held_out", "held_out_error"))}
    pixels = np.arange(EXTENT) - float(EXTENT // 2)
    return xr.Dataset(data, attrs={"kind": "pathways", "complete": 1, **attributes},
                      coords={"cell": cells, "number": np.arange(SLOTS + 1.0), "lag": 10.0 * np.arange(LAGS), "profile_y": pixels, "profile_x": pixels})


def write_recording(folder):
    """Planted: two units in a, one in d; b and c have none."""
    with h5py.File(os.path.join(folder, "recording.h5"), "w") as file:
        file.attrs["cells"] = "a,b,c,d"
        for name, values in (("unit", [0, 1, 2, 3]), ("unit_cell", [0, 0, 0, 3]), ("unit_sign", [1, -1, 1, 1]), ("unit_polarity", [1, -1, 1, -1])):
            file[f"simulated/{name}"] = values


class Words(unittest.TestCase):
    data = pathways_file()

    def test_a_pathway(self):
        self.assertEqual(fitted.pathway_words(self.data, 3, 0), "excitatory OFF, peak 60 ms, w +129 Hz, threshold +0.02, silent 46 % of the time")
        self.assertEqual(fitted.pathway_words(self.data, 0, 0), "inhibitory OFF, peak 140 ms, w -957 Hz, threshold -0.39, silent 79 % of the time")
        self.assertEqual(fitted.pathway_words(self.data, 0, 2), "linear: neither sign nor side is known, peak 60 ms, w 8 Hz up or down, never silent")
        data = self.data.copy(deep=True)
        data["threshold"][3, 0] = -0.004
        self.assertIn("threshold +0.00,", fitted.pathway_words(data, 3, 0))
        self.assertEqual(fitted.kind_words(-1, 0), "inhibitory, neither ON nor OFF")

    def test_kinds_and_how_sure(self):
        self.assertEqual([fitted.found_kinds(self.data, n) for n in range(4)], ["2 OFF inhibitory, 1 linear", "none", "not fitted", "1 OFF excitatory"])
        sure = fitted.sure_words(self.data, 0)
        self.assertTrue(sure.startswith("the number is disputed: the halves of the recording have 3 and 4; pathway 1: disputed: sign (1 of 3 other fits agree)"), sure)
        self.assertIn("; pathway 3: disputed: place (0 of 3 other fits agree)", sure)
        self.assertNotIn("pathway 2", sure)
        self.assertEqual(fitted.sure_words(self.data, 2), "")
        self.assertEqual(fitted.sure_words(self.data, 3), "both halves of the recording have the same number")

    def test_whether_one_layer_is_enough(self):
        self.assertEqual(layer_words(self.data, 0), "", "files of older programs do not say")
        judged = self.data.assign(one_layer=("cell", [1, -1, 0, 0]), not_judged=("cell", [0, 0, 1, 5]))
        self.assertEqual([layer_words(judged, n) for n in range(4)],
                         ["one layer is enough", "one layer is not enough", "not judged: the cell was not fitted", "not judged: the test part is too short"])

    def test_silent_in_a_thousandth_of_the_time_is_not_linear(self):
        data = self.data.copy(deep=True)
        data["closed"][0, 2] = 0.001
        self.assertTrue(fitted.pathway_words(data, 0, 2).startswith("excitatory ON, peak 60 ms, w +8 Hz"))

    def test_a_third_of_the_fits_dispute_a_claim(self):
        self.assertEqual(fitted.disputed_words(self.data, 0, 0), "disputed: sign (1 of 3 other fits agree), polarity (2 of 3)")
        self.assertEqual(fitted.disputed_words(self.data, 0, 1), "")
        # A linear pathway claims neither sign nor polarity.
        self.assertEqual(fitted.disputed_words(self.data, 0, 2), "disputed: place (0 of 3 other fits agree)")
        for fits, agree, expected in ((2, 2, 0), (2, 1, 1), (3, 2, 1), (4, 3, 0), (4, 2, 1)):
            data = self.data.copy(deep=True)
            data["fits"][3, 0] = fits
            for claim in ("sign", "polarity", "place"):
                data[f"agree_{claim}"][3, 0] = fits
            data["agree_peak"][3, 0] = agree
            self.assertEqual(fitted.disputed(data, 3, 0), [("peak", agree, fits)] * expected, (fits, agree))

    def test_numbers_types_and_halves(self):
        self.assertEqual([fitted.number_words(self.data, n) for n in range(4)],
                         ["3 pathways of 2 types: pathways 1 and 2 are sub-units of one filter; the number is disputed: the halves of the recording have 3 and 4",
                          "0 pathways; both halves of the recording have the same number", fitted.NOT_FITTED, "1 pathway; both halves of the recording have the same number"])

    def test_two_groups_of_sub_units(self):
        data = self.data.isel(cell=[0]).copy(deep=True)
        data["pathways"][0], data["type"][0] = 4, [0, 1, 1, 0]
        self.assertEqual(fitted.type_words(data, 0), " of 2 types: pathways 1 and 4 are sub-units of one filter, 2 and 3 of another")

    def test_planted(self):
        self.assertEqual(fitted.planted_kinds([(1, 1), (-1, -1), (1, 1)]), "planted: 1 OFF inhibitory, 2 ON excitatory")
        self.assertEqual(fitted.planted_kinds([]), "planted: nothing")


def drawn(data, n):
    """The matplotlib figure of a cell."""
    kept = {}
    draw, figures_pathways.svg = figures_pathways.svg, lambda figure: kept.update(figure=figure)
    try:
        figures_pathways.pathways_of_cell(data, n)
    finally:
        figures_pathways.svg = draw
    return kept["figure"]


class Figure(unittest.TestCase):
    def tearDown(self):
        figures_pathways.plt.close("all")

    def test_a_row_per_pathway_in_the_colour_of_its_sign(self):
        axes = drawn(pathways_file(), 0).axes
        self.assertEqual(len(axes), 7)
        curves = [ax.lines[-1] for ax in axes[0:6:2]]
        self.assertEqual([curve.get_color() for curve in curves], [INHIBIT, INHIBIT, REST])
        self.assertEqual([curve.get_linestyle() for curve in curves], ["--", "-", "-"])
        self.assertEqual(drawn(pathways_file(), 3).axes[0].lines[-1].get_color(), EXCITE)
        self.assertGreater(*axes[0].get_xlim(), "the present is at the right")

    def test_profiles_lie_where_they_are_with_square_pixels(self):
        ax = drawn(pathways_file(), 0).axes[1]
        image = ax.images[0]
        opaque = np.unravel_index(np.argmax(image.get_array()[..., 3]), (EXTENT, EXTENT))
        self.assertEqual((opaque[0] - EXTENT // 2, opaque[1] - EXTENT // 2), (2, 0))
        self.assertEqual(tuple(image.get_extent()), (-3.5, 3.5, 3.5, -3.5))
        self.assertEqual((ax.get_aspect(), ax.child_axes), (1, []))

    def test_micrometres_where_the_size_of_pixels_is_known(self):
        beside = drawn(pathways_file(pixel_um=55.0), 3).axes[1].child_axes[0]
        self.assertEqual((list(beside.get_yticks()), beside.get_ylabel()), ([-110.0, 0.0, 110.0], "µm"))

    def test_held_out_has_two_standard_errors_and_the_number_marked(self):
        ax = drawn(pathways_file(), 0).axes[-1]
        bars = np.array([segment[:, 1] for segment in ax.collections[0].get_segments()])
        np.testing.assert_allclose(bars, [[18, 22], [4.4, 5.6], [0.6, 1.4], [0, 0], [-0.1, 0.3]])
        self.assertEqual(ax.lines[-1].get_xydata().tolist(), [[3, 0]])

    def test_no_text_lies_on_another(self):
        for n in (0, 1, 3):
            figure = drawn(pathways_file(pixel_um=55.0), n)
            figure.canvas.draw()
            texts = [text for ax in figure.axes for text in (ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label, *(each.yaxis.label for each in ax.child_axes)) if text.get_text()]
            for one, other in itertools.combinations(texts, 2):
                self.assertFalse(one.get_window_extent().overlaps(other.get_window_extent()), (one.get_text(), other.get_text()))


class Report(unittest.TestCase):
    def page(self, data, recording=True):
        """(page, printed lines) of a folder with nothing but pathways.h5 and a recording."""
        with tempfile.TemporaryDirectory() as folder:
            data.to_netcdf(os.path.join(folder, "pathways.h5"))
            if recording:
                write_recording(folder)
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                report.main(folder)
            with open(os.path.join(folder, "report.html"), encoding="utf-8") as stream:
                return stream.read(), printed.getvalue().splitlines()

    def test_pathways_and_a_recording_are_enough(self):
        page, lines = self.page(pathways_file(pixel_um=55.0))
        self.assertEqual(re.findall("<h2[^>]*>([^<]*)", page), ["In short", "What is missing", "Pathways fitted to the spikes", "How this was made"])
        self.assertIn("<td>a</td><td class=\"text\">2 OFF inhibitory, 1 linear</td>", page)
        for step in ("evaluate", "probe", "attribute", "reduce"):
            self.assertIn(f"<code>amacrine {step}</code>", page)
        self.assertEqual(re.findall('<svg aria-label="([^"]*)" role="img"', page), [f"Pathways fitted to cell {cell}" for cell in "abd"])
        self.assertIn("1 pathway; both halves of the recording have the same number.<br>Planted: 1 OFF excitatory.", page)
        self.assertIn("<h3>Cell c</h3><p class=\"\">N" + fitted.NOT_FITTED[1:], page)
        self.assertEqual(lines[3], "fitted to the spikes, d: 1 pathway; both halves of the recording have the same number; planted: 1 OFF excitatory")

    def test_of_real_cells_nothing_is_planted(self):
        page, _ = self.page(pathways_file(), recording=False)
        self.assertNotIn("lanted:", page)
        self.assertNotIn("µm", page)

    def test_a_folder_without_results_or_with_half_a_file_says_so(self):
        for data in (None, pathways_file(complete=0)):
            with tempfile.TemporaryDirectory() as folder, self.assertRaises(SystemExit) as ended, \
                    contextlib.redirect_stderr(io.StringIO()) as said:
                if data is not None:
                    data.to_netcdf(os.path.join(folder, "pathways.h5"))
                report.main(folder)
            self.assertEqual(ended.exception.code, 3)
            self.assertIn("neither evaluation.h5 nor pathways.h5; run `amacrine evaluate`", said.getvalue())


if __name__ == "__main__":
    unittest.main()
