"""Messages of a scenario, made before anything is measured: what raw yardsticks send, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from brokers.blocks import Packets
from simulator.batch import Catalog
from simulator.bench.generate import start_of
from simulator.park.world import World
from simulator.publish.consignment import Consignment, Consignor
from simulator.scenario.loader import Loaded
from simulator.wire.block import Block
from simulator.wire.frames import Frames
from simulator.wire.json_blocks import JsonBlocks

__all__ = ["Recording", "Stream"]

WINDOW_NS = 1_000_000_000
"""Simulated time that is made at once."""


class Recording(NamedTuple):
    """So many messages as packets, with what a ledger wants to know of them."""

    catalog: Catalog
    block: Block
    marks: np.ndarray[tuple[int], np.dtype[np.int64]]
    """int64[M]: a checksum of each payload."""
    qos: int
    version: int

    def packets(self) -> Packets:
        """Return the packets as sessions take them."""
        return packets_of(self.block, qos=self.qos, version=self.version)

    def write_text(self, file: Path) -> None:
        """Write the messages to a file, for tools that build packets themselves: topic, tab, payload, a line each."""
        topics = [self.catalog.assets[asset].topic.encode() for asset in self.block.asset.tolist()]
        pairs = zip(topics, self.block.payloads(), strict=True)
        file.write_bytes(b"".join(b"%s\t%s\n" % pair for pair in pairs))

    @property
    def readings_per_message(self) -> float:
        return float(self.block.readings.mean())

    @property
    def payload_bytes(self) -> float:
        """Bytes of a payload on average."""
        return float((self.block.start[1:] - self.block.payload).mean())

    @property
    def packet_bytes(self) -> float:
        """Bytes of a packet on average."""
        return len(self.block.data) / len(self.block)


def packets_of(block: Block, *, qos: int, version: int) -> Packets:
    """Return whole packets as sessions take them; the identifier stands before the properties, which are one byte."""
    return Packets(block.data, block.start, block.payload - (2 + (version == 5)) if qos else None)


class Stream:
    """A park whose messages flow without an end, as fast as they are asked for."""

    def __init__(self, loaded: Loaded, *, qos: int, version: int) -> None:
        """Build the park and let it warm up."""
        self.world = World(loaded.scenario, loaded.types, start_of(loaded.scenario))
        self.qos, self.version = qos, version
        self._batches = self.world.batches(None, WINDOW_NS)
        topics = [asset.topic for asset in self.catalog.assets]
        self._consignor = Consignor(
            JsonBlocks(self.catalog, Frames(topics, qos=qos, version=version)),
            np.zeros(len(topics), dtype=np.int64),
            gateways=1,
        )

    @property
    def catalog(self) -> Catalog:
        return self.world.catalog

    def record(self, number: int) -> Recording:
        """Make exactly so many messages; what is left of the last window is lost."""
        parts: list[Consignment] = []
        while sum(map(len, parts)) < number:
            parts.append(self._consignor.consign(next(self._batches)))
        block = Block.joined([part.block for part in parts]).part(0, number)
        marks = np.concatenate([part.marks for part in parts])[:number]
        return Recording(self.catalog, block, marks, self.qos, self.version)
