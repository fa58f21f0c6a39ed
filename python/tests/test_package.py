# SPDX-License-Identifier: Apache-2.0
"""test_package.py: the installed package against the program ($AMACRINE_PROGRAM) and a small study that the program makes ($AMACRINE_STUDY) in the
working folder. The program's predictions and NumPy's are written twice, by two hands, and check each other."""
import contextlib
import importlib.util
import io
import json
import os
import re
import shutil
import struct
import sys
import tempfile
import unittest
from unittest import mock

import h5py
import numpy as np
import xarray as xr

import amacrine
from amacrine import forward, program, tables

STUDY_FILE = os.environ["AMACRINE_STUDY"]
FOLDER = "small"
# A model of another make: three layers, a norm for every unit, |gamma|, biases, a lag, pixels normalised one by one.
OTHER = ["study.output=other", f"recording.file={FOLDER}/recording.h5", "model.preset=torch-deep-retina", "model.scale=absolute", "recording.minimum_lag=1",
         "recording.normalisation=per_pixel", "model.softplus_beta=0.5", "model.channels=[3, 4, 5]", "model.kernels=[15, 11, 7]", "training.ln=false"]
TOLERANCE = 1e-4  # Hz


def quiet(verb, overrides, **more):
    return amacrine.run(verb, STUDY_FILE, overrides, on_line=lambda line: None, **more)


def setUpModule():
    for verb in ("simulate", "train", "evaluate", "probe", "attribute", "reduce", "lesion", "fit"):
        place = {"study.output": FOLDER, "probe.subjects": ["network", "circuit"]}
        quiet(verb, place if verb == "simulate" else {**place, "recording.file": f"{FOLDER}/recording.h5"})
    for verb in ("train", "evaluate"):
        quiet(verb, OTHER)


def contrast(model):
    return model.contrast_of(amacrine.open(FOLDER).recording["test/stimulus"].values)


def copied(test, *names):
    """A folder with copies of some results, gone after the test."""
    folder = tempfile.mkdtemp(dir=".")
    test.addCleanup(shutil.rmtree, folder)
    for name in names:
        shutil.copy(f"{FOLDER}/{name}", folder)
    return folder


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
                    np.testing.assert_array_equal(found.values, item[()])
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
        for table, words in (("phenomena", "dataset 'surprise_index'.*amacrine probe"), ("pathway_table", "dataset 'joint/speed'.*amacrine reduce")):
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


class Models(unittest.TestCase):
    def check_predictions(self, folder, model, name):
        evaluation = amacrine.open(folder).evaluation
        want = evaluation["rate"].sel(model=name).values
        found = model.predict(contrast(model))[:, int(evaluation.attrs["discarded_frames"]):]
        self.assertEqual(found.shape, want.shape)
        self.assertGreater(np.ptp(want), 1.0)
        self.assertTrue(np.abs(found - want).max() <= TOLERANCE, np.abs(found - want).max())

    def test_predictions_are_the_programs(self):
        self.check_predictions(FOLDER, amacrine.open(FOLDER).model, "network")
        self.check_predictions(FOLDER, amacrine.load_model(f"{FOLDER}/ln.h5"), "ln")

    def test_predictions_of_another_architecture(self):
        model = amacrine.load_model("other/model.h5")
        self.assertEqual((model.architecture.norm, model.architecture.scale, model.minimum_lag), ("per_unit", "absolute", 1))
        self.assertEqual(model.normalisation.mean.shape, (50, 50))
        self.check_predictions("other", model, "network")

    def test_responses_to_grey(self):
        responses = amacrine.open(FOLDER).responses["network"]
        model = amacrine.open(FOLDER).model
        np.testing.assert_allclose(model.predict(np.zeros((1, 50, 50)))[:, 0], responses["rest_hz"].values, rtol=0, atol=TOLERANCE)

    def test_blocks_do_not_show(self):
        model = amacrine.open(FOLDER).model
        movie = contrast(model)[:forward.BLOCK + 40]
        late = model.predict(movie[20:])
        np.testing.assert_allclose(model.predict(movie)[:, 60:], late[:, 40:], atol=1e-9)

    def test_the_world_before_a_movie_is_grey(self):
        for path in (f"{FOLDER}/model.h5", "other/model.h5"):
            model = amacrine.load_model(path)
            movie = np.random.default_rng(3).normal(size=(5, 50, 50))
            longer = np.concatenate([np.zeros((50, 50, 50)), movie])
            np.testing.assert_allclose(model.predict(movie), model.predict(longer)[:, 50:], atol=1e-9)

    def test_signs_of_scales(self):
        movie = np.random.default_rng(4).normal(size=(3, 50, 50))
        for path, matters in ((f"{FOLDER}/model.h5", True), ("other/model.h5", False)):
            model, turned = amacrine.load_model(path), amacrine.load_model(path)
            for name in ("hidden0_gamma", "output_gamma"):
                turned.parameters[name] *= -1
            change = np.abs(model.predict(movie) - turned.predict(movie)).max()
            self.assertEqual(change > 1e-3, matters, change)

    def test_the_first_layer_by_plain_sums(self):
        rng = np.random.default_rng(1)
        frames, kernel = rng.normal(size=(7, 6, 5)), rng.normal(size=(2, 3, 4, 2))
        want = np.zeros((5, 2, 3, 4))
        for b, c, y, x in np.ndindex(*want.shape):
            want[b, c, y, x] = sum(kernel[c, lag, j, i] * frames[b + lag, y + j, x + i] for lag, j, i in np.ndindex(3, 4, 2))
        np.testing.assert_allclose(forward.temporal_correlate(frames, kernel, 5), want, atol=1e-12)

    def test_parts_of_a_model(self):
        model = amacrine.open(FOLDER).model
        with h5py.File(f"{FOLDER}/model.h5") as file:
            for name, values in {**model.parameters, **model.statistics}.items():
                np.testing.assert_array_equal(values, file[name][()])
            self.assertEqual(model.architecture.to_json(), file.attrs["architecture"].decode())
        self.assertEqual([cell.name for cell in model.cells], ["osr", "anticipation"])
        self.assertEqual((model.contrast.zero, model.contrast.unit, model.frame_ms), (127, 42, 10))

    def test_movies_that_do_not_fit(self):
        model = amacrine.open(FOLDER).model
        for movie, word in ((np.zeros((2, 50, 50), np.uint8), "pixel values"), (np.zeros((2, 50, 49)), "does not fit"), (np.full((1, 50, 50), np.nan), "finite")):
            with self.assertRaisesRegex(ValueError, word):
                model.predict(movie)

    def test_windows(self):
        for path in (f"{FOLDER}/model.h5", "other/model.h5"):
            model = amacrine.load_model(path)
            movie = np.arange(1.0, 61.0)[:, None, None] * np.ones((50, 50))
            windows = model.windows(movie, [0, 50])[:, :, 7, 9]
            np.testing.assert_array_equal(windows[0], [0.0] * (39 + model.minimum_lag) + [1.0] * (1 - model.minimum_lag))
            np.testing.assert_array_equal(windows[1], np.arange(12.0, 52.0) - model.minimum_lag)
            with self.assertRaises(ValueError):
                model.windows(movie, [60])


class Safetensors(unittest.TestCase):
    def test_written_and_read(self):
        for path in (f"{FOLDER}/model.h5", f"{FOLDER}/ln.h5", "other/model.h5"):
            model = amacrine.load_model(path)
            model.to_safetensors("model.safetensors")
            again = amacrine.read_safetensors("model.safetensors")
            self.assertEqual(again, model)
            again.parameters["readout_weight"].flat[0] += 1
            self.assertNotEqual(again, model)

    def test_the_format_by_hand(self):
        model = amacrine.open(FOLDER).model
        model.to_safetensors("model.safetensors")
        with open("model.safetensors", "rb") as file:
            length, = struct.unpack("<Q", file.read(8))
            header, data = json.loads(file.read(length)), file.read()
        self.assertEqual(length % 8, 0)
        self.assertEqual(json.loads(header.pop("__metadata__")["architecture"])["hidden"][0]["kernel_y"], 15)
        entry = header["hidden0_kernel"]
        self.assertEqual((entry["dtype"], entry["shape"]), ("F32", [4, 40, 15, 15]))
        with h5py.File(f"{FOLDER}/model.h5") as file:
            np.testing.assert_array_equal(np.frombuffer(data[slice(*entry["data_offsets"])], "<f4"), file["hidden0_kernel"][()].ravel())
        self.assertEqual(max(entry["data_offsets"][1] for entry in header.values()), len(data))

    def test_the_safetensors_package_reads_it(self):
        try:
            from safetensors.numpy import load_file
        except ImportError:
            self.skipTest("the package safetensors is not installed")
        model = amacrine.open(FOLDER).model
        model.to_safetensors("model.safetensors")
        np.testing.assert_array_equal(load_file("model.safetensors")["readout_weight"], model.parameters["readout_weight"])

    def test_damaged(self):
        amacrine.open(FOLDER).model.to_safetensors("model.safetensors")
        with open("model.safetensors", "rb") as file:
            whole = file.read()
        for data in (b"", whole[:4], whole[:100], whole[:-1], whole[:8] + b"[" + whole[9:], whole.replace(b'"F32"', b'"F31"', 1),
                     whole.replace(b"amacrine model 1", b"amacrine model 7")):
            with open("damaged.safetensors", "wb") as file:
                file.write(data)
            with self.assertRaisesRegex(amacrine.ResultError, "damaged.safetensors"):
                amacrine.read_safetensors("damaged.safetensors")


class Torch(unittest.TestCase):
    def test_without_torch(self):
        with mock.patch.dict(sys.modules, {"torch": None}), self.assertRaisesRegex(ImportError, "pip install torch"):
            amacrine.load_torch(f"{FOLDER}/model.h5")

    def test_rates_are_those_of_numpy(self):
        torch = self.torch()
        for path in (f"{FOLDER}/model.h5", f"{FOLDER}/ln.h5", "other/model.h5"):
            model, module = amacrine.load_model(path), amacrine.load_torch(path)
            movie, frames = contrast(model), np.array([0, 30, 77, 250, 400, 799])
            with torch.no_grad():
                found = module(torch.from_numpy(model.windows(movie, frames))).numpy().T
            self.assertTrue(np.abs(found - model.predict(movie)[:, frames]).max() <= TOLERANCE)
            if model.architecture.scale == "absolute":
                model.parameters["hidden1_gamma"] *= -1
                with torch.no_grad():
                    turned = amacrine.load_torch(model)(torch.from_numpy(model.windows(movie, frames))).numpy().T
                np.testing.assert_allclose(turned, found, atol=1e-9)

    def test_gradients_are_the_slopes_of_numpys_rates(self):
        torch = self.torch()
        model, module = amacrine.open(FOLDER).model, amacrine.load_torch(f"{FOLDER}/model.h5")
        kernel = model.parameters["hidden0_kernel"].astype(float)
        rate = lambda window: forward.head(model, forward.temporal_correlate(model.normalisation(window), kernel, 1))[0, 0]
        window, step = model.windows(contrast(model), [400])[0], 1e-6
        direction = np.random.default_rng(2).normal(size=window.shape)
        x = torch.from_numpy(window[None]).requires_grad_(True)
        module(x)[0, 0].backward()
        slope = (rate(window + step * direction) - rate(window - step * direction)) / (2 * step)
        self.assertGreater(abs(slope), 0.01)
        self.assertTrue(abs(float((x.grad[0].numpy() * direction).sum()) - slope) <= 1e-4 * abs(slope))

    def torch(self):
        try:
            import torch
        except ImportError:
            self.skipTest("PyTorch is not installed")
        return torch


class Page(unittest.TestCase):
    def test_examples_of_the_page(self):
        """Runs the examples of docs/python.md one after another, on the small study under the names that the page uses."""
        with open(os.environ["AMACRINE_PAGE"], encoding="utf-8") as file:
            examples = re.findall(r"```python\n(.*?)```", file.read(), re.DOTALL)
        self.assertEqual(len(examples), 5)
        os.makedirs("page/results", exist_ok=True)
        shutil.copytree(FOLDER, "page/results/quickstart", dirs_exist_ok=True)
        shutil.copy(STUDY_FILE, "page/study.toml")
        here, names, printed = os.getcwd(), {}, io.StringIO()
        self.addCleanup(os.chdir, here)
        os.chdir("page")
        with contextlib.redirect_stdout(printed):
            for example in examples:
                if "import torch" not in example or importlib.util.find_spec("torch"):
                    exec(example, names)
        self.assertEqual(names["rates"].shape, (2, 800))
        self.assertEqual(names["result"].exit_code, 0)
        self.assertIn("2 command line: unknown key 'traning.l2'; did you mean 'training.l2'?", printed.getvalue())
        self.assertRegex(printed.getvalue(), r"osr/OFF_inh +OFF +inhibitory")
        if "again" in names:
            self.assertEqual(names["again"], names["model"])
            self.assertTrue(np.abs(names["difference"]).max() <= TOLERANCE)


class Running(unittest.TestCase):
    def test_what_is_whole_is_used_again(self):
        lines = []
        result = amacrine.run("evaluate", STUDY_FILE, [f"study.output={FOLDER}", f"recording.file={FOLDER}/recording.h5"], on_line=lines.append)
        self.assertEqual((result.exit_code, result.stopped, list(result.lines)), (0, False, lines))
        self.assertTrue(any("evaluate" in line for line in lines))

    def test_stopped(self):
        result = quiet("train", ["study.output=stopped", f"recording.file={FOLDER}/recording.h5", "--max-time", "0.00001"])
        self.assertEqual((result.exit_code, result.stopped), (75, True))
        self.assertIn("the same command goes on", result.meaning)

    def test_failures_have_the_programs_words(self):
        for verb, overrides, code, word in (("train", ["traning.l2=0"], 2, "did you mean 'training.l2'"),
                                            ("evaluate", ["study.output=nowhere"], 3, "nowhere/recording.h5 is not there")):
            with self.assertRaises(amacrine.RunError) as caught:
                quiet(verb, overrides)
            self.assertEqual((caught.exception.exit_code, caught.exception.meaning), (code, amacrine.EXIT_CODES[code]))
            self.assertIn(word, caught.exception.message)
            self.assertIn(word, str(caught.exception))

    def test_on_two_ranks(self):
        if shutil.which("mpirun") is None:
            self.skipTest("mpirun is not installed")
        place = {"study.output": "ranks", "recording.file": f"{FOLDER}/recording.h5"}
        os.makedirs("ranks", exist_ok=True)
        shutil.copy(f"{FOLDER}/model.h5", "ranks")
        quiet("evaluate", place, ranks=2)
        network = lambda folder: amacrine.open(folder).evaluation["rate"].sel(model="network").values
        np.testing.assert_array_equal(network("ranks"), network(FOLDER))
        with self.assertRaises(amacrine.RunError) as caught:
            quiet("evaluate", {**place, "recording.minimum_lag": 1, "study.output": "nowhere", "recording.file": ""}, ranks=2)
        self.assertEqual(caught.exception.exit_code, 3)
        self.assertIn("nowhere/recording.h5", caught.exception.message)
        self.assertNotIn("mpirun", caught.exception.message)

    def test_a_callback_that_raises_ends_the_program(self):
        class Enough(Exception):
            pass

        def stop(line):
            raise Enough

        with self.assertRaises(Enough):
            amacrine.run("train", STUDY_FILE, ["study.output=left", f"recording.file={FOLDER}/recording.h5", "training.total_windows=10_000_000"], on_line=stop)
        with open("left/train.status.json", encoding="utf-8") as file:
            self.assertEqual(json.load(file)["state"], "stopped")

    def test_where_the_program_is(self):
        self.assertEqual(program.find_program(), os.path.abspath(os.environ["AMACRINE_PROGRAM"]))
        with mock.patch.dict(os.environ):
            del os.environ["AMACRINE_PROGRAM"]
            os.environ["PATH"] = copied(self)
            with self.assertRaisesRegex(FileNotFoundError, "AMACRINE_PROGRAM"):
                program.find_program()
            shutil.copy("/bin/true", f"{os.environ['PATH']}/amacrine")
            self.assertEqual(program.find_program(), os.path.abspath(f"{os.environ['PATH']}/amacrine"))
        with self.assertRaises(TypeError):
            amacrine.run("train", STUDY_FILE, "training.l2=0")

    def test_a_failure_without_an_error_line(self):
        self.assertEqual(program.message_of(["-----", "no such host", "-----"]), "no such host")
        self.assertEqual(program.message_of(["begins", "error: no file", "  look there", "error: no file", "-----", "mpirun says"]), "no file\n  look there")

    def test_exit_codes_are_those_of_the_readme(self):
        with open(os.environ["AMACRINE_README"], encoding="utf-8") as file:
            rows = [line.strip("| \n").split(" | ") for line in file if line.startswith("| ") and line[2].isdigit()]
        self.assertEqual([int(row[0]) for row in rows], sorted(amacrine.EXIT_CODES))
        for code, meaning in rows[:-1]:
            self.assertEqual(amacrine.EXIT_CODES[int(code)], meaning)


if __name__ == "__main__":
    unittest.main()
