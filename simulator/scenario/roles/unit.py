"""A unit of a larger plant: a blower of a treatment plant, an air handler of a computer room, a line to an office."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from simulator.scenario.sensor import Strict

__all__ = ["Unit"]


class Unit(Strict):
    """It gives something to those it serves while it is in Execute; what they get is the share of units at work."""

    SHOWS: ClassVar[frozenset[str]] = frozenset()
    DRAWS: ClassVar[bool] = False

    kind: Literal["unit"] = Field(description="a unit of a larger plant, which notices how many of them work")
    gives: Literal["aeration", "cold-air", "uplink"] = Field(
        description="to a wastewater plant, to a data centre, or to whoever reports over it"
    )

    @property
    def GIVES(self) -> str | None:  # noqa: N802 - other roles state it once for all
        """The medium that it gives."""
        return self.gives
