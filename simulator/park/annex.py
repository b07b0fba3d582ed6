"""Assets beside the machines: what tells of the park on topics of its own, such as labels of faults and key figures.

They come last in the catalogue, so that numbers of measured sensors do not depend on who else speaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Asset, Batch, Catalog, Sensor
from simulator.signals.timeline import Timeline

__all__ = ["TAGS", "Teller", "beside", "extended", "joined"]

TAGS = ("province", "park", "factory", "line", "machine")
"""The tags of an asset of the fifth level; one that stands higher has the first of them."""


class Teller(Protocol):
    """Speaks for assets beside the machines. It takes in each window of the world in order, read or skipped."""

    def read(self, timeline: Timeline) -> Batch:
        """Return the messages of a window."""

    def skip(self, timeline: Timeline) -> None:
        """Let a window go by that nobody reads."""


def beside(path: tuple[str, ...], level: str, kind: str, sensors: tuple[Sensor, ...], province: str | None) -> Asset:
    """Return an asset that stands beside what is at a path: its topic is one level longer, its tags are those of it.

    ``level`` begins with an underscore, as no name of a scenario does. Without a province there are no tags.
    """
    tags: Mapping[str, str] = dict(zip(TAGS, (province, *path[1:]), strict=False)) if province is not None else {}
    return Asset((*path, level), kind, tags, 0, sensors, 0)


def extended(catalog: Catalog, assets: Iterable[Asset]) -> Catalog:
    """Return a catalogue with more assets at its end; the first of them has the number ``len(catalog.assets)``."""
    every, first = list(catalog.assets), len(catalog)
    for asset in assets:
        every.append(replace(asset, first_sensor=first))
        first += len(asset.sensors)
    return Catalog(tuple(every))


def joined(measured: Batch, more: list[Batch]) -> Batch:
    """Put what tellers say in a window among its readings; their sensors have the highest numbers."""
    told = [batch for batch in more if len(batch)]
    if not told:
        return measured
    added = Batch.join(told)
    order = np.lexsort((added.sensor, added.time_ns))
    time_ns, sensor, value = added.time_ns[order], added.sensor[order], added.value[order]
    # Readings are sorted, and there are many of them: what is told goes behind those of its instant.
    place = np.searchsorted(measured.time_ns, time_ns, side="right")
    first = np.flatnonzero(np.diff(place, prepend=-1))
    cuts, stretches = place[first], list(pairwise([*first.tolist(), len(place)]))

    def spliced(column: NDArray[Any], more: NDArray[Any]) -> NDArray[Any]:
        """Copy in stretches: a mask over all readings would cost more than making some of them."""
        around = np.split(column, cuts)
        between = [more[low:high] for low, high in stretches]
        return np.concatenate([part for pair in zip(around, [*between, more[:0]], strict=True) for part in pair])

    return Batch(
        spliced(measured.time_ns, time_ns),
        spliced(measured.sensor, sensor),
        spliced(measured.value, value),
        measured.until_ns,
    )
