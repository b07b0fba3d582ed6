"""The servers of the tests do what the tests believe of them."""

from __future__ import annotations

import socket
import subprocess
import urllib.error
from collections.abc import Callable
from pathlib import Path

import child_server
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from servers import HOST, InfluxDB1, Mosquitto, ServerError, ServerMissingError, VictoriaMetrics, until


def connack(broker: Mosquitto, *, user: str | None = None, password: str | None = None) -> int:
    """The reason code with which the broker answers a connection."""
    codes: list[int] = []
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda _client, _data, _flags, reason, _properties: codes.append(reason.value)
    if user:
        client.username_pw_set(user, password)
    client.connect(HOST, broker.port)
    client.loop_start()
    until(lambda: codes, deadline_s=10, what="CONNACK")
    client.disconnect()
    client.loop_stop()
    return codes[0]


def test_mosquitto_takes_a_client(mosquitto_server: Mosquitto) -> None:
    """The broker of a module lets an anonymous client in."""
    assert connack(mosquitto_server) == 0


def test_mosquitto_with_users_refuses_strangers(start_mosquitto: Callable[..., Mosquitto]) -> None:
    """A broker with a password file takes who knows the password and refuses everybody else."""
    broker = start_mosquitto(users={"ana": "right"})
    not_authorised = 135
    assert {
        "right": connack(broker, user="ana", password="right"),
        "wrong": connack(broker, user="ana", password="wrong"),
        "none": connack(broker),
    } == {"right": 0, "wrong": not_authorised, "none": not_authorised}


def test_mosquitto_comes_back_on_its_port(start_mosquitto: Callable[..., Mosquitto]) -> None:
    """A killed broker is gone, and started again it listens on the port it had."""
    broker = start_mosquitto()
    broker.kill()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, broker.port), timeout=5)
    broker.start()
    assert connack(broker) == 0


def test_a_bad_setting_shows_the_log(start_mosquitto: Callable[..., Mosquitto]) -> None:
    """A server that ends while starting is an error at once, with what the server said."""
    with pytest.raises(ServerError, match="Unknown configuration variable"):
        start_mosquitto(settings={"no_such_setting": 1})


def test_a_taken_port_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When somebody else takes the chosen port, another one is chosen."""
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        (free,) = child_server.free_ports(1)
        offers = iter([[taken], [free]])
        monkeypatch.setattr(child_server, "free_ports", lambda count: next(offers))
        with Mosquitto(tmp_path / "broker") as broker:
            assert broker.port == free


def test_leaving_ends_the_process(tmp_path: Path) -> None:
    """No process is left when the context ends."""
    with Mosquitto(tmp_path / "broker") as broker:
        pid = broker.pid
        assert Path(f"/proc/{pid}").exists()
    assert not Path(f"/proc/{pid}").exists()


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is not installed is named, with the package that brings it."""
    with pytest.raises(ServerMissingError, match="no-such-broker is not installed: apt-get install some-package"):
        child_server.program("no-such-broker", "some-package")


def test_victoria_metrics_shows_what_was_written(victoria_metrics: VictoriaMetrics) -> None:
    """A line written through the InfluxDB API is there for a query after the flush."""
    victoria_metrics.request("/api/v2/write?precision=ms", body=b"press,machine=m1 power_kw=41.2 1700000000000")
    assert list(victoria_metrics.series('{machine="m1"}')) == [
        {
            "metric": {"__name__": "press_power_kw", "machine": "m1"},
            "values": [41.2],
            "timestamps": [1700000000000],
        }
    ]


def test_influxdb_shows_what_was_written(influxdb1: InfluxDB1) -> None:
    """A line written to a database of InfluxDB 1 comes back from InfluxQL and from its own command line tool."""
    influxdb1.query("CREATE DATABASE plant")
    influxdb1.request("/write?db=plant&precision=ms", body=b"press,machine=m1 power_kw=41.2 1700000000000")
    (series,) = influxdb1.query("SELECT * FROM press", database="plant")
    assert series["values"] == [[1700000000000, "m1", 41.2]]
    asked = [child_server.program("influx", "influxdb-client"), "-host", HOST, "-port", str(influxdb1.port)]
    asked += ["-database", "plant", "-format", "csv", "-execute", "SELECT count(power_kw) FROM press"]
    answer = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=30)
    assert answer.stdout.splitlines()[-1] == "press,0,1"


def test_influxdb_with_users_refuses_strangers(start_influxdb1: Callable[..., InfluxDB1]) -> None:
    """With users, InfluxDB 1 answers 401 to a request without a login and obeys its administrator."""
    database = start_influxdb1(users={"root": "secret", "bridge": "other"})
    with pytest.raises(urllib.error.HTTPError, match="401") as refusal:
        database.request("/query?q=SHOW+DATABASES")
    refusal.value.close()
    (users,) = database.query("SHOW USERS")
    assert users["values"] == [["root", True], ["bridge", False]]
