# SPDX-License-Identifier: Apache-2.0
"""A trained model as a PyTorch module. PyTorch is imported when it is asked for, and not before."""
from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

from .model import Model, load_model

if TYPE_CHECKING:
    import torch


def load_torch(source: str | os.PathLike[str] | Model) -> torch.nn.Sequential:
    """A model file, or a Model, as a module: contrast windows (B, T, Y, X), oldest frame first, -> rates (B, N) in Hz.

    Layers are ordinary ones (Conv2d, BatchNorm2d or BatchNorm1d, ReLU, Linear, Softplus) called "normalise", "conv0", "norm0", "relu0", ..., "flatten",
    "readout", "output_norm", "softplus", in double precision and in evaluation mode; `module.float()` makes it single. `Model.windows` makes its input.
    The noise of training is left out. Raises ImportError where PyTorch is not installed, ResultError where the file cannot be read.
    """
    try:
        importlib.import_module("torch")
    except ImportError as error:
        raise ImportError("load_torch needs PyTorch, which is not installed here: pip install torch (or amacrine[torch])") from error
    from ._torch import build
    return build(source if isinstance(source, Model) else load_model(source))
