# SPDX-License-Identifier: Apache-2.0
"""A model's forward pass in NumPy, in double precision, in blocks of windows."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from .model import Model

Array = npt.NDArray[np.float64]
BLOCK = 64  # windows that share a run of frames
CHUNK = 16  # windows whose patches are in memory at a time


def correlate(images: Array, kernel: Array) -> Array:
    """Valid cross-correlation: images (B, D, Y, X), kernel (C, D, KY, KX) -> (B, C, Y - KY + 1, X - KX + 1)."""
    patches = sliding_window_view(images, kernel.shape[2:], axis=(2, 3))  # (B, D, OY, OX, KY, KX)
    sums: Array = np.moveaxis(np.tensordot(patches, kernel, axes=([1, 4, 5], [1, 2, 3])), -1, 1)
    return sums


def temporal_correlate(frames: Array, kernel: Array, windows: int) -> Array:
    """Window b is frames b ... b + T - 1: frames (windows + T - 1, Y, X), kernel (C, T, KY, KX) -> (windows, C, OY, OX).

    In space by the discrete Fourier transform: where a kernel lies wholly within the frame, a circular correlation is the plain one.
    """
    size = frames.shape[1:]
    spectra, kernels = np.fft.rfft2(frames), np.conj(np.fft.rfft2(kernel, s=size, axes=(2, 3)))
    sums = np.zeros((windows, kernel.shape[0], *spectra.shape[1:]), np.complex128)
    for lag in range(kernel.shape[1]):
        sums += spectra[lag:lag + windows, None] * kernels[:, lag]
    valid: Array = np.fft.irfft2(sums, s=size, axes=(2, 3))[:, :, :size[0] - kernel.shape[2] + 1, :size[1] - kernel.shape[3] + 1]
    return valid


def coefficients(model: Model, name: str, channels: int) -> Array:
    """A parameter or statistic over channels or units as (C, 1, 1) or (C, Y, X); 0 where the model has none of the name."""
    found = model.parameters.get(name, model.statistics.get(name))
    values = np.zeros(channels) if found is None else found.astype(np.float64)
    return values.reshape(channels, *(values.shape[1:] or (1, 1)))


def norm(model: Model, stage: str, bias: str, channels: int) -> tuple[Array, Array]:
    """A norm and the bias before it as gain and offset, (C, 1, 1) or (C, Y, X): gamma (z + bias - mean) / sqrt(variance + epsilon) + beta."""
    offset = coefficients(model, bias, channels)
    if f"{stage}_gamma" not in model.parameters:
        return np.ones((channels, 1, 1)), offset
    gamma, beta, mean, variance = (coefficients(model, f"{stage}_{name}", channels) for name in ("gamma", "beta", "mean", "variance"))
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
