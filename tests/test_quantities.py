"""Quantities are read as people write them, and refused where one would have to guess."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.scenario.quantities import amount, duration_ns, duration_text, instant_ns, valid_name

MS = 1_000_000
CENTURY_MS = 36_525 * 86_400_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("500ms", 500),
        ("10s", 10_000),
        ("1.5h", 5_400_000),
        ("2d", 172_800_000),
        ("90min", 5_400_000),
        ("1h 30m", 5_400_000),
        ("1h30m", 5_400_000),
        ("  5 m  ", 300_000),
        ("0s", 0),
        ("36525d", CENTURY_MS),
    ],
)
def test_a_duration_is_a_number_with_its_unit(text: str, ms: int) -> None:
    """Durations are whole milliseconds, kept as nanoseconds."""
    assert ms * MS == duration_ns(text)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (10, "has no unit; write 10s, 10m or 10h"),
        (1.5, "has no unit"),
        ("10", "is no duration"),
        ("", "is no duration"),
        ("s", "is no duration"),
        ("-5s", "is no duration"),
        ("1 month", "is no duration"),
        ("10s later", "is no duration"),
        ("1,5h", "is no duration"),
        ("٣s", "is no duration"),
        (True, "is no duration"),
        (None, "is no duration"),
        ("0.5ms", "is finer than a millisecond"),
        ("36525.1d", "is longer than a hundred years"),
        ("99999999999999999999d", "is longer than a hundred years"),
        ("9" * 500 + "s", "is no duration"),
    ],
)
def test_a_duration_is_never_guessed(value: object, why: str) -> None:
    """What has no unit, or is no duration at all, is refused with the reason."""
    with pytest.raises(ValueError, match=why):
        duration_ns(value)


@given(st.integers(0, CENTURY_MS))
@example(0)
@example(CENTURY_MS)
def test_a_duration_that_is_written_is_read_back(ms: int) -> None:
    """duration_text writes what duration_ns reads."""
    assert ms * MS == duration_ns(duration_text(ms * MS))


@given(st.text() | st.text(alphabet="0123456789. msminhd-"))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    """No text makes anything but a whole number of milliseconds or a ValueError."""
    try:
        ns = duration_ns(text)
    except ValueError:
        return
    assert ns % MS == 0


@pytest.mark.parametrize(
    ("value", "pieces"),
    [("40k", 40_000), ("1.5M", 1_500_000), (7, 7), ("12", 12), (" 3 k", 3_000), ("0.5", 0.5), ("many", "many")],
)
def test_an_amount_may_be_written_short(value: object, pieces: object) -> None:
    """The letters k and M scale; what is no amount is left to the model to refuse."""
    assert pieces == amount(value)


@pytest.mark.parametrize("value", [10**12 + 1, "99999999M"])
def test_an_amount_has_an_end(value: object) -> None:
    """More pieces than 64-bit sums hold are refused."""
    with pytest.raises(ValueError, match="more than a million million pieces"):
        amount(value)


@pytest.mark.parametrize("name", ["a", "press-3", "0_x", "a" * 63])
def test_a_name_is_a_level_of_a_topic(name: str) -> None:
    """Letters, digits, dash and underscore make a name."""
    assert name == valid_name(name)


@pytest.mark.parametrize("name", ["", "-a", "Press", "a/b", "a+b", "a b", "a\n", "é", "a" * 64, "a,b=c"])
def test_a_name_holds_nothing_that_mqtt_or_line_protocol_obeys(name: str) -> None:
    """Separators, wildcards, spaces and line ends are refused."""
    with pytest.raises(ValueError, match="is no name"):
        valid_name(name)


def test_an_instant_is_cut_to_milliseconds() -> None:
    """Offsets count, and what is finer than a millisecond is cut."""
    instant = datetime(2026, 1, 5, 6, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=7)))
    utc = datetime(2026, 1, 4, 23, tzinfo=UTC)
    assert int(utc.timestamp()) * 1_000_000_000 + 123 * MS == instant_ns(instant)
