"""The kinds of faults that a scenario or a hand can begin, with what each of them needs to be told."""

from __future__ import annotations

from typing import Any, get_args

from simulator.scenario.fault import Fault, NetworkFault, Scheduled, SensorFault

__all__ = ["fault_kinds"]

COMMON = frozenset(Scheduled.model_fields) | {"kind"}


def fault_kinds() -> list[dict[str, Any]]:
    """Return each kind: its name, what it strikes (``machine``, ``sensor``, ``network``), and its numbers."""
    union, _ = get_args(Fault)
    return [kind_of(model) for model in get_args(union)]


def kind_of(model: type[Scheduled]) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True)
    properties = schema["properties"]
    strikes = "sensor" if issubclass(model, get_args(SensorFault)) else "machine"
    return {
        "kind": properties["kind"]["const"],
        "about": properties["kind"]["description"],
        "strikes": "network" if issubclass(model, get_args(NetworkFault)) else strikes,
        "numbers": [
            {
                "name": name,
                "about": one.get("description", ""),
                "type": one["type"],
                "required": name in schema.get("required", ()),
                "default": one.get("default"),
                "least": one.get("minimum", one.get("exclusiveMinimum")),
                "most": one.get("maximum", one.get("exclusiveMaximum")),
            }
            for name, one in properties.items()
            if name not in COMMON and name != "for"
        ],
    }
