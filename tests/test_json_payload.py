"""JSON payloads are a contract, byte for byte."""

import math
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_json import JsonEncoder, number_text

from simulator.batch import Asset, Batch, Catalog, Sensor

START_NS = 1_767_225_600_000_000_000
SECOND = 1_000_000_000


def catalog() -> Catalog:
    press = (
        Sensor("state", "1", 0, 0, 17, SECOND),
        Sensor("power_kw", "kW", 1, 0, 500, SECOND),
        Sensor("pressure_bar", "bar", 3, -1, 400, SECOND),
        Sensor("pieces", "1", 0, 0, 1e9, SECOND, monotonic=True),
    )
    tester = (Sensor("state", "1", 0, 0, 17, SECOND),)
    path = ("acme", "park-1", "plant-1", "line-1")
    return Catalog(
        (
            Asset((*path, "press-1"), "press", {}, 0, press, 0),
            Asset((*path, "tester-1"), "tester", {}, 4, tester, 0),
        )
    )


def batch(rows: list[tuple[int, int, float]]) -> Batch:
    """Make a batch of (milliseconds after the start, sensor, value)."""
    time_ms, sensor, value = zip(*rows, strict=True)
    return Batch(
        START_NS + np.array(time_ms, np.int64) * 1_000_000, np.array(sensor, np.int32), np.array(value, np.float64)
    )


def test_payloads_equal_the_golden_file() -> None:
    """Field order, digits and numbering are those of the golden file."""
    rows = [(0, 0, 6.0), (0, 1, 41.2), (0, 2, -0.05), (0, 3, 12345678.0), (500, 4, 11.0)]
    rows += [(1000, 0, 0.0), (1000, 1, 41.0), (1000, 2, -0.0), (1000, 3, 12345679.0), (2000, 1, 0.1)]
    rows += [(2000, 2, 100.125)]
    lines = [message.payload for message in JsonEncoder(catalog()).messages(batch(rows))]
    assert (Path(__file__).parent / "golden" / "messages.jsonl").read_bytes().splitlines() == lines


def test_numbers_go_on_from_batch_to_batch() -> None:
    """Per asset the number counts up by one, across batches, and never starts again."""
    encoder = JsonEncoder(catalog())
    seen = [
        (message.asset, message.seq)
        for at in (0, 1000, 2000)
        for message in encoder.messages(batch([(at, 0, 6.0), (at, 4, 6.0), (at + 5, 4, 7.0)]))
    ]
    assert seen == [(0, 0), (1, 0), (1, 1), (0, 1), (1, 2), (1, 3), (0, 2), (1, 4), (1, 5)]


def test_a_message_says_where_it_goes_and_what_it_carries() -> None:
    """Topic, time and the count of readings stand beside the payload."""
    (message,) = JsonEncoder(catalog()).messages(batch([(0, 0, 6.0), (0, 1, 1.5)]))
    expected = (
        START_NS,
        0,
        0,
        2,
        "acme/park-1/plant-1/line-1/press-1",
        b'{"t":1767225600000,"n":0,"state":6,"power_kw":1.5}',
        START_NS,
        False,
    )
    assert expected == tuple(message)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2.0**60, 1e308])
def test_what_json_cannot_carry_is_left_out_and_counted(value: float) -> None:
    """The other readings of the message are sent; a message with no reading left takes no number."""
    encoder = JsonEncoder(catalog())
    payloads = [
        m.payload for m in encoder.messages(batch([(0, 0, 6.0), (0, 1, value), (500, 4, value), (900, 4, 1.0)]))
    ]
    assert payloads == [b'{"t":1767225600000,"n":0,"state":6}', b'{"t":1767225600900,"n":0,"state":1}']
    assert encoder.left_out == 2


def test_an_empty_batch_makes_no_message() -> None:
    """A window in which nobody speaks sends nothing."""
    assert not list(JsonEncoder(catalog()).messages(Batch.empty()))


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (-0.04, 1, "0"),
        (-0.05, 2, "-0.05"),
        (0.25, 1, "0.2"),
        (0.75, 1, "0.8"),
        (-41.0, 2, "-41"),
        (1e15, 0, "1" + "0" * 15),
    ],
)
def test_digits_are_rounded_and_shortest(value: float, decimals: int, text: str) -> None:
    """Ties go to the even digit, a zero has no sign, and nothing has an exponent."""
    assert text == number_text(value, decimals)


@given(st.integers(-(10**12), 10**12), st.integers(0, 3))
def test_a_quantised_value_is_read_back_bit_for_bit(digits: int, decimals: int) -> None:
    """What a sensor shows is what a JSON reader gets, in its shortest form."""
    value = digits / 10**decimals
    text = number_text(value, decimals)
    assert text is not None
    assert value == orjson.loads(text)
    assert not set(text) & set("eE+ ")
    if "." in text:
        assert text[-1] != "0"
        assert len(text.split(".")[1]) <= decimals
    assert text != "-0"


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(-1e6, 1e6)), min_size=1, max_size=5, unique_by=lambda r: r[0]))
def test_every_payload_is_json_with_the_rounded_values(rows: list[tuple[int, float]]) -> None:
    """Any finite values give valid JSON that holds each reading at its sensor's resolution."""
    sensors = catalog().sensors
    rows.sort()
    found = {}
    for message in JsonEncoder(catalog()).messages(batch([(0, s, v) for s, v in rows])):
        body = orjson.loads(message.payload)
        assert (body.pop("t"), body.pop("n")) == (START_NS // 1_000_000, 0)
        found |= {(message.asset, name): value for name, value in body.items()}
    scale = [10.0**sensor.decimals for sensor in sensors]
    expected = {(int(s == 4), sensors[s].name): np.rint(v * scale[s]) / scale[s] for s, v in rows}
    assert expected == found
