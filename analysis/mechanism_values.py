# SPDX-License-Identifier: Apache-2.0
"""Values of mechanism files: strict JSON without NaN, where whatever is not known says why."""
import json
import math
import tomllib

import numpy as np

from results import text


def put(target, key, value, why):
    """Writes a number under `key`; null where it is not finite, and `why` under KEY_why."""
    number = float(value)
    target[key] = (int(number) if isinstance(value, (int, np.integer)) else number) if math.isfinite(number) else None
    if target[key] is None:
        target[f"{key}_why"] = why


def put_list(target, key, values, why):
    """Writes an array as nested lists; elements that are not finite are null, and `why` says so under KEY_why."""
    values = np.asarray(values, dtype=float)
    finite = np.isfinite(values)
    target[key] = np.where(finite, values, None).tolist()
    if not finite.all():
        target[f"{key}_why"] = why


def put_text(target, key, value, why):
    target[key] = text(value) if value is not None else None
    if value is None:
        target[f"{key}_why"] = why


def settings_of(dataset, attribute):
    """The study in a root attribute (`study`, or `step_study`: of one step), as nested dicts; empty where there is none."""
    try:
        return tomllib.loads(text(dataset.attrs.get(attribute, "")))
    except tomllib.TOMLDecodeError:
        return {}


def inputs_of(dataset):
    """What a file was made from: the first input of each role."""
    inputs = {}
    for each in json.loads(text(dataset.attrs.get("inputs", "[]"))):
        inputs.setdefault(each["role"], each)
    return inputs


def of_another_recording(study):
    """Whether evaluation.h5 names another recording than pathways.h5; the network's other results are then of that one, too."""
    checksums = [inputs_of(data).get("recording", {}).get("checksum") if data is not None else None for data in (study.evaluation, study.pathways)]
    return None not in checksums and checksums[0] != checksums[1]


def is_flat(value):
    return not any(isinstance(each, (dict, list, str)) for each in value)


def dumps(value, depth=0):
    """Strict JSON, indented; lists of numbers stand on one line. Raises ValueError at NaN."""
    if not isinstance(value, (dict, list)) or not value or (isinstance(value, list) and is_flat(value)):
        return json.dumps(value, allow_nan=False, ensure_ascii=False)
    inside, outside = "\n" + "  " * (depth + 1), "\n" + "  " * depth
    if isinstance(value, list):
        return "[" + inside + ("," + inside).join(dumps(each, depth + 1) for each in value) + outside + "]"
    return "{" + inside + ("," + inside).join(f"{json.dumps(key, ensure_ascii=False)}: {dumps(each, depth + 1)}" for key, each in value.items()) + outside + "}"
