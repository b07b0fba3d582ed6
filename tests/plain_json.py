"""Messages as JSON, one per asset and instant: the plain encoder that the fast one is held against.

The bytes are a public contract (simulator.wire.json_blocks):

    {"t":1767225600000,"n":17,"state":6,"power_kw":41.2}

- UTF-8 without spaces or line ends. First ``t``, milliseconds since the Unix epoch (``time_ns // 1_000_000``), then
  ``n``, the message's number within its asset, from 0 without a gap; then the readings in the order of the Catalog.
- A number is ``i / 10**decimals``, where ``i`` is ``value * 10**decimals`` in float64, rounded to the nearest integer,
  ties to even. It is written with the fewest digits: no exponent, no zeros at the end of a fraction, no point without
  a fraction, one 0 before the point, no minus before a zero. 41.20 is ``41.2``, 41.00 is ``41``, -0.5 is ``-0.5``,
  -0.0 is ``0``. A value that was born as ``i / 10**decimals`` is read back bit for bit.
- A reading that is not finite, or whose ``i`` exceeds 2**53 (float64 no longer holds every integer there), is left
  out of its message and counted; JSON has no word for it. A message without any reading is not made and takes no
  number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.batch import Batch, Catalog

__all__ = ["JsonEncoder", "Message", "number_text"]

EXACT = 2**53


class Message(NamedTuple):
    """One message, ready to be sent."""

    time_ns: int
    asset: int
    seq: int
    readings: int
    """How many sensors speak in it."""
    topic: str
    payload: bytes
    due_ns: int = 0
    """When it is to be sent; ``time_ns`` unless a gateway kept it, or dated it wrong."""
    again: bool = False
    """Whether it was sent before."""


def number_text(value: float, decimals: int) -> str | None:
    """Write a reading with at most ``decimals`` digits after the point; None if JSON cannot carry it."""
    scaled = value * 10**decimals
    if not abs(scaled) <= EXACT:  # false for NaN, too
        return None
    digits = round(scaled)
    whole, fraction = divmod(abs(digits), 10**decimals)
    sign = "-" if digits < 0 else ""
    if not fraction:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{fraction:0{decimals}d}".rstrip("0")


class JsonEncoder:
    """Turns Batches into messages and numbers them, per asset from 0; those that gateways relayed have a number."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._topics = [asset.topic for asset in catalog.assets]
        # names are letters, digits, - and _: nothing in them needs escaping
        self._keys = [f',"{sensor.name}":' for sensor in catalog.sensors]
        self._decimals = [sensor.decimals for sensor in catalog.sensors]
        self._scale = np.array([10.0**decimals for decimals in self._decimals])
        self._next: NDArray[np.int64] = np.zeros(len(catalog.assets), np.int64)
        self.left_out = 0
        """Readings that JSON cannot carry."""

    def messages(self, batch: Batch) -> Iterator[Message]:
        """Yield the messages of a batch in its order: by time, then asset."""
        sensors, values, relayed = batch.sensor.tolist(), batch.value.tolist(), batch.relayed
        for time_ns, asset, first, last in batch.messages(self._catalog):
            seq = int(self._next[asset] if relayed is None else relayed.seq[first])
            parts = [f'{{"t":{time_ns // 1_000_000},"n":{seq}']
            for sensor, value in zip(sensors[first:last], values[first:last], strict=True):
                text = number_text(value, self._decimals[sensor])
                if text is not None:
                    parts += (self._keys[sensor], text)
            readings = (len(parts) - 1) // 2
            self.left_out += last - first - readings
            if not readings:
                continue
            payload = ("".join(parts) + "}").encode()
            if relayed is None:
                self._next[asset] += 1
                yield Message(time_ns, asset, seq, readings, self._topics[asset], payload, time_ns)
                continue
            due_ns, again = int(relayed.due_ns[first]), bool(relayed.again[first])
            yield Message(time_ns, asset, seq, readings, self._topics[asset], payload, due_ns, again)

    def carries(self, sensor: NDArray[np.int32], value: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say of each reading whether JSON can carry it."""
        scale = self._scale[sensor]
        with np.errstate(invalid="ignore"):
            found: NDArray[np.bool_] = np.abs(value * scale) <= EXACT
        return found
