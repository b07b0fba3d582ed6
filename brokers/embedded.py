"""A broker that needs no installation: amqtt, in a child process."""

from __future__ import annotations

from brokers.child import ChildBroker

__all__ = ["EmbeddedBroker"]


class EmbeddedBroker(ChildBroker):
    """amqtt on a free port of the loopback interface, made for a first run."""

    profile = (
        "Embedded broker (amqtt, MQTT 3.1.1), for trying out: everything is in memory and without a bound, a message "
        "not acknowledged within 5 s or before a reconnect is forgotten, and all is lost if its process dies."
    )
    module = "brokers.embedded_child"
    called = "embedded"
    advice = "install mosquitto and use --broker mosquitto, or report this with the text above"
    version = 4
