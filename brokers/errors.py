"""The exceptions of brokers.

    BrokerError             what went wrong, at which address, what to do
    ├── AddressError        a broker's address that cannot be used
    ├── StartError          a broker of our own that does not start
    ├── UnreachableError    nobody answers, or not in a way that we understand or trust
    └── RefusedError        the broker answers and says no

No message ever holds a password.
"""

from __future__ import annotations

__all__ = ["AddressError", "BrokerError", "RefusedError", "StartError", "UnreachableError"]


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
