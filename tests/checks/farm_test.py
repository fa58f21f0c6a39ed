#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page over many models, on made-up results of a sweep: what is counted, what is drawn, and that nothing is left out without its reason."""
import contextlib
import io
import json
import os
import sys
import tempfile
import unittest
from collections import Counter

import h5py
import numpy as np
import xarray as xr

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "analysis"))
import agreement  # noqa: E402
import farm  # noqa: E402
import farm_report  # noqa: E402
import figures_farm  # noqa: E402

ON, OFF, EXCITES, INHIBITS = 1, -1, 1, -1


def inputs(**checksums):
    return json.dumps([{"role": role, "path": role + ".h5", "checksum": checksum} for role, checksum in checksums.items()])


def write_evaluation(folder, score, pearson_r, model="m", recording="r", ceiling=(0.8, np.nan)):
    """Scores of the cells a and b; the figures of the LN model are far from those of the network."""
    both = lambda values: (("model", "cell"), np.array([[9.0, 9.0], values]))
    data = xr.Dataset({"score": both(score), "pearson_r": both(pearson_r), "noise_ceiling": ("cell", np.array(ceiling)), "mean_score": ("model", [9.0, np.mean(score)])},
                      coords={"model": ["ln", "network"], "cell": ["a", "b"]}, attrs={"score_reference": "noiseless", "inputs": inputs(model=model, recording=recording)})
    data.to_netcdf(os.path.join(folder, "evaluation.h5"))


def write_responses(folder, subject, latency, model="m", shift=50.0, rates=(0.0, 1.0, 5.0, 2.0)):
    """Latency coding alone was shown; its flags for a and b."""
    data = xr.Dataset({"latency_present": (("set", "cell"), [list(latency)]), "latency_shift_ms": (("set", "cell"), [[shift, shift]]),
                       "rate": (("condition", "cell", "frame"), [[list(rates)] * 2]), **{f"{name}_present": (("set", "cell"), [[0, 0]]) for name in ("osr", "reversal", "anticipation")}},
                      coords={"condition": ["latency/contrast=-1"], "set": ["circuits"], "cell": ["a", "b"]}, attrs={"inputs": inputs(model=model)})
    data.to_netcdf(os.path.join(folder, f"responses_{subject}.h5"))


def write_reduction(folder, subject, pathways, share_of_b=0.9):
    """`pathways` of a: (polarity, sign, mixed, lobe_time); b has one OFF inhibition."""
    slots = max(1, len(pathways))
    table = np.full((4, 2, slots), np.nan)
    for p, pathway in enumerate(pathways):
        table[:, 0, p] = pathway
    table[:, 1, 0] = (OFF, INHIBITS, 0, 200.0)
    there = np.isfinite(table[0]).astype(int)
    of = lambda row: (("cell", "joint_pathway"), np.nan_to_num(table[row]).astype(int))
    path = os.path.join(folder, f"reduction_{subject}.h5")
    xr.Dataset({"share_of_ceiling": ("cell", [0.9, share_of_b])}, coords={"cell": ["a", "b"]}, attrs={"least_share": 0.6}).to_netcdf(path)
    joint = xr.Dataset({"kept": (("cell", "joint_pathway"), there), "used": (("cell", "joint_pathway"), there), "polarity": of(0), "sign": of(1), "mixed": of(2),
                        "lobe_time": (("cell", "joint_pathway"), table[3]), "r_fitted": ("cell", [0.9, 0.9]), "r_held_out": ("cell", [np.nan, np.nan])})
    joint.to_netcdf(path, mode="a", group="joint")


def write_recording(folder):
    """Planted: ON excitation and OFF inhibition in a, nothing known of b's units but one."""
    with h5py.File(os.path.join(folder, "recording.h5"), "w") as file:
        file.attrs["cells"] = "a,b"
        for name, values in (("cell", [0, 0, 1]), ("polarity", [ON, OFF, OFF]), ("sign", [EXCITES, INHIBITS, INHIBITS])):
            file[f"simulated/unit_{name}"] = values


def make_sweep(root):
    """Trials 0 and 1 have everything, 2 was stopped, 3 failed, 4 waits and has no folder; 5 has a damaged evaluation and a reason why it was not probed."""
    rows = ["trial,standing,epochs,windows,value,value_2_epochs,training.learning_rate,reason", "0,finished,4,8,0.5,0.4,1e-2,", "1,finished,4,8,0.6,0.4,2e-2,",
            "2,stopped,2,4,0.1,0.1,3e-2,", '3,failed,1,2,,,9,"the loss, at once, became nan"', "4,waiting,0,0,,,4e-2,", "5,finished,4,8,0.5,0.4,5e-2,"]
    with open(os.path.join(root, "sweep.csv"), "w", encoding="utf-8") as stream:
        stream.write("\n".join(rows) + "\n")
    write_recording(root)
    write_responses(root, "circuit", (1, -5))
    write_reduction(root, "circuit", [(ON, EXCITES, 0, 60.0), (OFF, INHIBITS, 0, 150.0)])
    for trial in (0, 1, 2, 3, 5):
        os.makedirs(os.path.join(root, "trials", f"{trial:04d}"))
    place = lambda trial: os.path.join(root, "trials", f"{trial:04d}")
    for trial in (0, 1, 5):
        open(os.path.join(place(trial), "model.h5"), "wb").close()
    write_evaluation(place(0), (0.5, 0.3), (0.4, 0.2))
    write_evaluation(place(1), (0.7, np.nan), (0.6, np.nan))
    write_responses(place(0), "network", (1, 1))
    write_responses(place(1), "network", (1, -5), shift=20.0)
    write_reduction(place(0), "network", [(ON, EXCITES, 0, 50.0), (OFF, INHIBITS, 0, 140.0)])
    write_reduction(place(1), "network", [(ON, EXCITES, 0, 80.0), (ON, EXCITES, 0, 70.0), (OFF, EXCITES, 1, 100.0)], share_of_b=0.3)
    with open(os.path.join(place(5), "evaluation.h5"), "wb") as stream:
        stream.write(b"no HDF5")
    with open(os.path.join(root, "probe.status.json"), "w", encoding="utf-8") as stream:
        json.dump({"state": "failed", "reason": "probe failed for 1 of 3 models:\n  results/x/trials/0005: the disk is full: no room"}, stream)
    open(os.path.join(place(5), "attribute.log"), "wb").close()


def draw(root, pattern):
    """What is printed where the page is drawn."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        farm_report.main(root, pattern)
    return printed.getvalue()


class SweepPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = cls.folder.name
        make_sweep(cls.root)
        cls.farm = farm.Farm(cls.root, "trials/*")
        cls.model = {model.name[-1]: model for model in cls.farm.models}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_every_trial_is_there_with_the_reason_of_what_it_lacks(self):
        self.assertEqual(sorted(self.model), list("012345"))
        self.assertEqual(self.model["0"].missing, {})
        told = {name: self.model[name].missing["train"] for name in "234"}
        self.assertEqual(told, {"2": "no model: stopped by the sweep after 2 epochs: others were better", "3": "no model: failed in the sweep: the loss, at once, became nan",
                                "4": "no model yet: waiting in the sweep"})
        missing = self.model["5"].missing
        self.assertEqual(sorted(missing), ["attribute", "evaluate", "probe", "reduce"])
        self.assertIn("evaluation.h5 cannot be read", missing["evaluate"])
        self.assertEqual(missing["probe"], "`probe` failed: the disk is full: no room")
        self.assertIn("begun and not finished", missing["attribute"])
        self.assertIn("not done", missing["reduce"])

    def test_a_reduction_without_its_attributions_is_enough(self):
        self.assertNotIn("attribute", self.model["0"].missing)

    def test_scores_are_those_of_the_network_and_the_undefined_come_last(self):
        self.assertEqual([model.name[-1] for model in self.farm.models][:1], ["0"])
        self.assertAlmostEqual(self.model["0"].mean_score, 0.4)
        self.assertTrue(np.isnan(self.model["1"].mean_score))
        self.assertEqual(self.model["1"].pearson_r["a"], 0.6)

    def test_phenomena_are_counted_over_the_models_that_were_probed(self):
        self.assertEqual(farm_report.phenomenon_counts(self.farm), {("a", "latency", "circuits"): (2, 2), ("b", "latency", "circuits"): (1, 2)})
        self.assertEqual(self.farm.shown, {("a", "latency", "circuits")})
        # The circuit's shift is 50 ms: 50 is close, 20 is more than a quarter.
        row = farm_report.verdict_row(self.farm, ("a", "latency", "circuits"), 2)
        self.assertEqual(row[2:], [2, 1, 1, 0])

    def test_agreement_in_number_kind_and_time(self):
        each = agreement.Agreement(self.farm, "a")
        self.assertEqual(each.numbers(), Counter({2: 1, 3: 1}))
        self.assertEqual(each.kinds(), [(ON, EXCITES), (OFF, INHIBITS), (OFF, 0)])
        self.assertEqual([each.models_with(kind) for kind in each.kinds()], [2, 1, 1])
        self.assertEqual(sorted(each.times((ON, EXCITES))), [50.0, 70.0, 80.0])
        self.assertEqual(agreement.time_words(each.times((ON, EXCITES))), "70 (50 to 80)")
        self.assertEqual(each.planted, Counter({(ON, EXCITES): 1, (OFF, INHIBITS): 1}))
        self.assertEqual(each.planted_times, {(ON, EXCITES): [60.0], (OFF, INHIBITS): [150.0]})
        self.assertEqual(each.like_planted(), 1)

    def test_a_mechanism_that_is_not_named_is_not_counted_and_its_reason_is_told(self):
        each = agreement.Agreement(self.farm, "b")
        self.assertEqual((list(each.mechanisms), list(each.unnamed)), (["trials/0000"], ["trials/0001"]))
        self.assertEqual(each.numbers(), Counter({1: 1}))
        self.assertIn(("trials/0001", "mechanism of b", "not named: the network reaches 30 % of the ceiling, below 60 %"), farm_report.missing_rows(self.farm))

    def test_the_figure_of_scores_has_the_models_and_the_ceiling(self):
        kept = {}
        draw, figures_farm.svg = figures_farm.svg, lambda figure: kept.update(figure=figure)
        try:
            figures_farm.scores(self.farm, ["a", "b"])
        finally:
            figures_farm.svg = draw
        ax = kept["figure"].axes[0]
        heights = sorted(float(y) for line in ax.lines for y in line.get_ydata() if line.get_marker() == "o" and np.isfinite(y))
        self.assertEqual(heights, [0.2, 0.4, 0.6])
        levels = sorted(round(float(segment[0][1]), 6) for collection in ax.collections for segment in collection.get_segments())
        self.assertEqual(levels, [0.2, 0.5, 0.8])  # the medians of b and a, and the ceiling of a; b has none

    def test_the_page_names_every_trial_and_reason(self):
        printed = draw(self.root, "trials/*")
        with open(os.path.join(self.root, "models.html"), encoding="utf-8") as stream:
            page = stream.read()
        for words in [*(f"trials/000{n}" for n in range(6)), "the loss, at once, became nan", "waiting in the sweep", "the disk is full", "1 OFF inhibition, 1 ON excitation", "no two models alike"]:
            self.assertTrue(words in page, words)
        for words in [*(f"trials/000{n}" for n in range(6)), "the loss, at once, became nan", "the disk is full"]:
            self.assertIn(words, printed)
        self.assertFalse(">nan<" in page)


class PlainFolders(unittest.TestCase):
    """Folders of models that no sweep made."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = self.folder.name

    def model(self, name, **evaluation):
        place = os.path.join(self.root, name)
        os.makedirs(place)
        open(os.path.join(place, "model.h5"), "wb").close()
        write_evaluation(place, (0.5, 0.3), (0.4, 0.2), **evaluation)
        return place

    def test_another_recording_is_told_and_not_counted(self):
        for name, recording in (("x", "r"), ("y", "r"), ("z", "other")):
            self.model(name, recording=recording)
        models = {model.name: model for model in farm.Farm(self.root, "*").models}
        self.assertIn("recording is another one", models["z"].missing["evaluate"])
        self.assertEqual((models["z"].score, models["x"].score), ({}, {"a": 0.5, "b": 0.3}))

    def test_sessions_have_cells_and_truths_of_their_own(self):
        """Two recordings whose cells have the same names: latency coding is planted in a of one and in b of the other."""
        for session, shown, found in (("monday", (1, 0), (1, -1)), ("tuesday", (0, 1), (-1, -1))):
            place = self.model(f"sessions/{session}", recording=session)
            write_responses(place, "circuit", shown)
            write_responses(place, "network", found)
        sessions = farm.Farm(self.root, "sessions/*")
        self.assertEqual({model.name: model.missing.get("evaluate") for model in sessions.models}, {"sessions/monday": None, "sessions/tuesday": None})
        self.assertEqual(sorted(sessions.cells()), ["monday/a", "monday/b", "tuesday/a", "tuesday/b"])
        self.assertEqual(sessions.shown, {("monday/a", "latency", "circuits"), ("tuesday/b", "latency", "circuits")})
        models = {model.session: model for model in sessions.models}
        self.assertEqual(models["monday"].verdict["monday/a", "latency", "circuits"], "yes")
        self.assertEqual(models["tuesday"].verdict["tuesday/b", "latency", "circuits"], "no")
        with contextlib.redirect_stdout(io.StringIO()):
            farm_report.main(self.root, "sessions/*")
        with open(os.path.join(self.root, "models.html"), encoding="utf-8") as page:
            self.assertIn("a readout for each recording", page.read())

    def test_results_of_an_older_model_are_told_and_not_counted(self):
        place = self.model("x")
        write_responses(place, "network", (1, 1), model="older")
        one = farm.Farm(self.root, "x").models[0]
        self.assertIn("not of the model that evaluation.h5 is of", one.missing["probe"])
        self.assertEqual(one.present, {})

    def test_nothing_is_known_of_the_cells_without_circuits(self):
        write_responses(self.model("x"), "network", (1, -5))
        found = farm.Farm(self.root, "x")
        self.assertIsNone(found.shown)
        self.assertEqual(farm_report.phenomenon_counts(found), {("a", "latency", "circuits"): (1, 1), ("b", "latency", "circuits"): (0, 1)})
        draw(self.root, "x")

    def test_a_folder_without_a_model_is_told(self):
        os.makedirs(os.path.join(self.root, "empty"))
        self.assertIn("there is no model.h5", farm.Farm(self.root, "*").models[0].missing["train"])
        draw(self.root, "*")

    def test_a_pattern_that_names_nothing_is_refused(self):
        with self.assertRaises(SystemExit) as refused:
            farm.Farm(self.root, "trials/*")
        self.assertIn("seen from the results folder", str(refused.exception))


if __name__ == "__main__":
    unittest.main()
