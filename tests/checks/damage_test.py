#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Results that are damaged end the report with a message that names file and dataset, and with the exit code of a bad input. The whole results lie in
the folder $AMACRINE_RESULTS; every test damages a copy."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import h5py

FOLDER = os.environ["AMACRINE_RESULTS"]
ANALYSIS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "analysis")
sys.path.insert(0, ANALYSIS)
import damage  # noqa: E402
import results  # noqa: E402


class Damage(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.TemporaryDirectory()
        self.folder = os.path.join(self.work.name, "study")
        shutil.copytree(FOLDER, self.folder)

    def tearDown(self):
        self.work.cleanup()

    def path(self, name):
        return os.path.join(self.folder, name)

    def drawn(self, script="report.py"):
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run([sys.executable, os.path.join(ANALYSIS, script), self.folder], capture_output=True, text=True, env=environment)

    def says(self, name, *words, script="report.py"):
        """The script ends with exit code 3 and one line that names the file, holds the words and says what to do."""
        ended = self.drawn(script)
        self.assertEqual(ended.returncode, 3, ended.stderr[-2000:])
        lines = ended.stderr.strip().splitlines()
        self.assertNotIn("Traceback", ended.stderr)
        self.assertTrue(lines[-1].startswith(f"error: {self.path(name)}: "), lines[-1])
        for word in (*words, "expected"):
            self.assertIn(word, lines[-1])
        return lines[-1]

    def without(self, name, dataset):
        with h5py.File(self.path(name), "r+") as file:
            del file[dataset]

    def zero(self, name, first, count):
        with open(self.path(name), "r+b") as file:
            file.seek(first)
            file.write(bytes(count))

    def extent(self, name, dataset):
        """Where a dataset that is stored in one piece lies."""
        with h5py.File(self.path(name), "r") as file:
            return file[dataset].id.get_offset(), file[dataset].id.get_storage_size()

    def test_a_dataset_that_is_missing_is_named(self):
        for name, dataset, verb in (("evaluation.h5", "score", "evaluate"), ("responses_network.h5", "rate", "probe"), ("reduction_circuit.h5", "kept", "reduce")):
            with self.subTest(dataset):
                self.without(name, dataset)
                self.says(name, f"there is no dataset '{dataset}'", f"`amacrine inspect {self.path(name)}`", f"`amacrine {verb}` again")
                shutil.copy(os.path.join(FOLDER, name), self.path(name))

    def test_a_dataset_of_a_group_is_named_with_it(self):
        self.without("reduction_circuit.h5", "joint/polarity")
        joint = results.Study(self.folder).joint["circuit"]
        with self.assertRaisesRegex(damage.Damaged, "reduction_circuit.h5: there is no dataset 'joint/polarity'"):
            joint["polarity"].load()
        self.assertEqual(len(joint["kept"].isel(cell=0).shape), 1, "the others are there")

    def test_a_file_that_is_cut_short_or_no_hdf5_is_named(self):
        for name, keeps in (("evaluation.h5", 0), ("responses_network.h5", 3000), ("attributions_network.h5", 100)):
            with self.subTest(f"{name}, {keeps} bytes"):
                os.truncate(self.path(name), keeps)
                self.says(name, "cannot be opened as an HDF5 file")
                shutil.copy(os.path.join(FOLDER, name), self.path(name))
        self.assertEqual(self.drawn().returncode, 0, "a whole copy was taken, as was advised")

    def test_a_dataset_whose_header_is_overwritten_is_named(self):
        with h5py.File(self.path("evaluation.h5"), "r") as file:
            header = h5py.h5o.get_info(file["score"].id).addr
        self.zero("evaluation.h5", header, 16)
        self.says("evaluation.h5", "'score'")

    def test_learning_curves_that_are_no_text_are_named(self):
        with open(self.path("curves.csv"), "r+b") as file:
            file.seek(40)
            file.write(b"\xff\xfe\x80")
        self.says("curves.csv", "cannot be read as text", "`amacrine train` again")

    def test_compare_says_it_too(self):
        self.without("evaluation.h5", "score")
        self.says("evaluation.h5", "'score'", script="compare.py")

    def test_a_folder_without_results_is_a_bad_input(self):
        for name in os.listdir(self.folder):
            os.remove(self.path(name))
        ended = self.drawn()
        self.assertEqual(ended.returncode, 3)
        self.assertIn("run `amacrine evaluate`", ended.stderr)


if __name__ == "__main__":
    unittest.main()
