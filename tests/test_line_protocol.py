"""Line protocol carries every name and value unchanged, and nobody can write a second line through it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from presses import POWER, START_MS, STATE, asset, catalog_of

from simulator.batch import Catalog
from simulator.wire.line_protocol import LineProtocol

TAGS = ("province", "park", "factory", "line", "machine")


def parse(line: str) -> tuple[str, dict[str, str], dict[str, int | float], int]:
    """Read a line back by the rules of the format, knowing nothing of how it was written."""

    def cut(text: str, mark: str) -> list[str]:
        return re.split(rf"(?<!\\){mark}", text)

    def plain(text: str) -> str:
        return re.sub(r"\\([,= ])", r"\1", text)

    head, body, time = cut(line, " ")
    measurement, *tags = cut(head, ",")
    values: dict[str, int | float] = {}
    for pair in cut(body, ","):
        name, value = cut(pair, "=")
        values[plain(name)] = int(value[:-1]) if value.endswith("i") else float(value)
    return plain(measurement), {plain(k): plain(v) for k, v in (cut(tag, "=") for tag in tags)}, values, int(time)


def one(kind: str = "press", tags: Mapping[str, str] | None = None, sensor: str = "power_kw") -> Catalog:
    plain = asset(1, 0, kind=kind, sensors=(replace(POWER, name=sensor), STATE))
    return Catalog((replace(plain, tags=plain.tags if tags is None else tags),))


def test_a_line_has_type_tags_fields_and_milliseconds() -> None:
    """A message is one line: the machine type, five tags, seq and the sensors, and the time."""
    line = LineProtocol(catalog_of()).line(0, START_MS, 5, {"state": 6, "power_kw": 41.2, "barrel_c": 200.0})
    expected = (
        "press,province=binh-duong,park=vsip-2,factory=wiring,line=line-1,machine=press-1"
        " seq=5i,state=6i,power_kw=41.2,barrel_c=200 1767225600000"
    )
    assert expected == line


names = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=30
).filter(lambda text: text.isprintable() and "\\" not in text)


@given(
    kind=names.filter(lambda text: not text.startswith("#")),
    tags=st.lists(names, min_size=5, max_size=5),
    sensor=names.filter(lambda text: text not in {*TAGS, "seq", "time", "state"}),
    power=st.floats(allow_nan=False, allow_infinity=False),
    state=st.integers(-(2**63), 2**63 - 1),
    seq=st.integers(0, 2**63 - 1),
    time_ms=st.integers(0, 9_223_372_036_854),
)
def test_what_is_written_is_read_back(
    kind: str, tags: list[str], sensor: str, power: float, state: int, seq: int, time_ms: int
) -> None:
    """An independent parser reads back every measurement, tag, field and time, whatever characters they have."""
    written = dict(zip(TAGS, tags, strict=True))
    line = LineProtocol(one(kind, written, sensor)).line(0, time_ms, seq, {sensor: power, "state": state})
    assert (kind, written, {"seq": seq, sensor: power, "state": state}, time_ms) == parse(line)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_has_no_digit_too_many(value: float) -> None:
    """No shorter text without a superfluous .0 reads back as the same float."""
    body = LineProtocol(one()).line(0, START_MS, 0, {"power_kw": value}).split(" ")[1]
    assert repr(value).removesuffix(".0") == body.split("power_kw=")[1]


@pytest.mark.parametrize("bad", ["two\nlines", "tab\t", "back\\slash", "end\\", "", "nul\0", "\u2028"])
def test_names_that_no_server_reads_alike_are_refused(bad: str) -> None:
    """A control character, a backslash or nothing at all is refused when the Catalog is read, in any place."""
    refused = 0
    for catalog in (one(kind=bad), one(sensor=bad)):
        with pytest.raises(ValueError, match="cannot be a name in line protocol"):
            LineProtocol(catalog)
        refused += 1
    if bad:
        with pytest.raises(ValueError, match="cannot be a name in line protocol"):
            LineProtocol(one(tags=dict.fromkeys(TAGS, bad)))
        refused += 1
    assert (3 if bad else 2) == refused


def test_a_tag_without_a_value_is_left_out() -> None:
    """Line protocol has no empty tag values, so the tag is absent."""
    line = LineProtocol(one(tags={"machine": "m", "line": ""})).line(0, START_MS, 0, {})
    assert line == "press,machine=m seq=0i 1767225600000"


@pytest.mark.parametrize("name", ["seq", "time", "machine"])
def test_a_sensor_cannot_take_the_name_of_a_tag_or_of_seq(name: str) -> None:
    """Two columns of one name would hide each other in a query."""
    with pytest.raises(ValueError, match=f"sensor '{name}' has the name of a tag"):
        LineProtocol(one(sensor=name))


def test_a_machine_type_cannot_begin_a_comment() -> None:
    """A line that begins with # would be skipped without a word."""
    with pytest.raises(ValueError, match="must not begin with #"):
        LineProtocol(one(kind="#press"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_value_that_is_not_finite_is_refused(value: float) -> None:
    """NaN and infinity have no text in line protocol."""
    with pytest.raises(ValueError, match="only finite numbers"):
        LineProtocol(one()).line(0, START_MS, 0, {"power_kw": value})


def test_an_integer_field_takes_no_float() -> None:
    """A field that is an integer in one line and a float in another would be refused by the server."""
    with pytest.raises(ValueError, match="format code 'd'"):
        LineProtocol(one()).line(0, START_MS, 0, {"state": 6.0})
