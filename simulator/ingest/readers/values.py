"""Values: what rows of a database hold, as columns, without a row for each message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Catalog
from simulator.wire.line_protocol import SEQ

__all__ = ["Fields", "Reader", "Values"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Values(NamedTuple):
    """Values of rows in any order, columns of one length; repeated where the database holds them repeatedly."""

    field: Ints
    """int64[N]: the number of the sensor in the catalogue; behind those of all sensors, a number for each asset stands
    for the sequence numbers of its rows."""
    time_ms: Ints
    value: Floats

    @classmethod
    def none(cls) -> Values:
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))

    @classmethod
    def joined(cls, parts: Sequence[Values]) -> Values:
        """Put values one after the other."""
        if not parts:
            return cls.none()
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def picked(self, which: NDArray[Any]) -> Values:
        """Return some of them."""
        return Values(self.field[which], self.time_ms[which], self.value[which])

    def __len__(self) -> int:
        return len(self.field)


class Reader(Protocol):
    """An open database that is read, and not written to."""

    def describe(self) -> str:
        """One line for people: which server or file."""

    def values(self, *, from_ms: int, to_ms: int) -> Iterator[Values]:
        """Yield what it holds of the assets of the catalogue with from_ms <= time < to_ms. Raises StoreError."""

    def second(self) -> int | None:
        """Return the second that its own clock shows, Unix time; None if it tells none. Raises StoreError."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Fields:
    """Which number a column of an asset has among the values of a catalogue."""

    def __init__(self, catalog: Catalog) -> None:
        self.kinds = sorted({asset.kind for asset in catalog.assets})
        self._assets = len(catalog.assets)
        self._numbers: dict[str, Ints] = {SEQ: len(catalog) + np.arange(self._assets)}
        for number, asset in enumerate(catalog.assets):
            for place, sensor in enumerate(asset.sensors):
                if sensor.name not in self._numbers:
                    self._numbers[sensor.name] = np.full(self._assets, -1)
                self._numbers[sensor.name][number] = asset.first_sensor + place
        names: dict[str, set[str]] = {kind: {SEQ} for kind in self.kinds}
        for asset in catalog.assets:
            names[asset.kind].update(sensor.name for sensor in asset.sensors)
        self.names_of = {kind: sorted(found) for kind, found in names.items()}
        """The columns that rows of each kind may have."""

    def values(self, asset: Ints, time_ms: Ints, columns: Mapping[str, Iterable[Any]]) -> Values:
        """Return the values of some rows; a column without a value in a row has None or NaN there.

        Columns that are none of the asset are left out: whoever added them knows why.
        """
        parts = []
        for name, column in columns.items():
            if name not in self._numbers:
                continue
            found = np.asarray(column, dtype=np.float64)
            field = self._numbers[name][asset]
            there = ~np.isnan(found) & (field >= 0)
            parts.append(Values(field[there], time_ms[there], found[there]))
        return Values.joined(parts)
