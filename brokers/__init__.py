"""Everything that speaks MQTT; knows nothing of parks."""

from __future__ import annotations

from collections.abc import Callable

from brokers.embedded import EmbeddedBroker
from brokers.endpoint import Acknowledgement, Broker, Delivery, Endpoint, Outgoing, Session, without_secret
from brokers.errors import (
    AddressError,
    BrokerError,
    LimitError,
    ProtocolError,
    RefusedError,
    StartError,
    UnreachableError,
)
from brokers.external import ExternalBroker
from brokers.memory import MemoryBroker
from brokers.mosquitto import ManagedMosquitto, find_mosquitto
from brokers.sink import Sink

__all__ = [
    "Acknowledgement",
    "AddressError",
    "Broker",
    "BrokerError",
    "Delivery",
    "EmbeddedBroker",
    "Endpoint",
    "ExternalBroker",
    "LimitError",
    "ManagedMosquitto",
    "MemoryBroker",
    "Outgoing",
    "ProtocolError",
    "RefusedError",
    "Session",
    "Sink",
    "StartError",
    "UnreachableError",
    "open_broker",
]


def _best_at_hand() -> Broker:
    return ManagedMosquitto() if find_mosquitto() is not None else EmbeddedBroker()


BROKERS: dict[str, Callable[[], Broker]] = {
    "auto": _best_at_hand,
    "embedded": EmbeddedBroker,
    "memory": MemoryBroker,
    "mosquitto": ManagedMosquitto,
    "sink": Sink,
}


def open_broker(text: str) -> Broker:
    """Return the broker that a name or an address means; entering it starts or checks it.

    Names: ``auto`` (mosquitto if it is installed, else embedded), ``embedded``, ``mosquitto``, ``memory``, ``sink``;
    everything else is an address for Endpoint.parse. Raises AddressError.
    """
    if text in BROKERS:
        return BROKERS[text]()
    if "://" not in text:
        what = "there is no broker of that name"
        advice = f"write {', '.join(BROKERS)}, or an address like mqtt://host:1883"
        raise AddressError(what, address=repr(without_secret(text)), advice=advice)
    return ExternalBroker(Endpoint.parse(text))
