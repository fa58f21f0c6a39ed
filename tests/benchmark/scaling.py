# SPDX-License-Identifier: Apache-2.0
"""A model of how much faster the training of one model becomes on many ranks: see docs/scaling.md. Prints lines "scaling NAME VALUE".
What a rank computes is measured on one rank and thread (--program), or given (--part-ms and --serial-ms); the rest is counted or assumed. Nothing here is
measured on a cluster."""
import argparse
import csv
import os
import pathlib
import shutil
import subprocess

import numpy as np

import draw_scaling
from scaling_model import (LINKS, Link, Machine, Network, bytes_of_step, collectives_of_step, messages_of_step, overlap_seconds, step_seconds, strong_efficiency, sums_of_step,
                           weak_efficiency, whole)

HERE = pathlib.Path(__file__).resolve().parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_PROC_BIND": "false", "OMP_WAIT_POLICY": "passive"}
STRONG = (1, 2, 4, 8, 16, 32)
WEAK = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
# [training]'s own: a part is four segments of four windows, computed side by side.
SEGMENTS_A_PART, WINDOWS_A_SEGMENT = 4, 4


def say(name, value):
    print(f"scaling {name} {value}", flush=True)


def amacrine(args, verb, folder, *overrides):
    done = subprocess.run([args.program, verb, str(HERE / "ranks.toml"), f"study.output={folder}", "simulation.train_minutes=4", *overrides],
                          env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"amacrine {verb} ended with {done.returncode}:\n{done.stdout[-2000:]}")


def measured_step(args, parts):
    """Seconds of a step of `parts` parts on one rank, from the last epoch of a short training's curves.csv."""
    folder = pathlib.Path(args.folder) / "train"
    shutil.rmtree(folder, ignore_errors=True)
    segments = SEGMENTS_A_PART * parts
    batch = segments * WINDOWS_A_SEGMENT
    epoch = batch * max(4, -(-args.windows // batch))
    amacrine(args, "train", folder, f"recording.file={args.folder}/recording.h5", f"training.segments={segments}", f"training.most_ranks={parts}",
             f"training.epoch_windows={epoch}", f"training.total_windows={2 * epoch}", f"training.statistics_windows={batch}", f"model.norm={args.norm}")
    with open(folder / "curves.csv", newline="", encoding="utf-8") as stream:
        return batch / float(list(csv.DictReader(stream))[-1]["windows_per_second"])


def line_through(seconds):
    """(seconds a part, seconds a step, largest relative distance of a measured step from the line); every number of parts counts alike."""
    parts = np.array(sorted(seconds), float)
    times = np.array([seconds[int(p)] for p in parts])
    slope, offset = np.polyfit(parts, times, 1, w=1 / times)
    return float(slope), float(offset), float(np.max(np.abs((offset + slope * parts) / times - 1)))


def measure(args):
    """The machine's part and serial work, from steps of 1 to 32 parts that take turns. Of all rounds the fastest counts: what else the machine does only ever
    lengthens a step."""
    os.makedirs(args.folder, exist_ok=True)
    if not os.path.exists(f"{args.folder}/recording.h5"):
        amacrine(args, "simulate", args.folder)
    rounds = [{parts: measured_step(args, parts) for parts in args.measured_parts} for _ in range(args.rounds)]
    seconds = {parts: min(each[parts] for each in rounds) for parts in args.measured_parts}
    for parts in args.measured_parts:
        say(f"measured_step_ms_of_{parts}_parts", f"{1e3 * seconds[parts]:.2f} (to {1e3 * max(each[parts] for each in rounds):.2f})")
    part, serial, worst = line_through(seconds)
    say("measured_farthest_from_the_line_percent", f"{100 * worst:.1f}")
    if serial < 0:
        say("measured_serial_ms", f"{1e3 * serial:.2f}, which is noise: 0 is used")
    return part, max(0.0, serial)


def say_counts(network, parts):
    """What a step sends, in strong scaling."""
    batch = whole(parts)
    for entry in sums_of_step(network):
        say("sum_" + entry.name.replace(" ", "_").replace("'", ""), f"{entry.values} values of {entry.size} bytes a part")
    say("exchanges_a_step", collectives_of_step(network, batch))
    for ranks in STRONG[1:]:
        apart, gathered = bytes_of_step(network, batch, ranks)
        say(f"strong_sent_kb_a_rank_{ranks}", f"{(apart + gathered) / 1e3:.0f}")
        say(f"strong_messages_a_rank_{ranks}", f"{messages_of_step(network, batch, ranks, True)} to {messages_of_step(network, batch, ranks, False)}")


def say_efficiencies(network, machine, links, args):
    """Between messages in turn and all at once."""
    for name, link in links.items():
        for ranks in STRONG:
            in_turn, at_once = (strong_efficiency(network, machine, link, args.parts, ranks, way) for way in (False, True))
            say(f"strong_efficiency_{name}_{ranks}", f"{in_turn:.3f} to {at_once:.3f}")
        for ranks in STRONG:
            in_turn, at_once = (step_seconds(network, machine, link, whole(args.parts), ranks, way) for way in (False, True))
            say(f"strong_step_ms_{name}_{ranks}", f"{1e3 * in_turn:.2f} to {1e3 * at_once:.2f}")
            gains = [100 * overlap_seconds(network, link, whole(args.parts), ranks, way) / step_seconds(network, machine, link, whole(args.parts), ranks, way)
                     for way in (False, True)]
            say(f"strong_most_that_overlap_gains_percent_{name}_{ranks}", f"{min(gains):.2f} to {max(gains):.2f}")
        for ranks in WEAK:
            in_turn, at_once = (weak_efficiency(network, machine, link, args.weak_parts, ranks, way) for way in (False, True))
            say(f"weak_efficiency_{name}_{ranks}", f"{in_turn:.3f} to {at_once:.3f}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", help="amacrine, to measure what a part and a step take")
    parser.add_argument("--folder", default="build/benchmark/scaling", help="where the measured trainings lie")
    parser.add_argument("--part-ms", type=float, help="ms of a part of 16 windows on one rank, instead of measuring it")
    parser.add_argument("--serial-ms", type=float, help="ms of a step that every rank does by itself, instead of measuring it")
    parser.add_argument("--copies-gb", type=float, default=8.0, help="GB/s of a copy in a rank's memory")
    parser.add_argument("--link", action="append", default=[], metavar="NAME=MICROSECONDS,GB_PER_S", help="a network of one's own, instead of both assumed ones")
    parser.add_argument("--norm", choices=["per_channel", "per_unit", "none"], default="per_channel")
    parser.add_argument("--cells", type=int, default=7)
    parser.add_argument("--parts", type=int, default=32, help="parts of a batch in strong scaling")
    parser.add_argument("--weak-parts", type=int, default=4, help="parts of each rank in weak scaling")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--windows", type=int, default=2048, help="windows of a measured epoch, at least")
    parser.add_argument("--measured-parts", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32])
    parser.add_argument("--figure", default=str(HERE.parents[1] / "docs" / "scaling.svg"))
    args = parser.parse_args()
    if args.program is None and (args.part_ms is None or args.serial_ms is None):
        parser.error("give --program, to measure what a rank computes, or both --part-ms and --serial-ms")
    if args.part_ms is not None and not args.part_ms > 0 or args.serial_ms is not None and not args.serial_ms >= 0:
        parser.error("--part-ms must be above 0, and --serial-ms 0 or more")
    if args.program is not None and len(set(args.measured_parts)) < 2:
        parser.error("--measured-parts needs two different numbers of parts or more, for a line through them")
    return args


def link_of(text):
    """("name", Link) from NAME=MICROSECONDS,GB_PER_S."""
    try:
        name, values = text.split("=")
        latency, bandwidth = (float(value) for value in values.split(","))
    except ValueError:
        raise SystemExit(f"--link {text}: expected NAME=MICROSECONDS,GB_PER_S, such as --link ours=1.5,25") from None
    return name, Link(1e-6 * latency, 1e9 * bandwidth)


def main():
    args = arguments()
    links = dict(link_of(text) for text in args.link) or LINKS
    if args.part_ms is not None and args.serial_ms is not None:
        part, serial = 1e-3 * args.part_ms, 1e-3 * args.serial_ms
    else:
        part, serial = measure(args)
    network, machine = Network(cells=args.cells, norm=args.norm), Machine(part, serial, 1e9 * args.copies_gb)
    say("part_ms", f"{1e3 * part:.3f}")
    say("serial_ms", f"{1e3 * serial:.3f}")
    say_counts(network, args.parts)
    say_efficiencies(network, machine, links, args)
    draw_scaling.draw(network, machine, links, args.parts, args.weak_parts, args.figure)
    say("figure", args.figure)


if __name__ == "__main__":
    main()
