# SPDX-License-Identifier: Apache-2.0
"""Models in other programs' formats, run by these programs where they are; pathway models in NumPy against the program's rates."""
import importlib.util
import json
import os
import re
import shutil
import sys
import unittest
from unittest import mock

import h5py
import numpy as np
from foreign import BnCnn, write_keras
from small import FOLDER, contrast, make, quiet, skip

import amacrine

setUpModule = make
PATHS = (f"{FOLDER}/model.h5", f"{FOLDER}/ln.h5", "other/model.h5")


class Onnx(unittest.TestCase):
    def test_rates_of_onnxruntime(self):
        if importlib.util.find_spec("onnx") is None or importlib.util.find_spec("onnxruntime") is None:
            skip(self, "onnx and onnxruntime are not installed")
        import onnxruntime
        for path in PATHS:
            model = amacrine.load_model(path)
            model.parameters["readout_weight"] *= 3
            amacrine.export(model, "model.onnx")
            movie, frames = contrast(model), np.array([0, 30, 77, 250, 400, 799])
            session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
            found, = session.run(None, {"contrast": model.windows(movie, frames).astype(np.float32)})
            want = model.predict(movie)[:, frames]
            error = np.abs(found.T - want).max() / want.max()
            self.assertGreater(np.ptp(want), 1)
            self.assertTrue(error <= 1e-6, (path, error))

    def test_without_onnx(self):
        with mock.patch.dict(sys.modules, {"onnx": None}), self.assertRaisesRegex(ImportError, "pip install onnx"):
            amacrine.export(amacrine.load_model(PATHS[0]), "model.onnx")


class Keras(unittest.TestCase):
    def test_what_is_written_comes_in_again(self):
        for path in PATHS[:2]:
            model = amacrine.load_model(path)
            amacrine.export(model, "keras.h5")
            again = amacrine.import_model("keras.h5", minimum_lag=model.minimum_lag, frame_ms=model.frame_ms, pixel_um=model.pixel_um)
            self.assertEqual(again.architecture, model.architecture)
            for name, values in {**model.parameters, **model.statistics}.items():
                np.testing.assert_array_equal(again.parameters.get(name, again.statistics.get(name)), values)

    def test_layout(self):
        """Axes and names that Keras 2 has, by hand: kernels (KY, KX, D, C), dense (units, cells) counted channel, row, column."""
        model = amacrine.load_model(PATHS[0])
        amacrine.export(model, "keras.h5")
        with h5py.File("keras.h5") as file:
            config, weights = json.loads(file.attrs["model_config"]), file["model_weights"]
            self.assertEqual([name if isinstance(name, str) else name.decode() for name in weights.attrs["layer_names"]], [layer["config"]["name"] for layer in config["config"]["layers"]])
            kernel = weights["conv2d_2/conv2d_2/kernel:0"][()]
            self.assertEqual(kernel[3, 5, 1, 2], model.parameters["hidden1_kernel"][2, 1, 3, 5])
            dense = weights["dense_1/dense_1/kernel:0"][()]
            self.assertEqual(dense[(2 * 26 + 7) * 26 + 9, 1], model.parameters["readout_weight"][1, 2, 7, 9])

    def test_absolute_scales_are_taken_and_other_softplus_refused(self):
        model = amacrine.load_model("other/model.h5")
        with self.assertRaisesRegex(ValueError, "softplus_beta 0.5"):
            amacrine.export(model, "keras.h5")
        network = BnCnn((6, 14, 13), (3, 2), (5, 4), 2, seed=5)
        write_keras("foreign.h5", *network.keras())
        signed = amacrine.import_model("foreign.h5")
        absolute = amacrine.Model(**{**vars(signed), "architecture": amacrine.Architecture(**{**vars(signed.architecture), "scale": "absolute"})})
        amacrine.export(absolute, "keras.h5")
        movie = np.random.default_rng(3).normal(size=(12, 14, 13))
        again = amacrine.import_model("keras.h5")
        self.assertEqual(again.architecture.scale, "plain")
        np.testing.assert_allclose(again.predict(movie), absolute.predict(movie), rtol=1e-12)
        self.assertGreater(np.abs(again.predict(movie) - signed.predict(movie)).max(), 0.1)

    def test_rates_of_keras_itself(self):
        os.environ.setdefault("KERAS_BACKEND", "torch")
        try:
            import keras
        except (ImportError, RuntimeError):
            skip(self, "Keras is not installed with a backend")
        model = amacrine.load_model(PATHS[0])
        amacrine.export(model, "keras.h5")
        movie, frames = contrast(model), np.array([0, 30, 77, 250, 400, 799])
        windows = model.normalisation(model.windows(movie, frames)).astype(np.float32)
        found = np.asarray(keras.models.load_model("keras.h5", compile=False).predict(windows, verbose=0))
        want = model.predict(movie)[:, frames]
        self.assertTrue(np.abs(found.T - want).max() <= 1e-6 * want.max(), np.abs(found.T - want).max() / want.max())


class Page(unittest.TestCase):
    def test_examples_of_the_page(self):
        """Runs the examples of docs/models.md, on the small study under the name that the page uses."""
        with open(os.path.join(os.path.dirname(os.environ["AMACRINE_PAGE"]), "models.md"), encoding="utf-8") as file:
            examples = re.findall(r"```python\n(.*?)```", file.read(), re.DOTALL)
        self.assertEqual(len(examples), 2)
        if importlib.util.find_spec("onnx") is None:
            examples[0] = re.sub(r".*model\.onnx.*\n", "", examples[0])
        shutil.copytree(FOLDER, "models_page/results/quickstart", dirs_exist_ok=True)
        model = amacrine.open(FOLDER).model
        names = {"amacrine": amacrine, "contrast": contrast(model)}
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir("models_page")
        for example in examples:
            exec(example, names)
        self.assertEqual(amacrine.read_safetensors("model.safetensors"), model)
        self.assertEqual((len(names["rate"]), names["parts"].shape), (800, (len(names["model"].weights), 800)))
        with open("osr.json", encoding="utf-8") as file:
            self.assertEqual(amacrine.pathway_model_from_json(file.read()).cell, "osr")


class Formats(unittest.TestCase):
    def test_by_the_files_end(self):
        model = amacrine.load_model(PATHS[0])
        amacrine.export(model, "model.safetensors")
        self.assertEqual(amacrine.read_safetensors("model.safetensors"), model)
        amacrine.export(model, "keras.weights", format="keras")
        self.assertTrue(h5py.is_hdf5("keras.weights"))
        for path, format in (("model.pt", None), ("model.h5", "pickle")):
            with self.assertRaisesRegex(ValueError, "no format"):
                amacrine.export(model, path, format=format)


class Pathways(unittest.TestCase):
    def check(self, folder, study, cells):
        """Rates of the NumPy models over the test movie are those that the program stored."""
        pathways, models = study.pathways, study.pathway_models()
        self.assertEqual(list(models), cells)
        recording = study.recording
        movie = (recording["test/stimulus"].values.astype(np.float64) - 127) / 42
        for cell, model in models.items():
            want, found = pathways["rate"].sel(cell=cell).values, model.predict(movie)
            np.testing.assert_array_equal(np.isnan(found), np.isnan(want))
            known = ~np.isnan(want)
            self.assertTrue(np.abs(found - want)[known].max() <= 1e-5 * want[known].max(), np.abs(found - want)[known].max() / want[known].max())
            again = amacrine.pathway_model_from_json(model.to_json())
            np.testing.assert_array_equal(again.predict(movie), found)
            inputs = model.rest + model.contributions(movie)[:, known].sum(0)
            np.testing.assert_allclose(np.log1p(np.exp(model.beta * inputs)) / model.beta, found[known], rtol=1e-9)
        return models

    def test_rates_are_the_programs(self):
        models = self.check(FOLDER, amacrine.open(FOLDER), ["osr", "anticipation"])
        self.assertGreater(sum(len(model.weights) for model in models.values()), 0)

    def test_with_a_lag_and_centres_between_pixels(self):
        """A centre that is given, between pixels and near an edge, and a window that ends a frame earlier."""
        quiet("fit", ["study.output=lagged", f"recording.file={FOLDER}/recording.h5", "recording.minimum_lag=1", "recording.cells=[1]",
                      "recording.centres=given", "recording.centre_y=[26.3]", "recording.centre_x=[27.8]", "--overwrite"])
        study = amacrine.open("lagged")
        model, = study.pathway_models().values()  # pathways.h5 has the centre
        self.assertGreater(len(model.weights), 0)
        movie = (amacrine.open(FOLDER).recording["test/stimulus"].values.astype(np.float64) - 127) / 42
        want, found = study.pathways["rate"].values[0], model.predict(movie)
        self.assertEqual(np.isnan(found).sum(), 40)
        np.testing.assert_array_equal(np.isnan(found), np.isnan(want))
        self.assertTrue(np.nanmax(np.abs(found - want)) <= 1e-5 * np.nanmax(want), np.nanmax(np.abs(found - want)))
        self.assertGreater(np.nanmax(np.abs(study.pathway_models({"anticipation": (26, 28)})["anticipation"].predict(movie) - want)), 1e-3)
        with self.assertRaisesRegex(amacrine.ResultError, "centre of 'anticipation'"):
            study.pathway_models({})

    def test_texts_that_are_none(self):
        for text in ("", "[]", "{}", json.dumps({"format": "amacrine pathways 7"})):
            with self.assertRaisesRegex(ValueError, "amacrine pathways 1"):
                amacrine.pathway_model_from_json(text)


if __name__ == "__main__":
    unittest.main()
