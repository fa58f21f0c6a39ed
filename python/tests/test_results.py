# SPDX-License-Identifier: Apache-2.0
"""Results and tables against what h5py reads, and against what the simulated circuits are known to be."""
import os
import shutil
import unittest

import h5py
import numpy as np
import xarray as xr
from small import FOLDER, copied, make, skip

import amacrine
from amacrine import tables

setUpModule = make


class Results(unittest.TestCase):
    def setUp(self):
        self.study = amacrine.open(FOLDER)

    def check_all(self, data, name, groups=("",)):
        """Every dataset of a file is there with its shape, values and the names of its axes."""
        count = 0
        with h5py.File(f"{FOLDER}/{name}") as file:
            for group in groups:
                for key, item in file[group or "/"].items():
                    if isinstance(item, h5py.Group) or "CLASS" in item.attrs:
                        continue
                    found = data[f"{group}/{key}" if group else key]
                    self.assertEqual(list(found.dims), [axis[0].name.split("/")[-1] for axis in item.dims])
                    np.testing.assert_array_equal(found.values, item.asstr()[()] if h5py.check_string_dtype(item.dtype) else item[()])
                    count += 1
        self.assertGreater(count, 5)

    def test_values_and_axes_are_those_of_the_files(self):
        study = self.study
        self.check_all(study.evaluation, "evaluation.h5")
        self.check_all(study.responses["network"], "responses_network.h5")
        self.check_all(study.attributions["circuit"], "attributions_circuit.h5")
        self.check_all(study.reduction["network"], "reduction_network.h5", ("", "joint"))
        self.check_all(study.lesions, "lesions_network.h5")
        self.check_all(study.pathways, "pathways.h5")
        self.check_all(study.recording, "recording.h5", ("train", "train/response", "test", "test/response", "test/repeats", "simulated"))
        self.assertEqual(list(study.curves["epoch"]), [1, 2])

    def test_subjects_are_those_that_are_there(self):
        self.assertEqual(sorted(self.study.responses), ["circuit", "network"])
        self.assertIn("network", self.study.attributions)
        self.assertIsNone(self.study.responses.get("ln"))
        with self.assertRaisesRegex(amacrine.ResultError, "responses_ln.h5 is not there.*amacrine probe"):
            self.study.responses["ln"]

    def test_labels_units_and_slices(self):
        rate = self.study.evaluation["rate"].sel(model="network", cell="osr")
        self.assertEqual(rate.attrs["units"], "Hz")
        with h5py.File(f"{FOLDER}/evaluation.h5") as file:
            np.testing.assert_array_equal(rate[::-3].values, file["rate"][0, 0][::-3])
            for part in (slice(None, None, -1), slice(700, 20, -7), slice(5, 5), slice(20, 700, -1), [5, 2, 2], 3, -1):
                np.testing.assert_array_equal(rate[part].values, file["rate"][0, 0][part] if part != [5, 2, 2] else file["rate"][0, 0][()][part])

    def test_values_are_read_when_they_are_used(self):
        folder = copied(self, "evaluation.h5")
        data = amacrine.open(folder).evaluation
        np.testing.assert_array_equal(data["score"].values, self.study.evaluation["score"].values)
        os.remove(f"{folder}/evaluation.h5")
        with self.assertRaises(amacrine.ResultError) as caught:
            data["rate"].values
        self.assertEqual((caught.exception.dataset, caught.exception.verb), ("rate", "evaluate"))

    def test_models_below(self):
        folder = copied(self)
        for name in ("trials/0007", "sessions/monday"):
            shutil.copytree(copied(self, "model.h5", "evaluation.h5"), f"{folder}/{name}")
        os.mkdir(f"{folder}/trials/0008")
        models = amacrine.open(folder).models()
        self.assertEqual(list(models), ["sessions/monday", "trials/0007"])
        self.assertEqual(len(models["trials/0007"].scores()), 4)
        self.assertEqual(models["trials/0007"].model, self.study.model)

    def test_a_recording_elsewhere_is_found(self):
        self.assertEqual(os.path.realpath(amacrine.open("other").recording_path()), os.path.realpath(f"{FOLDER}/recording.h5"))


class ForeignRecordings(unittest.TestCase):
    def test_without_scales_of_dimensions(self):
        folder = copied(self)
        movie = np.arange(24, dtype=np.uint8).reshape(6, 2, 2)
        with h5py.File(f"{folder}/recording.h5", "w") as file:
            for part in ("train", "test"):
                file[f"{part}/stimulus"], file[f"{part}/response/binned"] = movie, np.ones((3, 6))
        recording = amacrine.open(folder).recording
        np.testing.assert_array_equal(recording["test/stimulus"].values, movie)
        self.assertEqual(recording["train/response/binned"].shape, (3, 6))


class Tables(unittest.TestCase):
    def setUp(self):
        self.study = amacrine.open(FOLDER)

    def test_scores_are_correlations_with_the_simulated_rate(self):
        table, data = self.study.scores(), self.study.evaluation
        self.assertEqual(len(table), 4)
        for row in table.itertuples():
            truth, rate = data["noiseless_rate"].sel(cell=row.cell).values, data["rate"].sel(model=row.model, cell=row.cell).values
            self.assertAlmostEqual(row.score, np.corrcoef(truth, rate)[0, 1], places=5)
            self.assertTrue(row.score_low <= row.score <= row.score_high)
            self.assertEqual(row.noise_ceiling, float(data["noise_ceiling"].sel(cell=row.cell)))

    def test_phenomena_of_the_circuits_are_those_they_were_made_for(self):
        table = self.study.phenomena()
        self.assertEqual(len(table), 2 * 2 * 2 * 4)  # subjects, parameter sets, cells, phenomena
        shown = table[(table.subject == "circuit") & (table["set"] == "circuits")].set_index(["cell", "phenomenon"])
        self.assertTrue(shown.loc[("osr", "osr")].present)
        self.assertEqual(shown.loc[("osr", "osr")].presence, "present")
        self.assertTrue(shown.loc[("anticipation", "anticipation")].present)
        self.assertFalse(shown.loc[("anticipation", "osr")].present)
        data = self.study.responses["circuit"].sel(set="circuits")
        self.assertEqual(shown.loc[("osr", "osr")].value, float(data["osr_slope"].sel(cell="osr")))
        self.assertEqual(shown.loc[("anticipation", "anticipation")].value, float(data["anticipation_ahead_um"].sel(cell="anticipation").max()))

    def test_anticipation_is_that_of_the_direction_with_the_larger_lead(self):
        for leads, want in (([10.0, 50.0], (50, 40, 60, -1)), ([30.0, -5.0], (30, 20, 40, 1)), ([np.nan, 7.0], (7, -3, 17, -1)), ([np.nan] * 2, (np.nan,) * 4)):
            made = {f"anticipation_ahead_um{end}": (("set", "cell", "direction"), np.array([[leads]]) + by) for end, by in (("", 0), ("_low", -10), ("_high", 10))}
            data = xr.Dataset(made, {"direction": [1.0, -1.0]})
            np.testing.assert_array_equal(tables.main_figure(data, "anticipation", 0, 0), want)

    def test_pathways_of_the_circuits_are_the_planted_units(self):
        table = self.study.pathway_table()
        joint = table[(table.subject == "circuit") & (table.stimulus == "joint")]
        self.assertEqual(sorted(joint.channel), ["anticipation/OFF_exc", "anticipation/OFF_inh_wide", "osr/OFF_inh", "osr/ON_fast", "osr/ON_slow"])
        for row in joint.itertuples():
            self.assertEqual(row.polarity, "ON" if "/ON" in row.channel else "OFF")
            self.assertEqual(row.sign, "inhibitory" if "_inh" in row.channel else "excitatory")
            self.assertEqual(row.weight < 0, row.sign == "inhibitory")
        share = table.groupby(["subject", "cell", "stimulus"]).agg({"share": "sum", "share_kept": "first"})
        np.testing.assert_allclose(share["share"], share["share_kept"], atol=1e-5)


class Tree(unittest.TestCase):
    def test_all_results_as_one_tree(self):
        study = amacrine.open(FOLDER)
        if not hasattr(xr, "DataTree"):
            with self.assertRaisesRegex(ImportError, "2024.10"):
                study.tree
            skip(self, "this xarray has no DataTree")
        tree = study.tree
        want = {"evaluation", "responses", "attributions", "reduction", "lesions", "pathways", "model", "ln", "curves", "recording"}
        self.assertEqual(set(tree.children), want)
        self.assertEqual(set(tree["responses"].children), {"circuit", "network"})
        for name, path in (("evaluation/rate", "evaluation.h5:rate"), ("responses/network/osr_latency_ms", "responses_network.h5:osr_latency_ms"),
                           ("reduction/circuit/joint/drive", "reduction_circuit.h5:joint/drive"), ("model/hidden0_kernel", "model.h5:hidden0_kernel"),
                           ("recording/test/response/binned", "recording.h5:test/response/binned")):
            file, _, dataset = path.partition(":")
            with h5py.File(f"{FOLDER}/{file}") as source:
                np.testing.assert_array_equal(tree[name].values, source[dataset][()])
        self.assertEqual(list(tree["curves"]["epoch"].values), [1, 2])
        self.assertEqual(tree["evaluation"].attrs["kind"], "evaluation")

    def test_what_is_not_there_is_left_out(self):
        if not hasattr(xr, "DataTree"):
            skip(self, "this xarray has no DataTree")
        self.assertEqual(set(amacrine.open(copied(self, "model.h5")).tree.children), {"model"})
        folder = copied(self, "model.h5", "evaluation.h5")
        os.truncate(f"{folder}/evaluation.h5", 100)
        with self.assertRaisesRegex(amacrine.ResultError, "evaluation.h5"):
            amacrine.open(folder).tree

    def test_values_are_read_when_they_are_used(self):
        if not hasattr(xr, "DataTree"):
            skip(self, "this xarray has no DataTree")
        folder = copied(self, "responses_network.h5")
        tree = amacrine.open(folder).tree
        os.remove(f"{folder}/responses_network.h5")
        with self.assertRaises(amacrine.ResultError):
            tree["responses/network/rate"].values


class Errors(unittest.TestCase):
    def wrong(self, folder, attribute, *words):
        with self.assertRaises(amacrine.ResultError) as caught:
            getattr(amacrine.open(folder), attribute)
        for word in words:
            self.assertIn(word, str(caught.exception))
        return caught.exception

    def test_missing(self):
        error = self.wrong(copied(self), "evaluation", "evaluation.h5 is not there", "`amacrine evaluate STUDY.toml` makes it")
        self.assertEqual(error.verb, "evaluate")
        self.wrong(copied(self), "curves", "curves.csv", "amacrine train")
        self.wrong(copied(self), "recording", "recording.h5", "amacrine simulate")
        with self.assertRaisesRegex(amacrine.ResultError, "is no folder"):
            amacrine.open("nowhere")

    def test_still_being_made(self):
        folder = copied(self, "lesions_network.h5")
        os.rename(f"{folder}/lesions_network.h5", f"{folder}/lesions_network.h5.partial")
        self.wrong(folder, "lesions", "still being made")

    def test_cut_off(self):
        folder = copied(self, "evaluation.h5")
        size = os.path.getsize(f"{folder}/evaluation.h5")
        for length, word in ((size - 1, "not whole"), (size // 2, "cannot be opened"), (0, "cannot be opened")):
            os.truncate(f"{folder}/evaluation.h5", length)
            self.wrong(folder, "evaluation", word, "amacrine evaluate")

    def test_changed(self):
        folder = copied(self, "evaluation.h5")
        with h5py.File(f"{folder}/evaluation.h5", "r+"):
            pass
        self.wrong(folder, "evaluation", "not whole")

    def test_a_dataset_that_is_not_there(self):
        folder = copied(self, "evaluation.h5", "model.h5")
        for name, dataset in (("evaluation.h5", "score"), ("model.h5", "hidden1_gamma")):
            with h5py.File(f"{folder}/{name}", "r+") as file:
                del file.attrs["format"], file[dataset]  # a file without a version has no checks at its end
        self.assertEqual(self.wrong(folder, "evaluation", "dataset 'score' is not there").dataset, "score")
        self.assertEqual(self.wrong(folder, "model", "hidden1_gamma", "amacrine train").dataset, "hidden1_gamma")

    def test_a_figure_that_a_table_needs(self):
        folder = copied(self, "responses_network.h5", "reduction_network.h5")
        for name, dataset in (("responses_network.h5", "surprise_index"), ("reduction_network.h5", "joint/speed")):
            with h5py.File(f"{folder}/{name}", "r+") as file:
                del file.attrs["format"], file[dataset]
        for table, words in (("phenomena", "responses_network.h5: dataset 'surprise_index'.*amacrine probe"), ("pathway_table", "reduction_network.h5: dataset 'joint/speed'.*amacrine reduce")):
            with self.assertRaisesRegex(amacrine.ResultError, words):
                getattr(amacrine.open(folder), table)()

    def test_a_model_that_does_not_fit_its_architecture(self):
        folder = copied(self, "model.h5")
        with h5py.File(f"{folder}/model.h5", "r+") as file:
            del file.attrs["format"], file["output_mean"]
            file["output_mean"] = np.zeros(3, np.float32)
        self.wrong(folder, "model", "output_mean", "(3,)", "(2,)")

    def test_another_kind(self):
        folder = copied(self, "model.h5")
        os.rename(f"{folder}/model.h5", f"{folder}/evaluation.h5")
        self.wrong(folder, "evaluation", "is of kind 'model'", "'evaluation'")


if __name__ == "__main__":
    unittest.main()
