"""From the words on a command line to a run, and to what is said about it in the end."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TextIO

import typer

from simulator.clock import RealClock
from simulator.errors import ExitCode, ScenarioError
from simulator.ingest.dead_letters import opened_dead_letters
from simulator.publish.pacing import TURN_S
from simulator.results.addresses import without_addresses
from simulator.results.result import Result
from simulator.results.result_file import check_writable, write_result
from simulator.results.snapshot import Snapshot
from simulator.run.afterwards import called_as, next_steps
from simulator.run.carry import Errand, carry
from simulator.run.execute import execute
from simulator.run.feeding import feed_of
from simulator.run.hops import Hops
from simulator.run.interrupt import stop_on_signals
from simulator.run.options import Options
from simulator.scenario.loader import Loaded, load_scenario
from simulator.scenario.quantities import duration_ns
from simulator.scenario.schema import FASTEST, SLOWEST, Scenario
from simulator.view.feed import Feed
from simulator.view.languages import checked_language
from simulator.view.live import View, open_view
from simulator.view.summary import summary
from simulator.view.terminal.view import open_terminal
from simulator.view.web import HOST, PORT

__all__ = ["STOPPING", "launch", "launch_bridge", "open_page", "options_of", "tell"]

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
    language: str = "en",
    host: str = HOST,
    port: int = PORT,
) -> int:
    """Run a scenario file, print the summary and write the result, and return the exit code. Raises ParksimError.

    What a run found out is not thrown away because it cannot be told: a standard output that is closed, full or
    without a reader, or a result file that cannot be written in the end, changes no exit code but 0, into 104. A
    reader that left early, as ``head`` does, changes none.
    """
    loaded = load_scenario(path)
    options = options_of(loaded.scenario, duration=duration, speed=speed, seed=seed, broker=broker, store=store)
    options = replace(options, spool=spool, dead_letter_file=dead_letter_file, is_watched=view in {"terminal", "web"})
    terminal = partial(open_terminal, language=checked_language(language))
    web = partial(open_page, host=host, port=port, language=language)
    if summary_file is not None:
        check_writable(summary_file)
    with ExitStack() as stack:
        errors = sys.stderr or stack.enter_context(Path(os.devnull).open("w"))
        with open_view(view, errors, terminal=terminal, web=web) as shown:
            result = conduct(loaded, options, shown, quiet=view == "none")
        said = tell(loaded, result, options, summary_file)
        try:
            errors.flush()
        except OSError:
            give_up(errors)
    return result.exit_code if said or result.exit_code != ExitCode.PASS else ExitCode.BAD_CONFIGURATION


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


def open_page(stream: TextIO, *, host: str, port: int, language: str) -> View:
    from simulator.view.web.view import open_web  # noqa: PLC0415 - the server takes a while to import

    return open_web(stream, host=host, port=port, language=language)


def conduct(loaded: Loaded, options: Options, view: View, *, quiet: bool) -> Result:
    """Run, and let the view follow; one that cannot be written to, as when its terminal is gone, ends nothing."""
    stop = threading.Event()

    def say(text: str) -> None:
        with suppress(OSError):
            view.say(text)

    feeds: list[Feed] = []

    def introduce(hops: Hops) -> None:
        """Say what is running, and what it can lose."""
        feeds.append(feed_of(loaded, options, hops))
        view.follow(feeds[0])
        if not quiet:
            say(f"broker: {hops.broker.profile}")
            say(f"store:  {hops.store.describe()}")

    def show(snapshot: Snapshot) -> None:
        if options.is_watched:
            feeds[0].show(snapshot)
        view.show(snapshot)

    for warning in loaded.warnings:
        say(f"warning: {warning}")
    sys.setswitchinterval(TURN_S)
    with stop_on_signals(stop, lambda: say(STOPPING)):
        result = execute(
            loaded,
            options,
            clock=RealClock(),
            stop=stop,
            on_open=introduce,
            on_snapshot=show,
            told=lambda text: None if quiet else say(text),
        )
        if options.is_watched:
            feeds[0].end(result)
            view.end(stop)
    return result


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
