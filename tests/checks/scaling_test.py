#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the scaling model counts (tests/benchmark/scaling_model.py), against figures worked out by hand."""
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "benchmark"))
import scaling  # noqa: E402
import scaling_model as model  # noqa: E402

DEFAULT = model.Network()
# Bytes of a part's sums: kernels 8 x 40 x 15 x 15 and 8 x 8 x 11 x 11 and the readout 7 x 8 x 26 x 26 in single precision; in double, sum and square of
# 8 and 8 channels and 7 cells, forward and back, and 7 losses.
PART = 4 * (72_000 + 7_744 + 37_856) + 8 * (2 * 2 * (8 + 8 + 7) + 7)


class Counts(unittest.TestCase):
    def test_sums_of_a_step(self):
        self.assertEqual([entry.values for entry in model.sums_of_step(DEFAULT)], [16, 16, 14, 7, 14, 37_856, 16, 7_744, 16, 72_000])
        self.assertEqual(sum(entry.values * entry.size for entry in model.sums_of_step(DEFAULT)), PART)

    def test_a_norm_per_unit_sends_its_units(self):
        # 8 x 36 x 36 and 8 x 26 x 26 units, sum and square, forward and back, where 8 and 8 channels were.
        unit = sum(entry.values * entry.size for entry in model.sums_of_step(model.Network(norm="per_unit")))
        self.assertEqual(unit - PART, 8 * 4 * (10_368 + 5_408 - 16))

    def test_without_norms_there_are_no_moments_forward_but_of_the_output(self):
        names = [entry.name for entry in model.sums_of_step(model.Network(norm="none"))]
        self.assertEqual(names[:2], ["moments of the output", "loss"])
        self.assertEqual(len(names), 8)

    def test_bytes_are_those_that_leave_the_rank(self):
        self.assertEqual(model.bytes_of_step(DEFAULT, model.whole(32), 1), (0.0, 0.0))
        self.assertEqual(model.bytes_of_step(DEFAULT, model.whole(32), 2), (16 * PART / 2, PART / 2))
        self.assertEqual(model.bytes_of_step(DEFAULT, model.whole(32), 3), (11 * PART * 2 / 3, PART * 2 / 3))

    def test_long_sums_travel_in_pieces(self):
        # 2^27 values of 4,096 parts: 32,768 of each.
        kernel, readout = model.Sum("", 72_000, 4), model.Sum("", 32_768, 4)
        self.assertEqual([model.pieces(kernel, parts) for parts in (32, 4096)], [1, 3])
        self.assertEqual(model.pieces(readout, 4096), 1)

    def test_neighbours_send_the_first_kernels_gradient_once(self):
        # Four parts of 16 windows a rank: 72,000 values of them together, four times all else.
        batch = model.Batch(parts=8, owners=2)
        self.assertEqual((batch.neighbours, batch.most(2)), (4, 4))
        self.assertEqual(model.bytes_of_step(DEFAULT, batch, 2), ((4 * (PART - 288_000) + 288_000) / 2, PART / 2))
        self.assertEqual([model.Batch(*each).neighbours for each in ((32, 32), (32, 16), (32, 8), (32, 4), (6, 1))], [1, 2, 4, 4, 3])

    def test_groups_of_neighbours_stay_whole(self):
        self.assertEqual([model.Batch(12, 3).most(ranks) for ranks in (1, 2, 3)], [12, 8, 4])

    def test_messages(self):
        self.assertEqual([model.messages_of_step(DEFAULT, model.whole(32), ranks, False) for ranks in (1, 2, 4)], [0, 10 * 2 + 1, 10 * 6 + 2])
        self.assertEqual([model.messages_of_step(DEFAULT, model.whole(32), ranks, True) for ranks in (1, 2, 4, 5)], [0, 10 * 2 + 1, 10 * 3 + 2, 10 * 4 + 3])


class Times(unittest.TestCase):
    machine, link = model.Machine(part=2e-3, serial=1e-3, copies=1e9), model.Link(latency=1e-5, bandwidth=1e9)

    def test_a_step(self):
        # Three parts on two ranks: one has two of them, and sends PART to the other, of its own sums PART / 2.
        seconds = model.step_seconds(DEFAULT, self.machine, self.link, model.whole(3), 2, False)
        self.assertAlmostEqual(seconds, 1e-3 + 2 * 2e-3 + 2 * PART / 1e9 + 21e-5 + 1.5 * PART / 1e9, places=12)

    def test_overlap_can_hide_the_gradients_above_the_first_kernel(self):
        # Three parts on two ranks: two parts' values and the sums to the other rank, half of each; two sums of two messages.
        free = 4 * (37_856 + 7_744)
        seconds = model.overlap_seconds(DEFAULT, self.link, model.whole(3), 2, False)
        self.assertAlmostEqual(seconds, 2 * 2 * 1e-5 + 1.5 * free / 1e9, places=12)
        self.assertEqual(model.overlap_seconds(DEFAULT, self.link, model.whole(3), 1, False), 0.0)

    def test_without_communication_whole_parts_and_serial_work_are_left(self):
        free = model.Machine(part=2e-3, serial=1e-3, copies=float("inf")), model.Link(latency=0.0, bandwidth=float("inf"))
        self.assertAlmostEqual(model.strong_efficiency(DEFAULT, *free, 32, 32, False), (1 + 64) / (32 * (1 + 2)))
        self.assertAlmostEqual(model.strong_efficiency(DEFAULT, *free, 32, 17, False), (1 + 64) / (17 * (1 + 4)))
        self.assertAlmostEqual(model.weak_efficiency(DEFAULT, *free, 4, 1024, False), 1.0)

    def test_one_rank_is_the_measure(self):
        for at_once in (False, True):
            self.assertEqual(model.strong_efficiency(DEFAULT, self.machine, self.link, 32, 1, at_once), 1.0)
            self.assertEqual(model.weak_efficiency(DEFAULT, self.machine, self.link, 4, 1, at_once), 1.0)


class Measured(unittest.TestCase):
    def test_the_line_through_steps(self):
        part, serial, worst = scaling.line_through({1: 3.0, 2: 5.0, 8: 17.0})
        self.assertAlmostEqual(part, 2.0)
        self.assertAlmostEqual(serial, 1.0)
        self.assertAlmostEqual(worst, 0.0)

    def test_what_is_no_line_is_told(self):
        self.assertGreater(scaling.line_through({1: 3.0, 2: 9.0, 8: 17.0})[2], 0.1)

    def test_a_link_of_ones_own(self):
        self.assertEqual(scaling.link_of("ours=1.5,25"), ("ours", model.Link(1.5e-6, 25e9)))
        with self.assertRaises(SystemExit) as refused:
            scaling.link_of("ours=fast")
        self.assertIn("NAME=MICROSECONDS,GB_PER_S", str(refused.exception))


if __name__ == "__main__":
    unittest.main()
