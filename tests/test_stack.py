"""The stack of docker-compose.yml, as far as it can be told without an engine: nothing here starts a container.

What compose accepts is written down in tests/data/compose.schema.json, for this file and stricter than the Compose
Specification. Files that are mounted, names that have to agree, and what must not be there are looked at one by one.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from parks import CONFIGS
from ruamel.yaml import YAML

from simulator.scenario.loader import load_scenario

ROOT = CONFIGS.parent
STACK = CONFIGS / "stack"
SCHEMA = json.loads((ROOT / "tests" / "data" / "compose.schema.json").read_text())
DOCKERFILE = (STACK / "Dockerfile").read_text()
Compose = dict[str, Any]


def yaml(file: Path) -> Any:
    return YAML(typ="safe").load(file.read_text(encoding="utf-8"))


@cache
def read_compose() -> Compose:
    found: Compose = yaml(ROOT / "docker-compose.yml")
    return found


@pytest.fixture
def compose() -> Compose:
    """docker-compose.yml, to look at and to break."""
    return copy.deepcopy(read_compose())


def settings(file: str) -> dict[str, str]:
    """What a configuration of mosquitto sets."""
    lines = (STACK / file).read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines if line and not line.startswith(("#", "log_type")))


def misfits(compose: Compose) -> list[str]:
    """What the schema has to say."""
    return [error.message for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(compose)]


def dangling(compose: Compose) -> list[str]:
    """Services, volumes and secrets that are used and not defined, or defined and not used."""
    services = compose["services"]
    volumes = {
        volume.split(":")[0] for one in services.values() for volume in one.get("volumes", []) if volume[0] not in "./"
    }
    secrets = {secret for one in services.values() for secret in one.get("secrets", [])}
    missing = [
        f"{name} waits for {other}"
        for name, one in services.items()
        for other in one.get("depends_on", {})
        # A service that a profile leaves out cannot be waited for.
        if not set(one["profiles"]) <= set(services.get(other, {}).get("profiles", []))
    ]
    return missing + sorted(volumes ^ set(compose["volumes"])) + sorted(secrets ^ set(compose["secrets"]))


def exposed(compose: Compose) -> list[str]:
    """Published ports that others than this machine reach."""
    ports = [port for one in compose["services"].values() for port in one.get("ports", [])]
    assert ports
    return [port for port in ports if not port.startswith("127.0.0.1:")]


def loose(compose: Compose) -> list[str]:
    """Images whose tag may be another version tomorrow: none, latest, or a major version only."""
    images = [one["image"] for one in compose["services"].values()]
    images += re.findall(r"^FROM (\S+)", DOCKERFILE, flags=re.MULTILINE)
    return [image for image in images if not re.search(r":\d+\.\d+[\w.-]*$", image)]


def missing_files(compose: Compose) -> list[str]:
    """Files and folders that are mounted or built from and are not in the repository."""
    used = {volume.split(":")[0] for one in compose["services"].values() for volume in one.get("volumes", [])}
    used |= {one["build"]["dockerfile"] for one in compose["services"].values() if "build" in one}
    used |= {f"{secret['file']}.example" for secret in compose["secrets"].values()}
    return sorted(path for path in used if "/" in path and not (ROOT / path).exists())


def writable(compose: Compose) -> list[str]:
    """Files of the host that a container may change."""
    volumes = [volume for one in compose["services"].values() for volume in one.get("volumes", [])]
    return [volume for volume in volumes if volume.startswith((".", "/")) and not volume.endswith(":ro")]


def told_secrets(compose: Compose) -> list[str]:
    """Settings that hold a secret rather than the file that does."""
    return [
        f"{name}: {key}"
        for name, one in compose["services"].items()
        for key, value in one.get("environment", {}).items()
        if re.search("PASSWORD|TOKEN|SECRET", key) and not value.startswith("/run/secrets/")
    ] + [
        f"{name}: {word}"
        for name, one in compose["services"].items()
        for word in one.get("command", [])
        if re.search(r"//[^/]*:[^/]*@|(token|password)=", word)
    ]


def open_secrets(compose: Compose) -> list[str]:
    """Containers that see the whole folder of secrets, with a folder above it."""
    secrets = Path("configs/stack/secrets")
    return [
        name
        for name, one in compose["services"].items()
        for source, target, *_ in (volume.split(":") for volume in one.get("volumes", []) if volume.startswith("./"))
        if Path(source) in (secrets, *secrets.parents)
        and str(Path(target) / secrets.relative_to(source)) not in one.get("tmpfs", [])
    ]


CHECKS: dict[str, tuple[Callable[[Compose], list[str]], Callable[[Compose], None]]] = {
    "schema": (misfits, lambda it: it["services"]["park"].update(heathcheck={})),
    "schema: condition": (misfits, lambda it: it["services"]["park"]["depends_on"]["influxdb"].update(condition="up")),
    "schema: health": (misfits, lambda it: it["services"]["grafana"].pop("healthcheck")),
    "profiles": (dangling, lambda it: it["services"]["influxdb"].update(profiles=["load"])),
    "volumes": (dangling, lambda it: it["volumes"].pop("broker")),
    "secrets": (dangling, lambda it: it["secrets"].pop("influxdb_token")),
    "ports": (exposed, lambda it: it["services"]["mosquitto"].update(ports=["1883:1883"])),
    "images": (loose, lambda it: it["services"]["influxdb"].update(image="influxdb:2")),
    "files": (missing_files, lambda it: it["services"]["telegraf"]["volumes"].append("./configs/gone.conf:/gone:ro")),
    "read-only": (writable, lambda it: it["services"]["park"].update(volumes=["./configs:/etc/parksim"])),
    "no secret": (
        told_secrets,
        lambda it: it["services"]["influxdb"]["environment"].update(DOCKER_INFLUXDB_INIT_PASSWORD="hunter22"),
    ),
    "secrets stay hidden": (open_secrets, lambda it: it["services"]["load"].update(tmpfs=["/tmp"])),
    "no secret in a command": (
        told_secrets,
        lambda it: it["services"]["park"]["command"].append("--broker=mqtt://ana:pw@mosquitto"),
    ),
}


@pytest.mark.parametrize("name", CHECKS)
def test_nothing_is_wrong_with_the_compose_file(compose: Compose, name: str) -> None:
    """Each check finds nothing in the file, and something once the file is broken."""
    check, break_it = CHECKS[name]
    assert check(compose) == []
    break_it(compose)
    assert check(compose) != []


def test_secrets_are_examples_only() -> None:
    """Git takes the examples and ignores the secrets themselves; the image cannot hold one either."""
    folder = STACK / "secrets"
    assert {file.name for file in folder.glob("*.example")} == {f"{name}.example" for name in read_compose()["secrets"]}
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert ignored.index("/configs/stack/secrets/*") < ignored.index("!/configs/stack/secrets/*.example")
    assert not any("configs" in name or name in {".", "*"} for name in copied())


def test_its_parksim_commands_are_understood(compose: Compose) -> None:
    """Their options exist, and their scenarios load under the name that the mount gives them."""
    commands = [one["command"] for one in compose["services"].values() if one["image"].startswith("parksim:")]
    assert len(commands) == 3
    for subcommand, scenario, *options in commands:
        helped = subprocess.run(
            [sys.executable, "-m", "simulator", subcommand, "--help"],
            capture_output=True,
            text=True,
            check=True,
            env={"COLUMNS": "200", "PATH": ""},
            cwd=ROOT,
        ).stdout
        assert [one for one in options if one.partition("=")[0] not in helped] == []
        file = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", scenario)
        assert load_scenario(CONFIGS / Path(file).relative_to("/etc/parksim")).warnings == ()


def copied() -> list[str]:
    """What the Dockerfile takes from the repository."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, flags=re.MULTILINE)
    return [name for line in lines for name in line.split()]


def test_the_image_gets_what_the_wheel_needs(tmp_path: Path) -> None:
    """All that is copied is let through by .dockerignore, and a wheel builds from it and nothing else."""
    through = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    assert set(copied()) == through
    for name in copied():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    build = [sys.executable, "-m", "build", "--quiet", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist")]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    assert len(list((tmp_path / "dist").glob("parksim-*.whl"))) == 1


def test_the_image_runs_as_nobody_and_from_the_lock() -> None:
    """The last user is not root; nothing is installed without hashes but the wheel itself."""
    assert re.findall(r"^USER (\w+)", DOCKERFILE, flags=re.MULTILINE)[-1:] == ["parksim"]
    installs = re.findall(r"pip install ([^\n\\]+)", DOCKERFILE)
    assert installs == ["--require-hashes -r requirements.lock", "--no-deps dist/parksim-*.whl"]


def test_the_broker_of_the_stack_is_the_durable_one() -> None:
    """But for where it listens and where the image lets it write."""
    stack, durable = settings("mosquitto-stack.conf"), settings("mosquitto.conf")
    assert {name for name in stack | durable if stack.get(name) != durable.get(name)} == {
        "listener",
        "persistence_location",
    }
    target = stack["persistence_location"].rstrip("/")
    assert f"broker:{target}" in read_compose()["services"]["mosquitto"]["volumes"]


def test_everybody_names_the_same_database(compose: Compose) -> None:
    """Organisation, bucket and host of the store addresses, of Grafana and of Telegraf are those that are set up."""
    database = compose["services"]["influxdb"]["environment"]
    org, bucket = database["DOCKER_INFLUXDB_INIT_ORG"], database["DOCKER_INFLUXDB_INIT_BUCKET"]
    stores = [word for one in compose["services"].values() for word in one.get("command", []) if "--store=i" in word]
    token = "&token_file=/run/secrets/influxdb_token"
    assert stores == [f"--store=influxdb://influxdb:8086/{bucket}?org={org}{token}"] * 2
    (source,) = yaml(STACK / "grafana/provisioning/datasources/influxdb.yaml")["datasources"]
    assert source["jsonData"] == {"version": "Flux", "organization": org, "defaultBucket": bucket}
    assert source["secureJsonData"] == {"token": "$__file{/run/secrets/influxdb_token}"}
    output = tomllib.loads((STACK / "telegraf.conf").read_text())["outputs"]["influxdb_v2"][0]
    connector = json.loads((STACK / "emqx/connector.json").read_text())
    assert (output["organization"], output["bucket"], output["urls"]) == (org, bucket, [source["url"]])
    assert connector["parameters"] | {"org": org, "bucket": bucket} == connector["parameters"]
