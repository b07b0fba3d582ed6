"""The JSON Schema that editors use says what the loader says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Parksim, parksim
from jsonschema import Draft202012Validator
from scenario_texts import PARK, park

from simulator.scenario.json_schema import schema_text
from simulator.scenario.quantities import duration_ns
from simulator.scenario.reader import read_document

CONFIGS = Path(__file__).parent.parent / "configs"
SCENARIOS = sorted(CONFIGS.glob("*.yaml"))
MODELINE = "# yaml-language-server: $schema=./scenario.schema.json"
__all__ = ["parksim"]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The schema as parsed JSON."""
    parsed: dict[str, Any] = json.loads(schema_text())
    return parsed


def errors(schema: dict[str, Any], folder: Path, text: str) -> list[str]:
    """Return what jsonschema says about a YAML text."""
    file = folder / "some.yaml"
    file.write_text(text)
    return [error.message for error in Draft202012Validator(schema).iter_errors(read_document(file).root.plain())]


def properties(node: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every key of every mapping in the schema."""
    if isinstance(node, dict):
        yield from node.get("properties", {}).items()
        for child in node.values():
            yield from properties(child)
    elif isinstance(node, list):
        for child in node:
            yield from properties(child)


def test_the_schema_is_one(schema: dict[str, Any]) -> None:
    """It is valid draft 2020-12, and named without an address."""
    Draft202012Validator.check_schema(schema)
    assert (schema["$id"], schema["title"]) == ("urn:parksim:scenario:1", "parksim scenario")


def test_the_command_prints_it_and_nothing_else(parksim: Parksim) -> None:
    """What goes to stdout can go into a file."""
    assert (0, schema_text(), "") == parksim("schema")


def test_the_file_in_configs_is_the_same() -> None:
    """Run `parksim schema > configs/scenario.schema.json` after a change of the models."""
    assert schema_text() == (CONFIGS / "scenario.schema.json").read_text("utf-8")


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.name)
def test_scenarios_in_configs_name_it_and_obey_it(schema: dict[str, Any], tmp_path: Path, file: Path) -> None:
    """Each begins with the line that editors look for, and has nothing for them to underline."""
    text = file.read_text("utf-8")
    assert (text.splitlines()[0], errors(schema, tmp_path, text)) == (MODELINE, [])


def test_there_are_scenarios_in_configs() -> None:
    """The test above has something to test."""
    assert CONFIGS / "quickstart.yaml" in SCENARIOS


def test_every_key_is_explained(schema: dict[str, Any]) -> None:
    """An editor can show what each key means."""
    bare = [
        key
        for key, value in properties(schema)
        if "description" not in value and "description" not in schema["$defs"].get(value.get("$ref", "")[8:], {})
    ]
    assert bare == []


def test_defaults_are_what_one_would_write(schema: dict[str, Any]) -> None:
    """A default obeys its own schema: durations have their unit."""
    wrong = [
        (key, value["default"])
        for key, value in properties(schema)
        if value.get("default") is not None
        and not Draft202012Validator({**value, "$defs": schema["$defs"]}).is_valid(value["default"])
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("crew: 2", "crew: 0"),
        ("crew: 2", 'crew: "2"'),
        ("crew: 2", "crwe: 2"),
        ("parksim: 1", "parksim: 2"),
        ("name: small", "name: Small Park"),
        ("period: 10s", "period: 10"),
        ("period: 10s", "period: 10 seconds"),
        ("capacity: 1k", "capacity: many"),
        ("{parts: 2}", "{parts: 0.5}"),
        ("{parts: 2}", "{Parts: 2}"),
        ("14:00-22:00", "14-22"),
        ("kind: lag", "kind: leg"),
        ("on: 45", "on: warm"),
        ("    province: binh-duong\n", ""),
    ],
)
def test_what_the_loader_refuses_an_editor_underlines(
    schema: dict[str, Any], tmp_path: Path, old: str, new: str
) -> None:
    """The usual mistakes are seen while one types."""
    assert errors(schema, tmp_path, PARK) == []
    assert errors(schema, tmp_path, park((old, new)))


@pytest.mark.parametrize("text", ["10s", "1.5h", "1h 30m", "1h30m", " 5 m ", "10", "s", "1 month", "-5s", "5S", ""])
def test_durations_are_the_same_to_both(schema: dict[str, Any], text: str) -> None:
    """The pattern in the schema accepts what duration_ns reads, and no more."""
    try:
        duration_ns(text)
        readable = True
    except ValueError:
        readable = False
    pattern = {"type": "string", "pattern": schema["properties"]["warm_up"]["pattern"]}
    assert readable == Draft202012Validator(pattern).is_valid(text)
