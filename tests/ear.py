"""An ear at a broker: keeps every message that it hears."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import paho.mqtt.client as mqtt
from child_server import HOST, until
from paho.mqtt.enums import CallbackAPIVersion

__all__ = ["Ear"]


class Ear:
    """Subscribes to everything of the enterprise with QoS 1."""

    def __init__(self, broker_port: int) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="ear", protocol=mqtt.MQTTv5)
        self._client.on_message = lambda _client, _userdata, message: self.heard.append(
            (message.topic, message.payload)
        )
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect(HOST, broker_port)
        self._client.subscribe("binh-duong/#", qos=1)

    def __enter__(self) -> Self:
        self._client.loop_start()
        until(self._subscribed.is_set, deadline_s=10, what="a subscription")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()
