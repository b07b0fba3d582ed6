"""Effort: what each part of the pipeline has spent until a moment, as far as it can be seen from here."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Effort", "process_cpu_s"]

USER, SYSTEM = 11, 12
"""Fields of /proc/PID/stat behind the name of the program: proc(5), utime and stime."""


@dataclass(frozen=True, slots=True)
class Effort:
    """Totals since the beginning."""

    cpu_s: float = 0.0
    """Processor time of this process: publisher, bridge and, of a slow park, the park."""
    blocked_s: float = 0.0
    """How long the publisher had messages that were due and that the broker did not take."""
    writing_s: float = 0.0
    """How long the lanes of the bridge waited for the database, all together."""
    listening_s: float = 0.0
    """How long they waited for messages."""
    lanes: int = 1
    publishers: int = 1
    broker_cpu_s: float | None = None
    """None of a broker that is not ours."""

    def __add__(self, other: Effort) -> Effort:
        """Return what two workers spent; the broker is the same."""
        return Effort(
            self.cpu_s + other.cpu_s,
            self.blocked_s + other.blocked_s,
            self.writing_s + other.writing_s,
            self.listening_s + other.listening_s,
            self.lanes + other.lanes,
            self.publishers + other.publishers,
            self.broker_cpu_s if other.broker_cpu_s is None else other.broker_cpu_s,
        )


def process_cpu_s(process_id: int | None) -> float | None:
    """Return the processor time of a process; None if there is none, or the system does not say."""
    if process_id is None:
        return None
    with suppress(OSError, ValueError, IndexError):
        # the name, in brackets, may hold blanks
        fields = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[USER]) + int(fields[SYSTEM])) / os.sysconf("SC_CLK_TCK")
    return None
