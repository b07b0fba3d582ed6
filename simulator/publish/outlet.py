"""Outlets: where messages leave for the broker, through one MQTT connection or through very many."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from brokers.blocks import Packets, Settled
from brokers.endpoint import Session
from brokers.limits import files_for, most_files

if TYPE_CHECKING:  # a swarm brings paho along, which takes its time
    from brokers.swarm import Swarm

__all__ = ["Devices", "FewFiles", "Gateway", "Outlet", "short_of_files"]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Outlet(Protocol):
    """Takes packets as far as windows have room, and tells later what became of each. For one thread."""

    @property
    def version(self) -> int:
        """The version of MQTT that is spoken: 4 for 3.1.1, 5 for 5."""

    def offer(self, packets: Packets, asset: Ints, *, qos: int, timeout_s: float) -> Mask:
        """Hand over packets, which are of the assets ``asset``, int64[M]; wait while there is room for none of them.

        Return which were taken, bool[M]; those of an asset in order. They are numbered from 0 over the life of the
        outlet, in the order of the block: the number is the tag in settled(). Raises BrokerError.
        """

    def settled(self) -> Settled:
        """Take what has been acknowledged or refused since the last call, as columns."""

    def trouble(self) -> str | None:
        """Say why the broker does not hear us, what to do included; None while it does."""


class Gateway:
    """One connection that many assets share: it takes the first of what it is offered, whosever they are."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def version(self) -> int:
        return self._session.version

    def offer(self, packets: Packets, asset: Ints, *, qos: int, timeout_s: float) -> Mask:
        assert len(asset) == packets.number
        taken = self._session.publish_packets(packets, qos=qos, timeout_s=timeout_s)
        return np.arange(packets.number) < taken

    def settled(self) -> Settled:
        return self._session.settled()

    def trouble(self) -> str | None:
        return self._session.trouble()


class Devices:
    """A connection for each device: one that is away or busy holds up none of the others."""

    def __init__(self, swarm: Swarm, device_of: Ints) -> None:
        """``device_of``: int64[assets], the number of the connection of each asset."""
        self._swarm = swarm
        self._device_of = device_of

    @property
    def version(self) -> int:
        return self._swarm.version

    def offer(self, packets: Packets, asset: Ints, *, qos: int, timeout_s: float) -> Mask:
        # what one device can take now is not to wait for another, nor to look as if it had
        return self._swarm.publish_packets(packets, self._device_of[asset], qos=qos, timeout_s=timeout_s, enough=1)

    def settled(self) -> Settled:
        return self._swarm.settled()

    def trouble(self) -> str | None:
        return self._swarm.trouble()


class FewFiles(NamedTuple):
    """Open files that a process needs for its connections, and how many it may have."""

    needed: int
    allowed: int


def short_of_files(connections: int) -> FewFiles | None:
    """Return how many open files so many connections need here, if that is more than a process may have."""
    needed, allowed = files_for(connections), most_files()
    return None if allowed is None or needed <= allowed else FewFiles(needed, allowed)
