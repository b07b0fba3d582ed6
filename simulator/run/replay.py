"""Dead letters on their way again: published on their topics, and taken out of their file once acknowledged."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from brokers import open_broker
from brokers.endpoint import Outgoing
from simulator.errors import ScenarioError
from simulator.ingest.dead_letters import DeadLetter
from simulator.run.hops import as_parksim_errors

__all__ = ["rewrite", "send"]

WINDOW = 100
POLL_S = 0.01


def send(letters: Sequence[DeadLetter], broker: str, *, timeout_s: float) -> tuple[list[int], dict[int, str]]:
    """Publish letters with QoS 1; return the places of those that were acknowledged, and why others were refused.

    Topics that were never UTF-8 are sent as the file has them. Raises ScenarioError, OutOfReachError.
    """
    messages = [Outgoing(letter.topic, letter.payload, place) for place, letter in enumerate(letters)]
    done: list[int] = []
    refused: dict[int, str] = {}
    with ExitStack() as stack, as_parksim_errors():
        opened = stack.enter_context(open_broker(broker))
        session = stack.enter_context(closing(opened.connect(f"parksim-replay-{os.getpid()}", window=WINDOW)))
        until_s = time.monotonic() + timeout_s
        taken = 0
        while len(done) + len(refused) < len(messages) and time.monotonic() < until_s:
            taken += session.publish(messages[taken : taken + WINDOW], qos=1, timeout_s=POLL_S)
            for one in session.acknowledgements():
                if one.refused is None:
                    done.append(one.tag)
                else:
                    refused[one.tag] = one.refused
            time.sleep(POLL_S)
    return done, refused


def rewrite(file: Path, letters: Sequence[DeadLetter]) -> None:
    """Write the letters that stay, all or nothing. Raises ScenarioError."""
    beside = file.with_name(f"{file.name}.new")
    try:
        with beside.open("wb") as new:
            new.writelines(letter.line() for letter in letters)
            new.flush()
            os.fsync(new.fileno())
        beside.replace(file)
    except OSError as error:
        message = f"{file}: {error.strerror or error}; the letters that were sent are still in it"
        raise ScenarioError(message) from error
