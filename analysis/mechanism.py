#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mechanism.py RESULTS_FOLDER: writes what was found of every cell of pathways.h5 as RESULTS_FOLDER/mechanisms/CELL.json (docs/results/mechanism.md), and a line per cell."""
import argparse
import math
import os
import re
import sys

import damage
import mechanism_network as network
import mechanism_pathways as fits
from fitted import disputed, number_of, why_not_fitted
from mechanism_recording import Source, centre_of, planted_of
from mechanism_values import dumps, inputs_of, put, put_text, settings_of
from results import Study, labels, text

FORMAT = "amacrine mechanism 1"
REFUSED = 4  # exit code, as of the program (README.md)
NO_FIT = "pathways.h5 does not hold it"
VERBS = {"evaluation.h5": "evaluate", "responses_network.h5": "probe", "responses_circuit.h5": "probe", "reduction_network.h5": "reduce", "lesions_network.h5": "lesion"}


def file_names(cells):
    """CELL.json by cells in order: letters, digits, ., _ and - are kept, and no two names are alike on any file system."""
    names, taken = [], set()
    for cell in cells:
        plain = re.sub(r"[^A-Za-z0-9._-]", "_", cell).lstrip(".")[:100] or "cell"
        name = next(each for each in (plain, *(f"{plain}-{i}" for i in range(2, len(cells) + 2))) if each.lower() not in taken)
        taken.add(name.lower())
        names.append(f"{name}.json")
    return names


def identity(study, source, n, centre):
    """Cell, study, recording and program."""
    data = study.pathways
    attribute = lambda name: data.attrs.get(name)
    cell, (of_cell, of_cell_from) = {"name": labels(data, "cell")[n]}, source.id_of(study, n)
    put(cell, "id", of_cell, "neither the recording nor the study of pathways.h5 says which cell of the recording this is")
    if of_cell_from:
        cell["id_from"] = of_cell_from
    for axis, at in zip("yx", centre.position_px):
        put(cell, f"centre_{axis}_px", at, centre.why)
    cell["centre_from"] = centre.source or None
    if not centre.source:
        cell["centre_from_why"] = centre.why
    made, program, recording = {}, {}, {}
    put_text(made, "name", settings_of(data, "study").get("study", {}).get("name"), NO_FIT)
    put_text(made, "file", attribute("run_study_file"), NO_FIT)
    put_text(made, "hash", attribute("study_hash"), NO_FIT)
    for key in ("path", "checksum"):
        put_text(recording, key, inputs_of(data).get("recording", {}).get(key), NO_FIT)
    for key in ("frame_ms", "pixel_um"):
        put(recording, key, float(attribute(key) or 0) or math.nan, NO_FIT)
    for key in ("contrast_zero", "contrast_unit"):
        put(recording, key, source.attrs.get(key, math.nan), "not in the recording, or the recording is not there: contrast is then the z score over the training movie")
    for key, name in (("version", "run_version"), ("commit", "run_commit"), ("started", "run_started")):
        put_text(program, key, attribute(name), NO_FIT)
    dirty = attribute("run_commit_dirty")
    program["built_from_changed_sources"] = None if dirty is None else text(dirty) == "1"
    if dirty is None:
        program["built_from_changed_sources_why"] = NO_FIT
    return {"cell": cell, "study": made, "recording": recording, "program": program}


class Beside:
    """Looks up a cell in the other results of the folder, and remembers what is missing."""

    def __init__(self, cell):
        self.cell, self.missing = cell, []

    def lacks(self, what, reason):
        self.missing.append({"what": what, "reason": reason})

    def of(self, name, data, read):
        """What `read` makes of a result; None where the folder or the file does not have it."""
        if data is None:
            self.lacks(name, f"{name} is not in the folder, or its writing was interrupted: run `amacrine {VERBS[name]}`")
            return None
        if self.cell not in labels(data, "cell"):
            self.lacks(name, f"{name} has no cell {self.cell}")
            return None
        return read(data)


def note_missing(beside, study, source, found):
    """Sources and attributes that would have said more."""
    data = study.pathways
    if source.path is None:
        named = found["recording"]["path"]
        beside.lacks("recording.h5", f"neither recording.h5 in the folder nor the recording that pathways.h5 names ({named or 'none'}) is there")
    elif beside.cell not in source.planted:
        beside.lacks("planted", "the recording holds no planted units of this cell: it was not simulated")
    if found["prediction"]["network"] is None:
        beside.lacks("evaluation.h5", found["prediction"]["network_why"])
    for name in ("rest", "beta", "spread", "rate"):
        if name not in data:
            beside.lacks(f"pathways.h5: {name}", "an older or another program wrote the file without it: run `amacrine fit` again")
    for name in ("pixel_um", "frame_ms", "inputs", "study", "study_hash", "run_version", "run_commit"):
        if name not in data.attrs:
            beside.lacks(f"pathways.h5: attribute {name}", "an older or another program wrote the file without it: run `amacrine fit` again")
    if number_of(data, labels(data, "cell").index(beside.cell)) < 0:
        beside.lacks("pathways", why_not_fitted(data, labels(data, "cell").index(beside.cell)))


def mechanism_of(study, source, n):
    """All that is known of cell n of pathways.h5."""
    data = study.pathways
    beside, centre = Beside(labels(data, "cell")[n]), centre_of(study, source, n)
    found = {"kind": "mechanism", "format": FORMAT, **identity(study, source, n, centre), "number": fits.number(data, n), "modulation_share_definition": fits.SHARE, "output": fits.output_of(data, n),
             "equation": fits.equation_of(data, n, centre), "pathways": [fits.pathway_of(data, n, k, centre) for k in range(max(0, number_of(data, n)))],
             "prediction": network.prediction_of(study, source, n)}
    found["layers_needed"] = network.layers_of(study, found["prediction"], n)
    found["network_evidence"] = network.evidence_of(data, n)
    if found["network_evidence"] is None:
        found["network_evidence_why"] = "pathways.h5 holds none: it is made of attributions_network.h5 and of the pathways of a fitted cell; run `amacrine attribute`, then `amacrine fit` again"
    found["phenomena"] = {"network": beside.of("responses_network.h5", study.responses.get("network"), lambda each: network.phenomena_of(each, beside.cell))}
    simulated = beside.cell in source.planted or "circuit" in study.responses
    if simulated:
        found["phenomena"]["circuit"] = beside.of("responses_circuit.h5", study.responses.get("circuit"), lambda each: network.phenomena_of(each, beside.cell))
    pixel_um = float(data.attrs.get("pixel_um", 0)) or math.nan
    found["reduction"] = beside.of("reduction_network.h5", study.reductions.get("network"), lambda each: network.reduction_of(each, study.joint["network"], beside.cell, pixel_um))
    found["lesions"] = beside.of("lesions_network.h5", study.lesions, lambda each: network.lesions_of(each, beside.cell))
    found["planted"] = planted_of(source, beside.cell)
    note_missing(beside, study, source, found)
    found["missing"] = beside.missing
    return found


def written(path, found):
    """Writes under another name first, so that no half file is left."""
    content = dumps(found) + "\n"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(f"{path}.partial", "w", encoding="utf-8") as stream:
            stream.write(content)
        os.replace(f"{path}.partial", path)
    except OSError as error:
        print(f"error: {path}: cannot be written ({error.strerror}); expected a folder that may be written to, with room. Make room or copy the results to a folder of your own", file=sys.stderr)
        sys.exit(REFUSED)


def write_mechanisms(study):
    """Writes a file per cell; (path below the folder, contents) of each, in the order of cells."""
    source = Source(study)
    done = []
    for n, name in enumerate(file_names(labels(study.pathways, "cell"))):
        below, found = f"mechanisms/{name}", mechanism_of(study, source, n)
        written(study.path(below), found)
        done.append((below, found))
    return done


def line_of(study, n, below, found):
    """"osr: 3 pathways of 3 types; ..., disputed claims: 1; r = 0.99; mechanisms/osr.json"."""
    doubts = sum(len(disputed(study.pathways, n, k)) for k in range(max(0, number_of(study.pathways, n))))
    r = found["prediction"]["pathways"]["score_r"]
    return f"{found['cell']['name']}: {found['number']['words']}; disputed claims: {doubts}; " + (f"r = {r:.3f} ({found['prediction']['score_reference']})" if r is not None else "r not known") + f"; {below}"


def main(folder):
    with damage.explained([folder]):
        study = Study(folder)
        if study.pathways is None:
            half = os.path.exists(study.path("pathways.h5"))
            damage.refuse(f"{study.path('pathways.h5')}: " + ("its writing was interrupted; run `amacrine fit` again" if half else "there is no such file; expected a results folder with it. Run `amacrine fit` first"))
        for n, (below, found) in enumerate(write_mechanisms(study)):
            print(line_of(study, n, below, found))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", metavar="RESULTS_FOLDER")
    main(parser.parse_args().folder)
