# SPDX-License-Identifier: Apache-2.0
"""Tells people of result files that cannot be read: which file, which dataset of it, what was expected and what to do. Values that were changed can be read:
`amacrine inspect` notices them by their checksums."""
import contextlib
import glob
import json
import os
import sys

import h5py

BAD_INPUT = 3  # exit code, as of the program (README.md)
VERBS = {"recording": "simulate", "evaluation": "evaluate", "responses": "probe", "attributions": "attribute", "reduction": "reduce", "pathways": "fit", "lesions": "lesion",
         "model": "train", "ln": "train", "curves": "train", "sweep": "sweep"}


class Damaged(KeyError):
    """A file lacks what belongs into it, or something of it cannot be read. A KeyError, since data are looked up by name."""

    def __str__(self):
        return self.args[0]


def advice(path):
    """What to do about a file that is not whole."""
    verb = VERBS.get(os.path.basename(path).split(".")[0].split("_")[0])
    again = f"remove it and run `amacrine {verb}` again" if verb else "make it again"
    return (f"`amacrine inspect {path}` says what is damaged; {again}" if path.endswith(".h5") else again[0].upper() + again[1:]) + ", or take a whole copy"


def lacks(path, dataset):
    return Damaged(f"{path}: there is no dataset '{dataset}'; expected a whole file of this version of amacrine. {advice(path)}")


def unreadable(path, dataset, error):
    what = f"dataset '{dataset}' cannot be read" if dataset else "cannot be opened as an HDF5 file"
    return Damaged(f"{path}: {what} ({' '.join(str(error).split()) or type(error).__name__}); expected a whole file. {advice(path)}")


def read_all(dataset, largest=1 << 24):
    """Reads every value, in pieces of the first axis of about `largest` bytes."""
    if dataset.shape is None or dataset.ndim == 0:
        dataset[()]
        return
    rows = max(1, largest // max(1, dataset.nbytes // max(1, dataset.shape[0])))
    for first in range(0, dataset.shape[0], rows):
        dataset[first:first + rows]


def fault_in(path):
    """What cannot be read of a file; None where everything can."""
    if not path.endswith(".h5"):
        try:
            with open(path, encoding="utf-8") as stream:
                stream.read()
        except (OSError, ValueError) as error:
            return Damaged(f"{path}: it cannot be read as text ({error}); expected what `amacrine` wrote. {advice(path)}")
        return None
    name = None
    try:
        with h5py.File(path, "r") as file:
            names = [*file]
            dict(file.attrs)
            for name in names:  # grows while it is gone through
                item = file[name]
                dict(item.attrs)
                if isinstance(item, h5py.Group):
                    names += [f"{name}/{each}" for each in item]
                else:
                    read_all(item)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        return unreadable(path, name, error)
    return None


def files_of(folder):
    """The files that a study's page is made from, and the recordings they name."""
    paths = sorted(glob.glob(os.path.join(folder, "*.h5")) + glob.glob(os.path.join(folder, "curves.csv")))
    for path in list(paths):
        with contextlib.suppress(Exception):  # what is wrong with this file is found when it is looked at itself
            with h5py.File(path, "r") as file:
                paths += [i["path"] for i in json.loads(file.attrs["inputs"]) if i["role"] == "recording"]
    return [path for path in dict.fromkeys(paths) if os.path.exists(path)]


@contextlib.contextmanager
def explained(folders):
    """Ends with a message and exit code 3 where what is done inside fails because of a file of these folders. Other failures are passed on."""
    try:
        yield
    except Exception as error:
        fault = error if isinstance(error, Damaged) else next((fault for folder in folders for path in files_of(folder) if (fault := fault_in(path)) is not None), None)
        if fault is None:
            raise
        refuse(str(fault))


def refuse(message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(BAD_INPUT)
