# SPDX-License-Identifier: Apache-2.0
"""PyTorch's side of the training benchmark: BN-CNN as people write it, and rewritten by torch.fft."""

import dataclasses
import time

import torch
from torch import nn

HISTORY, SIZE, CELLS = 40, 50, 5
CHANNELS, KERNEL_1, KERNEL_2 = 8, 15, 11
OUT_1, OUT_2 = SIZE - KERNEL_1 + 1, SIZE - KERNEL_1 - KERNEL_2 + 2


@dataclasses.dataclass
class Batch:
    """`segments` runs of `windows` windows, each `spacing` frames after the one before."""

    segments: int
    windows: int
    spacing: int

    @property
    def size(self):
        return self.segments * self.windows

    @property
    def lags(self):
        """Every `spacing`-th lag of the history, the lags of one phase."""
        return -(-HISTORY // self.spacing)

    @property
    def phase(self):
        """Every `spacing`-th frame of a segment."""
        return self.windows + self.lags - 1

    @property
    def frames(self):
        """Of a segment, in whole rounds of the spacing."""
        return self.phase * self.spacing

    @property
    def length(self):
        """Frames of a phase, padded to a length that transforms well: no prime factor above 5."""
        smooth = {2**a * 3**b * 5**c for a in range(11) for b in range(7) for c in range(5)}
        return min(n for n in smooth if n >= self.phase)

    def windows_of(self, frames):
        """frames (segment, frame, ...) -> (segment, window, ..., lag), a view."""
        return frames.unfold(1, HISTORY, self.spacing)[:, : self.windows]


class Noise(nn.Module):
    def forward(self, x):
        return x + 0.05 * torch.randn_like(x) if self.training else x


def after_convolution(size):
    """Batch norm per unit, noise, ReLU."""
    return nn.Sequential(
        nn.Flatten(), nn.BatchNorm1d(CHANNELS * size * size, eps=1e-3, momentum=0.01), Noise(), nn.ReLU()
    )


def readout():
    return nn.Sequential(
        nn.Linear(CHANNELS * OUT_2 * OUT_2, CELLS, bias=False), nn.BatchNorm1d(CELLS, eps=1e-3, momentum=0.01), nn.Softplus()
    )


def stock_network():
    """Windows (batch, history, y, x) -> rates (batch, cells)."""
    return nn.Sequential(
        nn.Conv2d(HISTORY, CHANNELS, KERNEL_1, bias=False),
        after_convolution(OUT_1),
        nn.Unflatten(1, (CHANNELS, OUT_1, OUT_1)),
        nn.Conv2d(CHANNELS, CHANNELS, KERNEL_2, bias=False),
        after_convolution(OUT_2),
        readout(),
    )


def multiply(spectra, kernel, complex_products):
    """spectra (frequency, batch, D) times conj kernel (frequency, D, C), as one product of complex matrices per frequency, or as
    a real one with real and imaginary parts side by side."""
    if complex_products:
        return torch.bmm(spectra, kernel.conj().resolve_conj())
    real, imaginary = kernel.real, kernel.imag
    rows = torch.cat((torch.cat((real, -imaginary), 2), torch.cat((imaginary, real), 2)), 1)
    product = torch.bmm(spectra, rows)
    c = kernel.shape[2]
    return torch.complex(product[..., :c], product[..., c:])


def by_frequency(spectra, complex_products):
    """(batch, D, ky, kx) -> (ky * kx, batch, D), or (ky * kx, batch, 2 D) real."""
    flat = spectra.flatten(2).permute(2, 0, 1)
    return flat.contiguous() if complex_products else torch.cat((flat.real, flat.imag), 2)


class FourierNetwork(nn.Module):
    """The same network on frames (segment, frame, y, x): a frame is transformed once for all windows that contain it."""

    def __init__(self, batch, complex_products):
        super().__init__()
        self.batch, self.complex_products = batch, complex_products
        self.kernel_1 = nn.Parameter(nn.Conv2d(HISTORY, CHANNELS, KERNEL_1).weight.detach())
        self.kernel_2 = nn.Parameter(nn.Conv2d(CHANNELS, CHANNELS, KERNEL_2).weight.detach())
        self.after_1, self.after_2, self.readout = after_convolution(OUT_1), after_convolution(OUT_2), readout()

    def convolve(self, spectra, kernel, size, out):
        transformed = torch.fft.rfft2(kernel, s=(size, size)).flatten(2).permute(2, 1, 0)
        product = multiply(spectra, transformed, self.complex_products)
        product = product.permute(1, 2, 0).reshape(self.batch.size, CHANNELS, size, size // 2 + 1)
        return torch.fft.irfft2(product, s=(size, size))[..., :out, :out]

    def forward(self, frames):
        with torch.no_grad():
            windows = self.batch.windows_of(torch.fft.rfft2(frames)).permute(0, 1, 4, 2, 3)
            spectra = by_frequency(windows.reshape(self.batch.size, HISTORY, SIZE, SIZE // 2 + 1), self.complex_products)
        h = self.after_1(self.convolve(spectra, self.kernel_1, SIZE, OUT_1)).reshape(self.batch.size, CHANNELS, OUT_1, OUT_1)
        spectra = by_frequency(torch.fft.rfft2(h), self.complex_products)
        return self.readout(self.after_2(self.convolve(spectra, self.kernel_2, OUT_1, OUT_2)))


class VolumeNetwork(FourierNetwork):
    """The first layer by transforms over time too: a segment is one volume, and its windows are the valid lags of one correlation.
    Where windows are apart, every `spacing`-th frame is a volume, and the products of all of them are summed before the way back."""

    def __init__(self, batch, compiled):
        super().__init__(batch, True)
        if compiled:  # torch.compile makes nothing of complex numbers; it can fuse what is between them
            self.after_1, self.after_2, self.readout = map(torch.compile, (self.after_1, self.after_2, self.readout))

    def by_phase(self, volume, frames):
        """(batch, frames, y, x) -> spectra (batch, spacing, time, ky, kx) of every spacing-th frame."""
        phases = volume.unflatten(1, (frames, self.batch.spacing)).transpose(1, 2)
        return torch.fft.rfftn(phases, s=(self.batch.length, SIZE, SIZE), dim=(2, 3, 4))

    def forward(self, frames):
        size = (self.batch.length, SIZE, SIZE)
        rounds = self.batch.lags * self.batch.spacing
        with torch.no_grad():
            spectra = self.by_phase(frames, self.batch.phase)
        kernel = self.by_phase(nn.functional.pad(self.kernel_1, (0, 0, 0, 0, 0, rounds - HISTORY)), self.batch.lags).conj()
        product = spectra[:, None, 0] * kernel[:, 0]
        for p in range(1, self.batch.spacing):
            product = product + spectra[:, None, p] * kernel[:, p]
        z = torch.fft.irfftn(product, s=size, dim=(2, 3, 4))[:, :, : self.batch.windows, :OUT_1, :OUT_1].transpose(1, 2)
        h = self.after_1(z.reshape(self.batch.size, CHANNELS, OUT_1, OUT_1)).reshape(self.batch.size, CHANNELS, OUT_1, OUT_1)
        spectra = by_frequency(torch.fft.rfft2(h), self.complex_products)
        return self.readout(self.after_2(self.convolve(spectra, self.kernel_2, OUT_1, OUT_2)))


class Trainer:
    """Adam steps on one resident batch."""

    def __init__(self, name, network, batch, stimulus, device, compiled=False):
        self.name, self.batch, self.stimulus = name, batch, stimulus
        self.network = network.to(device).train()
        self.target = 100 * torch.poisson(torch.full((batch.size, CELLS), 0.1)).to(device)
        self.loss = nn.PoissonNLLLoss(log_input=False, eps=1e-8)
        self.optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
        self.forward = torch.compile(self.network) if compiled else self.network

    def step(self):
        self.optimiser.zero_grad()
        loss = self.loss(self.forward(self.stimulus), self.target)
        loss.backward()
        self.optimiser.step()
        return loss.item()

    def windows_per_second(self, steps):
        start = time.perf_counter()
        for _ in range(steps):
            self.step()
        return self.batch.size * steps / (time.perf_counter() - start)


def stock_trainers(batch, device):
    windows = torch.randn(batch.size, HISTORY, SIZE, SIZE, device=device)
    last = torch.channels_last
    yield lambda: Trainer("eager", stock_network(), batch, windows, device)
    yield lambda: Trainer("channels last", stock_network().to(memory_format=last), batch, windows.to(memory_format=last), device)
    yield lambda: Trainer("compiled", stock_network(), batch, windows, device, compiled=True)


def fft_trainers(batch, device):
    frames = torch.randn(batch.segments, batch.frames, SIZE, SIZE, device=device)
    yield lambda: Trainer("complex products", FourierNetwork(batch, True), batch, frames, device)
    yield lambda: Trainer("real products", FourierNetwork(batch, False), batch, frames, device)
    yield lambda: Trainer("transforms over time", VolumeNetwork(batch, False), batch, frames, device)
    yield lambda: Trainer("transforms over time, the rest compiled", VolumeNetwork(batch, True), batch, frames, device)


def check_same_network(batch):
    """The rewritten network computes what the stock one does, or the comparison would mean nothing."""
    torch.manual_seed(1)
    stock = stock_network()
    with torch.no_grad():
        frames = torch.randn(batch.segments, batch.frames, SIZE, SIZE)
        windows = batch.windows_of(frames).permute(0, 1, 4, 2, 3).reshape(batch.size, HISTORY, SIZE, SIZE)
        for fft in (FourierNetwork(batch, True), FourierNetwork(batch, False), VolumeNetwork(batch, False)):
            stock[0].weight.copy_(fft.kernel_1)
            stock[3].weight.copy_(fft.kernel_2)
            stock[5][0].weight.copy_(fft.readout[0].weight)
            for module in (*stock.modules(), *fft.modules()):
                if isinstance(module, Noise):
                    module.eval()
            if not torch.allclose(fft(frames), stock(windows), rtol=1e-3, atol=1e-4):
                raise SystemExit("the network rewritten by torch.fft does not compute what the stock one does")
