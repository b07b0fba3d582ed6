"""A run as a scenario that repeats it: at its start and with its seed, with what was done to it by hand.

The readings of the repetition are those of the run, bit for bit (tests/test_repetition.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from io import StringIO
from typing import Any, Literal
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

from simulator.results.action import Action
from simulator.results.result import Result
from simulator.scenario.fault import moment
from simulator.scenario.loader import Loaded
from simulator.scenario.quantities import instant_ns, instant_text

__all__ = ["repetition", "repetition_of"]

MS = 1_000_000
WIDTH = 120


def repetition(
    loaded: Loaded,
    actions: Sequence[Action],
    *,
    seed: int,
    origin_ns: int,
    start_ns: int,
    until_ns: int,
    speed: float | Literal["max"],
) -> str:
    """Return the text of a scenario that repeats a run; comments outside of lists stay.

    Instants are nanoseconds since the Unix epoch: where the world began, its first reading, and the end.
    """
    yaml = YAML()
    yaml.width = WIDTH
    yaml.preserve_quotes = True
    scenario = yaml.load(loaded.text)
    zone = ZoneInfo(loaded.scenario.timezone)
    # a park that lived on after a long warm-up was planned for an earlier start
    planned_ns = origin_ns + loaded.scenario.warm_up

    def planned(entries: Any) -> list[dict[str, Any]]:
        """Return what was planned, with instants for durations: those count from another start."""
        found = []
        for entry in entries or ():
            at = moment(str(entry["at"]))
            when = instant_text(planned_ns + at, zone) if isinstance(at, int) else str(entry["at"])
            found.append({**plain(entry), "at": when})
        return found

    faults, changes = planned(scenario.get("faults")), planned(scenario.get("pace"))
    for one in actions:
        match one.do:
            case "fault":
                faults.append({**(one.fault or {}), "at": one.at, "by_hand": True})
            case "speed":
                changes.append({"at": one.at, "speed": one.speed, "by_hand": True})
            case "pause":
                paused_ms = max(1, round((one.paused_s or 0.0) * 1_000))
                changes.append({"at": one.at, "pause": f"{paused_ms}ms", "by_hand": True})
    scenario["seed"] = seed
    scenario["start"] = instant_text(start_ns, zone)
    scenario["warm_up"] = f"{(start_ns - origin_ns) // MS}ms"
    if faults:
        scenario["faults"] = faults
    if changes:
        scenario["pace"] = changes
    scenario["run"] = {"speed": speed, "for": f"{max(1, (until_ns - start_ns) // MS)}ms"}
    out = StringIO()
    yaml.dump(scenario, out)
    return out.getvalue()


def repetition_of(loaded: Loaded, result: Result) -> str:
    """Return the text of a scenario that repeats the run that a result tells of."""
    run = result.simulated
    return repetition(
        loaded,
        result.actions,
        seed=result.seed,
        origin_ns=instant_of(run.origin),
        start_ns=instant_of(run.start),
        until_ns=instant_of(run.until),
        speed=run.speed,
    )


def instant_of(text: str) -> int:
    """Return nanoseconds since the Unix epoch of an instant as a result writes it."""
    return instant_ns(datetime.fromisoformat(text))


def plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry without what YAML keeps beside it, anchors among it."""
    return {str(key): value for key, value in entry.items()}
