#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What tests/truth/truth.py counts, on made-up recordings and pathways."""
import contextlib
import io
import math
import os
import pathlib
import re
import stat
import sys
import tempfile
import unittest
from unittest import mock

import h5py
import numpy as np

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "truth"))
import truth  # noqa: E402

CIRCUITS = {name: table for path in (ROOT / "circuits").glob("*.toml") for name, table in truth.circuits_of_file(path).items()}
CLAIMS = ["number", "sign", "polarity", "filter", "place", "rate"]
RATE = np.abs(np.sin(np.arange(200.0)))
# Of the units of osr: sign and polarity; reversal has five at places of their own.
SIGNS = {"osr": [-1, 1, 1], "reversal": [1] * 5, "no_phenomenon": [1], "two_layers": [1, 1, -1, -1], "osr_depressing": [-1, 1], "mine": [1, -1]}
SIDES = {"osr": [-1, 1, 1], "reversal": [-1] * 5, "no_phenomenon": [1], "two_layers": [1] * 4, "osr_depressing": [-1, 1], "mine": [-1, 1]}
MINE = """# A cell of one's own; its second unit is displaced both ways.
[simulation.circuits.mine]
kind = "feed_forward"
[simulation.circuits.mine.units.OFF_exc]
polarity = "OFF"
weight_hz = 90
order = 4
peak_ms = 80
sigma_px = 1.5
[simulation.circuits.mine.units.ON_inh]
polarity = "ON"
weight_hz = -40
order = 3
peak_ms = 120
sigma_px = 2
dy_px = -2
dx_px = 3
"""
SLOTS = 6


def write_recording(path, circuits, definitions=None):
    """Without definitions: as recordings were before they had them."""
    of = lambda table: [value for c in circuits for value in table[c]]
    known = CIRCUITS if definitions is None else truth.circuits_of(definitions, "text")
    names = [f"cell of {c}/{u}" for c in circuits for u in known[c]["units"]]
    with h5py.File(path, "w") as file:
        file.attrs.update({"complete": 1, "circuits": ",".join(circuits)})
        if definitions is not None:
            file.attrs["circuit_definitions"] = definitions
        file["cell"], file["unit"] = np.array([f"cell of {c}" for c in circuits], "S"), np.array(names, "S")
        for key in "yx":
            file["simulated/centre_" + key] = np.full(len(circuits), 24.5)
        file["simulated/unit_cell"] = [n for n, c in enumerate(circuits) for _ in SIGNS[c]]
        file["simulated/unit_sign"], file["simulated/unit_polarity"] = of(SIGNS), of(SIDES)
        file["simulated/test/rate"] = np.tile(RATE, (len(circuits), 1))


def right_pathways(folder, circuits):
    """Arrays of a pathways.h5 that is right of every cell; the units are found in reverse order, with another scale."""
    lag, profile = 10.0 * np.arange(40), np.arange(-11.0, 12.0)
    count = len(circuits)
    found = {"cell": np.array([f"cell of {c}" for c in circuits], "S"), "lag": lag, "profile_y": profile, "profile_x": profile,
             "pathways": np.array([len(SIGNS[c]) for c in circuits]), "rate": 0.9 * np.tile(RATE, (count, 1)),
             "time_course": np.full((count, SLOTS, 40), np.nan), "profile": np.full((count, SLOTS, 23, 23), np.nan),
             **{key: np.full((count, SLOTS), np.nan) for key in ("weight", "polarity", "offset_y", "offset_x", "spread")}}
    found["rate"][:, :39] = np.nan
    with h5py.File(folder / "recording.h5") as recording:
        known = truth.circuits_recorded(recording)
        for n, circuit in enumerate(circuits):
            if known[circuit]["kind"] in truth.STATELESS:
                for k, unit in enumerate(reversed(truth.planted_units(recording, n, known[circuit], (lag, profile, profile)))):
                    place(found, n, k, unit, spread=10.0 - k)
    return found


def place(found, n, k, unit, spread):
    for key, value in (("weight", 2 * unit.weight), ("polarity", unit.polarity), ("offset_y", unit.dy + 0.1), ("offset_x", unit.dx), ("spread", spread),
                       ("time_course", unit.course), ("profile", unit.profile)):
        found[key][n, k] = value


def add_spurious(found, n, spread):
    """A pathway that no unit is like."""
    k = found["pathways"][n]
    found["pathways"][n] += 1
    found["time_course"][n, k] = np.where(np.arange(40) == 39, 1.0, 0.0)
    found["profile"][n, k] = np.pad([[1.0]], ((0, 22), (0, 22)))
    for key, value in (("weight", -50.0), ("polarity", 1), ("offset_y", -11.0), ("offset_x", -11.0), ("spread", spread)):
        found[key][n, k] = value


def write_pathways(path, found, complete=1):
    with h5py.File(path, "w") as file:
        file.attrs["complete"] = complete
        for key, values in found.items():
            file[key] = values


class WithFolder(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.folder = pathlib.Path(made.name)

    def compared(self, change=lambda found: None, circuits=("osr",), definitions=None):
        write_recording(self.folder / "recording.h5", circuits, definitions)
        found = right_pathways(self.folder, circuits)
        change(found)
        write_pathways(self.folder / "pathways.h5", found)
        with contextlib.redirect_stderr(io.StringIO()) as self.said:
            return truth.compare_folder(self.folder)

    def failed(self, change, circuits=("osr",)):
        """The claims about the first cell that do not hold."""
        return {claim for claim, holds in self.compared(change, circuits)[0].claims().items() if not holds}

    def refusal(self, call):
        with self.assertRaises(truth.Failure) as refused:
            call()
        return str(refused.exception)


def put(key, at, value):
    def change(found):
        found[key][(0, *at)] = value
    return change


class Counts(WithFolder):
    def test_a_perfect_match(self):
        first, second = self.compared(circuits=("osr", "reversal"))
        self.assertEqual([first.claims(), second.claims()], [dict.fromkeys(CLAIMS, True)] * 2)
        np.testing.assert_allclose([*first.cosine, *second.cosine, first.r], 1.0)
        np.testing.assert_allclose(first.weight, [-956.0, 198.0, 283.8])
        np.testing.assert_allclose(first.place_px, 0.1)

    def test_a_circuit_of_ones_own_is_what_the_recording_says(self):
        result = self.compared(circuits=("mine",), definitions=MINE)[0]
        self.assertEqual((result.circuit, result.claims()), ("mine", dict.fromkeys(CLAIMS, True)))
        np.testing.assert_allclose(result.weight, [180.0, -80.0])
        np.testing.assert_allclose([unit.profile[i, j] / unit.profile.max() for unit, i, j in zip(result.units, (11, 9), (11, 14))], 1)
        self.assertEqual([(unit.dy, unit.dx) for unit in result.units], [(0, 0), (-2, 3)])

    def test_a_name_of_the_programs_own_stands_for_what_was_recorded(self):
        renamed = MINE.replace("circuits.mine", "circuits.osr").replace("= 90", "= 50")
        with mock.patch.dict(SIGNS, osr=SIGNS["mine"]), mock.patch.dict(SIDES, osr=SIDES["mine"]):
            np.testing.assert_allclose([unit.weight for unit in self.compared(definitions=renamed)[0].units], [50, -40])

    def test_one_sign_is_wrong(self):
        self.assertEqual(self.failed(put("weight", (2,), 956.0)), {"sign"})

    def test_one_polarity_is_wrong(self):
        self.assertEqual(self.failed(put("polarity", (0,), -1)), {"polarity"})

    def test_a_filter_of_the_other_sign_is_matched_but_not_right(self):
        def mirrored(found):
            found["time_course"][0, 0] *= -1
            found["polarity"][0, 0] *= -1
            found["weight"][0, 0] *= -1
        self.assertEqual(self.failed(mirrored), {"sign", "polarity", "filter"})

    def test_a_place_is_wrong(self):
        self.assertEqual(self.failed(put("offset_y", (1,), 0.51)), {"place"})
        self.assertEqual(self.failed(put("offset_y", (1,), 0.5)), set())

    def test_a_small_spurious_pathway_is_one_too_many(self):
        self.assertEqual(self.failed(lambda found: add_spurious(found, 0, 7.9)), {"number"})

    def test_a_large_spurious_pathway_leaves_no_sign_right(self):
        self.assertEqual(self.failed(lambda found: add_spurious(found, 0, 8.1)), {"number", "sign", "polarity"})

    def test_a_unit_without_a_pathway(self):
        result = self.compared(put("pathways", (), 2))[0]
        self.assertEqual([claim for claim, holds in result.claims().items() if not holds], ["number", "sign", "polarity", "filter", "place"])
        self.assertEqual(result.cosine[0], 0.0)

    def test_a_cell_that_was_not_fitted(self):
        def unfitted(found):
            found["pathways"][0], found["rate"][0] = -1, np.nan
        self.assertEqual(self.failed(unfitted), set(CLAIMS))

    def test_what_is_no_number_meets_no_bar(self):
        lost = {"sign", "polarity", "filter", "place"}
        cases = [("rate", (100,), {"rate"}), ("weight", (2,), {"sign"}), ("polarity", (1,), {"polarity"}), ("offset_x", (1,), {"place"}),
                 ("time_course", (1, 5), lost), ("profile", (1, 5, 5), lost)]
        for key, at, failing in cases:
            with self.subTest(key):
                self.assertEqual(self.failed(put(key, at, np.nan)), failing)
        for spread in (np.nan, 7.9):
            with self.subTest("spread", spurious=spread):
                def change(found, spread=spread):
                    add_spurious(found, 0, spread)
                    found["spread"][0, 1] = 9.0 if math.isnan(spread) else np.nan
                self.assertEqual(self.failed(change), {"number", "sign", "polarity"})

    def test_two_layers_are_refused_where_the_rate_is_not_predicted(self):
        noise = np.random.default_rng(1).normal(size=200)
        claims = lambda rate: self.compared(put("rate", (), rate), ("two_layers",))[0].claims()
        self.assertEqual([claims(rate) for rate in (RATE, noise, np.full(200, np.nan))], [{"refused": each} for each in (False, True, False)])

    def test_each_unit_has_a_pathway_of_its_own(self):
        self.assertEqual(truth.assigned(np.array([[0.9, 0.8], [0.85, 0.1]])), (1, 0))
        self.assertEqual(truth.assigned(np.array([[0.2], [0.7]])), (None, 0))
        self.assertEqual(truth.assigned(np.array([[np.nan, 0.1, 0.3]])), (2,))
        self.assertEqual(truth.assigned(np.zeros((2, 0))), (None, None))


class Report(WithFolder):
    def test_hits_are_summed_and_figures_are_medians(self):
        results = self.compared() + self.compared(put("weight", (2,), 956.0)) + self.compared(put("rate", (100,), np.nan))
        lines = truth.report(results).splitlines()
        self.assertEqual(lines[:6], [f"truth osr {claim} {2 if claim in ('sign', 'rate') else 3} 3" for claim in CLAIMS])
        self.assertIn("| osr | 3 | 1.0000 | 3 | 3 | 1.000 | 0.10 | -478, 99, 142 | -956, 198, 284 |", lines)

    def test_what_is_missing_is_a_dash(self):
        lines = truth.report(self.compared(put("pathways", (), 0)) + self.compared(circuits=("two_layers",))).splitlines()
        self.assertIn("| osr | 1 | 1.0000 | 3 | 0 | 0.000 | - | -478, 99, 142 | -, -, - |", lines)
        self.assertIn("truth two_layers refused 0 1", lines)

    def test_a_circuit_with_a_state_is_left_out(self):
        self.assertEqual([each.circuit for each in self.compared(circuits=("osr_depressing", "osr"))], ["osr"])
        self.assertIn("osr_depressing is left out", self.said.getvalue())

    def test_fewer_cells_in_another_order(self):
        def swapped(found):
            for key in found:
                if key not in ("lag", "profile_y", "profile_x"):
                    found[key] = found[key][[2, 0]]
        results = self.compared(swapped, ("osr", "reversal", "no_phenomenon"))
        self.assertEqual([(each.circuit, *each.claims().values()) for each in results],
                         [(circuit, *[True] * 6) for circuit in ("no_phenomenon", "osr")])


class Refusals(WithFolder):
    def test_files(self):
        self.assertIn("recording.h5 is not there; make it with `amacrine simulate`", self.refusal(lambda: truth.compare_folder(self.folder)))
        self.compared()
        (self.folder / "pathways.h5").write_text("no HDF5")
        self.assertIn("cannot be read", self.refusal(lambda: truth.compare_folder(self.folder)))
        write_pathways(self.folder / "pathways.h5", {}, complete=0)
        self.assertIn("is not complete", self.refusal(lambda: truth.compare_folder(self.folder)))
        write_pathways(self.folder / "pathways.h5", {})
        self.assertIn("lacks what is compared", self.refusal(lambda: truth.compare_folder(self.folder)))

    def test_another_recording(self):
        def renamed(found):
            found["cell"] = np.array(["someone"], "S")
        self.assertIn("'someone' is none of the recording's", self.refusal(lambda: self.compared(renamed)))

        def shorter(found):
            found["rate"] = found["rate"][:, :100]
        self.assertIn("100 frames are predicted, but the recording has 200", self.refusal(lambda: self.compared(shorter)))

    def test_words(self):
        wrong, dynamic = self.folder / "wrong.toml", ROOT / "circuits" / "osr_depressing.toml"
        wrong.write_text("[simulation.circuits.a]\nkind = 1\n[simulation.circuits.a.units]\n", encoding="utf-8")
        for words, message in ((["run", "osr_depressing"], "has a state"), (["run", "osl"], "there is no circuit 'osl'"),
                               (["run", "none.toml"], "cannot be read"), (["run", str(wrong)], "lacks its kind"), (["run", str(dynamic)], "has a state"),
                               (["run", "--seeds", "0"], "not a whole number above 0"), (["run", "--minutes", "nan"], "not a number above 0"),
                               (["run", "--alone", "--together"], "not allowed")):
            with self.subTest(words), contextlib.redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit) as refused:
                truth.arguments(words)
            self.assertIn(message, said.getvalue())
            self.assertEqual(refused.exception.code, 2)


class Runs(WithFolder):
    def program(self, script):
        path = self.folder / "program"
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    def run_with(self, script, *words):
        with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(io.StringIO()):
            truth.main(["run", "--program", self.program(script), "--folder", str(self.folder / "kept"), *words])
        return printed.getvalue()

    def test_each_seed_is_simulated_and_fitted(self):
        self.compared()
        copies = f'case $1 in simulate) file=recording;; fit) file=pathways;; esac\ncp "{self.folder}/$file.h5" "$(dirname "$2")"\n'
        self.assertIn("truth osr rate 2 2", self.run_with(copies, "--seeds", "2", "osr"))
        self.assertEqual(sorted(os.listdir(self.folder / "kept")), ["seed1", "seed2"])
        self.run_with(copies, "--alone", "--minutes", "3", "osr")
        study = (self.folder / "kept" / "seed1-osr" / "study.toml").read_text(encoding="utf-8")
        self.assertIn("seed = 1\ntrain_minutes = 3.0\n[simulation.cells.osr]\n", study)

    def test_circuits_of_a_file(self):
        self.compared(circuits=("mine",), definitions=MINE)
        (self.folder / "mine.toml").write_text(MINE, encoding="utf-8")
        copies = f'case $1 in simulate) file=recording;; fit) file=pathways;; esac\ncp "{self.folder}/$file.h5" "$(dirname "$2")"\n'
        self.assertIn("truth mine filter 1 1", self.run_with(copies, str(self.folder / "mine.toml"), "osr"))
        study = (self.folder / "kept" / "seed1" / "study.toml").read_text(encoding="utf-8")
        self.assertIn(f'circuit_files = ["{(self.folder / "mine.toml").resolve()}"]\n[simulation.cells.mine]\n', study)
        self.assertIn("[simulation.cells.osr]\n", study)

    def test_a_command_that_fails_ends_the_run_with_its_words(self):
        with self.assertRaises(SystemExit) as ended:
            self.run_with("echo the disk is full; exit 3\n", "osr")
        self.assertRegex(str(ended.exception.code), r"(?s)`amacrine simulate` in .* ended with 3:\nthe disk is full$")

    def test_places_differ_within_a_recording(self):
        for seed in range(1, 12):
            asked = [truth.Asked(name) for name in (*truth.OWN, "mine")]
            text = truth.study_text(asked, seed, 40.0, "out")
            self.assertEqual(len(set(re.findall(r"y = ([\d.]+)\nx = ([\d.]+)", text))), len(asked))


class Filters(unittest.TestCase):
    def test_the_programs_own_are_its_files(self):
        self.assertEqual(sorted(truth.OWN), sorted(name for name, circuit in CIRCUITS.items() if circuit["kind"] in truth.STATELESS))

    def test_a_time_course(self):
        course = truth.temporal({"order": 2.0, "peak_ms": 100.0, "undershoot": 0.5, "undershoot_order": 1.0, "undershoot_peak_ms": 50.0}, -1)
        # (t / p)^n exp(n (1 - t / p)) at 100 and 50 ms: 1 and e / 4 of the first bump, 2 / e and 1 of the second.
        self.assertAlmostEqual(course[10] / course[5], (1 - 1 / math.e) / (math.e / 4 - 0.5))
        self.assertEqual(course[0], 0)
        self.assertLess(course[10], 0)
        self.assertAlmostEqual(np.abs(course).sum(), 1)

    def test_a_profile(self):
        offsets = np.arange(-11.0, 12.0)
        profile = truth.spatial(CIRCUITS["reversal"]["units"]["S3"], offsets, offsets, (24.5, 24.5))
        self.assertEqual(np.unravel_index(profile.argmax(), profile.shape), (11, 13))
        self.assertAlmostEqual(profile.sum(), 0.1)
        cut = truth.spatial(CIRCUITS["two_layers"]["units"]["I_left"], offsets, offsets, (28.5, 24.5))
        self.assertEqual([list(offsets[np.flatnonzero(cut.any(axis))][[0, -1]]) for axis in (1, 0)], [[-7, 7], [-9, 5]])
        self.assertAlmostEqual(cut.sum(), 1)

    def test_lags_that_start_later(self):
        np.testing.assert_array_equal(truth.on_lags(np.arange(40.0), np.array([10.0, 390.0, 400.0])), [1, 39, 0])


if __name__ == "__main__":
    unittest.main()
