"""Seeded schedules of faults against the real bridge in virtual time: `make sim`, and some hundreds in the tests.

    python tests/fault_schedules.py --number 10000      # seeds 0 to 9999
    python tests/fault_schedules.py --seed 1234         # one again, with what happened

Laws that hold whatever happens to network, database, disk and the bridge itself:

- nothing is lost: in the end each message is a row, or a dead letter because the database refuses just that row;
- the rows of an asset are first written in the order of their numbers;
- what was never handed out is never acknowledged;
- the balance of the ledger is even at every step, and in the end nothing is unaccounted;
- it ends: an hour of virtual time after the last fault all of it is done.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import orjson
from fault_world import CrashError, Disk, Network, Schedule, Store
from plain_marks import mark_of
from presses import START_MS, catalog_of, rows_of

from simulator.clock import SECOND_NS, FakeClock, Pace
from simulator.ingest.bridge import Bridge
from simulator.ingest.cargo import reader_for
from simulator.ingest.dead_letters import DeadLetters
from simulator.ingest.districts import districts
from simulator.ingest.sentry import guarded
from simulator.ingest.spool import Spool
from simulator.results.latency import Latency
from simulator.results.ledger import Ledger
from simulator.results.sightings import Sightings
from simulator.wire.line_protocol import LineProtocol

__all__ = ["Outcome", "run"]

CATALOG = catalog_of(presses=2, testers=2)
MESSAGES = 25
"""Of each asset."""
TOPICS = districts(CATALOG, enterprise="binh-duong", lanes=2)
PATIENCE_S = 3_600
MOST_STEPS = 100_000
"""Some hundreds are usual; a bridge that runs in circles without a wait lets no time pass."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a schedule went."""

    seed: int
    broken: str | None
    """Which law; None if all hold."""
    troubles: int
    crashes: int
    spooled: int
    """Bytes that were on disk at most."""
    virtual_s: float


@lru_cache(maxsize=1)
def messages() -> list[tuple[int, int, str, bytes]]:
    """Asset, number, topic and payload of all messages as parksim writes them, in the order of time."""
    rows = rows_of(CATALOG, MESSAGES)
    texts = (
        orjson.dumps({"t": row.time_ms, "n": row.seq} | {name: shortest(value) for name, value in row.fields.items()})
        for row in rows
    )
    return [(row.asset, row.seq, CATALOG.assets[row.asset].topic, text) for row, text in zip(rows, texts, strict=True)]


def shortest(value: float) -> float:
    return int(value) if value == int(value) else value


class World:
    """Everything around the bridge, which comes and goes."""

    def __init__(self, seed: int) -> None:
        dice = self.dice = random.Random(seed)
        self.clock = FakeClock()
        self.has_crashes = dice.random() < 0.5
        self.schedule = Schedule.drawn(dice, self.clock, lasts_s=MESSAGES, crashes=self.has_crashes)
        bad = {(asset, seq) for asset, seq, *_ in messages() if dice.random() < 0.02} if dice.random() < 0.3 else set()
        self.store = Store(CATALOG, self.schedule, dice, bad=bad)
        if dice.random() < 0.5:
            self.store.lines = LineProtocol(CATALOG)
        window = dice.choice([3, 10, 100])
        self.networks = [Network(self.schedule, window=window) for _ in TOPICS]
        self.disks = [Disk(self.schedule, dice) for _ in TOPICS] if dice.random() < 0.8 else []
        self.cap_bytes = dice.choice([1_500, 1 << 20])
        self.letters = DeadLetters()
        self.ledger: Ledger | None = None if self.has_crashes else Ledger(len(CATALOG.assets))
        self.lane_of = {topic: number for number, topics in enumerate(TOPICS) for topic in self._matching(topics)}
        self.published = 0
        self.crashes = 0
        self.spooled = 0
        self.bridge: Bridge | None = None

    @staticmethod
    def _matching(filters: tuple[str, ...]) -> list[str]:
        begins = tuple(f"{one.removesuffix('/#')}/" for one in filters)
        return [asset.topic for asset in CATALOG.assets if f"{asset.topic}/".startswith(begins)]

    def start(self) -> Bridge:
        """Start a bridge on what the one before left. Raises CrashError."""
        books = Sightings(len(CATALOG.assets)) if self.ledger is None else self.ledger
        reader = reader_for(self.store, CATALOG) if self.ledger is None else guarded(self.store, CATALOG, self.ledger)
        return Bridge(
            sessions=self.networks,
            topics=TOPICS,
            qos=1,
            catalog=CATALOG,
            store=self.store,
            books=books,
            reader=reader,
            latency=Latency(),
            pace=Pace(START_MS * 1_000_000, 0, None),
            clock=self.clock,
            spools=[Spool(disk, cap_bytes=self.cap_bytes) for disk in self.disks],
            dead_letters=self.letters,
        )

    def publish_due(self) -> None:
        """Publish what the virtual time has come for: a number of each asset a second."""
        now_s = self.clock.monotonic_ns() / SECOND_NS
        while self.published < len(messages()):
            asset, seq, topic, payload = messages()[self.published]
            if seq > now_s:
                return
            if self.ledger is not None:
                self.ledger.schedule([asset], [seq], [1], [mark_of(payload)])
                self.ledger.publish([asset], [seq])
                self.ledger.acknowledge([asset], [seq])
            self.networks[self.lane_of[topic]].publish(topic, payload)
            self.published += 1

    def step(self) -> None:
        """Let the bridge do a step; it may be killed in it, and the next one starts."""
        try:
            if self.bridge is None:
                self.bridge = self.start()
            self.bridge.step()
        except CrashError:
            self.bridge = None
            self.crashes += 1
            for network in self.networks:
                network.broken()
        except OSError:
            # a spool that cannot be opened: whoever starts the bridge tries again
            self.bridge = None
            self.clock.advance(SECOND_NS)
        self.spooled = max(self.spooled, sum(len(file) for disk in self.disks for file in disk.files.values()))

    def is_done(self) -> bool:
        if self.published < len(messages()) or self.bridge is None:
            return False
        return self.bridge.backlog == 0 and all(network.is_empty for network in self.networks)

    def broken_law(self) -> str | None:
        """Say which law is broken in the end; None if all hold."""
        wanted = {(asset, seq) for asset, seq, *_ in messages()}
        missing = wanted - self.store.rows.keys() - self.store.bad
        if missing:
            return f"lost: {sorted(missing)[:5]} of {len(missing)}"
        if self.store.bad & self.store.rows.keys():
            return "what the database refuses is in it"
        if self.store.bad and not self.letters.counts["store refuses the row"] >= len(self.store.bad):
            return f"{len(self.store.bad)} rows are refused, and {self.letters.counts} are dead letters"
        for number in range(len(CATALOG.assets)):
            order = [seq for asset, seq in self.store.rows if asset == number]
            if order != sorted(order):
                return f"asset {number} was written in the order {order}"
        return self._uneven() if self.ledger is not None else None

    def _uneven(self) -> str | None:
        assert self.ledger is not None
        assert self.bridge is not None
        self.ledger.finish(*self.bridge.take_stock(), spooled=self.bridge.still_spooled())
        counts = self.ledger.counts()
        if counts.unaccounted or counts.in_flight or counts.spooled:
            return f"not accounted for in the end: {counts}"
        return None

    def balance(self) -> str | None:
        """Say how the balance is uneven at this moment; None if it is even."""
        if self.ledger is None:
            return None
        counts = self.ledger.counts()
        ends = counts.written + sum(counts.dead_lettered.values()) + sum(counts.dropped.values())
        total = ends + counts.spooled + counts.in_flight + counts.unaccounted
        return None if total == counts.scheduled else f"uneven: {counts}"


def run(seed: int) -> Outcome:
    """Run the schedule of a seed."""
    world = World(seed)
    random.seed(seed)  # the spread of waits
    broken, steps = None, 0
    try:
        while not world.is_done() and broken is None:
            world.publish_due()
            world.step()
            steps += 1
            too_late_s = world.schedule.ends_s + MESSAGES + PATIENCE_S
            if world.clock.monotonic_ns() / SECOND_NS > too_late_s or steps > MOST_STEPS:
                broken = f"it does not end: {world.bridge and world.bridge.trouble}"
            broken = broken or world.balance()
        broken = broken or world.broken_law()
    except Exception as error:  # noqa: BLE001 - whatever comes out of the bridge is a defect, with its seed
        broken = f"{type(error).__name__}: {error}"
    passed_s = world.clock.monotonic_ns() / SECOND_NS
    return Outcome(seed, broken, len(world.schedule.troubles), world.crashes, world.spooled, passed_s)


def main() -> int:
    """Run schedules and print what they showed; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--number", type=int, default=10_000, help="how many, from --first on")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="one schedule only, with its faults")
    wanted = parser.parse_args()
    if wanted.seed is not None:
        world = World(wanted.seed)
        print(*world.schedule.troubles, f"killed in calls {sorted(world.schedule.crashes)}", sep="\n")
        found = run(wanted.seed)
        print(found)
        return int(found.broken is not None)
    began = time.monotonic()
    seeds = range(wanted.first, wanted.first + wanted.number)
    outcomes: list[Outcome] = []
    with ProcessPoolExecutor() as workers:
        for found in workers.map(run, seeds, chunksize=50):
            outcomes.append(found)
            if found.broken:
                print(f"seed {found.seed}: {found.broken}", flush=True)
            if len(outcomes) % 1_000 == 0:
                print(f"{len(outcomes):,} schedules", file=sys.stderr, flush=True)
    broken = sum(found.broken is not None for found in outcomes)
    print(
        f"{len(outcomes):,} schedules, {sum(found.troubles for found in outcomes):,} faults,"
        f" {sum(found.crashes for found in outcomes):,} kills,"
        f" {sum(found.spooled > 0 for found in outcomes):,} with messages in the spool,"
        f" {sum(found.virtual_s for found in outcomes) / 3600:,.0f} h of virtual time"
        f" in {time.monotonic() - began:.0f} s: {broken} broken"
    )
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
