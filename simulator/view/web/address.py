"""Where the page is served, and for whom: a socket that listens before the run begins."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from dataclasses import dataclass, field

from simulator.errors import ScenarioError
from simulator.view.web import HOST, PORT

__all__ = ["Address", "Place", "listen"]

HTTP = 80


@dataclass(frozen=True, slots=True)
class Address:
    """What the command line says about the page."""

    host: str = HOST
    port: int = PORT
    """0: any that is free."""
    language: str = "en"
    """Of who names none."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page really is."""

    host: str
    """As it was asked for."""
    ip: str
    port: int
    token: str | None = field(default=None, repr=False)
    """What a browser has to bring; None on loopback, where only this computer asks."""

    @property
    def is_everywhere(self) -> bool:
        """Whether every address of this computer leads here."""
        return ipaddress.ip_address(self.ip).is_unspecified

    def names(self) -> frozenset[str]:
        """Return under which names a browser of this computer may have come here."""
        return frozenset({self.host.lower(), self.ip, "localhost", "127.0.0.1", "::1"})

    def url(self) -> str:
        """Return what to open, with the token in it if there is one."""
        host = ("::1" if ":" in self.ip else "127.0.0.1") if self.is_everywhere else self.host
        end = "" if self.port == HTTP else f":{self.port}"
        return f"http://{f'[{host}]' if ':' in host else host}{end}/{f'?token={self.token}' if self.token else ''}"


def listen(address: Address) -> tuple[socket.socket, Place]:
    """Listen where the command line says. Raises ScenarioError, before anything has run, where that cannot be."""
    try:
        family, _, _, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server((str(where[0]), address.port), family=family)
    except (OSError, OverflowError, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message = (
            f"--view web: nothing can be served at {address.host} port {address.port}: {said.partition(' (')[0]};"
            " end what listens there, or name another place:"
            " --port 0 takes any free port, --host 127.0.0.1 is this computer"
        )
        raise ScenarioError(message) from None
    ip, port = listener.getsockname()[:2]
    is_loopback = ipaddress.ip_address(ip).is_loopback
    return listener, Place(address.host, ip, port, None if is_loopback else secrets.token_urlsafe(24))
