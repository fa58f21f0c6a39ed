#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the report draws and says, on made-up results."""
import os
import sys
import unittest

import numpy as np
import xarray as xr

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "analysis"))
import figures_training  # noqa: E402
import phenomena  # noqa: E402


def evaluation(scores, low):
    """Two models' scores of two cells, with intervals from `low` to the score."""
    score = np.array(scores, float)
    return xr.Dataset({"score": (("model", "cell"), score), "score_interval": (("model", "cell", "bound"), np.stack([np.array(low, float), score], -1))},
                      coords={"model": ["network", "ln"], "cell": ["a", "b"]})


class ScoreBars(unittest.TestCase):
    def bottom(self, data):
        """Lower end of the figure's axis."""
        kept = {}
        draw, figures_training.svg = figures_training.svg, lambda figure: kept.update(figure=figure)
        try:
            figures_training.score_bars(data, "noiseless")
        finally:
            figures_training.svg = draw
        return kept["figure"].axes[0].get_ylim()[0]

    def test_negative_scores_and_their_intervals_are_inside(self):
        self.assertLess(self.bottom(evaluation([[0.5, -0.4], [0.3, np.nan]], [[0.4, -0.6], [0.2, np.nan]])), -0.6)

    def test_scores_above_zero_start_at_zero(self):
        self.assertEqual(self.bottom(evaluation([[0.5, 0.4], [0.3, np.nan]], [[0.4, 0.3], [0.2, np.nan]])), 0)


def latency(flag, shift):
    """The latency figures of one set and one cell."""
    return xr.Dataset({"latency_present": (("set", "cell"), [[flag]]), "latency_shift_ms": (("set", "cell"), [[shift]]),
                       "latency_monotonic": (("set", "cell"), [[0]])})


def with_rates(data, rates):
    """The figures, with the response to one flash."""
    return data.assign(rate=(("condition", "cell", "frame"), [[rates]])).assign_coords(condition=["latency/contrast=-2"])


class Reproduction(unittest.TestCase):
    def verdict(self, flag, shift, rates):
        return phenomena.reproduces(with_rates(latency(1, 50.0), [0, 1, 5, 2, 0]), with_rates(latency(flag, shift), rates), 0, "latency")

    def test_yes_needs_the_figures_and_the_traces(self):
        self.assertEqual(self.verdict(1, 48.0, [0, 2, 9, 4, 0]), "yes")
        self.assertEqual(self.verdict(1, 48.0, [4, 0, 1, 0, 5]), "in part")
        self.assertEqual(self.verdict(1, 48.0, [1, 1, 1, 1, 1]), "in part")
        self.assertEqual(self.verdict(1, 20.0, [0, 2, 9, 4, 0]), "in part")
        self.assertEqual(self.verdict(-4, 48.0, [0, 2, 9, 4, 0]), "in part")
        self.assertEqual(self.verdict(-5, 48.0, [0, 2, 9, 4, 0]), "no")


class TrialNoise(unittest.TestCase):
    def test_what_the_circuit_does_not_do_is_called_noise(self):
        words, css = phenomena.figure_text(latency(1, 12.0), 0, "latency", truth=latency(-5, 2.0))
        self.assertIn("shift 12 ms", words)
        self.assertIn("within trial noise", words)
        self.assertEqual(css, "no")

    def test_what_the_circuit_does_is_not(self):
        words, css = phenomena.figure_text(latency(1, 12.0), 0, "latency", truth=latency(1, 14.0))
        self.assertNotIn("noise", words)
        self.assertEqual(css, "yes")
        self.assertNotIn("noise", phenomena.figure_text(latency(1, 12.0), 0, "latency")[0])
        self.assertNotIn("noise", phenomena.figure_text(latency(-1, np.nan), 0, "latency", truth=latency(-5, 2.0))[0])


if __name__ == "__main__":
    unittest.main()
