"""Latency: how late each hop was, measured from the moment at which a message was due."""

from __future__ import annotations

import threading

from simulator.results.departures import FromSending
from simulator.results.histogram import Histogram

__all__ = ["HOPS", "Latency"]

HOPS = ("lateness", "publish", "broker", "end_to_end")

MOST_EXPECTED = 100_000
"""Messages on their way whose due instant is kept apart from their date: far more than a run may have there."""


class Latency:
    """How late each hop was, in nanoseconds after the moment at which a message was due. Thread-safe."""

    def __init__(self, *, from_sending: FromSending | None = None) -> None:
        self.lateness = Histogram()
        """When the generator handed the message over."""
        self.publish = Histogram()
        """When the broker's acknowledgement was seen."""
        self.broker = Histogram()
        """When the bridge received it."""
        self.end_to_end = Histogram()
        """When the store had committed it."""
        self.queryable = Histogram()
        """When a query found its row, of a sample."""
        self.from_sending = from_sending
        """The same from the moment of sending; None where nobody asks."""
        self._due_ns: dict[tuple[int, int], int] = {}
        self._lock = threading.Lock()
        """Between who sends and several bridges: an entry may go while the oldest one is looked for."""

    def expect(self, asset: int, seq: int, due_ns: int) -> None:
        """Note a message on its way that is due at another instant than the one it is dated, both simulated."""
        with self._lock:
            if len(self._due_ns) >= MOST_EXPECTED:
                self._due_ns.pop(next(iter(self._due_ns)))
            self._due_ns[asset, seq] = due_ns

    @property
    def expects(self) -> bool:
        """Whether any message is on its way that is due at another instant than the one it is dated."""
        return bool(self._due_ns)

    def due_ns(self, asset: int, seq: int, dated_ns: int) -> int:
        """Return the simulated instant at which a message was due."""
        return self._due_ns.get((asset, seq), dated_ns)

    def settle(self, asset: int, seq: int) -> None:
        """Forget a message that has come to its end."""
        with self._lock:
            self._due_ns.pop((asset, seq), None)

    def as_ms(self) -> dict[str, dict[str, float | int | None]]:
        """Return ``latency_ms`` of the result."""
        return {name: getattr(self, name).as_ms() for name in HOPS}
