"""What a run says while it goes on, and in the end."""

from __future__ import annotations

import io
import re
import shlex
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from parks import quickstart
from test_result import HEALTHY, result

from simulator.errors import ScenarioError
from simulator.results.ledger import Counts
from simulator.results.snapshot import Snapshot
from simulator.run.launch import next_steps, options_of
from simulator.view.live import open_view, told
from simulator.view.summary import summary

SECOND = 1_000_000_000
PARK = {"oee": 0.834, "machines": 14, "running": 8, "alarms": 2}


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def snapshot(seconds: float, *, counts: Counts = HEALTHY, trouble: str | None = None) -> Snapshot:
    ns = int(seconds * SECOND)
    return Snapshot(ns, ns, 60 * SECOND, counts, 4.42, trouble, PARK)


def test_a_line_tells_rates_lag_loss_alarms_and_oee() -> None:
    """Rates are those since the line before."""
    before = snapshot(10)
    now = snapshot(12, counts=replace(HEALTHY, published=30, received=28, readings_written=100, unaccounted=1))
    assert told(now, before) == (
        "12s of 1m | sent 10/s > received 9/s > stored 30 readings/s | lag p99 4.4 ms | 0 in flight, 1 lost"
        " | 8 of 14 machines run, 2 alarms | OEE 83%"
    )


def test_at_full_speed_a_line_tells_how_fast_time_passes() -> None:
    """Nothing is due, so there is no lag; there is a factor."""
    now = replace(snapshot(2), simulated_ns=600 * SECOND, end_to_end_ms=None)
    assert " | 300x real time | " in told(now, None)


def test_no_terminal_gets_a_line_every_ten_seconds() -> None:
    """A log is not flooded, and trouble is told at once, when it comes and when it goes."""
    stream = io.StringIO()
    with open_view(None, stream) as view:
        for second in range(1, 32):
            view.show(snapshot(second, trouble="the store is away" if 4 <= second <= 6 else None))
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["trouble: the store is away", "trouble is over"]
    assert [line.split()[0] for line in lines[2:]] == ["10s", "20s", "30s"]


def test_a_terminal_gets_one_line_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is rewritten, fits the width, and is gone in the end."""
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    with open_view(None, stream) as view:
        view.show(snapshot(1))
        view.show(snapshot(2))
    text = stream.getvalue()
    assert "\n" not in text
    drawn = text.split("\r\x1b[K")
    assert [drawn[0], drawn[-1]] == ["", ""]
    assert [len(line) for line in drawn[1:-1]] == [59, 59]


def test_none_shows_nothing_and_an_unknown_view_is_refused() -> None:
    """The message says which views there are."""
    stream = Terminal()
    with open_view("none", stream) as view:
        view.show(snapshot(10))
    assert stream.getvalue() == ""
    with pytest.raises(ScenarioError, match="--view web: there is no such view; there are none and plain"):
        open_view("web", stream)


def test_the_summary_tells_every_hop_and_what_to_do_next() -> None:
    """Counts, latencies, the park, the verdict, and in the end the commands."""
    text = summary(result(), next_steps=[("look into the database", "sqlite3 shop.db")])
    for pattern in (
        r"shop, seed 7, at speed 1",
        r"scheduled \.+: 10 messages, 40 readings",
        r"written \.+: 10, 40 readings",
        r"found in the store \.+: 10 rows",
        r"unaccounted \.+: 0\n",
        r"handed over \.+: p50 +0\.00 ms .* max +1\.00 ms",
        r"OEE \.+: 80\.0% = 90\.0% x 95\.0% x 99\.0%",
        r"PASS  all that was scheduled is in the store",
    ):
        assert re.search(pattern, text), pattern
    assert text.splitlines()[-2:] == ["    look into the database:", "      sqlite3 shop.db"]


def test_the_summary_of_a_lossy_run_names_reasons_and_gaps() -> None:
    """Whoever lost something sees how many, why, and which."""
    counts = replace(HEALTHY, written=5, dropped={"refused: Not authorized": 3}, unaccounted=2, duplicates=4)
    gaps = [{"topic": "a/b/c/d/press-1", "first": 3, "last": 4}]
    text = summary(
        result(counts, exit_code=107, verdict="data lost", reason="the broker went away", gaps=gaps), next_steps=[]
    )
    for pattern in (
        r"dropped \.+: 3 refused: Not authorized",
        r"unaccounted \.+: 2",
        r"duplicates \.+: 4",
        r"never received \.+: a/b/c/d/press-1 n=3\.\.4",
        r"EXIT 107  data lost\n    the broker went away",
    ):
        assert re.search(pattern, text), pattern


def test_the_command_lines_of_next_steps_are_whole_words(tmp_path: Path) -> None:
    """Paths with spaces are quoted; the query names a table and a column that the machine type has."""
    loaded = replace(quickstart(), path=Path("my parks/shop.yaml"))
    steps = dict(next_steps(loaded, result(), store="sqlite:my data.db", summary_file=None))
    program, _, file, query = shlex.split(steps["look into the database"])
    assert (program, file) == ("sqlite3", "my data.db")
    db = sqlite3.connect(":memory:")
    db.execute("create table assets (id, topic)")
    db.execute('create table "injection-moulding" (time_ms, asset, power_kw)')
    db.execute("insert into assets values (1, 'press-1')")
    db.execute('insert into "injection-moulding" values (0, 1, 40.125)')
    assert db.execute(query).fetchall() == [("press-1", 1, 40.13)]
    db.close()
    assert shlex.split(steps["see what the scenario sends and needs"]) == ["parksim", "check", "my parks/shop.yaml"]


def test_options_come_from_the_command_line_then_from_the_scenario() -> None:
    """What is not said is the scenario's; the store is a file named after it."""
    scenario = quickstart().scenario
    plain = options_of(scenario, duration=None, speed=None, seed=None, broker="auto", store=None)
    assert (plain.seed, plain.speed, plain.duration_ns, plain.store) == (2011, 1, None, "sqlite:quickstart.db")
    said = options_of(scenario, duration="1h 30m", speed="max", seed=3, broker="embedded", store="none")
    assert (said.seed, said.speed, said.duration_ns, said.store) == (3, None, 5400 * SECOND, "none")


def test_wrong_options_are_told_all_at_once() -> None:
    """Each mistake is a sentence with its value and what is allowed."""
    with pytest.raises(ScenarioError) as caught:
        options_of(quickstart().scenario, duration="60", speed="-1", seed=-5, broker="auto", store=None)
    said = caught.value.problems
    assert [" ".join(sentence.split()[:n]).rstrip(";") for sentence, n in zip(said, (5, 4, 4), strict=True)] == [
        "--for '60' is no duration",
        "--speed '-1' must be",
        "--seed -5 must be",
    ]


@pytest.mark.parametrize("speed", ["0", "nan", "inf", "fast"])
def test_a_speed_is_a_number_above_zero_or_max(speed: str) -> None:
    """Anything else is refused before the run."""
    with pytest.raises(ScenarioError, match="must be a number above 0"):
        options_of(quickstart().scenario, duration=None, speed=speed, seed=None, broker="auto", store=None)
