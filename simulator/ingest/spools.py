"""The folder of a bridge's spools: one for each lane, and nobody else's at the same time."""

from __future__ import annotations

import fcntl
from contextlib import ExitStack, suppress
from pathlib import Path

from simulator.errors import ScenarioError
from simulator.ingest.disk import Folder
from simulator.ingest.spool import Spool

__all__ = ["CAP_BYTES", "opened_spools", "waiting_in"]

CAP_BYTES = 1 << 30
"""Of all spools of a folder together."""
SUFFIX = ".spool"
LOCK = ".lock"
LANE = "lane-{}"


def opened_spools(stack: ExitStack, folder: Path, lanes: int, *, cap_bytes: int = CAP_BYTES) -> list[Spool]:
    """Open a spool for each lane; the stack gives the folder free, and deletes it if nothing waits in it.

    Raises ScenarioError when the folder cannot be used, or holds messages of more lanes.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = stack.enter_context((folder / LOCK).open("a"))
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        stack.callback(clear_up, folder)
        others = [name for name in waiting_in(folder) if name not in {LANE.format(lane) for lane in range(lanes)}]
        spools = [
            Spool(Folder(folder / LANE.format(lane), suffix=SUFFIX), cap_bytes=cap_bytes // lanes)
            for lane in range(lanes)
        ]
    except BlockingIOError:
        message = f"--spool {folder}: another parksim uses it; name another folder, or end that one first"
        raise ScenarioError(message) from None
    except OSError as error:
        message = f"--spool {folder}: {error.strerror or error}; name a folder that can be written to"
        raise ScenarioError(message) from error
    if others:
        message = f"--spool {folder}: messages of more bridge workers wait there ({', '.join(others)}); "
        raise ScenarioError(message + f"start it with bridge_workers: {highest(others) + 1} or more, until it is empty")
    return spools


def waiting_in(folder: Path) -> list[str]:
    """Return the names of the lanes that have messages in a folder. Raises OSError."""
    return sorted({file.parent.name for file in folder.glob(f"{LANE.format('*')}/*{SUFFIX}")})


def highest(names: list[str]) -> int:
    return max(int(name.rpartition("-")[2]) for name in names)


def clear_up(folder: Path) -> None:
    """Delete what is empty."""
    with suppress(OSError):
        for lane in folder.glob(LANE.format("*")):
            lane.rmdir()
        (folder / LOCK).unlink()
        folder.rmdir()
