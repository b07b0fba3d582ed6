"""A run as a whole, on the broker in memory and on clocks that do not depend on this machine."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from parks import MONDAY_NS, quickstart
from plain_json import JsonEncoder
from settled import SECOND, SettledClock

from brokers.memory import MemoryBroker
from simulator.errors import OutOfReachError, ScenarioError, StoreError
from simulator.ingest.store import Row
from simulator.park.world import World
from simulator.publish.windows import window_ns
from simulator.results.result import Result
from simulator.results.snapshot import Snapshot
from simulator.run import execute as run_module
from simulator.run import hops as hops_module
from simulator.run import receiving as receiving_module
from simulator.run.execute import execute
from simulator.run.hops import Hops
from simulator.run.options import Options
from simulator.scenario.loader import load_scenario
from simulator.scenario.quantities import instant_ns
from simulator.signals.timeline import Timeline


def conducted(
    tmp_path: Path,
    *,
    speed: float | None = None,
    seconds: float | None = 60,
    clock: SettledClock | None = None,
    broker: str = "memory",
    seed: int = 7,
    warm_up: int | None = None,
    stop: threading.Event | None = None,
    on_open: Callable[[Hops], Any] = lambda _: None,
    on_snapshot: Callable[[Snapshot], Any] = lambda _: None,
) -> Result:
    clock = clock or SettledClock()

    def opened(hops: Hops) -> None:
        clock.hops = hops
        on_open(hops)

    options = Options(
        seed=seed,
        speed=speed,
        duration_ns=None if seconds is None else int(seconds * SECOND),
        broker=broker,
        store=f"sqlite:{tmp_path / 'park.db'}",
    )
    loaded = quickstart()
    if warm_up is not None:
        loaded = replace(loaded, scenario=loaded.scenario.model_copy(update={"warm_up": warm_up}))
    stop = stop or threading.Event()
    return execute(loaded, options, clock=clock, stop=stop, on_open=opened, on_snapshot=on_snapshot)


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
    assert (result.park.machines, len(result.park.oee)) == (14, 2)


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
    assert clock.monotonic_ns() == hops_module.LEAD_NS + 60 * SECOND
    assert pytest.approx(result.messages.published / 60 / result.rates.published_per_s) == 1.0


def test_now_is_the_wall_clock_cut_to_the_second(tmp_path: Path) -> None:
    """The resolved start stands in the result, in the zone of the scenario."""
    result = conducted(tmp_path, seconds=1)
    assert result.simulated.start == "2025-03-10T07:00:00.000+07:00"
    assert result.simulated.until == "2025-03-10T07:00:01.000+07:00"


def test_now_is_when_the_warm_up_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warm-up of 90 s, and a bit for these 90: messages bear the time at which they leave, and so does the result."""
    clock, advance = SettledClock(), World._advance
    takes_s = iter([90.0, 2.0, 0.1])

    def slow(world: World, until_ns: int) -> Timeline:
        clock.advance(int(next(takes_s, 0) * SECOND))
        return advance(world, until_ns)

    monkeypatch.setattr(World, "_advance", slow)
    result = conducted(tmp_path, speed=1.0, seconds=20, clock=clock, warm_up=3600 * SECOND)
    lag_s = (clock.now_ns() - instant_ns(datetime.fromisoformat(result.simulated.until))) / SECOND
    assert 0 <= lag_s <= 1.5
    assert result.simulated.start == "2025-03-10T07:01:32.000+07:00"
    assert (result.exit_code, result.messages.written) == (0, rows(tmp_path))


def test_a_warm_up_that_is_interrupted_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after one of its hours nothing is sent, and the result of the run that never was is sane."""
    advance, stop, hours = World._advance, threading.Event(), list[int]()

    def interrupted(world: World, until_ns: int) -> Timeline:
        hours.append(until_ns)
        stop.set()
        return advance(world, until_ns)

    monkeypatch.setattr(World, "_advance", interrupted)
    result = conducted(tmp_path, speed=1.0, stop=stop, warm_up=1000 * 3600 * SECOND)
    assert (len(hours), result.exit_code, result.messages.scheduled) == (1, 105, 0)
    assert result.rates.published_per_s == 0.0
    assert result.park is None


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


def test_a_view_that_breaks_is_dropped_and_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks on any more, and still a bridge that breaks is noticed, here while nothing is to be sent."""
    monkeypatch.setattr(run_module, "SNAPSHOT_S", 0.01)
    shown: list[Snapshot] = []
    broken_view, resumed = threading.Event(), threading.Event()

    def closed(snapshot: Snapshot) -> None:
        shown.append(snapshot)
        broken_view.set()
        message = "the terminal is gone"
        raise BrokenPipeError(message)

    class Waiting(SettledClock):
        def wait_until(self, monotonic_ns: int, stop: threading.Event | None = None) -> bool:
            if stop is not None and self.monotonic_ns() >= 5 * SECOND and broken_view.wait(10):
                assert self.hops is not None
                self.hops.bridge.failure = self.hops.bridge.failure or RuntimeError("the disk is on fire")
                if not stop.wait(10):
                    resumed.set()
                    stop.set()
            return super().wait_until(monotonic_ns, stop)

    result = conducted(tmp_path, speed=1.0, seconds=None, clock=Waiting(), on_snapshot=closed)
    assert (len(shown), resumed.is_set()) == (1, False)
    assert result.reason == "the bridge failed: the disk is on fire"


def test_a_store_that_dies_for_good_ends_the_run_when_its_patience_is_over(tmp_path: Path) -> None:
    """Five minutes without a row while some wait, and the run says so; nothing of it is called written."""

    def sabotage(hops: Hops) -> None:
        def away(_: object) -> None:
            message = "nobody listens"
            raise StoreError(message, retryable=True)

        hops.store.write = away

    clock = SettledClock()
    clock._is_busy = lambda: False
    result = conducted(tmp_path, speed=None, seconds=None, clock=clock, on_open=sabotage)
    assert (result.exit_code, result.messages.written) == (107, 0)
    assert result.reason == "the store has taken nothing for 300 s: nobody listens"
    assert is_balanced(result)


def test_two_runs_of_one_scenario_on_one_broker_do_not_take_each_other_s_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both hear both; each writes what it sent, counts the rest as foreign, and would not know a loss otherwise."""

    class Shared(MemoryBroker):
        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
        ) -> None:
            pass

    shared, both_listen = Shared(), threading.Barrier(2, timeout=30)
    monkeypatch.setattr(hops_module, "open_broker", lambda _: shared)
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
    with ThreadPoolExecutor(2) as pool:
        running = [
            pool.submit(conducted, tmp_path / str(seed), seed=seed, seconds=120, on_open=lambda _: both_listen.wait())
            for seed in (1, 2)
        ]
        results = [one.result() for one in running]
    for seed, result in zip((1, 2), results, strict=True):
        sent = {(topic, payload) for topic, payload in regenerated(result)}
        assert (result.messages.unaccounted, result.messages.duplicates) == (0, 0)
        assert len(sent) == result.messages.scheduled == result.messages.written == rows(tmp_path / str(seed))
        assert result.messages.received == result.messages.scheduled
    # what one sent late may have come when the other was gone
    assert sum(sum(result.messages.foreign.values()) for result in results) > 500


def regenerated(result: Result) -> list[tuple[str, bytes]]:
    """Return what a run has sent."""
    loaded = quickstart()
    start, until = (instant_ns(datetime.fromisoformat(at)) for at in (result.simulated.start, result.simulated.until))
    world = World(loaded.scenario.model_copy(update={"seed": result.seed}), loaded.types, start)
    encoder = JsonEncoder(world.catalog)
    return [(m.topic, m.payload) for batch in world.batches(until, 5 * SECOND) for m in encoder.messages(batch)]


def test_a_row_that_vanished_from_the_store_is_data_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is asked what it holds; committed and not found is no pass."""

    def forgetful(hops: Hops) -> None:
        monkeypatch.setattr(hops.store, "count", lambda **_: 5)

    result = conducted(tmp_path, on_open=forgetful)
    assert result.exit_code == 107
    assert f"{result.messages.written - 5} written and not found in the store" in result.verdict


def forgetful_of(rows: int) -> Callable[[Hops], None]:
    """Return what makes a store lose its first rows and say nothing."""

    def sabotage(hops: Hops) -> None:
        write, left = hops.store.write, rows

        def lossy(block: Sequence[Row]) -> None:
            nonlocal left
            lost = min(left, len(block))
            left -= lost
            write(block[lost:])

        hops.store.write = lossy

    return sabotage


def test_a_second_run_of_the_same_time_into_one_file_is_audited_exactly(tmp_path: Path) -> None:
    """Whatever an earlier run left there, the file says which rows are of this run, and a lost one is seen."""
    first, second = (conducted(tmp_path, seed=seed) for seed in (1, 2))
    for one in (first, second):
        assert (one.exit_code, one.simulated.rows_before) == (0, 0)
        assert one.messages.written == one.simulated.rows_found
    assert rows(tmp_path) > second.messages.written
    third = conducted(tmp_path, seed=3, on_open=forgetful_of(20))
    assert third.exit_code == 107
    assert third.verdict.startswith("data lost: 20 written and not found in the store")


def test_what_a_store_held_before_it_began_is_not_counted_as_the_run_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that cannot tell runs apart is asked first, and where rows may stand for lost ones nothing is claimed."""
    monkeypatch.setattr(receiving_module, "open_store", lambda _text, _catalog, **_: Shared(kept))
    kept: dict[tuple[int, int], Row] = {}
    first = conducted(tmp_path, seed=1)
    second = conducted(tmp_path, seed=2, on_open=forgetful_of(20))
    held = first.messages.written
    assert (first.exit_code, first.verdict) == (0, "all that was scheduled is in the store")
    assert (second.exit_code, second.simulated.rows_before, second.simulated.rows_found) == (0, held, len(kept))
    assert f"the store held {held:,} rows of that time already, so this could not be audited" in second.verdict


class Shared:
    """A store as InfluxDB is one: a row has an asset and an instant, and no run."""

    lines = None

    def __init__(self, kept: dict[tuple[int, int], Row]) -> None:
        self._kept = kept

    def describe(self) -> str:
        return "shared"

    def write(self, rows: Sequence[Row]) -> None:
        self._kept |= {(row.asset, row.time_ms): row for row in rows}

    def count(self, *, from_ms: int, to_ms: int) -> int:
        return sum(from_ms <= time_ms < to_ms for _, time_ms in self._kept)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


@pytest.mark.parametrize(("seconds", "last_ms"), [(60, MONDAY_NS // 1_000_000 + 60_000), (None, 9_223_372_036_854)])
def test_the_store_is_asked_before_the_run_about_the_time_that_it_will_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float | None, last_ms: int
) -> None:
    """From the first instant to the last that is planned, or to the end of time; a refusal does not stop the run."""
    asked: list[tuple[int, int]] = []

    class Closed(Shared):
        def count(self, *, from_ms: int, to_ms: int) -> int:
            asked.append((from_ms, to_ms))
            if len(asked) == 1:
                message = "you may write here, and not read"
                raise StoreError(message, retryable=False)
            return super().count(from_ms=from_ms, to_ms=to_ms)

    monkeypatch.setattr(receiving_module, "open_store", lambda _text, _catalog, **_: Closed({}))
    result = conducted(tmp_path, speed=1.0, seconds=seconds, clock=SettledClock(stop_after_s=80))
    assert asked[0] == (MONDAY_NS // 1_000_000, last_ms)
    assert (result.simulated.rows_before, result.simulated.rows_found) == (None, result.messages.written)
    assert "what the store held of that time before is unknown, so this could not be audited" in result.verdict


@pytest.mark.parametrize("n", [b"0", b"1000000"])
def test_another_run_on_the_same_topics_is_told(tmp_path: Path, n: bytes) -> None:
    """Its numbers may be ours or not: nothing of it is stored, all of ours is, and the verdict names it."""

    def intrude(hops: Hops) -> None:
        deliver = hops.broker.deliver

        def twice(topic: str, payload: bytes, qos: int) -> None:
            deliver(topic, payload, qos)
            deliver(topic, b'{"t":1741564800000,"n":' + n + b',"power_kw":1.5}', qos)

        hops.broker.deliver = twice

    result = conducted(tmp_path, seconds=20, on_open=intrude)
    assert (result.exit_code, result.verdict) == (
        0,
        ("all that was scheduled is in the store; another run publishes on these topics: its messages were not stored"),
    )
    assert 0 < result.messages.written == result.messages.scheduled == rows(tmp_path)
    assert sum(result.messages.foreign.values()) == result.messages.scheduled
    letter = result.dead_letters[0]
    assert len(result.dead_letters) == 10
    assert (letter.topic.split("/")[0], letter.reason.endswith("of no message of this run")) == ("binh-duong", True)
    assert letter.payload == '{"t":1741564800000,"n":' + n.decode() + ',"power_kw":1.5}'


def test_what_a_broker_refused_is_dropped_and_not_retried(tmp_path: Path) -> None:
    """Nobody tries it again, so it does not stand among the retries."""

    def refuse(hops: Hops) -> None:
        hops.broker.refuse(hops.catalog.assets[0].topic)

    result = conducted(tmp_path, seconds=20, on_open=refuse)
    assert (result.exit_code, result.retries) == (107, {})
    assert sum(result.messages.dropped.values()) > 0


def test_what_is_lost_is_not_called_in_flight_because_a_write_stopped_half_way(tmp_path: Path) -> None:
    """In flight is what the bridge holds unwritten; messages that never came are unaccounted, to the last one."""

    class Hurried(SettledClock):
        def _is_busy(self) -> bool:
            return False

    def sabotage(hops: Hops) -> None:
        deliver, write = hops.broker.deliver, hops.store.write
        sent, stored = 0, 0

        def lossy(topic: str, payload: bytes, qos: int) -> None:
            nonlocal sent
            sent += 1
            # ten are lost, every fifth of the others comes twice, and somebody else speaks, too
            for _ in range(0 if 30 < sent <= 40 else 2 if sent % 5 == 0 else 1):
                deliver(topic, payload, qos)
            deliver(topic, b'{"t":1741564800000,"n":1000000}', qos)

        def stops_half_way(block: Sequence[Row]) -> None:
            nonlocal stored
            if len(block) > 4:
                message = "too large"
                raise StoreError(message, retryable=False, split=True)
            if stored >= 101:
                message = "nobody listens"
                raise StoreError(message, retryable=True)
            write(block)
            stored += len(block)

        hops.broker.deliver = lossy
        hops.store.write = stops_half_way

    result = conducted(tmp_path, seconds=20, clock=Hurried(), on_open=sabotage)
    messages = result.messages
    assert is_balanced(result)
    assert (result.exit_code, messages.unaccounted) == (107, 10)
    assert 0 < messages.in_flight == messages.scheduled - rows(tmp_path) - 10


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
    assert window_ns(speed, 0) == window_ns(speed, 65) == expected * SECOND


@pytest.mark.parametrize(("speed", "expected_ms"), [(0.25, 250), (1.0, 1000), (14.0, 1000), (None, 1000)])
def test_a_park_that_says_a_lot_is_made_in_short_windows(speed: float | None, expected_ms: int) -> None:
    """Fifty thousand readings are enough for a window, whatever the speed; a slow run needs fewer."""
    assert window_ns(speed, 50_000) == expected_ms * 1_000_000
    assert window_ns(None, 1e12) == 1_000_000
