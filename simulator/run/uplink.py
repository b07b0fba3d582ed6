"""The uplink of a run: the MQTT connections that its park publishes through, of gateways or of all devices."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from brokers.endpoint import Broker, Endpoint, Session
from brokers.errors import AddressError
from brokers.limits import allow_files
from simulator.batch import Asset
from simulator.clock import SECOND_NS, Clock
from simulator.publish.gateways import gateways
from simulator.publish.outlet import Devices, Gateway, Outlet
from simulator.scenario.messaging import Messaging

if TYPE_CHECKING:  # a swarm brings paho along, which takes 60 ms to import
    from brokers.swarm import Swarm

__all__ = ["Uplink", "make_room", "open_uplink", "opened", "patience_s"]

TOLD_EVERY_NS = 5 * SECOND_NS
CONNECTS_PER_S = 100
"""So many a slow broker takes, on a machine that has other things to do."""


@dataclass(frozen=True, slots=True)
class Uplink:
    """Outlets, and what they are made of."""

    outlets: tuple[Outlet, ...]
    outlet_of: NDArray[np.int64]
    """int64[assets]: the number of the outlet of each asset."""
    sessions: tuple[Session, ...]
    """Those of the gateways; none where devices connect."""
    swarm: Swarm | None
    """The connections of the devices; None where gateways have them."""

    @property
    def version(self) -> int:
        """The version of MQTT that is spoken."""
        return self.outlets[0].version


def make_room(text: str, *, devices: int) -> None:
    """Look whether devices can connect to the broker of that name or address, and have the system allow so many.

    Before a broker of our own is started, which is allowed what we are. Raises AddressError, LimitError.
    """
    advice = "or write `connections: gateway` under messaging"
    if text == "memory":
        what = "a broker in this process has no port that devices could connect to"
        raise AddressError(what, address=text, advice=f"use embedded, mosquitto or mqtt://host:1883, {advice}")
    if "://" in text:
        endpoint = Endpoint.parse(text)
        if endpoint.tls or endpoint.websocket:
            what = "devices connect over plain TCP only"
            raise AddressError(what, address=str(endpoint), advice=f"use mqtt://, {advice}")
        text = str(endpoint)
    allow_files(devices, address=text)


def patience_s(messaging: Messaging, patience_s: float) -> float:
    """Return how long a broker may be away: devices that lost it may take their time to come back."""
    return patience_s + messaging.connect_within / SECOND_NS


def open_uplink(
    stack: ExitStack,
    broker: Broker,
    assets: Sequence[Asset],
    messaging: Messaging,
    *,
    run_id: str,
    timeout_s: float,
    clock: Clock,
    stop: threading.Event,
    told: Callable[[str], object],
    own: Sequence[int] | None = None,
) -> Uplink:
    """Connect gateways or devices; the stack closes them. Raises BrokerError.

    ``own``: numbers of the assets that speak here; the others have no connection.

    Devices take their time, which is ``told``; once ``stop`` is set they are not waited for.
    """
    if messaging.connections == "device":
        names, device_of = spoken_for(*gateways(assets, "device"), own)
        ids = [f"parksim-{run_id}-device-{number}" for number in range(len(names))]
        swarm = open_swarm(stack, broker, ids, messaging)
        gather(swarm, messaging, devices=len(ids), timeout_s=timeout_s, clock=clock, stop=stop, told=told)
        outlets = (Devices(swarm, device_of),)
        return Uplink(outlets, np.zeros(len(assets), dtype=np.int64), (), swarm)
    names, gateway_of = spoken_for(*gateways(assets, messaging.gateway_per), own)
    ids = [f"parksim-{run_id}-gateway-{number}" for number in range(len(names))]
    sessions = opened(stack, broker, ids, window=messaging.window)
    shared = tuple(Gateway(session) for session in sessions)
    return Uplink(shared, gateway_of, sessions, None)


def spoken_for(
    names: list[str], gateway_of: Sequence[int], own: Sequence[int] | None
) -> tuple[list[str], NDArray[np.int64]]:
    """Return the gateways that some assets need, and for each asset the number among these; 0 for those of others."""
    numbers = np.array(gateway_of, dtype=np.int64)
    if own is None:
        return names, numbers
    needed = np.unique(numbers[list(own)])
    place = np.zeros(len(names), dtype=np.int64)
    place[needed] = np.arange(len(needed))
    return [names[number] for number in needed], place[numbers]


def opened(
    stack: ExitStack, broker: Broker, names: Sequence[str], *, window: int, keep_session: bool = False
) -> tuple[Session, ...]:
    """Open sessions of these names, which the stack closes. Raises BrokerError."""
    sessions = []
    for name in names:
        sessions.append(broker.connect(name, window=window, keep_session=keep_session))
        stack.callback(sessions[-1].close, timeout_s=0)
    return tuple(sessions)


def open_swarm(stack: ExitStack, broker: Broker, ids: Sequence[str], messaging: Messaging) -> Swarm:
    from brokers.swarm import Swarm  # noqa: PLC0415 - see above

    assert broker.endpoint is not None, "make_room has looked"
    spread_s = messaging.connect_within / SECOND_NS
    return stack.enter_context(Swarm(broker.endpoint, ids, window=messaging.window, spread_s=spread_s))


def gather(
    swarm: Swarm,
    messaging: Messaging,
    *,
    devices: int,
    timeout_s: float,
    clock: Clock,
    stop: threading.Event,
    told: Callable[[str], object],
) -> None:
    """Connect the devices of a swarm, and wait until all are there."""
    within_s = messaging.connect_within / SECOND_NS
    over = f" over {within_s:g} s" if within_s else ""
    told(f"devices: connecting {devices:,}{over}")
    told_ns = clock.monotonic_ns()

    def goes_on(up: int) -> bool:
        nonlocal told_ns
        if clock.monotonic_ns() - told_ns >= TOLD_EVERY_NS:
            told_ns = clock.monotonic_ns()
            told(f"devices: {up:,} of {devices:,} are connected")
        return not stop.is_set()

    swarm.connect(within_s=within_s, timeout_s=within_s + timeout_s + devices / CONNECTS_PER_S, goes_on=goes_on)
    if not stop.is_set():
        told(f"devices: all {devices:,} are connected")
