"""Random streams that belong to a name: the same name and epoch give the same numbers, whoever asks and when.

Philox is counter-based (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): the key comes from the
seed and the name, the counter from the epoch and a lane within it, so any stretch of any stream can be reached
without drawing what lies before it.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cursor", "Stream"]


class Stream:
    """The random numbers of one name."""

    __slots__ = ("key",)

    def __init__(self, seed: int, *name: str) -> None:
        # The unit separator cannot stand in a name, so ("a", "bc") and ("ab", "c") stay apart.
        digest = hashlib.blake2b(f"{seed}\x1f{chr(31).join(name)}".encode(), digest_size=16).digest()
        self.key: NDArray[np.uint64] = np.frombuffer(digest, dtype=np.uint64)

    def epoch(self, epoch: int, lane: int = 0) -> np.random.Generator:
        """Return a generator at the start of an epoch; lanes of one epoch never overlap."""
        return np.random.Generator(np.random.Philox(key=self.key, counter=counter(epoch, lane)))


class Cursor:
    """One generator that goes from stream to stream: a fifth of the cost of a new one where each is read but once."""

    def __init__(self) -> None:
        self._philox = np.random.Philox(key=0)
        self._generator = np.random.Generator(self._philox)
        self._state = self._philox.state

    def at(self, stream: Stream, epoch: int, lane: int = 0) -> np.random.Generator:
        """Return what ``stream.epoch`` does, until the next call."""
        self._state["state"] = {"counter": counter(epoch, lane), "key": stream.key}
        self._philox.state = self._state
        return self._generator


def counter(epoch: int, lane: int) -> NDArray[np.uint64]:
    """Return the counter at which a lane of an epoch begins."""
    return np.array([0, 0, epoch, lane], dtype=np.int64).view(np.uint64)
