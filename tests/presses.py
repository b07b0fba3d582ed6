"""A small Catalog and its rows, for tests of what comes after the park."""

from __future__ import annotations

from simulator.batch import Asset, Catalog, Sensor
from simulator.ingest.store import Row

START_MS = 1_767_225_600_000
"""The first instant of 2026, UTC."""

POWER = Sensor("power_kw", "kW", decimals=1, low=0, high=200, period_ns=1_000_000_000)
HEAT = Sensor("barrel_c", "Cel", decimals=2, low=0, high=400, period_ns=10_000_000_000)
STATE = Sensor("state", "1", decimals=0, low=0, high=17, period_ns=0)
PARTS = Sensor("parts", "1", decimals=0, low=0, high=1e15, period_ns=0, monotonic=True)


def asset(number: int, first_sensor: int, *, kind: str = "press", sensors: tuple[Sensor, ...] = ()) -> Asset:
    name = f"{kind}-{number}"
    return Asset(
        path=("binh-duong", "vsip-2", "wiring", "line-1", name),
        kind=kind,
        tags={
            "province": "binh-duong",
            "park": "vsip-2",
            "factory": "wiring",
            "line": "line-1",
            "machine": name,
        },
        first_sensor=first_sensor,
        sensors=sensors or (STATE, POWER, HEAT, PARTS),
        phase_ns=0,
    )


def catalog_of(*, presses: int = 2, testers: int = 1, first: int = 1) -> Catalog:
    """Presses with four sensors and testers with two."""
    numbers = range(first, first + presses)
    assets = [asset(number, 4 * place) for place, number in enumerate(numbers)]
    assets += [
        asset(first + place, 4 * presses + 2 * place, kind="tester", sensors=(STATE, POWER)) for place in range(testers)
    ]
    return Catalog(tuple(assets))


def rows_of(catalog: Catalog, messages: int) -> list[Row]:
    """``messages`` rows of each asset, a second apart, in the order of time."""
    return [
        Row(
            number,
            START_MS + 1_000 * seq,
            seq,
            {
                sensor.name: seq * 10 + place if sensor.is_integer else seq / 4 + place
                for place, sensor in enumerate(asset.sensors)
            },
        )
        for seq in range(messages)
        for number, asset in enumerate(catalog.assets)
    ]
