# SPDX-License-Identifier: Apache-2.0
"""What pathways.h5 (amacrine fit) says of a cell, in words; `n` counts cells and `k` pathways."""
from collections import Counter

from pathways import POLARITY
from results import text

LINEAR_BELOW = 1e-3  # share of the time: a pathway that is silent less often has no side
SIGN = {1: "excitatory", -1: "inhibitory"}
NOT_FITTED = "not fitted: no spikes in the training part, or no receptive field (amacrine fit says which)"
LINEAR = "linear: neither sign nor side is known"


def why_not_fitted(data, n):
    """Why a cell has no pathways, as the fit said it; older files do not hold it."""
    reason = text(data["not_fitted"].values[n]) if "not_fitted" in data else ""
    return f"not fitted: {reason}" if reason else NOT_FITTED


def number_of(data, n):
    """Pathways of a cell; -1 where it was not fitted."""
    return int(data["pathways"].values[n])


def value(data, name, n, k):
    return float(data[name].values[n, k])


def sign_of(data, n, k):
    """1 excites, -1 inhibits, 0: linear, not known."""
    if value(data, "closed", n, k) < LINEAR_BELOW:
        return 0
    return 1 if value(data, "weight", n, k) > 0 else -1


def weight_words(weight):
    return f"{weight:+.0f}" if abs(weight) >= 10 else f"{weight:+.2g}"


def kind_words(sign, polarity):
    """"excitatory OFF"."""
    return SIGN[sign] + (" " if polarity else ", ") + POLARITY[polarity]


def pathway_words(data, n, k):
    """"excitatory OFF, peak 60 ms, w +129 Hz, threshold +0.02, silent 47 % of the time"."""
    of = lambda name: value(data, name, n, k)
    if sign_of(data, n, k) == 0:
        return f"{LINEAR}, peak {of('peak_lag'):.0f} ms, w {weight_words(abs(of('weight')))[1:]} Hz up or down, never silent"
    return (f"{kind_words(sign_of(data, n, k), int(of('polarity')))}, peak {of('peak_lag'):.0f} ms, w {weight_words(of('weight'))} Hz, "
            f"threshold {round(of('threshold'), 2) + 0.0:+.2f}, silent {100 * of('closed'):.0f} % of the time")


def disputed(data, n, k):
    """(claim, fits that agree, fits) of the claims that a third or more of the other fits dispute."""
    fits = int(value(data, "fits", n, k))
    claims = ("sign", "polarity", "peak", "place") if sign_of(data, n, k) else ("peak", "place")
    agree = {claim: int(value(data, f"agree_{claim}", n, k)) for claim in claims}
    return [(claim, count, fits) for claim, count in agree.items() if 3 * (fits - count) >= fits]


def disputed_words(data, n, k):
    """"disputed: sign (1 of 3 other fits agree), peak (0 of 3)"; empty where nothing is."""
    claims = [f"{claim} ({count} of {fits})" for claim, count, fits in disputed(data, n, k)]
    if claims:
        claims[0] = claims[0].replace(")", " other fits agree)")
    return "disputed: " + ", ".join(claims) if claims else ""


def joined(words):
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def type_words(data, n):
    """" of 2 types: pathways 1 and 3 are sub-units of one filter"; empty where every pathway has a filter of its own."""
    members = {}
    for k in range(number_of(data, n)):
        members.setdefault(int(value(data, "type", n, k)), []).append(str(k + 1))
    groups = [group for group in members.values() if len(group) > 1]
    if not groups:
        return ""
    first, *others = (joined(group) for group in groups)
    return f" of {len(members)} type{'s' if len(members) > 1 else ''}: pathways {first} are sub-units of one filter" + "".join(f", {group} of another" for group in others)


def halves_words(data, n):
    own = number_of(data, n)
    first, second = (int(count) for count in data["pathways_of_half"].values[n])
    if first == second == own:
        return "both halves of the recording have the same number"
    return f"the number is disputed: the halves of the recording have {first} and {second}"


def number_words(data, n):
    """"2 pathways; both halves of the recording have the same number"."""
    number = number_of(data, n)
    if number < 0:
        return why_not_fitted(data, n)
    return f"{number} pathway{'' if number == 1 else 's'}{type_words(data, n)}; {halves_words(data, n)}"


def found_kinds(data, n):
    """"1 OFF inhibitory, 2 ON excitatory, 1 linear" of a cell's pathways."""
    number = number_of(data, n)
    if number < 0:
        return "not fitted"
    signs = [sign_of(data, n, k) for k in range(number)]
    polarities = [POLARITY[int(value(data, "polarity", n, k))] for k in range(number)]
    return counted(f"{polarity} {SIGN[sign]}" if sign else "linear" for sign, polarity in zip(signs, polarities)) or "none"


def sure_words(data, n):
    """"both halves of the recording have the same number; pathway 2: disputed: sign (0 of 2 other fits agree)"; empty where nothing was fitted."""
    if number_of(data, n) < 0:
        return ""
    claims = [(k, disputed_words(data, n, k)) for k in range(number_of(data, n))]
    return "; ".join([halves_words(data, n), *(f"pathway {k + 1}: {words}" for k, words in claims if words)])


def counted(kinds):
    """"1 OFF inhibitory, 2 ON excitatory"."""
    return ", ".join(f"{number} {kind}" for kind, number in sorted(Counter(kinds).items()))


def planted_kinds(units):
    """"planted: 1 OFF inhibitory, 2 ON excitatory" of (polarity, sign)."""
    return "planted: " + (counted(f"{POLARITY[int(polarity)]} {SIGN[int(sign)]}" for polarity, sign in units) or "nothing")
