"""The exceptions of brokers.

    BrokerError             what went wrong, at which address, what to do
    ├── AddressError        a broker's address that cannot be used
    ├── StartError          a broker of our own that does not start
    ├── UnreachableError    nobody answers, or not in a way that we understand or trust
    ├── RefusedError        the broker answers and says no
    ├── ProtocolError       what comes in is no MQTT, or none that we asked for
    └── LimitError          so many connections at once are more than this system or the broker allows

No message ever holds a password.
"""

from __future__ import annotations

import signal

__all__ = [
    "AddressError",
    "BrokerError",
    "LimitError",
    "ProtocolError",
    "RefusedError",
    "StartError",
    "UnreachableError",
    "ended",
]

SIGNALS = {int(one): one.name for one in signal.Signals}


class BrokerError(Exception):
    """A broker that cannot be used; the message says what, at which address, and what to do."""

    def __init__(self, what: str, *, address: str, advice: str) -> None:
        super().__init__(f"{address}: {what}; {advice}")
        self.what = what
        self.address = address
        self.advice = advice


class AddressError(BrokerError):
    """An address that cannot be used as it is written."""


class StartError(BrokerError):
    """A broker of our own that does not start."""


class UnreachableError(BrokerError):
    """Nobody answers at the address, or not in a way that we understand or trust."""


class RefusedError(BrokerError):
    """The broker answers and says no."""


class ProtocolError(BrokerError):
    """What comes in is no MQTT, or none that we asked for; the connection cannot go on."""


class LimitError(BrokerError):
    """So many connections at once are more than this system or the broker allows; the message names the limit."""


def ended(name: str, status: int, said: str) -> str:
    """Say that a broker of our own has ended by itself: its exit status as Popen tells it, and its last words."""
    how = f"with exit status {status}" if status >= 0 else f"by signal {SIGNALS.get(-status, -status)}"
    return f"the {name} that parksim started has ended {how}; its log ends: {said or 'empty'}"
