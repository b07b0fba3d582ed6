"""What the bridge tells of each message, to whoever keeps account."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Books"]


class Books(Protocol):
    """An account of messages by asset and number. Thread-safe; arguments are integer arrays of equal length."""

    def receive(self, asset: ArrayLike, seq: ArrayLike, time_ms: ArrayLike) -> NDArray[np.bool_]:
        """Note messages in the order of arrival; return which came for the first time."""

    def is_written(self, asset: ArrayLike, seq: ArrayLike) -> NDArray[np.bool_]:
        """Say of each message whether the store is known to have it."""

    def write(self, asset: ArrayLike, seq: ArrayLike, readings: ArrayLike) -> NDArray[np.bool_]:
        """Note messages that the store has committed; return which of them are written for the first time."""

    def dead_letter(self, reason: str, asset: ArrayLike, seq: ArrayLike) -> None:
        """Note messages that the store will never take, and why."""

    def foreign(self, reason: str, n: int = 1) -> None:
        """Note messages that belong to no asset."""

    def spool(self, more: int) -> None:
        """Note how many more messages are on disk, less than 0 if fewer."""

    def unwritten(self) -> int:
        """Return how many messages are known to be on their way."""
