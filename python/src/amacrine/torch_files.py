# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of torch-deep-retina: a dictionary with model_type, hyps, model_state_dict and norm_stats, saved by PyTorch."""
from __future__ import annotations

import importlib
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .architecture import Shape
from .assembly import Convolution, Norm, Readout, Relu, Softplus, Step, Unsupported
from .errors import ResultError
from .forward import Array

State = Mapping[str, Array]
# Models of which the state alone, with the hyper-parameters, tells all layers; those whose norms use |scale|.
ABSOLUTE = {"VaryModel", "LinearStackedBNCNN"}
MODELS = {"BNCNN", "CNN", *ABSOLUTE}
NAMES = {"weight", "bias", "scale", "shift", "running_mean", "running_var", "num_batches_tracked", "sigma"}
EPSILON = 1e-3
STACK_EPSILON = 1e-5  # of norms between the stages of a stacked convolution, PyTorch's default


@dataclass(frozen=True)
class Checkpoint:
    state: State
    model_type: str
    hyps: Mapping[str, Any]
    norm_stats: tuple[float, float] | None  # mean and standard deviation of the training movie, in pixel values


def load(path: str, trust: bool) -> Any:
    """What PyTorch saved, tensors on the CPU. Without `trust` nothing but tensors, numbers, texts and containers is read."""
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise ImportError("a checkpoint of PyTorch is read by PyTorch, which is not installed here: pip install torch (or amacrine[torch])") from error
    try:
        if trust:
            return torch.load(path, map_location="cpu", weights_only=False)
        scalar = importlib.import_module("numpy.core.multiarray" if np.__version__ < "2" else "numpy._core.multiarray").scalar
        kinds = [type(np.dtype(kind)) for kind in (np.float32, np.float64, np.int64, np.int32)]
        with torch.serialization.safe_globals([scalar, (scalar, "numpy.core.multiarray.scalar"), np.dtype, *kinds]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ResultError(path, "holds objects other than tensors, numbers and texts", "none, or your word that whoever made it may run code here: "
                          "trust=True (--trust)") from error
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, AttributeError) as error:
        raise ResultError(path, f"cannot be read by PyTorch ({error})", "a checkpoint that torch.save wrote") from error


def read_checkpoint(path: str, trust: bool) -> Checkpoint:
    """A checkpoint, or a state dictionary alone (model_type ""). Raises ResultError, ImportError."""
    saved = load(path, trust)
    if not isinstance(saved, Mapping):
        raise ResultError(path, f"holds a {type(saved).__name__}", "a checkpoint with model_state_dict, or a state dictionary (module.state_dict())")
    whole = "model_state_dict" in saved or "hyps" in saved or "model_type" in saved
    state = saved.get("model_state_dict") if whole else saved
    if not isinstance(state, Mapping) or not all(hasattr(value, "detach") for value in state.values()):
        raise ResultError(path, "holds no model_state_dict (older checkpoints of a run are stripped of it)", "the last checkpoint of its folder, or a "
                          "state dictionary")
    arrays = {str(name): np.asarray(value.detach().cpu().numpy(), np.float64) for name, value in state.items()}
    if not whole:
        return Checkpoint(arrays, "", {}, None)
    hyps = {**{key: value for key, value in saved.items() if isinstance(key, str)}, **(saved.get("hyps") or saved.get("model_hyps") or {})}
    return Checkpoint(arrays, str(saved.get("model_type") or hyps.get("model_type") or ""), hyps, statistics(saved.get("norm_stats")))


def statistics(found: Any) -> tuple[float, float] | None:
    """Mean and standard deviation of {"mean": ..., "std": ...} or [mean, std]."""
    if isinstance(found, Mapping) and {"mean", "std"} <= set(found):
        return float(found["mean"]), float(found["std"])
    if isinstance(found, Sequence) and len(found) == 2:
        return float(found[0]), float(found[1])
    return None


def modules_of(state: State) -> Iterator[tuple[str, dict[str, Array]]]:
    """Arrays by module, in the order of the state dictionary; those of a stacked convolution ("NAME.convs.J") one by one."""
    found: dict[str, dict[str, Array]] = {}
    for name, values in state.items():
        module, _, leaf = name.rpartition(".")
        if leaf not in NAMES:
            raise Unsupported(name, f"is a parameter '{leaf}'; convolutions, batch norms and linear layers have {', '.join(sorted(NAMES))}")
        found.setdefault(module, {})[leaf] = values
    return iter(found.items())


def norm_of(name: str, arrays: Mapping[str, Array], epsilon: float, checkpoint: Checkpoint) -> Norm:
    """A batch norm: PyTorch's (weight, bias), or torch-deep-retina's (scale, shift), which uses |scale|."""
    absolute = "scale" in arrays
    gamma = arrays.get("scale", arrays.get("weight", np.ones_like(arrays["running_mean"])))
    if absolute and checkpoint.model_type not in ABSOLUTE and (gamma < 0).any():
        raise Unsupported(name, f"has scales below 0, and it is not known whether a model '{checkpoint.model_type}' uses them or their absolute values")
    beta = arrays.get("shift", arrays.get("bias", np.zeros_like(gamma)))
    return Norm(name, gamma, beta, arrays["running_mean"], arrays["running_var"], epsilon, absolute)


def compose(first: Convolution, second: Convolution) -> Convolution:
    """Two valid convolutions without a nonlinearity between them as one."""
    rows, columns = (a + b - 1 for a, b in zip(first.kernel.shape[2:], second.kernel.shape[2:]))
    kernel = np.zeros((len(second.kernel), first.kernel.shape[1], rows, columns))
    for y, x in np.ndindex(*second.kernel.shape[2:]):
        kernel[:, :, y:y + first.kernel.shape[2], x:x + first.kernel.shape[3]] += np.tensordot(second.kernel[:, :, y, x], first.kernel, axes=1)
    bias = second.bias
    if first.bias is not None:
        bias = second.kernel.sum((2, 3)) @ first.bias + (0 if bias is None else bias)
    return Convolution(first.name, kernel, bias)


def normed(convolution: Convolution, norm: Norm) -> Convolution:
    """A convolution with the norm per channel behind it taken in."""
    gain = (np.abs(norm.gamma) if norm.absolute else norm.gamma) / np.sqrt(norm.variance + norm.epsilon)
    if gain.shape != (len(convolution.kernel),):
        raise Unsupported(norm.name, f"is a norm of {gain.shape} values between stages of {len(convolution.kernel)} channels")
    bias = (0 if convolution.bias is None else convolution.bias) - norm.mean
    return Convolution(convolution.name, convolution.kernel * gain[:, None, None, None], gain * bias + norm.beta)


class Walk:
    """Steps of a checkpoint, and the shape (C, Y, X) behind the last."""

    def __init__(self, checkpoint: Checkpoint, window: Shape, locations: Sequence[tuple[int, int]] | None, output_epsilon: float) -> None:
        self.checkpoint, self.shape, self.locations, self.output_epsilon = checkpoint, window, locations, output_epsilon
        self.steps: list[Step] = []
        self.convolutions = sum(1 for name, each in modules_of(checkpoint.state) if each.get("weight", np.zeros(0)).ndim == 4)
        self.stack: Convolution | None = None
        self.stacked = ""

    def module(self, name: str, arrays: Mapping[str, Array]) -> None:
        stacked = name.rpartition(".convs.")[0]
        if self.stack is not None and stacked != self.stacked:
            self.close_stack()
        weight = arrays.get("weight", np.zeros(0))
        if set(arrays) == {"sigma"}:
            return
        if "running_mean" in arrays:
            if self.stack is not None:
                self.stack = normed(self.stack, norm_of(name, arrays, STACK_EPSILON, self.checkpoint))
            else:
                self.norm(norm_of(name, arrays, EPSILON if len(self.shape) > 1 else self.output_epsilon, self.checkpoint))
        elif weight.ndim == 4 and stacked:
            stage = Convolution(name, weight, arrays.get("bias"))
            self.stack, self.stacked = stage if self.stack is None else compose(self.stack, stage), stacked
        elif weight.ndim == 4:
            self.convolution(Convolution(name, weight, arrays.get("bias")))
        elif weight.ndim == 2:
            self.relu()
            if weight.shape[1] != int(np.prod(self.shape)):
                raise Unsupported(name, f"reads {weight.shape[1]} values and is given {self.shape}")
            self.steps.append(Readout(name, weight.reshape(-1, *self.shape), arrays.get("bias")))
            self.shape = (len(weight),)
        else:
            raise Unsupported(name, f"has {', '.join(arrays)} and is neither a convolution, a batch norm nor a linear layer")

    def relu(self) -> None:
        """The ReLU behind a hidden layer, which has no parameters."""
        if self.steps and not isinstance(self.steps[-1], (Relu, Readout)):
            self.steps.append(Relu(f"{self.steps[-1].name} (ReLU)"))

    def close_stack(self) -> None:
        stack, self.stack = self.stack, None
        assert stack is not None
        self.convolution(Convolution(self.stacked, stack.kernel, stack.bias))

    def norm(self, norm: Norm) -> None:
        if norm.gamma.size == int(np.prod(self.shape)) and norm.gamma.size != self.shape[0]:
            gamma, beta, mean, variance = (each.reshape(self.shape) for each in (norm.gamma, norm.beta, norm.mean, norm.variance))
            norm = Norm(norm.name, gamma, beta, mean, variance, norm.epsilon, norm.absolute)
        self.steps.append(norm)

    def convolution(self, found: Convolution) -> None:
        self.relu()
        if found.kernel.shape[1] != self.shape[0]:
            raise Unsupported(found.name, f"takes {found.kernel.shape[1]} channels and is given {self.shape[0]}")
        size = tuple(whole - extent + 1 for whole, extent in zip(self.shape[1:], found.kernel.shape[2:]))
        hidden = len(self.checkpoint.hyps.get("chans") or ()) or self.convolutions
        if sum(isinstance(step, Convolution) for step in self.steps) == hidden:
            self.located(found, size)
            return
        self.steps.append(found)
        self.shape = (len(found.kernel), *size)

    def located(self, found: Convolution, size: Shape) -> None:
        """The last convolution, read at one place per cell, as a dense readout."""
        if self.checkpoint.model_type != "VaryModel":
            raise Unsupported(found.name, "is a convolutional readout other than VaryModel's, which is read at one place per cell")
        cells = len(found.kernel)
        if self.locations is None:
            raise Unsupported(found.name, "is a convolution that is read at one place per cell, which the file does not hold; give locations=[(row, column), "
                              f"...] of {cells} cells in its output of {size[0]} x {size[1]} (--locations), or locations_of(...)")
        if len(self.locations) != cells or any(not (-size[0] <= y < size[0] and -size[1] <= x < size[1]) for y, x in self.locations):
            raise Unsupported(found.name, f"is read at {list(self.locations)}; expected {cells} places in {size[0]} x {size[1]}")
        weight = np.zeros((cells, *self.shape))
        for n, (y, x) in enumerate(self.locations):
            y, x = y % size[0], x % size[1]
            weight[n, :, y:y + found.kernel.shape[2], x:x + found.kernel.shape[3]] = found.kernel[n]
        self.steps.append(Readout(found.name, weight, found.bias))
        self.shape = (cells,)


def locations_of(centres: Sequence[tuple[int, int]], kernels: Sequence[int], size: tuple[int, int], rule: str = "centres") -> list[tuple[int, int]]:
    """Where torch-deep-retina's last convolution is read: (row, column) in its output for receptive-field centres in a frame of `size`.

    "centres": the unit whose kernels lie around the centre, the nearest there is. "torch-deep-retina": what its GrabUnits computes, which takes whole
    kernels where half kernels are meant; places below 0 count from the end.
    """
    if rule == "centres":
        half = sum((kernel - 1) // 2 for kernel in kernels)
        ends = [extent - 1 - sum(kernel - 1 for kernel in kernels) for extent in size]
        return [(min(max(0, int(y) - half), ends[0]), min(max(0, int(x) - half), ends[1])) for y, x in centres]
    if rule != "torch-deep-retina":
        raise ValueError(f"there is no rule '{rule}'; expected centres or torch-deep-retina")
    whole = kernels[0] - 1 + kernels[1] - 1 + kernels[2] // 2
    ends = [extent - 2 * (whole - 1) for extent in size]
    return [(min(max(0, int(y) - whole), ends[0]), min(max(0, int(x) - whole), ends[1])) for y, x in centres]


def check_hyps(checkpoint: Checkpoint) -> None:
    """Raises Unsupported where hyper-parameters ask for what the program does not run."""
    hyps, model = checkpoint.hyps, checkpoint.model_type
    if model not in MODELS:
        raise Unsupported(model, f"is the model's type; {', '.join(sorted(MODELS))} are run. Another network of the same layers comes in as safetensors "
                          "with a JSON of its architecture")
    if not hyps.get("softplus", True) or hyps.get("infr_exp") or hyps.get("inference_exp"):
        raise Unsupported("output", "is an exponential; softplus is run")
    if str(hyps.get("activ_fxn") or "ReLU") != "ReLU":
        raise Unsupported("activ_fxn", f"is {hyps['activ_fxn']}; ReLU is run")
    paddings = hyps.get("paddings") or hyps.get("padding") or 0
    if np.any(np.asarray(paddings)):
        raise Unsupported("paddings", f"is {paddings}; valid convolutions are run")
    target = statistics(hyps.get("y_stats"))
    if target is not None and target != (0.0, 1.0):
        raise Unsupported("y_stats", f"is {target}: the model was trained on z-scored responses; rates in Hz are run")
    for key in ("one2one", "self_attn", "recurrent", "kinetic"):
        if hyps.get(key):
            raise Unsupported(key, "is set, which the program does not run")


def steps_of(checkpoint: Checkpoint, locations: Sequence[tuple[int, int]] | str | None, output_epsilon: float) -> tuple[list[Step], Shape, float]:
    """Steps, window (T, Y, X) and standard deviation of the noise of a checkpoint. `output_epsilon`: of the norm over the cells. Raises Unsupported."""
    check_hyps(checkpoint)
    hyps = checkpoint.hyps
    window = tuple(int(each) for each in hyps.get("img_shape") or (40, 50, 50))
    if isinstance(locations, str):
        kernels, centres = hyps.get("ksizes"), hyps.get("centers")
        if not kernels or centres is None or len(centres) == 0:
            raise Unsupported("centers", "or ksizes are not in the file; give locations one by one")
        locations = locations_of(centres, kernels, (window[1], window[2]), locations)
    walk = Walk(checkpoint, window, locations, output_epsilon)
    for name, arrays in modules_of(checkpoint.state):
        walk.module(name, arrays)
    if walk.stack is not None:
        walk.close_stack()
    return [*walk.steps, Softplus("softplus")], window, float(hyps.get("noise") or 0.0)
