# SPDX-License-Identifier: Apache-2.0
"""What a reduction says of a cell's mechanism, in words; and, where it says too little, why."""
from collections import Counter

import numpy as np


FAMILY_TITLE = {"osr": "omitted stimulus", "latency": "latency coding", "reversal": "motion reversal", "moving_bar": "motion anticipation",
                "anticipation": "motion anticipation"}
POLARITY = {1: "ON", -1: "OFF", 0: "neither ON nor OFF"}


def stimulus_title(name):
    """"omitted stimulus", "omitted stimulus (bright)"."""
    family, _, parameters = name.partition("@")
    return FAMILY_TITLE.get(family, family) + (f" ({parameters})" if parameters else "")


def kind(polarity, sign, mixed=False):
    """"ON excitation"; where D changes sign, "ON, mixed sign"."""
    return POLARITY[int(polarity)] + (", mixed sign" if mixed else " excitation" if sign > 0 else " inhibition")


def flag(data, name, where):
    """A flag of a pathway; 0 in files that have no such flag."""
    return int(data[name].values[where]) if name in data else 0


def pathway_name(data, cell, where):
    """"ON, then OFF, inhibition (released)" from the labels of one pathway; `where` indexes (stimulus, pathway) or (joint_pathway,)."""
    at = (cell, *where)
    later, mixed = flag(data, "later_polarity", at), flag(data, "mixed", at)
    words = POLARITY[int(data["polarity"].values[at])] + (f", then {POLARITY[later]}," if later else "")
    if mixed:
        return words.rstrip(",") + ", mixed sign"
    words += " excitation" if data["sign"].values[at] > 0 else " inhibition"
    return words + (" (released)" if data["disinhibition"].values[at] == 1 else "")


def used(data, at):
    """Pathways of a set, most important first, whose fitted weight is not 0. `at` is (cell,) or (cell, stimulus)."""
    flags = (data["used"] if "used" in data else data["kept"]).values[at]
    return [p for p in range(len(flags)) if flags[p] == 1]


def why_no_cell(reduction, cell):
    """Why no mechanism of a cell is named at all; None where one is."""
    least = float(reduction.attrs.get("least_share", 0))
    share = float(reduction["share_of_ceiling"].values[cell]) if "share_of_ceiling" in reduction else np.nan
    if share < least:
        return f"not named: the network reaches {100 * share:.0f} % of the ceiling, below {100 * least:.0f} %"
    return None


def why_none(reduction, scores, at):
    """Why no mechanism is named of one set of pathways; None where one is. `scores` holds the set's r, `at` is (cell,) or (cell, stimulus)."""
    cell = why_no_cell(reduction, at[0])
    if cell:
        return cell
    if not (scores["kept"].values[at] == 1).any():
        return "no response"
    held, fitted = (float(scores[f"r_{part}"].values[at]) for part in ("held_out", "fitted"))
    r, least = held if np.isfinite(held) else fitted, float(reduction.attrs.get("least_share", 0))
    return None if r >= least else f"not named: the pathways reach r = {r:.2f} with the response, below {least:g}"


def counted(kinds):
    """"3: 2 ON excitation, 1 OFF inhibition"."""
    count = Counter(kinds)
    return f"{sum(count.values())}: " + ", ".join(f"{n} {name}" for name, n in sorted(count.items(), key=lambda item: (-item[1], item[0]))) if count else "none"


def planted_words(units):
    return counted(kind(polarity, sign) for polarity, sign in units)


def found_words(reduction, joint, cell):
    """The pathways of the one set for all stimuli, counted by kind; or why none are named."""
    why = why_none(reduction, joint, (cell,))
    if why:
        return why
    at = [(cell, p) for p in used(joint, (cell,))]
    return counted(kind(joint["polarity"].values[i], joint["sign"].values[i], flag(joint, "mixed", i)) for i in at)


