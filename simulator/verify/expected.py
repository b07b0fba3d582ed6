"""What a database should hold: the park of a run happens again, and its readings are what was to be written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from simulator.clock import SECOND_NS
from simulator.ingest.readers.values import Values
from simulator.park.world import World
from simulator.publish.forwarding import Forwarding, forwarded
from simulator.publish.windows import READINGS_AT_ONCE, sampled_per_s
from simulator.wire.json_blocks import JsonBlocks

__all__ = ["Portion", "expected"]

MS = 1_000_000
READINGS = 5 * READINGS_AT_ONCE
"""Of a portion, about: a question to a database is worth so many, and memory holds as many twice."""
LONGEST_NS = 3600 * SECOND_NS


class Portion(NamedTuple):
    """The values of rows that leave in a stretch of simulated time."""

    until_ms: int
    """Its end; what is dated later is here too if its gateway's clock is fast, and what is late comes later."""
    values: Values
    rows: int


def expected(world: World, until_ns: int, *, from_ns: int) -> Iterator[Portion]:
    """Yield what a run of this world until then writes from an instant on; it goes through what comes before unseen."""
    encoder = JsonBlocks(world.catalog)
    per_s = sampled_per_s(world.catalog)
    length_ns = LONGEST_NS if not per_s else min(LONGEST_NS, max(SECOND_NS, round(READINGS / per_s) * SECOND_NS))
    batches = world.batches(until_ns, length_ns)
    if world.traffic is not None:
        batches = forwarded(batches, Forwarding(world.catalog, world.traffic, encoder.carries))
    sensors = len(world.catalog)
    for batch in batches:
        found = encoder.messages(batch)
        time_ns, asset, seq, count, _, _, again = found.columns
        rows = Values(sensors + asset, time_ns // MS, seq.astype(np.float64))
        sensor = found.sensor.astype(np.int64)
        readings = Values(sensor, np.repeat(time_ns // MS, count), found.scaled / world.catalog.scale[sensor])
        values = Values.joined([rows, readings])
        # what is sent again is the same row
        first = ~np.concatenate((again, np.repeat(again, count))) & (values.time_ms >= from_ns // MS)
        if batch.until_ns > from_ns:
            yield Portion(batch.until_ns // MS, values.picked(first), int(first[: len(rows)].sum()))
