#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mechanism files (analysis/mechanism.py) of made-up results: read back as strict JSON, and compared with what was put into the results."""
import contextlib
import gc
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np

sys.dont_write_bytecode = True
ANALYSIS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "analysis")
sys.path.insert(0, ANALYSIS)
import mechanism  # noqa: E402
from mechanism_files import ATTRIBUTES, CELLS, DISCARDED, FRAMES, LAGS, RATES  # noqa: E402
from mechanism_files import said_in_full, write_evaluation, write_pathways, write_recording, write_reduction_and_lesions, write_responses  # noqa: E402
from mechanism_network import correlation, key_of  # noqa: E402
from mechanism_values import dumps  # noqa: E402


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def nulls_without_reason(value, path=""):
    """Places of nulls beside which nothing says why."""
    if isinstance(value, dict):
        alone = [f"{path}.{key}" for key, each in value.items() if each is None and not value.get(f"{key}_why")]
        within = [place for key, each in value.items() for place in nulls_without_reason(each, f"{path}.{key}") if f"{key}_why" not in value]
        return alone + within
    if isinstance(value, list):
        return [place for i, each in enumerate(value) for place in ([f"{path}[{i}]"] if each is None else nulls_without_reason(each, f"{path}[{i}]"))]
    return []


class Folder(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.TemporaryDirectory()
        self.folder = self.work.name

    def tearDown(self):
        self.work.cleanup()

    def run_script(self, script="mechanism.py"):
        return subprocess.run([sys.executable, "-B", os.path.join(ANALYSIS, script), self.folder], capture_output=True, text=True, check=False)

    def made(self):
        """The files of all cells in their order, after a run that must succeed; every one is strict JSON in which each null has a reason."""
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            mechanism.main(self.folder)
        gc.collect()  # closes the results, which a test may write anew
        self.lines, found = printed.getvalue().splitlines(), []
        for name in mechanism.file_names(CELLS):
            with open(os.path.join(self.folder, "mechanisms", name), encoding="utf-8") as stream:
                found.append(json.loads(stream.read(), parse_constant=refuse))
            named = {each["what"] for each in found[-1]["missing"]}
            sources = {".phenomena.network": "responses_network.h5", ".phenomena.circuit": "responses_circuit.h5", ".reduction": "reduction_network.h5", ".lesions": "lesions_network.h5",
                       ".planted": "recording.h5" if "recording.h5" in named else "planted"}
            self.assertEqual([place for place in nulls_without_reason(found[-1]) if sources.get(place) not in named], [])
        return found

    def missing(self, found):
        return {each["what"]: each["reason"] for each in found["missing"]}


class Filters(Folder):
    def test_the_drive_rebuilt_from_the_file_is_that_of_the_fit(self):
        write_pathways(self.folder)
        write_recording(self.folder)
        found = self.made()[0]
        movie = np.random.default_rng(1).standard_normal((30, 25, 28))
        with h5py.File(os.path.join(self.folder, "pathways.h5"), "r") as file:
            profiles, course = file["profile"][0], file["time_course"][0]
        for k, pathway in enumerate(found["pathways"]):
            expected = np.zeros(30)  # the centre is pixel (12, 14), the profile's first one (10, 11), the first lag one frame
            for t in range(30):
                for lag in range(LAGS):
                    if t - lag - 1 >= 0:
                        expected[t] += course[k, lag] * (profiles[k] * movie[t - lag - 1, 10:15, 11:18]).sum()
            rebuilt = np.zeros(30)
            for lag_ms, of_time in zip(pathway["temporal"]["lag_ms"], pathway["temporal"]["values"]):
                for dy, row in zip(pathway["spatial"]["offset_y_px"], pathway["spatial"]["values"]):
                    for dx, of_space in zip(pathway["spatial"]["offset_x_px"], row):
                        frames = int(lag_ms / found["recording"]["frame_ms"])
                        rebuilt[frames:] += of_time * of_space * movie[:30 - frames, int(found["cell"]["centre_y_px"] + dy), int(found["cell"]["centre_x_px"] + dx)]
            self.assertGreater(np.abs(expected).max(), 0.01)
            np.testing.assert_allclose(rebuilt, expected, rtol=0, atol=1e-6 * np.abs(expected).max())
            np.testing.assert_allclose(pathway["temporal"]["values"], course[k], rtol=1e-6)
            np.testing.assert_allclose(pathway["spatial"]["values"], profiles[k], rtol=1e-6)

    def test_lobes_have_times_of_the_axis_and_the_polarity_of_the_file(self):
        write_pathways(self.folder)
        one, other, _ = self.made()[0]["pathways"]
        # The lobe at 30 ms has 0.4 of the height of the later one; pathway 1 is ON by the first, OFF by the largest.
        for pathway, first, largest, peak in ((one, "ON", "OFF", 70.0), (other, "OFF", "ON", 100.0)):
            self.assertEqual((pathway["polarity"], pathway["first_lobe"]["polarity"], pathway["first_lobe"]["peak_ms"]), (first, first, 30.0))
            self.assertAlmostEqual(pathway["first_lobe"]["height"], 0.4, places=12)
            self.assertEqual(pathway["largest_lobe"], {"polarity": largest, "peak_ms": peak, "height": 1.0})
            self.assertEqual(pathway["peak_ms"], peak)

    def test_a_first_lobe_that_is_not_in_the_filter_is_not_made_up(self):
        write_pathways(self.folder)
        with h5py.File(os.path.join(self.folder, "pathways.h5"), "r+") as file:
            file["time_course"][0, 0] = -np.abs(file["time_course"][0, 0])
        pathway = self.made()[0]["pathways"][0]
        self.assertIsNone(pathway["first_lobe"])
        self.assertEqual(pathway["largest_lobe"]["polarity"], "OFF")


class Pathways(Folder):
    def test_places_in_pixels_and_micrometres(self):
        write_pathways(self.folder)
        write_recording(self.folder)
        cell, other = self.made()[:2]
        self.assertEqual((cell["cell"]["centre_y_px"], cell["cell"]["centre_x_px"], cell["cell"]["centre_from"]), (12.0, 14.0, "the recording"))
        place = {key: cell["pathways"][0][key] for key in ("offset_y_px", "offset_x_px", "offset_y_um", "offset_x_um", "y_px", "x_px", "y_um", "x_um")}
        self.assertEqual(place, {"offset_y_px": 0.5, "offset_x_px": 2.0, "offset_y_um": 25.0, "offset_x_um": 100.0, "y_px": 12.5, "x_px": 16.0, "y_um": 625.0, "x_um": 800.0})
        self.assertEqual((other["pathways"][1]["y_px"], other["pathways"][1]["y_um"]), (9.5, 475.0))

    def test_the_centre_is_the_studys_where_it_was_given_and_else_what_was_probed(self):
        write_pathways(self.folder, step_study="[recording]\ncentres = \"given\"\ncentre_y = [1.0, 2.0, 3.0, 4.0]\ncentre_x = [5.0, 6.0, 7.0, 8.0]\n")
        write_recording(self.folder)
        self.assertEqual([self.made()[1]["cell"][f"centre_{axis}_px"] for axis in "yx"], [2.0, 6.0])
        write_pathways(self.folder, step_study="[recording]\ncentres = \"sta\"\ncells = [7, 5, 3, 1]\n")
        found = self.made()[0]["cell"]
        self.assertIsNone(found["centre_y_px"], "the file's centre is not that of a fit with its own")
        self.assertEqual(found["id"], 0)
        os.remove(os.path.join(self.folder, "recording.h5"))
        self.assertEqual([each["cell"]["id"] for each in self.made()], [7, 5, 3, 1])
        write_responses(self.folder, "network")
        with h5py.File(os.path.join(self.folder, "responses_network.h5"), "r+") as file:
            file["centre_y"], file["centre_x"] = [3.5], [4.25]
        found = self.made()[0]
        self.assertEqual((found["pathways"][0]["y_px"], found["pathways"][0]["x_px"], found["cell"]["centre_from"]), (4.0, 6.25, "responses_network.h5"))
        write_evaluation(self.folder, checksum="00000000")
        self.assertIsNone(self.made()[0]["cell"]["centre_y_px"], "the network was probed around centres of another recording")

    def test_figures_and_what_is_made_of_them(self):
        write_pathways(self.folder)
        found = self.made()[0]
        one, other, linear = found["pathways"]
        self.assertEqual((one["sign"], other["sign"], one["weight_hz"], one["threshold_contrast"], one["closed_share"]), ("excitatory", "inhibitory", 180.0, -0.02, 0.6))
        self.assertEqual([each["modulation_hz"] for each in found["pathways"]], [30.0, 15.0, 5.0])
        np.testing.assert_allclose([each["modulation_share"] for each in found["pathways"]], [0.6, 0.3, 0.1], rtol=1e-12)
        self.assertEqual((linear["linear"], linear["sign"], linear["polarity"], linear["first_lobe"], one["linear"]), (True, None, None, None, False))
        self.assertIn("linear", linear["sign_why"])
        self.assertEqual((found["output"]["rest_hz"], found["output"]["beta_per_hz"]), (-2.5, 0.3))

    def test_claims_are_disputed_where_a_third_of_the_fits_say_something_else(self):
        write_pathways(self.folder)
        found = self.made()
        states = lambda pathway: [pathway["claims"][claim]["state"] for claim in ("sign", "polarity", "peak", "place")]
        one, other, linear = found[0]["pathways"]
        self.assertEqual(states(one), ["agreed", "disputed", "disputed", "disputed"])
        self.assertEqual(states(other), ["agreed"] * 4)
        self.assertEqual(states(linear), ["not claimed", "not claimed", "agreed", "disputed"])
        self.assertEqual([states(each) for each in found[1]["pathways"]], [["disputed", "agreed", "agreed", "agreed"], ["agreed", "disputed", "agreed", "agreed"]])
        three = "fit to the first half, fit to the second half, next best start"
        self.assertEqual(one["claims"]["place"], {"state": "disputed", "fits": 3, "agreeing": 0, "disputed_by": three})
        self.assertEqual(one["claims"]["peak"]["disputed_by"], f"2 of these (the file does not say which): {three}")
        self.assertNotIn("disputed_by", one["claims"]["sign"])

    def test_the_fits_that_dispute_a_claim_are_named_where_the_file_says_so(self):
        write_pathways(self.folder, more=said_in_full())
        found = self.made()
        claims = found[0]["pathways"][0]["claims"]
        first, second, start = "fit to the first half", "fit to the second half", "next best start"
        self.assertEqual(claims["peak"], {"state": "disputed", "fits": 3, "agreeing": 1, "agrees": {first: False, second: False, start: True}, "disputed_by": f"{first}, {second}"})
        self.assertEqual(claims["sign"], {"state": "agreed", "fits": 3, "agreeing": 3, "agrees": {first: True, second: True, start: True}})
        self.assertEqual(found[1]["pathways"][0]["claims"]["sign"], {"state": "disputed", "fits": 2, "agreeing": 1, "agrees": {first: False, second: True}, "disputed_by": first})
        # Losses are those above the lowest less 30; errors are their own.
        self.assertEqual((found[1]["number"]["held_out"]["loss_nats_per_s"], found[1]["number"]["held_out"]["loss_standard_error_nats_per_s"]), ([-27.0, -29.0, -30.0], [2.5, 2.1, 2.0]))
        self.assertEqual((found[0]["cell"]["centre_y_px"], found[0]["cell"]["centre_from"], found[0]["pathways"][0]["x_px"]), (12.25, "pathways.h5", 16.5))
        self.assertEqual((found[3]["number"]["pathways_why"], self.missing(found[3])["pathways"], found[3]["cell"]["centre_y_px"]), ("not fitted: no spikes at all",) * 2 + (None,))

    def test_the_number_is_disputed_where_a_half_has_another(self):
        write_pathways(self.folder)
        one, two, none, unfit = (each["number"] for each in self.made())
        self.assertEqual((one["pathways"], one["state"], one["disputed_by"], one["pathways_of_first_half"]), (3, "disputed", "second half: 2", 3))
        self.assertEqual((two["state"], none["state"], none["pathways"], "disputed_by" in two), ("agreed", "agreed", 0, False))
        self.assertEqual((unfit["state"], unfit["pathways"]), ("not known", None))
        self.assertEqual(two["types"], [{"type": 1, "pathways": [1, 2]}])
        self.assertEqual([each["pathways"] for each in one["types"]], [[1], [2], [3]])
        self.assertEqual(two["held_out"], {"pathways": [0, 1, 2], "above_lowest_nats_per_s": [3.0, 1.0, 0.0], "standard_error_nats_per_s": [0.5, 0.1, 0.0]})

    def test_the_equation_in_words(self):
        write_pathways(self.folder)
        write_recording(self.folder)
        one, _, none, unfit = (each["equation"] for each in self.made())
        self.assertEqual(one["line"], "rate = softplus(-2.5 Hz + 180 Hz x [ON, peak 70 ms, at (12.5, 16.0) px, above 0.02] - 500 Hz x [OFF, peak 100 ms, at (11.0, 12.0) px, above -0.04] "
                         "+ 8 Hz x [linear, peak 60 ms, at (12.0, 14.0) px, above -0.1])")
        self.assertEqual(len(one["sentences"]), 4)
        self.assertIn("disputed: polarity (2 of 3 other fits agree), peak (1 of 3), place (0 of 3).", one["sentences"][0])
        self.assertEqual((none["line"], unfit["line"], unfit["sentences"]), ("rate = softplus(-2.5 Hz)", None, []))


class Beside(Folder):
    def test_scores_are_those_of_the_same_reference(self):
        write_pathways(self.folder)
        write_evaluation(self.folder)
        found = self.made()
        predicted = (RATES + np.arange(FRAMES) % 3)[0, DISCARDED:]
        score = np.corrcoef(predicted, RATES[0, DISCARDED:])[0, 1]
        prediction, layers = found[0]["prediction"], found[0]["layers_needed"]
        self.assertAlmostEqual(prediction["pathways"]["score_r"], score, places=12)
        self.assertAlmostEqual(prediction["pathways"]["pearson_r"], np.corrcoef(predicted, np.roll(RATES[0, DISCARDED:], 2))[0, 1], places=12)
        self.assertEqual((prediction["score_reference"], prediction["reference_from"], prediction["noise_ceiling_r"]), ("noiseless", "evaluation.h5", 0.95))
        self.assertEqual((prediction["network"]["score_r"], prediction["ln"]["score_r"]), (0.81, 0.5))
        np.testing.assert_allclose(prediction["network"]["score_r_interval"], [0.71, 0.91])
        self.assertEqual((layers["verdict"], layers["network_score_r"], layers["network_hidden_layers"]), ("not judged", 0.81, 2))
        self.assertAlmostEqual(layers["pathways_minus_network_r"], score - 0.81, places=12)
        for cell in found[2:]:  # a constant rate has no correlation, and what was not fitted predicts nothing
            self.assertEqual((cell["prediction"]["pathways"]["score_r"] is None, cell["layers_needed"]["verdict"]), (cell is found[3], "not judged" if cell is found[2] else "not known"))

    def test_the_verdict_on_layers_is_that_of_the_fit(self):
        write_pathways(self.folder, more=said_in_full())
        one, two, three, unfit = (each["layers_needed"] for each in self.made())
        self.assertEqual((one["verdict"], two["verdict"], "reason" in one), ("one layer is not enough", "one layer is enough", False))
        self.assertEqual({key: one[key] for key in one if key != "verdict"}, {
            "pathways": 3, "pathways_loss_nats_per_s": 0.0, "pathways_loss_standard_error_nats_per_s": 1.0, "network_loss_nats_per_s": 2.0, "network_loss_standard_error_nats_per_s": 3.0,
            "network_above_pathways_nats_per_s": 4.0, "network_above_pathways_standard_error_nats_per_s": 5.0, "missed_share": 6.0, "missed_share_standard_error": 7.0})
        self.assertEqual((three["verdict"], three["pathways"], three["missed_share"]), ("not judged", 1, None))
        self.assertIn("a better network would tell", three["reason"])
        self.assertEqual((unfit["verdict"], unfit["reason"], unfit["pathways"]), ("not judged", "the cell was not fitted", None))

    def test_the_networks_evidence_by_stimulus_and_pathway(self):
        write_pathways(self.folder, more=said_in_full())
        found = self.made()
        osr, reversal = found[0]["network_evidence"]["osr"], found[0]["network_evidence"]["reversal"]
        self.assertEqual(osr["pathways"][:2], [{"pathway": 1, "groups": 1, "r": 0.9, "attribution_share": 0.5, "lines": ["channel 0"]},
                                               {"pathway": 2, "groups": 1, "r": -0.1, "attribution_share": 0.25, "lines": ["channel 1"]}])
        self.assertEqual((osr["pathways"][2]["r"], osr["pathways"][2]["lines"], osr["rest_share"]), (None, [], 0.25))
        self.assertEqual((reversal["pathways"][0]["groups"], reversal["pathways"][0]["lines"], reversal["rest_share"]), (3, ["channel 0", "channel 1"], None))
        self.assertEqual([each["network_evidence"] for each in found[2:]], [None, None])
        self.assertIn("amacrine attribute", found[3]["network_evidence_why"])

    def test_without_a_noiseless_rate_scores_are_with_the_mean_over_trials(self):
        write_pathways(self.folder)
        write_evaluation(self.folder, noiseless=False)
        prediction = self.made()[0]["prediction"]
        self.assertEqual(prediction["score_reference"], "trial_mean")
        self.assertEqual(prediction["pathways"]["score_r"], prediction["pathways"]["pearson_r"])

    def test_an_evaluation_of_another_recording_is_not_compared(self):
        write_pathways(self.folder)
        write_evaluation(self.folder, checksum="00000000")
        found = self.made()[0]
        self.assertIsNone(found["prediction"]["network"])
        self.assertEqual(found["layers_needed"]["verdict"], "not known")
        self.assertIn("another recording", found["layers_needed"]["reason"])
        self.assertIn("another recording", self.missing(found)["evaluation.h5"])

    def test_without_an_evaluation_the_recording_is_the_reference(self):
        write_pathways(self.folder)
        write_recording(self.folder)
        found = self.made()[1]
        predicted = (RATES + np.arange(FRAMES) % 3)[1, DISCARDED:]
        self.assertAlmostEqual(found["prediction"]["pathways"]["score_r"], np.corrcoef(predicted, RATES[1, DISCARDED:])[0, 1], places=12)
        self.assertAlmostEqual(found["prediction"]["pathways"]["pearson_r"], np.corrcoef(predicted, np.roll(RATES[1], 1)[DISCARDED:])[0, 1], places=12)
        self.assertEqual((found["prediction"]["network"], found["layers_needed"]["verdict"]), (None, "not known"))
        self.assertIn("amacrine evaluate", self.missing(found)["evaluation.h5"])

    def test_phenomena_have_figures_intervals_and_units_by_set_and_subject(self):
        write_pathways(self.folder)
        write_recording(self.folder)
        write_responses(self.folder, "network")
        write_responses(self.folder, "circuit", latency=-5)
        found, other = self.made()[:2]
        shown = found["phenomena"]["network"]["bright"]["latency"]
        self.assertEqual([shown[key] for key in ("presence", "flag", "latency_shift_ms", "latency_shift_low_ms", "latency_shift_high_ms", "latency_monotonic", "phenomenon_support")],
                         ["present", 1, 52.5, 40.0, 61.0, 1, 0.97])
        self.assertEqual(found["phenomena"]["circuit"]["bright"]["latency"]["presence"], "no effect")
        absent = found["phenomena"]["network"]["circuits"]
        self.assertEqual((absent["latency"]["presence"], absent["latency"]["latency_shift_ms"], absent["osr"]["osr_slope"]), ("too weak", None, None))
        self.assertEqual((absent["anticipation"]["anticipation_ahead_um"], absent["anticipation"]["directions"]), ([None, 85.0], [1.0, -1.0]))
        self.assertEqual([key_of(name) for name in ("osr_slope_low", "anticipation_ahead_um_high", "latency_shift_ms")], ["osr_slope_low", "anticipation_ahead_high_um", "latency_shift_ms"])
        self.assertIsNone(other["phenomena"]["network"])
        self.assertIn("has no cell", self.missing(other)["responses_network.h5"])

    def test_planted_units_stand_beside(self):
        write_pathways(self.folder)
        write_recording(self.folder)
        found = self.made()
        self.assertEqual((found[0]["planted"]["circuit"], found[0]["planted"]["definition"]), ("mine", {"offset_hz": -2.0}))
        self.assertEqual(found[0]["planted"]["units"][1], {"unit": "OFF_inh", "sign": "inhibitory", "polarity": "OFF", "offset_x_px": -1.5, "offset_x_um": -75.0})
        self.assertEqual([each["unit"] for each in found[1]["planted"]["units"]], ["OFF_exc"])
        self.assertIsNone(found[2]["planted"])
        self.assertIn("planted", self.missing(found[2]))
        self.assertEqual((found[0]["recording"]["contrast_zero"], found[0]["recording"]["contrast_unit"]), (127.0, 42.0))

    def test_reduction_and_lesions(self):
        write_pathways(self.folder)
        write_reduction_and_lesions(self.folder)
        found = self.made()[0]
        self.assertEqual(found["reduction"]["pathways"], [{"words": "ON excitation", "sign": "excitatory", "polarity": "ON", "attribution_share": 0.7, "weight_hz": 40.0, "threshold_contrast": 0.1,
                                                           "lobe_peak_ms": 60.0, "offset_x_px": 1.5, "offset_x_um": 75.0}])
        self.assertEqual((found["lesions"]["osr"], found["lesions"]["latency@bright"]["cmd_attribution"]), ({"windows_used": 5, "cmd_attribution": 0.0123, "faithfulness_only_pathways": 0.87}, None))


class Missing(Folder):
    def test_pathways_alone_say_what_is_missing(self):
        write_pathways(self.folder)
        found = self.made()[0]
        for name in ("recording.h5", "evaluation.h5", "responses_network.h5", "reduction_network.h5", "lesions_network.h5"):
            self.assertTrue(self.missing(found)[name], name)
        self.assertIn("nowhere/recording.h5", self.missing(found)["recording.h5"])
        self.assertIn("pathways", self.missing(self.made()[3]))
        self.assertEqual(found["program"], {"version": "9.8.7", "commit": "c0ffee", "started": "2026-01-02T03:04:05Z", "built_from_changed_sources": False})
        self.assertEqual((found["study"], found["recording"]["checksum"]), ({"name": "made up", "file": "made_up.toml", "hash": "0123456789abcdef"}, "feedbeef"))
        self.assertEqual((found["recording"]["frame_ms"], found["recording"]["pixel_um"]), (10.0, 50.0))

    def test_a_file_without_attributes_and_newer_variables_is_read(self):
        write_pathways(self.folder, without=["spread", "rest", "beta", "rate"], **{key: None for key in ATTRIBUTES})
        found = self.made()[0]
        for name in ("attribute pixel_um", "attribute inputs", "attribute run_commit", "spread", "rest", "beta", "rate"):
            self.assertIn(f"pathways.h5: {name}", self.missing(found))
        self.assertEqual((found["pathways"][0]["offset_x_px"], found["pathways"][0]["offset_x_um"], found["cell"]["id"]), (2.0, None, None))
        self.assertTrue(found["equation"]["line"].startswith("rate = softplus(c + 180 Hz x [ON, peak 70 ms, at (0.5, 2.0) px from the cell's centre, above 0.02]"))

    def test_a_line_per_cell_names_the_file(self):
        write_pathways(self.folder)
        self.made()
        self.assertEqual([line.split("; ")[-1] for line in self.lines], [f"mechanisms/{name}" for name in mechanism.file_names(CELLS)])
        self.assertEqual([line.split("disputed claims: ")[1][0] for line in self.lines], ["4", "2", "0", "0"])

    def test_file_names_are_safe_and_no_two_alike(self):
        self.assertEqual(mechanism.file_names(["cell01", "../a", "A/b", "a_b", "", "..", "a b"]), ["cell01.json", "_a.json", "A_b.json", "a_b-2.json", "cell.json", "cell-2.json", "a_b-3.json"])

    def test_what_is_not_a_number_is_never_written(self):
        with self.assertRaises(ValueError):
            dumps({"a": [1.0, float("nan")]})
        self.assertEqual(json.loads(dumps({"ä\"": [[1, None], []], "b": {}, "c": ["x"]}), parse_constant=refuse), {"ä\"": [[1, None], []], "b": {}, "c": ["x"]})
        self.assertTrue(np.isnan(correlation(np.ones(5), np.arange(5.0))))


class Damaged(Folder):
    def says(self, code, *words):
        ended = self.run_script()
        self.assertEqual(ended.returncode, code, ended.stderr[-2000:])
        self.assertNotIn("Traceback", ended.stderr)
        line = ended.stderr.strip().splitlines()[-1]
        for word in ("error: ", *words):
            self.assertIn(word, line)

    def test_a_damaged_file_ends_with_3_and_is_named(self):
        path = os.path.join(self.folder, "pathways.h5")
        write_pathways(self.folder)
        with h5py.File(path, "r+") as file:
            del file["weight"]
        self.says(3, path, "'weight'", "expected", "amacrine fit")
        write_pathways(self.folder)
        os.truncate(path, 2000)
        self.says(3, path, "cannot be opened as an HDF5 file", "amacrine fit")
        write_pathways(self.folder)
        write_evaluation(self.folder)
        os.truncate(os.path.join(self.folder, "evaluation.h5"), 500)
        self.says(3, "evaluation.h5", "amacrine evaluate")
        os.remove(os.path.join(self.folder, "evaluation.h5"))
        write_reduction_and_lesions(self.folder)
        os.truncate(os.path.join(self.folder, "lesions_network.h5"), 500)
        self.says(3, "lesions_network.h5", "amacrine lesion")
        os.remove(os.path.join(self.folder, "lesions_network.h5"))
        write_recording(self.folder)
        os.truncate(os.path.join(self.folder, "recording.h5"), 500)
        self.says(3, "recording.h5", "amacrine simulate")

    def test_a_folder_without_pathways_or_with_half_a_file(self):
        self.says(3, "pathways.h5", "expected", "Run `amacrine fit` first")
        write_pathways(self.folder, complete=0)
        self.says(3, "pathways.h5", "interrupted", "run `amacrine fit` again")

    def test_a_folder_that_cannot_be_written_is_refused_with_4(self):
        write_pathways(self.folder)
        with open(os.path.join(self.folder, "mechanisms"), "w", encoding="utf-8"):
            pass
        self.says(4, "mechanisms", "expected a folder")


class Report(Folder):
    def test_the_report_writes_them_and_links_them(self):
        write_pathways(self.folder)
        ended = self.run_script("report.py")
        self.assertEqual(ended.returncode, 0, ended.stderr[-2000:])
        with open(os.path.join(self.folder, "report.html"), encoding="utf-8") as stream:
            page = stream.read()
        for name in mechanism.file_names(CELLS):
            self.assertEqual(page.count(f'<a href="mechanisms/{name}">'), 1)
            self.assertTrue(os.path.exists(os.path.join(self.folder, "mechanisms", name)))


if __name__ == "__main__":
    unittest.main()
