# SPDX-License-Identifier: Apache-2.0
"""How long a training step takes on many ranks, by a model: see docs/scaling.md. Times are seconds, sizes bytes.
A batch is cut into parts (groups of neighbouring segments), each the whole of one rank; what is summed over parts is counted as src/model/train_graph.cpp
and src/parallel/communicator.cpp send it."""
import dataclasses
import math

DOUBLE, SINGLE = 8, 4
# Communicator::ordered_sum: values of all parts together that travel in one exchange (src/parallel/pieces.hpp).
MOST_VALUES = 2**27
# Windows whose gradients of the first kernel are summed on their rank before anything is sent (include/amacrine/model/segment_shape.hpp), and those of a part.
SUMMED_WINDOWS, PART_WINDOWS = 64, 16


@dataclasses.dataclass(frozen=True)
class Network:
    """Sizes of the default network; a norm is "per_channel", "per_unit" or "none"."""
    cells: int = 7
    history: int = 40
    side: int = 50
    channels: tuple = (8, 8)
    kernels: tuple = (15, 11)
    norm: str = "per_channel"

    def sides(self):
        """Side of every hidden layer's output, px."""
        sides = [self.side]
        for kernel in self.kernels:
            sides.append(sides[-1] - kernel + 1)
        return sides[1:]

    def kernel_values(self):
        """Parameters of every hidden layer's kernel."""
        inputs = [self.history, *self.channels[:-1]]
        return [channels * before * kernel**2 for channels, before, kernel in zip(self.channels, inputs, self.kernels)]

    def norm_values(self):
        """Coefficients of every hidden layer's norm; without a norm, of its bias."""
        return [channels * side**2 if self.norm == "per_unit" else channels for channels, side in zip(self.channels, self.sides())]

    def readout_values(self):
        return self.cells * self.channels[-1] * self.sides()[-1] ** 2


@dataclasses.dataclass(frozen=True)
class Sum:
    """One ordered sum of a step: `values` of `size` bytes from every part, or, where neighbours are summed before, from every few."""
    name: str
    values: int
    size: int
    neighbours: bool = False
    awaited: bool = True  # the computing that follows needs the result


def sums_of_step(network):
    """The ordered sums of one step, in their order: moments forward, the loss, then from the output back (train_forward, train_backward)."""
    layers = list(zip(network.norm_values(), network.kernel_values()))
    forward = [Sum(f"moments of layer {n + 1}", 2 * values, DOUBLE) for n, (values, _) in enumerate(layers) if network.norm != "none"]
    output = [Sum("moments of the output", 2 * network.cells, DOUBLE), Sum("loss", network.cells, DOUBLE), Sum("gradient's moments of the output", 2 * network.cells, DOUBLE),
              Sum("gradient of the readout", network.readout_values(), SINGLE, awaited=False)]
    back = [entry for n, (values, kernel) in reversed(list(enumerate(layers)))
            for entry in (Sum(f"gradient's moments of layer {n + 1}", 2 * values, DOUBLE), Sum(f"gradient of kernel {n + 1}", kernel, SINGLE, n == 0, n == 0))]
    return forward + output + back


@dataclasses.dataclass(frozen=True)
class Link:
    """A network between ranks: seconds of a message, bytes per second of a rank."""
    latency: float
    bandwidth: float


LINKS = {"infiniband": Link(2e-6, 12e9), "ethernet": Link(30e-6, 1e9)}


@dataclasses.dataclass(frozen=True)
class Batch:
    """`parts` parts that as many as `owners` ranks may share (training.most_ranks); neighbours of them are always of one rank."""
    parts: int
    owners: int

    @property
    def neighbours(self):
        """Parts whose gradients of the first kernel are summed before anything is sent: a divisor of all."""
        some = max(1, min(SUMMED_WINDOWS // PART_WINDOWS, self.parts // self.owners))
        while self.parts % some:
            some -= 1
        return some

    def shards(self, entry):
        """What a sum is over."""
        return self.parts // self.neighbours if entry.neighbours else self.parts

    def most(self, ranks):
        """Parts of the rank that has most of them: whole groups of neighbours."""
        return -(-(self.parts // self.neighbours) // ranks) * self.neighbours


def whole(parts):
    """A batch that as many ranks may share as it has parts: [training]'s own, at 32."""
    return Batch(parts, parts)


def pieces(entry, shards):
    """Exchanges into which a sum is cut."""
    return -(-entry.values // max(1, MOST_VALUES // shards))


def bytes_of_step(network, batch, ranks):
    """Bytes that the rank with most parts sends in a step: (to the ranks that sum, of its own sums to all)."""
    if ranks == 1:
        return 0.0, 0.0
    others, most = (ranks - 1) / ranks, batch.most(ranks)
    sums = sums_of_step(network)
    apart = sum(entry.values * entry.size * (most // batch.neighbours if entry.neighbours else most) for entry in sums)
    return apart * others, sum(entry.values * entry.size for entry in sums) * others


def collectives_of_step(network, batch):
    """Exchanges of all sums of a step: as many MPI_Alltoallv as MPI_Allgatherv; one MPI_Allreduce of 8 bytes beside them."""
    return sum(pieces(entry, batch.shards(entry)) for entry in sums_of_step(network))


def messages_of_step(network, batch, ranks, at_once):
    """Messages of a rank in a step whose latencies add up. In turn: one to every other rank in both halves of an exchange. At once: those of an
    MPI_Alltoallv overlap, and an MPI_Allgatherv takes ceil(log2(ranks)) rounds. The MPI_Allreduce by which ranks agree to stop takes as many either way."""
    if ranks == 1:
        return 0
    rounds = math.ceil(math.log2(ranks))
    return collectives_of_step(network, batch) * (1 + rounds if at_once else 2 * (ranks - 1)) + rounds


@dataclasses.dataclass(frozen=True)
class Machine:
    """One rank's seconds a part and a step (what every rank does by itself), and bytes per second of a copy in its memory."""
    part: float
    serial: float
    copies: float = 8e9


# A part's sums are copied to the host and packed before they are sent.
COPIES = 2


def step_seconds(network, machine, link, batch, ranks, at_once):
    """Seconds of a step: of the rank with most parts, nothing computed while messages travel."""
    apart, gathered = bytes_of_step(network, batch, ranks)
    return (machine.serial + batch.most(ranks) * machine.part + COPIES * apart / machine.copies
            + messages_of_step(network, batch, ranks, at_once) * link.latency + (apart + gathered) / link.bandwidth)


def overlap_seconds(network, link, batch, ranks, at_once):
    """The most that a step gains where it computes while the gradients of the readout and of all kernels but the first travel, which nothing later in it needs:
    their latencies and bytes. The gradient of the first kernel comes last, with nothing to compute behind it."""
    if ranks == 1:
        return 0.0
    free = [entry for entry in sums_of_step(network) if not entry.awaited]
    messages = 1 + math.ceil(math.log2(ranks)) if at_once else 2 * (ranks - 1)
    sent = sum(entry.values * entry.size for entry in free) * (batch.most(ranks) + 1) * (ranks - 1) / ranks
    return sum(pieces(entry, batch.shards(entry)) for entry in free) * messages * link.latency + sent / link.bandwidth


def strong_efficiency(network, machine, link, parts, ranks, at_once):
    """Of one batch of `parts` parts: time on one rank over `ranks` times the time on `ranks`."""
    alone = step_seconds(network, machine, link, whole(parts), 1, at_once)
    return alone / (ranks * step_seconds(network, machine, link, whole(parts), ranks, at_once))


def weak_efficiency(network, machine, link, parts_each, ranks, at_once):
    """Of batches that grow with the ranks, for which training.most_ranks is set: time of `parts_each` parts on one rank over that of as many a rank."""
    alone = step_seconds(network, machine, link, Batch(parts_each, 1), 1, at_once)
    return alone / step_seconds(network, machine, link, Batch(parts_each * ranks, ranks), ranks, at_once)
