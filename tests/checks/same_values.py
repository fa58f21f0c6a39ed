#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""same_values.py A B: whether two result files hold the same datasets with the same bytes (provenance attributes may differ)."""
import sys

import h5py
import numpy as np


def datasets(path):
    found = {}
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, item: found.__setitem__(name, item[()]) if isinstance(item, h5py.Dataset) else None)
    return found


a, b = datasets(sys.argv[1]), datasets(sys.argv[2])
if a.keys() != b.keys():
    sys.exit(f"datasets differ: {sorted(a.keys() ^ b.keys())}")
for name in a:
    x, y = np.asarray(a[name]), np.asarray(b[name])
    if x.shape != y.shape or x.dtype != y.dtype or (x.tobytes() != y.tobytes() if x.dtype != object else not (x == y).all()):
        sys.exit(f"{name} differs")
if not a:
    sys.exit(f"{sys.argv[1]} holds no dataset")
