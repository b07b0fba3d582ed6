"""The bridge writes every message once, acknowledges it only then, and survives what stores and devices do to it."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import orjson
import pytest
from plain_marks import mark_of
from presses import START_MS, catalog_of, rows_of

from brokers.blocks import Arrivals
from brokers.endpoint import Delivery, Outgoing, Session
from brokers.memory import MemoryBroker
from simulator.clock import SECOND_NS, Clock, FakeClock, Pace, RealClock
from simulator.errors import StoreError
from simulator.ingest.bridge import Bridge
from simulator.ingest.sentry import guarded
from simulator.ingest.store import Row, Store
from simulator.ingest.stores.none import NoStore
from simulator.ingest.stores.sqlite import SqliteStore
from simulator.results.latency import Latency
from simulator.results.ledger import UNMARKED, Ledger
from simulator.wire.line_protocol import LineProtocol

CATALOG = catalog_of()
ASSETS = tuple(enumerate(CATALOG.assets))
ROWS = rows_of(CATALOG, 20)
DOWN = StoreError("nobody listens", retryable=True)
BUSY = StoreError("slow down", retryable=True, after_s=7.0)
VERY_BUSY = StoreError("come back tomorrow", retryable=True, after_s=99_999.0)
DENIED = StoreError("wrong token", retryable=False)
BAD_LINE = StoreError("malformed line", retryable=False, split=True)
TOO_LARGE = StoreError("too large", retryable=False, split=True)


def message(row: Row) -> tuple[str, bytes]:
    return CATALOG.assets[row.asset].topic, orjson.dumps({"t": row.time_ms, "n": row.seq} | dict(row.fields))


def arrivals_of(deliveries: Sequence[Delivery]) -> Arrivals:
    """Deliveries as a session hands them over in a block."""
    data, edges = b"", []
    for one in deliveries:
        topic = one.topic.encode()
        begin = len(data) + 3
        edges.append((begin, begin + len(topic), begin + len(topic) + 2, begin + len(topic) + 2 + len(one.payload)))
        data += b"\x32\x00," + topic + b"\x00:" + one.payload
    where = np.array(edges, dtype=np.int64).reshape(-1, 4).T
    rest = (np.array([getattr(one, name) for one in deliveries], np.int64) for name in ("qos", "mid", "epoch"))
    return Arrivals(data, *where, *rest)


@pytest.fixture(autouse=True, params=["rows", "lines"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test with stores that take rows, and with stores that take lines."""
    monkeypatch.setattr(Moody, "lines", LineProtocol(CATALOG) if request.param == "lines" else None)


class Inbox:
    """The side of a session that the bridge uses, with its messages already there.

    At most ``window`` are handed out and not acknowledged, as in MQTT.
    """

    def __init__(self, messages: Sequence[tuple[str, bytes]], *, window: int = 65_535) -> None:
        self.waiting = deque(Delivery(topic, payload, 1, 0, mid) for mid, (topic, payload) in enumerate(messages))
        self.window = window
        self.unacknowledged = 0
        self.acknowledged: list[int] = []
        self.calls = 0

    def receive_block(self, *, limit: int, timeout_s: float) -> Arrivals:
        self.calls += 1
        room = min(limit, self.window - self.unacknowledged, len(self.waiting))
        self.unacknowledged += room
        return arrivals_of([self.waiting.popleft() for _ in range(room)])

    def acknowledge_block(self, arrivals: Arrivals, count: int) -> None:
        self.unacknowledged -= count
        self.acknowledged += arrivals.mid[:count].tolist()

    def subscribe(self, *patterns: str, qos: int) -> None:
        """Everything is here already."""

    def is_connected(self) -> bool:
        return True


class Moody:
    """A store that answers with these errors first, refuses these sequence numbers always, and keeps the rest."""

    lines: LineProtocol | None = None

    def __init__(self, clock: FakeClock, *answers: Exception, bad: set[int] | None = None) -> None:
        self.answers = deque(answers)
        self.bad = bad or set()
        self.rows: dict[tuple[int, int], Row] = {}
        self.asked_at_s: list[float] = []
        self._clock = clock

    def describe(self) -> str:
        return "moody"

    def write(self, rows: Sequence[Row]) -> None:
        self.asked_at_s.append(self._clock.monotonic_ns() / SECOND_NS)
        if self.answers:
            raise self.answers.popleft()
        if any(row.seq in self.bad for row in rows):
            raise BAD_LINE
        self.rows |= {(row.asset, row.time_ms): row for row in rows}

    def write_lines(self, body: bytes) -> None:
        self.write([row_of(line) for line in body.decode().splitlines()])

    def count(self, *, from_ms: int, to_ms: int) -> int:
        return len(self.rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def row_of(line: str) -> Row:
    """Read a line of the catalogue's assets."""
    series, fields, time_ms = line.split(" ")
    numbers = {",".join((asset.kind, *(f"{k}={v}" for k, v in asset.tags.items()))): i for i, asset in ASSETS}
    values = dict(field.split("=") for field in fields.split(","))
    seq = int(values.pop("seq").removesuffix("i"))
    read = {name: int(text[:-1]) if text.endswith("i") else float(text) for name, text in values.items()}
    return Row(numbers[series], int(time_ms), seq, read)


def ledger_of(rows: Sequence[Row], *, marked: bool = True) -> Ledger:
    """A ledger of a run that has published these rows and seen them acknowledged; unmarked it knows only numbers."""
    ledger = Ledger(len(CATALOG.assets))
    columns = [row.asset for row in rows], [row.seq for row in rows]
    marks = [mark_of(message(row)[1]) for row in rows] if marked else UNMARKED
    ledger.schedule(*columns, [len(row.fields) for row in rows], marks)
    ledger.publish(*columns)
    ledger.acknowledge(*columns)
    return ledger


def bridge_of(
    inbox: Session | Inbox,
    store: Store,
    clock: Clock,
    ledger: Ledger,
    *,
    speed: float | None = None,
    latency: Latency | None = None,
) -> Bridge:
    return Bridge(
        sessions=[inbox],
        topics=[["binh-duong/#"]],
        qos=1,
        catalog=CATALOG,
        store=store,
        books=ledger,
        reader=guarded(store, CATALOG, ledger),
        latency=latency or Latency(),
        pace=Pace(sim_start_ns=START_MS * 1_000_000, wall_start_ns=0, speed=speed),
        clock=clock,
    )


def test_everything_is_written_then_acknowledged_in_order() -> None:
    """After one step all that had arrived is in the store and acknowledged in the order of arrival."""
    clock, inbox, ledger = FakeClock(), Inbox([message(row) for row in ROWS]), ledger_of(ROWS)
    store = Moody(clock)
    acknowledged = bridge_of(inbox, store, clock, ledger).step()
    assert {(row.asset, row.time_ms): row for row in ROWS} == store.rows
    assert (len(ROWS), list(range(len(ROWS)))) == (acknowledged, inbox.acknowledged)
    counts = ledger.counts()
    assert (counts.written, counts.readings_written, counts.unaccounted) == (60, 200, 0)


def test_nothing_is_acknowledged_before_it_is_written() -> None:
    """While the store is away no message is acknowledged and no other received, so that the broker keeps them."""
    clock, inbox, ledger = FakeClock(), Inbox([message(row) for row in ROWS], window=10), ledger_of(ROWS)
    bridge = bridge_of(inbox, Moody(clock, DOWN, DOWN, DOWN), clock, ledger)
    done = [bridge.step() for _ in range(3)]
    assert (done, inbox.acknowledged, inbox.calls, bridge.backlog) == ([0, 0, 0], [], 1, 10)
    assert bridge.trouble == "nobody listens"
    assert sum(bridge.left().values()) == 10


def test_a_small_window_does_not_stop_it() -> None:
    """A broker that sends ten messages and waits gets its acknowledgements: no full batch is waited for."""
    clock, inbox, ledger = FakeClock(), Inbox([message(row) for row in ROWS], window=10), ledger_of(ROWS)
    assert bridge_of(inbox, Moody(clock), clock, ledger).drain(1.0)
    assert ledger.counts().written == len(ROWS)


def test_what_the_broker_sends_twice_is_stored_once() -> None:
    """Redelivery leaves one row, and is counted."""
    clock, ledger = FakeClock(), ledger_of(ROWS)
    inbox = Inbox([message(row) for row in [*ROWS, *ROWS[:7]]])
    store = Moody(clock)
    bridge_of(inbox, store, clock, ledger).step()
    counts = ledger.counts()
    assert (len(store.rows), counts.written, counts.duplicates) == (60, 60, 7)


def test_a_store_that_is_away_is_asked_again_later_and_later() -> None:
    """The waits grow to ten seconds, nothing is lost, and every attempt is counted."""
    clock, inbox, ledger = FakeClock(), Inbox([message(row) for row in ROWS]), ledger_of(ROWS)
    store = Moody(clock, *[DOWN] * 12)
    bridge = bridge_of(inbox, store, clock, ledger)
    assert bridge.drain(600.0)
    waits = [after - before for before, after in zip(store.asked_at_s, store.asked_at_s[1:], strict=False)]
    assert all(0.09 <= wait <= 10.1 for wait in waits)
    assert waits[0] < 0.3
    assert waits[-1] > 4.9
    assert (bridge.retries["store out of reach"], bridge.trouble) == (12, None)
    assert ledger.counts().written == len(ROWS)


def test_how_long_the_store_has_taken_nothing_is_known() -> None:
    """It counts while something waits, from the last row that went through or the arrival of the batch."""
    clock, inbox, ledger = FakeClock(), Inbox([message(row) for row in ROWS]), ledger_of(ROWS)
    bridge = bridge_of(inbox, Moody(clock, DOWN), clock, ledger)
    clock.advance(1000 * SECOND_NS)
    stuck = [bridge.stuck_s()]
    bridge.step()
    clock.advance(7 * SECOND_NS)
    stuck.append(bridge.stuck_s())
    bridge.step()
    stuck.append(bridge.stuck_s())
    assert stuck == [0.0, 7.0, 0.0]


def test_retry_after_is_obeyed_and_capped() -> None:
    """After 'in 7 s' there is no request for 7 s; an absurd wish is cut to a minute or so."""
    clock, inbox, ledger = FakeClock(), Inbox([message(row) for row in ROWS]), ledger_of(ROWS)
    store = Moody(clock, BUSY, VERY_BUSY)
    assert bridge_of(inbox, store, clock, ledger).drain(600.0)
    first, second, third = store.asked_at_s
    assert 7.0 <= second - first <= 8.0
    assert 60.0 <= third - second <= 67.0


def test_a_store_that_refuses_us_pauses_the_bridge_until_it_is_mended() -> None:
    """A wrong token drops nothing: the same batch is tried every few seconds, and goes through once it is mended."""
    clock, inbox, ledger = FakeClock(), Inbox([message(row) for row in ROWS]), ledger_of(ROWS)
    store = Moody(clock, *[DENIED] * 3)
    bridge = bridge_of(inbox, store, clock, ledger)
    bridge.step()
    said = bridge.trouble
    assert bridge.drain(60.0)
    assert said == "wrong token"
    assert store.asked_at_s[-1] <= 12.0
    assert (bridge.retries["store refuses us"], ledger.counts().written, len(bridge.dead_letters)) == (3, 60, 0)


def test_one_bad_row_becomes_one_dead_letter() -> None:
    """The batch is split until the bad row is alone; all others are stored, and all are acknowledged."""
    clock, inbox, ledger = FakeClock(), Inbox([message(row) for row in ROWS[:30]]), ledger_of(ROWS[:30])
    store = Moody(clock, bad={5})
    bridge = bridge_of(inbox, store, clock, ledger)
    bridge.step()
    counts = ledger.counts()
    assert (counts.written, counts.dead_lettered) == (27, {"store refuses the row": 3})
    assert (len(inbox.acknowledged), counts.unaccounted) == (30, 0)
    letter = bridge.dead_letters.kept[0]
    assert (letter.topic, letter.detail) == (CATALOG.assets[0].topic, "malformed line")
    assert orjson.loads(letter.payload)["n"] == 5


def test_a_store_that_goes_away_in_the_midst_of_a_search_loses_nothing() -> None:
    """The search for a bad row goes on where it was when the store comes back."""
    clock, inbox, ledger = FakeClock(), Inbox([message(row) for row in ROWS]), ledger_of(ROWS)
    store = Moody(clock, BAD_LINE, DOWN, BAD_LINE, DENIED, BUSY, bad={3})
    assert bridge_of(inbox, store, clock, ledger).drain(600.0)
    counts = ledger.counts()
    assert (counts.written, counts.dead_lettered, counts.unaccounted) == (57, {"store refuses the row": 3}, 0)


POISON = [
    (CATALOG.assets[0].topic, b"\xff\x00 no json"),
    ("binh-duong/nobody", b"{}"),
    (CATALOG.assets[0].topic, b'{"n":1,"t":"today","state":6}'),
    (CATALOG.assets[0].topic, b'{"n":2,"t":1767225600000,"colour":6}'),
]


def test_poison_is_put_aside_and_the_loop_lives_on() -> None:
    """Bad payloads are counted with their reasons, acknowledged in their turn, and do not stop good ones."""
    good = [message(row) for row in ROWS]
    clock, ledger = FakeClock(), ledger_of(ROWS, marked=False)
    inbox = Inbox([*good[:3], *POISON, *good[9:]])
    bridge = bridge_of(inbox, Moody(clock), clock, ledger)
    bridge.step()
    counts = ledger.counts()
    assert (counts.written, counts.dead_lettered) == (54, {"no time": 1, "unknown field": 1})
    assert counts.foreign == {"no JSON": 1, "unknown topic": 1}
    assert list(range(58)) == inbox.acknowledged
    assert dict(bridge.dead_letters.counts) == {"no JSON": 1, "unknown topic": 1, "no time": 1, "unknown field": 1}


def test_a_number_that_the_run_has_not_given_out_is_not_written() -> None:
    """A message of another run on a topic of ours replaces no row of ours; it is foreign, and acknowledged."""
    clock, ledger = FakeClock(), ledger_of(ROWS)
    theirs = [
        ROWS[0]._replace(seq=20, fields={"state": 17}),
        ROWS[1]._replace(seq=2**63 - 1, fields={"power_kw": 1.0}),
    ]
    half_good = (CATALOG.assets[0].topic, b'{"n":99,"t":1767225600000,"colour":6}')
    inbox = Inbox([*map(message, [*ROWS, *theirs]), half_good])
    store = Moody(clock)
    bridge = bridge_of(inbox, store, clock, ledger)
    bridge.step()
    counts = ledger.counts()
    assert {(row.asset, row.time_ms): row for row in ROWS} == store.rows
    assert (counts.written, counts.unaccounted, counts.duplicates, counts.dead_lettered) == (60, 0, 0, {})
    assert counts.foreign == {"sequence number of no message of this run": 3} == dict(bridge.dead_letters.counts)
    assert list(range(63)) == inbox.acknowledged
    assert "n(=20) was not sent by this run" in bridge.dead_letters.kept[0].detail


def test_a_message_of_another_run_with_a_number_of_ours_is_not_written() -> None:
    """Before ours has come and after: its content is not what we sent, so it is foreign and replaces no row."""
    clock, ledger = FakeClock(), ledger_of(ROWS)
    theirs = [ROWS[0]._replace(time_ms=START_MS + 7), ROWS[30]._replace(fields={"state": 17})]
    inbox = Inbox([*map(message, [theirs[0], *ROWS]), *map(message, theirs)], window=61)
    store = Moody(clock)
    latency = Latency()
    bridge = bridge_of(inbox, store, clock, ledger, speed=1.0, latency=latency)
    while bridge.step():
        assert bridge.backlog == 0
    counts = ledger.counts()
    assert {(row.asset, row.time_ms): row for row in ROWS} == store.rows
    assert (counts.written, counts.unaccounted, counts.duplicates) == (60, 0, 0)
    assert counts.foreign == {"content of no message of this run": 3}
    assert (len(inbox.acknowledged), len(latency.broker)) == (63, 60)


def test_what_is_sent_again_is_neither_written_nor_timed_again() -> None:
    """A broker that lost our acknowledgements sends all again, in the same batch or later: latency knows it once."""
    clock, ledger = FakeClock(), ledger_of(ROWS)
    inbox = Inbox([message(row) for row in [*ROWS, *ROWS[:5], *ROWS]], window=65)
    store = Moody(clock)
    latency = Latency()
    bridge = bridge_of(inbox, store, clock, ledger, speed=1.0, latency=latency)
    while bridge.step():
        clock.advance(SECOND_NS)
    counts = ledger.counts()
    assert (len(latency.broker), len(latency.end_to_end), len(store.asked_at_s)) == (60, 60, 1)
    assert (counts.duplicates, counts.written, len(inbox.acknowledged)) == (65, 60, 125)


def test_what_is_in_stock_when_a_write_stops_half_way_is_what_is_not_written() -> None:
    """Rows of the batch that are written or dead letters are held no more, and hide no message that is lost."""
    lost = [row for row in rows_of(CATALOG, 24) if row.seq >= 20][:10]
    clock, ledger = FakeClock(), ledger_of([*ROWS, *lost])
    inbox = Inbox([message(row) for row in [*ROWS, ROWS[59], ROWS[0]]])
    # the batch is too large, its first quarter goes through, the next one not, and then the store is away
    store = Moody(clock, TOO_LARGE, TOO_LARGE, bad={5})
    bridge = bridge_of(inbox, store, clock, ledger)
    write = store.write

    def stops_half_way(rows: Sequence[Row]) -> None:
        if len(store.rows) >= 30:
            raise DOWN
        write(rows)

    store.write = stops_half_way
    bridge.step()
    ledger.finish(*bridge.take_stock())
    counts = ledger.counts()
    assert (counts.written, bridge.backlog) == (len(store.rows), 62)
    assert counts.written + sum(counts.dead_lettered.values()) + counts.in_flight == 60
    assert (sum(counts.dead_lettered.values()), counts.unaccounted) == (3, 10)


def test_what_waits_in_the_session_is_in_stock_and_stays_unacknowledged() -> None:
    """Behind a store that is away the window fills; what has come that far is known, and the broker keeps it."""
    clock, ledger = FakeClock(), ledger_of(ROWS)
    inbox = Inbox([*map(message, ROWS[:50]), *POISON])
    bridge = bridge_of(inbox, Moody(clock, *[DOWN] * 3), clock, ledger)
    inbox.window = 20
    bridge.step()
    inbox.window = 65_535
    ledger.finish(*bridge.take_stock())
    counts = ledger.counts()
    assert (counts.received, counts.in_flight, counts.unaccounted) == (50, 50, 10)
    assert inbox.acknowledged == []


def test_dead_letters_are_bounded() -> None:
    """A flood of bad messages is counted in full; only the first are kept, cut to a length for the eye."""
    clock, ledger = FakeClock(), ledger_of([])
    inbox = Inbox([("nowhere/" * 100, b"x" * 10_000)] * 1_000)
    bridge = bridge_of(inbox, Moody(clock), clock, ledger)
    bridge.step()
    kept = bridge.dead_letters.kept
    assert (len(bridge.dead_letters), len(kept), len(kept[0].payload), len(kept[0].topic)) == (1_000, 100, 200, 200)


def test_latency_runs_from_the_moment_a_message_was_due() -> None:
    """Receipt and commit are measured from the due time of the reading, at ten times real time too."""
    clock, ledger, latency = FakeClock(), ledger_of(ROWS[:1]), Latency()
    bridge = bridge_of(Inbox([message(ROWS[0])]), Moody(clock, BUSY), clock, ledger, speed=10.0, latency=latency)
    clock.advance(2 * SECOND_NS)
    bridge.step()
    bridge.step()
    assert latency.broker.percentile(50) == pytest.approx(2e9, rel=0.01)
    assert latency.end_to_end.percentile(50) == pytest.approx(9.35e9, rel=0.05)


def test_nothing_is_due_at_full_speed() -> None:
    """A run as fast as it goes has no due times, so no latency is recorded."""
    clock, ledger, latency = FakeClock(), ledger_of(ROWS), Latency()
    bridge = bridge_of(Inbox([message(row) for row in ROWS]), Moody(clock), clock, ledger, latency=latency)
    bridge.step()
    assert (len(latency.broker), len(latency.end_to_end)) == (0, 0)


def test_drain_gives_up_at_its_deadline_and_says_what_is_left() -> None:
    """A store that never answers well leaves messages unacknowledged, for the broker to send again."""
    clock, inbox, ledger = FakeClock(), Inbox([message(row) for row in ROWS]), ledger_of(ROWS)
    bridge = bridge_of(inbox, Moody(clock, *[DOWN] * 100), clock, ledger)
    assert not bridge.drain(5.0)
    assert clock.monotonic_ns() < 20 * SECOND_NS
    assert (inbox.acknowledged, bridge.backlog) == ([], 60)
    assert {asset.topic: 20 for asset in CATALOG.assets} == bridge.left()
    assert ledger.counts().in_flight == 60


def test_drain_does_not_wait_for_messages_that_never_come() -> None:
    """A connected broker that has been quiet for three seconds has nothing more to send."""
    clock, ledger = FakeClock(), ledger_of(ROWS)
    bridge = bridge_of(Inbox([message(row) for row in ROWS[:10]]), Moody(clock), clock, ledger)
    assert not bridge.drain(3_600.0)
    assert clock.monotonic_ns() < 4 * SECOND_NS
    assert ledger.counts().written == 10


def test_drain_listens_for_a_while_after_a_long_silence() -> None:
    """A last message that is on its way when the drain begins is waited for, however quiet it was before."""
    clock, ledger = FakeClock(), ledger_of(ROWS)
    inbox = Inbox([])
    bridge = bridge_of(inbox, Moody(clock), clock, ledger)
    clock.advance(60 * SECOND_NS)
    bridge.step()
    inbox.waiting.extend(Inbox([message(row) for row in ROWS]).waiting)
    assert bridge.drain(10.0)


def test_an_unexpected_error_is_kept_and_ends_the_drain() -> None:
    """A defect in a store does not vanish with its thread."""
    ledger = ledger_of(ROWS)
    bug = RuntimeError("a defect")
    bridge = bridge_of(Inbox([message(row) for row in ROWS]), Moody(FakeClock(), bug), RealClock(), ledger)
    bridge.start()
    drained = bridge.drain(30.0)
    bridge.close()
    assert (drained, bridge.failure) == (False, bug)


def test_its_thread_carries_everything_into_a_real_store(tmp_path: Path) -> None:
    """Started, it subscribes, writes all into SQLite over broken connections, and stops when told."""
    ledger = ledger_of(ROWS)
    outgoing = [Outgoing(*message(row), tag) for tag, row in enumerate(ROWS)]
    with MemoryBroker() as broker, SqliteStore(tmp_path / "park.db", CATALOG, run_id="run-1") as store:
        bridge = bridge_of(broker.connect("bridge", window=16, keep_session=True), store, RealClock(), ledger)
        bridge.start()
        publisher = broker.connect("publisher", window=16)
        for first in range(0, len(outgoing), 15):
            assert publisher.publish(outgoing[first : first + 15], qos=1, timeout_s=10.0) == 15
            broker.drop_connections()
        assert bridge.drain(30.0)
        bridge.close()
        bridge.close()
        stored = store.count(from_ms=START_MS, to_ms=START_MS + 60_000)
    assert (stored, bridge.failure, ledger.counts().unaccounted) == (60, None, 0)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("bridge")] == []


def test_a_table_that_vanishes_in_mid_run_makes_no_dead_letters(tmp_path: Path) -> None:
    """Somebody renames a table: the bridge says so, keeps what it has, and goes on when the table is back."""
    clock, inbox, ledger = FakeClock(), Inbox([message(row) for row in ROWS]), ledger_of(ROWS)
    file = tmp_path / "park.db"
    with (
        SqliteStore(file, CATALOG, run_id="run-1") as store,
        closing(sqlite3.connect(file, isolation_level=None)) as other,
    ):
        bridge = bridge_of(inbox, store, clock, ledger)
        other.execute("ALTER TABLE press RENAME TO elsewhere")
        done = [bridge.step() for _ in range(3)]
        said, open_still = bridge.trouble, ledger.counts().in_flight
        other.execute("ALTER TABLE elsewhere RENAME TO press")
        assert bridge.drain(60.0)
        stored = store.count(from_ms=START_MS, to_ms=START_MS + 60_000)
    assert (done, len(bridge.dead_letters), open_still, stored) == ([0, 0, 0], 0, 60, 60)
    assert "no such table: press" in str(said)
    assert bridge.retries["store refuses us"] == 3


def test_the_size_that_a_store_takes_is_remembered_and_tried_again_later() -> None:
    """After a refused size the next batches are cut to one that went through, and grow again after a while."""

    class Narrow(NoStore):
        largest: list[int] = []  # noqa: RUF012 - one test, one list

        def write(self, rows: Sequence[Row]) -> None:
            self.largest.append(len(rows))
            if len(rows) > 30:
                raise TOO_LARGE

        def write_lines(self, body: bytes) -> None:
            self.write([row_of(line) for line in body.decode().splitlines()])

    rows = rows_of(CATALOG, 1_400)
    clock, ledger = FakeClock(), ledger_of(rows)
    inbox = Inbox([message(row) for row in rows], window=60)
    store = Narrow(CATALOG)
    bridge = bridge_of(inbox, store, clock, ledger)
    while bridge.step():
        assert len(bridge.dead_letters) == 0
    refused = [place for place, rows in enumerate(store.largest) if rows > 30]
    assert len(inbox.acknowledged) == 4_200
    assert len(refused) == 2
    assert refused[1] - refused[0] > 100
