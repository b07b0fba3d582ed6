"""Fates: messages that ended somewhere else than in the store, which and why."""

from __future__ import annotations

from collections import Counter

from simulator.results.sequences import Ranges

__all__ = ["Fates"]


class Fates:
    """Messages that ended somewhere else than in the store: which, and why.

    Bounded: with no room for another range the oldest range of that asset and reason is forgotten. Its messages are
    open again and end as unaccounted, so loss is never hidden.
    """

    def __init__(self, most_ranges: int) -> None:
        self.reasons: Counter[str] = Counter()
        self.of_asset: dict[int, dict[str, Ranges]] = {}
        self._room = most_ranges

    def has(self, asset: int, seq: int) -> bool:
        return any(seq in ranges for ranges in self.of_asset.get(asset, {}).values())

    def put(self, reason: str, asset: int, seq: int) -> None:
        """Note a message that is not noted yet."""
        ranges = self.of_asset.setdefault(asset, {}).setdefault(reason, Ranges())
        before = len(ranges)
        ranges.add(seq)
        self.reasons[reason] += 1
        self._settle(reason, asset, ranges, before)

    def take(self, asset: int, seq: int) -> bool:
        """Forget a message, for it came to a better end; return False if it was not there."""
        for reason, ranges in self.of_asset.get(asset, {}).items():
            before = len(ranges)
            if ranges.remove(seq):
                self.reasons[reason] -= 1
                self._settle(reason, asset, ranges, before)
                return True
        return False

    def _settle(self, reason: str, asset: int, ranges: Ranges, before: int) -> None:
        self._room -= len(ranges) - before
        if self._room < 0:
            first, last = ranges.pop_first()
            self.reasons[reason] -= last - first
            self._room += 1
        if not ranges:
            del self.of_asset[asset][reason]
            if not self.of_asset[asset]:
                del self.of_asset[asset]

    def among(self, asset: int, missing: Ranges) -> int:
        """Count how many of ``missing`` are here."""
        return sum(ranges.common(missing) for ranges in self.of_asset.get(asset, {}).values())

    def counts(self) -> dict[str, int]:
        return {reason: n for reason, n in sorted(self.reasons.items()) if n}
