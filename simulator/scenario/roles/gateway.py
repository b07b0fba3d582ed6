"""IoT gateways: they send what machines and systems say, and keep it while they cannot."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from simulator.scenario.quantities import Amount
from simulator.scenario.roles.link import Carrier

__all__ = ["MOST_BUFFERED", "Gateway"]

MOST_BUFFERED = 1_000_000
"""Messages; DOMAIN: rings of 1e5 to 1e6 samples."""


class Gateway(Carrier):
    """Readings of what it serves leave through it, and wait in it while it or its way is down."""

    SHOWS: ClassVar[frozenset[str]] = Carrier.SHOWS | {"buffer_depth", "dropped", "clock_offset"}
    GIVES: ClassVar[str | None] = "data"

    kind: Literal["gateway"] = Field(description="sends what those say that it serves, and keeps it while it cannot")
    buffer: Amount = Field(
        default=100_000, ge=1, le=MOST_BUFFERED, description="messages that wait at most; one more drops the oldest"
    )
    flush_per_s: int = Field(
        default=1_000, ge=1, le=1_000_000, description="messages a second at most while it catches up"
    )
    order: Literal["oldest_first", "newest_first"] = Field(
        default="oldest_first", description="which of those that waited leave first"
    )
