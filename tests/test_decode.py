"""Every message becomes a row or a reason; no bytes can stop the loop."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from presses import START_MS, catalog_of

from simulator.ingest.decode import Decoder, Refusal
from simulator.ingest.store import Row

CATALOG = catalog_of()
TOPIC = CATALOG.assets[1].topic
GOOD = {"t": START_MS, "n": 7, "state": 6, "power_kw": 41.2}


def decode(payload: bytes | str, topic: str = TOPIC) -> Row | Refusal:
    return Decoder(CATALOG).decode(topic, payload.encode() if isinstance(payload, str) else payload)


def test_a_good_message_is_a_row() -> None:
    """Asset from the topic, time and number from t and n, the rest are sensors."""
    assert Row(1, START_MS, 7, {"state": 6, "power_kw": 41.2}) == decode(json.dumps(GOOD))


def test_a_whole_number_of_a_float_sensor_becomes_a_float() -> None:
    """JSON writes 41.0 as 41; the field stays a float, or a database would see two types."""
    row = decode(json.dumps(GOOD | {"power_kw": 41}))
    assert isinstance(row, Row)
    assert (float, 41.0) == (type(row.fields["power_kw"]), row.fields["power_kw"])


@pytest.mark.parametrize(
    ("payload", "reason", "seq"),
    [
        ("", "no JSON", None),
        ("{", "no JSON", None),
        ('{"n":1e999}', "no JSON", None),
        ("[" * 5_000, "no JSON", None),
        (b'{"t":1,"n":1,"power_kw":"\xff"}', "no JSON", None),
        ("[1,2]", "no JSON object", None),
        ("null", "no JSON object", None),
        (json.dumps({"t": START_MS}), "no sequence number", None),
        (json.dumps(GOOD | {"n": -1}), "no sequence number", None),
        (json.dumps(GOOD | {"n": 2**63}), "no sequence number", None),
        (json.dumps(GOOD | {"n": True}), "no sequence number", None),
        (json.dumps({"n": 7, "state": 6}), "no time", 7),
        (json.dumps(GOOD | {"t": 1.5}), "no time", 7),
        (json.dumps(GOOD | {"t": -1}), "time out of range", 7),
        (json.dumps(GOOD | {"t": 9_223_372_036_855}), "time out of range", 7),
        (json.dumps(GOOD | {"colour": 1}), "unknown field", 7),
        (json.dumps(GOOD | {"power_kw": "41"}), "wrong value", 7),
        (json.dumps(GOOD | {"power_kw": None}), "wrong value", 7),
        (json.dumps(GOOD | {"power_kw": True}), "wrong value", 7),
        (json.dumps(GOOD | {"power_kw": {"deep": [1]}}), "wrong value", 7),
        (json.dumps(GOOD | {"state": 6.0}), "wrong value", 7),
        (json.dumps(GOOD | {"state": 2**63}), "wrong value", 7),
        (json.dumps(GOOD | {"state": 10**30}), "wrong value", 7),
        (" " * 262_145, "payload too long", None),
    ],
)
def test_a_bad_message_has_a_reason(payload: bytes | str, reason: str, seq: int | None) -> None:
    """The reason is one of a few, and names the message where its number could be read."""
    refusal = decode(payload)
    assert isinstance(refusal, Refusal)
    assert (reason, seq, None if seq is None else 1) == (refusal.reason, refusal.seq, refusal.asset)


def test_a_topic_of_nobody_is_refused() -> None:
    """A message on a topic of no machine belongs to nobody."""
    refusal = decode(json.dumps(GOOD), "binh-duong/vsip-2/wiring/line-1/press-9")
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.asset, refusal.seq) == ("unknown topic", None, None)


numbers = st.integers() | st.floats() | st.booleans() | st.none() | st.text(max_size=5)


@given(
    payload=st.binary(max_size=200)
    | st.dictionaries(st.sampled_from(["t", "n", "state", "power_kw", "x"]), numbers).map(
        lambda document: json.dumps(document).encode()
    ),
    topic=st.sampled_from([TOPIC, "nowhere"]) | st.text(max_size=40),
)
def test_no_bytes_stop_the_loop(payload: bytes, topic: str) -> None:
    """Any payload on any topic is a row that the stores can hold, or a refusal of bounded length."""
    found = decode(payload, topic)
    if isinstance(found, Refusal):
        assert len(found.detail) < 600
    else:
        assert {type(value) for value in found.fields.values()} <= {int, float}
        assert all(-(2**63) <= value < 2**63 for value in found.fields.values() if type(value) is int)
        assert 0 <= found.time_ms * 1_000_000 < 2**63
