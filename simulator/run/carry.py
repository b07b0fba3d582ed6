"""A bridge by itself: carries what a broker sends into a database, for as long as it lives.

It knows the machines of a scenario, and not what was sent: what is missing it sees by the numbers of the messages. Its
sessions have fixed names, so the broker keeps for it what comes while it is away, also after it was killed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brokers import open_broker
from brokers.endpoint import Session
from simulator.batch import Catalog
from simulator.clock import SECOND_NS, Clock, Pace
from simulator.errors import ExitCode, OutOfReachError, ScenarioError
from simulator.ingest.bridge import Bridge
from simulator.ingest.cargo import reader_for
from simulator.ingest.dead_letters import DeadLetters
from simulator.ingest.districts import districts
from simulator.ingest.open import open_store
from simulator.ingest.spools import opened_spools
from simulator.park.world import World
from simulator.results.latency import Latency
from simulator.results.sightings import Sightings
from simulator.run.hops import as_parksim_errors
from simulator.run.receiving import LISTENING
from simulator.run.uplink import opened
from simulator.scenario.loader import Loaded
from simulator.scenario.quantities import instant_ns

__all__ = ["Errand", "carry"]

LOOK_S = 1.0
TOLD_EVERY_NS = 10 * SECOND_NS
CLOSED_S = 35.0
"""How long a write may take that is under way at the end: longer than any store waits for an answer."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What to carry from where to where."""

    broker: str
    store: str
    spool: Path | None
    quiet_ns: int | None
    """End when nothing has come for so long and nothing waits; None: when told to stop."""


def carry(
    loaded: Loaded,
    errand: Errand,
    *,
    dead_letters: DeadLetters,
    clock: Clock,
    stop: threading.Event,
    told: Callable[[str], object],
) -> tuple[dict[str, Any], ExitCode]:
    """Carry until ``stop`` is set, or it is quiet; return what was seen, and the exit code.

    Raises ScenarioError for what cannot be used, OutOfReachError when broker or store cannot be at the start.
    """
    if "://" not in errand.broker:
        message = f"--broker {errand.broker!r}: a bridge needs the address of a broker that runs: mqtt://host:1883"
        raise ScenarioError(message)
    scenario = loaded.scenario
    start = 0 if scenario.start == "now" else instant_ns(scenario.start)
    catalog = World(scenario, loaded.types, start).catalog
    books = Sightings(len(catalog.assets))
    with ExitStack() as stack, as_parksim_errors():
        broker = stack.enter_context(open_broker(errand.broker))
        store = stack.enter_context(open_store(errand.store, catalog, run_id="bridge"))
        topics = districts(catalog, enterprise=scenario.enterprise, lanes=scenario.messaging.bridge_workers)
        spools = opened_spools(stack, errand.spool, len(topics)) if errand.spool else []
        names = [f"parksim-bridge-{scenario.name}-{number}" for number in range(len(topics))]
        sessions = opened(stack, broker, names, window=LISTENING, keep_session=True)
        books.spool(sum(map(len, spools)))
        bridge = Bridge(
            sessions=sessions,
            topics=topics,
            qos=1,
            catalog=catalog,
            store=store,
            books=books,
            reader=reader_for(store, catalog),
            latency=Latency(),
            pace=Pace(0, clock.monotonic_ns(), None),
            clock=clock,
            spools=spools,
            dead_letters=dead_letters,
        )
        stack.callback(bridge.close, timeout_s=CLOSED_S)
        bridge.start()
        told(f"broker: {broker.profile}")
        told(f"store:  {store.describe()}")
        told(f"bridge: {len(catalog.assets):,} assets over {len(topics)} session{'' if len(topics) == 1 else 's'}")
        watch(bridge, books, catalog, sessions, errand, clock=clock, stop=stop, told=told)
        bridge.close(timeout_s=CLOSED_S)
        spooled = still_spooled(bridge, told)
    return report(bridge, books, spooled), verdict(bridge, books, spooled)


def watch(
    bridge: Bridge,
    books: Sightings,
    catalog: Catalog,
    sessions: tuple[Session, ...],
    errand: Errand,
    *,
    clock: Clock,
    stop: threading.Event,
    told: Callable[[str], object],
) -> None:
    """Say what happens until it is over. Raises OutOfReachError when a lane has failed."""
    said = missing = received = None
    told_ns = heard_ns = clock.monotonic_ns()
    while clock.wait_until(clock.monotonic_ns() + round(LOOK_S * SECOND_NS), stop):
        now = clock.monotonic_ns()
        if bridge.failure is not None:
            message = f"the bridge failed: {bridge.failure}"
            raise OutOfReachError(message) from bridge.failure
        trouble = bridge.trouble or next((one for session in sessions if (one := session.trouble())), None)
        if trouble != said:
            told(f"trouble: {trouble}" if trouble else "trouble is over")
            said = trouble
        if books.missing != (missing or 0):
            told(missed(books, catalog))
            missing = books.missing
        if books.received != received or bridge.backlog:
            received, heard_ns = books.received, now
        if now - told_ns >= TOLD_EVERY_NS:
            told(state(bridge, books))
            told_ns = now
        if errand.quiet_ns is not None and now - heard_ns >= errand.quiet_ns and bridge.is_idle():
            return


def missed(books: Sightings, catalog: Catalog) -> str:
    """Say how many messages never came, and of what."""
    gaps = books.gaps()
    if not gaps:
        return f"missing: {books.missing:,} messages"
    asset, first, last = gaps[-1]
    return f"missing: {books.missing:,} messages, such as {catalog.assets[asset].topic} n={first}..{last}"


def state(bridge: Bridge, books: Sightings) -> str:
    """Say in one line where it stands."""
    spooled = f", {books.spooled:,} in the spool" if books.spooled else ""
    return (
        f"received {books.received:,}, written {books.written:,}, missing {books.missing:,}{spooled},"
        f" {len(bridge.dead_letters):,} dead letters"
    )


def still_spooled(bridge: Bridge, told: Callable[[str], object]) -> int:
    try:
        return bridge.still_spooled()
    except OSError as error:
        told(f"the spool cannot be read: {error.strerror or error}")
        return 0


def report(bridge: Bridge, books: Sightings, spooled: int) -> dict[str, Any]:
    """Return what was seen, as JSON types."""
    return {
        "received": books.received,
        "written": books.written,
        "readings_written": books.readings_written,
        "missing": books.missing,
        "duplicates": books.duplicates,
        "reordered": books.reordered,
        "overwritten": books.overwritten,
        "restarts_of_publishers": books.restarts,
        "dead_lettered": dict(sorted(bridge.dead_letters.counts.items())),
        "spooled": spooled,
        "unacknowledged": sum(bridge.left().values()),
        "retries": dict(sorted((bridge.retries + bridge.damage).items())),
    }


def verdict(bridge: Bridge, books: Sightings, spooled: int) -> ExitCode:
    """Return the exit code: loss goes before what waits for the database."""
    if books.missing or bridge.dead_letters or bridge.damage["spooled messages damaged"]:
        return ExitCode.DATA_LOSS
    return ExitCode.OUT_OF_REACH if spooled or bridge.left() else ExitCode.PASS
