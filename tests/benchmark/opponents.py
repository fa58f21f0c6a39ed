# SPDX-License-Identifier: Apache-2.0
"""PyTorch's side of the training benchmark: BN-CNN as people write it, and rewritten by torch.fft."""

import time

import torch
from torch import nn

HISTORY, SIZE, CELLS, SEGMENTS, WINDOWS = 40, 50, 5, 16, 32
BATCH = SEGMENTS * WINDOWS
SEGMENT_FRAMES = 72  # frames of a segment (71) at a length that transforms well
CHANNELS, KERNEL_1, KERNEL_2 = 8, 15, 11
OUT_1, OUT_2 = SIZE - KERNEL_1 + 1, SIZE - KERNEL_1 - KERNEL_2 + 2


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

    def __init__(self, complex_products):
        super().__init__()
        self.complex_products = complex_products
        self.kernel_1 = nn.Parameter(nn.Conv2d(HISTORY, CHANNELS, KERNEL_1).weight.detach())
        self.kernel_2 = nn.Parameter(nn.Conv2d(CHANNELS, CHANNELS, KERNEL_2).weight.detach())
        self.after_1, self.after_2, self.readout = after_convolution(OUT_1), after_convolution(OUT_2), readout()

    def convolve(self, spectra, kernel, size, out):
        transformed = torch.fft.rfft2(kernel, s=(size, size)).flatten(2).permute(2, 1, 0)
        product = multiply(spectra, transformed, self.complex_products)
        product = product.permute(1, 2, 0).reshape(BATCH, CHANNELS, size, size // 2 + 1)
        return torch.fft.irfft2(product, s=(size, size))[..., :out, :out]

    def forward(self, frames):
        with torch.no_grad():
            windows = torch.fft.rfft2(frames).unfold(1, HISTORY, 1).permute(0, 1, 4, 2, 3)
            spectra = by_frequency(windows.reshape(BATCH, HISTORY, SIZE, SIZE // 2 + 1), self.complex_products)
        h = self.after_1(self.convolve(spectra, self.kernel_1, SIZE, OUT_1)).reshape(BATCH, CHANNELS, OUT_1, OUT_1)
        spectra = by_frequency(torch.fft.rfft2(h), self.complex_products)
        return self.readout(self.after_2(self.convolve(spectra, self.kernel_2, OUT_1, OUT_2)))


class VolumeNetwork(FourierNetwork):
    """The first layer by transforms over time too: a segment is one volume, and its windows are the valid lags of one correlation."""

    def __init__(self, compiled):
        super().__init__(True)
        if compiled:  # torch.compile makes nothing of complex numbers; it can fuse what is between them
            self.after_1, self.after_2, self.readout = map(torch.compile, (self.after_1, self.after_2, self.readout))

    def forward(self, frames):
        size = (SEGMENT_FRAMES, SIZE, SIZE)
        with torch.no_grad():
            spectra = torch.fft.rfftn(frames, s=size, dim=(1, 2, 3))[:, None]
        product = spectra * torch.fft.rfftn(self.kernel_1, s=size, dim=(1, 2, 3)).conj()
        z = torch.fft.irfftn(product, s=size, dim=(2, 3, 4))[:, :, :WINDOWS, :OUT_1, :OUT_1].transpose(1, 2)
        h = self.after_1(z.reshape(BATCH, CHANNELS, OUT_1, OUT_1)).reshape(BATCH, CHANNELS, OUT_1, OUT_1)
        spectra = by_frequency(torch.fft.rfft2(h), self.complex_products)
        return self.readout(self.after_2(self.convolve(spectra, self.kernel_2, OUT_1, OUT_2)))


class Trainer:
    """Adam steps on one resident batch."""

    def __init__(self, name, network, stimulus, device, compiled=False):
        self.name, self.stimulus = name, stimulus
        self.network = network.to(device).train()
        self.target = 100 * torch.poisson(torch.full((BATCH, CELLS), 0.1)).to(device)
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
        return BATCH * steps / (time.perf_counter() - start)


def stock_trainers(device):
    windows = torch.randn(BATCH, HISTORY, SIZE, SIZE, device=device)
    last = torch.channels_last
    yield lambda: Trainer("eager", stock_network(), windows, device)
    yield lambda: Trainer("channels last", stock_network().to(memory_format=last), windows.to(memory_format=last), device)
    yield lambda: Trainer("compiled", stock_network(), windows, device, compiled=True)


def fft_trainers(device):
    frames = torch.randn(SEGMENTS, WINDOWS + HISTORY - 1, SIZE, SIZE, device=device)
    yield lambda: Trainer("complex products", FourierNetwork(True), frames, device)
    yield lambda: Trainer("real products", FourierNetwork(False), frames, device)
    yield lambda: Trainer("transforms over time", VolumeNetwork(False), frames, device)
    yield lambda: Trainer("transforms over time, the rest compiled", VolumeNetwork(True), frames, device)


def check_same_network():
    """The rewritten network computes what the stock one does, or the comparison would mean nothing."""
    torch.manual_seed(1)
    stock = stock_network()
    with torch.no_grad():
        frames = torch.randn(SEGMENTS, WINDOWS + HISTORY - 1, SIZE, SIZE)
        windows = frames.unfold(1, HISTORY, 1).permute(0, 1, 4, 2, 3).reshape(BATCH, HISTORY, SIZE, SIZE)
        for fft in (FourierNetwork(True), FourierNetwork(False), VolumeNetwork(False)):
            stock[0].weight.copy_(fft.kernel_1)
            stock[3].weight.copy_(fft.kernel_2)
            stock[5][0].weight.copy_(fft.readout[0].weight)
            for module in (*stock.modules(), *fft.modules()):
                if isinstance(module, Noise):
                    module.eval()
            if not torch.allclose(fft(frames), stock(windows), rtol=1e-3, atol=1e-4):
                raise SystemExit("the network rewritten by torch.fft does not compute what the stock one does")
