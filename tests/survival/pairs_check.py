#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judges one pair of jobs (pairs.sh). Prints what is false, one line each; nothing where all is as it should be.

pairs_check.py change STUDY KEY=VALUE OUT         a study file with one value changed
pairs_check.py after VERB OUTPUT CODE_A CODE_B    once both jobs have ended
pairs_check.py again VERB OUTPUT CODE_A CODE_B same|other   once both commands were given again
"""
import pathlib
import re
import subprocess
import sys

import h5py

HERE = pathlib.Path(__file__).resolve().parent
KILLED = {137, 143, 265}
FILES = {"simulate": ["recording.h5"], "train": ["model.h5", "ln.h5"], "attribute": ["attributions_network.h5"]}


def change(study, assignment, out):
    key, value = assignment.split("=")
    table, name = key.split(".")
    lines = pathlib.Path(study).read_text().splitlines()
    lines = [line for line in lines if not re.match(rf"{name}\s*=", line)]
    if f"[{table}]" not in lines:
        lines.append(f"[{table}]")
    at = lines.index(f"[{table}]") + 1
    pathlib.Path(out).write_text("\n".join(lines[:at] + [f"{name} = {value}"] + lines[at:]) + "\n")


def whole(path):
    try:
        with h5py.File(path, "r") as file:
            return int(file.attrs["complete"]) == 1
    except (OSError, KeyError):
        return False


def maker(path):
    with h5py.File(path, "r") as file:
        return str(file.attrs["run_command_line"])


def same_values(a, b):
    return subprocess.run([sys.executable, HERE.parent / "checks" / "same_values.py", a, b], check=False).returncode == 0


def judge_job(verb, out, job, code, code_of_other):
    other = "b" if job == "a" else "a"
    log = pathlib.Path(f"{out}.{job}.log").read_text(errors="replace")
    # An attribution goes on from what a killed run of the same study had begun, and its file says who began it.
    heirs = [other] if verb == "attribute" and code_of_other in KILLED else []
    if code not in {0, 4} | KILLED:
        yield f"job {job} ended with {code}"
    if code == 4:
        holder = f"is being made by another run: amacrine {verb} ({out}.{other}.toml) on host "
        finished = "was made by another study" in log or "belongs to another training" in log
        if holder not in log and not finished:
            yield f"job {job} was refused without naming the other"
    for path in re.findall(r"^\w+: wrote (\S+) in|^\w+: wrote (\S+)$", log, re.MULTILINE):
        path = pathlib.Path(path[0] or path[1])
        if not path.exists() or not whole(path):
            yield f"job {job} says that it wrote {path}, which is not whole"
        elif not any(f"study.name={out}.{name} " in maker(path) + " " for name in [job] + heirs):
            yield f"job {job} says that it wrote {path}, which is another's"


def after(verb, out, code_a, code_b):
    yield from judge_job(verb, out, "a", int(code_a), int(code_b))
    yield from judge_job(verb, out, "b", int(code_b), int(code_a))
    for name in FILES[verb]:
        path = pathlib.Path(out) / name
        if path.exists() and not whole(path):
            yield f"{path} is there and not whole"


def again(verb, out, code_a, code_b, studies):
    codes = (int(code_a), int(code_b))
    if codes != (0, 0) and (studies == "same" or codes not in {(0, 4), (4, 0)}):
        return (yield f"the commands given again ended with {codes}")
    if studies == "other" and codes == (0, 0):
        yield "both studies say that the output is theirs"
    reference = f"ref.{verb}.{'one' if codes[0] == 0 else 'two'}"
    for name in FILES[verb]:
        path = pathlib.Path(out) / name
        if not path.exists() or not whole(path):
            yield f"{path} is not whole in the end"
        elif not same_values(path, pathlib.Path(reference) / name):
            yield f"{path} has not the values of {reference}"
    left = [p.name for p in pathlib.Path(out).iterdir() if ".lock" in p.name or p.name.endswith(".partial")]
    if left:
        yield f"left over: {' '.join(sorted(left))}"


if __name__ == "__main__":
    for fault in {"change": change, "after": after, "again": again}[sys.argv[1]](*sys.argv[2:]) or []:
        print("  " + fault)
