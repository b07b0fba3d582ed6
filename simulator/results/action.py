"""What was done to a run by hand, as its result tells it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from simulator.results.part import Part

__all__ = ["Action"]


class Action(Part):
    """A fault that was begun, a pause, or another speed; with the scenario enough to run it again."""

    at: str = Field(description="the simulated instant from which on it held; ISO 8601 with offset")
    do: Literal["fault", "pause", "speed"]
    fault: dict[str, Any] | None = Field(default=None, description="as a scenario writes it, without its time")
    speed: float | None = Field(default=None, description="simulated seconds per second from then on")
    paused_s: float | None = Field(default=None, description="wall time of a pause")
