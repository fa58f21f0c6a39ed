# SPDX-License-Identifier: Apache-2.0
"""Results and models of amacrine in Python.

Letters of axes: T frames, Y and X pixels (rows, columns), N cells, C channels, B windows. Rates are in Hz, contrasts without unit.
"""
from __future__ import annotations

from .architecture import Architecture, Layer
from .errors import ResultError, RunError
from .exporting import export
from .importing import ImportSettings, import_model
from .loggers import CsvLogger, JsonlLogger, Logger, TensorBoardLogger, scalars
from .model import Cell, ContrastCoding, Model, Normalisation, load_model
from .model_file import save_model
from .pathway_models import PathwayModel, pathway_model_from_json, pathway_models
from .program import EXIT_CODES, RunResult, run
from .safetensors import read_safetensors
from .study import Study
from .study import open_study as open
from .torch_files import locations_of
from .torch_model import load_torch

__version__ = "0.1.0"
__all__ = ["EXIT_CODES", "Architecture", "Cell", "ContrastCoding", "CsvLogger", "ImportSettings", "JsonlLogger", "Layer", "Logger", "Model", "Normalisation",
           "PathwayModel", "ResultError", "RunError", "RunResult", "Study", "TensorBoardLogger", "export", "import_model", "load_model", "load_torch",
           "locations_of", "open", "pathway_model_from_json", "pathway_models", "read_safetensors", "run", "save_model", "scalars"]
