"""From the words on a command line to a run, and to what is said about it in the end."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import typer

from simulator.clock import SECOND_NS, RealClock
from simulator.errors import ExitCode, ScenarioError
from simulator.ingest.dead_letters import opened_dead_letters
from simulator.load.files import csv_text, junit_text, seconds, series
from simulator.load.report import report_text
from simulator.publish.pacing import TURN_S
from simulator.results.addresses import without_addresses
from simulator.results.result import Result
from simulator.results.result_file import check_writable, write_result
from simulator.run.afterwards import called_as, next_steps
from simulator.run.carry import Errand, carry
from simulator.run.execute import execute
from simulator.run.hops import Hops, Options
from simulator.run.interrupt import stop_on_signals
from simulator.run.load import load, prepared
from simulator.scenario.loader import Loaded, load_scenario
from simulator.scenario.quantities import duration_ns, rate_per_s
from simulator.scenario.schema import FASTEST, SLOWEST, Scenario
from simulator.view.live import View, open_view
from simulator.view.summary import summary

__all__ = ["launch", "launch_bridge", "launch_load", "options_of"]

STOPPING = "stopping: draining what is under way; press Ctrl-C again to end at once"


def launch(
    path: Path,
    *,
    duration: str | None,
    speed: str | None,
    seed: int | None,
    broker: str,
    store: str | None,
    spool: Path | None,
    dead_letter_file: Path | None,
    view: str | None,
    summary_file: Path | None,
) -> int:
    """Run a scenario file, print the summary and write the result, and return the exit code. Raises ParksimError.

    What a run found out is not thrown away because it cannot be told: a standard output that is closed, full or
    without a reader, or a result file that cannot be written in the end, changes no exit code but 0, into 104. A
    reader that left early, as ``head`` does, changes none.
    """
    loaded = load_scenario(path)
    options = options_of(loaded.scenario, duration=duration, speed=speed, seed=seed, broker=broker, store=store)
    options = replace(options, spool=spool, dead_letter_file=dead_letter_file)
    if summary_file is not None:
        check_writable(summary_file)
    with ExitStack() as stack:
        errors = sys.stderr or stack.enter_context(Path(os.devnull).open("w"))
        with open_view(view, errors) as shown:
            result = conduct(loaded, options, shown, quiet=view == "none")
        said = tell(loaded, result, options, summary_file)
        try:
            errors.flush()
        except OSError:
            give_up(errors)
    return result.exit_code if said or result.exit_code != ExitCode.PASS else ExitCode.BAD_CONFIGURATION


def launch_load(
    path: Path,
    *,
    rate: str | None,
    duration: str | None,
    broker: str,
    store: str | None,
    view: str | None,
    summary_file: Path | None,
    junit_file: Path | None,
    csv_file: Path | None,
    report_file: Path | None,
) -> int:
    """Carry out a load test, print the summary, write the files, and return the exit code. Raises ParksimError."""
    loaded = load_scenario(path)
    options = options_of(loaded.scenario, duration=None, speed=None, seed=None, broker=broker, store=store)
    try:
        per_s = None if rate is None else rate_per_s(rate)
        length_s = None if duration is None else duration_ns(duration) / SECOND_NS
    except ValueError as error:
        message = f"--rate or --for: {error}"
        raise ScenarioError(message) from None
    if length_s is not None and per_s is None:
        message = "--for goes with --rate; without a rate the stages of the file say how long it takes"
        raise ScenarioError(message)
    if per_s == 0 or length_s == 0:
        message = "--rate and --for must be more than nothing, such as --rate 5k/s --for 60s"
        raise ScenarioError(message)
    profile, thresholds, late_after_ns = prepared(loaded, rate=per_s, duration_s=length_s)
    files = [file for file in (summary_file, junit_file, csv_file, report_file) if file is not None]
    for file in files:
        check_writable(file)
    stop = threading.Event()
    sys.setswitchinterval(TURN_S)
    with open_view(view, sys.stderr) as shown, stop_on_signals(stop, lambda: shown.say(STOPPING)):

        def introduce(hops: Hops) -> None:
            shown.say(f"broker: {hops.broker.profile}")
            shown.say(f"store:  {hops.store.describe()}")

        result, marks = load(
            loaded,
            options,
            profile,
            thresholds,
            late_after_ns=late_after_ns,
            clock=RealClock(),
            stop=stop,
            on_open=introduce,
            on_snapshot=shown.show,
            told=shown.say,
        )
    if result.load is None:
        result = result.model_copy(update={"load": series(marks.marks, profile)})
    said = tell(loaded, result, options, summary_file)
    # like the result, these files may be passed on
    reason = result.reason and without_addresses(result.reason, broker=options.broker, store=options.store)
    result = result.model_copy(update={"reason": reason})
    for wanted, text in (
        (junit_file, junit_text(result)),
        (csv_file, csv_text(seconds(marks.marks, profile))),
        (report_file, report_text(result)),
    ):
        said &= wanted is None or written(wanted, text)
    return result.exit_code if said or result.exit_code != ExitCode.PASS else ExitCode.BAD_CONFIGURATION


def written(file: Path, text: str) -> bool:
    """Write a file; return whether that went well, and say on standard error if it did not."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        typer.echo(f"{file}: {error.strerror}", err=True)
        return False
    return True


def launch_bridge(
    path: Path,
    *,
    broker: str,
    store: str,
    spool: Path | None,
    dead_letter_file: Path | None,
    until_quiet: str | None,
) -> int:
    """Run a bridge by itself until it is told to stop, print what it saw, and return the exit code.

    Raises ParksimError.
    """
    loaded = load_scenario(path)
    try:
        quiet_ns = None if until_quiet is None else duration_ns(until_quiet)
    except ValueError as error:
        message = f"--until-quiet {error}"
        raise ScenarioError(message) from None
    stop = threading.Event()

    def told(text: str) -> None:
        with suppress(OSError):
            typer.echo(text, err=True)

    with ExitStack() as stack, stop_on_signals(stop, lambda: told(STOPPING)):
        letters = opened_dead_letters(stack, dead_letter_file)
        errand = Errand(broker, store, spool, quiet_ns)
        report, exit_code = carry(loaded, errand, dead_letters=letters, clock=RealClock(), stop=stop, told=told)
    typer.echo(json.dumps(report, indent=2))
    return exit_code


def conduct(loaded: Loaded, options: Options, view: View, *, quiet: bool) -> Result:
    """Run, and let the view follow; one that cannot be written to, as when its terminal is gone, ends nothing."""
    stop = threading.Event()

    def say(text: str) -> None:
        with suppress(OSError):
            view.say(text)

    def introduce(hops: Hops) -> None:
        """Say what is running, and what it can lose."""
        if not quiet:
            say(f"broker: {hops.broker.profile}")
            say(f"store:  {hops.store.describe()}")

    for warning in loaded.warnings:
        say(f"warning: {warning}")
    sys.setswitchinterval(TURN_S)
    with stop_on_signals(stop, lambda: say(STOPPING)):
        return execute(
            loaded,
            options,
            clock=RealClock(),
            stop=stop,
            on_open=introduce,
            on_snapshot=view.show,
            told=lambda text: None if quiet else say(text),
        )


def tell(loaded: Loaded, result: Result, options: Options, summary_file: Path | None) -> bool:
    """Print the summary, then write the result; return whether both went well, and say on standard error what did not.

    The file may be passed on, so it names no address.
    """
    problems = []
    steps = next_steps(
        loaded,
        result,
        store=options.store,
        summary_file=summary_file,
        program=called_as(sys.argv[0]),
        spool=options.spool,
    )
    if sys.stdout is None:
        problems.append("the summary could not be printed: standard output is closed")
    try:
        typer.echo(summary(result, next_steps=steps))
    except BrokenPipeError:
        give_up(sys.stdout)
    except OSError as error:
        give_up(sys.stdout)
        problems.append(f"the summary could not be printed: {error.strerror}")
    if summary_file is not None:
        reason = result.reason and without_addresses(result.reason, broker=options.broker, store=options.store)
        try:
            write_result(result.model_copy(update={"reason": reason}), summary_file)
        except ScenarioError as error:
            problems.append(str(error))
    for problem in problems:
        with suppress(OSError):
            typer.echo(problem, err=True)
    return not problems


def give_up(stream: TextIO) -> None:
    """Throw away what a stream could not get rid of; Python would try again at its end, and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError):  # a stream may have no file
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def options_of(
    scenario: Scenario, *, duration: str | None, speed: str | None, seed: int | None, broker: str, store: str | None
) -> Options:
    """Join what the command line says with what the scenario says. Raises ScenarioError with every mistake."""
    problems = []
    length, pace = scenario.run.duration, scenario.run.speed
    if duration is not None:
        try:
            length = duration_ns(duration)
        except ValueError as error:
            problems.append(f"--for {error}")
        else:
            problems += ["--for must be longer than nothing, such as 60s"] if not length else []
    if speed is not None:
        try:
            pace = "max" if speed == "max" else float(speed)
        except ValueError:
            pace = math.nan
        if pace != "max" and not SLOWEST <= pace <= FASTEST:
            limits = f"from {SLOWEST:g} to {FASTEST:,.0f}"
            problems.append(f"--speed {speed!r} must be a number {limits}, simulated seconds per second, or max")
    if seed is not None and not 0 <= seed < 2**64:
        problems.append(f"--seed {seed} must be from 0 to 2^64 - 1")
    if problems:
        raise ScenarioError(*problems)
    return Options(
        seed=scenario.seed if seed is None else seed,
        speed=None if pace == "max" else pace,
        duration_ns=length,
        broker=broker,
        store=store or f"sqlite:{scenario.name}.db",
    )
