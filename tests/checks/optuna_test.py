# SPDX-License-Identifier: Apache-2.0
"""optuna_test.py FOLDER: what optuna_sweep.py told Optuna of the sweep in FOLDER, and how it reads its own proposals."""
import csv
import sys
import unittest

import optuna

import optuna_sweep

FOLDER = sys.argv.pop()
SPACE = {"training.l2": optuna.distributions.CategoricalDistribution(["0", "0.001"]),
         "training.learning_rate": optuna.distributions.FloatDistribution(3e-3, 3e-2, log=True)}


class OptunaSweep(unittest.TestCase):
    def setUp(self):
        with open(f"{FOLDER}/proposals.txt", encoding="utf-8") as stream:
            self.lines = stream.read().splitlines()
        with open(f"{FOLDER}/sweep.csv", newline="", encoding="utf-8") as stream:
            self.rows = list(csv.DictReader(stream))

    def test_trials_are_those_that_were_proposed(self):
        self.assertEqual(len(self.lines), 12)
        self.assertEqual(len(self.rows), 12)
        for line, row in zip(self.lines, self.rows):
            params = optuna_sweep.parsed(line, SPACE)
            self.assertEqual(params["training.l2"], row["training.l2"])
            self.assertAlmostEqual(params["training.learning_rate"], float(row["training.learning_rate"]))
            self.assertTrue(3e-3 <= params["training.learning_rate"] <= 3e-2)
            self.assertEqual(optuna_sweep.line_of(params), line)

    def test_later_trials_are_not_those_of_the_first_sampler(self):
        self.assertEqual(len(set(self.lines)), 12)

    def test_what_was_reached_is_told(self):
        for line, row in zip(self.lines, self.rows):
            trial = optuna_sweep.frozen(optuna_sweep.parsed(line, SPACE), SPACE, row)
            pruned = row["standing"] == "stopped"
            self.assertEqual(trial.state, optuna.trial.TrialState.PRUNED if pruned else optuna.trial.TrialState.COMPLETE)
            self.assertEqual(trial.value, float(row["value"]))
            self.assertEqual(sorted(trial.intermediate_values), [1] if pruned else [1, 2])
        self.assertIn("finished", [row["standing"] for row in self.rows])
        self.assertIn("stopped", [row["standing"] for row in self.rows])

    def test_failed_trials_are_told_as_failed(self):
        row = {**self.rows[0], "standing": "failed"}
        trial = optuna_sweep.frozen(optuna_sweep.parsed(self.lines[0], SPACE), SPACE, row)
        self.assertEqual(trial.state, optuna.trial.TrialState.FAIL)

    def test_words_may_hold_blanks(self):
        space = {"model.channels": optuna.distributions.CategoricalDistribution(["[4, 4]", "[8, 8]"]), "training.l2": SPACE["training.l2"]}
        self.assertEqual(optuna_sweep.parsed("model.channels=[8, 8] training.l2=0", space), {"model.channels": "[8, 8]", "training.l2": "0"})


unittest.main()
