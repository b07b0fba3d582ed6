"""What the system allows a process that opens very many connections: open files, and ports."""

from __future__ import annotations

import ipaddress
import resource
import socket

from brokers.errors import LimitError

__all__ = ["SPARE_FILES", "Sources", "allow_files", "files_for", "most_files"]

SPARE_FILES = 64
"""Open files that a process needs beside its connections."""
LAST_SOURCE = 250
CROWD = 4000
"""Connections from one address before the next one is used: the more there are, the longer looking for a port takes."""
PORTS = "/proc/sys/net/ipv4/ip_local_port_range"
IP_BIND_ADDRESS_NO_PORT = getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24)


def files_for(connections: int) -> int:
    """Return how many open files a process with so many connections needs."""
    return connections + SPARE_FILES


def most_files() -> int | None:
    """Return how many files this process may have open once it has asked for more; None if there is no limit."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return None if hard == resource.RLIM_INFINITY else hard


def allow_files(connections: int, *, address: str) -> None:
    """Raise the limit of open files as far as the system lets us and so many connections need. Raises LimitError."""
    needed = files_for(connections)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed or soft == resource.RLIM_INFINITY:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(hard, needed) if hard >= 0 else hard))
    except (OSError, ValueError) as error:
        what = f"{connections:,} connections need {needed:,} open files, and this system allows a process {hard:,}"
        advice = f"raise the limit (ulimit -n {needed}, or LimitNOFILE= of the service), or use fewer connections"
        raise LimitError(what, address=address, advice=advice) from error


class Sources:
    """Addresses to connect from. To a broker on this machine there are many, and each has all the ports."""

    def __init__(self, host: str, *, address: str) -> None:
        self._address = address
        try:
            self._is_loopback = ipaddress.IPv4Address(host).is_loopback
        except ValueError:
            self._is_loopback = False
        self._last = 1
        self._given = 0

    def bind(self, door: socket.socket) -> None:
        """Give a socket an address; which of its ports it gets is decided when it connects."""
        if self._is_loopback:
            self._given += 1
            if self._given % CROWD == 0:
                self._last = self._last % LAST_SOURCE + 1
            door.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            door.bind((f"127.0.0.{self._last}", 0))

    def next(self) -> None:
        """Go on with another address as the ports of the present one are used up. Raises LimitError."""
        if self._is_loopback and self._last < LAST_SOURCE:
            self._last += 1
            return
        with open(PORTS, encoding="ascii") as file:  # noqa: PTH123  # of the system, not of ours
            first, last = file.read().split()
        what = f"the ports {first} to {last} of this machine are all in use towards the broker"
        advice = f"widen {PORTS}, give the machine more addresses, or use fewer connections"
        raise LimitError(what, address=self._address, advice=advice)
