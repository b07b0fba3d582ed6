"""The configurations of the stack in the programs that they are for, where these are installed."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from child_server import Server, program, until
from commands import Parksim, parksim
from servers import HOST, InfluxDB1, Mosquitto

__all__ = ["parksim"]

pytestmark = pytest.mark.no_cover
STACK = Path(__file__).parents[2] / "configs" / "stack"


class StackMosquitto(Mosquitto):
    """Mosquitto with the very file of the stack, but for its port and a folder that only the image has."""

    def command(self) -> list[str]:
        command = super().command()
        text = (STACK / "mosquitto-stack.conf").read_text()
        text = text.replace("listener 1883\n", f"listener {self.port} {HOST}\n")
        text = text.replace("/mosquitto/data/", f"{self.folder}/")
        user = "user root\n" if os.geteuid() == 0 else ""
        Path(command[-1]).write_text(text + user)
        return command


class Telegraf(Server):
    """Telegraf with the very file of the stack, but for addresses, and InfluxDB 1 in place of 2."""

    def __init__(self, folder: Path, broker: Mosquitto, database: InfluxDB1, *, kept: bool = True) -> None:
        super().__init__(folder)
        self._broker = broker
        self._database = database
        self._kept = kept

    def command(self) -> list[str]:
        text, _, _ = (STACK / "telegraf.conf").read_text().partition("[[outputs.influxdb_v2]]")
        text = text.replace("tcp://mosquitto:1883", f"tcp://{HOST}:{self._broker.port}")
        text = text.replace('id = "files"', f'id = "files"\n  path = "{self.folder}"')
        text = text.replace("persistent_session = true", f"persistent_session = {str(self._kept).lower()}")
        text += f'[[outputs.influxdb]]\n  urls = ["{self._database.url}"]\n  database = "park"\n'
        conf = self.folder / "telegraf.conf"
        conf.write_text(text)
        return [program("telegraf", "telegraf"), "--config", str(conf)]

    def answers(self) -> bool:
        return "[inputs.mqtt_consumer] Connected" in self.log_of_this_start()


def listen(name: str, port: int, heard: list[bytes]) -> tuple[paho.Client, list[int]]:
    """A client with a kept session; the second list is no longer empty once its subscription stands."""
    granted: list[int] = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, name, clean_session=False)
    client.on_connect = lambda *_: client.subscribe("park/#", qos=1)
    client.on_subscribe = lambda *_: granted.append(1)
    client.on_message = lambda *about: heard.append(about[2].payload)
    client.connect(HOST, port)
    client.loop_start()
    return client, granted


def test_the_broker_of_the_stack_keeps_what_waits_through_a_crash(
    start_mosquitto: Callable[..., Mosquitto], tmp_path: Path
) -> None:
    """5,000 messages for a subscriber that is away, five times mosquitto's default, saved, and then SIGKILL."""
    start_mosquitto().stop()  # skips where there is none
    heard: list[bytes] = []
    with StackMosquitto(tmp_path / "stack") as broker:
        away, granted = listen("bridge", broker.port, heard)
        until(lambda: granted, deadline_s=10, what="a subscription")
        away.disconnect()
        away.loop_stop()
        publisher = paho.Client(paho.CallbackAPIVersion.VERSION2, "publisher")
        publisher.max_inflight_messages_set(1_000)
        publisher.connect(HOST, broker.port)
        publisher.loop_start()
        sent = [publisher.publish("park/press-1", str(number), qos=1) for number in range(5_000)]
        for one in sent:
            one.wait_for_publish(30)
        saved = tmp_path / "stack" / "mosquitto.db"
        before = saved.stat().st_mtime_ns if saved.exists() else 0
        until(lambda: saved.exists() and saved.stat().st_mtime_ns > before, deadline_s=10, what="a saving")
        broker.kill()
        publisher.loop_stop()
        broker.start()
        back, _ = listen("bridge", broker.port, heard)
        until(lambda: len(heard) >= 5_000, deadline_s=20, what="5,000 messages")
        back.disconnect()
        back.loop_stop()
    assert sorted(map(int, heard)) == list(range(5_000))


@pytest.mark.parametrize("kept", [True, False], ids=["as it is", "without its kept session"])
def test_parksim_audits_telegraf(
    tmp_path: Path, start_mosquitto: Callable[..., Mosquitto], influxdb1: InfluxDB1, parksim: Parksim, *, kept: bool
) -> None:
    """Telegraf, killed three times, has every value in the database; without its session verify says what it lost."""
    broker = start_mosquitto(settings={"max_inflight_messages": 1_000, "max_queued_messages": 0})
    influxdb1.query("drop database park")
    influxdb1.query("create database park")
    if shutil.which("telegraf") is None:
        pytest.skip("telegraf is not installed, and Debian has none")
    result = tmp_path / "result.json"
    over = threading.Event()

    def killer() -> None:
        for _ in range(3):
            if not over.wait(3):
                telegraf.kill()
                over.wait(1)
                telegraf.start()

    with Telegraf(tmp_path / "telegraf", broker, influxdb1, kept=kept) as telegraf:
        thread = threading.Thread(target=killer)
        thread.start()
        ways = ("--broker", f"mqtt://{HOST}:{broker.port}", "--store", "none", "--view", "none")
        ended = parksim("run", STACK / "audited.yaml", "--for", "3m", "--speed", "12", *ways, "--summary", result)
        over.set()
        thread.join()
        assert ended.code == 0
        store = f"influxdb://{HOST}:{influxdb1.port}/park"

        def settled() -> bool:
            return parksim("verify", result, "--store", store).code == 0

        if kept:
            until(settled, deadline_s=30, what="the last rows")
    report = json.loads(parksim("verify", result, "--store", store).out)
    assert report["expected"] > 3_000
    assert (report["missing"] > 0) is not kept
    assert (report["extra"], report["different"], report["duplicate"]) == (0, 0, 0)
