"""The line to a broker: the one thread that touches paho, and brings the line back when it breaks."""

from __future__ import annotations

import contextlib
import random
import select
import socket
import threading
import time
from collections import Counter, deque
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from brokers.endpoint import Acknowledgement, Delivery, Endpoint, Outgoing
from brokers.inbox import Inbox
from brokers.outbox import Outbox
from brokers.paho_client import FAILURES, KEEPALIVE_S, REFUSAL, Callbacks, explain, knock, open_client, refusal
from brokers.subscriptions import Subscriptions, Wish

__all__ = ["Line"]

READS_PER_TURN = 256
TURN_S = 1.0
"""How often the keep-alive is looked after when nothing happens."""
BACK_OFF_FIRST_S = 0.1
BACK_OFF_MOST_S = 15.0
STEADY_S = 5.0
"""A line that held for so long starts over with the shortest back-off."""
GOODBYE_S = 1.0
HEADERS = 12
"""Bytes of an MQTT 5 PUBLISH beside topic and payload, at most."""


class Line:
    """Carries what is in the Outbox to the broker and what comes to the Inbox, as long as it is open.

    What callers hand over waits in the two boxes, so nothing piles up in paho while the broker is away, no callback
    races a caller, and the order stands over a reconnect.
    """

    def __init__(
        self, endpoint: Endpoint, client_id: str, outbox: Outbox, inbox: Inbox, *, window: int, keep_session: bool
    ) -> None:
        """Connect with the newest version that the broker speaks. Raises BrokerError."""
        self.trouble: str | None = None
        self.counters: Counter[str] = Counter()
        self._endpoint = endpoint
        self._keep_session = keep_session
        self._outbox = outbox
        self._inbox = inbox
        self._subscriptions = Subscriptions()
        self._answers: list[ReasonCode] = []
        self._epoch = 0
        self._max_packet: int | None = None
        self._tags: dict[int, int] = {}
        self._unwritten: deque[tuple[MQTTMessageInfo, Outgoing]] = deque()
        self._settled: list[Acknowledgement] = []
        self._arrived: list[Delivery] = []
        self._unacknowledged: set[int] = set()
        self._heard = 0
        self._stop = threading.Event()
        self._back_off_s = BACK_OFF_FIRST_S
        self._connected_s = self._pinged_s = 0.0
        self._client = open_client(
            endpoint, client_id, window=window, keep_session=keep_session, callbacks=self._callbacks()
        )
        self._bell, self._sleeper = socket.socketpair()
        self._bell.setblocking(False)
        self._sleeper.setblocking(False)
        self._ringing = False
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{client_id}", daemon=True)
        self._thread.start()

    # From any thread

    def wake(self) -> None:
        """Have the thread look into the boxes."""
        if not self._ringing:
            self._ringing = True
            with contextlib.suppress(OSError):  # full: it rings already; closed: nobody sleeps
                self._bell.send(b"\0")

    def ask(self, wish: Wish) -> None:
        """Send a subscription; ``wish.answered`` is set on SUBACK."""
        self._subscriptions.ask(wish)
        self.wake()

    @property
    def knows_receive_maximum(self) -> bool:
        """Whether the broker tells how many messages it takes at once, as it does in MQTT 5."""
        return self._client.protocol == MQTTProtocolVersion.MQTTv5

    def is_open(self) -> bool:
        """Say whether anybody still carries what is in the boxes."""
        return not self._ended

    def close(self, timeout_s: float) -> None:
        """Say goodbye to the broker. A thread that hangs in a connect ends by itself when that has failed."""
        self._stop.set()
        self.wake()
        self._thread.join(timeout_s)

    # In the thread

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._talk()
                if self._stop.is_set():
                    self._say_goodbye()
                else:
                    self._come_back()
        except BaseException as error:
            self.trouble = f"{type(error).__name__}: {error}"  # publish() and receive() raise it to the callers
            raise
        finally:
            self._ended = True
            self.trouble = self.trouble or "the session is closed"
            self._client.hang_up()
            self._bell.close()
            self._sleeper.close()
            self._outbox.close()
            self._inbox.close()

    def _talk(self) -> None:
        """Work until the line breaks, or until stopped."""
        client, door = self._client, self._client.socket()
        if door is None:
            return
        pending = getattr(door, "pending", lambda: 0)  # TLS may hold bytes that poll cannot see
        poll = select.poll()  # select.select() fails from file descriptor 1024 on
        poll.register(self._sleeper, select.POLLIN)
        door_number = door.fileno()
        try:
            while client.socket() is not None and not self._stop.is_set():
                self._hand_over()
                self._write()
                reading = not self._inbox.is_full()
                interest = (select.POLLIN if reading else 0) | (select.POLLOUT if client.want_write() else 0)
                if client.socket() is None:
                    return
                poll.register(door_number, interest)
                more = reading and pending() > 0
                for number, mask in poll.poll(0 if more else TURN_S * 1000):
                    if number == door_number:
                        more |= bool(mask & ~select.POLLOUT)
                    else:
                        # In this order: a ring between the two finds the bell ringing, and what it rang for is
                        # handed over next. The other way round its byte would be gone and the bell stuck.
                        self._sleeper.recv(64)
                        self._ringing = False
                if more:
                    self._read()
                self._stay_alive(reading=reading)
        except Exception as error:  # noqa: BLE001  # whatever paho trips over costs the connection, not the session
            self.counters[f"error_{type(error).__name__}"] += 1
            self.trouble = f"{self._endpoint}: {type(error).__name__}: {error}"
            client.hang_up()
        finally:
            self._report()

    def _hand_over(self) -> None:
        """Give paho what callers asked for: subscriptions, acknowledgements, messages."""
        client = self._client
        self._subscriptions.send(client)
        while (delivery := self._inbox.next_accepted()) is not None:
            if delivery.epoch != self._epoch:
                self.counters["stale_acks"] += 1
            elif delivery.mid not in self._unacknowledged:
                self.counters["repeated_acks"] += 1
            else:
                self._unacknowledged.discard(delivery.mid)
                client.ack(delivery.mid, delivery.qos)
        for qos, message in self._outbox.collect():
            self._send(message, qos)

    def _send(self, message: Outgoing, qos: int) -> None:
        refused = None
        try:
            size = HEADERS + len(message.topic.encode()) + len(message.payload)
            if self._max_packet is not None and size > self._max_packet:
                refused = f"Packet too large: {size} bytes, the broker takes {self._max_packet}"
            elif not message.topic or "\0" in message.topic:
                # The broker would hang up on it, and paho send it again after every reconnect.
                refused = "Topic name invalid: empty, or with the character U+0000"
            else:
                info = self._client.publish(message.topic, message.payload, qos)
                while info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:  # this number is in flight still, take the next
                    info = self._client.publish(message.topic, message.payload, qos)
        except ValueError as error:
            refused = f"not a valid message: {error}"
        if refused is not None:
            self._settle(message.tag, refused)
        elif qos == 0:
            self._unwritten.append((info, message))
        else:
            self._tags[info.mid] = message.tag

    def _write(self) -> None:
        client = self._client
        if client.want_write():
            client.on_publish = None  # else paho builds two objects per QoS 0 message only to say that it is written
            client.loop_write()
            client.on_publish = self._on_publish
        all_written = client.socket() is not None and not client.want_write()
        while self._unwritten and (all_written or self._unwritten[0][0].is_published()):
            self._settle(self._unwritten.popleft()[1].tag, None)
        self._report()

    def _read(self) -> None:
        for _ in range(READS_PER_TURN):
            heard = self._heard
            code = self._client.loop_read()  # one packet or, while some of ours are in flight, as many as those
            done = code != MQTTErrorCode.MQTT_ERR_SUCCESS or self._heard == heard
            if done or len(self._arrived) >= READS_PER_TURN:
                break
        self._report()

    def _report(self) -> None:
        """Tell the boxes once for many messages."""
        if self._settled:
            self._outbox.settle(self._settled)
            self._settled = []
        if self._arrived:
            dropped = self._inbox.put(self._arrived)
            if dropped:
                self.counters["receive_overflow"] += dropped
            self._arrived = []

    def _settle(self, tag: int, refused: str | None) -> None:
        if refused is not None:
            self.counters["refused"] += 1
        self._settled.append(Acknowledgement(tag, refused, time.monotonic_ns()))

    def _stay_alive(self, *, reading: bool) -> None:
        if reading:
            self._client.loop_misc()
            self._pinged_s = 0.0
        elif time.monotonic() - self._pinged_s > KEEPALIVE_S / 2:
            # With a full inbox nothing is read, PINGRESP neither: paho would give up a line that is in order.
            self._pinged_s = time.monotonic()
            self._client.ping()

    def _come_back(self) -> None:
        """Connect again, ever less often; on return the line is open, or the session stopped."""
        self.trouble = self.trouble or f"{self._endpoint}: the connection is lost; trying again"
        self._take_back()
        if time.monotonic() - self._connected_s > STEADY_S:
            self._back_off_s = BACK_OFF_FIRST_S
        while not self._stop.wait(self._back_off_s * random.uniform(0.5, 1.0)):  # noqa: S311  # no secret, only jitter
            self._back_off_s = min(self._back_off_s * 2, BACK_OFF_MOST_S)
            try:
                reason = knock(self._client, None, self._answers)
            except FAILURES as error:
                self.trouble = str(explain(error, self._endpoint))
            else:
                if not reason.is_failure:
                    self.counters["reconnects"] += 1
                    return
                self.trouble = str(refusal(reason, self._endpoint))
            self.counters["failed_reconnects"] += 1
            self._client.hang_up()

    def _take_back(self) -> None:
        """Save what was with paho and what paho does not keep: QoS 0 messages not yet written, open subscriptions."""
        lost = []
        for info, message in self._unwritten:
            if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS and info.is_published():
                self._settle(message.tag, None)
            else:
                lost.append((0, message))
        self._unwritten.clear()
        self._outbox.put_back(lost)
        self._subscriptions.lose_connection()
        self._report()

    def _say_goodbye(self) -> None:
        deadline = time.monotonic() + GOODBYE_S
        self._hand_over()
        self._client.disconnect()
        while self._client.socket() is not None and time.monotonic() < deadline:
            self._client.loop_write()
            if self._client.want_write():
                poll = select.poll()
                poll.register(self._client.socket(), select.POLLOUT)  # type: ignore[arg-type]
                poll.poll(100)

    # Called by paho, in the thread

    def _callbacks(self) -> Callbacks:
        return Callbacks(self._answers, self._on_connect, self._on_subscribe, self._on_publish, self._on_message)

    def _on_connect(
        self, client: Client, _data: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self._answers.append(reason)
        if reason.is_failure:
            return
        self._epoch += 1
        self._unacknowledged.clear()
        self._connected_s = time.monotonic()
        self._pinged_s = 0.0
        self.trouble = None
        self._max_packet = getattr(properties, "MaximumPacketSize", None)
        self._outbox.narrow(getattr(properties, "ReceiveMaximum", 65_535))
        if not flags.session_present and self._epoch > 1:
            if self._keep_session:
                self.counters["sessions_lost"] += 1
            self._subscriptions.lose_session()
            self._subscriptions.send(client)  # before paho sends again what was in flight: it may be for us

    def _on_subscribe(
        self, _client: Client, _data: Any, mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        self._heard += 1
        lost = self._subscriptions.heard(mid, reasons[0])
        if lost is not None:
            self.counters["resubscribe_refused"] += 1
            self.trouble = f"{self._endpoint}: {lost.pattern!r} was refused after a reconnect: {lost.refused}"

    def _on_publish(
        self, _client: Client, _data: Any, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self._heard += 1
        tag = self._tags.pop(mid, None)
        if tag is not None:
            self._settle(tag, str(reason) if reason.value >= REFUSAL else None)

    def _on_message(self, client: Client, _data: Any, message: MQTTMessage) -> None:
        self._heard += 1
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self.counters["receive_malformed_topic"] += 1
            client.ack(message.mid, message.qos)
            return
        if message.qos:
            self._unacknowledged.add(message.mid)
        self._arrived.append(Delivery(topic, bytes(message.payload), message.qos, self._epoch, message.mid))
