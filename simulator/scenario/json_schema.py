"""The JSON Schema of a scenario, for editors and for "did you mean"."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel

from simulator.scenario.quantities import duration_text
from simulator.scenario.schema import Scenario

__all__ = ["known_keys", "schema_of", "schema_text"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
IDENTIFIER = "urn:parksim:scenario:1"


def schema_text() -> str:
    """Return the JSON Schema of a scenario file, draft 2020-12, ending in a newline."""
    schema = {"$schema": DIALECT, "$id": IDENTIFIER, **schema_of(Scenario)}
    schema["title"] = "parksim scenario"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


@cache
def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a model as a user writes it: defaults are in the form that the file takes."""
    schema = model.model_json_schema()
    for node in subschemas(schema):
        default = node.get("default")
        if isinstance(default, dict):
            # the keys inside state their own defaults, in the user's units
            del node["default"]
        elif type(default) is int and takes_duration(node):
            node["default"] = duration_text(default)
    return schema


def subschemas(node: object) -> Iterator[dict[str, Any]]:
    """Yield every mapping in a schema."""
    if isinstance(node, dict):
        yield node
        for child in list(node.values()):
            yield from subschemas(child)
    elif isinstance(node, list):
        for child in node:
            yield from subschemas(child)


def takes_duration(node: dict[str, Any]) -> bool:
    return any("500ms" in option.get("examples", ()) for option in (node, *node.get("anyOf", ())))


def known_keys(model: type[BaseModel], data: object, path: Sequence[str | int]) -> list[str]:
    """Return the keys that a mapping at ``path`` of ``data`` may have; none if that is not known.

    ``data`` decides which of several kinds a part is.
    """
    schema = schema_of(model)
    node = resolved(schema, schema, data)
    for step in path:
        data = step_into(data, step)
        if isinstance(step, int):
            inner = node.get("prefixItems", [node.get("items", {})])
            node = inner[min(step, len(inner) - 1)]
        else:
            node = node.get("properties", {}).get(step, node.get("additionalProperties", {}))
        node = resolved(schema, node, data)
    return list(node.get("properties", ()))


def step_into(data: object, step: str | int) -> object:
    if isinstance(data, dict):
        return data.get(step)
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return data[step]
    return None


def resolved(schema: dict[str, Any], node: object, data: object) -> dict[str, Any]:
    """Follow references, and choose the mapping among alternatives."""
    while isinstance(node, dict):
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        elif "discriminator" in node:
            kind = data.get(node["discriminator"]["propertyName"]) if isinstance(data, dict) else None
            mapping = node["discriminator"]["mapping"]
            node = {"$ref": mapping[kind]} if isinstance(kind, str) and kind in mapping else {}
        elif "anyOf" in node:
            node = next((one for one in node["anyOf"] if "$ref" in one or "properties" in one), {})
        else:
            return node
    return {}
