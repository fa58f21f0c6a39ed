# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of torch-deep-retina: networks that PyTorch makes, saves and runs. Their modules are written here after retina models of the field."""
import importlib.util
import unittest

import numpy as np
from small import FOLDER, make, quiet, skip

import amacrine

setUpModule = make
SIZES, CENTRES = (15, 11, 11), [(21, 18), (24, 20)]


def norm(values, module, epsilon=1e-3):
    """torch-deep-retina's batch norms hold statistics as parameters and use |scale|."""
    import torch
    return torch.nn.functional.batch_norm(values, module.running_mean.detach(), module.running_var.detach(), module.scale.abs(), module.shift, eps=epsilon)


def build(kind, window, channels, sizes, seed):
    """A network in evaluation mode: "BNCNN" (norm per unit, PyTorch's), "VaryModel" (stacked, absolute, read at one place per cell)."""
    import torch
    from torch import nn

    class Absolute(nn.Module):
        def __init__(self, size, epsilon=1e-3):
            super().__init__()
            self.epsilon = epsilon
            for name in ("running_mean", "running_var", "scale", "shift"):
                self.register_parameter(name, nn.Parameter(torch.zeros(size)))

        def forward(self, values):
            return norm(values, self, self.epsilon)

    class Noise(nn.Module):
        def __init__(self):
            super().__init__()
            self.sigma = nn.Parameter(torch.ones(1) * 0.05)

        def forward(self, values):
            return values

    class Stacked(nn.Module):
        """A kernel as a chain of kernels of 3, with a norm between two of them."""

        def __init__(self, inputs, outputs, size):
            super().__init__()
            stages = [nn.Conv2d(inputs if i == 0 else 5, outputs if i == size // 2 - 1 else 5, 3, bias=i == size // 2 - 1) for i in range(size // 2)]
            self.convs = nn.Sequential(stages[0], Absolute(5, 1e-5), nn.Dropout(0.1), *stages[1:])

        def forward(self, values):
            return self.convs(values)

    class Grab(nn.Module):
        def __init__(self, places):
            super().__init__()
            self.places = places

        def forward(self, values):
            return torch.stack([values[:, n, y, x] for n, (y, x) in enumerate(self.places)], 1)

    torch.manual_seed(seed)
    time, rows, columns = window
    parts, inputs = [], time
    for channel, size in zip(channels, sizes):
        rows, columns = rows - size + 1, columns - size + 1
        if kind == "BNCNN":
            parts += [nn.Conv2d(inputs, channel, size), nn.Flatten(), nn.BatchNorm1d(channel * rows * columns, eps=1e-3), Noise(), nn.ReLU(),
                      nn.Unflatten(1, (channel, rows, columns))]
        else:
            parts += [Stacked(inputs, channel, size), Absolute(channel), Noise(), nn.ReLU()]
        inputs = channel
    if kind == "BNCNN":
        parts += [nn.Flatten(), nn.Linear(inputs * rows * columns, 2), nn.BatchNorm1d(2, eps=1e-3), nn.Softplus()]
    else:
        half = sum(size // 2 for size in sizes)
        places = [(min(max(y - half, 0), window[1] - 2 * half - 1), min(max(x - half, 0), window[2] - 2 * half - 1)) for y, x in CENTRES]
        parts += [nn.Conv2d(inputs, 2, sizes[2]), Grab(places), Absolute(2), nn.Softplus()]
    return whole(parts)


def whole(parts):
    """The model around its layers, with random weights of both signs."""
    import torch
    from torch import nn
    model = nn.Module()
    model.sequential = nn.Sequential(*parts)
    with torch.no_grad():
        for name, values in model.state_dict().items():
            if name.endswith("var"):
                values.uniform_(0.4, 2)
            elif name.endswith("scale") or (values.ndim == 1 and name.endswith("weight")):
                values.copy_(torch.randn(values.shape) * 0.4 + (2 if values.numel() == 2 else 1)).mul_(torch.randn(values.shape).sign() if "scale" in name else 1)
            elif name.endswith(("mean", "shift", "bias")):
                values.normal_(0.2, 0.3)
            elif values.ndim > 1:
                values.normal_(0, (1 if '.convs.' in name else 1.5) / values[0].numel() ** 0.5)
    return model.double().eval()


class Checkpoints(unittest.TestCase):
    def setUp(self):
        if importlib.util.find_spec("torch") is None:
            skip(self, "PyTorch is not installed")

    def save(self, model, kind, window, channels, sizes, mean, sd, **more):
        import torch
        model.float()
        hyps = {"model_type": kind, "img_shape": list(window), "chans": list(channels), "ksizes": list(sizes), "n_units": 2, "noise": 0.05, "softplus": True,
                "centers": CENTRES, "cells": [0, 1], **more.pop("hyps", {})}
        torch.save({"model_type": kind, "model_state_dict": model.state_dict(), "optim_state_dict": {}, "hyps": hyps, "epoch": 3, "loss": np.float64(0.5),
                    "norm_stats": {"mean": np.float32(mean), "std": np.float32(sd)}, "zero_dict": {}, **more}, "test_epoch_3.pt")
        return model.double()

    def answers(self, model, windows):
        import torch
        with torch.no_grad():
            return model.sequential(torch.from_numpy(windows)).numpy()

    def check(self, found, want):
        self.assertGreater(np.ptp(want), 0.1)
        error = np.abs(found - want).max() / np.abs(want).max()
        self.assertTrue(error <= 1e-5, error)

    def test_through_the_program(self):
        """Rates of the imported network, and its unit attributions, against PyTorch's."""
        recording = f"{FOLDER}/recording.h5"
        movie = amacrine.open(FOLDER).recording["test/stimulus"].values.astype(np.float64)
        mean, sd = np.float32(51.5), np.float32(40.25)
        for kind, settings in (("BNCNN", {}), ("VaryModel", {"locations": "centres"})):
            model = self.save(build(kind, (40, 50, 50), (4, 3), SIZES, 3), kind, (40, 50, 50), (4, 3), SIZES, mean, sd)
            imported = amacrine.import_model("test_epoch_3.pt", kind, recording=recording, overwrite=True, **settings)
            self.assertEqual((imported.architecture.norm, imported.architecture.scale), ("per_unit", "plain") if kind == "BNCNN" else ("per_channel", "absolute"))
            self.assertEqual([(cell.name, cell.centre_y) for cell in imported.cells], [("osr", 21.0), ("anticipation", 24.0)])
            quiet("evaluate", [f"study.output={kind}", f"recording.file={recording}", "recording.minimum_lag=1", "--overwrite"])
            frames = np.array([40, 133, 500, 799])
            want = self.answers(model, np.array([(movie[t - 40:t] - mean) / (sd + 1e-7) for t in frames])).T
            evaluation = amacrine.open(kind).evaluation
            self.check(evaluation["rate"].sel(model="network").values[:, frames - int(evaluation.attrs["discarded_frames"])], want)
            self.check(imported.predict(imported.contrast_of(movie))[:, frames], want)
        self.check_attributions(model, mean, sd)

    def check_attributions(self, model, mean, sd):
        """Eq. 1 along the straight path from grey, by the midpoint rule: units' attributions of the program against PyTorch's gradients."""
        import torch
        recording, frame, panels = f"{FOLDER}/recording.h5", 133, 5000
        words = ["attribution.subjects=[\"network\"]", "attribution.source=recording", f"attribution.times_s=[{frame / 100}]", "attribution.levels=unit",
                 "attribution.quantities=[\"attribution\"]", "attribution.tolerance=1e-5", "attribution.max_panels=20000"]
        quiet("attribute", ["study.output=VaryModel", f"recording.file={recording}", "recording.minimum_lag=1", *words, "--overwrite"])
        found = amacrine.open("VaryModel").attributions["network_recording"]["unit_attribution"].values
        movie = amacrine.open(FOLDER).recording["test/stimulus"].values.astype(np.float64)
        window = torch.from_numpy((np.array([np.full((40, 50, 50), 127.0), movie[frame - 40:frame]]) - mean) / (sd + 1e-7))
        layers = model.sequential
        with torch.no_grad():
            grey, stimulus = layers[0](window)
        for cell in range(2):
            sums = torch.zeros_like(grey)
            for part in torch.arange(panels).reshape(-1, 200):
                z = (grey + ((part + 0.5) / panels)[:, None, None, None] * (stimulus - grey)).requires_grad_(True)
                layers[1:](z)[:, cell].sum().backward()
                sums += z.grad.sum(0)
            want = (sums / panels * (stimulus - grey)).numpy()
            self.assertGreater(np.abs(want).sum(), 0.5)
            error = np.abs(found[0, cell] - want).sum() / np.abs(want).sum()
            self.assertTrue(error <= 1e-4, error)

    def test_refused(self):
        window, channels, sizes = (5, 16, 16), (2, 2), (5, 5, 3)
        cases = (("y_stats", {"y_stats": {"mean": 3.0, "std": 2.0}}), ("exponential", {"hyps": {"softplus": False}}), ("Tanh", {"hyps": {"activ_fxn": "Tanh"}}),
                 ("paddings", {"hyps": {"paddings": [0, 1]}}), ("one place per cell", {}))
        for words, more in cases:
            self.save(build("VaryModel", window, channels, sizes, 1), "VaryModel", window, channels, sizes, 0, 1, **more)
            with self.assertRaisesRegex(amacrine.ResultError, words):
                amacrine.import_model("test_epoch_3.pt")
        self.save(build("VaryModel", window, channels, sizes, 1), "BNCNN", window, channels, sizes, 0, 1)
        with self.assertRaisesRegex(amacrine.ResultError, "scales below 0, and it is not known whether a model 'BNCNN'"):
            amacrine.import_model("test_epoch_3.pt")
        for kind in ("RetinotopicModel", "RNNCNN", "DalesBNCNN"):
            self.save(build("VaryModel", window, channels, sizes, 1), kind, window, channels, sizes, 0, 1)
            with self.assertRaisesRegex(amacrine.ResultError, f"'{kind}' is the model's type"):
                amacrine.import_model("test_epoch_3.pt")

    def test_state_dictionaries(self):
        import torch
        window = (5, 16, 16)
        model = build("BNCNN", window, (2,), (5,), 1)
        torch.save(model.state_dict(), "state.pt")
        with self.assertRaisesRegex(amacrine.ResultError, "--architecture"):
            amacrine.import_model("state.pt")
        leaves = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var"}
        names = {"hidden0_kernel": "sequential.0.weight", "hidden0_bias": "sequential.0.bias", "readout_weight": "sequential.7.weight", "readout_bias": "sequential.7.bias"}
        names |= {f"{stage}_{name}": f"sequential.{at}.{leaf}" for stage, at in (("hidden0", 2), ("output", 8)) for name, leaf in leaves.items()}
        fields = {"history": 5, "height": 16, "width": 16, "hidden": [{"channels": 2, "kernel_y": 5, "kernel_x": 5}], "norm": "per_unit", "conv_bias": True,
                  "output_norm": True}
        imported = amacrine.import_model("state.pt", architecture={"architecture": fields, "tensors": names})
        windows = np.random.default_rng(3).normal(size=(3, *window))
        self.check(np.array([imported.predict(each)[:, -1] for each in windows]), self.answers(model, windows))

    def test_code_is_not_run(self):
        import torch
        torch.save({"model_type": "BNCNN", "model_state_dict": {}, "fit": np.poly1d([1, 2])}, "odd.pt")
        with self.assertRaisesRegex(amacrine.ResultError, "--trust"):
            amacrine.import_model("odd.pt")
        with self.assertRaisesRegex(amacrine.ResultError, "softplus before the readout"):  # read, and empty
            amacrine.import_model("odd.pt", trust=True)


class Places(unittest.TestCase):
    def test_where_a_convolution_is_read(self):
        """The rule of the field takes whole kernels: for (15, 11, 11) all cells come out at -6."""
        self.assertEqual(amacrine.locations_of(CENTRES, SIZES, (50, 50)), [(4, 1), (7, 3)])
        self.assertEqual(amacrine.locations_of(CENTRES, SIZES, (50, 50), "torch-deep-retina"), [(-6, -6), (-6, -6)])
        self.assertEqual(amacrine.locations_of([(0, 49)], SIZES, (50, 50)), [(0, 15)])


if __name__ == "__main__":
    unittest.main()
