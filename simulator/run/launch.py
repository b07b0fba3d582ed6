"""From the words on a command line to a run, and to what is said about it in the end."""

from __future__ import annotations

import math
import shlex
import sys
import threading
from pathlib import Path

import typer

from simulator.clock import RealClock
from simulator.errors import ScenarioError
from simulator.results.result import Result, write_result
from simulator.run.execute import execute
from simulator.run.hops import Hops, Options
from simulator.run.interrupt import stop_on_signals
from simulator.scenario.loader import Loaded, load_scenario
from simulator.scenario.quantities import duration_ns
from simulator.scenario.schema import Scenario
from simulator.view.live import open_view
from simulator.view.summary import summary

__all__ = ["launch", "next_steps", "options_of"]


def launch(
    path: Path,
    *,
    duration: str | None,
    speed: str | None,
    seed: int | None,
    broker: str,
    store: str | None,
    view: str | None,
    summary_file: Path | None,
) -> int:
    """Run a scenario file, write and print the summary, and return the exit code. Raises ParksimError."""
    loaded = load_scenario(path)
    options = options_of(loaded.scenario, duration=duration, speed=speed, seed=seed, broker=broker, store=store)
    if summary_file is not None and (summary_file.is_dir() or not summary_file.parent.is_dir()):
        message = f"--summary {summary_file}: name a file in a folder that exists"
        raise ScenarioError(message)
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning}", err=True)
    stop = threading.Event()
    with stop_on_signals(stop), open_view(view, sys.stderr) as shown:
        result = execute(
            loaded,
            options,
            clock=RealClock(),
            stop=stop,
            on_open=lambda hops: introduce(hops, quiet=view == "none"),
            on_snapshot=shown.show,
        )
    if summary_file is not None:
        write_result(result, summary_file)
    typer.echo(summary(result, next_steps=next_steps(loaded, result, store=options.store, summary_file=summary_file)))
    return result.exit_code


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
        if pace != "max" and not 0 < pace < math.inf:
            problems.append(f"--speed {speed!r} must be a number above 0, simulated seconds per second, or max")
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


def introduce(hops: Hops, *, quiet: bool) -> None:
    """Say what is running, and what it can lose."""
    if not quiet:
        typer.echo(f"broker: {hops.broker.profile}", err=True)
        typer.echo(f"store:  {hops.store.describe()}", err=True)


def next_steps(loaded: Loaded, result: Result, *, store: str, summary_file: Path | None) -> list[tuple[str, str]]:
    """Return what a user may want to do now, each a purpose and a command that works."""
    scenario = shlex.quote(str(loaded.path))
    steps = look_into(loaded, store)
    steps.append(("see what the scenario sends and needs", f"parksim check {scenario}"))
    if result.simulated.speed != "max":
        steps.append(("simulate a day at full speed", f"parksim run {scenario} --for 1d --speed max"))
    if summary_file is None:
        steps.append(("keep the result", f"parksim run {scenario} --summary result.json"))
    else:
        file = shlex.quote(str(summary_file))
        steps.append(("read the whole result, with the scenario in it", f"python3 -m json.tool {file}"))
    return steps


def look_into(loaded: Loaded, store: str) -> list[tuple[str, str]]:
    """Return how to ask the database about the first machine type of the scenario."""
    kind = loaded.scenario.sites[0].factories[0].lines[0].machines[0].type
    if store.startswith("sqlite:"):
        sensors = loaded.types[kind].sensors
        field = next((sensor.name for sensor in sensors if sensor.decimals), sensors[0].name)
        columns = f'topic, count(*) as messages, round(avg("{field}"), 2) as "mean {field}"'
        query = f'select {columns} from "{kind}" join assets on assets.id = asset group by topic'  # noqa: S608 - shown
        file = shlex.quote(store.removeprefix("sqlite:"))
        return [("look into the database", f"sqlite3 -box {file} {shlex.quote(query)}")]
    if store.startswith("influxdb"):
        return [
            ("count the rows of one machine type, InfluxDB 1.x", f'select count("seq") from "{kind}"'),  # noqa: S608 - shown
            ("the same in VictoriaMetrics", f'sum(count_over_time({{__name__="{kind}_seq"}}[1d]))'),
        ]
    return []
