"""A checkup of what a run depends on: this machine, a broker, a store. It measures, and says what to do."""

from __future__ import annotations

import os
import secrets
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal, NamedTuple

from brokers import open_broker
from brokers.endpoint import Broker, Outgoing, Session
from brokers.errors import BrokerError
from brokers.limits import files_for, most_files
from simulator.batch import Asset, Catalog, Sensor
from simulator.errors import OutOfReachError, ScenarioError, StoreError
from simulator.ingest.open import open_store
from simulator.ingest.spools import CAP_BYTES
from simulator.ingest.store import Row

__all__ = ["Finding", "of_broker", "of_machine", "of_store"]

KIND = "parksim_doctor"
WAITING = 1_500
"""Messages that a broker is asked to keep: more than mosquitto keeps by default."""
BURSTS, BURST = 10, 20
SLOW_BURST_S = 0.035
"""Nagle's algorithm and a delayed acknowledgement together cost 40 ms."""
UNACKNOWLEDGED = 2_000
ANSWER_S = 10.0
QUIET_S = 1.0


class Finding(NamedTuple):
    """One thing that was looked at."""

    what: str
    level: Literal["ok", "warning", "problem"]
    said: str
    advice: str = ""


def of_machine(*, connections: int, spool: Path | None) -> Iterator[Finding]:
    """Look at cores, open files, clock and disk."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    advice = "broker, simulator and database share one core: rates will be low" if cores == 1 else ""
    yield Finding("cores", "warning" if advice else "ok", f"{cores}", advice)
    most = most_files()
    needed = files_for(connections)
    if most is not None and most < needed:
        said = f"{connections:,} connections need {needed:,}, and {most:,} are allowed"
        yield Finding("open files", "problem", said, f"ulimit -n {needed}, or LimitNOFILE= of the service")
    else:
        yield Finding("open files", "ok", f"{'no limit' if most is None else f'{most:,}'}, {needed:,} are needed")
    resolution_s = time.get_clock_info("monotonic").resolution
    coarse = resolution_s > 1e-4
    yield Finding("clock", "warning" if coarse else "ok", f"ticks every {resolution_s * 1e9:,.0f} ns")
    if spool is not None:
        folder = next(parent for parent in (spool.absolute(), *spool.absolute().parents) if parent.is_dir())
        free = shutil.disk_usage(folder).free
        advice = "free some, or name another folder with --spool" if free < CAP_BYTES else ""
        level: Literal["ok", "warning"] = "warning" if advice else "ok"
        yield Finding(
            "spool", level, f"{free / 1e9:,.1f} GB are free, up to {CAP_BYTES / 1e9:,.1f} GB are used", advice
        )


def of_broker(text: str) -> Iterator[Finding]:
    """Try a broker out, on topics of our own: how it acknowledges, and what it keeps for whoever is away."""
    try:
        with open_broker(text) as broker:
            yield Finding("broker", "ok", broker.profile)
            for check in (version, bursts, queue):
                yield check(broker)
        if "://" in text and "version=" not in text:
            # a client of MQTT 5 says itself how many it takes
            with open_broker(f"{text}{'&' if '?' in text else '?'}version=3.1.1") as broker:
                yield unacknowledged(broker)
    except (BrokerError, OutOfReachError) as error:
        yield Finding("broker", "problem", str(error))


def version(broker: Broker) -> Finding:
    """Say which version of MQTT it speaks."""
    with closing(broker.connect(name(), window=1)) as session:
        if session.version == 5:
            return Finding("MQTT", "ok", "version 5: what it refuses is told with a reason")
    advice = "a message that it denies looks as if it was taken; only rows in the store prove the rest"
    return Finding("MQTT", "warning", "version 3.1.1", advice)


def bursts(broker: Broker) -> Finding:
    """Measure how long it takes to have a burst of messages acknowledged."""
    topic, took_s = f"{KIND}/{name()}", []
    with closing(broker.connect(name(), window=BURST)) as session:
        for _ in range(BURSTS):
            began = time.perf_counter()
            publish(session, topic, BURST)
            took_s.append(time.perf_counter() - began)
    median_s = statistics.median(took_s)
    said = f"{BURST} messages of QoS 1 in {median_s * 1e3:.1f} ms"
    if median_s < SLOW_BURST_S:
        return Finding("acknowledgements", "ok", said)
    advice = f"at most one window per {median_s * 1e3:.0f} ms: in mosquitto set_tcp_nodelay true, or a larger window"
    return Finding("acknowledgements", "warning", said, advice)


def unacknowledged(broker: Broker) -> Finding:
    """Count how many messages it sends to a subscriber that acknowledges none."""
    topic = f"{KIND}/{name()}"
    with (
        closing(broker.connect(name(), window=UNACKNOWLEDGED)) as session,
        closing(broker.connect(name(), window=100)) as publisher,
    ):
        session.subscribe(topic, qos=1)
        publish(publisher, topic, WAITING)
        number = received(session, acknowledge=False)
    whom = "to subscribers of MQTT 3.1.1"
    if number >= WAITING:
        return Finding("in flight", "ok", f"{number:,} messages and more before the first is acknowledged, {whom}")
    said = f"at most {number:,} messages before the first is acknowledged, {whom}"
    advice = f"an ingester that collects more than {number:,} before it acknowledges waits for ever"
    return Finding("in flight", "warning", said, advice)


def queue(broker: Broker) -> Finding:
    """Count what it keeps for a subscriber that is away."""
    topic, who = f"{KIND}/{name()}", name()
    with closing(broker.connect(who, window=1_000, keep_session=True)) as session:
        session.subscribe(topic, qos=1)
    with closing(broker.connect(name(), window=100)) as publisher:
        publish(publisher, topic, WAITING)
    with closing(broker.connect(who, window=1_000, keep_session=True)) as session:
        kept = received(session, acknowledge=True)
    broker.connect(who, window=1).close()  # so that it forgets us
    if kept >= WAITING:
        return Finding("queue", "ok", f"it kept all {kept:,} messages for a subscriber that was away")
    said = f"it kept {kept:,} of {WAITING:,} messages for a subscriber that was away, and dropped the rest"
    return Finding("queue", "warning", said, "in mosquitto: max_queued_messages 0 and max_queued_bytes 268435456")


def publish(session: Session, topic: str, number: int) -> None:
    """Publish messages and wait until all are acknowledged. Raises OutOfReachError."""
    messages = [Outgoing(topic, b"%d" % tag, tag) for tag in range(number)]
    taken = done = 0
    until_s = time.monotonic() + ANSWER_S
    while done < number:
        if time.monotonic() > until_s:
            message = f"the broker acknowledged {done:,} of {number:,} messages within {ANSWER_S:g} s"
            raise OutOfReachError(message)
        taken += session.publish(messages[taken:], qos=1, timeout_s=0.01)
        done += len(session.acknowledgements())


def received(session: Session, *, acknowledge: bool) -> int:
    """Count what comes until it is quiet for a second."""
    number, until_s = 0, time.monotonic() + ANSWER_S
    while time.monotonic() < until_s:
        deliveries = session.receive(limit=WAITING, timeout_s=QUIET_S)
        if not deliveries:
            break
        number += len(deliveries)
        if acknowledge:
            session.acknowledge(deliveries)
    return number


def name() -> str:
    return f"parksim-doctor-{secrets.token_hex(4)}"


def of_store(text: str) -> Iterator[Finding]:
    """Open a store, write a row of our own into it, and read it back."""
    sensor = Sensor("checked", "1", decimals=0, low=0, high=1, period_ns=1_000_000_000)
    asset = Asset(path=(KIND,), kind=KIND, tags={"machine": name()}, first_sensor=0, sensors=(sensor,), phase_ns=0)
    catalog = Catalog((asset,))
    try:
        with open_store(text, catalog, run_id=KIND) as store:
            yield Finding("store", "ok", store.describe())
            if text.startswith("influxdb"):
                now_ms = time.time_ns() // 1_000_000
                took_s = timed(lambda: store.write([Row(0, now_ms, 0, {"checked": 1})]))
                found = store.count(from_ms=now_ms, to_ms=now_ms + 1)
                said = f"a row of {KIND} was written in {took_s * 1e3:.0f} ms"
                if found == 1:
                    yield Finding("rows", "ok", f"{said}, and read back")
                else:
                    advice = "look at the retention of the database, and at the rights to read"
                    yield Finding("rows", "problem", f"{said}, and not found", advice)
    except (ScenarioError, StoreError, OutOfReachError) as error:
        yield Finding("store", "problem", str(error))


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
