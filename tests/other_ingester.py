"""An ingester that is not ours: writes messages as Telegraf's mqtt_consumer names them, and loses some on purpose."""

from __future__ import annotations

import http.client
import threading
from types import TracebackType
from typing import Any, Self

import orjson
import paho.mqtt.client as mqtt
from child_server import HOST, until
from paho.mqtt.enums import CallbackAPIVersion

__all__ = ["OtherIngester"]

SOON_S = 0.05


class OtherIngester:
    """Subscribes, and writes into an InfluxDB 1.x what it has heard about every 50 ms; ``loses`` one of so many."""

    def __init__(self, broker_port: int, database_port: int, *, loses: int | None = None) -> None:
        self.lost = 0
        self._database_port = database_port
        self._loses = loses
        self._heard = 0
        self._lines: list[str] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="other", protocol=mqtt.MQTTv5)
        self._client.on_message = self._on_message
        self._client.connect(HOST, broker_port)
        self._subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.subscribe("binh-duong/#", qos=1)
        self._writer = threading.Thread(target=self._write)

    def _on_message(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        self._heard += 1
        if self._loses is not None and self._heard % self._loses == 0:
            self.lost += 1
            return
        values: dict[str, Any] = orjson.loads(message.payload)
        time_ms = values.pop("t")
        fields = ",".join(f"{name}={float(value)}" for name, value in values.items())
        with self._lock:
            self._lines.append(f"mqtt_consumer,topic={message.topic} {fields} {time_ms}")

    def _write(self) -> None:
        link = http.client.HTTPConnection(HOST, self._database_port)
        while not self._over.wait(SOON_S) or self._lines:
            with self._lock:
                body, self._lines = "\n".join(self._lines), []
            if body:
                link.request("POST", "/write?db=park&precision=ms", body)
                answer = link.getresponse()
                assert answer.status == 204, answer.read()
                answer.read()
        link.close()

    def __enter__(self) -> Self:
        self._client.loop_start()
        until(self._subscribed.is_set, deadline_s=10, what="a subscription")
        self._writer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._over.set()
        self._writer.join()
