"""The door to a broker: a paho client made from an Endpoint, and what its failures mean in plain words."""

from __future__ import annotations

import os
import select
import socket
import ssl
import time
from typing import Any, NamedTuple

from paho.mqtt.client import Client, ConnectFlags, WebsocketConnectionError, _WebsocketWrapper
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from brokers.endpoint import ON_PASSWORDS, Endpoint
from brokers.errors import BrokerError, RefusedError, UnreachableError
from brokers.transport import Transport, WebSocket

__all__ = ["KEEPALIVE_S", "MOST_PACKET", "Door", "Opener", "explain"]

ANSWER_S = 5.0
"""How long to wait for a TCP connection, for a TLS handshake, and for CONNACK."""
KEEPALIVE_S = 20
SESSION_EXPIRY_S = 24 * 3600
"""How long a broker keeps the session of a client that is away (MQTT 5; on 3.1.1 it is the broker's choice)."""
MOST_PACKET = 64 * 1024 * 1024
"""Bytes of the largest packet that we take. An MQTT 5 broker is told, and drops for us what is larger."""

UNSUPPORTED_VERSION = 0x84
WRONG_CREDENTIALS = {0x86, 0x87}

FAILURES = (OSError, ValueError, IndexError)
"""What paho raises on the way in; the last two when the other side speaks neither HTTP nor MQTT."""


class HungUpError(ConnectionError):
    """The other side closed the line without a CONNACK."""


class TlsSocket(ssl.SSLSocket):
    """A TLS socket that closes when the handshake fails; paho forgets it then, and it would stay open."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002  # as its parent has it
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


class Answer(NamedTuple):
    """What CONNACK said."""

    reason: ReasonCode
    session_present: bool
    properties: Properties | None


class PahoClient(Client):
    """A paho client that lets go of its socket; that needs insides which nothing public reaches."""

    _door: socket.socket | None = None

    def _create_socket_connection(self) -> socket.socket:
        """Remember the socket: paho forgets it when what comes next fails, TLS or the way to a WebSocket."""
        self._door = super()._create_socket_connection()
        return self._door

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        self._door = wrapped = super()._ssl_wrap_socket(tcp_sock)
        return wrapped

    def take_over(self, address: str) -> Transport:
        """Take the open connection away from paho, with what it has read from a WebSocket and not used yet."""
        door, inner = self._door, self._sock
        assert door is not None
        self._door = self._sock = None
        self._reset_sockets()
        if isinstance(inner, _WebsocketWrapper):
            first = bytes(inner._readbuffer)  # noqa: SLF001
            skip = inner._payload_head  # noqa: SLF001
            return WebSocket(door, address=address, first=first, skip=skip)
        return Transport(door)

    def hang_up(self) -> None:
        """Close the socket without a word."""
        self._reset_sockets()
        if self._door is not None:
            self._door.close()


class Door(NamedTuple):
    """An open connection, and what CONNACK said about it."""

    transport: Transport
    session_present: bool
    receive_maximum: int
    """How many messages of QoS 1 and 2 the broker takes at once."""
    max_packet: int | None
    """Bytes of the largest packet that it takes; None if it did not say."""
    max_qos: int
    keepalive_s: float
    """After how long without a word from us the broker hangs up; 0 for never."""


class Opener:
    """Opens connections to one broker, all with the version of MQTT that the first one found."""

    def __init__(self, endpoint: Endpoint, client_id: str, *, window: int, keep_session: bool) -> None:
        self.version = 0
        """4 for MQTT 3.1.1, 5 for MQTT 5; known once a door was opened."""
        self._endpoint = endpoint
        self._client_id = client_id
        self._window = window
        self._keep_session = keep_session

    def open(self) -> Door:
        """Connect, the first time with the newest version that the broker speaks. Raises BrokerError."""
        known = self.version or self._endpoint.version
        problem: BrokerError | None = None
        for version in (5, 4) if known is None else (known,):
            client, arguments = self._client(version)
            cause: Exception | None = None
            try:
                answer = knock(client, arguments)
            except FAILURES as error:
                problem, cause = explain(error, self._endpoint), error
                older_may_do = isinstance(error, HungUpError | ConnectionResetError)
            else:
                if not answer.reason.is_failure:
                    self.version = version
                    return _door(client, answer, self._endpoint)
                problem = refusal(answer.reason, self._endpoint)
                older_may_do = answer.reason.value == UNSUPPORTED_VERSION
            client.hang_up()
            if not older_may_do:
                break
        assert problem is not None
        raise problem from cause

    def _client(self, version: int) -> tuple[PahoClient, dict[str, Any]]:
        return _new_client(
            self._endpoint, self._client_id, version, window=self._window, keep_session=self._keep_session
        )


def _door(client: PahoClient, answer: Answer, endpoint: Endpoint) -> Door:
    said = answer.properties
    return Door(
        transport=client.take_over(str(endpoint)),
        session_present=answer.session_present,
        receive_maximum=getattr(said, "ReceiveMaximum", 65_535),
        max_packet=getattr(said, "MaximumPacketSize", None),
        max_qos=getattr(said, "MaximumQoS", 2),
        keepalive_s=getattr(said, "ServerKeepAlive", KEEPALIVE_S),
    )


def _new_client(
    endpoint: Endpoint, client_id: str, version: int, *, window: int, keep_session: bool
) -> tuple[PahoClient, dict[str, Any]]:
    """Make a client and the arguments for its ``connect``. Raises UnreachableError when a CA file cannot be used."""
    v5 = version == MQTTProtocolVersion.MQTTv5
    client = PahoClient(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=MQTTProtocolVersion(version),
        transport="websockets" if endpoint.websocket else "tcp",
        clean_session=None if v5 else not keep_session,
        reconnect_on_failure=False,  # else a refused 3.1.1 is tried again as 3.1, behind our back
    )
    client.connect_timeout = ANSWER_S
    if endpoint.username is not None:
        client.username_pw_set(endpoint.username, endpoint.password)
    if endpoint.websocket:
        client.ws_set_options(path=endpoint.path)
    if endpoint.tls:
        client.tls_set_context(_tls_context(endpoint))
        client.tls_insecure_set(endpoint.insecure)
    arguments: dict[str, Any] = {"host": endpoint.host, "port": endpoint.port, "keepalive": KEEPALIVE_S}
    if v5:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = window
        properties.MaximumPacketSize = MOST_PACKET
        if keep_session:
            properties.SessionExpiryInterval = SESSION_EXPIRY_S
        # paho's default starts clean once per process, which wipes what the broker kept for us.
        arguments |= {"clean_start": not keep_session, "properties": properties}
    return client, arguments


def _tls_context(endpoint: Endpoint) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=endpoint.ca_file)
    except (OSError, ssl.SSLError) as error:
        what = f"ca_file {endpoint.ca_file} cannot be used: {error.strerror or error}"
        raise UnreachableError(what, address=str(endpoint), advice="give the path of a PEM file") from error
    context.sslsocket_class = TlsSocket
    if endpoint.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def knock(client: PahoClient, arguments: dict[str, Any]) -> Answer:
    """Connect and wait for CONNACK.

    Raises OSError when the network fails, HungUpError when the broker closes the line without a word.
    """
    answers: list[Answer] = []

    def hear(
        _client: Client, _data: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        answers.append(Answer(reason, flags.session_present, properties))

    client.on_connect = hear
    client.connect(**arguments)
    deadline = time.monotonic() + ANSWER_S
    door = client.socket()
    if door is not None:
        _write_at_once(door.fileno())
    while door is not None and not answers and client.socket() is not None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        client.loop_write()
        poll = select.poll()  # select.select() fails from file descriptor 1024 on
        poll.register(door, select.POLLIN | (select.POLLOUT if client.want_write() else 0))
        if poll.poll(left * 1000):
            client.loop_read()  # one packet, and no byte of what follows it
    if not answers:
        raise HungUpError
    return answers[0]


def _write_at_once(fileno: int) -> None:
    """Turn off Nagle, which paho leaves on: a small PUBACK would wait for the peer's delayed ACK, 40 ms each."""
    with socket.socket(fileno=os.dup(fileno)) as same:
        same.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def refusal(reason: ReasonCode, endpoint: Endpoint) -> RefusedError:
    """Say in plain words what a CONNACK with a failure means."""
    advice = "look into the broker's log for the reason"
    if reason.value in WRONG_CREDENTIALS:
        advice = "check user name and password, and what the broker allows them"
        if endpoint.username is None:
            advice = "the broker wants a user name: " + ON_PASSWORDS
    return RefusedError(f"the broker refuses the connection: {reason}", address=str(endpoint), advice=advice)


def explain(error: Exception, endpoint: Endpoint) -> UnreachableError:
    """Say in plain words what a network error on the way to the broker means."""
    reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
    what, advice = f"the connection failed: {reason}", "check host, port and network"
    if isinstance(error, ssl.SSLCertVerificationError):
        what = f"the broker's certificate is not trusted: {error.verify_message}"
        advice = "give the authority that signed it with ?ca_file=FILE, and the host name that stands in it"
    elif isinstance(error, ssl.SSLError):
        what = f"the TLS handshake failed: {error.reason or error}"
        advice = "does this port speak TLS? For plain MQTT write mqtt:// or ws://"
    elif isinstance(error, ConnectionRefusedError):
        what, advice = "nobody listens there", "start the broker, or check host and port"
    elif isinstance(error, socket.gaierror):
        what, advice = f"the host name {endpoint.host} is not known", "check its spelling and the name service"
    elif isinstance(error, WebsocketConnectionError):
        what = f"no MQTT over WebSocket at the path {endpoint.path}"
        advice = "check port and path; brokers often use /mqtt"
    elif isinstance(error, HungUpError | ConnectionResetError):
        what = "the other side closed the connection before it answered CONNECT"
        advice = "is it an MQTT broker, and does this port want TLS (mqtts://) or WebSocket (ws://)?"
    elif isinstance(error, TimeoutError):
        what, advice = f"no answer within {ANSWER_S:g} s", "check host, port and firewall; is it an MQTT broker?"
    return UnreachableError(what, address=str(endpoint), advice=advice)
