#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the verbs wrote for verbs_study.toml, computed again in numpy from the files' own documentation (docs/results), not from the program's code.
The results lie in the folder $AMACRINE_RESULTS. Convolutions are sums of products over whole frames by the Fourier transform."""
import csv
import json
import os
import subprocess
import sys
import unittest

import h5py
import numpy as np

FOLDER = os.environ["AMACRINE_RESULTS"]
ANALYSIS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "analysis")
CENTRES = {"osr": (20.5, 26.5), "anticipation": (27.5, 21.5)}  # y, x in verbs_study.toml
FRAME_S = 0.01
DISCARDED, BATCH, STEPS, EPOCH_STEPS, RATE = 40, 128, 5, 1, 0.01


def read(name):
    found = {}
    with h5py.File(os.path.join(FOLDER, name), "r") as file:
        file.visititems(lambda path, item: found.__setitem__(path, item[()]) if isinstance(item, h5py.Dataset) else None)
        return found, dict(file.attrs)


def text(value):
    return [v.decode() if isinstance(v, bytes) else str(v) for v in np.atleast_1d(value)]


def correlate(frames, kernel):
    """Valid cross-correlation of W windows (D, W, Y, X) with (C, D, KY, KX), summed over D: (C, W, Y - KY + 1, X - KX + 1). Frames (T, Y, X)
    instead are windows that slide: d counts frames."""
    height, width = frames.shape[-2:]
    shown, kernels = np.fft.rfft2(frames), np.conj(np.fft.rfft2(kernel, (height, width)))
    windows = len(frames) - kernel.shape[1] + 1 if frames.ndim == 3 else frames.shape[1]
    spectrum = sum((shown[d:d + windows] if frames.ndim == 3 else shown[d]) * kernels[:, d, None] for d in range(kernel.shape[1]))
    return np.fft.irfft2(spectrum, (height, width))[..., :height - kernel.shape[2] + 1, :width - kernel.shape[3] + 1]


class Network:
    """A model file's network, layer by layer."""

    def __init__(self, name="model.h5"):
        self.data, self.attributes = read(name)
        self.shape = json.loads(text(self.attributes["architecture"])[0])
        self.history = self.shape["history"]

    def norm(self, stage, values):
        d = {key: np.float64(self.data[f"{stage}_{key}"]) for key in ("gamma", "beta", "mean", "variance")}
        d = {key: v.reshape(v.shape + (1,) * (values.ndim - v.ndim)) for key, v in d.items()}
        return d["gamma"] * (values - d["mean"]) / np.sqrt(d["variance"] + self.shape["norm_epsilon"]) + d["beta"]

    def first_layer(self, contrast):
        """W * s (C, W, Y, X) for the windows that end with frames history - 1, ... of contrast (T, Y, X)."""
        kernel = np.float64(self.data["hidden0_kernel"])
        return correlate(self.seen(contrast), kernel)

    def seen(self, contrast):
        return (contrast - self.attributes["normalisation_mean"]) / self.attributes["normalisation_scale"]

    def softplus(self, z):
        return np.logaddexp(0, self.shape["softplus_beta"] * z) / self.shape["softplus_beta"]

    def rates(self, contrast):
        """(N, W) Hz."""
        if not self.shape["hidden"]:  # a linear filter and a bias
            z = correlate(self.seen(contrast), np.float64(self.data["readout_weight"]))[..., 0, 0]
            return self.softplus(z + self.data["readout_bias"][:, None])
        return self.rates_of(self.activity(contrast))

    def activity(self, contrast):
        """h of the first layer (C, W, Y, X)."""
        return np.maximum(self.norm("hidden0", self.first_layer(contrast)), 0)

    def rates_of(self, h):
        """(N, W) Hz for first-layer activity."""
        h = np.maximum(self.norm("hidden1", correlate(h, np.float64(self.data["hidden1_kernel"]))), 0)
        z = self.norm("output", np.einsum("cwyx,ncyx->nw", h, np.float64(self.data["readout_weight"])))
        return self.softplus(z)


class Results(unittest.TestCase):
    def near(self, found, expected, tolerance, what=""):
        """|found - expected| <= tolerance * max |expected|; false for NaN."""
        found, expected = np.asarray(found, float), np.asarray(expected, float)
        self.assertEqual(found.shape, expected.shape, what)
        error = np.max(np.abs(found - expected)) / max(np.max(np.abs(expected)), 1e-300)
        self.assertTrue(error <= tolerance, f"{what}: relative error {error}")


class Simulate(Results):
    def setUp(self):
        self.data, self.attributes = read("recording.h5")

    def test_cells_lie_where_the_study_says(self):
        for n, name in enumerate(text(self.attributes["cells"])[0].split(",")):
            self.assertEqual((self.data["simulated/centre_y"][n], self.data["simulated/centre_x"][n]), CENTRES[name])

    def test_spikes_have_the_rates_mean_and_variance(self):
        """Poisson counts: their sum differs from the expected one by a standard deviation of its root, 5 of them are allowed."""
        expected = self.data["simulated/train/rate"] * FRAME_S
        counts = self.data["train/response/binned"]
        for n in range(2):
            self.assertLess(abs(counts[n].sum() - expected[n].sum()), 5 * np.sqrt(expected[n].sum()))
            self.assertGreater(np.corrcoef(counts[n], expected[n])[0, 1], 0.3)
            trials = self.data[f"test/repeats/cell{n + 1:02d}"]
            test = self.data["simulated/test/rate"][n] * FRAME_S
            self.assertLess(abs(trials.sum() - 10 * test.sum()), 5 * np.sqrt(10 * test.sum()))
            self.near(self.data["test/response/binned"][n], trials.mean(0), 1e-6, "trial mean")
            self.assertFalse(np.array_equal(trials[0], trials[1]), "trials are drawn anew")

    def test_smoothed_rates_are_gaussian_means_of_the_counts(self):
        counts = np.float64(self.data["train/response/binned"])
        for sigma_ms in (5, 10, 20):
            reach = int(5 * sigma_ms / 10)
            weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) * 10 / sigma_ms) ** 2)
            expected = np.stack([np.convolve(row, weights / weights.sum(), "same") for row in counts]) / FRAME_S
            self.near(self.data[f"train/response/firing_rate_{sigma_ms}ms"], expected, 1e-5, f"{sigma_ms} ms")

    def test_the_movie_is_in_bytes_around_grey(self):
        self.assertEqual((self.attributes["contrast_zero"], self.attributes["contrast_unit"]), (127, 42))
        contrast = (np.float64(self.data["train/stimulus"][::10]) - 127) / 42
        self.assertLess(abs(contrast.mean()), 0.3)
        self.assertTrue(0.5 < contrast.std() < 1.5, contrast.std())
        self.near(self.data["train/time"], np.arange(3000) * FRAME_S, 1e-9, "times")


def recorded_contrast(part):
    data, attributes = read("recording.h5")
    return (np.float64(data[f"{part}/stimulus"]) - attributes["contrast_zero"]) / attributes["contrast_unit"]


class Train(Results):
    def setUp(self):
        with open(os.path.join(FOLDER, "curves.csv")) as file:
            self.curve = list(csv.DictReader(file))

    def column(self, name):
        return np.array([float(row[name]) for row in self.curve])

    def test_learning_rates_follow_one_cycle(self):
        """A step an epoch: from 1/25 of the rate up half a cosine for 3/10 of the steps, then down another to 1/1000."""
        position = np.arange(STEPS) / (STEPS - 1)
        up = RATE / 25 + (RATE - RATE / 25) * (1 - np.cos(np.pi * position / 0.3)) / 2
        down = RATE + (RATE / 1000 - RATE) * (1 - np.cos(np.pi * (position - 0.3) / 0.7)) / 2
        self.near(self.column("learning_rate"), np.where(position < 0.3, up, down), 1e-6)
        self.near(self.column("windows"), BATCH * EPOCH_STEPS * np.arange(1, STEPS + 1), 0)

    def test_the_best_epoch_by_validation_loss_is_exported(self):
        """Its loss and its penalty are those of the model file; the validation frames are the movie's last tenth or what the study says."""
        best = int(np.argmin(self.column("validation_loss")))
        self.assertEqual([i for i, row in enumerate(self.curve) if row["best"] == "1"][-1], best)
        network = Network()
        data, _ = read("recording.h5")
        fraction = validation_fraction()
        frames = len(data["train/stimulus"])
        first = frames - round(frames * fraction) + network.history - 1
        rate = network.rates(recorded_contrast("train")[first - network.history + 1:])
        target = np.float64(data["train/response/binned"][:, first:]) / FRAME_S
        loss = np.mean(rate - target * np.log(rate + 1e-8))
        self.near(self.column("validation_loss")[best], loss, 1e-4, "validation loss")
        r = [np.corrcoef(rate[n], target[n])[0, 1] for n in range(2)]
        self.near([float(self.curve[best][f"r_{name}"]) for name in CENTRES], r, 1e-3, "validation r")
        self.near(self.column("validation_r")[best], np.mean(r), 1e-3, "mean validation r")
        l2 = 1e-3 * sum(np.sum(np.float64(network.data[f"hidden{i}_kernel"]) ** 2) for i in range(2))
        self.near(self.column("penalty")[best], l2, 1e-5, "penalty")

    def test_contrast_is_normalised_by_the_training_movie(self):
        contrast, attributes = recorded_contrast("train"), Network().attributes
        self.near(attributes["normalisation_mean"], contrast.mean(), 1e-6, "mean")
        self.near(attributes["normalisation_scale"], contrast.std(), 1e-6, "scale")


def validation_fraction():
    """recording.validation_fraction as the model file's study says."""
    study = text(Network().attributes["study"])[0]
    return float([line for line in study.splitlines() if line.startswith("validation_fraction")][0].split("=")[1])


class Evaluate(Results):
    def setUp(self):
        self.data, _ = read("evaluation.h5")
        self.recording, _ = read("recording.h5")

    def test_series_are_those_of_the_model_and_the_recording(self):
        self.assertEqual(text(self.data["model"]), ["network", "ln"])
        for m, name in enumerate(("model.h5", "ln.h5")):
            self.near(self.data["rate"][m], Network(name).rates(recorded_contrast("test"))[:, 1:], 1e-3, name)
        self.near(self.data["noiseless_rate"], self.recording["simulated/test/rate"][:, DISCARDED:], 1e-6)
        trials = np.stack([self.recording[f"test/repeats/cell{n + 1:02d}"] for n in range(2)], 1)
        self.near(self.data["trial_rate"], trials[:, :, DISCARDED:] / FRAME_S, 1e-6, "trials")
        self.near(self.data["frame"], 10.0 * np.arange(DISCARDED, 400), 0, "times")

    def test_figures_are_their_definitions(self):
        rate, noiseless, trials = (np.float64(self.data[k]) for k in ("rate", "noiseless_rate", "trial_rate"))
        R, _, T = trials.shape
        for m, n in np.ndindex(rate.shape[:2]):
            p, mean, y = rate[m, n], trials[:, n].mean(0), trials[:, n]
            noise = np.mean(np.sum((y - mean) ** 2, 0)) / (R - 1)
            total = np.sum((y - y.mean()) ** 2) / (R * T - 1)
            signal = max(0.0, T / (T - 1) * mean.var() - noise / R)
            others = [np.corrcoef(y[k], np.delete(y, k, 0).mean(0))[0, 1] if y[k].any() else 0.0 for k in range(R)]
            with np.errstate(invalid="ignore"):
                scores = np.corrcoef([p, noiseless[n], mean])[0]
            expected = {"score": scores[1], "pearson_r": scores[2], "fev": 1 - np.mean((p - mean) ** 2) / mean.var(),
                        "feve": 1 - (np.mean((p - y) ** 2) - noise) / (total - noise)}
            ceilings = {"explainable_variance": (total - noise) / total, "oracle_jackknife": np.mean(others),
                        "oracle_conservative": mean.var() / np.sqrt(mean.var() * (mean.var() + noise)), "noise_ceiling": np.sqrt(signal / (signal + noise / R))}
            for name, value in expected.items():
                if np.ptp(p) == 0 and name in ("score", "pearson_r"):  # a constant correlates with nothing, and counts as 0 in means
                    self.assertTrue(np.isnan(self.data[name][m, n]), name)
                else:
                    self.near(self.data[name][m, n], value, 1e-4, name)
            for name, value in ceilings.items():
                self.near(self.data[name][n], value, 1e-4, name)
        for name in ("score", "pearson_r", "fev", "feve"):
            self.near(self.data[f"mean_{name}"], np.nan_to_num(self.data[name]).mean(1), 1e-6, f"mean {name}")


def flash(contrast, frames):
    """A full-field flash of 20 ms after 450 ms of grey, and the grey a window sees before the movie."""
    history = Network().history
    level = np.zeros(frames + history - 1)
    level[history - 1 + 45:history - 1 + 47] = contrast
    return np.broadcast_to(level[:, None, None], (len(level), 50, 50))


class Probe(Results):
    def setUp(self):
        self.data, _ = read("responses_network.h5")

    def test_responses_to_flashes_are_the_networks(self):
        network = Network()
        for contrast in (-1, -2):
            row = text(self.data["condition"]).index(f"latency/contrast={contrast}")
            frames = int(self.data["frames"][row])
            self.near(self.data["rate"][row, :, :frames], network.rates(flash(contrast, frames)), 1e-3, f"contrast {contrast}")

    def test_rest_is_the_rate_on_grey(self):
        self.near(self.data["rest_hz"], Network().rates(np.zeros((Network().history, 50, 50)))[:, 0], 1e-4)

    def test_peaks_are_the_largest_rates_after_the_onset(self):
        for k, contrast in enumerate(self.data["latency_contrast"]):
            shown_in = 0 if contrast < 0 else 1  # dark contrasts are the first set's, their opposites the second's
            row = text(self.data["condition"]).index(f"latency{('', '@bright')[shown_in]}/contrast={contrast:g}")
            onset, frames = int(self.data["onset_frame"][row]), int(self.data["frames"][row])
            response = self.data["rate"][row, :, onset:frames]
            self.assertEqual(onset, 45)
            for n in range(2):
                if np.isfinite(self.data["latency_peak_hz"][shown_in, n, k]):
                    self.assertLessEqual(self.data["latency_peak_hz"][shown_in, n, k], 1.05 * response[n].max())


class Attribute(Results):
    def setUp(self):
        self.data, self.attributes = read("attributions_network.h5")
        self.network = Network()

    def test_rates_are_the_networks(self):
        stimulus = text(self.data["stimulus"])
        for contrast in (-1, -2):
            at = stimulus.index(f"latency/contrast={contrast}")
            rows = np.flatnonzero(self.data["window_stimulus"] == at)
            expected = self.network.rates(flash(contrast, 100))[:, self.data["window_frame"][rows].astype(int)]
            self.near(self.data["rate"][rows].T, expected, 1e-3, f"contrast {contrast}")
        grey = self.network.rates(np.zeros((self.network.history, 50, 50)))[:, 0]
        self.near(self.data["baseline_rate"], np.tile(grey, (len(self.data["rate"]), 1)), 1e-3, "baseline")

    def test_attributions_are_complete(self):
        total = np.float64(self.data["attribution"]).sum(-1)
        change = np.float64(self.data["rate"]) - self.data["baseline_rate"]
        self.assertGreater(np.abs(change).max(), 0.01)
        self.near(total, change + self.data["residual"], 1e-3, "sums over channels")
        bars = self.data["position_window_index"].astype(int)
        self.near(self.data["position_attribution"].sum(-1), self.data["attribution"][bars], 1e-3, "sums over columns")

    def test_drives_are_mean_first_layer_responses(self):
        """W * (s - s0) under a full field is the same for all units of a channel."""
        stimulus = text(self.data["stimulus"])
        at = stimulus.index("latency/contrast=-2")
        rows = np.flatnonzero(self.data["window_stimulus"] == at)
        windows = self.network.first_layer(flash(-2, 100))[..., 0, 0] - self.network.first_layer(np.zeros((self.network.history, 50, 50)))[..., 0, 0]
        expected = windows[:, self.data["window_frame"][rows].astype(int)]
        self.near(self.data["drive"][rows, 0].T, expected, 1e-3, "drive")

    def test_times_count_from_the_event(self):
        for row, window in enumerate(self.data["window_stimulus"].astype(int)):
            event = self.data["stimulus_event_frame"][window]
            if event >= 0:
                self.assertEqual(self.data["window_time_ms"][row], 10 * (self.data["window_frame"][row] - event))

    def test_moving_bars_are_attributed_near_the_cells_centre(self):
        bars = self.data["window_bar_px"][np.isfinite(self.data["window_bar_px"])]
        self.assertTrue(len(bars) > 0 and np.all(np.abs(bars) <= 0.5 + 1e-6), bars)


class Reduce(Results):
    def test_positions_are_relative_to_the_cells_centre_along_x(self):
        """The circuits of this study are concentric: every pathway's receptive field lies at its cell's x, whatever its y."""
        data, _ = read("reduction_circuit.h5")
        kept = data["joint/kept"].astype(bool)
        self.assertTrue(kept.any())
        position = data["joint/position"][kept]
        self.assertTrue(np.all(np.abs(position) < 0.5), position)

    def test_shares_are_parts_of_the_whole(self):
        for subject in ("network", "circuit"):
            data, _ = read(f"reduction_{subject}.h5")
            share = np.where(data["kept"] == 1, data["share"], 0)
            self.near(share.sum(-1), data["share_kept"], 1e-5, subject)
            self.assertTrue(np.all(data["share_kept"] <= 1 + 1e-6))

    def test_rates_are_those_of_the_attributions(self):
        attributed, _ = read("attributions_network.h5")
        data, _ = read("reduction_network.h5")
        names = text(attributed["stimulus"])
        for k, name in enumerate(text(data["condition"])):
            rows = np.flatnonzero(attributed["window_stimulus"] == names.index(name))
            self.near(data["rate"][:, k, :len(rows)], attributed["rate"][rows].T, 1e-6, name)
        self.near(data["rest"], attributed["baseline_rate"][0], 1e-6, "rest")


class Lesion(Results):
    def setUp(self):
        self.data, self.attributes = read("lesions_network.h5")
        self.reduction, _ = read("reduction_network.h5")
        self.network = Network()

    def test_responses_without_a_pathway_are_those_of_the_network_with_its_channel_as_on_grey(self):
        grey = self.network.activity(np.zeros((self.network.history, 50, 50)))
        compared = 0
        for contrast in (-1, -2):
            condition = text(self.data["condition"]).index(f"latency/contrast={contrast}")
            stimulus = self.data["condition_stimulus"][condition]
            first, frames = self.data["condition_first_frame"][condition], self.data["condition_frames"][condition]
            h = self.network.activity(flash(contrast, 100))[:, first:first + frames]
            self.near(self.data["rate"][:, condition, :frames], self.network.rates_of(h), 1e-4, "whole")
            for n in range(2):
                kept = np.flatnonzero(self.data["pathway_units"][n, stimulus] >= 0)
                self.assertEqual(len(kept), self.reduction["kept"][n, text(self.reduction["stimulus"]).index("latency")].sum())
                channels = self.reduction["path_channel"][n, text(self.reduction["stimulus"]).index("latency"), kept]
                for i, channel in zip(kept, channels):
                    without = h.copy()
                    without[channel] = grey[channel]
                    self.near(self.data["without_pathway"][n, condition, i, :frames], self.network.rates_of(without)[n], 1e-4, "without")
                    compared += 1
                alone = np.repeat(grey, frames, 1)
                alone[channels] = h[channels]
                if len(kept):
                    self.near(self.data["only_pathways"][n, condition, :frames], self.network.rates_of(alone)[n], 1e-4, "alone")
        self.assertGreater(compared, 0)
        self.near(self.data["rest"], self.network.rates_of(grey)[:, 0], 1e-4, "rest")

    def test_parts_left_by_pathways_are_those_of_their_traces(self):
        compared = 0
        for n, s in np.argwhere((self.data["windows_used"] > 0) & (self.data["pathway_units"] >= 0).any(-1)):
            mine = [(c, slice(0, int(self.data["condition_frames"][c]))) for c in np.flatnonzero(self.data["condition_stimulus"] == s)]
            rate, alone = (np.concatenate([self.data[name][n, c, frames] for c, frames in mine]) for name in ("rate", "only_pathways"))
            change = np.float64(rate) - self.data["rest"][n]
            left = np.sum(np.sign(change) * (np.float64(alone) - self.data["rest"][n])) / np.sum(np.abs(change))
            self.near(self.data["faithfulness_only_pathways"][n, s], left, 1e-3, "alone")
            compared += 1
        self.assertGreater(compared, 0)

    def test_areas_are_those_of_the_curves(self):
        part = self.data["size_units"] / self.attributes["units"]
        large = self.data["size"] >= 0.001 - 1e-12
        there = self.data["windows_used"] > 0
        self.assertTrue(there.any())
        for axis, x in (("", part[large]), ("_log", np.log(part[large]))):
            scale = 1 if axis == "" else x[-1] - x[0]
            area = lambda y: np.sum(np.diff(x) * (y[..., 1:] + y[..., :-1]) / 2, -1) / scale
            curves = {name: self.data[name][there][..., large] for name in ("faithfulness", "faithfulness_without", "distance")}
            for name, curve in (("cpr", curves["faithfulness"]), ("cmd", np.abs(1 - curves["faithfulness"])), ("cmd_windows", curves["distance"]),
                                ("area_without", curves["faithfulness_without"])):
                scored = slice(0, 5)  # of random orders the means of areas, not the area of the mean
                self.near(self.data[name + axis][there][:, scored], area(curve)[:, scored], 1e-9, name + axis)
        self.assertTrue(np.all(self.data["cmd_windows"][there] >= self.data["cmd"][there] - 1e-9))
        self.near(self.data["cmd"][there][:, 5], self.data["random_cmd"][there].mean(-1), 1e-9, "random")

    def test_curves_go_from_nothing_to_everything(self):
        there = self.data["windows_used"] > 0
        self.assertTrue(np.all(self.data["faithfulness"][there][..., [0, -1]] == [0, 1]))
        self.assertTrue(np.all(self.data["faithfulness_without"][there][..., [0, -1]] == [1, 0]))
        self.assertEqual(self.data["size_units"][-1], self.attributes["units"])


def printed(script):
    """What a script of analysis/ prints about the results."""
    return subprocess.run([sys.executable, "-B", os.path.join(ANALYSIS, script), FOLDER], check=True, capture_output=True, text=True).stdout


PLANTED = {"osr": ["3:", "2"], "anticipation": ["2:", "1"]}


class Analysis(Results):
    def setUp(self):
        data, _ = read("evaluation.h5")
        network = text(data["model"]).index("network")
        self.scores = dict(zip(text(data["cell"]), data["score"][network]))
        self.means = dict(zip(text(data["model"]), data["mean_score"]))

    def test_compare_prints_the_scores_of_the_evaluation(self):
        header, _, row = ([cell.strip() for cell in line.strip("|").split("|")] for line in printed("compare.py").splitlines()[:3])
        found = dict(zip(header, row))
        self.assertEqual((found["study"], found["windows"]), (os.path.basename(FOLDER), str(BATCH * STEPS)))
        self.assertEqual(found["mean score"], f"{np.mean(list(self.scores.values())):.3f}")
        for cell, score in self.scores.items():
            self.assertEqual(found[cell], f"{score:.3f}", cell)

    def test_report_prints_the_scores_and_holds_every_part(self):
        lines = printed("report.py").splitlines()
        for cell, score in self.scores.items():
            self.assertEqual([line.split()[1] for line in lines if line.startswith(cell + " ")], [f"{score:.3f}"], cell)
            # Half a minute of recording trains no network whose mechanism could be named.
            self.assertEqual([line.split(",", 1)[1].split()[:3] for line in lines if line.startswith(cell + ",")], [["planted", *PLANTED[cell]], ["found", "not", "named:"]], cell)
        for model, mean in self.means.items():
            self.assertIn(f"mean score, {model}: {mean:.3f}", lines)
        with open(os.path.join(FOLDER, "report.html")) as file:
            page = file.read()
        for part in ("Learning curves", "Score per cell", "Predicted and recorded rates", "First-layer filters", "The four phenomena", "Mechanisms in the network", "The network without its units"):
            self.assertTrue(part in page, part)
        self.assertGreaterEqual(page.count("<svg"), 6)
        self.assertTrue(f"total_windows = {BATCH * STEPS}" in page, "the report holds the study")


if __name__ == "__main__":
    unittest.main()
