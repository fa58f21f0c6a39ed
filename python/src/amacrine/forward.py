# SPDX-License-Identifier: Apache-2.0
"""A model's forward pass in NumPy, in double precision, in blocks of windows. Written for clarity: every sum is taken as the equations have it."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from .model import Model

Array = npt.NDArray[np.float64]
BLOCK = 128  # windows that share a run of frames
CHUNK = 16  # windows whose patches are in memory at a time


def correlate(images: Array, kernel: Array) -> Array:
    """Valid cross-correlation: images (B, D, Y, X), kernel (C, D, KY, KX) -> (B, C, Y - KY + 1, X - KX + 1)."""
    patches = sliding_window_view(images, kernel.shape[2:], axis=(2, 3))  # (B, D, OY, OX, KY, KX)
    sums: Array = np.moveaxis(np.tensordot(patches, kernel, axes=([1, 4, 5], [1, 2, 3])), -1, 1)
    return sums


def temporal_correlate(frames: Array, kernel: Array, windows: int) -> Array:
    """Window b is frames b ... b + T - 1: frames (windows + T - 1, Y, X), kernel (C, T, KY, KX) -> (windows, C, OY, OX)."""
    channels, history = kernel.shape[:2]
    flat = kernel.reshape(channels * history, 1, *kernel.shape[2:])
    size = (frames.shape[1] - kernel.shape[2] + 1, frames.shape[2] - kernel.shape[3] + 1)
    sums = np.zeros((windows, channels, *size))
    for at, frame in enumerate(frames):
        part = correlate(frame[None, None], flat).reshape(channels, history, *size)
        for lag in range(max(0, at - windows + 1), min(history, at + 1)):  # frame `at` is frame `lag` of window at - lag
            sums[at - lag] += part[:, lag]
    return sums


def norm(model: Model, stage: str, bias: str, channels: int) -> tuple[Array, Array]:
    """A norm and the bias before it as gain and offset, (C, 1, 1) or (C, Y, X): gamma (z + bias - mean) / sqrt(variance + epsilon) + beta."""
    wide = lambda name, fallback: np.asarray(
        {**model.parameters, **model.statistics}.get(name, np.full(channels, fallback, np.float32)), np.float64)
    spread = lambda values: values.reshape(values.shape[0], *(values.shape[1:] or (1, 1)))
    offset = spread(wide(bias, 0.0))
    if f"{stage}_gamma" not in model.parameters:
        return np.ones((channels, 1, 1)), offset
    gamma, beta, mean, variance = (spread(wide(f"{stage}_{name}", 0.0)) for name in ("gamma", "beta", "mean", "variance"))
    gain = (np.abs(gamma) if model.architecture.scale == "absolute" else gamma) / np.sqrt(variance + model.architecture.norm_epsilon)
    return gain, beta + gain * (offset - mean)


def softplus(z: Array, beta: float) -> Array:
    """log(1 + exp(beta z)) / beta without overflow."""
    found: Array = np.logaddexp(0.0, beta * z) / beta
    return found


def head(model: Model, first: Array) -> Array:
    """The first linear stage's sums (B, C, Y, X) -> rates (B, N) in Hz; of a linear-nonlinear model (B, N, 1, 1) are the readout's."""
    a = model.architecture
    h = first
    for i, layer in enumerate(a.hidden):
        z = h if i == 0 else correlate(h, model.parameters[f"hidden{i}_kernel"].astype(np.float64))
        gain, offset = norm(model, f"hidden{i}", f"hidden{i}_bias", layer.channels)
        h = np.maximum(0.0, gain * z + offset)
    weight = model.parameters["readout_weight"].astype(np.float64)
    drive = np.tensordot(h, weight, axes=([1, 2, 3], [1, 2, 3])) if a.hidden else h[:, :, 0, 0]
    gain, offset = norm(model, "output", "readout_bias", a.cells)
    return softplus(gain[:, 0, 0] * drive + offset[:, 0, 0], a.softplus_beta)


def predict(model: Model, contrast: Array) -> Array:
    """Contrast movie (T, Y, X) -> rates (N, T) in Hz, with grey before its first frame."""
    a = model.architecture
    before = a.history - 1 + model.minimum_lag
    kernel = model.parameters["hidden0_kernel" if a.hidden else "readout_weight"].astype(np.float64)
    rates = np.empty((a.cells, len(contrast)))
    for begin in range(0, len(contrast), BLOCK):
        windows = min(BLOCK, len(contrast) - begin)
        at = np.arange(begin - before, begin - before + windows + a.history - 1)
        frames = model.normalisation(contrast[np.maximum(at, 0)] * (at >= 0)[:, None, None])
        first = temporal_correlate(frames, kernel, windows)
        for chunk in range(0, windows, CHUNK):
            part = head(model, first[chunk:chunk + CHUNK])
            rates[:, begin + chunk:begin + chunk + len(part)] = part.T
    return rates
