"""A process of its own that publishes packets from a file as fast as a bare connection takes them.

    python -m brokers.flood FILE

It reads where the broker is from the first line of standard input, as JSON, says "ready" on standard output once it is
connected, begins with the second line, and ends once the broker has read everything. In a process of its own it takes
no turn from a subscriber that is measured.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from brokers.bare import bare_line
from brokers.endpoint import Endpoint
from brokers.errors import UnreachableError

__all__ = ["Flood", "flood"]


PACKAGES = str(Path(__file__).parents[1])


class Flood:
    """A flood that waits behind its gate."""

    def __init__(self, gate: IO[bytes]) -> None:
        self._gate = gate

    def begin(self) -> None:
        """Let it go."""
        self._gate.write(b"\n")
        self._gate.flush()


@contextmanager
def flood(endpoint: Endpoint, file: Path) -> Iterator[Flood]:
    """Start a flood of the packets in a file, connected and waiting; end it with the block.

    Raises UnreachableError if it cannot connect.
    """
    child = subprocess.Popen(  # noqa: S603  # this module, with a file of our own
        [sys.executable, "-P", "-m", "brokers.flood", str(file)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [PACKAGES, os.environ.get("PYTHONPATH")]))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        # over a pipe, since a command line is there for everybody to read
        child.stdin.write(json.dumps(dataclasses.asdict(endpoint)).encode() + b"\n")
        child.stdin.flush()
        if child.stdout.readline() != b"ready\n":
            what, advice = "a process of our own did not get in", "look at what it says above"
            raise UnreachableError(what, address=str(endpoint), advice=advice)
        yield Flood(child.stdin)
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()


def main(file: str) -> None:
    """Publish the packets in a file once, when told to."""
    data = memoryview(Path(file).read_bytes())
    with bare_line(Endpoint(**json.loads(sys.stdin.readline())), "parksim-flood") as line:
        print("ready", flush=True)  # noqa: T201  # whoever started us waits for it
        sys.stdin.readline()
        line.pour(data)


if __name__ == "__main__":
    main(sys.argv[1])
