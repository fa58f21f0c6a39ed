# SPDX-License-Identifier: Apache-2.0
"""Models of other programs, read and run by this one: against their own answers, in plain NumPy or by PyTorch and Keras where they are."""
import copy
import hashlib
import json
import os
import shutil
import subprocess
import sys
import unittest

import h5py
import numpy as np
from foreign import BnCnn, Weights, correlate, softplus, write_archive, write_keras, write_safetensors
from small import FOLDER, make, quiet, skip

import amacrine

setUpModule = make
RELATIVE = 1e-5
SMALL = (6, 14, 13)


def pixels():
    return amacrine.open(FOLDER).recording["test/stimulus"].values.astype(np.float64)


def small(**settings):
    """A small BN-CNN and windows for it."""
    return BnCnn(SMALL, (3, 2), (5, 4), 2, seed=5, **settings), np.random.default_rng(6).normal(size=(4, *SMALL))


class Case(unittest.TestCase):
    def check_rates(self, found, want):
        self.assertGreater(np.ptp(want), 0.1)
        error = np.abs(found - want).max() / np.abs(want).max()
        self.assertTrue(error <= RELATIVE, error)

    def check_windows(self, model, windows, want, newest_first=False):
        """A model's rates for windows, each as a movie of its own."""
        found = []
        for window in windows:
            movie = window[::-1] if newest_first else window
            movie = np.concatenate([movie, movie[-1:]]) if model.minimum_lag else movie
            found.append(model.predict(movie)[:, -1])
        self.check_rates(np.array(found), want)


class Program(Case):
    """Networks with the windows of the small study, through the program."""

    def test_keras_and_safetensors_through_the_program(self):
        movie = pixels()
        mean, sd = float(movie.mean()), float(movie.std())
        network = BnCnn((40, 50, 50), (4, 3), (15, 11), 2, seed=1)
        write_keras("bn_cnn.h5", *network.keras())
        recording = f"{FOLDER}/recording.h5"
        model = amacrine.import_model("bn_cnn.h5", "imported", mean=mean, sd=sd, recording=recording, overwrite=True)
        self.assertEqual((model.architecture.norm, model.minimum_lag, model.architecture.noise), ("per_unit", 1, 0.05))
        for half in ({"mean": mean}, {"sd": sd}, {"mean": mean, "sd": 0.0}):
            with self.assertRaisesRegex(ValueError, "mean and sd belong together"):
                amacrine.import_model("bn_cnn.h5", recording=recording, **half)
        draw = Weights(2)
        weight, bias = draw.kernel(2, 40, 50, 50, inputs=5000), draw.bias(2)
        write_safetensors("filters.safetensors", {"fc.weight": weight.reshape(2, -1), "fc.bias": bias})
        description = {"history": 40, "height": 50, "width": 50, "cells": 2}
        names = {"readout_weight": "fc.weight", "readout_bias": "fc.bias"}
        amacrine.import_model("filters.safetensors", "imported", architecture={"architecture": description, "tensors": names}, minimum_lag=1, mean=mean,
                              sd=sd, recording=recording, overwrite=True)
        quiet("evaluate", ["study.output=imported", f"recording.file={recording}", "recording.minimum_lag=1", "--overwrite"])
        frames = [40, 133, 500, 799]
        windows = np.array([(movie[t - 40:t] - mean) / sd for t in frames])
        want = {"network": network(windows).T, "ln": softplus(np.tensordot(weight.astype(float), windows, ((1, 2, 3), (1, 2, 3))) + bias[:, None])}
        study = amacrine.open("imported")
        rates = study.evaluation["rate"]
        skipped = int(study.evaluation.attrs["discarded_frames"])
        for name, loaded in (("network", study.model), ("ln", study.ln)):
            self.check_rates(rates.sel(model=name).values[:, np.array(frames) - skipped], want[name])
            self.check_rates(loaded.predict(loaded.contrast_of(movie))[:, frames], want[name])

    def test_a_copy_is_the_same_to_the_program(self):
        """What save_model writes is what was read, in every part that the program uses: its predictions have the same bits."""
        for path in (f"{FOLDER}/model.h5", f"{FOLDER}/ln.h5", "other/model.h5"):
            model = amacrine.load_model(path)
            amacrine.save_model(model, "copy.h5", overwrite=True)
            self.assertEqual(amacrine.load_model("copy.h5"), model)
        os.makedirs("copied", exist_ok=True)
        amacrine.open(FOLDER).model.to_hdf5("copied/model.h5", overwrite=True)
        quiet("evaluate", ["study.output=copied", f"recording.file={FOLDER}/recording.h5", "--overwrite"])
        rates = [amacrine.open(folder).evaluation["rate"].sel(model="network").values for folder in ("copied", FOLDER)]
        np.testing.assert_array_equal(*rates)

    def test_axes_of_a_copy(self):
        amacrine.save_model(amacrine.load_model("other/model.h5"), "copy.h5", overwrite=True)
        with h5py.File("copy.h5") as copied, h5py.File("other/model.h5") as original:
            self.assertEqual(sorted(copied), sorted(original))
            for name, item in original.items():
                self.assertEqual((copied[name].shape, copied[name].dtype), (item.shape, item.dtype), name)
                self.assertEqual([axis[0].name for axis in copied[name].dims if len(axis)], [axis[0].name for axis in item.dims if len(axis)], name)
                for key in ("units", "long_name"):
                    self.assertIn(key, copied[name].attrs)
            self.assertEqual(copied.attrs["description"], original.attrs["description"].decode())
        self.assertIn("copy.h5", "\n".join(amacrine.run("inspect", "copy.h5", on_line=lambda line: None).lines))

    def test_training_does_not_replace_an_import(self):
        network, _ = small()
        write_keras("small.h5", *network.keras())
        amacrine.import_model("small.h5", "kept/model.h5", overwrite=True)
        with self.assertRaises(amacrine.RunError) as caught:
            quiet("train", ["study.output=kept", f"recording.file={FOLDER}/recording.h5", "training.ln=false"])
        self.assertEqual(caught.exception.exit_code, 4)


class Keras(Case):
    def test_full_models_and_archives(self):
        for per_unit in (True, False):
            network, windows = small(per_unit=per_unit)
            config, weights = network.keras()
            write_keras("full.h5", config, weights)
            write_archive("model.keras", config, weights)
            models = [amacrine.import_model(path) for path in ("full.h5", "model.keras")]
            self.check_windows(models[0], windows, network(windows))
            self.check_windows(models[1], windows, network(windows))
            self.assertEqual(models[0].architecture.norm, "per_unit" if per_unit else "per_channel")

    def test_norms_that_differ(self):
        """One epsilon holds for all norms of an architecture, and all hidden layers have one or none."""
        for settings in ({"output_epsilon": 0.3}, {"output_epsilon": 1e-7}, {"first_norm": False}, {"first_norm": False, "per_unit": False, "output_epsilon": 0.3}):
            network, windows = small(**settings)
            write_keras("differ.h5", *network.keras())
            self.check_windows(amacrine.import_model("differ.h5"), windows, network(windows))

    def test_weights_alone(self):
        network, windows = small()
        config, weights = network.keras()
        write_keras("weights.h5", config, weights, full=False)
        with self.assertRaisesRegex(amacrine.ResultError, "model.to_json"):
            amacrine.import_model("weights.h5")
        with open("config.json", "w", encoding="utf-8") as file:
            json.dump(config, file)
        self.check_windows(amacrine.import_model("weights.h5", architecture="config.json"), windows, network(windows))

    def test_channels_last(self):
        """Time is the last axis; units are counted row, column, channel."""
        draw, (time, rows, columns) = Weights(3), SMALL
        kernel, bias = draw.kernel(5, 5, time, 3, inputs=25 * time), draw.bias(3)
        units = (rows - 4) * (columns - 4) * 3
        norm, dense, offset = draw.norm(units), draw.kernel(units, 2, inputs=40), draw.bias(2)
        layers = [("InputLayer", {"batch_shape": [None, rows, columns, time]}), ("Conv2D", {"data_format": "channels_last", "activation": "linear"}),
                  ("Flatten", {}), ("BatchNormalization", {"axis": -1, "epsilon": 1e-5}), ("Reshape", {"target_shape": [rows - 4, columns - 4, 3]}),
                  ("ReLU", {"max_value": None}), ("Flatten", {}), ("Dense", {"activation": {"module": "builtins", "class_name": "function", "config": "softplus", "registered_name": "function"}})]
        config = {"class_name": "Sequential", "config": {"layers": [{"class_name": kind, "config": {"name": kind + str(i), **each}} for i, (kind, each) in enumerate(layers)]}}
        weights = {"Conv2D1": {"kernel": kernel, "bias": bias}, "BatchNormalization3": dict(zip("abcd", norm)), "Dense7": {"kernel": dense, "bias": offset}}
        write_keras("last.h5", config, weights)
        windows = np.random.default_rng(6).normal(size=(4, *SMALL))
        z = (correlate(windows, kernel.astype(float)) + bias[:, None, None]).transpose(0, 2, 3, 1).reshape(4, -1)
        h = np.maximum(norm[0] * (z - norm[2]) / np.sqrt(norm[3] + 1e-5) + norm[1], 0)
        model = amacrine.import_model("last.h5", minimum_lag=0)
        self.check_windows(model, windows, softplus(h @ dense.astype(float) + offset))
        self.assertEqual(model.architecture.output_norm, False)
        self.check_windows(amacrine.import_model("last.h5", newest_first=True), windows, softplus(h @ dense.astype(float) + offset), newest_first=True)

    def test_before_keras_1(self):
        """layer_k/param_k with architecture.json; Theano's convolution turns the kernel."""
        draw, windows = Weights(4), np.random.default_rng(6).normal(size=(4, *SMALL))
        kernel, bias, dense, offset = draw.kernel(3, 6, 5, 5, inputs=150), draw.bias(3), draw.kernel(270, 2, inputs=40), draw.bias(2)
        layers = [{"name": "Convolution2D", "nb_filter": 3, "nb_row": 5, "nb_col": 5, "border_mode": "valid", "subsample": [1, 1], "activation": "linear",
                   "input_shape": list(SMALL)}, {"name": "GaussianNoise", "sigma": 0.1}, {"name": "Activation", "activation": "relu"}, {"name": "Flatten"},
                  {"name": "Dense", "activation": "softplus"}]
        os.makedirs("old", exist_ok=True)
        with open("old/architecture.json", "w", encoding="utf-8") as file:
            json.dump({"name": "Sequential", "layers": layers}, file)
        with h5py.File("old/epoch001_iter00001_weights.h5", "w") as file:
            file.attrs["nb_layers"] = 5
            for i in range(5):
                group = file.create_group(f"layer_{i}")
                for j, values in enumerate({0: (kernel, bias), 4: (dense, offset)}.get(i, ())):
                    group[f"param_{j}"] = values
        rates = lambda turn: softplus(np.maximum(correlate(windows, kernel.astype(float)[:, :, ::turn, ::turn].transpose(2, 3, 1, 0)) + bias[:, None, None], 0)
                                      .reshape(4, -1) @ dense + offset)
        model = amacrine.import_model("old/epoch001_iter00001_weights.h5")
        self.check_windows(model, windows, rates(-1))
        self.assertEqual((model.architecture.norm, model.architecture.conv_bias, model.architecture.noise), ("none", True, 0.1))
        self.check_windows(amacrine.import_model("old/epoch001_iter00001_weights.h5", flip_kernels=False), windows, rates(1))

    def test_keras_itself(self):
        """Models that Keras makes, saves and runs."""
        os.environ.setdefault("KERAS_BACKEND", "torch")
        try:
            import keras
            from keras import layers
        except (ImportError, RuntimeError):
            skip(self, "Keras is not installed with a backend")
        time, rows, columns = SMALL
        random, windows = np.random.default_rng(8), np.random.default_rng(9).normal(size=(5, *SMALL)).astype(np.float32)
        for order in ("channels_first", "channels_last"):
            first = order == "channels_first"
            flat = lambda: layers.Flatten(data_format="channels_last")
            shape = (3, rows - 4, columns - 4) if first else (rows - 4, columns - 4, 3)
            model = keras.Sequential([
                layers.Input(SMALL if first else (rows, columns, time)), layers.Conv2D(3, 5, data_format=order), flat(),
                layers.BatchNormalization(), layers.Reshape(shape), layers.GaussianNoise(0.05), layers.Activation("relu"),
                layers.Conv2D(2, 4, data_format=order, use_bias=False), layers.BatchNormalization(axis=1 if first else -1, scale=False), layers.ReLU(), flat(),
                layers.Dense(2, use_bias=False), layers.BatchNormalization(), layers.Activation("softplus")])
            model.set_weights([np.abs(values) + 0.3 if values.ndim == 1 and random.random() < 0.5 else values + random.uniform(0.02, 0.1, values.shape)
                               for values in model.get_weights()])
            want = np.asarray(model.predict(windows if first else windows.transpose(0, 2, 3, 1), verbose=0), np.float64)
            for path in ("itself.keras", "itself.h5"):
                model.save(path)
                self.check_windows(amacrine.import_model(path), windows, want)


class Safetensors(Case):
    def test_described_by_json(self):
        """Tensors under other names, a network with a norm; rates are those of the same weights in Keras' order."""
        network, windows = small()
        tensors, names = {}, {}
        for i, (kernel, bias, norm, shape) in enumerate(network.layers):
            tensors |= {f"conv{i}.weight": kernel.transpose(3, 2, 0, 1), f"conv{i}.bias": bias}
            names |= {f"hidden{i}_kernel": f"conv{i}.weight", f"hidden{i}_bias": f"conv{i}.bias"}
            for name, values in zip(("gamma", "beta", "mean", "variance"), norm):
                tensors[f"hidden{i}_{name}"] = values
        tensors["readout_weight"] = network.dense.T
        for name, values in zip(("gamma", "beta", "mean", "variance"), network.output):
            tensors[f"output_{name}"] = values
        write_safetensors("net.safetensors", tensors)
        hidden = [{"channels": shape[0], "kernel_y": len(kernel), "kernel_x": len(kernel)} for kernel, _, _, shape in network.layers]
        fields = {"history": SMALL[0], "height": SMALL[1], "width": SMALL[2], "hidden": hidden, "norm": "per_unit", "conv_bias": True, "readout_bias": False,
                  "output_norm": True}
        with open("net.json", "w", encoding="utf-8") as file:
            json.dump({"architecture": fields, "tensors": names}, file)
        self.check_windows(amacrine.import_model("net.safetensors", architecture="net.json"), windows, network(windows))
        for change, word in (({"hidden": hidden[:1]}, "readout_weight"), ({"norm": "per_cell"}, "per_cell"), ({"height": 9}, "hidden0_gamma|no such"),
                             ({"padding": 1}, "padding")):
            with self.assertRaisesRegex(amacrine.ResultError, word):
                amacrine.import_model("net.safetensors", architecture={"architecture": {**fields, **change}, "tensors": names})
        with self.assertRaisesRegex(amacrine.ResultError, "--architecture"):
            amacrine.import_model("net.safetensors")

    def test_of_this_package(self):
        model = amacrine.open(FOLDER).model
        model.to_safetensors("own.safetensors")
        self.assertEqual(amacrine.import_model("own.safetensors"), model)


class Refusals(Case):
    """Each by the layer's name, with the reason."""

    def refused(self, words, change, **settings):
        network, _ = small()
        config, weights = copy.deepcopy(network.keras())
        change(config["config"]["layers"], weights)
        write_keras("odd.h5", config, weights)
        with self.assertRaisesRegex(amacrine.ResultError, words):
            amacrine.import_model("odd.h5", "odd", **settings)
        self.assertFalse(os.path.exists("odd"))

    def of(self, layers, name):
        return next(layer for layer in layers if layer["name"] == name)

    def test_layers_that_are_not_run(self):
        def configured(name, **fields):
            return lambda layers, weights: self.of(layers, name)["config"].update(fields)

        def renamed(name, kind):
            return lambda layers, weights: self.of(layers, name).update(class_name=kind)

        def without(name):
            def change(layers, weights):
                at = layers.index(self.of(layers, name))
                del layers[at]
                layers[at]["inbound_nodes"] = [[[layers[at - 1]["name"], 0, 0, {}]]]
            return change

        for words, change in (("'conv2d_1' has the padding 'same'", configured("conv2d_1", padding="same")),
                              ("'conv2d_2' has strides", configured("conv2d_2", strides=[2, 2])),
                              ("'activation_3' has the activation 'exponential'", configured("activation_3", activation="exponential")),
                              ("'activation_1' has the activation 'tanh'", configured("activation_1", activation="tanh")),
                              ("'activation_1' is a MaxPooling2D", renamed("activation_1", "MaxPooling2D")),
                              ("'dense_1' is a LSTM", renamed("dense_1", "LSTM")),
                              ("'conv2d_1' has no ReLU", without("activation_1")),
                              ("no softplus after it", without_last),
                              ("'reshape_1' reshapes", configured("reshape_1", target_shape=[9, 10, 3])),
                              ("'dense_1' has 1 arrays", configured("dense_1", use_bias=True)),
                              ("'conv2d_2' is a channels_last", configured("conv2d_2", data_format="channels_last"))):
            self.refused(words, change)

    def test_branches_and_norms_of_another_axis(self):
        def skip(layers, weights):
            self.of(layers, "conv2d_2")["inbound_nodes"][0].append(["conv2d_1", 0, 0, {}])
        self.refused("'conv2d_2' takes activation_1, conv2d_1; a chain", skip)
        network, _ = small(per_unit=False)
        config, weights = network.keras()
        self.of(config["config"]["layers"], "batch_normalization_1")["config"]["axis"] = 3
        write_keras("axis.h5", config, weights)
        with self.assertRaisesRegex(amacrine.ResultError, "'batch_normalization_1' normalises over axis 3"):
            amacrine.import_model("axis.h5")

    def test_values_and_cells(self):
        def broken(layers, weights):
            weights["dense_1"]["kernel"][3, 0] = np.nan
        network, _ = small()
        config, weights = network.keras()
        write_keras("whole.h5", config, weights)
        for words, settings in (("2 cells and is given 3 cells", {"cells": [0, 1, 2]}), ("each cell once", {"cells": [1, 1]}),
                                ("centres", {"centres": [[1, 2]]}), ("recording", {"normalisation": "per_pixel"})):
            with self.assertRaisesRegex(amacrine.ResultError, words):
                amacrine.import_model("whole.h5", **settings)
        broken(None, weights)
        write_keras("nan.h5", config, weights)
        with self.assertRaisesRegex(amacrine.ResultError, "readout_weight holds values that are not finite"):
            amacrine.import_model("nan.h5")

    def test_files_that_are_none(self):
        with open("noise.bin", "wb") as file:
            file.write(b"neither of them")
        with h5py.File("some.h5", "w") as file:
            file["x"] = 1
        for path, words in (("nowhere.h5", "is not there"), ("some.h5", "not of a Keras model"), (f"{FOLDER}/model.h5", "load_model")):
            with self.assertRaisesRegex(amacrine.ResultError, words):
                amacrine.import_model(path)
        with self.assertRaises((amacrine.ResultError, ImportError)):
            amacrine.import_model("noise.bin")


def without_last(layers, weights):
    del layers[-1]


class Command(Case):
    def run_command(self, *words):
        return subprocess.run([sys.executable, "-m", "amacrine", "import", *words], capture_output=True, text=True)

    def test_command(self):
        network, windows = small()
        write_keras("small.h5", *network.keras())
        shutil.rmtree("byhand", ignore_errors=True)
        words = ("small.h5", "byhand", "--cells", "3 1", "--centres", "7,6.5 5,6", "--mean", "127", "--sd", "42", "--minimum-lag", "0")
        done = self.run_command(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("byhand/model.h5: 6x14x13 -> 3 @ 5x5 (3x10x9) -> 2 @ 4x4 (2x7x6) -> 2 cells, norm per unit", done.stdout)
        self.assertIn("amacrine evaluate STUDY.toml study.output=byhand recording.normalisation=scalar recording.minimum_lag=0 'recording.cells=[3, 1]'", done.stdout)
        model = amacrine.load_model("byhand/model.h5")
        self.assertEqual([(cell.name, cell.id, cell.centre_x) for cell in model.cells], [("cell04", 3, 6.5), ("cell02", 1, 6.0)])
        self.check_windows(model, windows, network(windows))
        with h5py.File("byhand/model.h5") as file, open("small.h5", "rb") as source:
            self.assertEqual((file.attrs["imported_from"], file.attrs["imported_sha256"]), ("small.h5", hashlib.sha256(source.read()).hexdigest()))
        again = self.run_command(*words)
        self.assertEqual(again.returncode, 4)
        self.assertIn("byhand/model.h5 is there already", again.stderr)
        wrong = self.run_command("nowhere.h5", "byhand")
        self.assertEqual((wrong.returncode, wrong.stdout), (3, ""))
        self.assertIn("error: nowhere.h5 is not there", wrong.stderr)


if __name__ == "__main__":
    unittest.main()
