# SPDX-License-Identifier: Apache-2.0
"""The small study that the tests look at: made once, by the program ($AMACRINE_PROGRAM, $AMACRINE_STUDY), in the working folder."""
import os
import shutil
import sys
import tempfile

import amacrine

STUDY_FILE = os.environ["AMACRINE_STUDY"]
FOLDER = "small"
# A model of another make: three layers, a norm for every unit, |gamma|, biases, a lag, pixels normalised one by one.
OTHER = ["study.output=other", f"recording.file={FOLDER}/recording.h5", "model.preset=torch-deep-retina", "model.scale=absolute", "recording.minimum_lag=1",
         "recording.normalisation=per_pixel", "model.softplus_beta=0.5", "model.channels=[3, 4, 5]", "model.kernels=[15, 11, 7]", "training.ln=false"]
TOLERANCE = 1e-4  # Hz


def skip(test, what):
    """Skips a test, aloud."""
    print(f"SKIPPED: {test.id()}: {what}", file=sys.stderr)
    test.skipTest(what)


def quiet(verb, overrides, **more):
    return amacrine.run(verb, STUDY_FILE, overrides, on_line=lambda line: None, **more)


def make():
    if os.path.exists(FOLDER):
        return
    for verb in ("simulate", "train", "evaluate", "probe", "attribute", "reduce", "lesion", "fit"):
        place = {"study.output": FOLDER, "probe.subjects": ["network", "circuit"]}
        quiet(verb, place if verb == "simulate" else {**place, "recording.file": f"{FOLDER}/recording.h5"})
    for verb in ("train", "evaluate"):
        quiet(verb, OTHER)


def contrast(model):
    return model.contrast_of(amacrine.open(FOLDER).recording["test/stimulus"].values)


def copied(test, *names):
    """A folder with copies of some results, gone after the test."""
    folder = tempfile.mkdtemp(dir=".")
    test.addCleanup(shutil.rmtree, folder)
    for name in names:
        shutil.copy(f"{FOLDER}/{name}", folder)
    return folder
