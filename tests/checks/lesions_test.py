#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the report draws and says of the network without its units, on a made-up lesions_network.h5."""
import contextlib
import io
import os
import re
import sys
import tempfile
import unittest

import numpy as np
import xarray as xr

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "analysis"))
import figures_lesions  # noqa: E402
import report  # noqa: E402
from style import EXCITE  # noqa: E402

ORDERS = ["attribution", "signed_attribution", "activation", "gradient", "ablation", "random"]
STIMULI, CONDITIONS = ["osr", "latency@bright"], ["osr/period_ms=80", "osr/period_ms=100", "latency@bright/contrast=2"]
UNITS = [0, 1, 10, 100]
USED = [[5, 0], [0, 0]]  # cell a is silent under the second stimulus, cell b under both
PATHWAYS = [[[40, 30], [-1, -1]], [[-1, -1], [-1, -1]]]


def lesions_file(**attributes):
    """As src/lesion/lesion_file.cpp writes it."""
    curve = np.full((2, 2, len(ORDERS), len(UNITS)), np.nan)
    draws = np.full((2, 2, 2, len(UNITS)), np.nan)
    cmd, random_cmd = np.full((2, 2, len(ORDERS)), np.nan), np.full((2, 2, 2), np.nan)
    curve[0, 0] = np.linspace(0, 1, len(UNITS))
    curve[0, 0, 0] = [0, 0.5, 0.9, 1]
    draws[0, 0] = [[0, 0.2, 0.4, 1], [0, 0.4, 0.8, 1]]
    cmd[0, 0], random_cmd[0, 0] = [0.0123, 0.2, 0.3, 0.05, 0.04, 0.5], [0.4, 0.6]
    rate = np.full((2, 3, 4), 10.0)
    rate[0, 1, 2] = 35  # the second condition has the largest response
    trace = {name: (("cell", "condition", "frame"), rate - fall) for name, fall in (("rate", 0), ("only_pathways", 1), ("without_pathways", 5))}
    data = {"faithfulness": (("cell", "stimulus", "order", "size"), curve), "faithfulness_without": (("cell", "stimulus", "order", "size"), 1 - curve),
            "random_faithfulness": (("cell", "stimulus", "draw", "size"), draws), "random_faithfulness_without": (("cell", "stimulus", "draw", "size"), 1 - draws),
            "cmd": (("cell", "stimulus", "order"), cmd), "random_cmd": (("cell", "stimulus", "draw"), random_cmd), "size_units": ("size", UNITS),
            "windows_used": (("cell", "stimulus"), USED), "windows_responding": (("cell", "stimulus"), [[9, 0], [0, 0]]), "rest": ("cell", [10.0, 3.0]),
            "condition_stimulus": ("condition", [0, 0, 1]), "condition_frames": ("condition", [4, 3, 4]),
            "without_pathway": (("cell", "condition", "pathway", "frame"), np.stack([rate - 2, rate - 3], 2)),
            "faithfulness_only_pathways": (("cell", "stimulus"), [[0.87, np.nan], [np.nan, np.nan]]), "pathway_units": (("cell", "stimulus", "pathway"), PATHWAYS), **trace}
    return xr.Dataset(data, attrs={"kind": "lesions", "complete": 1, **attributes},
                      coords={"cell": ["a", "b"], "stimulus": STIMULI, "condition": CONDITIONS, "order": ORDERS, "size": [0, 0.01, 0.1, 1.0], "frame": 10.0 * np.arange(4)})


def axes_of(draw):
    """The axes of a figure instead of its text."""
    kept = {}
    svg, figures_lesions.svg = figures_lesions.svg, lambda figure: kept.update(figure=figure)
    try:
        draw()
    finally:
        figures_lesions.svg = svg
    return kept["figure"].axes


class Figures(unittest.TestCase):
    data = lesions_file()

    def test_curves_stand_over_the_part_of_units_ours_in_colour(self):
        axes = axes_of(lambda: figures_lesions.of_cell(self.data, 0))
        self.assertEqual(len(axes), 2)  # kept and removed, of the one stimulus that is not silent
        for ax, expected in zip(axes, ([0.5, 0.9, 1], [0.5, 0.1, 0])):
            ours = [line for line in ax.lines if line.get_label() == "path attribution"]
            self.assertEqual(len(ours), 1)
            np.testing.assert_allclose(ours[0].get_xdata(), [0.01, 0.1, 1])
            np.testing.assert_allclose(ours[0].get_ydata(), expected, atol=1e-12)
            self.assertEqual(ours[0].get_color(), EXCITE)
            self.assertEqual(ours[0], ax.lines[-1])  # on top
            band = ax.collections[0].get_paths()[0].vertices
            middle = sorted(set(np.round(band[np.isclose(band[:, 0], 0.1)][:, 1], 9)))
            np.testing.assert_allclose([middle[0], middle[-1]], [0.4, 0.8] if expected[1] > 0.5 else [0.2, 0.6])

    def test_the_largest_response_is_shown_without_each_pathway(self):
        axes = axes_of(lambda: figures_lesions.without_pathways(self.data, 0, 0))
        self.assertEqual([ax.get_title(loc="left") for ax in axes], ["without pathway 1", "without pathway 2", "these pathways alone"])
        for ax, fall in zip(axes, (2, 3, 1)):
            np.testing.assert_allclose(ax.lines[1].get_ydata(), [10, 10, 35])
            np.testing.assert_allclose(ax.lines[2].get_ydata(), np.array([10, 10, 35]) - fall)
        self.assertIsNone(figures_lesions.without_pathways(self.data, 0, 1))

    def test_rows_name_what_is_silent(self):
        rows = figures_lesions.cmd_rows(self.data)
        self.assertEqual(rows[0][2:], ["5 of 9", "0.012", "0.200", "0.300", "0.050", "0.040", "0.500 ± 0.100", "0.87"])
        self.assertEqual([row[2:] for row in rows[1:]], [["silent", *[""] * 7]] * 3)


class Report(unittest.TestCase):
    def page(self, data):
        with tempfile.TemporaryDirectory() as folder:
            data.to_netcdf(os.path.join(folder, "lesions_network.h5"))
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                report.main(folder)
            with open(os.path.join(folder, "report.html"), encoding="utf-8") as stream:
                return stream.read(), said.getvalue().splitlines()

    def test_a_folder_with_lesions_alone(self):
        page, said = self.page(lesions_file())
        self.assertIn("The network without its units", page)
        self.assertEqual(len(re.findall("<svg", page)), 2)
        self.assertIn("Cell b is silent", page)
        self.assertIn("silent, so without curves: latency coding (bright)", page)
        self.assertIn("CMD without its units, a, omitted stimulus: attribution 0.012, signed_attribution 0.200, activation 0.300, gradient 0.050, ablation 0.040, random 0.500 ± 0.100; pathways alone leave 0.87", said)
        self.assertIn("CMD without its units, b, omitted stimulus: silent", said)

    def test_an_unfinished_file_is_not_shown(self):
        with self.assertRaises(SystemExit):
            self.page(lesions_file(complete=0))


if __name__ == "__main__":
    unittest.main()
