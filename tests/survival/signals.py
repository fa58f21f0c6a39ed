#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""signals.py AMACRINE MPIEXEC STUDY FORM SEED: disturbs every verb in the current folder; see signals.sh."""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import h5py
import numpy as np

amacrine, mpiexec, study, form, seed = sys.argv[1:]
random.seed(int(seed))
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup a run would ignore it, and rightly so
stops = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1]
# What each verb makes. All of them need what stands above them.
outputs = {"simulate": ["recording.h5"], "train": ["model.h5", "ln.h5"], "evaluate": ["evaluation.h5"], "probe": ["responses_*.h5"],
           "attribute": ["attributions_*.h5"], "reduce": ["reduction_*.h5"],
           "lesion": ["lesions_*.h5"], "fit": ["pathways.h5"], "sweep": ["sweep.csv", "trials/*/model.h5"],
           "sessions": ["sessions/*/model.h5", "sessions/*/ln.h5"]}
# What is disturbed under the name "sessions" is `train` of a study of two sessions: the cells of the recording that was left alone.
joint_study = """[study]
name = "joint"
[sessions.one]
file = "whole/recording.h5"
cells = [0]
[sessions.two]
file = "whole/recording.h5"
cells = [1]
"""
RUN_AGAIN = 75
# A process is ended 0.75 s after the signal; the rest is for mpirun and for a machine that does other things, too.
longest_s = 3.0
# A rank that stands still is noticed after so many seconds, give or take those between two signs of life.
patience_s = 6


def write_joint_study():
    """The study of sessions: the tables of the small one without its simulated cells."""
    tables = re.split(r"(?m)^(?=\[)", pathlib.Path(study).read_text())
    kept = [table for table in tables if re.match(r"\[(model|training)\]", table)]
    pathlib.Path("joint.toml").write_text(joint_study + "".join(kept))


def program_verb(name):
    return "train" if name == "sessions" else name


def start(verb, folder, ranks):
    # Small blocks: more places to be stopped at.
    command = [amacrine, verb, study, f"study.output={folder}", "attribution.block_windows=4",
               'probe.subjects=["network", "circuit"]']
    if verb == "sessions":
        command = [amacrine, "train", "joint.toml", f"study.output={folder}"]
    if ranks > 1:
        command = [mpiexec, "-n", str(ranks), "--bind-to", "none", *command]
    log = open(f"{folder}/{verb}.log", "w")
    return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                            env={**os.environ, "AMACRINE_WATCHDOG_S": str(patience_s)})


def processes(job, ranks):
    """The pids of the ranks, once all hear signals."""
    def hears(pid):
        mask = re.search(r"SigCgt:\s*(\w+)", pathlib.Path(f"/proc/{pid}/status").read_text())
        return int(mask[1], 16) >> (signal.SIGUSR1 - 1) & 1
    while job.poll() is None:
        try:
            pids = [job.pid]
            if ranks > 1:
                children = pathlib.Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
                pids = [int(p) for p in children if os.path.realpath(f"/proc/{p}/exe") == os.path.realpath(amacrine)]
            if len(pids) == ranks and all(hears(p) for p in pids):
                return pids
        except (FileNotFoundError, ProcessLookupError):
            pass
        time.sleep(0.002)
    return []


def send(pid, which):
    try:
        os.kill(pid, which)
    except ProcessLookupError:
        pass


def prepare(verb, folder):
    """A folder with what the verb needs, from the study that was left alone."""
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    for earlier in list(outputs)[:list(outputs).index(verb)]:
        for pattern in outputs[earlier]:
            for path in pathlib.Path("whole").glob(pattern):
                place(path, folder).parent.mkdir(parents=True, exist_ok=True)
                os.link(path, place(path, folder))


def place(path, folder):
    """Where what lies at `path` in the study that was left alone lies in a folder."""
    return pathlib.Path(folder) / path.relative_to("whole")


def datasets(path):
    found = {}
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, item: found.__setitem__(name, item[()]) if isinstance(item, h5py.Dataset) else None)
    return found


def same_values(a, b):
    """Whether two files hold the same datasets with the same bytes, or the same text."""
    if a.suffix != ".h5":
        return a.read_bytes() == b.read_bytes()
    a, b = datasets(a), datasets(b)
    def same(x, y):
        x, y = np.asarray(x), np.asarray(y)
        return x.shape == y.shape and x.dtype == y.dtype and (np.array_equal(x, y) if x.dtype == object else x.tobytes() == y.tobytes())
    return len(a) > 0 and a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)


def status(folder, verb):
    path = pathlib.Path(f"{folder}/{program_verb(verb)}.status.json")
    return json.loads(path.read_text()) if path.exists() else {}


def entries(folder):
    """Tasks in the journals, which begin with two lines about the file."""
    return sum(max(0, journal.read_bytes().count(b"\n") - 2) for journal in pathlib.Path(folder).glob("*.journal"))


def faults_left(folder):
    """Files under a final name that are not whole."""
    return [f"{path} is not whole" for path in pathlib.Path(folder).rglob("*.h5")
            if subprocess.run([amacrine, "inspect", path], capture_output=True).returncode != 0]


def disturb(verb, folder, ranks, which, delay, whom):
    """Runs the verb and sends it a signal `delay` s after it hears them, or as soon as a task is in a journal (None). Exit code, and
    how long it took to end."""
    job = start(verb, folder, ranks)
    pids = processes(job, ranks)
    while delay is None and job.poll() is None and not entries(folder):
        time.sleep(0.001)
    time.sleep(delay or 0)
    sent = time.monotonic()
    for pid in {"mpirun": [job.pid], "one rank": pids[-1:], "all ranks": pids}[whom]:
        if job.poll() is None:
            send(pid, which)
    code = job.wait(timeout=60)
    return code, time.monotonic() - sent


def judge_stop(verb, folder, ranks, whom, code, seconds):
    faults = []
    state = status(folder, verb)
    if seconds > longest_s:
        faults.append(f"ended after {seconds:.2f} s")
    log = pathlib.Path(f"{folder}/{verb}.log").read_text()
    if ranks == 1 and code not in (0, RUN_AGAIN):
        faults.append(f"exit code {code}")
    if code == 0 and state.get("state") != "finished":
        faults.append(f"exit code 0, but the status is {state.get('state')}")
    # mpirun has codes of its own. A run stopped before it knew its folder has no status.
    # And it may have been told to stop when the work had ended already.
    ended = whom == "mpirun" and state.get("state") == "finished"
    if code != 0 and (state.get("state"), state.get("exit_code")) != ("stopped", RUN_AGAIN) and (state or "stopped by SIG" not in log) and not ended:
        faults.append(f"status {state.get('state')} {state.get('exit_code')}; it said {log[-300:]}")
    return faults


def judge_still(verb, folder, code, seconds):
    """A rank that was stopped (SIGSTOP) keeps the others waiting until its watchdog ends the job, and names it."""
    log = pathlib.Path(f"{folder}/{verb}.log").read_text()
    faults = []
    if code == 0:
        faults.append("nobody noticed")
    if not patience_s - 3 <= seconds <= patience_s + 6:
        faults.append(f"noticed after {seconds:.1f} s")
    if not re.search(rf"error: rank 1 \(pid \d+ on .*\) has stood still for {patience_s} s", log):
        faults.append(f"it said {log[-300:]}")
    return faults


def finish(verb, folder, ranks):
    """Gives the same command again; it must end in the values of the study that was left alone."""
    # A run that was killed after its last output was whole leaves nothing to go on with.
    whole = all(place(path, folder).exists() for pattern in outputs[verb] for path in pathlib.Path("whole").glob(pattern))
    done = 0 if whole else entries(folder)
    job = start(verb, folder, ranks)
    code = job.wait(timeout=600)
    log = pathlib.Path(f"{folder}/{verb}.log").read_text()
    if code != 0:
        return [f"the same command ended with {code}: {log[-300:]}"]
    faults = []
    if done and "going on with what an earlier run left" not in log:
        faults.append(f"{done} finished tasks were computed again")
    if status(folder, verb).get("state") != "finished":
        faults.append("the status is not finished")
    if whole and verb == "attribute" and list(pathlib.Path(folder).glob("*.journal")):
        faults.append("a journal is left beside whole outputs")
    for pattern in outputs[verb]:
        for path in pathlib.Path("whole").glob(pattern):
            if not place(path, folder).exists() or not same_values(path, place(path, folder)):
                faults.append(f"{path} is another")
    return faults


def attempt(verb, ranks, which, delay, whom):
    folder = "disturbed"
    prepare(verb, folder)
    code, seconds = disturb(verb, folder, ranks, which, delay, whom)
    faults = faults_left(folder)
    if which == signal.SIGSTOP:
        faults += judge_still(verb, folder, code, seconds)
    elif which != signal.SIGKILL:
        faults += judge_stop(verb, folder, ranks, whom, code, seconds)
    again = random.choice([1, 2]) if verb in ("attribute", "train", "sweep", "sessions") else ranks
    faults += finish(verb, folder, again)
    name = signal.Signals(which).name
    when = "once a task is done" if delay is None else f"after {delay:.2f} s"
    print(f"{verb}, {ranks} rank(s), {name} to {whom} {when}: exit {code} in {seconds:.2f} s" +
          "".join(f"\n  FAULT: {fault}" for fault in faults), flush=True)
    return not faults, seconds if which in stops and code != 0 else None


def whole_study():
    os.mkdir("whole")
    write_joint_study()
    seconds = {}
    for verb in outputs:
        began = time.monotonic()
        job = start(verb, "whole", 1)
        if job.wait() != 0:
            sys.exit(f"{verb} failed: " + pathlib.Path(f"whole/{verb}.log").read_text())
        seconds[verb] = time.monotonic() - began
    return seconds


def attempts(duration):
    """Verb, ranks, signal, seconds, whom."""
    at = lambda verb: random.random() * duration[verb]
    if form == "short":
        for i, verb in enumerate(outputs):
            yield verb, 1 + i % 2, stops[i % 4], at(verb), "all ranks"
        yield "attribute", 1, signal.SIGTERM, 0.0, "all ranks"
        for ranks in (1, 2):
            yield "attribute", ranks, signal.SIGKILL, None, "one rank"
            yield "sweep", ranks, signal.SIGKILL, None, "one rank"
            yield "sessions", ranks, signal.SIGKILL, at("sessions"), "one rank"
        yield "train", 2, signal.SIGSTOP, 0.2 * duration["train"], "one rank"
        yield "evaluate", 2, signal.SIGSTOP, 0.05, "one rank"  # while MPI starts
        return
    for verb in ("train", "attribute", "probe"):
        yield verb, 2, signal.SIGSTOP, 0.2 * duration[verb], "one rank"
    for verb in outputs:
        for ranks in (1, 2):
            for which in stops:
                for _ in range(3):
                    yield verb, ranks, which, at(verb), "all ranks"
                yield verb, ranks, which, 0.0, "all ranks"
        for which in (signal.SIGTERM, signal.SIGUSR1):
            yield verb, 2, which, at(verb), "mpirun"
            yield verb, 2, which, at(verb), "one rank"
    for i in range(100):
        yield ("attribute", random.choice([1, 2]), signal.SIGKILL, at("attribute") if i % 2 else None,
               random.choice(["one rank", "all ranks"]))
    for i in range(60):
        yield ("sweep", random.choice([1, 2]), signal.SIGKILL, at("sweep") if i % 2 else None,
               random.choice(["one rank", "all ranks", "mpirun"]))
    for _ in range(40):
        yield "reduce", random.choice([1, 2]), signal.SIGKILL, at("reduce"), random.choice(["one rank", "all ranks"])
    for _ in range(60):
        yield "sessions", random.choice([1, 2]), signal.SIGKILL, at("sessions"), random.choice(["one rank", "all ranks", "mpirun"])
    for _ in range(113):
        yield "train", random.choice([1, 2]), signal.SIGKILL, at("train"), random.choice(["one rank", "all ranks"])


results = [attempt(*each) for each in attempts(whole_study())]
taken = sorted(seconds for _, seconds in results if seconds is not None)
if taken:
    print(f"from signal to end: median {taken[len(taken) // 2]:.2f} s, longest {taken[-1]:.2f} s")
passed = sum(good for good, _ in results)
print(f"signals {passed} {len(results)}")
sys.exit(passed != len(results))
