"""Where a broker is and what one can do there: Endpoint, and the Broker and Session protocols."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple, Protocol, Self

__all__ = ["Acknowledgement", "Broker", "Delivery", "Outgoing", "Session"]


class Outgoing(NamedTuple):
    """A message on its way out."""

    topic: str
    payload: bytes
    tag: int
    """The caller's own number; it comes back in the Acknowledgement."""


class Acknowledgement(NamedTuple):
    """The end of an outgoing message, as far as this hop knows."""

    tag: int
    refused: str | None
    """None if the broker took it (QoS 0: if the socket took it), else the reason it gave."""
    at_ns: int
    """time.monotonic_ns() when it was learnt."""


class Delivery(NamedTuple):
    """A message that came in and waits to be acknowledged."""

    topic: str
    payload: bytes
    qos: int
    epoch: int
    """Which connection it came over: an acknowledgement of an older one is discarded, never sent."""
    mid: int


class Session(Protocol):
    """One MQTT connection with its own window, reconnecting by itself. Safe to use from several threads."""

    def publish(self, messages: Sequence[Outgoing], *, qos: int, timeout_s: float) -> int:
        """Hand over messages in order; wait while the window is full. Return how many were taken in time."""

    def acknowledgements(self) -> list[Acknowledgement]:
        """Take what has been acknowledged or refused since the last call, oldest first."""

    def in_flight(self) -> int:
        """Messages handed over and not yet acknowledged."""

    def subscribe(self, pattern: str, *, qos: int) -> None:
        """Subscribe, wait for the grant, and again after every reconnect that lost the session.

        Raises BrokerError when the broker refuses.
        """

    def receive(self, *, limit: int, timeout_s: float) -> list[Delivery]:
        """Take up to ``limit`` messages in arrival order; wait for the first at most ``timeout_s``."""

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge in the order given; those of an earlier connection are dropped: the broker sends them again."""

    def is_connected(self) -> bool:
        """Say whether the broker hears us at this moment."""

    def close(self, *, timeout_s: float = 5.0) -> None:
        """Wait for what is in flight at most ``timeout_s``, disconnect, free the socket. Twice is once."""


class Broker(Protocol):
    """A broker that this process started, or that someone else runs."""

    profile: str
    """One sentence: what is running, and what it can lose."""

    def connect(self, client_id: str, *, window: int, keep_session: bool = False) -> Session:
        """Open a session, waiting for CONNACK.

        ``window`` bounds what is in flight both ways; ``keep_session`` asks the broker to keep subscriptions and
        messages across reconnects. Raises BrokerError when nobody answers or the broker refuses us.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
