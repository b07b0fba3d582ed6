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
    left = {tenant: patience(seed, site, tenant, band + 1) for tenant, band in at.items() if band < TOP}
    found: list[Climb] = []
    years = 0.0
    while left:
        share = {band: sum(one >= band for one in at.values()) / len(at) for band in range(1, TOP + 1)}
        rate = {tenant: adoption.p + adoption.q * share[at[tenant] + 1] for tenant in left}
        waits = {tenant: left[tenant] / rate[tenant] for tenant in left if rate[tenant] > 0}
        if not waits:
            break
        first = min(waits, key=lambda tenant: (waits[tenant], tenant))
        wait = waits[first]
        years += wait
        after_ns = round(years * YEAR_NS / MINUTE_NS) * MINUTE_NS
        if after_ns > within_ns:
            break
        left = {tenant: left[tenant] - wait * rate[tenant] for tenant in left}
        # Whoever's time has come lets a pilot that waits for the same band go first, and goes when it would have gone.
        goes = next((one for one in adoption.pilots if one in left and at[one] == at[first]), first)
        if goes != first:
            left[first] = left[goes]
        at[goes] += 1
        found.append(Climb(after_ns, goes, at[goes]))
        del left[goes]
        if at[goes] < TOP:
            left[goes] = patience(seed, site, goes, at[goes] + 1)
    return found


def patience(seed: int, *name: str | int) -> float:
    """Return a number that is exponentially distributed with mean 1, and belongs to a name."""
    text = "\x1f".join(str(part) for part in (seed, *name, "adopts"))
    number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
    return -math.log((number + 0.5) / 2.0**64)
