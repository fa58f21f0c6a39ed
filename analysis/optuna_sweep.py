#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""optuna_sweep.py STUDY.toml TRIALS BATCH [OVERRIDE...] [-- LAUNCHER...]: a sweep whose trials Optuna's TPE sampler proposes, by ask and tell.

The study's [sweep.space] says what may be set. Optuna is asked for BATCH trials, `amacrine sweep` trains them (with sweep.method = "list"; LAUNCHER is
what it is started with, such as mpirun -n 8) and what they reached is told to Optuna; until there are TRIALS. Trials that were stopped at a rung are told
as pruned, failed ones as failed. proposals.txt in the output folder holds the trials, one a line; given again, the same command goes on. One process
writes: this one."""
import csv
import json
import os
import subprocess
import sys
import tomllib

import optuna

AMACRINE = os.environ.get("AMACRINE", "amacrine")


def resolved(study, overrides):
    """The study as amacrine resolves it."""
    text = subprocess.run([AMACRINE, "sweep", study, *overrides, "--print-config"], check=True, capture_output=True, text=True).stdout
    return tomllib.loads(text)


def leaves(table, prefix=""):
    """(key, range) of every parameter of [sweep.space]."""
    for name, value in table.items():
        key = f"{prefix}.{name}" if prefix else name
        if isinstance(value, dict) and ("values" in value or "low" in value):
            yield key, value
        elif isinstance(value, dict):
            yield from leaves(value, key)


def distribution(what):
    """Optuna's distribution of a parameter; words are given as they stand in an override."""
    if "values" in what:
        return optuna.distributions.CategoricalDistribution([str(value) for value in what["values"]])
    log = what["scale"] == "log"
    if what["whole"]:
        return optuna.distributions.IntDistribution(int(what["low"]), int(what["high"]), log=log)
    return optuna.distributions.FloatDistribution(what["low"], what["high"], log=log)


def text_of(value):
    return value if isinstance(value, str) else f"{value:.6g}" if isinstance(value, float) else str(value)


def line_of(params):
    return " ".join(f"{key}={text_of(value)}" for key, value in params.items())


def parsed(line, space):
    """The parameters of a line of proposals.txt."""
    params = {}
    for key, kind in space.items():
        start = line.index(key + "=") + len(key) + 1
        ends = [line.index(f" {other}=", start) for other in space if f" {other}=" in line[start - 1:]]
        word = line[start:min(ends) if ends else None].strip()
        is_word = isinstance(kind, optuna.distributions.CategoricalDistribution)
        params[key] = word if is_word else int(word) if isinstance(kind, optuna.distributions.IntDistribution) else float(word)
    return params


def outcomes(folder):
    """Per trial, what sweep.csv says of it."""
    with open(os.path.join(folder, "sweep.csv"), newline="", encoding="utf-8") as stream:
        return {int(row["trial"]): row for row in csv.DictReader(stream)}


def frozen(params, space, row):
    """A trial as Optuna keeps it."""
    state = {"finished": optuna.trial.TrialState.COMPLETE, "stopped": optuna.trial.TrialState.PRUNED}.get(row["standing"], optuna.trial.TrialState.FAIL)
    values = {int(key.split("_")[1]): float(text) for key, text in row.items() if key.startswith("value_") and text}
    if state == optuna.trial.TrialState.FAIL:
        return optuna.trial.create_trial(params=params, distributions=space, state=state)
    last = values[max(values)]
    return optuna.trial.create_trial(params=params, distributions=space, state=state, value=last, intermediate_values=values)


def main(study_file, trials, batch, overrides, launcher):
    config = resolved(study_file, overrides)
    folder, sweep = config["study"]["output"], config["sweep"]
    space = {key: distribution(what) for key, what in leaves(sweep["space"])}
    direction = "minimize" if sweep["metric"] == "loss" else "maximize"
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "proposals.txt")
    lines = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as stream:
            lines = stream.read().splitlines()
    while True:
        if lines:
            command = [*launcher, AMACRINE, "sweep", study_file, *overrides, 'sweep.method="list"', f"sweep.list_file={json.dumps(path)}", "sweep.trials=0"]
            code = subprocess.run(command, check=False).returncode
            if code != 0:
                sys.exit(code)
        # The sampler sees exactly what is on disk, so a run that goes on proposes what an uninterrupted one does.
        sampler = optuna.samplers.TPESampler(seed=int(sweep["seed"]) + len(lines), n_startup_trials=max(4, batch), constant_liar=True)
        study = optuna.create_study(direction=direction, sampler=sampler)
        if lines:
            told = outcomes(folder)
            for number, line in enumerate(lines):
                study.add_trial(frozen(parsed(line, space), space, told[number]))
        if len(lines) >= trials:
            break
        asked = [study.ask(space) for _ in range(min(batch, trials - len(lines)))]
        lines += [line_of(trial.params) for trial in asked]
        temporary = path + ".partial"
        with open(temporary, "w", encoding="utf-8") as stream:
            stream.write("\n".join(lines) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    print(f"optuna: best of {len(lines)} trials: {study.best_value:.4f} with {line_of(study.best_params)}")


if __name__ == "__main__":
    words, launcher = sys.argv[1:], []
    if "--" in words:
        at = words.index("--")
        words, launcher = words[:at], words[at + 1:]
    if len(words) < 3 or not (words[1].isdigit() and words[2].isdigit()):
        sys.exit(__doc__)
    main(words[0], int(words[1]), int(words[2]), words[3:], launcher)
