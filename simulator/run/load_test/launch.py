"""From the words on a command line to a load test or a search, and to the files that tell of it."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import typer

from simulator.clock import SECOND_NS, RealClock
from simulator.errors import ExitCode, ScenarioError
from simulator.languages import checked_language
from simulator.load.files import csv_text, junit_text, seconds
from simulator.load.report import report_text
from simulator.load.report.words import in_language
from simulator.publish.pacing import TURN_S
from simulator.results.addresses import without_addresses
from simulator.results.result import Result
from simulator.results.result_file import check_writable
from simulator.results.snapshot import Mark
from simulator.run.feeding import Watching
from simulator.run.hops import Hops
from simulator.run.interrupt import stop_on_signals
from simulator.run.launch import STOPPING, WATCHES, open_web, options_of, tell
from simulator.run.load_test.crew import Crew
from simulator.run.load_test.find_max import find_max
from simulator.run.load_test.plan import Prepared, prepared, thresholds_of
from simulator.run.load_test.play import Players, Setting, Solo, load
from simulator.scenario.loader import load_scenario
from simulator.scenario.quantities import duration_ns, rate_per_s
from simulator.view.live import View, open_view
from simulator.view.terminal.view import open_terminal
from simulator.view.web.address import Address

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
    address: Address | None = None,
) -> int:
    """Carry out a load test or a search, print the summary, write the files, and return the exit code.

    Raises ParksimError.
    """
    loaded = load_scenario(path)
    options = options_of(loaded.scenario, duration=None, speed=None, seed=None, broker=broker, store=store)
    if bridge not in {"own", "none"}:
        message = f"--bridge {bridge!r}: write own, or none if someone else carries messages into the store"
        raise ScenarioError(message)
    options = replace(options, audits=bridge == "none", is_watched=view in WATCHES)
    if options.is_watched and (search or workers > 1):
        message = f"--view {view} shows a single load test of a single process; leave out --find-max and --workers"
        raise ScenarioError(message)
    terminal = partial(open_terminal, language=checked_language(language))
    web = partial(open_web, address=address or Address(language=language))
    per_s, length_s = rate_and_time(rate, duration, search=search)
    files.check()
    players: Players = Solo() if workers == 1 else Crew(workers)
    stop = threading.Event()
    rows = None
    wanted = None if search else prepared(loaded, rate=per_s, duration_s=length_s)
    sys.setswitchinterval(TURN_S)
    with (
        open_view(view, sys.stderr, terminal=terminal, web=web) as shown,
        stop_on_signals(stop, lambda: shown.say(STOPPING)),
    ):
        watching = Watching(shown, loaded, options, **({} if wanted is None else charted(wanted)))

        def introduced(hops: Hops) -> None:
            introduce(hops, shown)
            watching.opened(hops)

        setting = Setting(
            loaded,
            options,
            RealClock(),
            told=shown.say,
            on_open=introduced,
            on_snapshot=(lambda _: None) if search else watching.show,
        )
        if wanted is None:
            found = find_max(players, setting, thresholds_of(loaded), start_per_s=per_s, probe_s=length_s, stop=stop)
        else:
            found, marks = load(players, setting, wanted, stop)
            rows = seconds(marks.marks, wanted.profile)
            watching.end(found, stop)
    if found is None:
        return int(ExitCode.INTERRUPTED)
    said = tell(loaded, found, options, files.summary)
    # what is written may be passed on, and names no address
    reason = found.reason and without_addresses(found.reason, broker=options.broker, store=options.store)
    found = found.model_copy(update={"reason": reason})
    with in_language(language):
        page = report_text(found)
    for file, text in (
        (files.junit, junit_text(found)),
        (files.csv, csv_text(rows_of(found) if rows is None else rows)),
        (files.report, page),
    ):
        said &= file is None or written(file, text)
    return found.exit_code if said or found.exit_code != ExitCode.PASS else ExitCode.BAD_CONFIGURATION


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


def charted(wanted: Prepared) -> dict[str, Any]:
    """Return what charts of a load test show beside its figures: what must hold, and what is done to the pipeline."""
    bounds = [{"expression": one.expression, "metric": one.metric, "bound": one.bound} for one in wanted.thresholds]
    planned = [
        Mark(
            "disturbance",
            one.at / SECOND_NS,
            (one.at + (one.duration or 0)) / SECOND_NS,
            one.kind,
            one.target,
            "planned",
        )
        for one in wanted.disturbances
    ]
    return {"thresholds": bounds, "planned": planned}


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
