"""The names under which a database has what the catalogue calls by others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from simulator.batch import Asset, Catalog
from simulator.ingest.readers.values import Fields
from simulator.scenario.stored import Stored
from simulator.wire.line_protocol import TAGS

__all__ = ["Names"]

Series = tuple[str, ...]


class Names:
    """Translates between the names of a catalogue and those of a database."""

    def __init__(self, catalog: Catalog, stored: Stored | None = None) -> None:
        stored = Stored() if stored is None else stored
        self._stored = stored
        fields = Fields(catalog)
        self.tags: tuple[str, ...] = (
            (stored.topic_tag,) if stored.topic_tag else tuple(stored.tags.get(tag, tag) for tag in TAGS)
        )
        """The tags that tell one asset from another."""
        ours = {name for names in fields.names_of.values() for name in names}
        self._ours = {stored.fields.get(name, name): name for name in ours}
        self.fields_of: dict[str, list[str]] = {}
        """The fields that the rows of each measurement may have, sorted."""
        for kind in fields.kinds:
            found = {stored.fields.get(name, name) for name in fields.names_of[kind]}
            name = self._measurement(kind)
            self.fields_of[name] = sorted(found.union(self.fields_of.get(name, ())))
        self._asset_of = {self._series(asset): number for number, asset in enumerate(catalog.assets)}

    @property
    def measurements(self) -> list[str]:
        return sorted(self.fields_of)

    def asset(self, measurement: str, tags: Mapping[str, object]) -> int | None:
        """Return the number of the asset that a series is of; None if it is none of ours."""
        return self._asset_of.get((measurement, *(str(tags.get(tag) or "") for tag in self.tags)))

    def ours(self, columns: Mapping[str, Iterable[Any]]) -> dict[str, Iterable[Any]]:
        """Return columns under the names of the catalogue, without those that it does not have."""
        return {self._ours[name]: column for name, column in columns.items() if name in self._ours}

    def _measurement(self, kind: str) -> str:
        return self._stored.measurement or self._stored.measurements.get(kind, kind)

    def _series(self, asset: Asset) -> Series:
        values = (asset.topic,) if self._stored.topic_tag else tuple(asset.tags.get(tag, "") for tag in TAGS)
        return (self._measurement(asset.kind), *values)
