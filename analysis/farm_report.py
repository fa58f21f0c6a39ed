# SPDX-License-Identifier: Apache-2.0
"""One page over many models: `report.py RESULTS_FOLDER --models 'trials/*'` draws models.html."""
import html
import os
from collections import Counter

import numpy as np

import figures_farm as figures
from agreement import Agreement, kind_name, kinds_words, time_words
from farm import STEPS, Farm
from page import Page
from pathways import planted_words
from phenomena import TITLES

LEAD = "The same cells, seen by many models: how well each predicts them, what all of them show, and how far their mechanisms agree."
LEAD_SESSIONS = "Cells of several recordings, seen by one network with a readout for each recording: how well it predicts them, what it shows, and by which mechanisms."
CONTRAST = {"circuits": "dark", "bright": "bright"}
SHORT = {"osr": "omitted\nstimulus", "latency": "latency\ncoding", "reversal": "motion\nreversal", "anticipation": "motion\nanticipation"}


def number(value, form=".3f"):
    return f"{value:{form}}" if np.isfinite(value) else "–"


def shown_by(model):
    """(cell, phenomenon, set) that a model shows."""
    return [key for key, flag in model.present.items() if flag == 1]


def model_row(farm, model):
    """Name, settings, mean score, phenomena, mechanisms and steps that are missing, as text."""
    have = lambda step: step not in model.missing
    of_circuit = [key for key in shown_by(model) if farm.shown is None or key in farm.shown]
    known = "" if farm.shown is None else f" of {len(farm.shown & set(model.present))}"
    named = sum(each.why is None for each in model.mechanism.values())
    return [model.name, model.sets, number(model.mean_score), f"{len(of_circuit)}{known}" if have("probe") else "–",
            f"{named} of {len(model.mechanism)}" if have("reduce") else "–", ", ".join(missing_steps_of(model)) or ""]


def missing_steps_of(model):
    return ["all"] if "train" in model.missing else list(model.missing)


def missing_rows(farm):
    """(model, what is missing, reason) of every result that a model lacks, and of every mechanism that is not named."""
    rows = []
    for model in farm.models:
        reasons = {}
        for step in missing_steps_of(model):
            reasons.setdefault(model.missing["train" if step == "all" else step], []).append("all results" if step == "all" else f"{step} ({STEPS[step]})")
        rows += [(model.name, ", ".join(steps), reason) for reason, steps in reasons.items()]
        unnamed = {}
        for cell, mechanism in model.mechanism.items():
            if mechanism.why is not None:
                unnamed.setdefault(mechanism.why, []).append(cell)
        rows += [(model.name, "mechanism of " + ", ".join(cells), reason) for reason, cells in unnamed.items()]
    return rows


def overview(page, farm):
    page.section("In short")
    have = lambda step: len(farm.having(step))
    page.text(f"{len(farm.models)} models of <code>{html.escape(farm.pattern)}</code>: {have('evaluate')} evaluated, {have('probe')} probed, {have('reduce')} reduced. "
              "What is missing, and why, is in the next section.")
    sets = any(model.sets for model in farm.models)
    shown = "phenomena of the cells that it shows" if farm.shown is not None else "phenomena it shows"
    rows = []
    for model in farm.models:
        name, settings, *rest, lacks = (html.escape(words) for words in model_row(farm, model))
        rows.append([name, *([(settings, "text")] if sets else []), *rest, (lacks, "no text" if lacks else "text")])
    page.table(["model", *([("sets", "text")] if sets else []), "mean score (r)", shown, "cells with a mechanism", ("results missing", "text")], rows)
    against = sorted({model.reference for model in farm.models if model.reference})
    words = {"noiseless": "the simulated rate without noise", "trial_mean": "the mean over trials"}
    page.text("Best models first. Score: Pearson's r with " + " or ".join(words.get(each, each) for each in against) + ", over the whole test movie." if against else
              "No model is evaluated: run <code>amacrine evaluate STUDY --models ...</code>.", "quiet")


def left_out(page, farm):
    page.section("What is missing")
    rows = missing_rows(farm)
    if not rows:
        page.text("Nothing: every model has all results, and a mechanism of every cell.")
        return
    page.text("These are in no count and no figure below; counts say of how many models they are.")
    page.table(["model", ("missing", "text"), ("reason", "text")], [[html.escape(name), (html.escape(what), "text"), (html.escape(reason), "text")] for name, what, reason in rows])


def scores(page, farm, cells):
    models = farm.having("evaluate")
    if not models:
        return
    page.section("Scores")
    ceilings = figures.ceilings_of(models, cells)
    without = [cell for cell, ceiling in zip(cells, ceilings) if not np.isfinite(ceiling)]
    note = f" Without repeats there is no ceiling ({', '.join(without)})." if without else ""
    page.figure(figures.scores(farm, cells), "Score per cell over all models", "Each dot is a model, the best models on the left of each cell; r between the predicted rate and the mean over trials "
                "of the test movie. Dashed: the noise ceiling, the r that the cell's true rate would have with this mean, so no model can be expected above it." + html.escape(note))
    rows = []
    for cell, ceiling in zip(cells, ceilings):
        values = np.array([model.pearson_r.get(cell, np.nan) for model in models])
        known = values[np.isfinite(values)]
        share = np.median(known) / ceiling if len(known) and ceiling > 0 else np.nan
        rows.append([html.escape(cell), number(ceiling), *(number(f(known) if len(known) else np.nan) for f in (np.max, np.median, np.min)), number(100 * share, ".0f"), f"{len(known)} of {len(values)}"])
    page.table(["cell", "noise ceiling", "best", "median", "worst", "median, % of the ceiling", "models with a score"], rows)


def phenomenon_counts(farm):
    """(models that show it, models probed) by (cell, phenomenon, set)."""
    counts = {}
    for model in farm.having("probe"):
        for key, flag in model.present.items():
            k, n = counts.get(key, (0, 0))
            counts[key] = (k + (flag == 1), n + 1)
    return counts


def phenomena(page, farm, cells):
    counts = phenomenon_counts(farm)
    if not counts:
        return
    page.section("Phenomena")
    columns = sorted({key[1:] for key in counts}, key=lambda column: (list(TITLES).index(column[0]), column[1] != "circuits", column[1]))
    titles = [f"{SHORT[name]}\n({CONTRAST.get(of, of)})" for name, of in columns]
    framed = " Framed: the cell's circuit shows it." if farm.shown is not None else ""
    page.figure(figures.phenomena_grid(counts, cells, columns, titles, farm.shown), "Models that show each phenomenon", f"Of the models that were probed with these stimuli, how many show the phenomenon.{framed}")
    if farm.shown is None:
        page.text("What the cells themselves show is not known here: probe the circuits of a simulated recording with <code>amacrine probe STUDY</code>, or read these as predictions.", "quiet")
        return
    place = lambda where, what: where.index(what) if what in where else len(where)
    rows = [verdict_row(farm, key, counts.get(key, (0, 0))[1]) for key in sorted(farm.shown, key=lambda key: (place(cells, key[0]), place(columns, key[1:]), key))]
    page.table(["cell", ("phenomenon of its circuit", "text"), "models probed", "reproduced", "in part", "not"], rows)
    page.text("Reproduced: the phenomenon is there with the circuit's figures, and the responses correlate with the circuit's. Models that were shown other stimuli than the circuit are counted as probed only.", "quiet")


def verdict_row(farm, key, probed):
    found = Counter(model.verdict[key] for model in farm.having("probe") if key in model.verdict)
    cell, name, of = key
    return [html.escape(cell), (TITLES[name].lower() + f" ({CONTRAST.get(of, of)})", "text"), probed, *(found.get(verdict, 0) for verdict in ("yes", "in part", "no"))]


def mechanism_row(each):
    """A cell's line: models that name a mechanism, their number of pathways, what most have in common, and what was planted."""
    numbers = ", ".join(f"{n} in {count}" for n, count in sorted(each.numbers().items())) or "–"
    kinds, count = each.commonest()
    alone = count == 1 and len(each.mechanisms) > 1
    common = "–" if count == 0 else "no two models alike" if alone else f"{kinds_words(kinds)} (in {count} of {len(each.mechanisms)})"
    planted = [] if each.planted is None else [(planted_words(each.planted.elements()), "text"), f"{each.like_planted()} of {len(each.mechanisms)}"]
    return [html.escape(each.cell), f"{len(each.mechanisms)} of {len(each.mechanisms) + len(each.unnamed)}", (numbers, "text"), (common, "text"), *planted]


def kind_rows(agreements):
    """A line per cell and kind: models that have it, times of its filter's peak, and both as planted."""
    rows = []
    for each in agreements:
        for kind in each.kinds():
            planted = "" if each.planted is None else str(each.planted.get(kind, 0))
            rows.append([html.escape(each.cell), (kind_name(kind), "text"), f"{each.models_with(kind)} of {len(each.mechanisms)}", time_words(each.times(kind)), planted, time_words(each.planted_times.get(kind, []))])
    return rows


def mechanisms(page, farm, cells):
    agreements = [Agreement(farm, cell) for cell in cells]
    agreements = [each for each in agreements if each.mechanisms or each.unnamed]
    if not agreements:
        return
    page.section("Mechanisms", "Of each model and cell the one set of pathways that serves all stimuli, those with a weight. Models whose mechanism of a cell is not named are not counted for that cell.")
    known = any(each.planted is not None for each in agreements)
    page.figure(figures.numbers_grid(agreements), "Number of pathways", "How many models name a mechanism of so many pathways." + (" Framed: the number of units that were planted." if known else ""))
    drawing = figures.kinds_over_time(agreements)
    if drawing:
        circuit = any(each.planted_times for each in agreements)
        page.figure(drawing, "Pathways by kind and time", "Each dot is a pathway of one model, at the time before the response at which its filter peaks; red excites, blue inhibits, "
                    "grey does both. At the right: in how many of the models that name a mechanism."
                    + (" ◆: planted." if known else "") + (" Bars: pathways of the circuit itself, by the same analysis." if circuit else ""))
    header = ["cell", "models that name one", ("number of pathways", "text"), ("commonest pathways", "text")]
    page.table(header + ([("planted", "text"), "models with these kinds"] if known else []), [pad(mechanism_row(each), 6 if known else 4) for each in agreements])
    page.table(["cell", ("kind", "text"), "models that have it", "peak (ms), median and range", "planted", "peak in the circuit (ms)"], kind_rows(agreements))
    if known:
        page.text("The cells are simulated, so their mechanism is known. Models that predict a cell alike need not carry its response by the same pathways, and "
                  "agreement among models is no proof that the pathways are the cell's.", "quiet")


def pad(row, length):
    return row + [""] * (length - len(row))


def print_table(farm):
    """The overview as text, and what is missing."""
    print(f"{'model':24s} {'score':>6s}  {'phenomena':>9s}  {'mechanisms':>10s}  missing")
    for model in farm.models:
        name, _, score, shown, named, missing = model_row(farm, model)
        print(f"{name:24s} {score:>6s}  {shown:>9s}  {named:>10s}  {missing}")
    for name, what, reason in missing_rows(farm):
        print(f"{name}: {what}: {reason}")


def main(folder, pattern):
    farm = Farm(folder, pattern)
    cells = farm.cells()
    sessions = all(model.session for model in farm.models)
    page = Page(f"{'Sessions' if sessions else 'Models'} of {os.path.basename(os.path.normpath(folder))}", LEAD_SESSIONS if sessions else LEAD)
    overview(page, farm)
    left_out(page, farm)
    scores(page, farm, cells)
    phenomena(page, farm, cells)
    mechanisms(page, farm, cells)
    path = os.path.join(folder, "models.html")
    page.write(path)
    print_table(farm)
    print(path)
