"""What a bridge has to survive, in a short form; `make soak` runs the long one and prints the figures."""

from __future__ import annotations

from pathlib import Path

import durability
import pytest

pytestmark = pytest.mark.no_cover  # the bridge is a process of its own


@pytest.fixture(autouse=True)
def installed(request: pytest.FixtureRequest) -> None:
    """Skip, or fail in CI, where a server is missing."""
    for name in ("mosquitto_server", "influxdb1"):
        request.getfixturevalue(name)


def test_a_bridge_that_is_killed_misses_nothing(tmp_path: Path) -> None:
    """In the middle of its work; the database holds each message once."""
    found = durability.bridge_killed(tmp_path, kills=3, messages=20_000)
    assert (found["rows"], found["missing"], found["exit_code"]) == (20_000, 0, 0)


def test_a_durable_broker_that_is_killed_loses_nothing_that_it_had_saved(tmp_path: Path) -> None:
    """What it acknowledged two seconds before comes in the end, and nothing is called missing."""
    found = durability.broker_killed(tmp_path, kills=2, messages=3_000)
    assert (found["acknowledged"], found["rows"], found["missing"]) == (3_000, 3_000, 0)
    assert (found["missing_reported"], found["exit_code"]) == (0, 0)


def test_what_a_broker_without_persistence_loses_is_told_to_a_message(tmp_path: Path) -> None:
    """By the gaps in the numbers, within five seconds of the next message of a machine."""
    found = durability.broker_killed_without_persistence(tmp_path, messages=9_000)
    assert found["missing"] > 1_000
    assert (found["missing_reported"], found["exit_code"]) == (found["missing"], 107)
    assert found["told_within_s"] <= 5


def test_while_the_database_is_away_the_bridge_goes_on(tmp_path: Path) -> None:
    """Into its spool, without more memory; and it catches up at more than twice the rate of what comes."""
    found = durability.database_away(tmp_path, away_s=6, per_s=1_000)
    assert (found["rows"], found["missing"], found["spooled"], found["exit_code"]) == (found["messages"], 0, 0, 0)
    assert found["memory_growth_mb"] <= 64
    assert 0 < found["spool_mb"] < 1_000


def test_a_database_that_never_answers_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """The bridge ends within 35 s; what was not written is in the spool, and the next bridge writes it."""
    found = durability.database_hangs(tmp_path, messages=3_000)
    assert found["stopped_s"] <= 36
    assert (found["spooled"] + found["unacknowledged"], found["exit_codes"]) == (3_000, [106, 0])
    assert (found["rows"], found["missing"], found["spooled_in_the_end"]) == (3_000, 0, 0)


@pytest.mark.parametrize("status", [429, 503])
def test_a_database_that_asks_for_rest_gets_it(status: int, tmp_path: Path) -> None:
    """Not one request for seven seconds, and nothing missing."""
    found = durability.retry_after(tmp_path, messages=2_000, status=status, wait_s=7)
    assert (found["rows"], found["missing"], found["exit_code"]) == (2_000, 0, 0)
    assert found["quiet_s"] >= 7
    assert found["retries"] == {"store asked to wait": 1}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_database_that_refuses_us_is_waited_for(status: int, tmp_path: Path) -> None:
    """It is said what is wrong, and once that is mended all is written, without a restart."""
    found = durability.database_refuses(tmp_path, messages=2_000, status=status)
    assert (found["rows"], found["missing"], found["dead_letters"], found["exit_code"]) == (2_000, 0, [], 0)
    assert f"HTTP {status}" in found["said"]
    assert "trouble is over" in found["said"]
    assert found["retries"] == {"store refuses us": 2}


@pytest.mark.parametrize("status", [400, 422])
def test_a_row_that_the_database_refuses_is_one_dead_letter(status: int, tmp_path: Path) -> None:
    """It is in the file with topic, payload and reason; all others are stored."""
    found = durability.bad_line(tmp_path, messages=5_000, status=status)
    assert (found["rows"], found["missing"], len(found["dead_letters"])) == (4_999, 1, 1)
    assert found["exit_code"] == 107
    assert f'"topic":"{found["refused_topic"]}","reason":"store refuses the row"' in found["dead_letters"][0]


def test_bodies_that_are_too_large_become_smaller(tmp_path: Path) -> None:
    """The size is learnt: few requests are refused, and nothing is missing."""
    found = durability.too_large(tmp_path, messages=5_000)
    assert (found["rows"], found["missing"], found["dead_letters"], found["exit_code"]) == (5_000, 0, [], 0)
    assert 0 < found["faults"] <= 10


def test_what_a_broker_drops_for_a_slow_bridge_is_told_to_a_message(tmp_path: Path) -> None:
    """The broker queues 1000 messages and drops the rest without a word; the numbers tell."""
    found = durability.slow_subscriber(tmp_path, messages=20_000)
    assert found["missing"] > 1_000
    assert (found["missing_reported"], found["exit_code"]) == (found["missing"], 107)
    assert found["told_within_s"] <= 5


def test_publishing_without_a_broker_is_bounded(tmp_path: Path) -> None:
    """No more is taken than the window holds, and all of it arrives when the broker is back."""
    found = durability.offline(tmp_path, messages=10_000)
    assert found["taken_offline"] <= 500
    assert found["memory_growth_mb"] <= 16
    assert (found["rows"], found["missing"], found["missing_reported"], found["exit_code"]) == (10_000, 0, 0, 0)
