# SPDX-License-Identifier: Apache-2.0
"""What stands beside the pathways of a cell in its mechanism file: how well models predict it, and what network and circuit show."""
import math

import numpy as np

import pathways
from fitted import SIGN, number_of, why_not_fitted
from mechanism_values import of_another_recording, put, put_list, settings_of
from phenomena import REASON, TITLES
from results import labels, text

SCORES = "Pearson r over the test movie without its first discarded_frames frames (docs/metrics.md): score_r with the rate named by score_reference, pearson_r with the mean over trials"
NO_RULE = "pathways.h5 is of an older program, which did not judge it: run `amacrine fit` again"
PRESENCE = {1: "present", 0: "not measured", -1: "too weak", -2: "on edge", -3: "too few", -4: "not above expected", -5: "no effect", -6: "uncertain"}
# Figures of each phenomenon by their names in responses files, which hold the units; those of anticipation are per direction.
FIGURES = {"osr": ("osr_slope", "osr_slope_low", "osr_slope_high", "osr_ratio", "osr_ratio_low", "osr_ratio_high", "osr_max_deviation_ms"),
           "latency": ("latency_shift_ms", "latency_shift_ms_low", "latency_shift_ms_high", "latency_centroid_shift_ms", "latency_monotonic"),
           "reversal": ("reversal_latency_mean_ms", "reversal_latency_sd_ms", "reversal_latency_sd_ms_low", "reversal_latency_sd_ms_high", "reversal_ratio", "reversal_ratio_low", "reversal_ratio_high"),
           "anticipation": ("anticipation_ahead_um", "anticipation_ahead_um_low", "anticipation_ahead_um_high")}


def key_of(name):
    """The interval of a figure keeps its unit at the end: latency_shift_low_ms."""
    for end in ("_low", "_high"):
        for unit in ("_ms", "_um"):
            if name.endswith(unit + end):
                return name.removesuffix(unit + end) + end + unit
    return name


def correlation(a, b):
    """Pearson r where both are known; NaN where one of them is constant."""
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 2 or not (np.ptp(a[both]) > 0 and np.ptp(b[both]) > 0):
        return math.nan
    return float(np.corrcoef(a[both], b[both])[0, 1])


class Reference:
    """Rates of the test part that predictions are compared with: of evaluation.h5 where that is of the same recording, or else of the recording."""

    def __init__(self, study, source, n):
        self.noiseless = self.trial_mean = None
        self.at, self.why_no_network = evaluated(study, n)
        if self.at is not None:
            data = study.evaluation
            self.source, self.kind, self.discarded = "evaluation.h5", study.score_reference, int(data.attrs.get("discarded_frames", 0))
            self.noiseless = data["noiseless_rate"].values[self.at] if "noiseless_rate" in data else None
            self.trial_mean = data["trial_mean_rate"].values[self.at]
            return
        of_cell = source.id_of(study, n)[0]
        self.discarded = int(settings_of(study.pathways, "study").get("evaluation", {}).get("discard_frames", 0))
        self.noiseless, self.trial_mean = (None if each is None else each[self.discarded:] for each in (source.simulated("test/rate", of_cell) if simulated_rate(source) else None, source.response(of_cell)))
        self.source, self.kind = source.path, "noiseless" if self.noiseless is not None else "trial_mean"

    def score(self, rate):
        """(score_r, pearson_r) of a predicted rate over the whole test movie."""
        predicted = rate[self.discarded:]
        r = [math.nan if each is None or len(each) != len(predicted) else correlation(predicted, each) for each in (self.noiseless, self.trial_mean)]
        return (r[0] if self.kind == "noiseless" else r[1]), r[1]


def simulated_rate(source):
    return bool(source.planted)


def evaluated(study, n):
    """(place of cell n of pathways.h5 in evaluation.h5 or None, why not)."""
    if study.evaluation is None:
        return None, "evaluation.h5 is not in the folder: run `amacrine evaluate`"
    cell = labels(study.pathways, "cell")[n]
    if cell not in labels(study.evaluation, "cell"):
        return None, f"evaluation.h5 has no cell {cell}"
    if of_another_recording(study):
        return None, "evaluation.h5 is of another recording than pathways.h5 (their checksums of it differ)"
    return labels(study.evaluation, "cell").index(cell), ""


def scores_of(data, model, at):
    """Figures and intervals of a model of evaluation.h5."""
    i, found = labels(data, "model").index(model), {}
    for name, key in (("score", "score_r"), ("pearson_r", "pearson_r"), ("fev", "fev"), ("feve", "feve")):
        put(found, key, data[name].values[i, at], "not defined for this cell (evaluation.h5)")
        if f"{name}_interval" in data:
            put_list(found, f"{key}_interval", data[f"{name}_interval"].values[i, at], "no interval in evaluation.h5")
    return found


def why_no_score(data, n, reference):
    if number_of(data, n) <= 0:
        return why_not_fitted(data, n) if number_of(data, n) < 0 else "a model without pathways predicts a constant rate, which has no correlation"
    if "rate" not in data or not reference.source:
        return "`rate` is not in pathways.h5" if "rate" not in data else "neither evaluation.h5 nor the recording is there"
    return "the test part has no such response of as many frames, or rate or response do not vary"


def prediction_of(study, source, n):
    """Scores of the pathway model and, from evaluation.h5, of the network, the linear-nonlinear model, and the ceiling."""
    reference, data = Reference(study, source, n), study.pathways
    found = {"definition": SCORES, "score_reference": reference.kind if reference.source else None, "reference_from": reference.source, "discarded_frames": reference.discarded}
    if not reference.source:
        found["score_reference_why"] = found["reference_from_why"] = "neither evaluation.h5 nor the recording is there"
    scores = reference.score(data["rate"].values[n].astype(float)) if "rate" in data else (math.nan, math.nan)
    found["pathways"] = {}
    for key, r in zip(("score_r", "pearson_r"), scores):
        put(found["pathways"], key, r, why_no_score(data, n, reference))
    own = number_of(data, n)
    for key, name in (("held_out_above_lowest_nats_per_s", "held_out"), ("held_out_standard_error_nats_per_s", "held_out_error")):
        put(found["pathways"], key, data[name].values[n, own] if own >= 0 else math.nan, why_not_fitted(data, n))
    for model in ("network", "ln"):
        there = reference.at is not None and model in labels(study.evaluation, "model")
        found[model] = scores_of(study.evaluation, model, reference.at) if there else None
        if not there:
            found[f"{model}_why"] = reference.why_no_network or f"evaluation.h5 holds no model {model}"
    put(found, "noise_ceiling_r", study.evaluation["noise_ceiling"].values[reference.at] if reference.at is not None else math.nan, reference.why_no_network or "no ceiling (evaluation.h5)")
    found["noise_ceiling_of"] = "pearson_r: what the true rate would reach with this mean over trials"
    return found


VERDICT = {-1: "one layer is not enough", 0: "not judged", 1: "one layer is enough"}
NOT_JUDGED = {1: "the cell was not fitted", 2: "there was no network in the folder: run `amacrine train`, then `amacrine fit` again", 3: "the network in the folder is of other cells or of another kind of recording",
              4: "the network is no better, and the test part has no repeats that would say what both miss", 5: "the test part is too short",
              6: "the network is no better, but the pathways miss some of the variance that repeats: a better network would tell", 7: "the network is no better, but the largest number of pathways that was tried still gains (pathways.most)"}
LAYERS = (("best_number", "pathways"), ("test_loss", "pathways_loss_nats_per_s"), ("network_test_loss", "network_loss_nats_per_s"), ("network_above", "network_above_pathways_nats_per_s"), ("missed", "missed_share"))


def judged_layers(data, n):
    """The verdict of the fit and its figures (docs/pathways.md, "Is one layer enough?")."""
    verdict, reason = int(data["one_layer"].values[n]), NOT_JUDGED.get(int(data["not_judged"].values[n]))
    found = {"verdict": VERDICT[verdict]} | ({"reason": reason} if reason else {})
    for name, key in LAYERS:
        figure = float(data[name].values[n])
        put(found, key, int(figure) if name == "best_number" and figure >= 0 else figure if name != "best_number" else math.nan, reason or "not known in pathways.h5")
        if f"{name}_error" in data:
            put(found, key.replace("_nats_per_s", "") + "_standard_error" + ("_nats_per_s" if key.endswith("_nats_per_s") else ""), data[f"{name}_error"].values[n], reason or "not known in pathways.h5")
    return found


def layer_words(data, n):
    """"one layer is enough"; "not judged: there was no network in the folder, ..."; empty of files of older programs."""
    if "one_layer" not in data:
        return ""
    verdict, reason = VERDICT[int(data["one_layer"].values[n])], NOT_JUDGED.get(int(data["not_judged"].values[n]))
    return f"{verdict}: {reason}" if reason else verdict


def evidence_of(data, n):
    """By stimulus: which of the network's attributions follow which pathway, as the fit grouped them; None where it had none."""
    if "network_share" not in data or number_of(data, n) <= 0:
        return None
    found = {}
    for s, stimulus in enumerate(labels(data, "stimulus")):
        each, groups = {"pathways": []}, data["network_pathway"].values[n, s]
        silent = "the network does not respond to this stimulus, or its attributions to it cannot be grouped"
        for k in range(number_of(data, n)):
            of_pathway = {"pathway": k + 1, "groups": int((groups == k).sum())}
            put(of_pathway, "r", data["network_correlation"].values[n, s, k], "no units of the network follow this pathway")
            put(of_pathway, "attribution_share", data["network_share"].values[n, s, k], silent)
            of_pathway["lines"] = [line for line, row in zip(labels(data, "line"), groups) if (row == k).any()]
            each["pathways"].append(of_pathway)
        put(each, "rest_share", data["network_rest"].values[n, s], silent)
        found[stimulus] = each
    return found


def layers_of(study, prediction, n):
    """Whether one rectifying layer is enough; files of older programs hold no verdict, then the scores that bear on it."""
    if "one_layer" in study.pathways:
        return judged_layers(study.pathways, n)
    own, network = prediction["pathways"]["score_r"], (prediction["network"] or {}).get("score_r")
    if own is None or network is None:
        reasons = [prediction.get("network_why") or prediction["network"].get("score_r_why"), prediction["pathways"].get("score_r_why")]
        return {"verdict": "not known", "reason": "; ".join(each for each in reasons if each)}
    found = {"verdict": "not judged", "reason": NO_RULE, "score_reference": prediction["score_reference"], "pathways_score_r": own, "network_score_r": network,
             "network_score_r_interval": prediction["network"].get("score_r_interval"), "pathways_minus_network_r": own - network}
    put(found, "network_hidden_layers", len(settings_of(study.evaluation, "study").get("model", {}).get("channels", ())) or math.nan, "not in the study of evaluation.h5")
    return found


def phenomenon_of(data, name, s, at):
    flag = int(data[f"{name}_present"].values[s, at])
    found = {"presence": PRESENCE.get(flag, "unknown"), "flag": flag}
    why = f"not defined: {REASON.get(flag, 'the figure has no value for this response')}"
    for figure in FIGURES[name]:
        if figure not in data:
            found |= {key_of(figure): None, f"{key_of(figure)}_why": "not in the responses file"}
        elif name == "anticipation":
            put_list(found, key_of(figure), data[figure].values[s, at], why)
        elif figure == "latency_monotonic":
            monotonic = int(data[figure].values[s, at])
            put(found, figure, monotonic if monotonic >= 0 else math.nan, "not measured")
        else:
            put(found, key_of(figure), data[figure].values[s, at], why)
    if name == "anticipation" and "direction" in data:
        put_list(found, "directions", data["direction"].values, "moving bars were not shown")
    for key in ("phenomenon_support", "surprise_index"):
        if key in data and name in labels(data, "phenomenon"):
            put(found, key, data[key].values[s, at, labels(data, "phenomenon").index(name)], "no trials" if key == "phenomenon_support" else why)
    return found


def phenomena_of(data, cell):
    """By parameter set and phenomenon."""
    at = labels(data, "cell").index(cell)
    return {name: {phenomenon: phenomenon_of(data, phenomenon, s, at) for phenomenon in TITLES} for s, name in enumerate(labels(data, "set"))}


def reduced_pathway(joint, n, p, pixel_um):
    at = (n, p)
    found = {"words": pathways.pathway_name(joint, n, (p,)), "sign": "mixed" if pathways.flag(joint, "mixed", at) else SIGN.get(int(joint["sign"].values[at]), "not known"),
             "polarity": pathways.POLARITY[int(joint["polarity"].values[at])]}
    for key, name in (("attribution_share", "share"), ("weight_hz", "weight"), ("threshold_contrast", "threshold"), ("lobe_peak_ms", "lobe_time"), ("offset_x_px", "position")):
        put(found, key, joint[name].values[at], "not known in reduction_network.h5")
    put(found, "offset_x_um", (found["offset_x_px"] if found["offset_x_px"] is not None else math.nan) * pixel_um, "place or size of a pixel are not known")
    return found


def reduction_of(reduction, joint, cell, pixel_um):
    """The one set of the network's pathways that serves all stimuli, or why none is named."""
    n, found = labels(reduction, "cell").index(cell), {}
    put(found, "share_of_ceiling", reduction["share_of_ceiling"].values[n] if "share_of_ceiling" in reduction else math.nan, "not known in reduction_network.h5")
    for name in ("r_fitted", "r_held_out", "share_kept"):
        put(found, name, joint[name].values[n], "not known in reduction_network.h5: nothing was kept, or no conditions were held out")
    why = pathways.why_none(reduction, joint, (n,))
    found["pathways"] = None if why else [reduced_pathway(joint, n, p, pixel_um) for p in pathways.used(joint, (n,))]
    if why:
        found["pathways_why"] = why
    return found


def lesions_of(data, cell):
    """Per stimulus: how few units are enough in the order of the attributions, and what the reduction's pathways alone leave."""
    n, order, found = labels(data, "cell").index(cell), labels(data, "order").index("attribution"), {}
    for s, stimulus in enumerate(labels(data, "stimulus")):
        used = int(data["windows_used"].values[n, s])
        why = "silent: the stimulus does not move the cell" if used == 0 else "not in lesions_network.h5"
        found[stimulus] = {"windows_used": used}
        put(found[stimulus], "cmd_attribution", data["cmd"].values[n, s, order], why)
        put(found[stimulus], "faithfulness_only_pathways", data["faithfulness_only_pathways"].values[n, s] if "faithfulness_only_pathways" in data else math.nan, why)
    return found
