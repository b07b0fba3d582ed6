"""Any other tool in the same table: a command that is run in its turn in each round, and told by its environment.

Every command finds in its environment, besides what it had before:

    PARKSIM_BENCH       generate, publish, bridge or write
    PARKSIM_NUMBER      how many readings, messages, messages or rows it is to deal with
    PARKSIM_RECORDING   a file with what to send: a topic, a tab and a payload in each line; for write, line protocol
    PARKSIM_HOST, PARKSIM_PORT, PARKSIM_QOS, PARKSIM_WINDOW, and PARKSIM_TOPIC, the filter to subscribe to
    PARKSIM_END         bridge: the topic of the message that comes last
    PARKSIM_STORE       write: the address of the store

Its last line may be a JSON object with what it measured itself, {"per_s": 12345}; else PARKSIM_NUMBER is divided by the
time from its start to its end. For ``bridge`` it prints a line "ready" once it has subscribed.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import IO

from simulator.bench.rounds import Rate
from simulator.errors import ScenarioError

__all__ = ["Rival"]

LONGEST_S = 600.0


class Rival:
    """A command in words of a shell, without a shell. Raises ScenarioError if it cannot be read."""

    def __init__(self, command: str) -> None:
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            message = f"--against {command!r}: {error}; quote it as for a shell"
            raise ScenarioError(message) from None
        if not self._words:
            message = "--against is empty; give a command, such as --against 'python publish.py'"
            raise ScenarioError(message)

    def measure(
        self, number: int, environment: Mapping[str, object], *, once_ready: Callable[[], None] | None = None
    ) -> Rate:
        """Run it and return its rate; ``once_ready`` is called when it says "ready", if that is waited for.

        Raises ScenarioError if it cannot be started, fails, or takes longer than ten minutes.
        """
        settings = {f"PARKSIM_{name}": str(value) for name, value in environment.items()}
        settings["PARKSIM_NUMBER"] = str(number)
        begun = time.perf_counter()
        try:
            child = subprocess.Popen(  # noqa: S603  # the user's own command
                self._words, env=os.environ | settings, stdout=subprocess.PIPE, text=True
            )
        except OSError as error:
            message = f"--against: {self._words[0]!r} cannot be started: {error.strerror}"
            raise ScenarioError(message) from None
        assert child.stdout is not None
        try:
            if once_ready is not None:
                self._await(child.stdout)
                once_ready()
            said, _ = child.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            message = f"--against: {self._words[0]!r} did not end within {LONGEST_S:g} s"
            raise ScenarioError(message) from None
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        if child.returncode:
            message = f"--against: {self._words[0]!r} ended with exit code {child.returncode}"
            raise ScenarioError(message)
        return Rate(own_figure(said) or number / (time.perf_counter() - begun))

    def _await(self, output: IO[str]) -> None:
        for line in output:
            if line.strip() == "ready":
                return
        message = f"--against: {self._words[0]!r} ended before it printed ready"
        raise ScenarioError(message)


def own_figure(said: str) -> float | None:
    """Return the rate that a tool measured itself; None if it tells none."""
    lines = said.strip().splitlines()
    try:
        found = json.loads(lines[-1])
        per_s = float(found["per_s"])
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    return per_s if per_s > 0 else None
