"""The vigil: notices what a run cannot get over, so that it ends with a reason instead of waiting for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from brokers.endpoint import Broker, Session
from simulator.clock import SECOND_NS, Clock
from simulator.ingest.auditor import Auditor
from simulator.ingest.bridge import Bridge

if TYPE_CHECKING:  # a swarm brings paho along, which takes its time
    from brokers.swarm import Swarm

__all__ = ["Vigil"]

NEVER_NS = np.iinfo(np.int64).max


class Vigil:
    """Watches the hops of a run.

    The publisher asks while it waits, and who takes the snapshots asks all the time: neither depends on the other.
    """

    def __init__(
        self,
        *,
        broker: Broker,
        bridge: Bridge | Auditor,
        sessions: Sequence[Session],
        clock: Clock,
        patience_s: float,
        store_patience_s: float,
        swarm: Swarm | None = None,
    ) -> None:
        self._broker = broker
        self._bridge = bridge
        self._sessions = sessions
        self._clock = clock
        self._patience_s = patience_s
        self._store_patience_s = store_patience_s
        self._away_since_ns: dict[int, int] = {}
        """Since when each session that is not connected is seen so."""
        self._swarm = swarm
        self._devices_away_since_ns = np.array(NEVER_NS)
        """The same of each device, int64[devices]; none is seen yet."""

    def hopeless(self) -> str | None:
        """Say why the run cannot go on; None while it can."""
        death = self._broker.death()
        if death is not None:
            return death
        if self._bridge.failure is not None:
            return f"the bridge failed: {self._bridge.failure}"
        return self._hopeless_line() or self._hopeless_device() or self._hopeless_store()

    def _hopeless_line(self) -> str | None:
        now_ns = self._clock.monotonic_ns()
        for number, session in enumerate(self._sessions):
            if session.is_connected():
                self._away_since_ns.pop(number, None)
            # of two that ask at once either may note it first
            elif now_ns - self._away_since_ns.setdefault(number, now_ns) >= self._patience_s * SECOND_NS:
                return f"no connection to the broker for {self._patience_s:g} s: {session.trouble() or 'no answer'}"
        return None

    def _hopeless_device(self) -> str | None:
        if self._swarm is None:
            return None
        now_ns = self._clock.monotonic_ns()
        since_ns = np.where(self._swarm.is_up(), NEVER_NS, np.minimum(self._devices_away_since_ns, now_ns))
        self._devices_away_since_ns = since_ns
        away = int(np.count_nonzero(now_ns - since_ns >= self._patience_s * SECOND_NS))
        if not away:
            return None
        what = f"{away:,} of {len(since_ns):,} devices have had no connection to the broker for {self._patience_s:g} s"
        return f"{what}: {self._swarm.trouble() or 'no answer'}"

    def _hopeless_store(self) -> str | None:
        if self._bridge.stuck_s() < self._store_patience_s:
            return None
        said = self._bridge.trouble or "it has not answered yet"
        return f"the store has taken nothing for {self._store_patience_s:g} s: {said}"
