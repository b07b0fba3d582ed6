"""What a user may want to do after a run: each step a purpose, and a command that works where the run was called."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from simulator.results.result import Result
from simulator.scenario.fitting import Fitting
from simulator.scenario.loader import Loaded

__all__ = ["called_as", "next_steps"]


def called_as(argv0: str) -> str:
    """Return the word that calls parksim here: its name if it is on PATH, else the path of the program that runs."""
    if shutil.which("parksim"):
        return "parksim"
    program = Path(argv0)
    if program.name == "__main__.py":
        return f"{python()} -m simulator"
    return shlex.quote(near(program)) if os.access(program, os.X_OK) and program.is_file() else "parksim"


def python() -> str:
    """Return the word that calls the Python that runs, which has what parksim needs."""
    return shlex.quote(near(Path(sys.executable)))


def near(program: Path) -> str:
    """Return a path relative to the current folder if it is below it, else absolute; a link is not followed."""
    program = Path(os.path.abspath(program))  # noqa: PTH100 - resolve() would leave the virtual environment
    if not program.is_relative_to(Path.cwd()):
        return str(program)
    shown = str(program.relative_to(Path.cwd()))
    # a name without a slash would be looked up on PATH
    return shown if os.sep in shown else os.path.join(os.curdir, shown)  # noqa: PTH118 - a Path drops the ./


def next_steps(
    loaded: Loaded, result: Result, *, store: str, summary_file: Path | None, program: str, spool: Path | None = None
) -> list[tuple[str, str]]:
    """Return what a user may want to do now; ``program`` is what calls parksim."""
    scenario = shlex.quote(str(loaded.path))
    steps = []
    if result.messages.spooled and spool is not None:
        # to any broker: what waits is written, and what comes as well
        waiting = shlex.quote(str(spool / result.run_id))
        command = (
            f"{program} bridge {scenario} --broker mqtt://localhost --store {shlex.quote(store)} --spool {waiting}"
        )
        steps.append(("write what waits in the spool, once the store is back", f"{command} --until-quiet 5s"))
    steps += look_into(loaded, store)
    steps.append(("see what the scenario sends and needs", f"{program} check {scenario}"))
    if result.simulated.speed != "max":
        steps.append(("simulate a day at full speed", f"{program} run {scenario} --for 1d --speed max"))
    if summary_file is None:
        steps.append(("keep the result", f"{program} run {scenario} --summary result.json"))
    elif summary_file.is_file():
        file = shlex.quote(str(summary_file))
        steps.append(("read the whole result, with the scenario in it", f"{python()} -m json.tool {file}"))
    return steps


def look_into(loaded: Loaded, store: str) -> list[tuple[str, str]]:
    """Return how to ask the database about the first machine type of the scenario."""
    site = loaded.scenario.sites[0]
    machine = site.areas[0].lines[0].machines[0]
    kind = machine.type
    if store.startswith("sqlite:"):
        sensors = Fitting(loaded.scenario, loaded.types).type_of(site.name, site.areas[0].name, machine).sensors
        field = next((sensor.name for sensor in sensors if sensor.decimals), sensors[0].name)
        columns = f'topic, count(*) as messages, round(avg("{field}"), 2) as "mean {field}"'
        query = f'select {columns} from "{kind}" join assets on assets.id = asset group by topic'  # noqa: S608 - shown
        return [("look into the database", sqlite_command(store.removeprefix("sqlite:"), query))]
    if store.startswith("influxdb"):
        return [
            ("count the rows of one machine type, InfluxDB 1.x", f'select count("seq") from "{kind}"'),  # noqa: S608 - shown
            ("the same in VictoriaMetrics", f'sum(count_over_time({{__name__="{kind}_seq"}}[1d]))'),
        ]
    return []


def sqlite_command(file: str, query: str) -> str:
    """Return a command that puts a query to a SQLite file: with its own program, or with Python if that is missing."""
    if shutil.which("sqlite3"):
        return f"sqlite3 -box {shlex.quote(file)} {shlex.quote(query)}"
    script = f"import sqlite3; [print(*row) for row in sqlite3.connect({file!r}).execute({query!r})]"
    return f"{python()} -c {shlex.quote(script)}"
