"""A bridge that does not know what was sent goes by the numbers that came."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.results.sightings import Sightings

EACH = 10


def sightings_of(*messages: tuple[int, int, int], at_once: int = 100) -> Sightings:
    """What is counted of messages: asset, number, milliseconds."""
    seen = Sightings(3)
    for first in range(0, len(messages), at_once):
        asset, seq, time_ms = np.array(messages[first : first + at_once], dtype=np.int64).T
        assert seen.receive(asset, seq, time_ms).all()
    return seen


def in_a_row(asset: int, first: int, last: int, *, at_ms: int | None = None) -> list[tuple[int, int, int]]:
    """Numbers from first to before last, a second apart."""
    begin = first * 1_000 if at_ms is None else at_ms
    return [(asset, seq, begin + 1_000 * (seq - first)) for seq in range(first, last)]


@pytest.fixture(params=[1, 3, 100])
def at_once(request: pytest.FixtureRequest) -> int:
    """However many come at once, the counts are the same."""
    return int(request.param)


def test_the_first_number_is_where_it_begins(at_once: int) -> None:
    """What was sent before the bridge was there is not missed."""
    seen = sightings_of(*in_a_row(0, 500, 510), *in_a_row(1, 0, 5), at_once=at_once)
    assert (seen.received, seen.missing, seen.duplicates, seen.reordered) == (15, 0, 0, 0)


def test_what_is_skipped_is_missing_until_it_comes(at_once: int) -> None:
    """By asset, first and last number."""
    seen = sightings_of(*in_a_row(0, 0, 5), *in_a_row(0, 8, 10), *in_a_row(2, 7, 9), at_once=at_once)
    assert (seen.missing, seen.gaps()) == (3, [(0, 5, 7)])
    seen.receive([0], [6], [6_000])
    assert (seen.missing, seen.reordered, seen.gaps()) == (2, 1, [(0, 5, 5), (0, 7, 7)])


def test_what_comes_again_is_a_duplicate(at_once: int) -> None:
    """A broker that redelivers sends older numbers with their own times: nobody began anew."""
    seen = sightings_of(*in_a_row(0, 0, 10), *in_a_row(0, 6, 10), *in_a_row(0, 10, 12), at_once=at_once)
    assert (seen.duplicates, seen.restarts, seen.missing, seen.overwritten) == (4, 0, 0, 0)


def test_a_publisher_that_begins_anew_counts_from_there(at_once: int) -> None:
    """The same numbers with later times; what was missing before stays missing."""
    before = [*in_a_row(0, 0, 5), *in_a_row(0, 7, 10)]
    seen = sightings_of(*before, *in_a_row(0, 0, 4, at_ms=100_000), *in_a_row(0, 6, 8, at_ms=106_000), at_once=at_once)
    assert (seen.restarts, seen.missing, seen.duplicates) == (1, 4, 0)


def test_a_late_message_is_no_new_beginning(at_once: int) -> None:
    """What a gateway kept comes late, with an older time."""
    seen = sightings_of(
        *in_a_row(0, 0, 5), *in_a_row(0, 7, 10), *in_a_row(0, 5, 7), *in_a_row(0, 10, 12), at_once=at_once
    )
    assert (seen.restarts, seen.missing, seen.reordered) == (0, 0, 2)


def test_two_messages_of_an_instant_are_one_row(at_once: int) -> None:
    """The later one replaces the earlier one in the database, and that is said."""
    seen = sightings_of((0, 0, 1_000), (1, 0, 1_000), (0, 1, 1_000), (0, 2, 2_000), at_once=at_once)
    assert seen.overwritten == 1


def test_nothing_is_held_for_written() -> None:
    """The same number may be that of another run: what comes is written."""
    seen = sightings_of((0, 0, 1_000))
    seen.write([0], [0], [4])
    assert not seen.is_written([0], [0]).any()
    assert (seen.written, seen.readings_written) == (1, 4)
