"""The cases that a bridge has to survive, each against real servers, with the figures that tell how it went.

Each takes how much of it is wanted, so that the tests run a short form and `make soak` the whole.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from bridge_process import BridgeProcess, Feeder, recording
from child_server import HOST, until
from gate import Answer, Asked, Gate, gate
from servers import InfluxDB1, Mosquitto

from simulator.bench.recording import Recording

__all__ = [
    "bad_line",
    "bridge_killed",
    "broker_killed",
    "broker_killed_without_persistence",
    "database_away",
    "database_hangs",
    "database_refuses",
    "offline",
    "retry_after",
    "slow_subscriber",
    "too_large",
]

DURABLE = {
    "persistence": "true",
    "autosave_interval": 1,
    "max_queued_messages": 0,
    "max_queued_bytes": 1 << 28,
    "max_inflight_messages": 1_000,
}
"""On disk two seconds after the acknowledgement at the latest: mosquitto saves once *more* than a second has passed."""
SAVED_S = 2.5
DEADLINE_S = 120.0


class Influx:
    """An InfluxDB 1.6.7 and what it holds of the scenario."""

    def __init__(self, server: InfluxDB1, port: int | None = None) -> None:
        self.server = server
        self.url = f"influxdb://{HOST}:{port or server.port}/park?create=true"

    def rows(self) -> int:
        """How many rows it holds."""
        found = self.server.query('select count("seq") from /.*/', database="park")
        return sum(series["values"][0][1] for series in found)

    def missing(self, what: Recording, acknowledged: np.ndarray[Any, Any]) -> int:
        """How many of the acknowledged messages it does not hold, compared by asset and number."""
        held: set[tuple[str, frozenset[tuple[str, str]], int]] = set()
        for series in self.server.query('select "seq" from /.*/ group by *', database="park"):
            # a series has the tags of all measurements, those of others empty
            tags = frozenset((name, text) for name, text in series["tags"].items() if text)
            held |= {(series["name"], tags, int(number)) for _, number in series["values"]}
        names = [(asset.kind, frozenset(asset.tags.items())) for asset in what.catalog.assets]
        pairs = zip(what.block.asset[acknowledged].tolist(), what.block.seq[acknowledged].tolist(), strict=True)
        return sum((*names[asset], seq) not in held for asset, seq in pairs)


@contextmanager
def influxdb(folder: Path) -> Iterator[Influx]:
    with InfluxDB1(folder / "influxdb") as server:
        yield Influx(server)


def wait_for_rows(database: Influx, number: int, *, deadline_s: float = DEADLINE_S) -> float:
    """Wait until the database holds so many rows; return how long it took."""
    began = time.monotonic()
    until(lambda: database.rows() >= number, deadline_s=deadline_s, what=f"{number} rows")
    return time.monotonic() - began


def bridge_killed(folder: Path, *, kills: int, messages: int) -> dict[str, Any]:
    """Kill the bridge again and again while messages of QoS 1 come."""
    what = recording(messages)
    each = messages // (kills + 1)
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "mosquitto", settings=DURABLE | {"persistence": "false"}))
        database = stack.enter_context(influxdb(folder))
        feeder = stack.enter_context(Feeder(broker.port, what))
        bridge = stack.enter_context(BridgeProcess(broker.port, database.url, folder))
        until(bridge.is_up, deadline_s=DEADLINE_S, what="the bridge")
        for _ in range(kills):
            before = database.rows()
            feeder.feed(each)
            # in the middle of its work, at another place each time
            until(lambda: database.rows() > before, deadline_s=DEADLINE_S, what="rows")  # noqa: B023 - called at once
            bridge.kill()
            bridge.start()
            until(bridge.is_up, deadline_s=DEADLINE_S, what="the bridge")
        began = time.monotonic()
        feeder.feed(messages)
        feeder.settle()
        wait_for_rows(database, messages)
        recovery_s = time.monotonic() - began
        report, code = bridge.stop()
        return {
            "faults": kills,
            "messages": messages,
            "rows": database.rows(),
            "missing": database.missing(what, feeder.acknowledged),
            "duplicates": report["duplicates"],
            "recovery_s": round(recovery_s, 1),
            "exit_code": code,
        }


def broker_killed(folder: Path, *, kills: int, messages: int) -> dict[str, Any]:
    """Kill a durable broker again and again while messages wait in it: what it acknowledged in time comes."""
    what = recording(messages)
    each = messages // (kills + 1)
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "mosquitto", settings=DURABLE))
        database = stack.enter_context(influxdb(folder))
        bridge = stack.enter_context(BridgeProcess(broker.port, database.url, folder))
        until(bridge.is_up, deadline_s=DEADLINE_S, what="the bridge")
        feeder = stack.enter_context(Feeder(broker.port, what, window=100))
        for _ in range(kills):
            os.kill(bridge.pid, signal.SIGSTOP)
            feeder.feed(each)
            feeder.settle()
            time.sleep(SAVED_S)
            broker.kill()
            broker.start()
            os.kill(bridge.pid, signal.SIGCONT)
        began = time.monotonic()
        feeder.feed(messages)
        feeder.settle()
        until(
            lambda: database.missing(what, feeder.acknowledged) == 0,
            deadline_s=DEADLINE_S,
            what="every acknowledged message",
        )
        recovery_s = time.monotonic() - began
        report, code = bridge.stop()
        return {
            "faults": kills,
            "messages": messages,
            "acknowledged": int(np.count_nonzero(feeder.acknowledged)),
            "rows": database.rows(),
            "missing": database.missing(what, feeder.acknowledged),
            "missing_reported": report["missing"],
            "duplicates": report["duplicates"],
            "recovery_s": round(recovery_s, 1),
            "exit_code": code,
        }


def broker_killed_without_persistence(folder: Path, *, messages: int) -> dict[str, Any]:
    """Kill a broker that persists nothing while the bridge is stopped: what waited is lost, and told to a message."""
    what = recording(messages)
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "mosquitto", settings={"max_queued_messages": 0}))
        database = stack.enter_context(influxdb(folder))
        bridge = stack.enter_context(BridgeProcess(broker.port, database.url, folder))
        until(bridge.is_up, deadline_s=DEADLINE_S, what="the bridge")
        feeder = stack.enter_context(Feeder(broker.port, what))
        feeder.feed(messages // 4)
        feeder.settle()
        wait_for_rows(database, messages // 4)
        os.kill(bridge.pid, signal.SIGSTOP)
        # more than the window, which may stand in the buffers of the system already
        feeder.feed(messages // 2)
        feeder.settle()
        broker.kill()
        broker.start()
        os.kill(bridge.pid, signal.SIGCONT)
        until(lambda: "parksim-bridge" in broker.log_of_this_start(), deadline_s=DEADLINE_S, what="the bridge")
        # slowly: its queue is short
        for _ in range(10):
            feeder.feed(messages // 40)
            feeder.settle()
            time.sleep(0.1)
        lost = int(np.count_nonzero(feeder.acknowledged)) - settled_rows(database)
        told_within_s = until_said(bridge, f"missing: {lost:,} messages")
        report, code = bridge.stop()
        return {
            "faults": 1,
            "messages": feeder.taken,
            "missing": lost,
            "missing_reported": report["missing"],
            "duplicates": report["duplicates"],
            "told_within_s": told_within_s,
            "exit_code": code,
        }


def settled_rows(database: Influx) -> int:
    """How many rows there are once no more come."""
    before = -1
    while (now := database.rows()) != before:
        before = now
        time.sleep(1.0)
    return now


def until_said(bridge: BridgeProcess, text: str) -> float:
    began = time.monotonic()
    until(lambda: text in bridge.said(), deadline_s=30.0, what=f"the bridge to say {text!r}; it said {bridge.said()}")
    return round(time.monotonic() - began, 1)


def database_away(folder: Path, *, away_s: float, per_s: int) -> dict[str, Any]:
    """Kill the database for a while: the bridge goes on receiving, into its spool."""
    messages = round(per_s * (away_s + 2))
    what = recording(messages)
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "mosquitto", settings=DURABLE | {"persistence": "false"}))
        database = stack.enter_context(influxdb(folder))
        bridge = stack.enter_context(BridgeProcess(broker.port, database.url, folder, spool=True))
        until(bridge.is_up, deadline_s=DEADLINE_S, what="the bridge")
        feeder = stack.enter_context(Feeder(broker.port, what))
        feeder.feed(per_s)
        feeder.settle()
        wait_for_rows(database, per_s)
        database.server.kill()
        began_mb, most_mb, most_spooled = bridge.resident_mb(), 0.0, 0
        began = time.monotonic()
        while (passed := time.monotonic() - began) < away_s:
            feeder.feed(max(0, round(per_s * passed) + per_s - feeder.taken))
            most_mb = max(most_mb, bridge.resident_mb())
            most_spooled = max(most_spooled, bridge.spooled_bytes())
            time.sleep(0.02)
        feeder.settle()
        spooled_messages = feeder.taken - per_s
        database.server.start()
        drained_s = wait_for_rows(database, feeder.taken)
        most_mb = max(most_mb, bridge.resident_mb())
        report, code = bridge.stop()
        return {
            "faults": 1,
            "away_s": away_s,
            "messages": feeder.taken,
            "rows": database.rows(),
            "missing": database.missing(what, feeder.acknowledged),
            "duplicates": report["duplicates"],
            "recovery_s": round(drained_s, 1),
            "drained_times_input": round(spooled_messages / drained_s / per_s, 1),
            "memory_growth_mb": round(most_mb - began_mb, 1),
            "spool_mb": round(most_spooled / 1e6, 1),
            "spooled": report["spooled"],
            "exit_code": code,
        }


def database_hangs(folder: Path, *, messages: int) -> dict[str, Any]:
    """The database takes connections and never answers: the bridge ends in time, and what is unsent is in the spool."""
    what = recording(messages)
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "mosquitto", settings=DURABLE | {"persistence": "false"}))
        database = stack.enter_context(influxdb(folder))
        before = stack.enter_context(gate(database.server.port))
        url = Influx(database.server, before.port).url
        bridge = stack.enter_context(BridgeProcess(broker.port, url, folder, spool=True))
        until(bridge.is_up, deadline_s=DEADLINE_S, what="the bridge")
        before.hangs = True
        feeder = stack.enter_context(Feeder(broker.port, what))
        feeder.feed(messages)
        feeder.settle()
        until(lambda: "trouble: " in bridge.said(), deadline_s=DEADLINE_S, what="the bridge to give up a write")
        began = time.monotonic()
        report, code = bridge.stop()
        stopped_s = time.monotonic() - began
        before.hangs = False
        before.over.set()
        bridge.start()
        recovery_s = wait_for_rows(database, messages)
        later, later_code = bridge.stop()
        return {
            "faults": 1,
            "messages": messages,
            "rows": database.rows(),
            "missing": database.missing(what, feeder.acknowledged),
            "stopped_s": round(stopped_s, 1),
            "spooled": report["spooled"],
            "unacknowledged": report["unacknowledged"],
            "exit_codes": [code, later_code],
            "spooled_in_the_end": later["spooled"],
            "recovery_s": round(recovery_s, 1),
        }


def refusing(
    folder: Path, answers: Callable[[Gate], Callable[[Asked], Answer | None]], *, messages: int, spool: bool = False
) -> dict[str, Any]:
    """Feed messages through a gate, and wait until the database has all of them."""
    what = recording(messages)
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "mosquitto", settings=DURABLE | {"persistence": "false"}))
        database = stack.enter_context(influxdb(folder))
        before = stack.enter_context(gate(database.server.port))
        url = Influx(database.server, before.port).url
        bridge = stack.enter_context(BridgeProcess(broker.port, url, folder, spool=spool))
        until(bridge.is_up, deadline_s=DEADLINE_S, what="the bridge")
        before.asked.clear()
        before.writes = answers(before)
        feeder = stack.enter_context(Feeder(broker.port, what))
        feeder.feed(messages)
        feeder.settle()
        recovery_s = wait_for_rows(database, messages - 1)
        rows = settled_rows(database)
        report, code = bridge.stop()
        letters = bridge.letters.read_text().splitlines()
        return {
            "messages": messages,
            "rows": rows,
            "missing": database.missing(what, feeder.acknowledged),
            "duplicates": report["duplicates"],
            "requests": len(before.asked),
            "request_times_s": [one.at_s for one in before.asked],
            "request_bytes": [len(one.body) for one in before.asked],
            "recovery_s": round(recovery_s, 1),
            "dead_letters": letters,
            "retries": report["retries"],
            "said": bridge.said(),
            "exit_code": code,
        }


def retry_after(folder: Path, *, messages: int, status: int = 503, wait_s: int = 7) -> dict[str, Any]:
    """The first write is answered with Retry-After."""

    def answers(before: Gate) -> Callable[[Asked], Answer | None]:
        return lambda _: Answer(status, "later", {"Retry-After": str(wait_s)}) if len(before.asked) == 1 else None

    found = refusing(folder, answers, messages=messages)
    times = found.pop("request_times_s")
    return found | {"faults": 1, "quiet_s": round(times[1] - times[0], 2)}


def database_refuses(folder: Path, *, messages: int, status: int, times: int = 2) -> dict[str, Any]:
    """The first writes are refused as with a wrong token or without a bucket: a person has to mend that."""

    def answers(before: Gate) -> Callable[[Asked], Answer | None]:
        return lambda _: Answer(status) if len(before.asked) <= times else None

    found = refusing(folder, answers, messages=messages)
    return found | {"faults": times}


def bad_line(folder: Path, *, messages: int, status: int) -> dict[str, Any]:
    """One line of many is refused, and with it every batch that it is in."""
    what = recording(messages)
    # the machine and number of a message in the middle
    asset, seq = (int(column[messages // 2]) for column in (what.block.asset, what.block.seq))
    tags = what.catalog.assets[asset].tags

    def is_bad(line: bytes) -> bool:
        return all(f"{name}={tags[name]}".encode() in line for name in ("line", "machine")) and b"seq=%di" % seq in line

    def answers(_: Gate) -> Callable[[Asked], Answer | None]:
        return lambda one: Answer(status) if any(map(is_bad, one.body.splitlines())) else None

    found = refusing(folder, answers, messages=messages)
    return found | {"faults": 1, "refused_topic": what.catalog.assets[asset].topic}


def too_large(folder: Path, *, messages: int, limit: int = 65_536) -> dict[str, Any]:
    """Bodies of more than so many bytes are answered with 413."""

    def answers(_: Gate) -> Callable[[Asked], Answer | None]:
        return lambda one: Answer(413) if len(one.body) > limit else None

    found = refusing(folder, answers, messages=messages)
    sizes = found.pop("request_bytes")
    return found | {"faults": sum(size > limit for size in sizes)}


def slow_subscriber(folder: Path, *, messages: int, delay_s: float = 0.2) -> dict[str, Any]:
    """A bridge that is held up by its database, behind a broker that queues 1000 messages."""
    what = recording(messages)
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "mosquitto", settings={"max_inflight_messages": 100}))
        database = stack.enter_context(influxdb(folder))
        before = stack.enter_context(gate(database.server.port))

        def slowly(_: Asked) -> None:
            time.sleep(delay_s)

        before.writes = slowly
        url = Influx(database.server, before.port).url
        bridge = stack.enter_context(BridgeProcess(broker.port, url, folder))
        until(bridge.is_up, deadline_s=DEADLINE_S, what="the bridge")
        feeder = stack.enter_context(Feeder(broker.port, what))
        feeder.feed(messages - 1_000)
        feeder.settle()
        settled_rows(database)
        before.writes = lambda _: None
        # the last numbers of each machine come slowly, so that they show what was lost before them
        began = time.monotonic()
        for _ in range(10):
            feeder.feed(100)
            feeder.settle()
            time.sleep(0.2)
        told_s = until_said(bridge, "missing: ")
        lost = int(np.count_nonzero(feeder.acknowledged)) - settled_rows(database)
        until_said(bridge, f"missing: {lost:,} messages")
        report, code = bridge.stop()
        return {
            "faults": 1,
            "messages": messages,
            "missing": lost,
            "missing_reported": report["missing"],
            "duplicates": report["duplicates"],
            "told_within_s": told_s or round(told_s + time.monotonic() - began, 1),
            "exit_code": code,
        }


def offline(folder: Path, *, messages: int) -> dict[str, Any]:
    """Publish while the broker is away: no more is taken than the window holds, and all of it arrives later."""
    what = recording(messages)
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "mosquitto", settings=DURABLE))
        database = stack.enter_context(influxdb(folder))
        bridge = stack.enter_context(BridgeProcess(broker.port, database.url, folder))
        until(bridge.is_up, deadline_s=DEADLINE_S, what="the bridge")
        feeder = stack.enter_context(Feeder(broker.port, what))
        feeder.feed(1_000)
        feeder.settle()
        # saved as it ends: whoever comes back first, feeder or bridge, the bridge's subscription waits for it
        broker.stop()
        before_mb = own_mb()
        with suppress(TimeoutError):
            feeder.feed(messages, deadline_s=5.0)
        taken_offline = feeder.taken - 1_000
        growth_mb = own_mb() - before_mb
        broker.start()
        feeder.feed(messages)
        feeder.settle()
        recovery_s = wait_for_rows(database, messages)
        report, code = bridge.stop()
        return {
            "faults": 1,
            "messages": messages,
            "taken_offline": taken_offline,
            "memory_growth_mb": round(growth_mb, 1),
            "rows": database.rows(),
            "missing": database.missing(what, feeder.acknowledged),
            "missing_reported": report["missing"],
            "duplicates": report["duplicates"],
            "recovery_s": round(recovery_s, 1),
            "exit_code": code,
        }


def own_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
