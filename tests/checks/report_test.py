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
import page  # noqa: E402
import pathways  # noqa: E402
import phenomena  # noqa: E402
import report  # noqa: E402
import results  # noqa: E402
import style  # noqa: E402


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


class FewBytes(unittest.TestCase):
    def test_lines_are_rounded_and_need_no_command(self):
        self.assertEqual(style.compact('<path d="M 1.2345 -0.004 \nL 10.06 7.949 \nL 3 4 \n" style="fill: none"/>'), '<path d="M 1.2 -0 10.1 7.9 3 4 " style="fill: none"/>')

    def test_curves_and_closed_shapes_keep_their_commands(self):
        curve = '<path d="M 0 0 C 1 1 2 2 3 3 L 4 4 z M 5 5 L 6 6 "/>'
        self.assertEqual(style.compact(curve), curve)

    def test_scales_stay(self):
        scaled = '<image transform="scale(0.0012 -0.0012)" x="1.23456"/>'
        self.assertEqual(style.compact(scaled), scaled.replace("1.23456", "1.23"))

    def test_styles_that_come_twice_are_classes_with_the_same_words(self):
        text, rules = page.share_styles('<p style="a: 1"/><p style="b: 2"/><p style="a: 1"/>')
        self.assertEqual((text, rules), ('<p class="d0"/><p style="b: 2"/><p class="d0"/>', ".d0{a: 1}"))

    def test_every_tick_of_a_raster_is_there(self):
        figure, ax = style.plt.subplots()
        figures_training.raster(ax, [np.array([1.0, 2.0]), np.array([]), np.array([3.0])], 100.0)
        x, y = ax.lines[0].get_data()
        ticks = {(x[n], round((y[n] + y[n + 1]) / 2, 6)) for n in range(0, len(x), 3)}
        self.assertEqual(ticks, {(1.0, -4.0), (2.0, -4.0), (3.0, -12.0)})
        self.assertTrue(np.isnan(y[2::3]).all())
        style.plt.close(figure)


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


def circuit(**values):
    """The figures of one set and one cell under their names in a responses file; every phenomenon is there unless said otherwise."""
    data = {f"{name}_present": 1 for name in phenomena.TITLES}
    trace = values.pop("trace", [0.0, 3.0, 9.0, 2.0])
    data.update(values)
    shown = xr.Dataset({key: (("set", "cell") + tuple(f"{key}_{i}" for i in range(np.ndim(value))), [[value]]) for key, value in data.items()})
    shown["condition"] = ("condition", ["grey", "osr/40", "latency/-1", "reversal/0", "moving_bar/1", "flashed_bar/0"])
    shown["rate"] = (("condition", "cell", "frame"), np.broadcast_to(np.asarray(trace), (6, 1, 4)))
    return shown


class Reproduces(unittest.TestCase):
    """docs: "yes" close to the circuit's figure and trace, "in part" some of it, "no" less; each limit from both sides."""

    def verdict(self, name, truth, model):
        return phenomena.reproduces(circuit(**truth), circuit(**model), 0, name)

    def test_osr_by_slope_and_ratio(self):
        truth = {"osr_slope": 1.0, "osr_ratio": 5.0}
        for slope, ratio, expected in [(0.81, 2.0, "yes"), (0.79, 2.0, "in part"), (0.81, 1.9, "in part"), (0.31, 0.6, "in part"),
                                       (0.29, 5.0, "no"), (1.0, 0.4, "no")]:
            self.assertEqual(self.verdict("osr", truth, {"osr_slope": slope, "osr_ratio": ratio}), expected, (slope, ratio))

    def test_latency_by_its_shift(self):
        truth = {"latency_shift_ms": 20.0}
        for shift, expected in [(20.0, "yes"), (14.1, "yes"), (13.9, "in part"), (5.1, "in part"), (4.9, "no"), (-20.0, "no")]:
            self.assertEqual(self.verdict("latency", truth, {"latency_shift_ms": shift}), expected, shift)

    def test_reversal_by_the_size_and_the_spread_of_its_burst(self):
        for ratio, sd, expected in [(2.0, 14.0, "yes"), (1.9, 14.0, "in part"), (2.0, 16.0, "in part"), (1.1, 39.0, "in part"), (0.9, 14.0, "no"),
                                    (2.0, 41.0, "no")]:
            self.assertEqual(self.verdict("reversal", {}, {"reversal_ratio": ratio, "reversal_latency_sd_ms": sd}), expected, (ratio, sd))

    def test_yes_needs_the_trace_too(self):
        # By hand: [0, 0, 2, 1] correlates with [0, 3, 9, 2] by 9.5 / sqrt(2.75 * 45) = 0.85, [0, 0, 3, 2] by 13.5 / sqrt(6.75 * 45) = 0.77.
        for trace, expected in [([0, 3, 9, 2], "yes"), ([0, 0, 2, 1], "yes"), ([0, 0, 3, 2], "in part"), ([2, 2, 2, 2], "in part")]:
            self.assertEqual(self.verdict("latency", {"latency_shift_ms": 20.0}, {"latency_shift_ms": 20.0, "trace": trace}), expected, trace)

    def test_anticipation_by_the_mean_lead(self):
        truth = {"anticipation_ahead_um": [90.0, 110.0]}
        for lead, expected in [([71.0, 71.0], "yes"), ([90.0, 52.0], "yes"), ([69.0, 69.0], "in part"), ([31.0, 31.0], "in part"), ([29.0, 29.0], "no"),
                               ([-100.0, -100.0], "no"), ([100.0, 20.0], "in part"), ([75.0, np.nan], "yes")]:
            self.assertEqual(self.verdict("anticipation", truth, {"anticipation_ahead_um": lead}), expected, lead)

    def test_what_is_absent_is_not_reproduced(self):
        for name in phenomena.TITLES:
            self.assertIsNone(phenomena.reproduces(circuit(**{f"{name}_present": 0}), circuit(), 0, name))
            self.assertEqual(phenomena.reproduces(circuit(), circuit(**{f"{name}_present": -1}), 0, name), "no")

    def test_which_phenomena_a_cell_shows(self):
        self.assertEqual(phenomena.shows(circuit(latency_present=0, reversal_present=-1, anticipation_present=-4), 0), ["osr"])


class FigureText(unittest.TestCase):
    def test_figures_stand_in_their_places(self):
        data = circuit(osr_slope=0.93, osr_ratio=3.2, latency_shift_ms=17.0, latency_monotonic=1, reversal_latency_mean_ms=210.0,
                       reversal_latency_sd_ms=9.0, reversal_ratio=2.5, anticipation_ahead_um=[40.0, -20.0])
        self.assertEqual(phenomena.figure_text(data, 0, "osr"), ("slope 0.93, OSR/ongoing 3.2", "yes"))
        self.assertEqual(phenomena.figure_text(data, 0, "latency"), ("shift 17 ms, monotonic", "yes"))
        self.assertEqual(phenomena.figure_text(data, 0, "reversal"), ("210 ± 9 ms, burst/smooth 2.5", "yes"))
        self.assertEqual(phenomena.figure_text(data, 0, "anticipation"), ("+40 / -20 µm ahead", "yes"))

    def test_what_is_there_in_part_says_so(self):
        words, css = phenomena.figure_text(circuit(osr_present=-4, osr_slope=0.9, osr_ratio=1.1), 0, "osr")
        self.assertEqual((words.split("; ")[1], css), (phenomena.REASON[-4], "part"))
        for flag in (0, -1, -2, -3):
            self.assertEqual(phenomena.figure_text(circuit(osr_present=flag), 0, "osr"), (phenomena.REASON[flag], "no"))


def reduction(share=0.9, r=0.95, held=np.nan, least=0.6, **changed):
    """One cell, one stimulus, three slots: ON excitation, OFF inhibition with a weight of 0, an empty slot; and the same as the joint set."""
    values = dict(kept=[1, 1, 0], used=[1, 0, 0], polarity=[1, -1, 0], later_polarity=[0, 0, 0], sign=[1, -1, 0], mixed=[0, 0, 0], disinhibition=[0, 0, 0])
    values.update(changed)
    data = {name: (("cell", "stimulus", "pathway"), [[v]]) for name, v in values.items()}
    data.update({name: (("cell", "stimulus"), [[v]]) for name, v in (("r_fitted", r), ("r_held_out", held), ("share_kept", 0.9))})
    data["share_of_ceiling"] = (("cell",), [share])
    return xr.Dataset(data, coords={"cell": ["a"], "stimulus": ["osr@bright"]}, attrs={"least_share": least})


def joint_of(data):
    return data.isel(stimulus=0).drop_vars(["stimulus", "share_of_ceiling"])


class Mechanisms(unittest.TestCase):
    def words(self, *args, **changed):
        return report.mechanism_rows(reduction(*args, **changed))[0][2][0]

    def test_pathways_of_weight_zero_are_not_listed(self):
        self.assertEqual(self.words(), "ON excitation")
        self.assertEqual(self.words(used=[1, 1, 0]), "ON excitation; OFF inhibition")
        self.assertEqual(self.words(used=[0, 0, 0]), "none with a weight")

    def test_first_and_largest_lobe_and_mixed_signs_are_shown(self):
        self.assertEqual(self.words(later_polarity=[-1, 0, 0]), "ON, then OFF, excitation")
        self.assertEqual(self.words(mixed=[1, 0, 0]), "ON, mixed sign")
        self.assertEqual(self.words(mixed=[1, 0, 0], later_polarity=[-1, 0, 0]), "ON, then OFF, mixed sign")
        self.assertEqual(self.words(used=[0, 1, 0], disinhibition=[0, 1, 0]), "OFF inhibition (released)")
        self.assertEqual(self.words(polarity=[0, 0, 0]), "neither ON nor OFF excitation")

    def test_below_the_least_share_of_the_ceiling_the_reason_stands_in_their_place(self):
        row = report.mechanism_rows(reduction(share=0.59))
        self.assertEqual(row, [["a", ("all", "text"), ("not named: the network reaches 59 % of the ceiling, below 60 %", "text"), "", "", ""]])
        self.assertEqual(self.words(share=0.61), "ON excitation")
        self.assertEqual(self.words(share=np.nan), "ON excitation")

    def test_pathways_that_do_not_stand_in_for_the_network_are_not_named(self):
        self.assertIn("not named: the pathways reach r = 0.59", self.words(r=0.59))
        self.assertIn("not named: the pathways reach r = 0.20", self.words(held=0.2))
        self.assertIn("not named", self.words(r=np.nan))
        self.assertEqual(self.words(r=0.2, held=0.9), "ON excitation")
        self.assertEqual(self.words(kept=[0, 0, 0], used=[0, 0, 0], r=np.nan), "no response")

    def test_found_is_counted_by_kind(self):
        data = reduction(used=[1, 1, 1], kept=[1, 1, 1], polarity=[1, -1, 1], sign=[1, -1, 1])
        self.assertEqual(pathways.found_words(data, joint_of(data), 0), "3: 2 ON excitation, 1 OFF inhibition")
        self.assertIn("not named", pathways.found_words(reduction(share=0.3), joint_of(reduction()), 0))
        self.assertEqual(pathways.planted_words([(-1, -1), (1, 1), (1, 1)]), "3: 2 ON excitation, 1 OFF inhibition")


class Sets(unittest.TestCase):
    def responses(self):
        names = ["grey", "latency/contrast=-1", "latency@bright/contrast=1"]
        return xr.Dataset({"latency_ms": (("set", "cell", "latency_contrast"), [[[80.0, np.nan]], [[np.nan, 60.0]]]), "latency_present": (("set", "cell"), [[-5], [1]]),
                           "contrast": (("condition",), [np.nan, -1, 1]), "rate": (("condition", "cell"), [[1.0], [2.0], [3.0]])},
                          coords={"condition": names, "set": ["circuits", "bright"], "latency_contrast": [-1.0, 1.0], "cell": ["a"]})

    def test_each_set_is_seen_alone(self):
        for name, condition, latency, present, rate in (("circuits", "latency/contrast=-1", 80.0, -5, 2.0), ("bright", "latency/contrast=1", 60.0, 1, 3.0)):
            one = results.of_set(self.responses(), name)
            self.assertEqual(results.labels(one, "condition"), ["grey", condition])
            self.assertEqual(one["latency_ms"].values.tolist(), [[[latency]]])
            self.assertEqual(int(one["latency_present"].values[0, 0]), present)
            self.assertEqual(float(one["rate"].values[1, 0]), rate)

    def test_titles_name_the_set(self):
        self.assertEqual(pathways.stimulus_title("osr@bright"), "omitted stimulus (bright)")
        self.assertEqual(pathways.stimulus_title("latency"), "latency coding")


class PlantedAndFound(unittest.TestCase):
    """A study of one simulated cell, whose circuit shows latency coding in bright flashes, which the network does not."""

    def rows(self, planted):
        study = results.Study.__new__(results.Study)
        data = reduction(share=0.9)
        present = lambda dark, bright: xr.Dataset({f"{name}_present": (("set", "cell"), [[0], [0]]) for name in phenomena.TITLES} |
                                                  {"latency_present": (("set", "cell"), [[dark], [bright]]), "rate": (("condition", "cell"), [[1.0]])},
                                                  coords={"condition": ["grey"], "set": ["circuits", "bright"], "cell": ["a"]})
        study.planted, study.reductions, study.joint = planted, {"network": data}, {"network": joint_of(data)}
        study.responses = {"circuit": present(-5, 1), "network": present(1, -5)}
        study.evaluation = xr.Dataset(coords={"cell": ["a"]})
        return report.planted_rows(study)

    def test_they_stand_side_by_side(self):
        self.assertEqual(self.rows({"a": [(1, 1), (-1, -1)]}), [("a", "2: 1 OFF inhibition, 1 ON excitation", "1: 1 ON excitation", "latency coding (bright)", "latency coding")])

    def test_recordings_of_real_cells_have_no_such_table(self):
        self.assertEqual(self.rows({}), [])


if __name__ == "__main__":
    unittest.main()
