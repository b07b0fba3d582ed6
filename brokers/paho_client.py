"""The door to a broker: a paho client made from an Endpoint, and what its failures mean in plain words."""

from __future__ import annotations

import os
import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from paho.mqtt.client import Client, WebsocketConnectionError
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from brokers.endpoint import ON_PASSWORDS, Endpoint
from brokers.errors import BrokerError, RefusedError, UnreachableError

__all__ = [
    "FAILURES",
    "KEEPALIVE_S",
    "REFUSAL",
    "Callbacks",
    "PahoClient",
    "explain",
    "knock",
    "open_client",
    "refusal",
]

ANSWER_S = 5.0
"""How long to wait for a TCP connection, for a TLS handshake, and for CONNACK."""
KEEPALIVE_S = 20
SESSION_EXPIRY_S = 24 * 3600
"""How long a broker keeps the session of a client that is away (MQTT 5; on 3.1.1 it is the broker's choice)."""
REFUSAL = 0x80
"""MQTT 5 reason codes from here on say no."""

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


class PahoClient(Client):
    """A paho client with three holes mended and a wish granted; all need insides that nothing public reaches."""

    _door: socket.socket | None = None

    def _create_socket_connection(self) -> socket.socket:
        """Remember the socket: paho forgets it when what comes next fails, TLS or the way to a WebSocket."""
        self._door = super()._create_socket_connection()
        return self._door

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        self._door = wrapped = super()._ssl_wrap_socket(tcp_sock)
        return wrapped

    def _handle_pubrec(self) -> MQTTErrorCode:
        """End a QoS 2 message that the broker refused; paho goes on with PUBREL and counts it as delivered."""
        packet = self._in_packet["packet"]
        if self._protocol == MQTTProtocolVersion.MQTTv5 and len(packet) > 2 and packet[2] >= REFUSAL:
            mid = int.from_bytes(packet[:2], "big")
            reason = ReasonCode(PacketTypes.PUBREC, identifier=packet[2])
            with self._out_message_mutex:
                if mid in self._out_messages:
                    return self._do_on_publish(mid, reason, Properties(PacketTypes.PUBREC))  # type: ignore[no-untyped-call]
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        return super()._handle_pubrec()

    def _handle_pubrel(self) -> MQTTErrorCode:
        """Answer a PUBREL for a message handed over before the connection broke.

        With manual acknowledgements paho stays silent, and the broker would keep a place of its window for ever.
        """
        mid = int.from_bytes(self._in_packet["packet"][:2], "big")
        with self._in_message_mutex:
            known = mid in self._in_messages
        return super()._handle_pubrel() if known else self._send_pubcomp(mid)

    def ping(self) -> None:
        """Send PINGREQ now."""
        self._send_pingreq()

    def hang_up(self) -> None:
        """Close the socket without a word; messages in flight stay, to be sent after a reconnect."""
        self._reset_sockets()
        if self._door is not None:
            self._door.close()


class Callbacks(NamedTuple):
    """What a client calls; ``on_connect`` adds what CONNACK said to ``answers``."""

    answers: list[ReasonCode]
    on_connect: Callable[..., None]
    on_subscribe: Callable[..., None]
    on_publish: Callable[..., None]
    on_message: Callable[..., None]


def open_client(
    endpoint: Endpoint, client_id: str, *, window: int, keep_session: bool, callbacks: Callbacks
) -> PahoClient:
    """Connect with the newest version that the broker speaks. Raises BrokerError."""
    versions = (5, 4) if endpoint.version is None else (endpoint.version,)
    for version in versions:
        client, arguments = _new_client(endpoint, client_id, version, window=window, keep_session=keep_session)
        _, client.on_connect, client.on_subscribe, client.on_publish, client.on_message = callbacks
        problem: BrokerError
        cause: Exception | None = None
        try:
            reason = knock(client, arguments, callbacks.answers)
        except FAILURES as error:
            problem, cause = explain(error, endpoint), error
            older_may_do = isinstance(error, HungUpError | ConnectionResetError)
        else:
            if not reason.is_failure:
                return client
            problem = refusal(reason, endpoint)
            older_may_do = reason.value == UNSUPPORTED_VERSION
        client.hang_up()
        if not older_may_do:
            break
    raise problem from cause


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
        manual_ack=True,
        reconnect_on_failure=False,  # else a refused 3.1.1 is tried again as 3.1, behind our back
    )
    client.connect_timeout = ANSWER_S
    # The session bounds what is in flight; with a bound of its own paho walks all of it at every PUBACK.
    client.max_inflight_messages_set(0)
    # Packets wait for loop_write() instead of going out inside publish(), before the message id is known.
    client.on_socket_register_write = lambda *_: None
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


def knock(client: PahoClient, arguments: dict[str, Any] | None, answers: list[ReasonCode]) -> ReasonCode:
    """Connect, again if ``arguments`` is None, and wait for CONNACK, which ``on_connect`` adds to ``answers``.

    Raises OSError when the network fails, HungUpError when the broker closes the line without a word.
    """
    answers.clear()
    if arguments is None:
        client.reconnect()
    else:
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
            client.loop_read()
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
