#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py RESULTS_FOLDER...: prints, as a table, how well the networks of several studies predict the cells, and how far each phenomenon has
come at that score. Every folder holds the files of train and evaluate, and of probe where phenomena are wanted."""
import os
import sys

import numpy as np

import damage
from phenomena import TITLES, figure_text, reproduces, shows
from results import Study, labels


def network_scores(study):
    """Scores of the network by cell."""
    network = labels(study.evaluation, "model").index("network")
    return dict(zip(labels(study.evaluation, "cell"), study.evaluation["score"].values[network]))


def cell_phenomena(study):
    """(cell index, phenomenon, parameter set) of what the cells are known to show; where nothing is known, of what the network shows."""
    network, truth = study.responses.get("network"), study.responses.get("circuit")
    if network is None:
        return []
    views = {name: study.responses_of(name)["network" if truth is None else "circuit"] for name in study.sets()}
    return [(n, phenomenon, name) for n in range(network.sizes["cell"]) for name, view in views.items() for phenomenon in shows(view, n)]


def phenomenon(study, cell, name, set_name):
    """A phenomenon's figures in the network, and whether they are those of the circuit."""
    subjects = study.responses_of(set_name)
    words = figure_text(subjects["network"], cell, name)[0]
    truth = subjects.get("circuit")
    verdict = reproduces(truth, subjects["network"], cell, name) if truth is not None else None
    return f"{words} ({verdict})" if verdict else words


def row(study):
    """A study's line: name, windows, minutes, mean score, scores, phenomena."""
    scores = network_scores(study)
    windows, seconds = (study.curves[key][-1] if key in study.curves else np.nan for key in ("windows", "seconds"))
    cells = [f"{score:.3f}" for score in scores.values()]
    found = [phenomenon(study, *which) for which in cell_phenomena(study)]
    return [os.path.basename(os.path.normpath(study.folder)), f"{windows:,.0f}", f"{seconds / 60:.1f}", f"{np.nanmean(list(scores.values())):.3f}", *cells, *found]


def main(folders):
    with damage.explained(folders):
        compare(folders)


def compare(folders):
    studies = sorted((Study(folder) for folder in folders), key=lambda study: np.nanmean(list(network_scores(study).values())))
    first = studies[-1]
    cells = labels(first.evaluation, "cell")
    header = ["study", "windows", "minutes", "mean score", *cells, *(f"{TITLES[name]}{'' if of == 'circuits' else f' ({of})'}, {cells[n]}" for n, name, of in cell_phenomena(first))]
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for study in studies:
        cellwise = row(study)
        print("| " + " | ".join(cellwise + [""] * (len(header) - len(cellwise))) + " |")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
