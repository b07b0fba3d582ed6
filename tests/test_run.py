"""A run as a whole, on the broker in memory and on clocks that do not depend on this machine."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from parks import MONDAY_NS, quickstart

from simulator.clock import FakeClock
from simulator.errors import OutOfReachError, ScenarioError
from simulator.park.world import World
from simulator.results.result import Result
from simulator.results.snapshot import Snapshot
from simulator.run import execute as run_module
from simulator.run.execute import execute, window_ns
from simulator.run.hops import Hops, Options
from simulator.scenario.loader import load_scenario
from simulator.scenario.quantities import instant_ns
from simulator.wire.json import JsonEncoder

SECOND = 1_000_000_000


class SettledClock(FakeClock):
    """A clock that lets time pass only once everything that was sent is in the store."""

    def __init__(self, *, stop_after_s: float | None = None) -> None:
        super().__init__(MONDAY_NS + 123_456_789)
        self.hops: Hops | None = None
        self._stop_after_s = stop_after_s

    def wait_until(self, monotonic_ns: int, stop: threading.Event | None = None) -> bool:
        deadline = time.monotonic() + 10
        while self._is_busy() and time.monotonic() < deadline:
            time.sleep(0.0002)
        came = super().wait_until(monotonic_ns, stop)
        if stop is not None and self._stop_after_s is not None and self.monotonic_ns() >= self._stop_after_s * SECOND:
            stop.set()
        return came

    def _is_busy(self) -> bool:
        return self.hops is not None and self.hops.bridge.failure is None and self.hops.ledger.unwritten() > 0


def conducted(
    tmp_path: Path,
    *,
    speed: float | None = None,
    seconds: float | None = 60,
    clock: SettledClock | None = None,
    broker: str = "memory",
    on_open: Callable[[Hops], Any] = lambda _: None,
    on_snapshot: Callable[[Snapshot], Any] = lambda _: None,
) -> Result:
    clock = clock or SettledClock()

    def opened(hops: Hops) -> None:
        clock.hops = hops
        on_open(hops)

    options = Options(
        seed=7,
        speed=speed,
        duration_ns=None if seconds is None else int(seconds * SECOND),
        broker=broker,
        store=f"sqlite:{tmp_path / 'park.db'}",
    )
    return execute(quickstart(), options, clock=clock, stop=threading.Event(), on_open=opened, on_snapshot=on_snapshot)


def rows(tmp_path: Path) -> int:
    """Count the rows of all machine types with a second connection."""
    with sqlite3.connect(tmp_path / "park.db") as db:
        names = [name for (name,) in db.execute("select name from sqlite_master where type = 'table'")]
        kinds = [name for name in names if name not in {"assets", "runs"}]
        total = sum(db.execute(f'select count(*) from "{kind}"').fetchone()[0] for kind in kinds)
    db.close()
    return int(total)


def is_balanced(result: Result) -> bool:
    m = result.messages
    ended = m.written + m.dead_lettered + sum(m.dropped.values())
    return m.scheduled == ended + m.in_flight + m.unaccounted


@pytest.mark.parametrize("speed", [None, 1.0, 60.0])
def test_everything_that_is_scheduled_is_in_the_store(tmp_path: Path, speed: float | None) -> None:
    """At any speed a minute of the quickstart ends with all of it written, and the database agrees."""
    result = conducted(tmp_path, speed=speed)
    assert (result.exit_code, result.messages.unaccounted, result.reason) == (0, 0, None)
    assert result.messages.scheduled > 500
    assert result.messages.scheduled == result.messages.written == result.simulated.rows_found == rows(tmp_path)
    assert result.readings.scheduled == result.readings.written
    assert result.park is not None
    assert (result.park.machines, len(result.park.oee)) == (14, 1)


def test_speed_does_not_change_what_is_said(tmp_path: Path) -> None:
    """The same seed and start give the same messages, however fast they are sent."""
    counts = {conducted(tmp_path, speed=speed).readings.scheduled for speed in (None, 1.0, 7.0)}
    assert len(counts) == 1
    # written three times under the same keys, and there once
    assert rows(tmp_path) == conducted(tmp_path).messages.written


def test_at_speed_one_a_minute_takes_a_minute_and_nothing_is_late(tmp_path: Path) -> None:
    """Every message leaves at its due time, counted from the start; the run ends with the last window."""
    clock = SettledClock()
    result = conducted(tmp_path, speed=1.0, clock=clock)
    assert (result.latency_ms.lateness.count, result.latency_ms.lateness.max) == (result.messages.published, 0)
    assert clock.monotonic_ns() == run_module.WINDOW_NS // 5 + 60 * SECOND
    assert pytest.approx(result.messages.published / 60 / result.rates.published_per_s) == 1.0


def test_now_is_the_wall_clock_cut_to_the_second(tmp_path: Path) -> None:
    """The resolved start stands in the result, in the zone of the scenario."""
    result = conducted(tmp_path, seconds=1)
    assert result.simulated.start == "2025-03-10T07:00:00.000+07:00"
    assert result.simulated.until == "2025-03-10T07:00:01.000+07:00"


def test_a_stopped_run_drains_and_says_105(tmp_path: Path) -> None:
    """Stopped after ten seconds, all that was sent until then is stored, and the result says how far it came."""
    result = conducted(tmp_path, speed=1.0, seconds=None, clock=SettledClock(stop_after_s=10))
    assert (result.exit_code, result.messages.unaccounted) == (105, 0)
    assert is_balanced(result)
    assert 0 < result.messages.written == rows(tmp_path)
    assert "2025-03-10T07:00:09" <= result.simulated.until <= "2025-03-10T07:00:11"


@pytest.mark.parametrize("stop_after_s", [None, 7])
def test_a_result_alone_regenerates_its_run(tmp_path: Path, stop_after_s: float | None) -> None:
    """Text, seed, start and end of the result give exactly the messages that the run scheduled, stopped or not."""
    result = conducted(tmp_path, speed=1.0, seconds=20, clock=SettledClock(stop_after_s=stop_after_s))
    again = tmp_path / "again.yaml"
    again.write_text(result.scenario.text)
    loaded = load_scenario(again)
    start, until = (instant_ns(datetime.fromisoformat(at)) for at in (result.simulated.start, result.simulated.until))
    world = World(loaded.scenario.model_copy(update={"seed": result.seed}), loaded.types, start)
    encoder = JsonEncoder(world.catalog)
    messages = [m for batch in world.batches(until, 5 * SECOND) for m in encoder.messages(batch)]
    assert (result.messages.scheduled, result.readings.scheduled) == (len(messages), sum(m.readings for m in messages))
    assert loaded.sha256 == result.scenario.sha256


def test_the_books_balance_at_every_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every snapshot of a run obeys the law, and no count ever falls."""
    monkeypatch.setattr(run_module, "SNAPSHOT_S", 0.001)
    seen: list[Snapshot] = []
    result = conducted(tmp_path, seconds=600, on_snapshot=seen.append)
    assert result.exit_code == 0
    assert seen
    for snapshot in seen:
        counts = snapshot.counts
        assert counts.scheduled == counts.written + counts.in_flight + counts.unaccounted
        assert counts.unaccounted == 0
    for name in ("scheduled", "published", "written", "readings_written"):
        values = [getattr(snapshot.counts, name) for snapshot in seen]
        assert sorted(values) == values


def test_a_bridge_that_breaks_ends_the_run_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the bridge could not write is not called delivered: exit code 107, and the books balance."""
    monkeypatch.setattr(run_module, "SNAPSHOT_S", 0.01)

    def broken(_: object) -> None:
        message = "the disk is on fire"
        raise RuntimeError(message)

    def sabotage(hops: Hops) -> None:
        monkeypatch.setattr(hops.store, "write", broken)

    result = conducted(tmp_path, seconds=None, on_open=sabotage)
    assert result.exit_code == 107
    assert result.reason == "the bridge failed: the disk is on fire"
    assert is_balanced(result)
    assert 0 == result.messages.written < result.messages.scheduled


def test_a_row_that_vanished_from_the_store_is_data_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is asked what it holds; committed and not found is no pass."""

    def forgetful(hops: Hops) -> None:
        monkeypatch.setattr(hops.store, "count", lambda **_: 5)

    result = conducted(tmp_path, on_open=forgetful)
    assert result.exit_code == 107
    assert f"{result.messages.written - 5} written and not found in the store" in result.verdict


@pytest.mark.parametrize(
    ("broker", "error", "says"),
    [
        ("mqtt://127.0.0.1:1", OutOfReachError, "nobody listens there; start the broker"),
        ("carrier-pigeon", ScenarioError, "there is no broker of that name"),
    ],
)
def test_a_broker_that_cannot_be_used_ends_the_run_before_it_began(
    tmp_path: Path, broker: str, error: type[Exception], says: str
) -> None:
    """The message says what to do, and no database is made."""
    with pytest.raises(error, match=says):
        conducted(tmp_path, broker=broker)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("speed", "expected"), [(1.0, 1.0), (0.25, 0.25), (60.0, 60.0), (1e6, 60.0), (None, 60.0)])
def test_a_window_is_a_second_of_wall_time_and_a_minute_at_most(speed: float | None, expected: float) -> None:
    """Windows are whole milliseconds, short when somebody watches and bounded when nobody waits."""
    assert window_ns(speed) == expected * SECOND
