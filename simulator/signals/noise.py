"""First-order autoregressive noise with random access: any window of it, bit for bit, wherever one starts.

The process is n[k] = φ n[k-1] + √(1-φ²) ε, φ = e^(-Δt/τ) (Box, Jenkins: Time Series Analysis, chapter 3), for
k ≥ k0, the index at which the simulated world begins. It is cut into epochs of ``EPOCH`` samples. The values at the
epoch boundaries are a chain of their own, with φ^EPOCH; between two of them runs an AR(1) bridge: a free path from
the left boundary, bent so that it ends in the right one,

    n[k] = y[k] + φ^(N-k) (1-φ^(2k)) / (1-φ^(2N)) · (x_right - y[N]),

which has exactly the law of the process given both ends. So one epoch needs its own random numbers and two
boundaries, and a boundary needs one number per epoch before it rather than all samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.signals.streams import Cursor, Stream

__all__ = ["EPOCH", "Noise"]

EPOCH = 256
"""Samples per epoch, and epochs per block of the boundary chain."""
BLOCK = 512
"""Rows that are worked out together."""
PATH, CHAIN, ORIGIN = 0, 1, 2
"""Lanes of a stream: the samples of an epoch, a block of boundaries, the value at the beginning."""


class Noise:
    """Unit-variance AR(1) noise of many rows (sensors) that share one sampling grid.

    ``owners`` lists, per asset, its stream and how many consecutive rows it has: randomness belongs to the asset, so
    a row does not change when other assets join or leave. ``phi``: float64[rows], the lag-1 autocorrelation.
    """

    def __init__(self, owners: Sequence[tuple[Stream, int]], phi: NDArray[np.float64], *, first_index: int) -> None:
        self._phi = phi
        self._first_epoch = first_index // EPOCH
        self._blocks: list[tuple[slice, Block]] = []
        cursor = Cursor()
        for low, high, some in blocks_of(owners):
            self._blocks.append((slice(low, high), Block(some, phi[low:high], cursor, first_epoch=self._first_epoch)))
        self._epochs: dict[int, NDArray[np.float64]] = {}

    def _epoch(self, epoch: int) -> NDArray[np.float64]:
        """Return float64[rows, EPOCH]."""
        if epoch not in self._epochs:
            samples = np.empty((len(self._phi), EPOCH))
            for rows, block in self._blocks:
                samples[rows] = block.epoch(epoch)
            self._epochs[epoch] = samples
            for old in [e for e in self._epochs if e < epoch - 1]:
                del self._epochs[old]
        return self._epochs[epoch]

    def window(self, first: int, last: int) -> NDArray[np.float64]:
        """Return float64[last - first, rows]: the samples with index first <= k < last.

        Raises ValueError for an index before the beginning of the world's first epoch.
        """
        return self._stretch(first, last).T

    def _stretch(self, first: int, last: int) -> NDArray[np.float64]:
        """Return float64[rows, last - first]."""
        if first < self._first_epoch * EPOCH:
            message = f"first(={first}) lies before the first sample of this noise, {self._first_epoch * EPOCH}"
            raise ValueError(message)
        parts = []
        for epoch in range(first // EPOCH, (last - 1) // EPOCH + 1):
            low = epoch * EPOCH
            parts.append(self._epoch(epoch)[:, max(first - low, 0) : last - low])
        return np.concatenate(parts, axis=1) if parts else np.empty((len(self._phi), 0))

    def at(self, row: NDArray[np.int64], index: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the samples of these rows with these indices, of the shape that both broadcast to."""
        first, last = int(index.min()), int(index.max()) + 1
        epoch = first // EPOCH
        if (last - 1) // EPOCH == epoch and first >= self._first_epoch * EPOCH:
            flat, width, low = self._epoch(epoch).ravel(), EPOCH, epoch * EPOCH
        else:
            flat, width, low = self._stretch(first, last).ravel(), last - first, first
        samples: NDArray[np.float64] = flat.take(row * width - low + index)
        return samples


class Block:
    """So many rows that what is worked out for them fits into the processor's cache."""

    def __init__(
        self, owners: Sequence[tuple[Stream, int]], phi: NDArray[np.float64], cursor: Cursor, *, first_epoch: int
    ) -> None:
        self._owners = owners
        self._cursor = cursor
        self._phi = phi
        self._fresh = np.sqrt(1.0 - phi**2)
        self._phi_epoch = phi**EPOCH
        self._fresh_epoch = np.sqrt(1.0 - self._phi_epoch**2)
        # Rows share few values of φ, and so few bridges.
        some, self._bend_of = np.unique(phi, return_inverse=True)
        self._bend = bend(some)
        self._first_epoch = first_epoch
        self._begin()

    def _begin(self) -> None:
        """Go back to the first of the epochs whose boundaries are kept."""
        self._chain_at = self._first_epoch // EPOCH
        self._chain = self._boundaries_of(self._chain_at, self._draw(self._first_epoch, ORIGIN, 1)[0])

    def _draw(self, epoch: int, lane: int, count: int) -> NDArray[np.float64]:
        """Draw float64[count, rows] standard normal numbers, each asset from its own stream."""
        drawn = np.empty((count, len(self._phi)))
        low = 0
        for stream, rows in self._owners:
            drawn[:, low : low + rows] = self._cursor.at(stream, epoch, lane).standard_normal((count, rows))
            low += rows
        return drawn

    def _boundaries_of(self, chain_at: int, start: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return float64[EPOCH + 1, rows]: the left boundaries of so many epochs, and of the one after them."""
        fresh = self._draw(chain_at, CHAIN, EPOCH) * self._fresh_epoch
        chain = np.empty((EPOCH + 1, len(start)))
        first = max(0, self._first_epoch - chain_at * EPOCH)
        chain[: first + 1] = start
        for i in range(first, EPOCH):
            chain[i + 1] = self._phi_epoch * chain[i] + fresh[i]
        return chain

    def _boundaries(self, epoch: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        chain_at, at = divmod(epoch, EPOCH)
        if chain_at < self._chain_at:
            self._begin()
        while self._chain_at < chain_at:
            self._chain_at += 1
            self._chain = self._boundaries_of(self._chain_at, self._chain[EPOCH])
        return self._chain[at], self._chain[at + 1]

    def epoch(self, epoch: int) -> NDArray[np.float64]:
        """Return float64[rows, EPOCH]."""
        left, right = self._boundaries(epoch)
        path = self._draw(epoch, PATH, EPOCH)
        path *= self._fresh
        y, ended = left.copy(), np.empty_like(left)
        # The first draw moves to sample 1, the last to the left boundary of the next epoch. Each row of the draws is
        # needed once, and then holds the free path.
        for row in path:
            np.multiply(self._phi, y, out=ended)
            ended += row
            row[:] = y
            y, ended = ended, y
        free = np.ascontiguousarray(path.T)
        free += self._bend[self._bend_of] * (right - y)[:, None]
        return free


def blocks_of(owners: Sequence[tuple[Stream, int]]) -> Iterator[tuple[int, int, Sequence[tuple[Stream, int]]]]:
    """Yield from which row to which, and whose rows these are, in blocks of about ``BLOCK`` rows."""
    first = low = high = 0
    for i, (_, rows) in enumerate(owners):
        high += rows
        if high - low >= BLOCK or i == len(owners) - 1:
            yield low, high, owners[first : i + 1]
            first, low = i + 1, high


def bend(phi: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return float64[N, EPOCH]: by how much of what a free path misses at its end each of its samples is moved."""
    left = np.arange(EPOCH)[:, None]
    # Where φ^(2N) is 1 in floating point the noise is a constant and the bridge weight is k/N.
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = phi ** (EPOCH - left) * (1.0 - phi ** (2 * left)) / (1.0 - phi ** (2 * EPOCH))
    return np.ascontiguousarray(np.where(np.isfinite(weight), weight, left / EPOCH).T)
