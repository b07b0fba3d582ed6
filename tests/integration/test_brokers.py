"""What is special about each broker and about sessions over a real line: start, end, refusals, TLS, overload."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from servers import HOST, Mosquitto, free_ports, until

from brokers import (
    Broker,
    BrokerError,
    EmbeddedBroker,
    Endpoint,
    ExternalBroker,
    ManagedMosquitto,
    Outgoing,
    RefusedError,
    Session,
    StartError,
    UnreachableError,
)
from brokers.inbox import Inbox
from brokers.session import LineSession

DEADLINE_S = 20.0
CANARY = "c4n4ry-s3cr3t"

StartMosquitto = Callable[..., Mosquitto]


@contextmanager
def connected(address: str, name: str, *, window: int = 100, keep: bool = False) -> Iterator[LineSession]:
    session = LineSession(Endpoint.parse(address), name, window=window, keep_session=keep)
    with closing(session):
        yield session


def settled(session: Session) -> dict[int, str | None]:
    """Wait until nothing is in flight; return what was refused, by tag."""
    until(lambda: not session.in_flight(), deadline_s=DEADLINE_S, what="everything to be settled")
    return {ack.tag: ack.refused for ack in session.acknowledgements()}


def is_running(pid: int) -> bool:
    """Say whether a process lives that is no child of ours."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


# Nobody there, or nobody we know


def refused_connection(address: str) -> BrokerError:
    with pytest.raises(BrokerError) as caught, ExternalBroker(Endpoint.parse(address)):
        pass
    assert CANARY not in f"{caught.value} {caught.value!r}"
    return caught.value


@pytest.mark.parametrize("scheme", ["mqtt", "mqtts", "ws", "wss"])
def test_nobody_listens(scheme: str) -> None:
    """A port where nobody listens is told as such, with its address."""
    (port,) = free_ports(1)
    error = refused_connection(f"{scheme}://{HOST}:{port}")
    assert (type(error), error.what) == (UnreachableError, "nobody listens there")
    assert f"{scheme}://{HOST}:{port}" in str(error)


def test_an_unknown_host() -> None:
    """A host name that nobody knows is told as such."""
    assert refused_connection("mqtt://no-such-host.invalid").what == "the host name no-such-host.invalid is not known"


@pytest.mark.parametrize(
    ("scheme", "answer", "problem"),
    [
        ("mqtt", b"", "closed the connection before it answered"),
        ("mqtt", b"HTTP/1.1 400 Bad Request\r\n\r\n", "closed the connection before it answered"),
        ("ws", b"HTTP/1.1 404 Not Found\r\n\r\n", "no MQTT over WebSocket at the path /mqtt"),
        ("mqtts", b"HTTP/1.1 400 Bad Request\r\n\r\n", "TLS handshake failed"),
    ],
)
def test_something_else_listens(scheme: str, answer: bytes, problem: str) -> None:
    """A server that speaks no MQTT is told as such."""
    with socket.create_server((HOST, 0)) as server:

        def serve() -> None:
            # Hung up on, one tries again with the older version of MQTT.
            for _ in range(2 if problem.startswith("closed") else 1):
                connection, _ = server.accept()
                # Whoever has read enough of it hangs up first.
                with connection, suppress(OSError):
                    connection.recv(1000)
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(1000):
                        pass

        threading.Thread(target=serve, daemon=True).start()
        assert problem in refused_connection(f"{scheme}://{HOST}:{server.getsockname()[1]}").what


def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that accepts and stays silent costs a bounded time."""
    monkeypatch.setattr("brokers.paho_client.ANSWER_S", 0.2)
    with socket.create_server((HOST, 0)) as server:
        error = refused_connection(f"mqtt://{HOST}:{server.getsockname()[1]}")
    assert error.what == "no answer within 0.2 s"


@pytest.mark.parametrize("version", ["", "?version=5", "?version=3.1.1"])
def test_a_wrong_password(start_mosquitto: StartMosquitto, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """A wrong password is told as such, and is not repeated; the right one opens the door."""
    server = start_mosquitto(users={"ana": "right"})
    monkeypatch.setenv("WRONG", CANARY)
    monkeypatch.setenv("RIGHT", "right")
    error = refused_connection(f"mqtt://ana:${{WRONG}}@{HOST}:{server.port}{version}")
    assert (type(error), "check user name and password" in error.advice) == (RefusedError, True)
    assert "wants a user name" in refused_connection(f"mqtt://{HOST}:{server.port}{version}").advice
    with ExternalBroker(Endpoint.parse(f"mqtt://ana:${{RIGHT}}@{HOST}:{server.port}{version}")):
        pass


# TLS


@pytest.fixture
def tls(tmp_path: Path, start_mosquitto: StartMosquitto) -> tuple[int, Path]:
    """A mosquitto with a certificate for 127.0.0.1 that signs itself: its port, and the certificate."""
    openssl = shutil.which("openssl")
    if openssl is None and os.environ.get("CI") != "true":
        pytest.skip("openssl is not installed")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=park -addext subjectAltName=IP:{HOST}"
    subprocess.run(
        [openssl or "openssl", *command.split(), "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    (port,) = free_ports(1)
    start_mosquitto(settings={"listener": f"{port} {HOST}\ncertfile {certificate}\nkeyfile {key}"})
    return port, certificate


def test_a_certificate_that_is_not_trusted(tls: tuple[int, Path]) -> None:
    """A certificate that nobody vouches for is refused, with the option that helps."""
    error = refused_connection(f"mqtts://{HOST}:{tls[0]}")
    assert ("certificate is not trusted" in error.what, "ca_file" in error.advice) == (True, True)


@pytest.mark.parametrize("option", ["ca_file={certificate}", "insecure=true"])
def test_messages_over_tls(tls: tuple[int, Path], option: str) -> None:
    """With the authority given, or without checks, messages travel over TLS, large ones too."""
    port, certificate = tls
    with connected(f"mqtts://{HOST}:{port}?{option.format(certificate=certificate)}", "tls") as session:
        session.subscribe("t", qos=1)
        payload = bytes(500_000)
        session.publish([Outgoing("t", payload, 0), Outgoing("t", b"next", 1)], qos=1, timeout_s=DEADLINE_S)
        first = session.receive(limit=1, timeout_s=DEADLINE_S)
        second = session.receive(limit=1, timeout_s=DEADLINE_S)
    assert [delivery.payload for delivery in first + second] == [payload, b"next"]


def test_the_wrong_host_name(tls: tuple[int, Path]) -> None:
    """A certificate for another name than the one dialled is refused."""
    port, certificate = tls
    error = refused_connection(f"mqtts://localhost:{port}?ca_file={certificate}")
    assert "certificate is not trusted" in error.what


def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    """A CA file that is missing or no certificate is told as such."""
    assert "ca_file" in refused_connection(f"mqtts://{HOST}?ca_file={tmp_path / 'none.pem'}").what


# What a broker refuses


@pytest.mark.parametrize("qos", [1, 2])
def test_a_message_that_the_access_list_denies(start_mosquitto: StartMosquitto, qos: int) -> None:
    """With MQTT 5 a denied message comes back refused, never as delivered, and the others go on."""
    server = start_mosquitto(acl="topic readwrite open/#\n")
    with connected(f"mqtt://{HOST}:{server.port}", "acl") as session:
        messages = [Outgoing("closed", b"", 1), Outgoing("open/a", b"", 2), Outgoing("closed", b"", 3)]
        session.publish(messages, qos=qos, timeout_s=DEADLINE_S)
        assert settled(session) == {1: "Not authorized", 2: None, 3: "Not authorized"}
        assert session.counters() == {"refused": 2}


def test_a_message_that_is_too_large(start_mosquitto: StartMosquitto) -> None:
    """A message above the broker's packet size is refused here, as sending it would end the connection."""
    server = start_mosquitto(settings={"max_packet_size": 1000})
    with connected(f"mqtt://{HOST}:{server.port}", "large") as session:
        messages = [Outgoing("t", bytes(1000), 1), Outgoing("t", bytes(900), 2)]
        session.publish(messages, qos=1, timeout_s=DEADLINE_S)
        refused = settled(session)
        assert (refused[1] or "").startswith("Packet too large")
        assert (refused[2], session.counters()) == (None, {"refused": 1})


def test_the_broker_narrows_the_window(start_mosquitto: StartMosquitto) -> None:
    """No more is in flight than the Receive Maximum of the broker, however wide the window was asked."""
    server = start_mosquitto(settings={"max_inflight_messages": 7})
    with connected(f"mqtt://{HOST}:{server.port}", "narrow", window=1000) as session:
        server.freeze()
        taken = session.publish([Outgoing("t", b"", tag) for tag in range(50)], qos=1, timeout_s=0.1)
        server.thaw()
        assert (taken, len(settled(session))) == (7, 7)


@pytest.mark.parametrize("version", ["", "?version=3.1.1"])
def test_qos_2_stays_below_what_mosquitto_loses(start_mosquitto: StartMosquitto, version: str) -> None:
    """With a wide window and mosquitto's defaults, 500 QoS 2 messages arrive, once each and in order."""
    address = f"mqtt://{HOST}:{start_mosquitto().port}{version}"
    with connected(address, "sub", window=1000) as subscriber, connected(address, "pub", window=1000) as publisher:
        subscriber.subscribe("t", qos=2)
        publisher.publish([Outgoing("t", b"%d" % n, n) for n in range(500)], qos=2, timeout_s=DEADLINE_S)
        arrived: list[bytes] = []

        def is_done() -> bool:
            part = subscriber.receive(limit=500, timeout_s=0.2)
            subscriber.acknowledge(part)
            arrived.extend(delivery.payload for delivery in part)
            return len(arrived) >= 500

        until(is_done, deadline_s=DEADLINE_S, what="500 messages")
        settled(publisher)
    assert arrived == [b"%d" % n for n in range(500)]


# A broker that goes and comes back


def test_a_broker_that_crashes(start_mosquitto: StartMosquitto) -> None:
    """While the broker is away publish() takes a window and no more; once it is back everything goes through."""
    server = start_mosquitto()
    with connected(f"mqtt://{HOST}:{server.port}", "crash", window=10) as session:
        session.subscribe("t", qos=1)
        server.kill()
        until(lambda: not session.is_connected(), deadline_s=DEADLINE_S, what="the loss to be noticed")
        messages = [Outgoing("t", b"%d" % n, n) for n in range(15)]
        assert session.publish(messages, qos=1, timeout_s=0.05) == 10
        assert f"mqtt://{HOST}:{server.port}" in (session.trouble() or "")
        server.start()
        assert session.publish(messages[10:], qos=1, timeout_s=DEADLINE_S) == 5
        assert settled(session) == dict.fromkeys(range(15))
        until(session.is_connected, deadline_s=DEADLINE_S, what="the connection to be back")
        assert session.counters()["reconnects"] == 1
        arrived: list[bytes] = []

        def is_done() -> bool:
            part = session.receive(limit=15, timeout_s=0.2)
            session.acknowledge(part)
            arrived.extend(delivery.payload for delivery in part)
            return len(arrived) >= 15

        until(is_done, deadline_s=DEADLINE_S, what="the subscription to work again")
    assert arrived == [message.payload for message in messages]


@pytest.mark.parametrize("version", ["", "?version=3.1.1"])
def test_a_kept_session_that_the_broker_lost(start_mosquitto: StartMosquitto, version: str) -> None:
    """A broker that comes back without our session is subscribed to again, and the loss is counted."""
    server = start_mosquitto()
    with connected(f"mqtt://{HOST}:{server.port}{version}", "lost", keep=True) as session:
        session.subscribe("t", qos=1)
        server.kill()
        server.start()
        until(lambda: "sessions_lost" in session.counters(), deadline_s=DEADLINE_S, what="the loss to be counted")
        session.publish([Outgoing("t", b"after", 0)], qos=1, timeout_s=DEADLINE_S)
        assert [delivery.payload for delivery in session.receive(limit=1, timeout_s=DEADLINE_S)] == [b"after"]


def test_a_password_that_is_changed_meanwhile(start_mosquitto: StartMosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that is no longer let in says why, without the password, and goes on trying."""
    server = start_mosquitto(users={"ana": CANARY})
    monkeypatch.setenv("ANA", CANARY)
    with connected(f"mqtt://ana:${{ANA}}@{HOST}:{server.port}", "changed") as session:
        server.kill()
        server._users["ana"] = "another"
        server.start()
        until(lambda: "check user name" in (session.trouble() or ""), deadline_s=DEADLINE_S, what="the refusal")
        assert CANARY not in (session.trouble() or "")
        assert session.counters()["failed_reconnects"] >= 1


def test_qos_0_does_not_wait_for_a_broker_that_hangs(start_mosquitto: StartMosquitto) -> None:
    """QoS 0 messages are acknowledged when written; once the socket is full, a window of them waits, not more."""
    server = start_mosquitto()
    with connected(f"mqtt://{HOST}:{server.port}", "hang", window=100) as session:
        server.freeze()
        big = [Outgoing("t", bytes(100_000), n) for n in range(1000)]
        taken = session.publish(big, qos=0, timeout_s=1)
        in_flight = session.in_flight()
        server.thaw()
        assert (taken < 1000, in_flight, len(settled(session))) == (True, 100, taken)


def test_qos_0_that_had_not_left_is_sent_again(start_mosquitto: StartMosquitto) -> None:
    """QoS 0 messages that the broken connection had not taken yet go out over the next one."""
    server = start_mosquitto()
    with connected(f"mqtt://{HOST}:{server.port}", "left", window=100) as session:
        server.freeze()
        taken = session.publish([Outgoing("t", bytes(100_000), n) for n in range(1000)], qos=0, timeout_s=1)
        assert session.in_flight() == 100
        server.kill()
        server.start()
        assert settled(session) == dict.fromkeys(range(taken))


def test_a_subscriber_that_is_overrun(start_mosquitto: StartMosquitto) -> None:
    """With the inbox full, QoS 0 is dropped and counted, QoS 1 waits at the broker, and the line stays up."""
    server = start_mosquitto(settings={"max_queued_messages": 0})
    address = f"mqtt://{HOST}:{server.port}"
    with connected(address, "sub", window=1000) as subscriber, connected(address, "pub", window=50) as publisher:
        subscriber.subscribe("t/#", qos=1)
        small = Inbox(max_messages=10, max_bytes=1 << 20)
        subscriber._inbox = subscriber._line._inbox = small
        publisher.publish([Outgoing("t/1", b"", n) for n in range(100)], qos=1, timeout_s=DEADLINE_S)
        publisher.publish([Outgoing("t/0", b"", n) for n in range(100)], qos=0, timeout_s=DEADLINE_S)
        settled(publisher)
        arrived: list[str] = []

        def is_done() -> bool:
            part = subscriber.receive(limit=10, timeout_s=0.2)
            subscriber.acknowledge(part)
            arrived.extend(delivery.topic for delivery in part)
            dropped = subscriber.counters().get("receive_overflow", 0)
            return len(arrived) + dropped >= 200 and arrived.count("t/1") == 100

        until(is_done, deadline_s=DEADLINE_S, what="all QoS 1 messages, and the rest to be accounted for")
        assert (arrived.count("t/0") + subscriber.counters().get("receive_overflow", 0)) == 100
        assert subscriber.is_connected()


def test_pings_go_on_while_nothing_is_received(
    start_mosquitto: StartMosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session whose inbox stays full for several keep-alives keeps its connection, and misses nothing."""
    monkeypatch.setattr("brokers.paho_client.KEEPALIVE_S", 1)
    monkeypatch.setattr("brokers.line.TURN_S", 0.1)
    server = start_mosquitto(settings={"max_inflight_messages": 1000})
    address = f"mqtt://{HOST}:{server.port}"
    with connected(address, "stalled", window=1000) as session, connected(address, "pub") as publisher:
        session._inbox = session._line._inbox = Inbox(max_messages=10, max_bytes=1 << 20)
        session.subscribe("t", qos=1)
        publisher.publish([Outgoing("t", b"", n) for n in range(500)], qos=1, timeout_s=DEADLINE_S)
        pings = "Received PINGREQ from stalled"
        until(lambda: server.log().count(pings) >= 8, deadline_s=DEADLINE_S, what="eight pings")
        waiting = session._line._inbox._messages
        assert waiting < 300  # ten, and what one turn of reading brings
        arrived = 0

        def is_done() -> bool:
            nonlocal arrived
            part = session.receive(limit=500, timeout_s=0.2)
            session.acknowledge(part)
            arrived += len(part)
            return arrived >= 500

        until(is_done, deadline_s=DEADLINE_S, what="500 messages")
        assert (arrived, session.counters()) == (500, {})


def test_an_error_in_the_line_is_survived(start_mosquitto: StartMosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception in the middle of the work is counted, and costs the connection, not the session."""
    server = start_mosquitto()
    with connected(f"mqtt://{HOST}:{server.port}", "error") as session:
        real = session._line._read

        def broken() -> None:
            monkeypatch.setattr(session._line, "_read", real)
            message = "a bug"
            raise KeyError(message)

        monkeypatch.setattr(session._line, "_read", broken)
        session.publish([Outgoing("t", b"", 1)], qos=1, timeout_s=DEADLINE_S)
        assert settled(session) == {1: None}
        assert session.counters() == {"error_KeyError": 1, "reconnects": 1}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_is_told(start_mosquitto: StartMosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the thread of a session ends against all plans, callers get an error instead of waiting for ever."""
    server = start_mosquitto()
    with connected(f"mqtt://{HOST}:{server.port}", "dead") as session:

        def broken() -> None:
            raise SystemError

        monkeypatch.setattr(session._line, "_come_back", broken)
        session._line._connection._transport._door.shutdown(socket.SHUT_RDWR)
        session._line._ring()
        with pytest.raises(BrokerError, match="the session broke: SystemError"):
            session.publish([Outgoing("t", b"", n) for n in range(1000)], qos=1, timeout_s=DEADLINE_S)


# Our own brokers


@pytest.mark.parametrize("kind", [EmbeddedBroker, ManagedMosquitto])
def test_our_broker_ends_with_the_with_statement(kind: Callable[[], Broker]) -> None:
    """After the with statement nobody listens any more, and the directory is gone."""
    broker = kind()
    with broker:
        endpoint = broker.endpoint
        directory = getattr(broker, "_directory", None)
    with pytest.raises(UnreachableError, match="nobody listens"):
        LineSession(endpoint, "late", window=1)
    assert directory is None or not Path(directory.name).exists()
    with pytest.raises(StartError, match="does not run"):
        broker.connect("late", window=1)


@pytest.mark.parametrize("kind", ["EmbeddedBroker", "ManagedMosquitto"])
def test_our_broker_ends_with_a_killed_parent(kind: str, tmp_path: Path) -> None:
    """Killed without a chance to clean up, a process leaves no broker and no file behind."""
    script = f"""
        import brokers, time
        with brokers.{kind}() as broker:
            print(broker._child.pid, flush=True)
            time.sleep(600)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.kill()
    until(lambda: not is_running(pid), deadline_s=DEADLINE_S, what="the broker to end")
    until(lambda: not list(tmp_path.iterdir()), deadline_s=DEADLINE_S, what="its directory to be removed")


def test_the_durable_profile_survives_a_crash() -> None:
    """Within moments of being acknowledged a queued message is on disk, and a crash does not take it."""
    with ManagedMosquitto(durable=True) as broker:
        assert "durable" in broker.profile
        with closing(broker.connect("away", window=10, keep_session=True)) as session:
            session.subscribe("t", qos=1)
        with closing(broker.connect("pub", window=10)) as session:
            session.publish([Outgoing("t", b"a message to keep", 1)], qos=1, timeout_s=DEADLINE_S)
            settled(session)
        assert broker._directory is not None
        assert broker._child is not None
        folder = Path(broker._directory.name)
        saved = folder / "mosquitto.db"
        until(
            lambda: saved.exists() and b"a message to keep" in saved.read_bytes(),
            deadline_s=DEADLINE_S,
            what="the message to be on disk",
        )
        program = broker._child.args[0]
        broker._child.kill()
        broker._child.wait()
        broker._child = subprocess.Popen([program, "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)
        port = broker.endpoint.port
        until(lambda: listens(port), deadline_s=DEADLINE_S, what="mosquitto to be back")
        with closing(broker.connect("away", window=10, keep_session=True)) as session:
            kept = session.receive(limit=10, timeout_s=DEADLINE_S)
    assert [delivery.payload for delivery in kept] == [b"a message to keep"]


def test_the_fast_profile_writes_nothing() -> None:
    """Without durability there is no file of messages, and the profile says that a crash loses them."""
    with ManagedMosquitto(durable=False) as broker:
        assert broker._directory is not None
        broker.connect("client", window=1, keep_session=True).close()
        folder = Path(broker._directory.name)
        broker._stop()
        assert not (folder / "mosquitto.db").exists()
    assert "a crash loses them" in broker.profile


def test_mosquitto_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the program the error says how to get it, and what works without."""
    monkeypatch.setattr("brokers.mosquitto.find_mosquitto", lambda: None)
    with pytest.raises(StartError, match="apt install mosquitto"), ManagedMosquitto():
        pass


def test_mosquitto_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mosquitto that ends at once is reported with its own words."""
    monkeypatch.setattr("brokers.mosquitto.COMMON", "no_such_setting 1\n")
    with pytest.raises(StartError, match="no_such_setting"), ManagedMosquitto():
        pass


def test_mosquitto_takes_another_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that somebody took in the meantime is given up for another."""
    with socket.create_server((HOST, 0)) as taken:
        ports = iter([taken.getsockname()[1], *free_ports(1)])
        monkeypatch.setattr("brokers.mosquitto._free_port", lambda: next(ports))
        with ManagedMosquitto() as broker:
            assert broker.endpoint.port != taken.getsockname()[1]


def test_an_embedded_broker_that_does_not_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A child that ends at once is reported with its own words."""
    (tmp_path / "amqtt.py").write_text("raise ImportError('a broken installation')")
    monkeypatch.setattr("brokers.child.Path", lambda _: tmp_path / "brokers" / "child.py")
    with pytest.raises(StartError, match="a broken installation"), EmbeddedBroker():
        pass
