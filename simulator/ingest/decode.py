"""From a topic and a JSON payload to a Row, or to the reason why it will never be one."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from simulator.batch import Catalog
from simulator.ingest.store import Row

__all__ = ["LAST_MS", "Decoder", "Refusal"]

LONGEST_PAYLOAD = 262_144
"""Bytes. Ours have a few hundred; the rest of a hostile one is not worth parsing."""
LAST_MS = 9_223_372_036_854
"""The last millisecond that fits 64 bits of nanoseconds, in 2262: what databases and NumPy can hold."""
INT64 = range(-(2**63), 2**63)
DETAIL = 120
"""Characters of a foreign name or value that go into a message."""


class Refusal(NamedTuple):
    """Why a message is no row."""

    reason: str
    """One of a fixed set of phrases, to count by."""
    detail: str
    """The sentence for people: which value, what was expected."""
    asset: int | None = None
    seq: int | None = None
    """Known if the message is good enough to say whose it is."""


class Decoder:
    """Reads the messages of one Catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._asset_of = catalog.by_topic
        self._integer = [{sensor.name: sensor.is_integer for sensor in asset.sensors} for asset in catalog.assets]

    def decode(self, topic: str, payload: bytes) -> Row | Refusal:
        """Return the row of a message, or why there is none. Never raises, whatever the bytes."""
        asset = self._asset_of.get(topic)
        if asset is None:
            return Refusal("unknown topic", f"no machine of this run speaks on {topic[:DETAIL]!r}")
        if len(payload) > LONGEST_PAYLOAD:
            return Refusal("payload too long", f"{len(payload)} bytes; at most {LONGEST_PAYLOAD} are read")
        try:
            document = orjson.loads(payload)
        except orjson.JSONDecodeError as error:
            return Refusal("no JSON", f"the payload is no JSON: {error}")
        if type(document) is not dict:
            return Refusal("no JSON object", f"the payload is a {type(document).__name__}; a JSON object is expected")
        return self._row(asset, document)

    def _row(self, asset: int, document: dict[str, Any]) -> Row | Refusal:
        seq = document.pop("n", None)
        if type(seq) is not int or seq < 0 or seq not in INT64:
            return Refusal("no sequence number", f"n(={shown(seq)}) must be an integer from 0 to 2^63 - 1")
        time_ms = document.pop("t", None)
        if type(time_ms) is not int:
            return Refusal("no time", f"t(={shown(time_ms)}) must be an integer, milliseconds since 1970", asset, seq)
        if not 0 <= time_ms <= LAST_MS:
            return Refusal("time out of range", f"t(={time_ms}) must be between 0 and {LAST_MS}", asset, seq)
        sensors = self._integer[asset]
        for name, value in document.items():
            is_integer = sensors.get(name)
            if is_integer is None:
                return Refusal("unknown field", f"this machine has no sensor {shown(name)}", asset, seq)
            if type(value) is int and value in INT64:
                if not is_integer:
                    document[name] = float(value)
            elif type(value) is not float or is_integer:
                wanted = "a 64-bit integer" if is_integer else "a number"
                return Refusal("wrong value", f"{name}(={shown(value)}) must be {wanted}", asset, seq)
        return Row(asset, time_ms, seq, document)


def shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= DETAIL else text[:DETAIL] + "…"
