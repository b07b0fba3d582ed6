"""Documents of a feed as a terminal gets them, made by a real Feed from snapshots that a test makes up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from test_result import HEALTHY, result

from simulator.batch import Asset, Catalog
from simulator.results.counts import Counts
from simulator.results.snapshot import Snapshot
from simulator.view.feed import About, Feed

__all__ = ["ABORTED", "BUSY", "EXECUTE", "documents", "feed", "snapshot"]

SECOND = 1_000_000_000
EXECUTE, ABORTED = 6, 9
BUSY = replace(
    HEALTHY, scheduled=123_460, published=123_456, acknowledged=123_450, received=123_440, written=123_430, in_flight=26
)
PARK = {"oee": 0.834, "machines": 4, "running": 3, "alarms": 1}


def feed(*, name: str = "shop", factories: int = 2) -> Feed:
    """Return the feed of a park whose factories have a line of two machines each."""
    paths = [("binh-duong", "vsip", f"plant-{one // 2}", "moulding", f"press-{one}") for one in range(2 * factories)]
    assets = tuple(Asset(path, "injection-moulding", {}, 0, (), 0) for path in paths)
    about = About(name, "A shop", "0a1b2c3d", 7, "2026-03-10T07:00:00+07:00", "mosquitto of our own", "sqlite", 1.0)
    return Feed(about, Catalog(assets))


def snapshot(seconds: float, *, counts: Counts = HEALTHY, states: list[int] | None = None, **more: Any) -> Snapshot:
    """Return where a run stands after so many seconds; machines work unless states are given."""
    ns = int(seconds * SECOND)
    lasts: dict[str, Any] = {"duration_ns": 3600 * SECOND, "end_to_end_ms": 4.42, "trouble": None, "park": PARK}
    parts = {"oee": {"vsip/plant-0": 0.83, "vsip/plant-1": None}}
    return Snapshot(ns, ns, counts=counts, states=bytes(states or [EXECUTE] * 4), parts=parts, **lasts | more)


def documents(*snapshots: Snapshot, **changes: Any) -> list[dict[str, Any]]:
    """Return the document after each snapshot, and with ``changes`` that of a result with them."""
    shown = feed()
    found = []
    for one in snapshots:
        shown.show(one)
        found.append(shown.document())
    if changes:
        shown.end(result(**changes))
        found.append(shown.document())
    return found
