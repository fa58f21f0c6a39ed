# SPDX-License-Identifier: Apache-2.0
"""The table that sampling.py and sampling_torch.py print: scores by budget and segment length, with their spread over seeds."""
import statistics

BATCH = 512


def add_arguments(parser, folder, windows):
    parser.add_argument("--program", required=True, help="the amacrine executable")
    parser.add_argument("--folder", required=True, help=folder)
    parser.add_argument("--windows", type=int, nargs="+", default=windows, help="budgets of the trainings")
    parser.add_argument("--lengths", type=int, nargs="+", default=[1, 8, 16, 32, 128], help="windows of a segment; 1: shuffled")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])


def print_header(cells):
    print("windows  length  segments  " + "  ".join(f"{cell:>12s}" for cell in cells) + "   mean  sd over seeds  seeds' means", flush=True)


def print_row(budget, length, results):
    """results: of every seed, the scores of its cells."""
    cells = [statistics.mean(values) for values in zip(*results)]
    means = [statistics.mean(values) for values in results]
    spread = statistics.stdev(means) if len(means) > 1 else float("nan")
    print(f"{budget:7d}  {length:6d}  {BATCH // length:8d}  " + "  ".join(f"{score:12.3f}" for score in cells)
          + f"  {statistics.mean(means):.3f}  {spread:13.3f}  " + " ".join(f"{mean:.3f}" for mean in means), flush=True)
