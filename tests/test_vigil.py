"""The vigil says what a run cannot get over, as soon as that is sure and not before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from brokers.memory import MemoryBroker, MemorySession
from simulator.clock import SECOND_NS, FakeClock
from simulator.run.vigil import Vigil


class Bench:
    """Two sessions with a broker in memory, and a bridge of which only its troubles are there."""

    def __init__(self) -> None:
        self.clock, self.broker = FakeClock(), MemoryBroker()
        self.sessions: list[MemorySession] = [self.broker.connect(name, window=1) for name in ("gateway", "listener")]
        self.bridge: Any = SimpleNamespace(failure=None, trouble=None, stuck_s=lambda: 0.0)
        self.vigil = Vigil(
            broker=self.broker,
            bridge=self.bridge,
            sessions=self.sessions,
            clock=self.clock,
            patience_s=30.0,
            store_patience_s=300.0,
        )

    def after(self, seconds: float) -> str | None:
        self.clock.advance(int(seconds * SECOND_NS))
        return self.vigil.hopeless()


@pytest.mark.parametrize("number", [0, 1])
def test_a_session_that_stays_away_is_hopeless_once_the_patience_is_over(number: int) -> None:
    """It counts from when it was seen to be away, be it a gateway or the listener, whatever is to be sent."""
    bench = Bench()
    assert bench.after(1000) is None
    with bench.broker.change:
        bench.sessions[number].hang_up("the connection is lost")
    assert [bench.after(0), bench.after(29.9)] == [None, None]
    assert bench.after(0.1) == "no connection to the broker for 30 s: the connection is lost"


def test_a_session_that_came_back_has_all_the_patience_again() -> None:
    """Two short absences are not a long one."""
    bench = Bench()
    for _ in range(2):
        bench.broker.drop_connections(stay_down=True)
        assert [bench.after(0), bench.after(20)] == [None, None]
        bench.broker.let_back()
        assert bench.after(0) is None


def test_a_broker_of_our_own_that_has_ended_is_hopeless_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last words go before what the sessions say, which would be to start it."""
    bench = Bench()
    bench.broker.drop_connections(stay_down=True)
    monkeypatch.setattr(bench.broker, "death", lambda: "it has ended with exit status 1")
    assert bench.vigil.hopeless() == "it has ended with exit status 1"


def test_a_bridge_that_failed_is_hopeless_at_once() -> None:
    """Nobody would take a message from the broker any more."""
    bench = Bench()
    bench.bridge.failure = RuntimeError("the disk is on fire")
    assert bench.vigil.hopeless() == "the bridge failed: the disk is on fire"


def test_a_store_that_takes_nothing_is_hopeless_once_its_patience_is_over() -> None:
    """With what it says, or that it says nothing."""
    bench = Bench()
    bench.bridge.stuck_s = lambda: 299.9
    assert bench.vigil.hopeless() is None
    bench.bridge.stuck_s = lambda: 300.0
    assert bench.vigil.hopeless() == "the store has taken nothing for 300 s: it has not answered yet"
    bench.bridge.trouble = "nobody listens"
    assert bench.vigil.hopeless() == "the store has taken nothing for 300 s: nobody listens"
