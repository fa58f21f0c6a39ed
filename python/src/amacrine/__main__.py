# SPDX-License-Identifier: Apache-2.0
"""Commands: python -m amacrine import FILE OUT."""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .errors import ResultError
from .importing import import_model, model_path
from .model import Model


def places(text: str) -> list[tuple[int, int]] | str:
    """"3,4 5,6" as pairs; the name of a rule as it is."""
    return text if text[:1].isalpha() else [(int(pair.split(",")[0]), int(pair.split(",")[1])) for pair in text.split()]


def floats(text: str) -> list[list[float]]:
    return [[float(value) for value in pair.split(",")] for pair in text.split()]


def integers(text: str) -> list[int]:
    return [int(value) for value in text.replace(",", " ").split()]


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="python -m amacrine", description="Models of other programs for amacrine (docs/python.md).")
    verbs = whole.add_subparsers(dest="verb", required=True)
    add = verbs.add_parser("import", help="a model of Keras, torch-deep-retina or in safetensors as model.h5").add_argument
    add("file", help="Keras HDF5 or .keras, a checkpoint of PyTorch, or safetensors")
    add("output", help="a folder, which gets model.h5, or a file that ends in .h5")
    add("--overwrite", action="store_true", help="replace a file that is there")
    add("--architecture", metavar="FILE", help="JSON of the architecture, where the file holds weights alone")
    add("--cells", type=integers, metavar="'0 1 2'", help="0-based indices of the cells on the recording's cell axis")
    add("--names", type=str.split, metavar="'A B C'", help="names of the cells")
    add("--centres", type=floats, metavar="'Y,X Y,X'", help="receptive-field centres (px)")
    add("--minimum-lag", type=int, choices=(0, 1), help="frames between a window and the bin it predicts (Keras and torch-deep-retina: 1)")
    add("--normalisation", choices=("scalar", "per_pixel", "none"), help="of contrast, before the first layer (default: scalar)")
    add("--mean", type=float, help="mean of the movie it was trained on, in pixel values")
    add("--sd", type=float, help="standard deviation of that movie")
    add("--recording", metavar="FILE", help="the recording it was trained on")
    add("--frame-ms", type=float, help="frame interval (default: the recording's, else 10)")
    add("--pixel-um", type=float, help="pixel size (default: the recording's, else 55)")
    add("--newest-first", action="store_true", help="the window's first frame is the newest")
    add("--time-axis", choices=("first", "last"), help="of a window of a Keras model without a convolution")
    add("--flip-kernels", action=argparse.BooleanOptionalAction, default=None, help="kernels are those of true convolutions (default: those of Theano)")
    add("--locations", type=places, metavar="'Y,X Y,X'", help="where a convolutional readout is read, or a rule: centres, torch-deep-retina")
    add("--output-epsilon", type=float, default=1e-3, help="of a checkpoint's norm over the cells (default: 1e-3)")
    add("--trust", action="store_true", help="read a checkpoint of PyTorch that may run code")
    return whole


def report(model: Model, where: str) -> str:
    """What was made, and how the program takes it."""
    cells = [cell.id for cell in model.cells]
    folder = os.path.dirname(where) or "."
    keys = f"study.output={folder} recording.normalisation={model.normalisation.kind} recording.minimum_lag={model.minimum_lag} 'recording.cells={cells}'"
    return (f"{where}: {model.architecture.describe()}\n  contrast = (pixel value - {model.contrast.zero:g}) / {model.contrast.unit:g}, "
            f"normalisation {model.normalisation.kind}, minimum lag {model.minimum_lag}\n"
            f"  amacrine evaluate STUDY.toml {keys}\n  amacrine probe STUDY.toml {keys} 'probe.subjects=[\"network\"]'")


def main(words: Sequence[str] | None = None) -> int:
    """Runs a command; 0, or 3 where an input is missing, damaged or does not fit, or 4 where an output is in the way."""
    asked = vars(parser().parse_args(words))
    asked.pop("verb")
    output = asked.pop("output")
    try:
        model = import_model(asked.pop("file"), output, asked.pop("overwrite"), **asked)
    except FileExistsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 4
    except (ResultError, ImportError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    print(report(model, model_path(model, output)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
