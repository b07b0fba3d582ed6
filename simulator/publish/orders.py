"""What somebody who looks on may ask of a park while it lives, and what came of it."""

from __future__ import annotations

from collections import deque
from threading import Condition
from typing import Literal, NamedTuple

from simulator.scenario.fault import Fault

__all__ = ["Act", "Begin", "LookAt", "Order", "Orders", "Pause", "Resume", "Speed"]


class Begin(NamedTuple):
    """Let a fault begin."""

    fault: Fault


class Pause(NamedTuple):
    """Let nothing happen any more."""


class Resume(NamedTuple):
    """Go on."""


class Speed(NamedTuple):
    """Go faster or slower from now on."""

    speed: float
    window_ns: int
    """Simulated time that is made at once from now on."""


class LookAt(NamedTuple):
    """Show the readings of these assets, and of no others."""

    assets: tuple[int, ...]


Order = Begin | Pause | Resume | Speed | LookAt


class Act(NamedTuple):
    """An order that has changed something."""

    what: Literal["fault", "pause", "resume", "speed"]
    at_ns: int
    """The simulated instant from which on it holds."""
    fault: Fault | None = None
    speed: float | None = None


class Orders:
    """Orders that wait until the park is where it can take them: between two windows. Thread-safe."""

    def __init__(self) -> None:
        self._waiting: deque[Order] = deque()
        self._changed = Condition()
        self._is_over = False

    def give(self, order: Order) -> None:
        """Let an order wait."""
        with self._changed:
            self._waiting.append(order)
            self._changed.notify_all()

    def close(self) -> None:
        """Say that no more come, and that nobody need wait for one."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def take(self, *, wait: bool) -> list[Order] | None:
        """Return what has been ordered, after the first order if one is waited for; None once it is over."""
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._waiting or self._is_over)
            taken = list(self._waiting)
            self._waiting.clear()
            return None if self._is_over else taken
