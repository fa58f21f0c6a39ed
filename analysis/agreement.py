# SPDX-License-Identifier: Apache-2.0
"""How far the mechanisms that many models give of a cell agree: in number, in kind, and in time."""
from collections import Counter

import numpy as np

from pathways import counted, kind as words_of

# The order in which kinds are listed.
KINDS = [(1, 1), (-1, 1), (1, -1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1), (0, 0)]


def kind_name(kind):
    """"ON excitation" of (polarity, sign)."""
    polarity, sign = kind
    return words_of(polarity, sign, mixed=sign == 0)


def kinds_of(mechanism):
    """Kinds of a mechanism's pathways, each as often as it comes."""
    return Counter((pathway.polarity, pathway.sign) for pathway in mechanism.pathways)


class Agreement:
    """What the named mechanisms of a cell have in common. `mechanisms`: by model, those that are named; `unnamed`: by model, the reason why not;
    `planted`: kinds of the planted units as often as they come, None where they are not known; `planted_times`: ms by kind, of the circuit's own reduction."""

    def __init__(self, farm, cell):
        self.cell = cell
        all_of = {model.name: model.mechanism[cell] for model in farm.models if cell in model.mechanism}
        self.mechanisms = {name: each for name, each in all_of.items() if each.why is None}
        self.unnamed = {name: each.why for name, each in all_of.items() if each.why is not None}
        self.planted = Counter(farm.planted[cell]) if cell in farm.planted else None
        circuit = farm.planted_mechanism.get(cell)
        self.planted_times = times_by_kind([circuit] if circuit and circuit.why is None else [])

    def numbers(self):
        """How many models have how many pathways."""
        return Counter(len(each.pathways) for each in self.mechanisms.values())

    def kinds(self):
        """Kinds found in any model or planted, in KINDS' order."""
        there = set(self.planted or ()) | {kind for each in self.mechanisms.values() for kind in kinds_of(each)}
        return [kind for kind in KINDS if kind in there]

    def models_with(self, kind):
        return sum(kind in kinds_of(each) for each in self.mechanisms.values())

    def times(self, kind):
        """ms at which the filters of a kind peak, over all models."""
        return times_by_kind(self.mechanisms.values()).get(kind, [])

    def commonest(self):
        """The kinds that most models have in common, as often as they come, and in how many models; (None, 0) where no model names any."""
        sets = Counter(tuple(sorted(kinds_of(each).elements())) for each in self.mechanisms.values())
        return sets.most_common(1)[0] if sets else (None, 0)

    def like_planted(self):
        """Models whose pathways are of the planted kinds, each as often."""
        return sum(kinds_of(each) == self.planted for each in self.mechanisms.values())


def times_by_kind(mechanisms):
    """Finite times of the filters' peaks by kind."""
    times = {}
    for mechanism in mechanisms:
        for pathway in mechanism.pathways:
            if np.isfinite(pathway.lobe_time):
                times.setdefault((pathway.polarity, pathway.sign), []).append(pathway.lobe_time)
    return times


def time_words(times):
    """"85 (80 to 95)": median and range in ms; "" where there are none."""
    if not times:
        return ""
    middle, low, high = np.median(times), min(times), max(times)
    return f"{middle:.0f}" if low == high else f"{middle:.0f} ({low:.0f} to {high:.0f})"


def kinds_words(kinds):
    """"3: 2 ON excitation, 1 OFF inhibition" of kinds."""
    return counted(kind_name(kind) for kind in kinds)
