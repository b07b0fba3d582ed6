"""From the words on a command line to a load test or a search, and to the files that tell of it."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import typer

from simulator.clock import SECOND_NS, RealClock
from simulator.errors import ExitCode, ScenarioError
from simulator.load.files import csv_text, junit_text, seconds
from simulator.load.report.page import report_text
from simulator.publish.pacing import TURN_S
from simulator.results.addresses import without_addresses
from simulator.results.result import Result
from simulator.results.result_file import check_writable
from simulator.results.snapshot import Snapshot
from simulator.run.feeding import feed_of
from simulator.run.hops import Hops
from simulator.run.interrupt import stop_on_signals
from simulator.run.launch import STOPPING, open_page, options_of, tell
from simulator.run.load_test.crew import Crew
from simulator.run.load_test.find_max import find_max
from simulator.run.load_test.marks import Marks
from simulator.run.load_test.plan import Prepared, prepared, thresholds_of
from simulator.run.load_test.play import Players, Solo, load
from simulator.run.options import Options
from simulator.scenario.loader import Loaded, load_scenario
from simulator.scenario.quantities import duration_ns, rate_per_s
from simulator.view.feed import Feed
from simulator.view.languages import checked_language
from simulator.view.live import View, open_view
from simulator.view.web import HOST, PORT

__all__ = ["Files", "launch_load"]


@dataclass(frozen=True, slots=True)
class Files:
    """What is to be written; None: not wanted."""

    summary: Path | None = None
    junit: Path | None = None
    csv: Path | None = None
    report: Path | None = None

    def check(self) -> None:
        """Raise ScenarioError for a file that cannot be written, before anything else is done."""
        for file in (self.summary, self.junit, self.csv, self.report):
            if file is not None:
                check_writable(file)


def launch_load(
    path: Path,
    *,
    rate: str | None,
    duration: str | None,
    search: bool,
    workers: int,
    bridge: str,
    broker: str,
    store: str | None,
    view: str | None,
    files: Files,
    language: str = "en",
    host: str = HOST,
    port: int = PORT,
) -> int:
    """Carry out a load test or a search, print the summary, write the files, and return the exit code.

    Raises ParksimError.
    """
    loaded = load_scenario(path)
    options = options_of(loaded.scenario, duration=None, speed=None, seed=None, broker=broker, store=store)
    if bridge not in {"own", "none"}:
        message = f"--bridge {bridge!r}: write own, or none if someone else carries messages into the store"
        raise ScenarioError(message)
    options = replace(options, audits=bridge == "none", is_watched=view == "web")
    per_s, length_s = rate_and_time(rate, duration, search=search)
    files.check()
    if options.is_watched and (search or workers > 1):
        message = "--view web shows one load test of one process; leave out --find-max and --workers"
        raise ScenarioError(message)
    web = partial(open_page, host=host, port=port, language=checked_language(language))
    with ExitStack() as stack:
        shown = stack.enter_context(open_view(view, sys.stderr, web=web))
        players: Players = Solo() if workers == 1 else Crew(workers)
        conditions = Conditions(players, loaded, options, shown)
        if search:
            found, rows = sought(conditions, start_per_s=per_s, probe_s=length_s), None
        else:
            wanted = prepared(loaded, rate=per_s, duration_s=length_s)
            found, marks = tested(conditions, wanted)
            rows = seconds(marks.marks, wanted.profile)
    if found is None:
        return int(ExitCode.INTERRUPTED)
    said = tell(loaded, found, options, files.summary)
    # what is written may be passed on, and names no address
    reason = found.reason and without_addresses(found.reason, broker=options.broker, store=options.store)
    found = found.model_copy(update={"reason": reason})
    for file, text in (
        (files.junit, junit_text(found)),
        (files.csv, csv_text(rows_of(found) if rows is None else rows)),
        (files.report, report_text(found)),
    ):
        said &= file is None or written(file, text)
    return found.exit_code if said or found.exit_code != ExitCode.PASS else ExitCode.BAD_CONFIGURATION


class Conditions(NamedTuple):
    """Who plays what, and who looks on."""

    players: Players
    loaded: Loaded
    options: Options
    shown: View


def rate_and_time(rate: str | None, duration: str | None, *, search: bool) -> tuple[float | None, float | None]:
    """Return messages a second and seconds as the command line has them. Raises ScenarioError."""
    try:
        per_s = None if rate is None else rate_per_s(rate)
        length_s = None if duration is None else duration_ns(duration) / SECOND_NS
    except ValueError as error:
        message = f"--rate or --for: {error}"
        raise ScenarioError(message) from None
    if length_s is not None and per_s is None and not search:
        message = "--for goes with --rate; without a rate the stages of the file say how long it takes"
        raise ScenarioError(message)
    if per_s == 0 or length_s == 0:
        message = "--rate and --for must be more than nothing, such as --rate 5k/s --for 60s"
        raise ScenarioError(message)
    return per_s, length_s


def tested(given: Conditions, wanted: Prepared) -> tuple[Result, Marks]:
    """Carry out a load test while a view follows."""
    stop = threading.Event()
    feeds: list[Feed] = []

    def opened(hops: Hops) -> None:
        introduce(hops, given.shown)
        if given.options.is_watched:
            feeds.append(feed_of(given.loaded, given.options, hops))
            given.shown.follow(feeds[0])

    def show(snapshot: Snapshot) -> None:
        for feed in feeds:
            feed.show(snapshot)
        given.shown.show(snapshot)

    sys.setswitchinterval(TURN_S)
    with stop_on_signals(stop, lambda: given.shown.say(STOPPING)):
        found, marks = load(
            given.players,
            given.loaded,
            given.options,
            wanted,
            clock=RealClock(),
            stop=stop,
            on_open=opened,
            on_snapshot=show,
            told=given.shown.say,
        )
        for feed in feeds:
            feed.end(found)
            given.shown.end(stop)
    return found, marks


def sought(given: Conditions, *, start_per_s: float | None, probe_s: float | None) -> Result | None:
    """Search for the highest rate while a view follows; None if it was stopped before anything was known."""
    stop = threading.Event()
    sys.setswitchinterval(TURN_S)
    with stop_on_signals(stop, lambda: given.shown.say(STOPPING)):
        return find_max(
            given.players,
            given.loaded,
            given.options,
            thresholds_of(given.loaded),
            start_per_s=start_per_s,
            probe_s=probe_s,
            clock=RealClock(),
            stop=stop,
            on_open=lambda hops: introduce(hops, given.shown),
            on_snapshot=lambda _: None,
            told=given.shown.say,
        )


def introduce(hops: Hops, shown: View) -> None:
    """Say what is loaded."""
    shown.say(f"broker: {hops.broker.profile}")
    shown.say(f"store:  {hops.store.describe()}")


def rows_of(found: Result) -> list[dict[str, float | None]]:
    """Return what a result tells second by second."""
    columns = {} if found.load is None else found.load.seconds
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def written(file: Path, text: str) -> bool:
    """Write a file; return whether that went well, and say on standard error if it did not."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        typer.echo(f"{file} could not be written: {error.strerror}; free some space, or name another file", err=True)
        return False
    return True
