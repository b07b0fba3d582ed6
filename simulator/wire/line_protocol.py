"""Line protocol: the text that the InfluxDB family takes, one line per message.

    measurement,province=…,park=…,factory=…,line=…,machine=… seq=5i,power_kw=41.2,state=6i 1700000000000

The measurement is the machine type; timestamps are milliseconds. What comes before the first space never changes for
an asset, so it is built once from the Catalog.

A comma, a space and an equals sign are escaped. A backslash and control characters are refused, when the Catalog is
read: line protocol has no escape for them that all servers read the same way (a backslash at the end of a tag value
swallows the separator after it, a line feed begins a new line).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from simulator.batch import Asset, Catalog

__all__ = ["SEQ", "TAGS", "LineProtocol"]

TAGS = ("province", "park", "factory", "line", "machine")
"""The tags of every line, in the order in which they are written."""
SEQ = "seq"
"""The field that carries the sequence number of the message."""
TAKEN = frozenset((*TAGS, SEQ, "time"))
SPECIAL = str.maketrans({",": "\\,", " ": "\\ ", "=": "\\="})


class Field(NamedTuple):
    key: str
    """Escaped name and equals sign."""
    is_integer: bool


class LineProtocol:
    """Writes lines for the assets of one Catalog.

    Raises ValueError for a name that line protocol cannot carry.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._assets = [(prefix(asset), fields(asset)) for asset in catalog.assets]

    def line(self, asset: int, time_ms: int, seq: int, values: Mapping[str, int | float]) -> str:
        """Return one line without its line feed; floats have the fewest digits that read back the same.

        Raises ValueError for a value that is not finite or no integer where the sensor is one, KeyError for a name
        that is no sensor of the asset.
        """
        start, known = self._assets[asset]
        parts = [f"{start}{seq:d}i"]
        for name, value in values.items():
            key, is_integer = known[name]
            parts.append(f"{key}{value:d}i" if is_integer else f"{key}{decimal(value)}")
        return f"{','.join(parts)} {time_ms:d}"


def prefix(asset: Asset) -> str:
    """Return everything of a line up to the value of ``seq``. A tag without a value is left out."""
    measurement = escape(asset.kind)
    if measurement.startswith("#"):
        message = f"{asset.topic}: machine type {asset.kind!r} must not begin with #, which begins a comment"
        raise ValueError(message)
    tags = "".join(f",{name}={escape(asset.tags[name])}" for name in TAGS if asset.tags.get(name))
    return f"{measurement}{tags} {SEQ}="


def fields(asset: Asset) -> dict[str, Field]:
    """Return what stands before each value of the asset."""
    for sensor in asset.sensors:
        if sensor.name in TAKEN:
            message = (
                f"{asset.topic}: sensor {sensor.name!r} has the name of a tag or of a column of every row; rename it"
            )
            raise ValueError(message)
    return {sensor.name: Field(f"{escape(sensor.name)}=", sensor.is_integer) for sensor in asset.sensors}


def escape(name: str) -> str:
    """Escape a measurement, tag or field name, or the value of a tag."""
    if not name or "\\" in name or not name.isprintable():
        message = f"{name!r} cannot be a name in line protocol: it is empty, or holds a backslash or control character"
        raise ValueError(message)
    return name.translate(SPECIAL)


def decimal(value: float) -> str:
    if not math.isfinite(value):
        message = f"{value} cannot be written in line protocol: only finite numbers can"
        raise ValueError(message)
    return str(float(value)).removesuffix(".0")
