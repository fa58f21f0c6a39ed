# SPDX-License-Identifier: Apache-2.0
"""Runs of the program, and the examples of docs/python.md."""
import contextlib
import importlib.util
import io
import json
import os
import re
import shutil
import unittest
from unittest import mock

import numpy as np
from foreign import BnCnn, write_keras
from small import FOLDER, STUDY_FILE, TOLERANCE, copied, make, quiet

import amacrine
from amacrine import program

setUpModule = make


class Page(unittest.TestCase):
    def test_examples_of_the_page(self):
        """Runs the examples of docs/python.md one after another, on the small study under the names that the page uses."""
        with open(os.environ["AMACRINE_PAGE"], encoding="utf-8") as file:
            examples = re.findall(r"```python\n(.*?)```", file.read(), re.DOTALL)
        self.assertEqual(len(examples), 7)
        os.makedirs("page/results", exist_ok=True)
        shutil.copytree(FOLDER, "page/results/quickstart", dirs_exist_ok=True)
        shutil.copy(STUDY_FILE, "page/study.toml")
        write_keras("page/weights.h5", *BnCnn((40, 50, 50), (2,), (45,), 2, seed=1).keras())
        here, names, printed = os.getcwd(), {}, io.StringIO()
        self.addCleanup(os.chdir, here)
        os.chdir("page")
        with contextlib.redirect_stdout(printed):
            for example in examples:
                if "import torch" not in example or importlib.util.find_spec("torch"):
                    exec(example, names)
        self.assertEqual(names["rates"].shape, (2, 800))
        self.assertEqual(names["result"].exit_code, 0)
        self.assertRegex(printed.getvalue(), r"\n1 -?\d+\.\d+ 0\.\d+\n2 ")
        self.assertIn("40x50x50 -> 2 @ 45x45 (2x6x6) -> 2 cells, norm per unit 1", printed.getvalue())
        self.assertEqual(amacrine.load_model("results/imported/copy.h5"), amacrine.load_model("results/imported/model.h5"))
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
