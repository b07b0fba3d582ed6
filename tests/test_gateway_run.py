"""A run with gateways that are cut off: late rows come, drops are told, and nothing of it is called a loss."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from networks import EAST, GATEWAY, MINUTE_NS, WEST, fault, networked

from simulator.clock import RealClock
from simulator.results.counts import Counts
from simulator.results.result import Result
from simulator.run.execute import execute
from simulator.run.options import Options
from simulator.scenario.loader import Loaded
from simulator.view.summary import summary

START_MS = 1_741_564_800_000
OUTAGE = (fault("breakdown", EAST, "5m", "40m"), fault("breakdown", WEST, "10m", "30m"))
"""Nothing leaves from the tenth minute to some seconds after the fortieth."""


def ran(
    loaded: Loaded,
    folder: Path,
    *,
    minutes: int,
    speed: float | None = None,
    seen: list[Counts] | None = None,
    stop_at: int | None = None,
) -> Result:
    """Run through the broker in memory into SQLite; stop once so many messages are kept."""
    stop = threading.Event()
    options = Options(
        seed=7,
        speed=speed,
        duration_ns=minutes * MINUTE_NS,
        broker="memory",
        store=f"sqlite:{folder / 'park.db'}",
    )

    def look(counts: Counts) -> None:
        if seen is not None:
            seen.append(counts)
        if stop_at is not None and counts.kept >= stop_at:
            stop.set()

    return execute(
        loaded,
        options,
        clock=RealClock(),
        stop=stop,
        on_open=lambda _: None,
        on_snapshot=lambda snapshot: look(snapshot.counts),
    )


def rows(folder: Path) -> list[tuple[str, int, int]]:
    """Return (topic, seq, ms since the start) of each row of the presses."""
    query = 'SELECT topic, seq, time_ms FROM "injection-moulding" JOIN assets ON assets.id = asset'
    with closing(sqlite3.connect(folder / "park.db")) as db:
        return [(topic, seq, time_ms - START_MS) for topic, seq, time_ms in db.execute(query)]


def is_balanced(result: Result) -> bool:
    m = result.messages
    ended = m.written + m.dead_lettered + sum(m.dropped.values())
    return m.scheduled == ended + m.in_flight + m.unaccounted


def test_half_an_hour_of_outage_is_late_and_whole(tmp_path: Path) -> None:
    """Every message is a row, dated when it was measured; how long it waited is told, and kept ones count as such."""
    seen: list[Counts] = []
    result = ran(networked(tmp_path, *OUTAGE), tmp_path, minutes=50, speed=1_500, seen=seen)
    assert (result.exit_code, result.verdict) == (0, "all that was scheduled is in the store")
    assert result.messages.scheduled == result.messages.written == result.simulated.rows_found
    assert result.messages.scheduled > 40_000
    assert result.gateways is not None
    waited = result.gateways.waited_ms
    assert waited.count > 25_000
    assert waited.max == pytest.approx(1_811_000, rel=0.01)
    assert waited.p50 == pytest.approx(905_000, rel=0.05)
    assert result.latency_ms.end_to_end.count == result.messages.written
    assert all(one.unaccounted == 0 for one in seen)
    assert "left late" in summary(result, next_steps=[])
    assert (result.messages.reordered, result.messages.duplicates) == (0, 0)
    presses = rows(tmp_path)
    for topic in {one[0] for one in presses}:
        mine = sorted(one[1:] for one in presses if one[0] == topic)
        assert [seq for seq, _ in mine] == list(range(len(mine)))
        assert [ms for _, ms in mine] == sorted(ms for _, ms in mine)
        in_the_outage = [ms for _, ms in mine if 10.1 * 60_000 < ms < 40 * 60_000]
        assert len(in_the_outage) > 1_700


def test_what_a_gateway_drops_is_told_and_no_loss(tmp_path: Path) -> None:
    """Room for a thousand of thirty thousand: the rest is dropped as the scenario wants, and the run passes."""
    result = ran(networked(tmp_path, *OUTAGE, buffer=1_000), tmp_path, minutes=50)
    dropped = result.messages.dropped["gateway buffer full"]
    assert (result.exit_code, result.messages.unaccounted, result.messages.in_flight) == (0, 0, 0)
    assert is_balanced(result)
    assert 20_000 < dropped == result.messages.scheduled - result.messages.written
    assert result.simulated.rows_found == result.messages.written
    assert result.gateways is not None
    assert result.gateways.dropped == {"gateway buffer full": dropped}
    assert result.verdict == (
        "all that was scheduled is in the store, but for what gateways of the scenario did: "
        f"{dropped:,} dropped (gateway buffer full)"
    )
    found = {seq for topic, seq, _ in rows(tmp_path) if topic.endswith("/press-1")}
    missing = sorted(set(range(max(found))) - found)
    assert len(missing) > 1_500
    assert missing == list(range(missing[0], missing[-1] + 1))


@pytest.mark.parametrize("order", ["oldest_first", "newest_first"])
def test_what_waits_at_the_end_is_in_flight_and_no_loss(tmp_path: Path, order: str) -> None:
    """A run that ends in the middle of a flush counts what is left in the gateway, and passes."""
    loaded = networked(tmp_path, *OUTAGE, flush_per_s=40, order=order)
    result = ran(loaded, tmp_path, minutes=45)
    assert is_balanced(result)
    assert result.gateways is not None
    assert 15_000 < result.gateways.kept == result.messages.in_flight
    assert (result.exit_code, result.messages.unaccounted) == (0, 0)
    assert result.verdict.endswith(f"did: {result.gateways.kept:,} still kept")
    assert (result.messages.reordered > 5_000) == (order == "newest_first")


def test_what_is_sent_twice_is_one_row(tmp_path: Path) -> None:
    """Each repetition comes as a duplicate at the bridge; published, acknowledged and written count messages once."""
    twice = fault("duplicates", GATEWAY, "0s", "1h", chance=0.5)
    late = fault("reorder", GATEWAY, "0s", "1h", chance=0.1)
    result = ran(networked(tmp_path, twice, late), tmp_path, minutes=5)
    m = result.messages
    assert result.gateways is not None
    assert 1_000 < result.gateways.sent_again == m.duplicates
    assert m.scheduled == m.published == m.acknowledged == m.received == m.written == result.simulated.rows_found
    assert (result.exit_code, m.in_flight, m.unaccounted) == (0, 0, 0)
    assert m.reordered > 100


@pytest.mark.parametrize("offset_ms", [-60_000, 60_000])
def test_rows_that_are_dated_outside_of_the_run_are_counted(tmp_path: Path, offset_ms: int) -> None:
    """A clock that is a minute off dates rows before the start or after the end; the store is asked for them, too."""
    skew = fault("clock_skew", GATEWAY, "0s", "1h", offset_ms=offset_ms)
    result = ran(networked(tmp_path, skew), tmp_path, minutes=3)
    assert (result.exit_code, result.simulated.rows_found) == (0, result.messages.scheduled)
    times = [ms for _, _, ms in rows(tmp_path)]
    assert (min(times) < 0, max(times) > 3 * 60_000) == (offset_ms < 0, offset_ms > 0)


def test_a_run_that_is_stopped_in_an_outage_balances(tmp_path: Path) -> None:
    """What is kept stays in flight, and the verdict says that it was interrupted."""
    loaded = networked(tmp_path, fault("breakdown", GATEWAY, "1m", "10h"))
    result = ran(loaded, tmp_path, minutes=600, speed=2_000, stop_at=1_000)
    assert is_balanced(result)
    assert result.gateways is not None
    assert 1_000 <= result.gateways.kept == result.messages.in_flight
    assert (result.exit_code, result.messages.unaccounted) == (105, 0)
    assert result.verdict.startswith("interrupted; all that was sent is in the store, but for")
