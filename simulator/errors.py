"""The exceptions of parksim.

    ParksimError                    exit code
    ├── ScenarioError               104   a file or option that cannot be used
    ├── OutOfReachError             106   a broker or store that cannot be reached or refuses us
    │   ├── StoreError              106   a store refused a write; says whether a retry helps
    │   └── SourceError             106   the process that simulates the park has ended
    ├── DataLossError               107   readings lost or unaccounted
    └── TooSlowError                111   a load that this generator cannot give

A message says what, which value, where and, where one can know it, what to do.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "DataLossError",
    "ExitCode",
    "OutOfReachError",
    "ParksimError",
    "ScenarioError",
    "SourceError",
    "StoreError",
    "TooSlowError",
]


class ExitCode(IntEnum):
    """What the process says to the shell when it ends."""

    PASS = 0
    THRESHOLD_FAILED = 99
    BAD_CONFIGURATION = 104
    INTERRUPTED = 105
    OUT_OF_REACH = 106
    DATA_LOSS = 107
    GENERATOR_TOO_SLOW = 111


class ParksimError(Exception):
    """The root of every error that parksim raises on purpose."""

    exit_code: ExitCode = ExitCode.BAD_CONFIGURATION


class ScenarioError(ParksimError):
    """A scenario, machine type or option that cannot be used.

    ``problems`` holds one complete sentence per mistake, each with ``file:line:column`` where there is a file.
    """

    exit_code = ExitCode.BAD_CONFIGURATION

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class OutOfReachError(ParksimError):
    """A broker or store that cannot be reached, or that refuses us."""

    exit_code = ExitCode.OUT_OF_REACH


class StoreError(OutOfReachError):
    """A store refused a write.

    ``retryable`` says whether the same write may succeed later, ``after_s`` when the store asked us to come back,
    ``split`` whether a smaller or different batch may succeed (a bad line, a body too large).
    """

    def __init__(self, message: str, *, retryable: bool, after_s: float | None = None, split: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.after_s = after_s
        self.split = split


class SourceError(OutOfReachError):
    """The process that simulates the park has ended or does not answer."""


class DataLossError(ParksimError):
    """Readings were lost or cannot be accounted for."""

    exit_code = ExitCode.DATA_LOSS


class TooSlowError(ParksimError):
    """A load that this generator cannot give, so that nothing behind it could be judged."""

    exit_code = ExitCode.GENERATOR_TOO_SLOW
