# SPDX-License-Identifier: Apache-2.0
"""How training, attribution and sweeps become faster on more ranks of this machine, one thread each: see docs/benchmarks.md, ranks.
Prints lines "ranks NAME VALUE"; efficiencies are medians over rounds, in each of which every number of ranks takes its turn."""
import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import time

import h5py

HERE = pathlib.Path(__file__).resolve().parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_PROC_BIND": "false", "OMP_WAIT_POLICY": "passive"}


def say(name, value):
    print(f"ranks {name} {value}", flush=True)


def command(args, ranks, verb, folder, *overrides):
    launcher = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)]
    return [*launcher, args.program, verb, str(HERE / "ranks.toml"), f"study.output={folder}", f"recording.file={args.folder}/recording.h5", *overrides]


def read(path):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def memory_of(pids, movie_bytes):
    """Bytes of the proportional set sizes of the processes that still live, of the largest resident set, and of the proportional sizes of
    mappings that can hold the movie. Costs the processes time."""
    shared = largest = movie = 0
    for pid in pids:
        if not (whole := read(f"/proc/{pid}/smaps_rollup")):
            continue
        shared += int(re.search(r"^Pss:\s+(\d+)", whole, re.M)[1]) * 1024
        largest = max(largest, int(re.search(r"^Rss:\s+(\d+)", whole, re.M)[1]) * 1024)
        for size, proportional in re.findall(r"^Size:\s+(\d+) kB$.*?^Pss:\s+(\d+) kB$", read(f"/proc/{pid}/smaps"), re.M | re.S):
            movie += 1024 * int(proportional) if 1024 * int(size) >= movie_bytes else 0
    return shared, largest, movie


def writes_of(pids):
    """Write calls so far of the processes that still live."""
    return (sum(int((re.findall(r"^syscw: (\d+)", read(f"/proc/{pid}/io"), re.M) or [0])[0]) for pid in pids),)


def children(job):
    try:
        return [int(pid) for pid in pathlib.Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()]
    except OSError:
        return []


def run(args, ranks, verb, folder, *overrides, watch=None, threads=1):
    """Its log, and the largest of the figures that `watch` gives of its processes."""
    log = pathlib.Path(args.folder) / "log.txt"
    with open(log, "w", encoding="utf-8") as stream:
        job = subprocess.Popen(command(args, ranks, verb, folder, *overrides), stdout=stream, stderr=subprocess.STDOUT, env={**ENVIRONMENT, "OMP_NUM_THREADS": str(threads)})
        most = ()
        while job.poll() is None:
            if watch:
                now = watch(children(job))
                most = tuple(map(max, zip(most or now, now)))
            time.sleep(0.2)
    text = log.read_text(encoding="utf-8")
    if job.returncode != 0:
        raise SystemExit(f"{verb} on {ranks} ranks ended with {job.returncode}:\n{text[-2000:]}")
    return text, most


def training_rate(args, ranks, threads=1):
    """Windows per second of the second epoch's steps."""
    folder = pathlib.Path(args.folder) / "train"
    shutil.rmtree(folder, ignore_errors=True)
    run(args, ranks, "train", folder, threads=threads)
    rows = (folder / "curves.csv").read_text(encoding="utf-8").splitlines()
    return float(rows[-1].split(",")[rows[0].split(",").index("windows_per_second")])


def say_training_memory(args, ranks):
    folder = pathlib.Path(args.folder) / "watched"
    shutil.rmtree(folder, ignore_errors=True)
    _, (shared, largest, movie) = run(args, ranks, "train", folder, "training.total_windows=20480", "training.epoch_windows=10240", watch=lambda pids: memory_of(pids, args.movie_bytes))
    say(f"training_memory_of_all_mb_{ranks}", round(shared / 1e6))
    say(f"training_memory_of_one_mb_{ranks}", round(largest / 1e6))
    say(f"training_movies_in_memory_{ranks}", f"{movie / args.movie_bytes:.2f}")


def seconds_of(text):
    """What human_seconds wrote."""
    units = {"h": 3600, "min": 60, "s": 1}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+) (h|min|s)\b", text))


def attribution_rate(args, ranks):
    """Blocks per second, and the share of the time in which ranks worked (of one rank, all of it)."""
    folder = pathlib.Path(args.folder) / "attribute"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.link(f"{args.folder}/train/model.h5", folder / "model.h5")
    text, (writes,) = run(args, ranks, "attribute", folder, watch=writes_of)
    say(f"attribution_write_calls_{ranks}", writes)
    blocks = took = 0
    for done in re.finditer(r"attribute: \d+ of (\d+) blocks .* took ([^\n,]+)", text):
        blocks, took = blocks + int(done[1]), took + seconds_of(done[2])
    busy = re.findall(r"ranks worked (\d+) % of", text)
    if not took > 0:
        raise SystemExit(f"attribute on {ranks} ranks says nothing of how long its blocks took:\n{text[-2000:]}")
    return blocks / took, min(map(int, busy), default=100)


def sweep_rate(args, ranks):
    """Trials per second between the first and the last, and the utilisation."""
    folder = pathlib.Path(args.folder) / "sweep"
    shutil.rmtree(folder, ignore_errors=True)
    text, _ = run(args, ranks, "sweep", folder)
    with h5py.File(folder / "sweep.h5") as file:
        span = file["task_end"][:].max() - file["task_begin"][:].min()
        trials = file["task_trial"].shape[0]
    return trials / span, float(re.search(r"training in (\d+) % of the time", text)[1]), (folder / "sweep.journal").stat().st_size


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 2])
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    if not os.path.exists(f"{args.folder}/recording.h5"):
        subprocess.run([args.program, "simulate", str(HERE / "ranks.toml"), f"study.output={args.folder}"], check=True, env=ENVIRONMENT)
    with h5py.File(f"{args.folder}/recording.h5") as file:
        args.movie_bytes = file["train/stimulus"].nbytes
    rates = {what: {ranks: [] for ranks in args.sizes} for what in ("training", "attribution", "sweep")}
    for ranks in args.sizes:
        say_training_memory(args, ranks)
    for _ in range(args.rounds):
        for ranks in args.sizes:
            rate = training_rate(args, ranks)
            rates["training"][ranks].append(rate)
            if ranks > args.sizes[0]:
                say(f"training_per_second_1_rank_{ranks}_threads_now", f"{training_rate(args, 1, ranks):.4g}")
            say(f"training_per_second_{ranks}_now", f"{rate:.4g}")
        for ranks in args.sizes:
            rate, busy = attribution_rate(args, ranks)
            rates["attribution"][ranks].append(rate)
            say(f"attribution_per_second_{ranks}_now", f"{rate:.4g}")
            say(f"attribution_busy_percent_{ranks}", busy)
        for ranks in args.sizes:
            rate, busy, journal = sweep_rate(args, ranks)
            rates["sweep"][ranks].append(rate)
            say(f"sweep_per_second_{ranks}_now", f"{rate:.4g}")
            say(f"sweep_busy_percent_{ranks}", round(busy))
            say(f"sweep_journal_bytes_{ranks}", journal)
    first = args.sizes[0]
    for what, by_ranks in rates.items():
        for ranks in args.sizes:
            say(f"{what}_per_second_{ranks}", f"{statistics.median(by_ranks[ranks]):.4g}")
        for ranks in args.sizes[1:]:
            each = [b * first / (a * ranks) for a, b in zip(by_ranks[first], by_ranks[ranks])]
            say(f"{what}_efficiency_{first}_to_{ranks}", f"{statistics.median(each):.3f} ({min(each):.3f} to {max(each):.3f})")


main()
