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

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.signals.streams import Cursor, Stream

__all__ = ["EPOCH", "Noise"]

EPOCH = 256
"""Samples per epoch, and epochs per block of the boundary chain."""
PATH, CHAIN, ORIGIN = 0, 1, 2
"""Lanes of a stream: the samples of an epoch, a block of boundaries, the value at the beginning."""


class Noise:
    """Unit-variance AR(1) noise of many rows (sensors) that share one sampling grid.

    ``owners`` lists, per asset, its stream and how many consecutive rows it has: randomness belongs to the asset, so
    a row does not change when other assets join or leave. ``phi``: float64[rows], the lag-1 autocorrelation.
    """

    def __init__(self, owners: Sequence[tuple[Stream, int]], phi: NDArray[np.float64], *, first_index: int) -> None:
        self._owners = owners
        self._phi = phi
        self._fresh = np.sqrt(1.0 - phi**2)
        self._phi_epoch = phi**EPOCH
        self._fresh_epoch = np.sqrt(1.0 - self._phi_epoch**2)
        # Rows share few values of φ, and so few bridges.
        some, self._bend_of = np.unique(phi, return_inverse=True)
        self._bend = bend(some)
        self._cursor = Cursor()
        self._first_epoch = first_index // EPOCH
        self._chain_block = self._first_epoch // EPOCH
        self._chain = self._block(self._chain_block, self._origin())
        self._epochs: dict[int, NDArray[np.float64]] = {}

    def _draw(self, epoch: int, lane: int, count: int) -> NDArray[np.float64]:
        """Draw float64[count, rows] standard normal numbers, each asset from its own stream."""
        drawn = np.empty((count, len(self._phi)))
        low = 0
        for stream, rows in self._owners:
            drawn[:, low : low + rows] = self._cursor.at(stream, epoch, lane).standard_normal((count, rows))
            low += rows
        return drawn

    def _origin(self) -> NDArray[np.float64]:
        value: NDArray[np.float64] = self._draw(self._first_epoch, ORIGIN, 1)[0]
        return value

    def _block(self, block: int, start: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return float64[EPOCH + 1, rows]: the left boundary of each epoch of a block, and of the one after it."""
        fresh = self._draw(block, CHAIN, EPOCH) * self._fresh_epoch
        chain = np.empty((EPOCH + 1, len(start)))
        first = max(0, self._first_epoch - block * EPOCH)
        chain[: first + 1] = start
        for i in range(first, EPOCH):
            chain[i + 1] = self._phi_epoch * chain[i] + fresh[i]
        return chain

    def _boundaries(self, epoch: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        block, at = divmod(epoch, EPOCH)
        if block < self._chain_block:
            self._chain_block = self._first_epoch // EPOCH
            self._chain = self._block(self._chain_block, self._origin())
        while self._chain_block < block:
            self._chain_block += 1
            self._chain = self._block(self._chain_block, self._chain[EPOCH])
        return self._chain[at], self._chain[at + 1]

    def _epoch(self, epoch: int) -> NDArray[np.float64]:
        """Return float64[rows, EPOCH]."""
        if epoch not in self._epochs:
            left, right = self._boundaries(epoch)
            path = self._draw(epoch, PATH, EPOCH)
            path *= self._fresh
            y, ended = left.copy(), np.empty_like(left)
            # The first draw moves to sample 1, the last to the left boundary of the next epoch: each row of the draws
            # is needed once, and then holds the free path.
            for row in path:
                np.multiply(self._phi, y, out=ended)
                ended += row
                row[:] = y
                y, ended = ended, y
            free = np.ascontiguousarray(path.T)
            off = right - y
            for i, weight in enumerate(self._bend):
                mine = np.flatnonzero(self._bend_of == i)
                free[mine] += weight * off[mine, None]
            self._epochs[epoch] = free
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


def bend(phi: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return float64[N, EPOCH]: by how much of what a free path misses at its end each of its samples is moved."""
    left = np.arange(EPOCH)[:, None]
    # Where φ^(2N) is 1 in floating point the noise is a constant and the bridge weight is k/N.
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = phi ** (EPOCH - left) * (1.0 - phi ** (2 * left)) / (1.0 - phi ** (2 * EPOCH))
    return np.ascontiguousarray(np.where(np.isfinite(weight), weight, left / EPOCH).T)
