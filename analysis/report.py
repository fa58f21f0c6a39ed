#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""report.py RESULTS_FOLDER: draws report.html from a study's result files and prints the study's short table."""
import os
import sys

import numpy as np

import figures_mechanism as mechanism
import figures_training as training
from figures_phenomena import DRAW
from page import Page
from phenomena import CAPTIONS, TITLES, UNJUDGED, figure_text, reproduces, shows, trial_noise
from results import Study, labels, text

LEAD = ("From a recording of ganglion cells to the pathways that make their responses: how well the model predicts the cells, which of the field's four "
        "predictive phenomena it shows, which interneurons carry each of them, and how few are enough.")


def summary_rows(study):
    """Per cell: score, LN score, phenomena in circuit and network, pathways found."""
    rows = []
    evaluation = study.evaluation
    models = labels(evaluation, "model")
    truth, network = study.responses.get("circuit"), study.responses.get("network")
    reduction = study.reductions.get("network")
    for n, cell in enumerate(labels(evaluation, "cell")):
        score = {m: float(evaluation["score"].values[i, n]) for i, m in enumerate(models)}
        told = []
        for name in TITLES:
            if truth is not None and name in shows(truth, n):
                told.append((name, reproduces(truth, network, n, name) if network is not None else None))
            elif truth is None and network is not None and name in shows(network, n):
                told.append((name, UNJUDGED))
        pathways = int(reduction["joint/pathways_found"].values[n]) if reduction is not None and "joint/pathways_found" in reduction else None
        if pathways is None and study.joint.get("network") is not None:
            pathways = int(study.joint["network"]["pathways_found"].values[n])
        rows.append((cell, score.get("network", np.nan), score.get("ln", np.nan), told, pathways))
    return rows


def told_title(study):
    """Title of the overview's column of phenomena: only a circuit says what the cell itself does."""
    return "phenomena of the cell (shown by the network?)" if "circuit" in study.responses else "phenomena the network shows"


def none_told(study):
    return "none of the four" if "circuit" in study.responses or "network" in study.responses else "not probed"


def overview(page, study):
    page.section("In short")
    rows = []
    for cell, score, ln, told, pathways in summary_rows(study):
        words = "<br>".join(f"{TITLES[n].lower()}: <span class=\"{dict(yes='yes', no='no').get(v, 'part')}\">{v}</span>" for n, v in told) or none_told(study)
        rows.append([cell, f"{score:.2f}", "" if np.isnan(ln) else f"{ln:.2f}", (words, "text"), "" if pathways is None else pathways])
    page.table(["cell", "score (r)", "LN", told_title(study), "pathways"], rows)
    page.text("Score is Pearson's r between the predicted rate and the " + ("simulated rate without noise" if study.score_reference == "noiseless" else "mean over trials") +
              ", first 40 frames dropped, over the whole test movie.", "quiet")
    if "circuit" in study.responses:
        page.text("&ldquo;In part&rdquo; means the effect points the right way and is large enough to measure, but is well short of the cell's.", "quiet")


def learning(page, study):
    page.section("Learning", "The network saw the recording as overlapping windows of 400 ms; it was never shown a flash train or a bar.")
    if study.curves:
        page.figure(training.learning_curves(study.curves), "Learning curves", "Left: the loss on training and on held-out time falls. Right: the correlation with "
                    "single noisy trials, whose ceiling is well below 1. Curves that still rise at the end say that more training would give more.")
    reference = study.score_reference
    against = "simulated rate without noise" if reference == "noiseless" else "mean over trials"
    ceiling = (" Horizontal ticks: the noise ceiling, the correlation that the cell's true rate would have with this mean of trials." if
               training.ceiling_applies(study.evaluation, reference) else "")
    page.figure(training.score_bars(study.evaluation, reference), "Score per cell", f"Correlation with the {against} on the test movie, with "
                "95 % intervals from resampled stretches of time. "
                "The linear-nonlinear (LN) model sees the same windows through one filter per cell." + ceiling)
    truth = "simulated without noise" if "noiseless_rate" in study.evaluation else "the mean over trials"
    page.figure(training.predicted_rates(study.evaluation), "Predicted and recorded rates", "The liveliest eight seconds of the test movie. "
                f"Grey: the rate to be predicted, {truth}; ticks: spikes of single trials; coloured lines: predictions. Look at whether bursts are there, in time, and of the right height.")


def filters(page, study):
    data = study.attributions.get("network")
    if data is not None:
        page.section("What the first layer sees", "Each channel filters the movie in space and time before anything nonlinear happens.")
        page.figure(training.filters(data, study.reductions.get("network")), "First-layer filters", "Top: space, at the lag where the filter is strongest (red: light there drives the channel, blue: darkness does). "
                    "Bottom: the same in time, the present at the right. ON and OFF follow the earliest large lobe in time, not the largest, so that biphasic filters are named as physiologists would.")


def phenomena(page, study):
    subjects = study.responses
    if not subjects:
        return
    page.section("The four phenomena", "Stimuli the model was never trained on. A phenomenon counts only where the response stands 3 Hz above rest with its peak inside the measuring window.")
    first = next(iter(subjects.values()))
    cells = labels(first, "cell")
    judge = subjects.get("circuit", subjects.get("network"))
    if "circuit" not in subjects:
        page.text("How the cells themselves answer these stimuli is not known here: the figures are drawn where the network shows a phenomenon, as its prediction.")
    for name, title in TITLES.items():
        page.heading(title)
        truth = {"recorded": subjects.get("circuit")}
        rows = [[cell, *[figure_text(data, n, name, truth.get(subject)) for subject, data in subjects.items()]] for n, cell in enumerate(cells)]
        page.table(["cell", *subjects.keys()], rows)
        if "recorded" in subjects:
            page.text(trial_noise(subjects["recorded"]), "quiet")
        for n, cell in enumerate(cells):
            if judge is not None and name in shows(judge, n):
                # every cell has its own conditions for bars, at its own centre
                drawing = DRAW[name](subjects, n)
                if drawing:
                    grey = " Grey area: the circuit." if name == "osr" and "circuit" in subjects else ""
                    page.figure(drawing, f"{title}, cell {cell}", CAPTIONS[name] + grey)


def mechanisms(page, study, subject, title, text):
    reduction = study.reductions.get(subject)
    if reduction is None:
        return
    page.section(title, text)
    stimuli = labels(reduction, "stimulus")
    truth = study.responses.get("circuit")
    probe_cells = labels(next(iter(study.responses.values())), "cell") if study.responses else []
    attributions = study.attributions.get(subject)
    turned = attributions is not None and bool((attributions["gain"].values < 0).any())
    rows = []
    for n, cell in enumerate(labels(reduction, "cell")):
        for s, stimulus in enumerate(stimuli):
            kept = [p for p in range(reduction.sizes["pathway"]) if reduction["kept"].values[n, s, p] == 1]
            named = ", ".join(mechanism.pathway_name(reduction, n, (s, p)) for p in kept)
            r, held = float(reduction["r_fitted"].values[n, s]), float(reduction["r_held_out"].values[n, s])
            rows.append([cell, mechanism.FAMILY_TITLE.get(stimulus, stimulus), (named, "text"), f"{float(reduction['share_kept'].values[n, s]):.2f}",
                         "" if np.isnan(r) else f"{r:.2f}", "" if np.isnan(held) else f"{held:.2f}"])
    page.table(["cell", "stimulus", "pathways, most important first", "share", "r with network", "r held out"], rows)
    for n, cell in enumerate(labels(reduction, "cell")):
        page.heading(f"Cell {cell}")
        page.figure(mechanism.shares(reduction, n), f"Channels behind cell {cell}", "Share of each first-layer channel in the summed absolute attribution of each stimulus, over the whole response.")
        own = {"osr": "osr", "latency": "latency", "reversal": "reversal", "anticipation": "anticipation", "moving_bar": "anticipation"}
        for s, stimulus in enumerate(stimuli):
            known = truth is None or cell not in probe_cells or own.get(stimulus) in shows(truth, probe_cells.index(cell))
            condition = mechanism.representative(reduction, n, s)
            if not known or condition is None:
                continue
            name = mechanism.FAMILY_TITLE.get(stimulus, stimulus)
            page.figure(mechanism.pathway_traces(reduction, n, condition), f"Pathways of cell {cell}, {name}", "For the condition with the largest response "
                        f"(<code>{labels(reduction, 'condition')[condition]}</code>). Left: W*s, the movie passed through the filter of the pathway's channel, "
                        "which is all the channel sees of it; 0 is the grey screen. "
                        "Middle: G, the rate the cell gains for each unit of W*s, in Hz; above zero the pathway excites the cell, below zero it inhibits it"
                        + (" (the other way round where the channel's gain is negative)" if turned else "") +
                        ". Right: A, what each pathway adds to the rate above rest (black), piled up; areas below zero take away. Grey: all the rest.")
            page.figure(mechanism.reduced_responses(reduction, n, s), f"The reduced model of cell {cell}, {name}", "Grey: the full network. Red: a model of only these pathways, with fitted weights "
                        "and thresholds. Starred conditions were kept out of the fit.")


def provenance(page, study):
    page.section("How this was made")
    facts = study.provenance()
    skip = {"study", "step_study", "_NCProperties"}
    page.details("Program, machine and inputs", "\n".join(f"{k} = {text(v)}" for k, v in sorted(facts.items()) if k not in skip and not k.startswith("_")))
    for key in ("study",):
        if key in facts:
            page.details("The resolved study", text(facts[key]))


def print_table(study):
    print(f"{'cell':28s} {'score':>6s} {'LN':>6s}  {'pathways':>8s}  {told_title(study)}")
    for cell, score, ln, told, pathways in summary_rows(study):
        words = ", ".join(f"{n} ({v})" for n, v in told) or none_told(study)
        print(f"{cell:28s} {score:6.3f} {ln:6.3f}  {'' if pathways is None else pathways:>8}  {words}")
    models = labels(study.evaluation, "model")
    for i, model in enumerate(models):
        print(f"mean score, {model}: {float(study.evaluation['mean_score'].values[i]):.3f}")


def main(folder):
    study = Study(folder)
    if study.evaluation is None:
        sys.exit(f"{folder}: there is no evaluation.h5; run `amacrine evaluate` first")
    page = Page("Ganglion cells and their mechanisms", LEAD)
    overview(page, study)
    learning(page, study)
    filters(page, study)
    phenomena(page, study)
    mechanisms(page, study, "network", "Mechanisms in the network", "Every response is attributed exactly to the first layer's units along the path from grey, summed as the stimulus' symmetry "
               "allows, and the pathways that matter are kept. Excitation and inhibition are signs of a pathway's worth, not of its contribution: an inhibitory pathway that falls silent adds to the response.")
    mechanisms(page, study, "circuit", "The same analysis on the circuits themselves", "The planted circuits are networks too: here the true answer is known, and the pathways found must be theirs.")
    provenance(page, study)
    path = os.path.join(folder, "report.html")
    page.write(path)
    print_table(study)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: report.py RESULTS_FOLDER")
    main(sys.argv[1])
