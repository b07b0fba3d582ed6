"""Chaos: faults that a load test puts on its own pipeline, through proxies before broker and database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit, urlunsplit

import numpy as np

from brokers import Broker, BrokerError, Endpoint, ManagedMosquitto, Session
from brokers.proxy import Proxy
from brokers.session import LineSession
from simulator.clock import SECOND_NS, Clock, Pace
from simulator.errors import ScenarioError
from simulator.ingest.stores.influxdb.address import PORT
from simulator.scenario.load import Disturbance

if TYPE_CHECKING:  # a swarm brings paho along, which takes its time
    from brokers.swarm import Swarm

__all__ = ["Chaos", "Happened"]

BRIDGE = "-bridge"
"""In the names of sessions that listen."""
SHOWN_NS = SECOND_NS // 1_000


@dataclass(slots=True)
class Happened:
    """A disturbance, and when it was there, seconds since the first message was due."""

    what: Disturbance
    from_s: float
    to_s: float


class BehindProxies:
    """A broker whose publishers and listeners come in through proxies of their own."""

    def __init__(self, broker: Broker, publishers: Endpoint, listeners: Endpoint) -> None:
        self.profile = broker.profile
        self.may_wait = broker.may_wait
        self.endpoint: Endpoint | None = publishers
        self._broker = broker
        self._listeners = listeners

    @property
    def process_id(self) -> int | None:
        return self._broker.process_id

    def connect(self, client_id: str, *, window: int, keep_session: bool = False) -> Session:
        endpoint = self._listeners if BRIDGE in client_id else self.endpoint
        assert endpoint is not None
        return LineSession(endpoint, client_id, window=window, keep_session=keep_session)

    def death(self) -> str | None:
        return self._broker.death()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the broker to who opened it."""


class Chaos:
    """Opens the proxies that its disturbances need, and plays them in time, in a thread of its own."""

    def __init__(self, disturbances: Sequence[Disturbance], clock: Clock, told: Callable[[str], object]) -> None:
        """``told``: why one of them could not be put on, or taken back."""
        self.happened: list[Happened] = []
        self._told = told
        self._clock = clock
        self._stop = threading.Event()
        self._proxies: dict[str, Proxy] = {}
        self._broker: ManagedMosquitto | None = None
        self._swarm: Swarm | None = None
        self._wanted = sorted(disturbances, key=lambda one: one.at)
        self._targets = {one.target for one in disturbances if one.kind != "storm"}
        self._threads: list[threading.Thread] = []

    def before_broker(self, stack: ExitStack, broker: Broker, *, connections: str) -> Broker:
        """Return the broker as publishers and bridge shall see it. Raises ScenarioError for what is not possible."""
        if connections != "device" and any(one.kind == "storm" for one in self._wanted):
            message = "load.disturbances: a storm needs devices: write `connections: device` under messaging"
            raise ScenarioError(message)
        if "broker" in self._targets:
            if not isinstance(broker, ManagedMosquitto):
                message = "load.disturbances: only a mosquitto of our own can be restarted; say --broker mosquitto"
                raise ScenarioError(message)
            self._broker = broker
        if not self._targets & {"publishers", "bridge"}:
            return broker
        endpoint = broker.endpoint
        if endpoint is None or endpoint.tls or endpoint.websocket:
            message = "load.disturbances: publishers and bridge can be disturbed over plain TCP only; use mqtt://"
            raise ScenarioError(message)
        behind = []
        for name in ("publishers", "bridge"):
            proxy = self._proxies[name] = stack.enter_context(Proxy(endpoint.host, endpoint.port))
            behind.append(replace(endpoint, host="127.0.0.1", port=proxy.port))
        return BehindProxies(broker, *behind)

    def before_store(self, stack: ExitStack, store: str) -> str:
        """Return the address of the store as the bridge shall see it. Raises ScenarioError."""
        if "database" not in self._targets:
            return store
        if not store.startswith("influxdb://"):
            message = "load.disturbances: a database can be disturbed over plain HTTP only; use --store influxdb://…"
            raise ScenarioError(message)
        parts = urlsplit(store)
        proxy = self._proxies["database"] = stack.enter_context(Proxy(parts.hostname or "", parts.port or PORT))
        user, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{user}{at}127.0.0.1:{proxy.port}"))

    def begin(self, pace: Pace, swarm: Swarm | None) -> None:
        """Play the disturbances from when the first message is due."""
        self._swarm = swarm
        for one in self._wanted:
            thread = threading.Thread(target=self._play, args=(one, pace.wall_start_ns), daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Take back what is still there."""
        self._stop.set()
        for thread in self._threads:
            thread.join(30.0)

    def _play(self, one: Disturbance, begin_ns: int) -> None:
        if not self._clock.wait_until(begin_ns + one.at, self._stop):
            return
        from_ns = self._clock.monotonic_ns()
        try:
            self._put_on(one)
            # one that is there for no time is seen all the same
            self._clock.wait_until(from_ns + max(SHOWN_NS, one.duration), self._stop)
            self._take_back(one)
        except BrokerError as error:
            self._told(f"{one.kind} of {one.target}: {error}")
        to_s = (self._clock.monotonic_ns() - begin_ns) / SECOND_NS
        self.happened.append(Happened(one, (from_ns - begin_ns) / SECOND_NS, to_s))

    def _put_on(self, one: Disturbance) -> None:
        if one.kind == "restart":
            assert self._broker is not None
            self._broker.go_down()
        elif one.kind == "storm":
            assert self._swarm is not None
            self._swarm.storm(np.arange(len(self._swarm.is_up())), within_s=one.duration / SECOND_NS)
        elif one.kind == "cut":
            self._proxies[one.target].shut()
        elif one.kind == "hold":
            self._proxies[one.target].hold()
        else:
            self._proxies[one.target].slow(one.by / SECOND_NS)

    def _take_back(self, one: Disturbance) -> None:
        if one.kind == "restart":
            assert self._broker is not None
            self._broker.come_back()
        elif one.kind != "storm":
            self._proxies[one.target].release()
