"""The comparison of two sets of values, stretch by stretch, with array operations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Catalog
from simulator.ingest.readers.values import Values
from simulator.wire.line_protocol import SEQ

__all__ = ["DEVIATIONS", "Comparison", "Deviation"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Kind = Literal["missing", "extra", "different", "duplicate"]
DEVIATIONS: tuple[Kind, ...] = ("missing", "extra", "different", "duplicate")
TIME_BITS = 43
"""Of a key that holds field and time: 278 years of milliseconds, and a million sensors."""
SHOWN = 10
"""Examples of each kind."""


class Deviation(NamedTuple):
    """A value that is not as it should be."""

    kind: Kind
    topic: str
    field: str
    time_ms: int
    expected: float | None
    found: float | None


class Comparison:
    """Counts what deviates: values that are missing, that nobody sent, that differ, and that are there repeatedly.

    A value is the same if it rounds to the same decimal at the resolution of its sensor. Values may be expected in
    later calls than the one whose stretch holds them, as late messages are, or in earlier ones: they wait until their
    time.
    """

    def __init__(self, catalog: Catalog, *, from_ms: int) -> None:
        """``from_ms``: no time is earlier, of what is expected or found."""
        self._catalog = catalog
        self._from_ms = from_ms
        assets = np.arange(len(catalog.assets))
        self._asset_of = np.concatenate((catalog.asset_of.astype(np.int64), assets))
        self._half = 0.5 / np.concatenate((catalog.scale, np.ones(len(assets))))
        self._counts: dict[str, Ints] = {
            name: np.zeros(len(assets), np.int64) for name in ("expected", "found", *DEVIATIONS)
        }
        self._early = Values.none()
        """Expected, and of a stretch that is still to come."""
        self._strays: tuple[Ints, Floats] = (np.empty(0, np.int64), np.empty(0))
        """Keys in order and values that were found and are not expected so far."""
        self.examples: list[Deviation] = []

    def compare(self, expected: Values, found: Values, *, until_ms: int) -> None:
        """Compare what is found from the end of the last stretch on and before ``until_ms``."""
        wanted = Values.joined([self._early, expected])
        now = wanted.time_ms < until_ms
        self._early, wanted = wanted.picked(~now), wanted.picked(now)
        keys, values, _ = self._in_order(wanted)
        self._count("expected", keys)
        have, there, again = self._in_order(found)
        self._count("found", have)
        self._tell("duplicate", again, None, None)
        # what came late was found before it was expected
        have, there = merged(self._strays, (have, there))
        place = np.minimum(np.searchsorted(have, keys), max(0, len(have) - 1))
        met = have[place] == keys if len(have) else np.zeros(len(keys), dtype=bool)
        self._tell("missing", keys[~met], values[~met], None)
        apart = np.abs(there[place[met]] - values[met]) >= self._half[self._field(keys[met])]
        self._tell("different", keys[met][apart], values[met][apart], there[place[met]][apart])
        unused = np.ones(len(have), dtype=bool)
        unused[place[met]] = False
        self._strays = have[unused], there[unused]

    def settle(self) -> None:
        """Nothing that was found so far is still to be expected: what nobody expects is extra."""
        keys, values = self._strays
        self._tell("extra", keys, None, values)
        self._strays = keys[:0], values[:0]

    def finish(self) -> None:
        """No more comes: what was expected of later stretches is missing."""
        left, self._early = self._early, Values.none()
        keys, values, _ = self._in_order(left)
        self._count("expected", keys)
        self._tell("missing", keys, values, None)
        self.settle()

    def total(self, name: str) -> int:
        """Return how many values ``expected``, ``found`` or a deviation has over all assets."""
        return int(self._counts[name].sum())

    def by_asset(self) -> Iterator[tuple[str, dict[str, int]]]:
        """Yield topic and counts of each asset of which something was expected or found."""
        for number in np.flatnonzero(sum(self._counts.values())).tolist():
            counts = {name: int(column[number]) for name, column in self._counts.items()}
            yield self._catalog.assets[number].topic, counts

    def _in_order(self, values: Values) -> tuple[Ints, Floats, Ints]:
        """Return distinct keys in order with the last value of each, and keys that come again, as often as they do."""
        keys = values.field << TIME_BITS | values.time_ms - self._from_ms
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        last = np.ones(len(keys), dtype=bool)
        last[:-1] = keys[1:] != keys[:-1]
        return keys[last], values.value[order][last], keys[~last]

    def _field(self, keys: Ints) -> Ints:
        return keys >> TIME_BITS

    def _count(self, name: str, keys: Ints) -> None:
        assets = self._asset_of[self._field(keys)]
        self._counts[name] += np.bincount(assets, minlength=len(self._counts[name]))

    def _tell(self, kind: Kind, keys: Ints, expected: Floats | None, found: Floats | None) -> None:
        self._count(kind, keys)
        room = SHOWN - sum(1 for one in self.examples if one.kind == kind)
        for row in range(min(room, len(keys))):
            field = int(self._field(keys[row]))
            asset = self._catalog.assets[int(self._asset_of[field])]
            name = SEQ if field >= len(self._catalog) else self._catalog.sensors[field].name
            time_ms = int(keys[row] & (1 << TIME_BITS) - 1) + self._from_ms
            self.examples.append(Deviation(kind, asset.topic, name, time_ms, number(expected, row), number(found, row)))


def number(values: Floats | None, row: int) -> float | None:
    return None if values is None else float(values[row])


def merged(first: tuple[Any, Any], second: tuple[Any, Any]) -> tuple[Ints, Floats]:
    """Merge keys that are in order with their values."""
    if not len(first[0]):
        return second
    keys, values = (np.concatenate(pair) for pair in zip(first, second, strict=True))
    order = np.argsort(keys, kind="stable")
    return keys[order], values[order]
