"""Whatever is published on the topics of a park: the bridge lives on, and nothing but rows of the park is stored."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from bridge_process import BridgeProcess, Feeder, recording
from child_server import HOST, until
from servers import Mosquitto, VictoriaMetrics

from brokers.endpoint import Endpoint, Outgoing
from brokers.session import LineSession
from simulator.ingest.dead_letters import letters_in

pytestmark = pytest.mark.no_cover

MESSAGES = 5_000
SPINDLE = "binh-duong/vsip2a/spindles/hall-1/spindle-1"


def hostile(number: int) -> list[tuple[str, bytes]]:
    """Topics and payloads of somebody who means ill, or of a device that is broken."""
    dice = random.Random(5)
    good = b'{"t":1772413200000,"n":999999,"state":6,"power_kw":1.5}'
    payloads = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"t":1,"n":1,"power_kw":1}\nevil,host=x value=1 1',
        b'{"t":1772413200000,"n":1,"x value=1 1\\nevil,a=b":1}',
        b'{"t":1772413200000,"n":1,"power_kw":"1,evil=2 3"}',
        b'{"t":1772413200000,"n":1,"power_kw":1e999}',
        b'{"t":1772413200000,"n":1,"power_kw":NaN}',
        b'{"t":99999999999999999999,"n":1,"power_kw":1}',
        b'{"t":-1,"n":1,"power_kw":1}',
        b'{"t":1772413200000,"n":1.5,"power_kw":1}',
        b'{"t":1772413200000,"n":-1,"power_kw":1}',
        b'{"t":1772413200000,"n":1,"machine":"other"}',
        b"[" * 100_000,
        b'{"a":' * 5_000,
        b"\xff\xfe\x00",
        b"x" * 1_000_000,
    ]
    topics = [
        f"{SPINDLE},evil=1 value=2 3",
        f"{SPINDLE}/more",
        'binh-duong/"quoted" and=spaced',
        "binh-duong/\u202e\u0301",
        "binh-duong/" + "x" * (65_535 - len("binh-duong/")),
    ]
    found = [(SPINDLE, payload) for payload in payloads] + [(topic, good) for topic in topics]
    while len(found) < number:
        # a good message with some bytes changed, unless that is a good message again
        bent = bytearray(good)
        for _ in range(dice.randint(1, 4)):
            bent[dice.randrange(len(bent))] = dice.randrange(256)
        if not (bent.startswith(b'{"t":') and bent.endswith(b"}")):
            found.append((SPINDLE, bytes(bent)))
    return found


def test_hostile_messages_become_dead_letters_and_nothing_else(
    start_mosquitto: Callable[..., Mosquitto], start_victoria_metrics: Callable[..., VictoriaMetrics], tmp_path: Path
) -> None:
    """Sent between 5,000 good ones, into a database that takes a bad line without a word: not one gets that far."""
    broker = start_mosquitto(settings={"max_queued_messages": 0, "max_inflight_messages": 1_000})
    database = start_victoria_metrics()
    what = recording(MESSAGES)
    evil = hostile(300)
    store = f"influxdb://{HOST}:{database.port}/park"
    with (
        BridgeProcess(broker.port, store, tmp_path) as bridge,
        Feeder(broker.port, what) as feeder,
    ):
        until(bridge.is_up, deadline_s=60, what="the bridge")
        feeder.feed(MESSAGES // 2)
        session = LineSession(Endpoint("mqtt", HOST, broker.port), "evil", window=100)
        letters = [Outgoing(topic, payload, tag) for tag, (topic, payload) in enumerate(evil)]
        assert session.publish(letters, qos=1, timeout_s=30) == len(letters)
        until(lambda: session.in_flight() == 0, deadline_s=30, what="the hostile messages")
        session.close()
        feeder.feed(MESSAGES)
        feeder.settle()
        until(lambda: seqs(database) >= MESSAGES, deadline_s=60, what="the good messages")
        report, code = bridge.stop()
    assert report["written"] == seqs(database) == MESSAGES
    assert sum(report["dead_lettered"].values()) == len(evil)
    assert code == 107
    assert len(letters_in(bridge.letters)) == len(evil)
    names = {series["metric"]["__name__"] for series in database.series()}
    assert not [name for name in names if "evil" in name or "other" in name]
    spindles = {name.removeprefix("monitored-spindle_") for name in names if name.startswith("monitored-spindle_")}
    assert spindles == {"seq", *(sensor.name for sensor in what.catalog.assets[0].sensors)}


def seqs(database: VictoriaMetrics) -> int:
    """How many rows it holds."""
    return sum(len(series["values"]) for series in database.series('{__name__=~".*_seq"}'))
