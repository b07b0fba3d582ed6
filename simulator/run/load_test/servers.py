"""Servers: what broker and database tell of themselves during a load test, where they do."""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from urllib.error import URLError
from urllib.request import urlopen

from brokers.endpoint import Broker, Session
from brokers.errors import BrokerError
from simulator.clock import SECOND_NS, Clock
from simulator.errors import ScenarioError
from simulator.ingest.stores.influxdb.address import Address

__all__ = ["Servers"]

TOPICS = {
    "$SYS/broker/publish/messages/dropped": "messages that the broker dropped",
    "$SYS/broker/clients/connected": "clients that the broker has",
    "$SYS/broker/heap/current": "bytes that the broker holds",
}
"""Of mosquitto, mosquitto(8); it tells them every ten seconds."""
FIRST_WORD_S = 0.5
CPU = re.compile(rb"^process_cpu_seconds_total(?:\{[^}]*\})? ([0-9.e+]+)", re.MULTILINE)
"""What every server with a Prometheus client tells, as VictoriaMetrics and InfluxDB 2 do."""
ANSWER_S = 2.0


class Servers:
    """Asked at the beginning and in the end; one that tells nothing, or is not there, costs a moment."""

    def __init__(self, store: str, clock: Clock) -> None:
        self._clock = clock
        self._session: Session | None = None
        self._first: dict[str, float] = {}
        self._most: dict[str, float] = {}
        self._cpu_s: float | None = None
        self._began_ns = 0
        self._metrics = metrics_address(store)

    def begin(self, broker: Broker) -> None:
        """Subscribe to what a broker tells, and ask the database for the first time."""
        self._began_ns = self._clock.monotonic_ns()
        self._cpu_s = self._database_cpu_s()
        if broker.endpoint is None:
            return
        # not every broker lets everybody hear this, and not every one has it
        with suppress(BrokerError):
            self._session = broker.connect(f"parksim-{secrets.token_hex(4)}-sys", window=20)
            self._session.subscribe(*TOPICS, qos=0)
            self._hear(FIRST_WORD_S)

    def listen(self) -> None:
        """Take what has been told since, so that it does not pile up."""
        if self._session is not None:
            with suppress(BrokerError):
                self._hear(0)

    def end(self) -> dict[str, float]:
        """Return what was told, by name: growth of what only grows, and the most of the rest."""
        found: dict[str, float] = {}
        self.listen()
        if self._session is not None:
            self._session.close(timeout_s=0)
        for name, value in self._most.items():
            grows = name == "messages that the broker dropped"
            found[name] = value - self._first.get(name, 0.0) if grows else value
        seconds = (self._clock.monotonic_ns() - self._began_ns) / SECOND_NS
        last_s = self._database_cpu_s() if self._cpu_s is not None else None
        if last_s is not None and self._cpu_s is not None and seconds > 0:
            found["cores that the database used"] = (last_s - self._cpu_s) / seconds
        return found

    def _hear(self, timeout_s: float) -> None:
        assert self._session is not None
        while heard := self._session.receive(limit=100, timeout_s=timeout_s):
            timeout_s = 0
            self._session.acknowledge(heard)
            for one in heard:
                if one.topic in TOPICS:
                    with suppress(ValueError):
                        name, value = TOPICS[one.topic], float(one.payload)
                        self._most[name] = max(value, self._most.get(name, value))
                        self._first.setdefault(name, value)

    def _database_cpu_s(self) -> float | None:
        if self._metrics is None:
            return None
        with suppress(OSError, URLError, ValueError), urlopen(self._metrics, timeout=ANSWER_S) as answer:  # noqa: S310 - http
            told = CPU.search(answer.read(1 << 22))
            return None if told is None else float(told[1])
        return None


def metrics_address(store: str) -> str | None:
    """Return where a database of the InfluxDB family would tell its metrics; None of other stores, and over TLS."""
    if not store.startswith("influxdb://"):
        return None
    with suppress(ScenarioError):
        return f"{Address.parse(store).url}/metrics"
    return None
