"""The broker that benchmarks talk to: where it is, what it says of itself."""

from __future__ import annotations

from typing import Any

from brokers import Broker, BrokerError, Endpoint
from brokers.bare import bare_line
from simulator.bench.recording import Recording
from simulator.errors import ScenarioError
from simulator.scenario.loader import Loaded

__all__ = ["broker_version", "endpoint_of", "protocol_of", "settings_of"]

ANSWER_S = 2.0


def endpoint_of(broker: Broker) -> Endpoint:
    """Return where a broker listens. Raises ScenarioError for one that has no address."""
    endpoint: Endpoint | None = getattr(broker, "endpoint", None)
    if endpoint is None:
        message = (
            "--broker: benchmarks need a broker with an address; use auto, embedded, mosquitto or mqtt://host:1883"
        )
        raise ScenarioError(message)
    return endpoint


def protocol_of(endpoint: Endpoint) -> int:
    """Return the version of MQTT that a bare connection speaks there: 4 for 3.1.1, 5 for 5. Raises BrokerError."""
    with bare_line(endpoint, "parksim-bench-look") as line:
        return line.version


def broker_version(broker: Broker) -> str:
    """Return what a broker calls itself on $SYS/broker/version; what it does not tell is unknown."""
    try:
        session = broker.connect("parksim-bench-version", window=1)
    except BrokerError:
        return "unknown"
    try:
        session.subscribe("$SYS/broker/version", qos=0)
        arrivals = session.receive_block(limit=1, timeout_s=ANSWER_S)
        return arrivals.payload(0).decode(errors="replace") if arrivals.number else "unknown"
    except BrokerError:
        return "unknown"
    finally:
        session.close()


def settings_of(loaded: Loaded, recording: Recording, broker: Broker | None = None) -> dict[str, Any]:
    """Return what a table of figures must say about what was sent, and through what."""
    settings: dict[str, Any] = {
        "scenario": loaded.scenario.name,
        "assets": len(recording.catalog.assets),
        "format": "json",
        "readings_per_message": round(recording.readings_per_message, 2),
        "payload_bytes": round(recording.payload_bytes, 1),
        "packet_bytes": round(recording.packet_bytes, 1),
    }
    if broker is not None:
        settings |= {
            "broker": broker.profile,
            "broker_version": broker_version(broker),
            "qos": recording.qos,
            "mqtt": {4: "3.1.1", 5: "5"}[recording.version],
        }
    return settings
