"""Adoption: when the tenants of a site climb to their next maturity band, after Bass 1969.

Who has not adopted does so at a rate of p + q F per year, F being the share of tenants that have: p by themselves, q
since others did. Here each tenant that is below the top is about to adopt its next band, and F is the share of tenants
that are at that band or above. Each tenant bides its time: a number of its own, exponentially distributed, that the
rate runs down. So a schedule follows from the scenario alone, and the catalogue knows which sensors will come.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from hashlib import blake2b
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from pydantic import Field

from simulator.scenario.quantities import Name
from simulator.scenario.sensor import Strict

__all__ = ["TOP", "YEAR_NS", "Adoption", "Climb", "climbs"]

TOP = 5
DAY_NS = 86_400_000_000_000
YEAR_NS = 31_557_600_000_000_000
"""365.25 days."""
MINUTE_NS = 60_000_000_000


class Adoption(Strict):
    """How new technology spreads among the tenants of a site that state their maturity."""

    p: float = Field(default=0.02, ge=0, le=1, description="share per year that adopts by itself (innovation) [E]")
    q: float = Field(default=0.35, ge=0, le=5, description="rate per year at which adopters win others over [E]")
    pilots: tuple[Name, ...] = Field(default=(), description="factories that are first to adopt, in this order")


class Climb(NamedTuple):
    """A tenant that comes to a band."""

    after_ns: int
    """Since the world began; whole minutes."""
    tenant: str
    band: int


def climbs(
    adoption: Adoption, bands: Mapping[str, int], *, seed: int, site: str, within_ns: int = 100 * YEAR_NS
) -> list[Climb]:
    """Return who climbs when, in order of time. ``bands``: where each tenant of the site begins."""
    at = dict(bands)
    # Per band: those who wait to leave it, each with the rate's integral at which he will, and the integral so far.
    waiting: list[list[tuple[float, str]]] = [[] for _ in range(TOP)]
    run_down = [0.0] * TOP
    for tenant, band in at.items():
        if band < TOP:
            heappush(waiting[band], (patience(seed, site, tenant, band + 1), tenant))
    found: list[Climb] = []
    years = 0.0
    while True:
        rates = [adoption.p + adoption.q * sum(one > band for one in at.values()) / len(at) for band in range(TOP)]
        waits = [
            ((waiting[band][0][0] - run_down[band]) / rates[band], band)
            for band in range(TOP)
            if waiting[band] and rates[band] > 0
        ]
        if not waits:
            return found
        wait, band = min(waits)
        years += wait
        after_ns = round(years * YEAR_NS / MINUTE_NS) * MINUTE_NS
        if after_ns > within_ns:
            return found
        run_down = [so_far + wait * rate for so_far, rate in zip(run_down, rates, strict=True)]
        tenant = next_of(waiting[band], adoption.pilots)
        at[tenant] = band + 1
        found.append(Climb(after_ns, tenant, band + 1))
        if band + 1 < TOP:
            due = run_down[band + 1] + patience(seed, site, tenant, band + 2)
            heappush(waiting[band + 1], (due, tenant))


def next_of(waiting: list[tuple[float, str]], pilots: tuple[str, ...]) -> str:
    """Take out who goes next: a pilot, if one waits, in the place of whoever's time has come."""
    _, first = heappop(waiting)
    names = {tenant: number for number, (_, tenant) in enumerate(waiting)}
    pilot = next((one for one in pilots if one == first or one in names), first)
    if pilot != first:
        waiting[names[pilot]] = (waiting[names[pilot]][0], first)
        heapify(waiting)
    return pilot


def patience(seed: int, *name: str | int) -> float:
    """Return a number that is exponentially distributed with mean 1, and belongs to a name."""
    text = "\x1f".join(str(part) for part in (seed, *name, "adopts"))
    number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
    return -math.log((number + 0.5) / 2.0**64)
