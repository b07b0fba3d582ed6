"""Ingesters that are not ours write under the names that the scenario gives: what the files of Telegraf and EMQX say.

tests/integration/test_stack_servers.py has Telegraf itself. Nothing here runs EMQX.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

from commands import Parksim, parksim
from parks import CONFIGS, MONDAY_NS
from ruamel.yaml import YAML

from simulator.batch import Catalog
from simulator.park.world import World
from simulator.scenario.loader import Loaded, load_scenario

__all__ = ["parksim"]

STACK = CONFIGS / "stack"


@cache
def audited() -> tuple[Loaded, Catalog]:
    """The scenario that is written by somebody else, and what is sent in it."""
    loaded = load_scenario(STACK / "audited.yaml")
    return loaded, World(loaded.scenario, loaded.types, MONDAY_NS).catalog


def test_the_audited_park_runs(parksim: Parksim) -> None:
    """A simulated minute of it, without a store, as the publisher of the stack does it."""
    arguments = ("--for", "1m", "--speed", "max", "--broker", "memory", "--store", "none", "--view", "none")
    assert parksim("run", STACK / "audited.yaml", *arguments).code == 0


def telegraf() -> dict[str, Any]:
    return tomllib.loads((STACK / "telegraf.conf").read_text())


def broker_window() -> int:
    """How many messages the broker of the stack sends before the first acknowledgement."""
    found = re.search(
        r"^max_inflight_messages (\d+)$", (STACK / "mosquitto-stack.conf").read_text(), flags=re.MULTILINE
    )
    assert found is not None
    return int(found[1])


def fits(pattern: str, topic: str) -> bool:
    """Say whether an MQTT topic filter takes a topic."""
    escaped = re.escape(pattern).replace(r"\+", "[^/]+").replace("/\\#", "(/.*)?")
    return re.fullmatch(escaped, topic) is not None


def test_telegraf_is_sent_everything_once() -> None:
    """Its subscriptions take every topic of the scenario; the session is kept, and no larger than the broker allows."""
    (consumer,) = telegraf()["inputs"]["mqtt_consumer"]
    _, catalog = audited()
    taken = [sum(fits(pattern, asset.topic) for pattern in consumer["topics"]) for asset in catalog.assets]
    assert set(taken) == {1}
    assert not fits("binh-duong/+/+", "binh-duong/vsip2a")
    assert (consumer["qos"], consumer["persistent_session"]) == (1, True)
    assert consumer["client_id"]
    assert consumer["max_undelivered_messages"] <= broker_window()


def test_telegraf_writes_under_the_names_that_the_scenario_gives() -> None:
    """What `stored:` says, so that parksim verify finds it; the time is that of the payload."""
    conf = telegraf()
    (consumer,) = conf["inputs"]["mqtt_consumer"]
    loaded, catalog = audited()
    stored = loaded.scenario.stored
    assert stored is not None
    assert (consumer["name_override"], consumer["topic_tag"]) == (stored.measurement, stored.topic_tag)
    assert (consumer["data_format"], consumer["json_time_key"], consumer["json_time_format"]) == (
        "json",
        "t",
        "unix_ms",
    )
    renamed = {one["field"]: one["dest"] for part in conf["processors"]["rename"] for one in part["replace"]}
    assert renamed == {"n": stored.fields.get("seq", "seq")}
    (parsing,) = consumer["topic_parsing"]
    levels = {len(asset.path) for asset in catalog.assets if asset.kind not in {"kpi", "truth"}}
    assert {len(parsing["topic"].split("/")), len(parsing["tags"].split("/"))} == levels


def test_telegraf_reads_its_token_from_a_secret_that_it_has() -> None:
    """`@{store:name}` names a secret store of the file and a secret of the service."""
    conf = telegraf()
    services = YAML(typ="safe").load((CONFIGS.parent / "docker-compose.yml").read_text())["services"]
    store, name = re.fullmatch(r"@\{(\w+):(\w+)\}", conf["outputs"]["influxdb_v2"][0]["token"]).groups()  # type: ignore[union-attr]
    assert store in {one["id"] for one in conf["secretstores"]["docker"]}
    assert name in services["telegraf"]["secrets"]


def emqx_fields() -> Iterator[tuple[str, str]]:
    syntax = json.loads((STACK / "emqx/action.json").read_text())["parameters"]["write_syntax"]
    yield from re.findall(r"[ ,](\w+)=\$\{payload\.(\w+)\}", syntax)


def test_emqx_writes_every_field_of_the_scenario() -> None:
    """Its sink has no way to say `all`: each sensor is named, under the name and measurement that `stored:` says."""
    loaded, catalog = audited()
    assert dict(emqx_fields()) == {"seq": "n"} | {sensor.name: sensor.name for sensor in catalog.sensors}
    stored = loaded.scenario.stored
    assert stored is not None
    action = json.loads((STACK / "emqx/action.json").read_text())
    syntax = action["parameters"]["write_syntax"]
    assert syntax.startswith(f"{stored.measurement},{stored.topic_tag}=${{topic}} ")
    assert (syntax.endswith(" ${payload.t}"), action["parameters"]["precision"]) == (True, "ms")


def test_emqx_parts_name_one_another() -> None:
    """Rule to action to connector, and the rule takes every topic."""
    connector, action, rule = (
        json.loads((STACK / "emqx" / f"{part}.json").read_text()) for part in ("connector", "action", "rule")
    )
    assert rule["actions"] == [f"{action['type']}:{action['name']}"]
    assert (action["type"], action["connector"]) == (connector["type"], connector["name"])
    (pattern,) = re.findall(r'FROM "([^"]+)"', rule["sql"])
    assert all(fits(pattern, asset.topic) for asset in audited()[1].assets)
    assert connector["parameters"]["token"] == "${INFLUXDB_TOKEN}"
