"""The noun that travels: a Catalog says which sensor is which, a Batch carries readings as columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Asset", "Batch", "Catalog", "Relayed", "Sensor", "message_starts"]


@dataclass(frozen=True, slots=True)
class Sensor:
    """One measured quantity of one asset."""

    name: str
    """Field name on the wire, with its unit: ``power_kw``."""
    unit: str
    decimals: int
    """Digits after the point that the instrument shows."""
    low: float
    high: float
    period_ns: int
    """Sampling interval; 0 for sensors that speak once per cycle or on change only."""
    monotonic: bool = False
    """True for counters, which never fall."""
    step: int = 1
    """The resolution in units of the last digit: 5 with decimals 2 is a resolution of 0.05."""

    @property
    def is_integer(self) -> bool:
        """Say whether the field is an integer in every message and row."""
        return self.decimals == 0


@dataclass(frozen=True, slots=True)
class Asset:
    """A machine that speaks: one topic, one sequence of messages."""

    path: tuple[str, ...]
    """ISA-95: enterprise, site, area, line, cell."""
    kind: str
    """Machine type; the measurement in a time-series database."""
    tags: Mapping[str, str]
    """province, park, factory, line, machine."""
    first_sensor: int
    sensors: tuple[Sensor, ...]
    phase_ns: int
    """Offset of the asset's sampling grid from the whole second, so that a park does not speak all at once."""

    @property
    def topic(self) -> str:
        return "/".join(self.path)


@dataclass(frozen=True)
class Catalog:
    """Every asset and sensor of a run, frozen at build. Sensors are numbered 0..S-1, contiguous per asset."""

    assets: tuple[Asset, ...]

    def __post_init__(self) -> None:
        expected = 0
        for asset in self.assets:
            if asset.first_sensor != expected:
                message = f"{asset.topic}: first_sensor(={asset.first_sensor}) must be {expected}"
                raise ValueError(message)
            expected += len(asset.sensors)

    @cached_property
    def sensors(self) -> tuple[Sensor, ...]:
        """All sensors, in the order of their numbers."""
        return tuple(sensor for asset in self.assets for sensor in asset.sensors)

    @cached_property
    def asset_of(self) -> NDArray[np.int32]:
        """int32[S]: the number of the asset that each sensor belongs to."""
        return np.repeat(np.arange(len(self.assets), dtype=np.int32), [len(a.sensors) for a in self.assets])

    @cached_property
    def scale(self) -> NDArray[np.float64]:
        """float64[S]: by what a value of each sensor is multiplied to be in units of its last decimal."""
        return np.array([10.0**sensor.decimals for sensor in self.sensors])

    @cached_property
    def by_topic(self) -> dict[str, int]:
        """Asset numbers by topic."""
        return {asset.topic: number for number, asset in enumerate(self.assets)}

    def __len__(self) -> int:
        return len(self.sensors)


@dataclass(frozen=True)
class Relayed:
    """What gateways add to a batch: its rows come as messages leave, which may be long after their time.

    Four columns beside those of the batch, one number per row, the same for all rows of a message; and what became of
    messages of which the batch has no rows. Instants are nanoseconds since the Unix epoch.
    """

    due_ns: NDArray[np.int64]
    """When the message leaves; the batch is sorted by this."""
    born_ns: NDArray[np.int64]
    """When it was measured; ``time_ns`` of the batch is what the clock of its gateway said then."""
    seq: NDArray[np.int64]
    """Its number within its asset."""
    again: NDArray[np.bool_]
    """Whether it is sent for another time."""
    born: NDArray[np.int64]
    """int64[M, 4]: instant, asset, number and readings of each message that was measured, by instant."""
    dropped: NDArray[np.int64]
    """int64[D, 3]: instant, asset and number of each message that a full gateway dropped, by instant."""

    def part(self, rows: slice, from_ns: int, until_ns: int) -> Relayed:
        """Return some rows, and what was measured or dropped in [from, until)."""
        return Relayed(
            self.due_ns[rows],
            self.born_ns[rows],
            self.seq[rows],
            self.again[rows],
            within(self.born, from_ns, until_ns),
            within(self.dropped, from_ns, until_ns),
        )

    def events(self, from_ns: int, until_ns: int) -> Relayed:
        """Return what was measured or dropped in [from, until), without rows."""
        return self.part(slice(0, 0), from_ns, until_ns)


def message_starts(*columns: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the rows at which any of some columns of one length changes, the first row included."""
    new = np.zeros(len(columns[0]), dtype=bool)
    new[:1] = True
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(new)


def within(events: NDArray[np.int64], from_ns: int, until_ns: int) -> NDArray[np.int64]:
    """Return the events in [from, until) of some that are sorted by their first column."""
    first, last = np.searchsorted(events[:, 0], (from_ns, until_ns)).tolist()
    return events[first:last]


@dataclass(frozen=True)
class Batch:
    """Readings as flat columns, sorted by time, then sensor; by when they leave where gateways relay them.

    ``time_ns``: int64[N], nanoseconds since the Unix epoch, whole milliseconds; ``sensor``: int32[N], numbers of the
    Catalog; ``value``: float64[N], already rounded to each sensor's resolution.
    """

    time_ns: NDArray[np.int64]
    sensor: NDArray[np.int32]
    value: NDArray[np.float64]
    until_ns: int = field(default=0)
    """The batch holds every reading of its window, which ends before this instant."""
    relayed: Relayed | None = None
    """What gateways made of it; None where there are none."""

    @property
    def due_ns(self) -> NDArray[np.int64]:
        """int64[N]: when each reading is to be sent, in simulated time; the column that a batch is sorted by."""
        return self.time_ns if self.relayed is None else self.relayed.due_ns

    def __len__(self) -> int:
        return len(self.time_ns)

    def messages(self, catalog: Catalog) -> Iterator[tuple[int, int, int, int]]:
        """Yield ``(time_ns, asset, first, last)`` per message: the rows [first, last) of one asset at one instant."""
        if not len(self):
            return
        asset = catalog.asset_of[self.sensor]
        first = self.message_starts(asset)
        last = np.append(first[1:], len(self))
        yield from zip(self.time_ns[first].tolist(), asset[first].tolist(), first.tolist(), last.tolist(), strict=True)

    def message_starts(self, asset: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the first row of each message, given the asset of each row."""
        more = () if self.relayed is None else (self.relayed.due_ns,)
        return message_starts(self.time_ns, asset, *more)

    def only(self, wanted: NDArray[np.bool_]) -> Batch:
        """Return the rows of some sensors, bool[S]; of a batch that no gateway has relayed."""
        assert self.relayed is None, "which of its messages left together is known of the whole only"
        rows = wanted[self.sensor]
        return Batch(self.time_ns[rows], self.sensor[rows], self.value[rows], self.until_ns)

    def part(self, first: int, last: int, *, from_ns: int, until_ns: int) -> Batch:
        """Return the rows [first, last), which are those of [from, until)."""
        rows = slice(first, last)
        relayed = None if self.relayed is None else self.relayed.part(rows, from_ns, until_ns)
        return Batch(self.time_ns[rows], self.sensor[rows], self.value[rows], until_ns, relayed)

    @classmethod
    def empty(cls, until_ns: int = 0) -> Batch:
        """Return a batch without readings."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.float64), until_ns)

    @classmethod
    def join(cls, parts: list[Batch]) -> Batch:
        """Concatenate batches of consecutive windows."""
        if not parts:
            return cls.empty()
        return cls(
            np.concatenate([p.time_ns for p in parts]),
            np.concatenate([p.sensor for p in parts]),
            np.concatenate([p.value for p in parts]),
            parts[-1].until_ns,
        )
