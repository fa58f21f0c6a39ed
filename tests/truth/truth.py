#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether `amacrine fit` finds the mechanisms of simulated cells. See run.sh for what is run and docs/circuits.md for the circuits.
    truth.py run [--seeds N] [--minutes M] [--together|--alone] [--folder F] [--program P] [CIRCUIT ...]
    truth.py compare FOLDER ...          folders with a recording.h5 and a pathways.h5 that are there already
Prints lines "truth CIRCUIT CLAIM HITS OF", summed over the recordings, and a table of the figures behind them."""
import argparse
import contextlib
import dataclasses
import functools
import json
import math
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile

import h5py
import numpy as np

LAGS, FRAME_MS = 40, 10.0  # memory of a circuit, frames
LIKE = 0.5  # a unit is found where the |cosine| of its filter and that of its pathway is at least this
FILTER, PLACE_PX, RATE = 0.9, 0.5, 0.98  # bars of the claims
REFUSED = 4  # exit code: another study's output is in the way
SKIPPED = 40  # frames of the test part before which there is no prediction


class Failure(Exception):
    """For people: what went wrong and what to do."""


@dataclasses.dataclass(frozen=True)
class Unit:
    """An interneuron of src/recording/circuit.cpp; its sign, polarity and displacement are in the recording."""
    weight: float
    first: tuple  # order and peak (ms) of the first bump
    second: tuple
    rho: float
    sigma: float
    kappa: float = 0.0
    surround: float = 1.0
    window: int = 0


NONE = (1.0, 100.0)
SUBUNIT = Unit(142.0, (1.59, 140.0), (9.0, 300.0), 0.6, 0.9, kappa=0.9, surround=3.0)
EXCITER = Unit(1.0, (1.75, 112.0), (5.9, 160.0), 0.62, 1.2, window=15)
INHIBITOR = Unit(-1.0, (7.1, 104.5), (3.35, 294.0), 0.40, 1.6, window=15)
CIRCUITS = {
    "osr": {"OFF_inh": Unit(-478.0, (2.0, 110.0), (9.0, 232.6), 0.998, 1.6),
            "ON_slow": Unit(99.0, (3.55, 92.2), (9.0, 138.3), 1.0, 1.6),
            "ON_fast": Unit(141.9, (9.0, 47.4), (4.54, 71.1), 0.94, 1.6)},
    "osr_alt": {"OFF_inh": Unit(-393.0, (2.0, 58.2), (9.0, 223.6), 0.304, 1.6),
                "ON_slow": Unit(122.0, (9.0, 67.4), (9.0, 156.6), 0.464, 1.6),
                "ON_fast": Unit(178.0, (9.0, 40.0), (4.05, 60.0), 1.0, 1.6)},
    "latency": {"OFF_exc": Unit(262.0, (4.0, 110.0), NONE, 0.0, 1.6),
                "ON_inh": Unit(-465.0, (9.0, 35.0), (2.63, 148.0), 1.40, 1.6)},
    "reversal": {f"S{i}": SUBUNIT for i in range(5)},
    "anticipation": {"OFF_exc": Unit(103.2, (3.44, 65.5), (5.43, 124.4), 0.312, 2.0),
                     "OFF_inh_wide": Unit(-1000.0, (7.33, 135.5), NONE, 0.0, 3.0)},
    "no_phenomenon": {"ON": Unit(110.0, (4.0, 60.0), (5.0, 120.0), 0.4, 1.8)},
    "three_in_one": {"ON_inh": Unit(-670.0, (2.3, 108.0), (8.5, 200.0), 0.78, 1.55),
                     "OFF_slow": Unit(61.0, (1.85, 97.0), (8.6, 214.0), 1.10, 2.35),
                     "OFF_fast": Unit(93.0, (7.6, 35.0), (5.4, 77.5), 1.07, 2.35)},
    "two_layers": {"E_left": EXCITER, "E_right": EXCITER, "I_left": INHIBITOR, "I_right": INHIBITOR},
}
WITH_A_STATE = ("osr_depressing", "anticipation_gain_control")
PLACES = [(y, x) for y in (20.5, 24.5, 28.5) for x in (20.5, 24.5, 28.5)]


# What was planted.

def bump(t_ms, order, peak_ms):
    """(t / p)^n exp(n (1 - t / p))."""
    x = t_ms / peak_ms
    return x**order * np.exp(order * (1 - x))


def temporal(unit, polarity):
    """(40) most recent lag first; absolute values sum to 1."""
    t_ms = FRAME_MS * np.arange(LAGS)
    kernel = bump(t_ms, *unit.first) - unit.rho * bump(t_ms, *unit.second)
    return polarity * kernel / np.abs(kernel).sum()


def spatial(unit, dx, y_px, x_px, centre):
    """(Y, X) at offsets from the cell's centre. It sums to one where there is no surround."""
    def gaussian(sigma):
        values = np.exp(-(y_px[:, None]**2 + (x_px[None, :] - dx)**2) / (2 * sigma**2))
        return values / values.sum()
    kernel = gaussian(unit.sigma) - unit.kappa * gaussian(unit.surround)
    if not unit.window:
        return kernel
    def kept(offsets, middle, of):
        first = math.floor(of) - unit.window // 2
        return (offsets + middle >= first) & (offsets + middle < first + unit.window)
    kernel = kernel * kept(y_px, centre[0], centre[0])[:, None] * kept(x_px, centre[1], centre[1] + dx)[None, :]
    return kernel / kernel.sum()


@dataclasses.dataclass
class Planted:
    """A unit as the fit would describe it: absolute values of its time course and of its profile sum to 1."""
    name: str
    sign: int
    polarity: int
    dx: float
    weight: float
    course: np.ndarray
    profile: np.ndarray


def planted_units(recording, n, circuit, axes):
    """The units of cell n on the axes of the found filters (lag in ms, y and x from the cell's centre in px)."""
    centre = recording["simulated/centre_y"][n], recording["simulated/centre_x"][n]
    found = []
    for u in np.flatnonzero(recording["simulated/unit_cell"][:] == n):
        name = text(recording["unit"][u]).rsplit("/", 1)[-1]
        if name not in CIRCUITS[circuit]:
            raise Failure(f"{recording.filename}: unit '{name}' is none of the circuit {circuit}'s in truth.py: {', '.join(CIRCUITS[circuit])}")
        sign, polarity, dx = (recording["simulated/unit_" + key][u] for key in ("sign", "polarity", "dx"))
        unit = CIRCUITS[circuit][name]
        course, profile = on_lags(temporal(unit, polarity), axes[0]), spatial(unit, dx, axes[1], axes[2], centre)
        size = np.abs(profile).sum()
        found.append(Planted(name, int(sign), int(polarity), float(dx), unit.weight * size, course, profile / size))
    return found


def on_lags(course, lags_ms):
    at = np.rint(lags_ms / FRAME_MS).astype(int)
    return np.where(at < LAGS, course[np.minimum(at, LAGS - 1)], 0.0)


# What was found, and how it compares.

@dataclasses.dataclass
class Comparison:
    """A cell's figures. Lists have an entry for each planted unit, in their order."""
    circuit: str
    number: int = -1  # of pathways found; -1: not fitted
    r: float = math.nan
    spurious_small: bool = False  # no pathway without a unit moves the rate more than one with a unit does
    units: list = dataclasses.field(default_factory=list)  # Planted
    cosine: list = dataclasses.field(default_factory=list)
    sign: list = dataclasses.field(default_factory=list)
    polarity: list = dataclasses.field(default_factory=list)
    place_px: list = dataclasses.field(default_factory=list)
    weight: list = dataclasses.field(default_factory=list)

    def claims(self):
        """What holds. A value that is not a number meets no bar."""
        if self.circuit == "two_layers":
            return {"refused": bool(self.r < RATE)}
        return {"number": self.number == len(self.units),
                "sign": all(self.sign) and self.spurious_small,
                "polarity": all(self.polarity) and self.spurious_small,
                "filter": all(c >= FILTER for c in self.cosine),
                "place": all(d <= PLACE_PX for d in self.place_px),
                "rate": bool(self.r >= RATE)}


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def cosine(a, b):
    norm = math.sqrt(float(np.vdot(a, a)) * float(np.vdot(b, b)))
    return float(np.vdot(a, b)) / norm if norm != 0 else 0.0


def assigned(likeness):
    """For each row a column of its own, or None where there are too few columns, such that the sum of the chosen values is largest."""
    rows, columns = likeness.shape
    values = np.nan_to_num(likeness)

    @functools.lru_cache(maxsize=None)
    def best(row, taken):
        if row == rows:
            return 0.0, ()
        choices = [(values[row, c], c) for c in range(columns) if not taken >> c & 1]
        if columns < rows:
            choices.append((0.0, None))
        tails = [(value, c, best(row + 1, taken if c is None else taken | 1 << c)) for value, c in choices]
        value, c, (rest, columns_of_rest) = max(tails, key=lambda each: each[0] + each[2][0])
        return value + rest, (c, *columns_of_rest)
    return best(0, 0)[1]


def pearson(a, b):
    a, b = (np.asarray(values, float)[SKIPPED:] for values in (a, b))
    return cosine(a - a.mean(), b - b.mean())


def compare_unit(unit, found, n, k, result):
    """Adds what pathway k of cell n says of a unit; k None: there is none."""
    like = math.nan if k is None else cosine(unit.course, found["time_course"][n, k]) * cosine(unit.profile, found["profile"][n, k])
    result.cosine.append(0.0 if k is None else like)
    matched = abs(like) >= LIKE
    weight, polarity, y, x = (found[key][n, k] if matched else math.nan for key in ("weight", "polarity", "offset_y", "offset_x"))
    result.sign.append(bool(np.sign(weight) == unit.sign))
    result.polarity.append(bool(polarity == unit.polarity))
    result.place_px.append(math.hypot(y, x - unit.dx))
    result.weight.append(float(weight))
    return matched


def compare_pathways(found, n, result):
    number = max(result.number, 0)
    likeness = np.array([[abs(cosine(unit.course, found["time_course"][n, k]) * cosine(unit.profile, found["profile"][n, k]))
                          for k in range(number)] for unit in result.units]).reshape(len(result.units), number)
    matched = [k for unit, k in zip(result.units, assigned(likeness)) if compare_unit(unit, found, n, k, result)]
    spread = found["spread"][n, :number]
    least = min((spread[k] if spread[k] == spread[k] else -math.inf for k in matched), default=math.inf)
    result.spurious_small = bool(all(spread[k] <= least for k in range(number) if k not in matched))


def compare_cell(recording, pathways, n, circuit, found_at):
    axes = [pathways[name][:] for name in ("lag", "profile_y", "profile_x")]
    result = Comparison(circuit, int(pathways["pathways"][found_at]), units=planted_units(recording, n, circuit, axes))
    compare_pathways(pathways, found_at, result)
    rate, predicted = recording["simulated/test/rate"][n], pathways["rate"][found_at]
    if rate.shape != predicted.shape:
        raise Failure(f"{pathways.filename}: {predicted.size} frames are predicted, but the recording has {rate.size}; fit it again")
    result.r = pearson(rate, predicted)
    return result


@contextlib.contextmanager
def opened(path, made_by):
    if not path.is_file():
        raise Failure(f"{path} is not there; make it with `amacrine {made_by}`")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise Failure(f"{path} cannot be read ({error}); if `amacrine {made_by}` still runs, wait until it has finished") from error
    with file:
        if file.attrs.get("complete", 0) != 1:
            raise Failure(f"{path} is not complete; run `amacrine {made_by}` again, or wait until it has finished")
        yield file


def compare_folder(folder):
    """The comparisons of a folder's cells that are circuits without a state."""
    folder = pathlib.Path(folder)
    with opened(folder / "recording.h5", "simulate") as recording, opened(folder / "pathways.h5", "fit") as pathways:
        if "simulated" not in recording:
            raise Failure(f"{recording.filename}: not a recording of simulated cells, so nothing is known that could be compared")
        try:
            cells, circuits = [text(name) for name in recording["cell"][:]], text(recording.attrs["circuits"]).split(",")
            return compare_cells(recording, pathways, dict(zip(cells, enumerate(circuits))))
        except KeyError as error:
            raise Failure(f"{folder}: recording.h5 or pathways.h5 lacks what is compared: {error}") from error


def compare_cells(recording, pathways, cells):
    results = []
    for found_at, name in enumerate(text(each) for each in pathways["cell"][:]):
        if name not in cells:
            raise Failure(f"{pathways.filename}: cell '{name}' is none of the recording's: {', '.join(cells)}; fit this recording")
        n, circuit = cells[name]
        if circuit in CIRCUITS:
            results.append(compare_cell(recording, pathways, n, circuit, found_at))
        else:
            say(f"{name} is left out: the circuit {circuit} has a state, or is none that truth.py knows")
    return results


# The report.

def say(message):
    print(f"truth: {message}", file=sys.stderr, flush=True)


def median(values, worst, digits):
    """Values that are none count as the worst."""
    middle = statistics.median(worst if value != value else value for value in values)
    return f"{middle:.{digits}f}" if math.isfinite(middle) else "-"


def known_median(values):
    known = [value for value in values if value == value]
    return f"{statistics.median(known):.0f}" if known else "-"


def row(circuit, results):
    planted = [f"{unit.weight:.0f}" for unit in results[0].units] if circuit != "two_layers" else ["-"]
    found = [known_median(each.weight[u] for each in results) for u in range(len(results[0].units))]
    cells = [circuit, str(len(results)), median([each.r for each in results], -math.inf, 4),
             str(len(results[0].units)), median([each.number for each in results], -math.inf, 1).removesuffix(".0"),
             median([smallest(each.cosine) for each in results], -math.inf, 3),
             median([largest(each.place_px) for each in results], math.inf, 2), ", ".join(planted), ", ".join(found)]
    return f"| {' | '.join(cells)} |"


def smallest(values):
    return min(values) if all(value == value for value in values) else math.nan


def largest(values):
    return max(values) if all(value == value for value in values) else math.nan


def report(results):
    """Lines of the claims, and the table."""
    by_circuit = {circuit: [each for each in results if each.circuit == circuit] for circuit in CIRCUITS}
    by_circuit = {circuit: those for circuit, those in by_circuit.items() if those}
    lines = []
    for circuit, those in by_circuit.items():
        claims = [each.claims() for each in those]
        lines += [f"truth {circuit} {claim} {sum(each[claim] for each in claims)} {len(those)}" for claim in claims[0]]
    lines += ["", "| circuit | seeds | r with the true rate | units planted | pathways found | smallest filter correlation | largest place error (px) "
              "| weights planted (Hz) | weights found (Hz) |", "|---|---|---|---|---|---|---|---|---|"]
    lines += [row(circuit, those) for circuit, those in by_circuit.items()]
    lines += ["", "Medians over the seeds. A dash: none, or a unit that no pathway is like; weights found are in the order of those planted."]
    return "\n".join(lines)


# Simulating and fitting.

def study_text(circuits, seed, minutes, folder):
    text_of = [f'[study]\nname = "truth"\noutput = {json.dumps(str(folder))}\n', f"[simulation]\nseed = {seed}\ntrain_minutes = {minutes}\n"]
    for circuit in circuits:
        y, x = PLACES[(list(CIRCUITS).index(circuit) + seed) % len(PLACES)]
        text_of.append(f"[simulation.cells.{circuit}]\ny = {y}\nx = {x}\n")
    return "".join(text_of)


def run_verb(program, verb, folder):
    log = folder / f"{verb}.log"
    with open(log, "w", encoding="utf-8") as stream:
        try:
            code = subprocess.run([program, verb, str(folder / "study.toml")], stdout=stream, stderr=subprocess.STDOUT, check=False).returncode
        except OSError as error:
            raise Failure(f"{program} cannot be run ({error}); build it, or name it with --program or AMACRINE_PROGRAM") from error
    if code != 0:
        advice = "\nanother --folder keeps what is there" if code == REFUSED else ""
        raise Failure(f"`amacrine {verb}` in {folder} ended with {code}:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:].rstrip()}{advice}")


def run_one(args, circuits, seed, folder):
    """Simulates, fits and compares one recording."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(study_text(circuits, seed, args.minutes, folder), encoding="utf-8")
    for verb in ("simulate", "fit"):
        say(f"seed {seed}: {verb} {' '.join(circuits)}")
        run_verb(args.program, verb, folder)
    results = compare_folder(folder)
    for each in results:
        say(f"seed {seed}: {each.circuit}: " + ", ".join(f"{claim} {'yes' if holds else 'no'}" for claim, holds in each.claims().items()))
    return results


@contextlib.contextmanager
def folder_of(args, name):
    """Kept where a folder is named; else removed after the comparison."""
    if args.folder:
        yield pathlib.Path(args.folder).resolve() / name
        return
    with tempfile.TemporaryDirectory(prefix="amacrine-truth-") as made:
        yield pathlib.Path(made) / name


def run(args):
    groups = [[circuit] for circuit in args.circuits] if args.alone else [args.circuits]
    results = []
    try:
        for seed in range(1, args.seeds + 1):
            for group in groups:
                with folder_of(args, "-".join([f"seed{seed}", *(group if args.alone else [])])) as folder:
                    results += run_one(args, group, seed, folder)
    finally:
        # What was compared before a command failed is worth its hours.
        if results:
            print(report(results), flush=True)


def compare(args):
    results = [each for folder in args.folders for each in compare_folder(folder)]
    if not results:
        raise Failure(f"no cell of {', '.join(args.folders)} is a circuit that can be compared: {', '.join(CIRCUITS)}")
    print(report(results))


def circuit_of(word):
    if word in WITH_A_STATE:
        raise argparse.ArgumentTypeError(f"the circuit {word} has a state, which no pathway has; it cannot be compared")
    if word not in CIRCUITS:
        raise argparse.ArgumentTypeError(f"there is no circuit '{word}'; there are {', '.join(CIRCUITS)}")
    return word


def above_zero(kind):
    def read(word):
        try:
            value = kind(word)
        except ValueError:
            value = 0
        if not 0 < value < math.inf:
            raise argparse.ArgumentTypeError(f"'{word}' is not a{' whole' if kind is int else ''} number above 0")
        return value
    return read


def arguments(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True, metavar="run|compare")
    running = verbs.add_parser("run", help="simulate, fit and compare")
    running.set_defaults(act=run)
    running.add_argument("--seeds", type=above_zero(int), default=1, metavar="N", help="recordings, seeds 1 to N (default 1)")
    running.add_argument("--minutes", type=above_zero(float), default=40.0, metavar="M", help="of natural stimuli that are fitted (default 40)")
    how = running.add_mutually_exclusive_group()
    how.add_argument("--together", dest="alone", action="store_false", default=False, help="one recording a seed holds all circuits (the default)")
    how.add_argument("--alone", action="store_true", help="a recording of its own for each circuit")
    running.add_argument("--folder", metavar="F", help="keep recordings and fits there; what is finished there is not made again")
    running.add_argument("--program", metavar="P", default=os.environ.get("AMACRINE_PROGRAM", "amacrine"), help="the program amacrine")
    running.add_argument("circuits", nargs="*", type=circuit_of, metavar="CIRCUIT", help="default: all without a state")
    comparing = verbs.add_parser("compare", help="compare what is there already")
    comparing.set_defaults(act=compare)
    comparing.add_argument("folders", nargs="+", metavar="FOLDER")
    args = parser.parse_args(words)
    if args.act is run:
        args.circuits = list(dict.fromkeys(args.circuits)) or list(CIRCUITS)
    return args


def main(words):
    args = arguments(words)
    # So that the running command is ended and folders are removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("error: stopped"))
    try:
        args.act(args)
    except Failure as error:
        raise SystemExit(f"error: {error}") from error
    except KeyboardInterrupt:
        raise SystemExit("error: stopped") from None


if __name__ == "__main__":
    main(sys.argv[1:])
