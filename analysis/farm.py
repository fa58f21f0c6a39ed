# SPDX-License-Identifier: Apache-2.0
"""Reads the results of many models (`--models` of the program): what each model has, and why the rest is missing."""
import csv
import dataclasses
import fnmatch
import glob
import json
import os
import re

import numpy as np

from pathways import flag, used, why_none
from phenomena import TITLES, reproduces
from results import Study, labels, text

# Verbs in their order, each with the file that says it was done.
STEPS = {"train": "model.h5", "evaluate": "evaluation.h5", "probe": "responses_network.h5", "attribute": "attributions_network.h5", "reduce": "reduction_network.h5"}
STANDINGS = {"stopped": "stopped by the sweep after {epochs} epochs: others were better", "failed": "failed in the sweep: {reason}"}


@dataclasses.dataclass
class Pathway:
    """A pathway of the set that serves all stimuli: +1 ON, -1 OFF, 0 neither; +1 excites, -1 inhibits, 0 both; ms before the response at which its filter peaks."""
    polarity: int
    sign: int
    lobe_time: float


@dataclasses.dataclass
class Mechanism:
    """A cell's pathways by one model; `why` says why none are named."""
    why: str = None
    pathways: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Model:
    """One folder of a farm. By cell: pearson_r and score; by (cell, phenomenon, parameter set): flags and verdicts; by cell: mechanisms."""
    name: str
    folder: str
    sets: str = ""
    missing: dict = dataclasses.field(default_factory=dict)
    mean_score: float = np.nan
    reference: str = ""
    recording: str = ""
    session: str = ""  # of a joint training: its cells are its own, called "session/cell"
    pearson_r: dict = dataclasses.field(default_factory=dict)
    score: dict = dataclasses.field(default_factory=dict)
    ceiling: dict = dataclasses.field(default_factory=dict)
    present: dict = dataclasses.field(default_factory=dict)
    verdict: dict = dataclasses.field(default_factory=dict)
    mechanism: dict = dataclasses.field(default_factory=dict)


class ModelStudy(Study):
    """A model's folder, whose damaged files count as missing; `faults` says of which file what is wrong with it."""

    def __init__(self, folder):
        self.faults, self.opened = {}, []
        super().__init__(folder)

    def open(self, name, group=None):
        try:
            data = super().open(name, group)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            self.faults[name] = f"{name} cannot be read ({getattr(error, 'strerror', None) or one_line(error)}); `amacrine inspect` says what is damaged"
            return None
        if data is not None:
            self.opened.append(data)
        return data

    def close(self):
        for data in self.opened:
            data.close()

    def input_checksum(self, data, role):
        """Checksum of an input of a result file; "" where it names none of that role."""
        found = [entry["checksum"] for entry in json.loads(text(data.attrs.get("inputs", "[]"))) if entry["role"] == role]
        return found[0] if found else ""


class Farm:
    """The models of a results folder. `planted`: (polarity, sign) of a simulated cell's units by cell; `planted_mechanism`: the circuits' own pathways,
    where the study's folder has their reduction; `shown`: (cell, phenomenon, parameter set) that circuits are known to show, None where that is not known."""

    def __init__(self, folder, pattern):
        self.folder, self.pattern = folder, pattern
        self.trials = read_sweep(folder)
        places = model_places(folder, pattern, self.trials)
        self.study = ModelStudy(folder)
        self.truth = self.study.responses.get("circuit")
        self.planted = dict(self.study.planted or {})
        self.shown = None if self.truth is None else {key for key, value in present_flags(self.study, "circuit").items() if value == 1}
        self.planted_mechanism = mechanisms_of(self.study, "circuit")
        self.models = [self.read(name, place) for name, place in places]
        name_other_recordings(self.models)
        self.models.sort(key=lambda model: (not np.isfinite(model.mean_score), -np.nan_to_num(model.mean_score), model.name))
        self.study.close()

    def read(self, name, place):
        """One model's record, its files closed again."""
        trial = self.trials.get(name, {})
        model = Model(name, place, trial.get("sets", ""), session=session_of(name))
        study = ModelStudy(place)
        model.missing = missing_steps(self.folder, name, study, trial)
        if "evaluate" not in model.missing and study.evaluation is not None:
            take_scores(model, study)
        if "probe" not in model.missing and "network" in study.responses:
            model.present = present_flags(study, "network")
            model.verdict = verdicts(study if model.session else self.study, study)
        if "reduce" not in model.missing:
            model.mechanism = mechanisms_of(study, "network")
        if model.session:
            name_cells_by_session(model)
            self.add_truth(study, model.session)
        else:
            self.planted = self.planted or dict(study.planted or {})
        study.close()
        return model

    def add_truth(self, study, session):
        """What is known of a session's own cells."""
        self.planted.update(by_session(study.planted or {}, session))
        self.planted_mechanism.update(by_session(mechanisms_of(study, "circuit"), session))
        if "circuit" in study.responses:
            shown = by_session({key: True for key, value in present_flags(study, "circuit").items() if value == 1}, session)
            self.shown = (self.shown or set()) | set(shown)

    def cells(self):
        """Names of the cells of all models, in the order in which they come."""
        return list(dict.fromkeys(cell for model in self.models for cell in [*model.score, *(key[0] for key in model.present), *model.mechanism]))

    def having(self, step):
        """Models that have the results of a step."""
        return [model for model in self.models if step not in model.missing]


def session_of(name):
    """The session whose folder this is, seen from the results folder; "" where it is none's."""
    return name.split("/", 1)[1] if name.startswith("sessions/") else ""


def by_session(table, session):
    """A table by cell, or by (cell, ...), with the session's name before the cell's."""
    named = lambda key: (f"{session}/{key[0]}", *key[1:]) if isinstance(key, tuple) else f"{session}/{key}"
    return {named(key): value for key, value in table.items()}


def name_cells_by_session(model):
    for field in ("pearson_r", "score", "ceiling", "present", "verdict", "mechanism"):
        setattr(model, field, by_session(getattr(model, field), model.session))


def read_sweep(folder):
    """sweep.csv by the trial's folder seen from the sweep's: standing, epochs, reason, and what the trial sets in words; {} where there is no sweep."""
    path = os.path.join(folder, "sweep.csv")
    if not os.path.exists(path):
        return {}
    with open(path, newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    keys = [key for key in (rows[0] if rows else {}) if "." in key]
    return {f"trials/{int(row['trial']):04d}": {**row, "sets": ", ".join(f"{key.split('.', 1)[1]} = {row[key]}" for key in keys if row[key])} for row in rows}


def model_places(folder, pattern, trials):
    """(name, folder) of all that `pattern` names, seen from the results folder: folders, and trials of the sweep that have none yet."""
    found = [path for path in sorted(glob.glob(os.path.join(folder, pattern))) if os.path.isdir(path)]
    places = {os.path.relpath(path, folder): path for path in found}
    places.update({name: os.path.join(folder, name) for name in trials if name not in places and fnmatch.fnmatch(name, pattern)})
    if not places:
        raise SystemExit(f"{os.path.join(folder, pattern)}: there is no folder of this name; --models is seen from the results folder, such as --models 'trials/*' after `amacrine sweep`")
    return sorted(places.items())


def missing_steps(folder, name, study, trial):
    """Verbs whose results a model lacks, with the reason. What follows from a missing model is not told again."""
    if not os.path.exists(study.path(STEPS["train"])):
        return {step: why_no_model(study.folder, trial) for step in STEPS}
    missing = {}
    for step, file in list(STEPS.items())[1:]:
        if file in study.faults:
            missing[step] = study.faults[file]
        elif not os.path.exists(study.path(file)):
            missing[step] = why_not_done(folder, name, study.folder, step)
    # Reductions outlive the attributions that they were made from.
    if "attribute" in missing and "reduce" not in missing:
        del missing["attribute"]
    missing.update(of_another_model(study, missing))
    return missing


def why_no_model(folder, trial):
    standing = trial.get("standing", "")
    if standing in STANDINGS:
        return "no model: " + STANDINGS[standing].format(epochs=trial.get("epochs", "?"), reason=trial.get("reason", ""))
    if standing and standing != "finished":
        return f"no model yet: {standing} in the sweep"
    status = read_status(os.path.join(folder, "train.status.json"))
    if status.get("state") in ("failed", "stopped", "running"):
        return f"no model.h5: training {'is ' if status['state'] == 'running' else ''}{status['state']}" + (f" ({one_line(status['reason'])})" if status.get("reason") else "")
    return "there is no model.h5; train it, or name the folders of models alone by --models"


def why_not_done(folder, name, place, verb):
    """Why a verb's file is not there: what the last run of it said of this model, or that nothing has been done."""
    reason = text(read_status(os.path.join(folder, f"{verb}.status.json")).get("reason") or "")
    for line in reason.splitlines():
        said = re.match(r"\s*(\S.*?)/?: (.*)", line)
        if said and (said[1] == name or said[1].endswith("/" + name)):
            return f"`{verb}` failed: {said[2]}"
    if os.path.exists(os.path.join(place, f"{verb}.log")):
        return f"`{verb}` was begun and not finished (its log: {verb}.log); the same command goes on"
    return "not done; `amacrine VERB STUDY --models ...` does it"


def of_another_model(study, missing):
    """Steps whose file is of another model.h5 than evaluation.h5 is: a model that was trained again since."""
    if study.evaluation is None or "evaluate" in missing:
        return {}
    ours, others = study.input_checksum(study.evaluation, "model"), {"probe": study.responses.get("network"), "attribute": study.attributions.get("network")}
    stale = {step: f"{STEPS[step]} is not of the model that evaluation.h5 is of; run `amacrine evaluate` and `amacrine {step}` again" for step, data in others.items()
             if step not in missing and data is not None and study.input_checksum(data, "model") != ours}
    if "attribute" in stale and "reduce" not in missing:
        stale["reduce"] = stale["attribute"]
    return stale


def read_status(path):
    try:
        with open(path, encoding="utf-8") as stream:
            status = json.load(stream)
    except (OSError, ValueError):
        return {}
    return status if isinstance(status, dict) else {}


def one_line(words):
    return " ".join(text(words).split())  # reasons stand in one cell of a table


def take_scores(model, study):
    """A model's scores, and the ceilings of its recording."""
    data = study.evaluation
    network = labels(data, "model").index("network")
    cells = labels(data, "cell")
    column = lambda name: dict(zip(cells, (float(value) for value in data[name].values[network])))
    model.score, model.pearson_r = column("score"), column("pearson_r")
    model.ceiling = dict(zip(cells, (float(value) for value in data["noise_ceiling"].values)))
    model.mean_score, model.reference = float(data["mean_score"].values[network]), study.score_reference
    model.recording = study.input_checksum(data, "recording")


def name_other_recordings(models):
    """Models scored on another recording than most are told, and their results left out: they cannot be compared."""
    models = [model for model in models if not model.session]
    known = [model.recording for model in models if model.recording]
    if not known:
        return
    usual = max(known, key=lambda checksum: (known.count(checksum), -known.index(checksum)))
    for model in models:
        if model.recording and model.recording != usual:
            told = "its recording is another one than that of most models"
            model.missing = {step: told for step in STEPS if step != "train"}
            model.mean_score, model.score, model.pearson_r, model.ceiling, model.present, model.verdict, model.mechanism = np.nan, {}, {}, {}, {}, {}, {}


def present_flags(study, subject):
    """The presence flag of every (cell, phenomenon, parameter set) that was probed."""
    flags = {}
    for name in study.sets():
        data = study.responses_of(name).get(subject)
        if data is None:
            continue
        for n, cell in enumerate(labels(data, "cell")):
            for phenomenon in TITLES:
                if f"{phenomenon}_present" in data and (value := int(data[f"{phenomenon}_present"].values[0, n])) != 0:
                    flags[cell, phenomenon, name] = value
    return flags


def verdicts(truth, study):
    """"yes", "in part" or "no" for every phenomenon that a cell's circuit shows; nothing where the model was shown other stimuli."""
    found = {}
    for name in study.sets():
        if "circuit" not in truth.responses or name not in truth.sets():
            continue
        circuit, network = truth.responses_of(name)["circuit"], study.responses_of(name).get("network")
        if network is None or labels(circuit, "condition") != labels(network, "condition") or labels(circuit, "cell") != labels(network, "cell"):
            continue
        for n, cell in enumerate(labels(circuit, "cell")):
            for phenomenon in TITLES:
                if (verdict := reproduces(circuit, network, n, phenomenon)) is not None:
                    found[cell, phenomenon, name] = verdict
    return found


def mechanisms_of(study, subject):
    """The one set of pathways for all stimuli, by cell; {} where there is no reduction."""
    reduction, joint = study.reductions.get(subject), study.joint.get(subject)
    if reduction is None or joint is None:
        return {}
    found = {}
    for n, cell in enumerate(labels(reduction, "cell")):
        why = why_none(reduction, joint, (n,))
        at = [] if why else [(n, p) for p in used(joint, (n,))]
        sign = lambda i: 0 if flag(joint, "mixed", i) else int(joint["sign"].values[i])
        found[cell] = Mechanism(why, [Pathway(int(joint["polarity"].values[i]), sign(i), float(joint["lobe_time"].values[i])) for i in at])
    return found
