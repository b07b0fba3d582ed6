"""What the systems of a site show together: its electricity, its network, what it lets into water and air."""

from __future__ import annotations

import math
from typing import Any

from simulator.batch import Catalog
from simulator.results.snapshot import Latest

__all__ = ["GROUPS", "Systems"]

GROUPS: dict[str, tuple[str, ...]] = {
    "electricity": (
        "power_kw",
        "energy_kwh",
        "energy_peak_kwh",
        "energy_normal_kwh",
        "energy_off_peak_kwh",
        "cost_vnd",
        "month_power_factor",
        "co2_t",
    ),
    "network": (
        "connected",
        "latency_ms",
        "jitter_ms",
        "loss_pct",
        "throughput_mbit_s",
        "buffer_depth",
        "dropped",
        "availability_pct",
    ),
    "compliance": ("compliance_pct", "completeness_pct", "exceeded", "exceedances", "missing", "waiting", "online"),
}
"""The sensors that are shown of each group, as the shipped system types call them."""
MARKS = {"electricity": "cost_vnd", "network": "latency_ms", "compliance": "compliance_pct"}
"""A system belongs to the group of which it has this sensor."""


class Systems:
    """The last readings of the systems that belong to a group."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._value: dict[int, float] = {}
        self._members = {
            group: [n for n, asset in enumerate(catalog.assets) if mark in {one.name for one in asset.sensors}]
            for group, mark in MARKS.items()
        }

    def see(self, latest: Latest) -> None:
        """Take in what they show."""
        self._value = dict(zip(latest.sensor.tolist(), latest.value.tolist(), strict=True))

    def counts(self) -> dict[str, int]:
        """Return how many systems each group has."""
        return {group: len(members) for group, members in self._members.items()}

    def page(self, group: str, *, offset: int, limit: int) -> dict[str, Any]:
        """Return systems of a group with the values of its sensors, None for those that they do not have."""
        members = self._members[group]
        return {
            "total": len(members),
            "offset": offset,
            "sensors": GROUPS[group],
            "systems": [self._shown(asset, GROUPS[group]) for asset in members[offset : offset + limit]],
        }

    def _shown(self, number: int, names: tuple[str, ...]) -> dict[str, Any]:
        asset = self._catalog.assets[number]
        value = {one.name: self._value.get(asset.first_sensor + n) for n, one in enumerate(asset.sensors)}
        shown = [value.get(name) for name in names]
        values = [None if one is None or math.isnan(one) else one for one in shown]
        return {"topic": asset.topic, "kind": asset.kind, "values": values}
