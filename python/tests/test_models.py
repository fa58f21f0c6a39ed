# SPDX-License-Identifier: Apache-2.0
"""Models in NumPy, PyTorch and safetensors against the program's predictions: the same written twice, by two hands."""
import json
import struct
import sys
import unittest
from unittest import mock

import h5py
import numpy as np
from small import FOLDER, TOLERANCE, contrast, make, skip

import amacrine
from amacrine import forward

setUpModule = make


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
            skip(self, "the package safetensors is not installed")
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
            skip(self, "PyTorch is not installed")
        return torch


if __name__ == "__main__":
    unittest.main()
