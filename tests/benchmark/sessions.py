# SPDX-License-Identifier: Apache-2.0
"""What one model of several recordings (docs/study/sessions.md) scores beside one model for each of them: simulated sessions of different
movies, cells and places, all trained with the same recipe. Prints a table and lines "sessions NAME VALUE"; r is with the simulated rate
on the test part, the mean over a session's cells."""
import argparse
import os
import pathlib
import statistics
import subprocess

import h5py

CIRCUITS = ["osr", "latency", "reversal", "anticipation"]
STUDY = """
[study]
name = "{name}"
output = "{folder}"
[training]
total_windows = {windows}
epoch_windows = {epoch}
ln = false
"""


def run(args, *words):
    log = pathlib.Path(args.folder) / "log.txt"
    with open(log, "a", encoding="utf-8") as stream:
        done = subprocess.run([args.program, *map(str, words)], stdout=stream, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, words))} ended with {done.returncode}; see {log}")


def place(session, cell):
    """y and x in pixels, other ones in every session."""
    return 19.5 + (5 * cell + 3 * session) % 11, 19.5 + (4 * cell + 7 * session) % 11


def write_studies(args):
    """A study for every session and the joint one; their files."""
    folder = pathlib.Path(args.folder)
    alone, joint = [], STUDY.format(name="joint", folder=folder / "joint", windows=args.windows, epoch=args.windows // 4)
    for session in range(args.sessions):
        windows = args.alone_windows or args.windows
        text = STUDY.format(name=f"alone{session}", folder=folder / f"alone{session}", windows=windows, epoch=windows // 4)
        text += f"[simulation]\nseed = {args.seed + session}\ntrain_minutes = {args.minutes}\ntest_seconds = 60\nrepeats = 10\n"
        for cell, circuit in enumerate(CIRCUITS):
            y, x = place(session, cell)
            text += f'[simulation.cells.{circuit}]\ny = {y}\nx = {x}\n'
        alone.append(folder / f"alone{session}.toml")
        alone[-1].write_text(text, encoding="utf-8")
        joint += f'[sessions.session{session}]\nfile = "{folder}/alone{session}/recording.h5"\n'
    (folder / "joint.toml").write_text(joint, encoding="utf-8")
    return alone, folder / "joint.toml"


def scores(folder):
    with h5py.File(pathlib.Path(folder) / "evaluation.h5") as file:
        models = [name.decode() for name in file["model"][:]]
        return list(file["score"][models.index("network")])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--minutes", type=float, nargs="+", default=[5.0, 20.0])
    parser.add_argument("--windows", type=int, default=204_800, help="of each session")
    parser.add_argument("--alone-windows", type=int, default=0, help="of a session trained alone; 0: as many as of each together")
    parser.add_argument("--seed", type=int, default=100)
    args = parser.parse_args()
    top, lengths = args.folder, args.minutes
    for minutes in lengths:
        args.minutes, args.folder = minutes, os.path.join(top, f"minutes{minutes:g}")
        os.makedirs(args.folder, exist_ok=True)
        alone, joint = write_studies(args)
        for study in alone:
            for verb in ("simulate", "train", "evaluate"):
                run(args, verb, study)
        for verb in ("train", "evaluate"):
            run(args, verb, joint)
        apart, together = [], []
        for session in range(args.sessions):
            one, all_of = scores(f"{args.folder}/alone{session}"), scores(f"{args.folder}/joint/sessions/session{session}")
            for circuit, a, b in zip(CIRCUITS, one, all_of):
                print(f"  {minutes:g} min, session {session}, {circuit:13} alone {a:.3f} joint {b:.3f}", flush=True)
            apart, together = apart + one, together + all_of
        print(f"sessions r_alone_{minutes:g}_min {statistics.mean(apart):.4f}")
        print(f"sessions r_joint_{minutes:g}_min {statistics.mean(together):.4f}")
        better = sum(b > a for a, b in zip(apart, together))
        print(f"sessions better_{minutes:g}_min {better} of {len(apart)} cells", flush=True)


main()
