"""Where a broker is and what one can do there: Endpoint, and the Broker and Session protocols."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn, Protocol, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from brokers.errors import AddressError

if TYPE_CHECKING:  # NumPy takes a while to import, and an address does not need it
    from brokers.blocks import Arrivals, Packets, Settled

__all__ = ["Acknowledgement", "Broker", "Delivery", "Endpoint", "Outgoing", "Session", "without_secret"]

DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
VERSIONS: dict[str, Literal[4, 5]] = {"3.1.1": 4, "5": 5}
OPTIONS = ("ca_file", "insecure", "password_file", "version")
ENV_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
ON_PASSWORDS = (
    "set an environment variable and name it in the address, as in mqtt://user:${MQTT_PASSWORD}@host, "
    "or put the password in a file and add ?password_file=FILE"
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of a broker, with what it takes to be let in. Its ``str`` and ``repr`` hold no password."""

    scheme: Literal["mqtt", "mqtts", "ws", "wss"]
    host: str
    port: int
    path: str = ""
    """Of the WebSocket; empty for plain MQTT."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    """PEM file with the authority that signed the broker's certificate; None means those of the system."""
    insecure: bool = False
    """Take any certificate: the line is encrypted, but anybody may be at its end."""
    version: Literal[4, 5] | None = None
    """MQTT 5, or 4 for MQTT 3.1.1; None tries 5 and falls back when the broker refuses it."""

    @property
    def tls(self) -> bool:
        return self.scheme in {"mqtts", "wss"}

    @property
    def websocket(self) -> bool:
        return self.scheme in {"ws", "wss"}

    def __str__(self) -> str:
        user = f"{self.username}@" if self.username else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{user}{host}:{self.port}{self.path}"

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read ``mqtt|mqtts|ws|wss://[user[:${ENV}]@]host[:port][/path][?option=value&...]``.

        Options: ``password_file``, ``ca_file``, ``insecure=true``, ``version=5|3.1.1``. Raises AddressError.
        """
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in DEFAULT_PORTS:
            _reject(url, "no broker address that parksim knows", "write mqtt://, mqtts://, ws:// or wss:// and a host")
        credentials, _, where = rest.rpartition("@")
        try:
            parts = urlsplit(f"{scheme}://{where}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
            _reject(url, "host or port cannot be read", "write host:port, an IPv6 host in brackets: [::1]:1883")
        if parts.fragment:
            _reject(url, "there is a # in it", "write %23 if it belongs to a name, else leave it out")
        if not host or port == 0:
            _reject(url, "there is no host, or port 0", "write host:port, as in mqtt://localhost:1883")
        options = _options(url, parts.query)
        username, password = _credentials(url, credentials, options.get("password_file"))
        if parts.path not in {"", "/"} and scheme.startswith("mqtt"):
            _reject(url, "plain MQTT has no path", "leave it out, or use ws:// or wss:// for MQTT over WebSocket")
        if {"ca_file", "insecure"} & options.keys() and scheme in {"mqtt", "ws"}:
            _reject(url, f"certificates mean nothing to {scheme}://", "use mqtts:// or wss:// for TLS")
        return cls(
            scheme=scheme,  # type: ignore[arg-type]
            host=host,
            port=port or DEFAULT_PORTS[scheme],
            path=(parts.path if parts.path not in {"", "/"} else "/mqtt") if scheme.startswith("ws") else "",
            username=username,
            password=password,
            ca_file=options.get("ca_file"),
            insecure=options.get("insecure") == "true",
            version=VERSIONS[options["version"]] if "version" in options else None,
        )


def _reject(url: str, what: str, advice: str) -> NoReturn:
    raise AddressError(what, address=without_secret(url), advice=advice)


def without_secret(address: str) -> str:
    """Cut from an address, well formed or not, whatever may be a secret: all between user and host, all options."""
    scheme, separator, rest = address.rpartition("://")
    credentials, at, where = rest.rpartition("@")
    user = credentials.partition(":")[0]
    before, colon, port = where.rpartition(":")
    if colon and not re.match(r"\d*(/|\?|#|$)", port):  # user:password with the host forgotten
        where = before
    return re.split(r"[?#]", f"{scheme}{separator}{user}{at}{where}")[0]


def _options(url: str, query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if "password" in options:
        _reject(url, "a password in an address shows in process lists and logs", ON_PASSWORDS)
    unknown = sorted(options.keys() - set(OPTIONS))
    if unknown:
        _reject(url, f"unknown option {', '.join(unknown)}", f"known are {', '.join(OPTIONS)}")
    if options.get("insecure", "true") not in {"true", "false"}:
        _reject(url, "insecure is neither true nor false", "write insecure=true, or better ca_file=FILE")
    if "version" in options and options["version"] not in VERSIONS:
        _reject(url, "the version is none that parksim speaks", f"write version={' or version='.join(VERSIONS)}")
    return options


def _credentials(url: str, text: str, password_file: str | None) -> tuple[str | None, str | None]:
    """Return user name and password; a secret comes from the environment or from a file, never from the address."""
    user, colon, secret = text.partition(":")
    username = unquote(user) or None
    password = None
    if colon:
        name = ENV_NAME.fullmatch(unquote(secret))
        if name is None:
            _reject(url, "a password in an address shows in process lists and logs", ON_PASSWORDS)
        if password_file is not None:
            _reject(url, "two passwords, one from the environment and one from a file", "keep one of them")
        password = os.environ.get(name[1])
        if not password:
            _reject(url, f"the environment variable {name[1]} is not set or empty", f"set it: export {name[1]}=…")
    elif password_file is not None:
        try:
            password = Path(password_file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            _reject(url, f"password_file {password_file} cannot be read: {reason}", "check its path and permissions")
        if not password:
            _reject(url, f"password_file {password_file} is empty", "put the password on its first line")
    if password is not None and username is None:
        _reject(url, "a password without a user name", "write the user name before the @, as in mqtt://user@host")
    return username, password


class Outgoing(NamedTuple):
    """A message on its way out."""

    topic: str
    payload: bytes
    tag: int
    """The caller's own number; it comes back in the Acknowledgement."""


class Acknowledgement(NamedTuple):
    """The end of an outgoing message, as far as this hop knows."""

    tag: int
    refused: str | None
    """None if the broker took it (QoS 0: if the socket took it), else the reason it gave."""
    at_ns: int
    """time.monotonic_ns() when it was learnt."""


class Delivery(NamedTuple):
    """A message that came in and waits to be acknowledged."""

    topic: str
    payload: bytes
    qos: int
    epoch: int
    """Which connection it came over: an acknowledgement of an older one is discarded, never sent."""
    mid: int


class Session(Protocol):
    """One MQTT connection with its own window, reconnecting by itself. Safe to use from several threads.

    Messages go one by one (publish, acknowledgements, receive, acknowledge) or in blocks (publish_packets, settled,
    receive_block, acknowledge_block). A session may mix both, but what has been settled, or has come in, is told once:
    to whoever asks first.
    """

    @property
    def version(self) -> int:
        """The version of MQTT that is spoken: 4 for 3.1.1, 5 for 5. Packets have an empty property block in 5."""

    def publish(self, messages: Sequence[Outgoing], *, qos: int, timeout_s: float) -> int:
        """Hand over messages in order; wait while the window is full. Return how many were taken in time."""

    def acknowledgements(self) -> list[Acknowledgement]:
        """Take what has been acknowledged or refused since the last call, oldest first."""

    def in_flight(self) -> int:
        """Messages handed over and not yet acknowledged."""

    def subscribe(self, *patterns: str, qos: int) -> None:
        """Subscribe, wait for all grants together, and again after every reconnect that lost the session.

        Raises BrokerError when the broker refuses one; others may be granted all the same.
        """

    def receive(self, *, limit: int, timeout_s: float) -> list[Delivery]:
        """Take up to ``limit`` messages in arrival order; wait for the first at most ``timeout_s``."""

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge in the order given; those of an earlier connection are dropped: the broker sends them again."""

    def publish_packets(self, packets: Packets, *, qos: int, timeout_s: float) -> int:
        """Hand over packets of this ``qos`` and of this session's version, in order; wait while the window is full.

        Return how many were taken in time. Messages are numbered from 0 over the life of the session, those of
        publish() included: the number of a packet is its tag in settled(). A packet that is longer than the broker
        takes is taken, and settled as refused. Raises BrokerError once the session is closed.
        """

    def settled(self) -> Settled:
        """Take what has been acknowledged or refused since the last call, as columns.

        With 100,000 of them not taken, nothing more is accepted.
        """

    def receive_block(self, *, limit: int, timeout_s: float) -> Arrivals:
        """Take up to ``limit`` messages in arrival order, as columns; wait for the first at most ``timeout_s``."""

    def acknowledge_block(self, arrivals: Arrivals, count: int) -> None:
        """Acknowledge the first ``count`` in order; those of an earlier connection are dropped."""

    def is_connected(self) -> bool:
        """Say whether the broker hears us at this moment."""

    def trouble(self) -> str | None:
        """Say why the broker does not hear us, what to do included; None while it does."""

    def counters(self) -> dict[str, int]:
        """Count what did not go the plain way since the start, by reason, such as reconnects or stale_acks."""

    def close(self, *, timeout_s: float = 5.0) -> None:
        """Wait for what is in flight at most ``timeout_s``, disconnect, free the socket. Twice is once."""


class Broker(Protocol):
    """A broker that this process started, or that someone else runs."""

    profile: str
    """One sentence: what is running, and what it can lose."""
    may_wait: int
    """Messages that may wait in it for one client without any being dropped, as far as we know."""

    @property
    def endpoint(self) -> Endpoint | None:
        """Where it listens, once entered; None if it is in this process and listens nowhere."""

    def connect(self, client_id: str, *, window: int, keep_session: bool = False) -> Session:
        """Open a session, waiting for CONNACK.

        ``window`` bounds what is in flight both ways; ``keep_session`` asks the broker to keep subscriptions and
        messages across reconnects. Raises BrokerError when nobody answers or the broker refuses us.
        """

    @property
    def process_id(self) -> int | None:
        """The process of a broker of our own, while it runs; None of one in this process or of someone else."""

    def death(self) -> str | None:
        """Say how a broker of our own has ended by itself; None while it lives, and of one that someone else runs."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
