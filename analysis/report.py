#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""report.py RESULTS_FOLDER: draws report.html from a study's result files and prints the study's short table.
report.py RESULTS_FOLDER --models 'trials/*': draws models.html over all models of these folders, seen from RESULTS_FOLDER."""
import argparse
import html
import os
import sys

import numpy as np

import damage
import farm_report
import figures_lesions
import figures_mechanism as mechanism
import figures_pathways
import figures_training as training
from figures_phenomena import DRAW
from fitted import found_kinds, number_of, number_words, planted_kinds, sure_words
from mechanism import write_mechanisms
from mechanism_network import layer_words
from page import Page
from pathways import found_words, pathway_name, planted_words, stimulus_title, used, why_no_cell, why_none
from phenomena import CAPTIONS, LEAST_TRACE_CORRELATION, TITLES, UNJUDGED, figure_text, reproduces, shows, trial_noise
from results import Study, labels, text

LEAD = ("From a recording of ganglion cells to the pathways that make their responses: how well the model predicts the cells, which of the field's four "
        "predictive phenomena it shows, which interneurons carry each of them, and how few are enough.")
SHORT_LEAD = "From a recording of ganglion cells to the pathways that make their responses; what is here of it."

# Of a study's results: attribute of Study, what the page shows of it, and the step that makes it.
PARTS = (("pathways", "what each cell computes, from its spikes alone", "fit"), ("evaluation", "scores and predicted rates", "evaluate"), ("responses", "the four phenomena", "probe"),
         ("attributions", "what the network's first layer sees", "attribute"), ("reductions", "mechanisms in the network", "reduce"))

CONTRAST = {"circuits": "dark", "bright": "bright"}


def told(study, cell):
    """(phenomenon, parameter set, verdict) of everything a cell is known to show; where nothing is known, of what the network shows."""
    found = []
    for name in study.sets():
        subjects = study.responses_of(name)
        truth, network = subjects.get("circuit"), subjects.get("network")
        judge = truth if truth is not None else network
        for phenomenon in shows(judge, cell) if judge is not None else []:
            verdict = UNJUDGED if truth is None else reproduces(truth, network, cell, phenomenon) if network is not None else None
            found.append((phenomenon, name, verdict))
    return found


def told_name(phenomenon, set_name):
    """"latency coding (bright)"; the dark set needs no word."""
    return TITLES[phenomenon].lower() + ("" if set_name == "circuits" else f" ({CONTRAST.get(set_name, set_name)})")


def summary_rows(study):
    """Per cell: score, LN score, phenomena in circuit and network, pathways found."""
    rows = []
    models = labels(study.evaluation, "model")
    reduction, joint = study.reductions.get("network"), study.joint.get("network")
    reduced = [] if reduction is None else labels(reduction, "cell")
    for n, cell in enumerate(labels(study.evaluation, "cell")):
        score = {m: float(study.evaluation["score"].values[i, n]) for i, m in enumerate(models)}
        at = reduced.index(cell) if cell in reduced else None
        pathways = None if at is None else "not named" if why_none(reduction, joint, (at,)) else len(used(joint, (at,)))
        rows.append((cell, score.get("network", np.nan), score.get("ln", np.nan), told(study, n), pathways))
    return rows


def told_title(study):
    """Title of the overview's column of phenomena: only a circuit says what the cell itself does."""
    return "phenomena of the cell (shown by the network?)" if "circuit" in study.responses else "phenomena the network shows"


def none_told(study):
    return "none of the four" if "circuit" in study.responses or "network" in study.responses else "not probed"


def overview(page, study):
    if study.evaluation is None and study.pathways is None:
        return
    page.section("In short")
    what_cells_compute(page, study)
    if study.evaluation is not None:
        network_in_short(page, study)


def what_cells_compute(page, study):
    """Per cell the pathways fitted to its spikes, how sure they are, and what was planted."""
    if study.pathways is None:
        return
    page.heading("What each cell computes")
    rows = [[cell, *((html.escape(words), "text") for words in (found_kinds(study.pathways, n), sure_words(study.pathways, n), layer_words(study.pathways, n))),
             *([(html.escape(planted_kinds(study.planted[cell]).removeprefix("planted: ")), "text")] if cell in study.planted else [("", "text")] if study.planted else [])]
            for n, cell in enumerate(labels(study.pathways, "cell"))]
    page.table(["cell", ("rectified pathways fitted to its spikes", "text"), ("how sure", "text"), ("is one layer of them enough?", "text"), *([("planted", "text")] if study.planted else [])], rows)
    page.text("Few pathways, as many as held-out spikes ask for. Claims that a third of the other fits dispute are named as disputed; filters, places and weights are under &ldquo;Pathways fitted to "
              "the spikes&rdquo;.", "quiet")


def network_in_short(page, study):
    """Per cell how well the deep network predicts it, the phenomena it shows, and how many of its channels carry them."""
    page.heading("What the network makes of it")
    rows = []
    for cell, score, ln, known, pathways in summary_rows(study):
        words = "<br>".join(f"{told_name(n, k)}: <span class=\"{dict(yes='yes', no='no').get(v, 'part')}\">{v}</span>" for n, k, v in known) or none_told(study)
        rows.append([cell, f"{score:.2f}", "" if np.isnan(ln) else f"{ln:.2f}", (words, "text"), "" if pathways is None else pathways])
    page.table(["cell", "score (r)", "LN", (told_title(study), "text"), "pathways of the network"], rows)
    page.text("Score is Pearson's r between the predicted rate and the " + ("simulated rate without noise" if study.score_reference == "noiseless" else "mean over trials") +
              ", first 40 frames dropped, over the whole test movie.", "quiet")
    if "circuit" in study.responses:
        page.text("&ldquo;In part&rdquo; means the effect points the right way and is large enough to measure, but is well short of the cell's, or the responses themselves "
                  f"correlate with the cell's by less than {LEAST_TRACE_CORRELATION:g}.", "quiet")
    planted_and_found(page, study)


def planted_rows(study):
    """Per cell of a simulated recording: what was planted and what was found, units and phenomena."""
    reduction, joint = study.reductions.get("network"), study.joint.get("network")
    if not study.planted or reduction is None:
        return []
    reduced, probed = labels(reduction, "cell"), study.sets()
    rows = []
    for n, cell in enumerate(labels(study.evaluation, "cell")):
        if cell not in study.planted or cell not in reduced:
            continue
        shown = {}
        for subject in ("circuit", "network"):
            views = [(name, study.responses_of(name)) for name in probed]
            shown[subject] = ", ".join(told_name(p, name) for name, view in views if subject in view for p in shows(view[subject], n)) or "none"
        rows.append((cell, planted_words(study.planted[cell]), found_words(reduction, joint, reduced.index(cell)), shown["circuit"], shown["network"]))
    return rows


def planted_and_found(page, study):
    rows = planted_rows(study)
    if not rows:
        return
    page.heading("Planted, and found in the network")
    page.table(["cell", *((title, "text") for title in ("units planted", "pathways of the network", "phenomena of the circuit", "phenomena of the network"))],
               [[cell, *((words, "text") for words in rest)] for cell, *rest in rows])
    page.text("The cells are simulated, so their mechanism is known. Found: the pathways of the one set that serves all stimuli, those with a weight. A network can predict a cell well and still carry "
              "its response by other pathways than the planted ones.", "quiet")


def missing(page, study):
    rows = [[what, (f"<code>amacrine {step}</code>", "text")] for name, what, step in PARTS if not there(study, name)]
    if rows:
        page.section("What is missing")
        page.table(["not in this folder", ("made by", "text")], rows)


def there(study, part):
    """Whether a result is in the folder, of any subject where there are several."""
    found = getattr(study, part)
    return found is not None and len(found) > 0


def learning(page, study):
    if study.evaluation is None and not study.curves:
        return
    page.section("Learning", "The network saw the recording as overlapping windows of 400 ms; it was never shown a flash train or a bar.")
    if study.curves:
        page.figure(training.learning_curves(study.curves), "Learning curves", "Left: the loss on training and on held-out time falls. Right: the correlation with "
                    "single noisy trials, whose ceiling is well below 1. Curves that still rise at the end say that more training would give more.")
    if study.evaluation is None:
        return
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
                    "Bottom: the same in time, the present at the right. ON and OFF follow the earliest lobe in time that stands out of the noise, as physiologists would; where the largest lobe answers the other, both are named.")


def phenomena(page, study):
    if not study.responses:
        return
    page.section("The four phenomena", "Stimuli the model was never trained on, dark and bright. A phenomenon counts only where the response stands 3 Hz above rest with its peak inside the measuring window.")
    cells = labels(next(iter(study.responses.values())), "cell")
    views = {name: study.responses_of(name) for name in study.sets()}
    if "circuit" not in study.responses:
        page.text("How the cells themselves answer these stimuli is not known here: the figures are drawn where the network shows a phenomenon, as its prediction.")
    for phenomenon, title in TITLES.items():
        page.heading(title)
        rows = []
        for n, cell in enumerate(cells):
            for name, subjects in views.items():
                truth = {"recorded": subjects.get("circuit")}
                rows.append([cell, CONTRAST.get(name, name), *[figure_text(data, n, phenomenon, truth.get(subject)) for subject, data in subjects.items()]])
        page.table(["cell", "stimuli", *study.responses.keys()], rows)
        if "recorded" in study.responses:
            page.text(trial_noise(study.responses["recorded"]), "quiet")
        for n, cell in enumerate(cells):
            for name, subjects in views.items():
                judge = subjects.get("circuit", subjects.get("network"))
                # every cell has its own conditions for bars, at its own centre
                drawing = DRAW[phenomenon](subjects, n) if judge is not None and phenomenon in shows(judge, n) else None
                if drawing:
                    grey = " Grey area: the circuit." if phenomenon == "osr" and "circuit" in subjects else ""
                    caption = CAPTIONS[phenomenon] if name != "bright" else CAPTIONS[phenomenon].replace("dark", "bright")
                    page.figure(drawing, f"{told_name(phenomenon, name).capitalize()}, cell {cell}", caption + grey)


OWN = {"osr": "osr", "latency": "latency", "reversal": "reversal", "anticipation": "anticipation", "moving_bar": "anticipation"}


def carries_phenomenon(study, cell, stimulus):
    """Whether a stimulus shows a phenomenon of the cell (of the network, where the cell's own are not known), so that its pathways are worth a figure."""
    family, _, name = stimulus.partition("@")
    subjects = study.responses_of(name or "circuits") if (name or "circuits") in study.sets() else {}
    judge = subjects.get("circuit", subjects.get("network"))
    if judge is None or cell not in labels(judge, "cell"):
        return True
    return OWN.get(family) in shows(judge, labels(judge, "cell").index(cell))


def mechanism_rows(reduction):
    """Per cell and stimulus: pathways by name or why there are none, their share, and how well they stand in for the network."""
    rows = []
    number = lambda value: "" if np.isnan(value) else f"{value:.2f}"
    for n, cell in enumerate(labels(reduction, "cell")):
        why = why_no_cell(reduction, n)
        if why:
            rows.append([cell, ("all", "text"), (why, "text"), "", "", ""])
            continue
        for s, stimulus in enumerate(labels(reduction, "stimulus")):
            words = why_none(reduction, reduction, (n, s)) or "; ".join(pathway_name(reduction, n, (s, p)) for p in used(reduction, (n, s))) or "none with a weight"
            rows.append([cell, (stimulus_title(stimulus), "text"), (words, "text"), *(number(float(reduction[v].values[n, s])) for v in ("share_kept", "r_fitted", "r_held_out"))])
    return rows


def mechanisms(page, study, subject, title, text):
    reduction = study.reductions.get(subject)
    if reduction is None:
        return
    page.section(title, text)
    attributions = study.attributions.get(subject)
    turned = attributions is not None and bool((attributions["gain"].values < 0).any())
    page.table(["cell", ("stimulus", "text"), ("pathways, most important first", "text"), "share", "r with network", "r held out"], mechanism_rows(reduction))
    for n, cell in enumerate(labels(reduction, "cell")):
        if why_no_cell(reduction, n):
            continue
        page.heading(f"Cell {cell}")
        page.figure(mechanism.shares(reduction, n), f"Channels behind cell {cell}", "Share of each first-layer channel in the summed absolute attribution of each stimulus, over the whole response.")
        for s, stimulus in enumerate(labels(reduction, "stimulus")):
            condition = mechanism.representative(reduction, n, s)
            if condition is None or why_none(reduction, reduction, (n, s)) or not used(reduction, (n, s)) or not carries_phenomenon(study, cell, stimulus):
                continue
            name = stimulus_title(stimulus)
            page.figure(mechanism.pathway_traces(reduction, n, condition), f"Pathways of cell {cell}, {name}", "For the condition with the largest response "
                        f"(<code>{labels(reduction, 'condition')[condition]}</code>). Left: W*s, the movie passed through the filter of the pathway's channel, "
                        "which is all the channel sees of it; 0 is the grey screen. "
                        "Middle: G, the rate the cell gains for each unit of W*s, in Hz; above zero the pathway excites the cell, below zero it inhibits it"
                        + (" (the other way round where the channel's gain is negative)" if turned else "") +
                        ". Right: A, what each pathway adds to the rate above rest (black), piled up; areas below zero take away. Grey: all the rest.")
            page.figure(mechanism.reduced_responses(reduction, n, s), f"The reduced model of cell {cell}, {name}", "Grey: the full network. Red: a model of only these pathways, with fitted weights "
                        "and thresholds. Starred conditions were kept out of the fit.")


LESIONS_LEAD = ("Units of the first layer are removed from the network: held at their activity on grey. Kept alone, the units that matter leave the response as it is; removed, they take it along. "
                "Several orders of the units are compared, that of the attributions in colour. CMD is the area between the response that is left and the whole one, over the part of units kept "
                "(Mueller et al. 2025): 0 where few units are enough.")


def lesions(page, study):
    data = study.lesions
    if data is None:
        return
    page.section("The network without its units", LESIONS_LEAD)
    page.table(["cell", ("stimulus", "text"), "windows", *(figures_lesions.ORDERS[name][0] for name in labels(data, "order")), "pathways alone"], figures_lesions.cmd_rows(data))
    page.text("CMD of each order, of random ones the mean and standard deviation over draws. Windows: how many the curves are of, evenly spaced among those that respond. Pathways alone: the part of the response "
              "that is left where the units of all pathways of the reduction keep their activity and all others are removed; 1 is all of it.", "quiet")
    for n, cell in enumerate(labels(data, "cell")):
        if not figures_lesions.shown(data, n):
            page.text(f"Cell {cell} is silent under all of these stimuli: there is nothing to remove.")
            continue
        left_out = "; silent, so without curves: " + ", ".join(figures_lesions.silent(data, n)) if figures_lesions.silent(data, n) else ""
        page.figure(figures_lesions.of_cell(data, n), f"Units of the network behind cell {cell}", "Part of the response that is left where the first units of an order are the only ones (above), and where "
                    f"they are removed (below). Red: ordered by path attribution, dotted by its sign too; grey: other orders; grey area: random orders, mean and standard deviation{left_out}.")
        for s in figures_lesions.shown(data, n):
            drawing = figures_lesions.without_pathways(data, n, s) if carries_phenomenon(study, cell, labels(data, "stimulus")[s]) else None
            if drawing:
                page.figure(drawing, f"Cell {cell} without its pathways, {stimulus_title(labels(data, 'stimulus')[s])}", "Grey: the network, for the condition with the largest response; "
                            "in colour: the network with all units of one pathway held at their activity on grey, pathways numbered as in the reduction; black: with all other units held there. Dotted: the rate on grey.")


FITTED_LEAD = ("Models of few rectified pathways with free filters, fitted to each cell's spikes alone; no network takes part. Pathways are added one by one, and the fewest are kept "
               "whose likelihood of held-out spikes is not clearly below the best. A claim counts as disputed where a third or more of the other fits, to the halves of the recording and from another "
               "start where that fits as well, say something else.")


def fitted_caption(data, n):
    micrometres = " and micrometres" if float(data.attrs.get("pixel_um", 0)) > 0 else ""
    return ("Red excites, blue inhibits, grey: neither is known; dashed: the sign is disputed. Left: the filter over time, the present at the right, dotted where it is largest; above zero light drives the "
            f"pathway, below zero darkness does, and ON and OFF follow the lobe nearest to the response that is not small. Middle: over space, in pixels{micrometres} from the receptive field's centre; amber parts see light the other way round; +: its place. "
            "w: weight on the rate's input for an activity of 1. Silent: below its threshold. "
            "Right: minus log likelihood of held-out spikes above the lowest, by the number of pathways, with two standard errors; large dot: the number chosen. The axis is linear up to 0.1, logarithmic above.")


def fitted_rows(study):
    """(cell, what was fitted, what was planted) in words."""
    if study.pathways is None:
        return []
    cells = labels(study.pathways, "cell")
    return [(cell, number_words(study.pathways, n), planted_kinds(study.planted[cell]) if cell in study.planted else "") for n, cell in enumerate(cells)]


def fitted_pathways(page, study):
    if study.pathways is None:
        return
    files = [below for below, _ in write_mechanisms(study)]
    page.section("Pathways fitted to the spikes", FITTED_LEAD)
    for n, (cell, found, planted) in enumerate(fitted_rows(study)):
        page.heading(f"Cell {cell}")
        page.text(html.escape(found[0].upper() + found[1:]) + "." + (f"<br>{html.escape(planted[0].upper() + planted[1:])}." if planted else ""))
        page.text(f'All of this as numbers: <a href="{files[n]}">{files[n]}</a>.', "quiet")
        if number_of(study.pathways, n) >= 0:
            page.figure(figures_pathways.pathways_of_cell(study.pathways, n), f"Pathways fitted to cell {cell}", fitted_caption(study.pathways, n))


def provenance(page, study):
    page.section("How this was made")
    facts = study.provenance()
    skip = {"study", "step_study", "_NCProperties"}
    page.details("Program, machine and inputs", "\n".join(f"{k} = {text(v)}" for k, v in sorted(facts.items()) if k not in skip and not k.startswith("_")))
    for key in ("study",):
        if key in facts:
            page.details("The resolved study", text(facts[key]))


def print_scores(study):
    print(f"{'cell':28s} {'score':>6s} {'LN':>6s}  {'pathways':>8s}  {told_title(study)}")
    for cell, score, ln, known, pathways in summary_rows(study):
        words = ", ".join(f"{n if k == 'circuits' else f'{n} {CONTRAST.get(k, k)}'} ({v})" for n, k, v in known) or none_told(study)
        print(f"{cell:28s} {score:6.3f} {ln:6.3f}  {'' if pathways is None else pathways:>8}  {words}")
    for cell, planted, found, *_ in planted_rows(study):
        print(f"{cell + ', planted':28s} {planted}")
        print(f"{cell + ', found':28s} {found}")
    models = labels(study.evaluation, "model")
    for i, model in enumerate(models):
        print(f"mean score, {model}: {float(study.evaluation['mean_score'].values[i]):.3f}")


def print_table(study):
    if study.evaluation is not None:
        print_scores(study)
    if study.lesions is not None:
        for cell, (stimulus, _), windows, *cmd, alone in figures_lesions.cmd_rows(study.lesions):
            words = ", ".join(f"{name} {value}" for name, value in zip(labels(study.lesions, "order"), cmd))
            print(f"CMD without its units, {cell}, {stimulus}: " + (windows if windows == "silent" else words + (f"; pathways alone leave {alone}" if alone else "")))
    for cell, found, planted in fitted_rows(study):
        print(f"fitted to the spikes, {cell}: {found}" + (f"; {planted}" if planted else ""))


def main(folder):
    with damage.explained([folder]):
        draw(folder)


def draw(folder):
    study = Study(folder)
    if not any(there(study, part) for part in ("lesions", *(name for name, *_ in PARTS))):
        damage.refuse(f"{folder}: there is neither evaluation.h5 nor pathways.h5; run `amacrine evaluate` or `amacrine fit` first")
    page = Page("Ganglion cells and their mechanisms", SHORT_LEAD if study.evaluation is None else LEAD)
    overview(page, study)
    missing(page, study)
    learning(page, study)
    filters(page, study)
    phenomena(page, study)
    mechanisms(page, study, "network", "Mechanisms in the network", "Every response is attributed exactly to the first layer's units along the path from grey, summed as the stimulus' symmetry "
               "allows, and the pathways that matter are kept. Excitation and inhibition are signs of a pathway's worth, not of its contribution: an inhibitory pathway that falls silent adds to the response.")
    mechanisms(page, study, "circuit", "The same analysis on the circuits themselves", "The planted circuits are networks too: here the true answer is known, and the pathways found must be theirs.")
    lesions(page, study)
    fitted_pathways(page, study)
    provenance(page, study)
    path = os.path.join(folder, "report.html")
    page.write(path)
    print_table(study)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="RESULTS_FOLDER")
    parser.add_argument("--models", metavar="PATTERN", help="folders of models, seen from RESULTS_FOLDER")
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments()
    if asked.models is None:
        main(asked.folder)
    else:
        farm_report.main(asked.folder, asked.models)
