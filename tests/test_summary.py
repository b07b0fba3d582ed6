"""What a run says while it goes on, and in the end."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shlex
import shutil
import sqlite3
import struct
import subprocess
import termios
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from parks import quickstart
from test_result import HEALTHY, result

from simulator.errors import ScenarioError
from simulator.results.counts import Counts
from simulator.results.snapshot import Snapshot
from simulator.run.afterwards import called_as, next_steps
from simulator.run.launch import options_of
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


BUSY = replace(
    HEALTHY, published=123_456, received=123_400, readings_written=987_654, unaccounted=12_345, in_flight=98_765
)
BUSIEST = replace(
    snapshot(1, counts=BUSY),
    simulated_ns=(366 * 24 * 3600 - 1) * SECOND,
    duration_ns=366 * 24 * 3600 * SECOND,
    end_to_end_ms=98_765.4,
    park={"oee": 1.0, "machines": 9999, "running": 9998, "alarms": 9999},
)


@pytest.mark.parametrize(
    ("shown", "line"),
    [
        (snapshot(1), "1s of 1m | sent 10>got 10>stored 40/s | lag 4ms | 0 lost | 2 alarms | OEE 83%"),
        (BUSIEST, "365d 23h | 123k>123k>988k/s | lag 99s | 12k lost | 9999 alarms | OEE 100%"),
    ],
)
def test_eighty_columns_hold_rates_lag_loss_alarms_and_oee(shown: Snapshot, line: str) -> None:
    """Even a large park in trouble after a year, without a word cut off."""
    assert told(shown, None, room=79) == line
    assert len(line) <= 79


def test_a_wider_terminal_gets_more_detail() -> None:
    """No line is longer than there is room, each is at least as long as a narrower one, and the widest has all."""
    lines = [told(BUSIEST, None, room=room) for room in range(79, 200)]
    lengths = [len(line) for line in lines]
    assert all(length <= room for room, length in zip(range(79, 200), lengths, strict=True))
    assert lines[-1] == told(BUSIEST, None)
    assert all("9999 alarms" in line and "OEE 100%" in line for line in lines)


def test_at_full_speed_a_line_tells_how_fast_time_passes() -> None:
    """Nothing is due, so there is no lag; there is a factor."""
    now = replace(snapshot(2), simulated_ns=600 * SECOND, end_to_end_ms=None)
    assert " | 300x real time | " in told(now, None)
    assert " | 300x | " in told(now, None, room=60)


def test_no_terminal_gets_a_line_every_ten_seconds() -> None:
    """A log is not flooded, and trouble is told at once, when it comes and when it goes."""
    stream = io.StringIO()
    with open_view(None, stream) as view:
        for second in range(1, 32):
            view.show(snapshot(second, trouble="the store is away" if 4 <= second <= 6 else None))
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["trouble: the store is away", "trouble is over"]
    assert [line.split()[0] for line in lines[2:]] == ["10s", "20s", "30s"]


def test_whoever_waits_for_the_end_is_told_for_what() -> None:
    """Each thing that a run waits for in the end is told once, in a log and above the line of a terminal."""
    waits = ["up to 18 s for the store", "up to 2 s for the bridge"]
    ending = [replace(snapshot(1), waiting=waiting) for waiting in (None, waits[0], waits[0], waits[1])]
    for stream, view in ((io.StringIO(), "plain"), (Terminal(), None)):
        with open_view(view, stream) as opened:
            for one in ending:
                opened.show(one)
        lines = re.findall(r"ending: .*\n", stream.getvalue())
        assert lines == [f"ending: waits {waiting}\n" for waiting in waits]


class Pty:
    """The screen end of a real terminal, ``columns`` wide."""

    def __init__(self, columns: int) -> None:
        self._screen, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.stream = os.fdopen(end, "w")

    def text(self) -> str:
        """Close the terminal and return what was drawn on it."""
        self.stream.close()
        drawn = b""
        with suppress(OSError):  # what Linux answers when the other end is closed and all is read
            while part := os.read(self._screen, 100_000):
                drawn += part
        os.close(self._screen)
        return drawn.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_a_terminal_gets_one_line_in_its_place(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """The line is rewritten, fits the width of the terminal that it is on, and is gone in the end."""
    monkeypatch.setenv("COLUMNS", "33")
    terminal = Pty(columns)
    with open_view(None, terminal.stream) as view:
        view.show(snapshot(1))
        view.show(snapshot(2))
    text = terminal.text()
    assert "\n" not in text
    drawn = text.split("\r\x1b[K")
    assert [drawn[0], drawn[-1]] == ["", ""]
    assert drawn[1] == told(snapshot(1), None, room=columns - 1)
    assert all(line.endswith("2 alarms | OEE 83%") and len(line) < columns for line in drawn[1:-1])


def test_a_terminal_without_a_size_has_eighty_columns() -> None:
    """A serial line says that it is 0 columns wide, and a stream may have no file."""
    for terminal in (Pty(0), None):
        stream = Terminal() if terminal is None else terminal.stream
        with open_view(None, stream) as view:
            view.show(BUSIEST)
        text = stream.getvalue() if terminal is None else terminal.text()
        assert told(BUSIEST, None, room=79) in text


def test_trouble_takes_no_room_from_the_alarms() -> None:
    """On a terminal trouble has a line of its own, which stays; the line below goes on with alarms and OEE."""
    stream = Terminal()
    with open_view(None, stream) as view:
        for second in range(1, 5):
            view.show(snapshot(second, trouble="the store is away" * 9 if second in {2, 3} else None))
    text = stream.getvalue()
    assert text.count("\r\x1b[Ktrouble: " + "the store is away" * 9 + "\n") == 1
    assert text.count("\r\x1b[Ktrouble is over\n") == 1
    assert text.count("2 alarms | OEE 83%") == 4


def test_none_shows_nothing_and_an_unknown_view_is_refused() -> None:
    """The message says which views there are."""
    stream = Terminal()
    with open_view("none", stream) as view:
        view.show(snapshot(10))
    assert stream.getvalue() == ""
    with pytest.raises(ScenarioError, match="--view web: there is no such view; there are none and plain"):
        open_view("web", stream)  # it has no address


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


def test_the_summary_tells_what_the_store_held_before() -> None:
    """Rows of that time that are older than the run are told beside those that were found."""
    whole = result()
    earlier = whole.model_copy(update={"simulated": whole.simulated.model_copy(update={"rows_before": 1_345})})
    line = r"found in the store \.+: 10 rows, 1,345 of that time were there before the run\n"
    assert re.search(line, summary(earlier, next_steps=[]))


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


def test_the_summary_shows_the_first_dead_letters_and_nothing_that_a_terminal_obeys() -> None:
    """Three of them, with topic, reason and the beginning; who wrote them may have wished to do harm."""
    letters = [{"topic": f"a/b/\x1b[2J{n}", "reason": "no JSON", "payload": "\x07{" + "x" * 100} for n in range(5)]
    lines = [
        line for line in summary(result(dead_letters=letters), next_steps=[]).splitlines() if "dead letter" in line
    ]
    assert lines == [f"    dead letter ........: a/b/\\x1b[2J{n}: no JSON: \\x07{{{'x' * 58}..." for n in range(3)]


def test_the_summary_calls_retries_what_may_not_have_helped() -> None:
    """A reconnect that failed mended nothing."""
    text = summary(result(retries={"session: failed_reconnects": 3}), next_steps=[])
    assert re.search(r"retries \.+: 3 session: failed_reconnects\n", text)
    assert "mended" not in text


def test_a_run_that_sent_nothing_is_no_pass() -> None:
    """The exit code is 0, and the summary does not call it a success."""
    nothing = replace(HEALTHY, scheduled=0, published=0, acknowledged=0, received=0, written=0)
    text = summary(result(nothing, verdict="nothing was scheduled"), next_steps=[])
    assert "  EXIT 0  nothing was scheduled\n" in text
    assert "PASS" not in text


def of_run_at(start: str, **simulated: Any) -> str:
    """Return the summary of a run that wrote rows of that time, with other things about its time."""
    whole = result()
    changes = {"start": start, "rows_found": 0, "store": "influxdb"} | simulated
    return summary(whole.model_copy(update={"simulated": whole.simulated.model_copy(update=changes)}), next_steps=[])


def test_old_readings_that_are_not_found_point_to_the_retention() -> None:
    """A database that keeps a month takes what is older, and says nothing."""
    advice = "days old: look at the retention of the database"
    assert f"the readings are 68 {advice}" in of_run_at("2025-01-01T00:00:00.000+07:00")
    assert advice not in of_run_at("2025-03-01T00:00:00.000+07:00")
    assert advice not in of_run_at("2025-01-01T00:00:00.000+07:00", rows_found=10)
    assert advice not in of_run_at("2025-01-01T00:00:00.000+07:00", store="sqlite")


def test_loss_at_a_broker_of_somebody_else_points_to_its_queue() -> None:
    """What our own brokers may queue is set by parksim; elsewhere the default of mosquitto is 1000 messages."""
    whole = result(replace(HEALTHY, unaccounted=2, written=8), exit_code=107)
    theirs = whole.model_copy(update={"simulated": whole.simulated.model_copy(update={"broker": "mqtts"})})
    assert "max_queued_messages" in summary(theirs, next_steps=[])
    assert "max_queued_messages" not in summary(whole, next_steps=[])


def test_the_command_lines_of_next_steps_are_whole_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths with spaces are quoted; the query names a table and a column that the machine type has."""
    loaded = replace(quickstart(), path=Path("my parks/shop.yaml"))
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    steps = dict(next_steps(loaded, result(), store="sqlite:my data.db", summary_file=None, program="parksim"))
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


def test_without_sqlite3_the_database_is_asked_with_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the summary proposes works with what is installed."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    file = tmp_path / "it's data.db"
    with sqlite3.connect(file) as db:
        db.execute("create table assets (id, topic)")
        db.execute('create table "injection-moulding" (time_ms, asset, power_kw)')
        db.execute("insert into assets values (1, 'press-1')")
        db.execute('insert into "injection-moulding" values (0, 1, 40.125)')
    db.close()
    steps = dict(next_steps(quickstart(), result(), store=f"sqlite:{file}", summary_file=None, program="parksim"))
    command = steps["look into the database"]
    found = subprocess.run(command, shell=True, check=True, capture_output=True, text=True, timeout=60)
    assert found.stdout == "press-1 1 40.13\n"


def test_a_program_that_is_not_on_path_is_called_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `make demo` it is only in .venv/bin, and a name alone would not be found."""
    program = tmp_path / "my venv" / "parksim"
    program.parent.mkdir()
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert called_as(str(program)) == called_as("my venv/parksim") == "'my venv/parksim'"
    monkeypatch.chdir(program.parent)
    assert called_as(str(program)) == "./parksim"
    monkeypatch.setenv("PATH", str(program.parent))
    assert called_as(str(program)) == "parksim"


def test_a_module_is_called_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m simulator` names the Python that has it."""
    monkeypatch.setenv("PATH", "")
    assert shlex.split(called_as("/somewhere/simulator/__main__.py"))[1:] == ["-m", "simulator"]


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


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast", "1e-15", "0.0009", "1000001", "1e300"])
def test_a_speed_is_a_number_within_limits_or_max(speed: str) -> None:
    """Anything else is refused before the run."""
    with pytest.raises(ScenarioError, match=r"must be a number from 0\.001 to 1,000,000, simulated seconds per second"):
        options_of(quickstart().scenario, duration=None, speed=speed, seed=None, broker="auto", store=None)
