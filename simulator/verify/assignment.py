"""What is to be verified: a run that a result tells of, or a stretch of a scenario with a fixed start."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from simulator.errors import ScenarioError
from simulator.results.result_file import read_result
from simulator.scenario.loader import Loaded, load_scenario
from simulator.scenario.quantities import instant_ns
from simulator.scenario.repetition import repetition_of

__all__ = ["Assignment", "assignment"]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A park, and which of its readings to look for."""

    loaded: Loaded
    seed: int
    origin_ns: int
    """Where its world began."""
    start_ns: int
    """Its first reading; the messages of each asset are numbered from here on."""
    from_ns: int
    until_ns: int
    admitted: int
    """Messages that a result says were not written, whatever became of them."""


def assignment(file: Path, *, from_: str | None, to: str | None, seed: int | None) -> Assignment:
    """Read a result or a scenario. Raises ScenarioError for what cannot be verified."""
    try:
        with file.open("rb") as stream:
            is_result = stream.read(64).lstrip().startswith(b"{")
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}; give a result (parksim run --summary) or a scenario"
        raise ScenarioError(message) from error
    return of_result(file, from_, to, seed) if is_result else of_scenario(file, from_, to, seed)


def of_result(file: Path, from_: str | None, to: str | None, seed: int | None) -> Assignment:
    if seed is not None:
        message = f"--seed: {file} says which seed its run had; leave the option out"
        raise ScenarioError(message)
    result = read_result(file)
    origin_ns = instant(result.simulated.origin)
    start_ns, until_ns = instant(result.simulated.start), instant(result.simulated.until)
    loaded = loaded_text(result.scenario.name, result.scenario.text)
    if result.actions:
        loaded = loaded_text(result.scenario.name, repetition_of(loaded, result))
    messages = result.messages
    return Assignment(
        loaded=loaded,
        seed=result.seed,
        origin_ns=origin_ns,
        start_ns=start_ns,
        from_ns=max(start_ns, option("--from", from_, start_ns)),
        until_ns=min(until_ns, option("--to", to, until_ns)),
        admitted=messages.scheduled - messages.written,
    )


def loaded_text(name: str, text: str) -> Loaded:
    """Load the text of a scenario: the loader reads files, and says where in them a mistake is."""
    with tempfile.TemporaryDirectory(prefix="parksim-verify-") as folder:
        file = Path(folder) / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        return load_scenario(file)


def of_scenario(file: Path, from_: str | None, to: str | None, seed: int | None) -> Assignment:
    loaded = load_scenario(file)
    scenario = loaded.scenario
    if scenario.start == "now":
        message = (
            f"{file}: a park that starts now is another one each time; give the result of its run (--summary), or a"
            " scenario with a fixed start"
        )
        raise ScenarioError(message)
    if to is None:
        message = f"--to: {file} does not say how far its run came; give an instant, such as --to 2026-01-01T12:00:00Z"
        raise ScenarioError(message)
    start_ns = instant_ns(scenario.start)
    return Assignment(
        loaded=loaded,
        seed=scenario.seed if seed is None else seed,
        origin_ns=start_ns - scenario.warm_up,
        start_ns=start_ns,
        from_ns=max(start_ns, option("--from", from_, start_ns)),
        until_ns=option("--to", to, start_ns),
        admitted=0,
    )


def instant(text: str) -> int:
    """Return nanoseconds since the Unix epoch. Raises ValueError for a text without an offset."""
    return instant_ns(datetime.fromisoformat(text))


def option(name: str, text: str | None, otherwise_ns: int) -> int:
    if text is None:
        return otherwise_ns
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        message = f"{name} {text}: is no instant with an offset; write it like 2026-01-01T12:00:00+07:00"
        raise ScenarioError(message)
    return instant_ns(moment)
