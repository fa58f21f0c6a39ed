#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether `amacrine fit` finds the mechanisms of simulated cells. See run.sh for what is run and docs/circuits.md for the circuits.
    truth.py run [--seeds N] [--minutes M] [--together|--alone] [--folder F] [--program P] [CIRCUIT|FILE.toml ...]
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
import tomllib

import h5py
import numpy as np

LAGS, FRAME_MS = 40, 10.0  # memory of a circuit, frames
LIKE = 0.5  # a unit is found where the |cosine| of its filter and that of its pathway is at least this
FILTER, PLACE_PX, RATE = 0.9, 0.5, 0.98  # bars of the claims
REFUSED = 4  # exit code: another study's output is in the way
SKIPPED = 40  # frames of the test part before which there is no prediction


class Failure(Exception):
    """For people: what went wrong and what to do."""


# The program's own circuits without a state, in the order in which they are given places.
OWN = ("osr", "osr_alt", "latency", "reversal", "anticipation", "no_phenomenon", "three_in_one", "two_layers")
STATELESS = ("feed_forward", "two_layers")
CIRCUIT_FILES = pathlib.Path(__file__).resolve().parents[2] / "circuits"
PLACES = [(y, x) for y in (20.5, 24.5, 28.5) for x in (20.5, 24.5, 28.5)]


# What was planted. A unit is a table [simulation.circuits.CIRCUIT.units.NAME] (docs/circuits.md).

def circuits_of(toml, place):
    """The tables of circuits of a TOML text, by name."""
    try:
        circuits = tomllib.loads(toml)["simulation"]["circuits"]
        if all(isinstance(each["kind"], str) and isinstance(each["units"], dict) for each in circuits.values()):
            return circuits
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise Failure(f"{place}: expected tables [simulation.circuits.NAME] with their kind and units; not found: {error}") from error
    raise Failure(f"{place}: a table [simulation.circuits.NAME] lacks its kind or its units")


def circuits_of_file(path):
    try:
        return circuits_of(pathlib.Path(path).read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{path} cannot be read ({error}); write the path of a TOML file of circuits") from error


def circuits_recorded(recording):
    """Those a recording was made with; files older than the attribute have the program's own."""
    if "circuit_definitions" in recording.attrs:
        return circuits_of(text(recording.attrs["circuit_definitions"]), recording.filename)
    return {name: circuit for path in sorted(CIRCUIT_FILES.glob("*.toml")) for name, circuit in circuits_of_file(path).items()}


def bump(t_ms, order, peak_ms):
    """(t / p)^n exp(n (1 - t / p))."""
    x = t_ms / peak_ms
    return x**order * np.exp(order * (1 - x))


def temporal(unit, polarity):
    """(40) most recent lag first; absolute values sum to 1."""
    t_ms = FRAME_MS * np.arange(LAGS)
    kernel = bump(t_ms, unit["order"], unit["peak_ms"])
    if unit.get("undershoot", 0):
        kernel = kernel - unit["undershoot"] * bump(t_ms, unit["undershoot_order"], unit["undershoot_peak_ms"])
    return polarity * kernel / np.abs(kernel).sum()


def spatial(unit, y_px, x_px, centre):
    """(Y, X) at offsets from the cell's centre. It sums to one where there is no surround."""
    dy, dx = unit.get("dy_px", 0.0), unit.get("dx_px", 0.0)

    def gaussian(sigma):
        values = np.exp(-((y_px[:, None] - dy)**2 + (x_px[None, :] - dx)**2) / (2 * sigma**2))
        return values / values.sum()
    kernel = gaussian(unit["sigma_px"])
    if unit.get("surround", 0):
        kernel = kernel - unit["surround"] * gaussian(unit["surround_sigma_px"])
    window = unit.get("window_px", 0)
    if not window:
        return kernel

    def kept(offsets, middle, of):
        first = math.floor(of) - window // 2
        return (offsets + middle >= first) & (offsets + middle < first + window)
    kernel = kernel * kept(y_px, centre[0], centre[0] + dy)[:, None] * kept(x_px, centre[1], centre[1] + dx)[None, :]
    return kernel / kernel.sum()


@dataclasses.dataclass
class Planted:
    """A unit as the fit would describe it: absolute values of its time course and of its profile sum to 1."""
    name: str
    sign: int
    polarity: int
    dy: float
    dx: float
    weight: float
    course: np.ndarray
    profile: np.ndarray


def planted_units(recording, n, circuit, axes):
    """The units of cell n, whose circuit that is, on the axes of the found filters (lag in ms, y and x from the cell's centre in px)."""
    centre = recording["simulated/centre_y"][n], recording["simulated/centre_x"][n]
    found = []
    for u in np.flatnonzero(recording["simulated/unit_cell"][:] == n):
        name = text(recording["unit"][u]).rsplit("/", 1)[-1]
        if name not in circuit["units"]:
            raise Failure(f"{recording.filename}: unit '{name}' is none of its circuit's: {', '.join(circuit['units'])}")
        sign, polarity = (int(recording["simulated/unit_" + key][u]) for key in ("sign", "polarity"))
        unit = circuit["units"][name]
        course, profile = on_lags(temporal(unit, polarity), axes[0]), spatial(unit, axes[1], axes[2], centre)
        size = np.abs(profile).sum()
        found.append(Planted(name, sign, polarity, unit.get("dy_px", 0.0), unit.get("dx_px", 0.0), unit.get("weight_hz", sign) * size, course,
                             profile / size))
    return found


def on_lags(course, lags_ms):
    at = np.rint(lags_ms / FRAME_MS).astype(int)
    return np.where(at < LAGS, course[np.minimum(at, LAGS - 1)], 0.0)


# What was found, and how it compares.

@dataclasses.dataclass
class Comparison:
    """A cell's figures. Lists have an entry for each planted unit, in their order."""
    circuit: str
    layers: int = 1
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
        if self.layers == 2:
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
    result.place_px.append(math.hypot(y - unit.dy, x - unit.dx))
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


def compare_cell(recording, pathways, n, name, circuit, found_at):
    axes = [pathways[key][:] for key in ("lag", "profile_y", "profile_x")]
    result = Comparison(name, 2 if circuit["kind"] == "two_layers" else 1, int(pathways["pathways"][found_at]),
                        units=planted_units(recording, n, circuit, axes))
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
    circuits, results = circuits_recorded(recording), []
    for found_at, cell in enumerate(text(each) for each in pathways["cell"][:]):
        if cell not in cells:
            raise Failure(f"{pathways.filename}: cell '{cell}' is none of the recording's: {', '.join(cells)}; fit this recording")
        n, name = cells[cell]
        if name not in circuits:
            say(f"{cell} is left out: the recording does not say what its circuit {name} is")
        elif circuits[name]["kind"] not in STATELESS:
            say(f"{cell} is left out: its circuit {name} has a state")
        else:
            results.append(compare_cell(recording, pathways, n, name, circuits[name], found_at))
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
    planted = [f"{unit.weight:.0f}" for unit in results[0].units] if results[0].layers == 1 else ["-"]
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
    names = sorted(dict.fromkeys(each.circuit for each in results), key=lambda name: OWN.index(name) if name in OWN else len(OWN))
    by_circuit = {name: [each for each in results if each.circuit == name] for name in names}
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

@dataclasses.dataclass(frozen=True)
class Asked:
    """A circuit to simulate, and its file where it is not the program's own."""
    name: str
    file: str = ""


def study_text(circuits, seed, minutes, folder):
    files = sorted({each.file for each in circuits if each.file})
    text_of = [f'[study]\nname = "truth"\noutput = {json.dumps(str(folder))}\n', f"[simulation]\nseed = {seed}\ntrain_minutes = {minutes}\n"]
    if files:
        text_of.append(f"circuit_files = {json.dumps(files)}\n")
    others = [each for each in circuits if each.name not in OWN]
    for each in circuits:
        place = OWN.index(each.name) if each.name in OWN else len(OWN) + others.index(each)
        y, x = PLACES[(place + seed) % len(PLACES)]
        text_of.append(f"[simulation.cells.{each.name}]\ny = {y}\nx = {x}\n")
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
        say(f"seed {seed}: {verb} {' '.join(each.name for each in circuits)}")
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
                with folder_of(args, "-".join([f"seed{seed}", *(each.name for each in group if args.alone)])) as folder:
                    results += run_one(args, group, seed, folder)
    finally:
        # What was compared before a command failed is worth its hours.
        if results:
            print(report(results), flush=True)


def compare(args):
    results = [each for folder in args.folders for each in compare_folder(folder)]
    if not results:
        raise Failure(f"no cell of {', '.join(args.folders)} is a circuit without a state, which alone can be compared")
    print(report(results))


def circuits_asked(word):
    """The circuits that an argument names: one of the program's own, or those of a TOML file."""
    if word.endswith(".toml"):
        path = pathlib.Path(word).resolve()
        try:
            circuits = circuits_of_file(path)
        except Failure as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        kept = [Asked(name, str(path)) for name, circuit in circuits.items() if circuit["kind"] in STATELESS]
        if not kept:
            raise argparse.ArgumentTypeError(f"every circuit of {word} has a state, which no pathway has; none can be compared")
        return kept
    if word not in OWN:
        known = (CIRCUIT_FILES / f"{word}.toml").is_file()
        raise argparse.ArgumentTypeError(f"the circuit {word} has a state, which no pathway has; it cannot be compared" if known
                                         else f"there is no circuit '{word}'; there are {', '.join(OWN)}, and those of files NAME.toml")
    return [Asked(word)]


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
    running.add_argument("circuits", nargs="*", type=circuits_asked, metavar="CIRCUIT",
                         help="one of the program's own, or FILE.toml: those of the file (default: all of its own without a state)")
    comparing = verbs.add_parser("compare", help="compare what is there already")
    comparing.set_defaults(act=compare)
    comparing.add_argument("folders", nargs="+", metavar="FOLDER")
    args = parser.parse_args(words)
    if args.act is run:
        args.circuits = list(dict.fromkeys(each for asked in args.circuits for each in asked)) or [Asked(name) for name in OWN]
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
