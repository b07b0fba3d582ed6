"""The hops of a run: everything that a message passes on its way from the park to the store, opened in order."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from brokers import open_broker
from brokers.endpoint import Broker, Session
from brokers.errors import AddressError, BrokerError
from simulator.batch import Catalog
from simulator.clock import SECOND_NS, Clock, Curve, Pace
from simulator.errors import OutOfReachError, ScenarioError, StoreError
from simulator.ingest.bridge import Bridge
from simulator.ingest.dead_letters import opened_dead_letters
from simulator.ingest.decode import LAST_MS
from simulator.ingest.districts import districts
from simulator.ingest.open import open_store
from simulator.ingest.sentry import guarded
from simulator.ingest.spools import opened_spools
from simulator.ingest.store import Store
from simulator.load.effort import Effort, process_cpu_s
from simulator.load.profile import Profile
from simulator.publish.credit import MOST, Credit
from simulator.publish.gateway_book import GatewayBook
from simulator.publish.gateways import connection_count
from simulator.publish.outlet import Outlet
from simulator.publish.pacing import Ahead
from simulator.publish.publisher import Publisher
from simulator.publish.source import Shipping, Source, Window
from simulator.publish.windows import sampled_per_s, window_ns
from simulator.results.departures import FromSending
from simulator.results.latency import Latency
from simulator.results.ledger import Ledger
from simulator.run.uplink import Uplink, make_room, open_uplink, opened, patience_s
from simulator.run.vigil import Vigil
from simulator.scenario.schema import Scenario

__all__ = ["Hops", "Options", "as_parksim_errors", "connect", "enter_broker"]

LISTENING = 1000
"""Messages that a broker may have sent to a bridge and that are not in the store yet."""
LEAD_NS = SECOND_NS // 5
"""From the plan of the due times to the first of them: time to subscribe."""
MILLISECOND_NS = 1_000_000
LAST_WORD_S = 1.0
"""How long the bridge may end a write when a run breaks; one that ends well has waited before."""


@dataclass(frozen=True, slots=True)
class Load:
    """When how much of a park is due, in an open loop."""

    profile: Profile
    natural_per_s: float
    """Messages a second of the park at speed 1."""
    late_after_ns: int
    """A message that could not be sent so long after it was due is dropped."""

    def curve(self, sim_start_ns: int, wall_start_ns: int) -> Curve:
        return self.profile.curve(self.natural_per_s, sim_start_ns=sim_start_ns, wall_start_ns=wall_start_ns)


@dataclass(frozen=True, slots=True)
class Options:
    """How to run a scenario, resolved from the command line and the file."""

    seed: int
    speed: float | None
    """Simulated seconds per second; None: as fast as it goes."""
    duration_ns: int | None
    """Simulated time; None: until stopped."""
    broker: str
    store: str
    patience_s: float = 30.0
    """How long a broker may take nothing, or not be there, before the run gives it up."""
    load: Load | None = None
    """When how much is due; None: at the speed."""
    spool: Path | None = None
    """A folder for what the store does not take; None: it stays at the broker."""
    dead_letter_file: Path | None = None
    """Where the messages go that the store will never take, for later; None: only the first are told."""
    snapshot_s: float | None = None
    """Between two snapshots; None: a second."""
    store_patience_s: float = 300.0
    """How long a store may take nothing of what waits for it before the run gives it up."""


@dataclass(frozen=True, slots=True)
class Hops:
    """Everything that a message passes, open."""

    run_id: str
    catalog: Catalog
    windows: Ahead[Window]
    """What the park says, the first window made already."""
    publisher: Publisher
    uplink: Uplink
    listeners: tuple[Session, ...]
    """Those of the bridge."""
    broker: Broker
    bridge: Bridge
    vigil: Vigil
    store: Store
    rows_before: int | None
    """What the store held of the time of the run before it began; None if it could not say."""
    ledger: Ledger
    latency: Latency
    pace: Pace
    book: GatewayBook | None
    """What gateways of the scenario do to messages; None without any."""
    clocks_off_ms: tuple[int, int]
    """By how much messages are dated early and late at most."""

    def retries(self) -> dict[str, int]:
        """Count what did not go the plain way, at sessions, devices and bridge, by reason.

        What a broker refused is not here: nobody tries it again, and the ledger has it as dropped.
        """
        total = Counter({f"bridge: {reason}": n for reason, n in (self.bridge.retries + self.bridge.damage).items()})
        counted = [("session", session.counters()) for session in (*self.uplink.sessions, *self.listeners)]
        if self.uplink.swarm is not None:
            counted.append(("device", self.uplink.swarm.counters()))
        for whose, counters in counted:
            total.update({f"{whose}: {reason}": n for reason, n in counters.items() if reason != "refused"})
        return {reason: n for reason, n in sorted(total.items()) if n}

    def effort(self) -> Effort:
        """Say what each part has spent until now."""
        hours, lanes = self.bridge.hours()
        return Effort(
            cpu_s=time.process_time(),
            blocked_s=self.publisher.blocked_ns / SECOND_NS,
            writing_s=hours["writing"] / SECOND_NS,
            listening_s=hours["listening"] / SECOND_NS,
            lanes=lanes,
            broker_cpu_s=process_cpu_s(self.broker.process_id),
        )

    def trouble(self) -> str | None:
        """Say what is wrong at this moment; None while all is well."""
        lines: tuple[Outlet | Session, ...] = (*self.uplink.outlets, *self.listeners)
        said = (self.bridge.trouble, *(line.trouble() for line in lines))
        return next((trouble for trouble in said if trouble), None)


def connect(
    stack: ExitStack,
    broker: Broker,
    scenario: Scenario,
    options: Options,
    source: Source,
    *,
    clock: Clock,
    stop: threading.Event,
    told: Callable[[str], object],
) -> Hops:
    """Open every hop, the bridge before anything is published; the stack closes them in reverse order.

    Connecting may take long and is ``told``; the source catches up after it. Raises ScenarioError, OutOfReachError.
    """
    run_id = secrets.token_hex(4)
    messaging, catalog = scenario.messaging, source.catalog
    ledger = Ledger(len(catalog.assets))
    latency = Latency(from_sending=FromSending(len(catalog.assets)) if options.load else None)
    with as_parksim_errors():
        store = stack.enter_context(open_store(options.store, catalog, run_id=run_id))
        topics = districts(catalog, enterprise=scenario.enterprise, lanes=messaging.bridge_workers)
        names = [f"parksim-{run_id}-bridge{f'-{number}' if number else ''}" for number in range(len(topics))]
        if "://" in options.broker:
            stack.callback(forget, broker, names)
        listeners = opened(stack, broker, names, window=LISTENING, keep_session=True)
        uplink = open_uplink(
            stack,
            broker,
            catalog.assets,
            messaging,
            run_id=run_id,
            timeout_s=options.patience_s,
            clock=clock,
            stop=stop,
            told=told,
        )
        source.catch_up()
        start_ns = source.start_ns
        windows = Ahead(source.windows(shipping(scenario, source, options, uplink)) if not stop.is_set() else ())
        stack.callback(windows.close)
        # the first one takes longest
        windows.wait()
        # before anything is due: a large database may take a while
        off_ms = source.clocks_off_ms or (0, 0)
        before = rows_before(store, start_ns, options.duration_ns, off_ms)
        begin_ns = clock.monotonic_ns() + LEAD_NS
        pace = Pace(
            start_ns, begin_ns, options.speed, None if options.load is None else options.load.curve(start_ns, begin_ns)
        )
        bridge = Bridge(
            sessions=listeners,
            topics=topics,
            qos=1,
            catalog=catalog,
            store=store,
            books=ledger,
            reader=guarded(store, catalog, ledger),
            latency=latency,
            pace=pace,
            clock=clock,
            dead_letters=opened_dead_letters(stack, options.dead_letter_file),
            spools=opened_spools(stack, options.spool / run_id, len(topics)) if options.spool else (),
        )
        stack.callback(bridge.close, timeout_s=LAST_WORD_S)
        bridge.start()
    vigil = Vigil(
        broker=broker,
        bridge=bridge,
        sessions=(*uplink.sessions, *listeners),
        swarm=uplink.swarm,
        clock=clock,
        patience_s=patience_s(messaging, options.patience_s),
        store_patience_s=options.store_patience_s,
    )
    publisher = Publisher(
        uplink.outlets,
        ledger=ledger,
        latency=latency,
        pace=pace,
        clock=clock,
        qos=messaging.qos,
        credit=None
        if options.load
        else Credit(ledger, bridge_is_idle=bridge.is_idle, limit=min(MOST, broker.may_wait)),
        late_after_ns=None if options.load is None else options.load.late_after_ns,
        stop=stop,
        hopeless=vigil.hopeless,
        patience_s=patience_s(messaging, options.patience_s),
        book=(book := None if source.clocks_off_ms is None else GatewayBook()),
    )
    return Hops(
        run_id=run_id,
        catalog=catalog,
        windows=windows,
        publisher=publisher,
        uplink=uplink,
        listeners=listeners,
        broker=broker,
        bridge=bridge,
        vigil=vigil,
        store=store,
        rows_before=before,
        ledger=ledger,
        latency=latency,
        pace=pace,
        book=book,
        clocks_off_ms=off_ms,
    )


def shipping(scenario: Scenario, source: Source, options: Options, uplink: Uplink) -> Shipping:
    """Say what the messages are made for."""
    return Shipping(
        qos=scenario.messaging.qos,
        version=uplink.version,
        outlet_of=uplink.outlet_of,
        outlets=len(uplink.outlets),
        until_ns=None if options.duration_ns is None else source.start_ns + options.duration_ns,
        window_ns=window_ns(options.speed, sampled_per_s(source.catalog)),
    )


def rows_before(store: Store, start_ns: int, duration_ns: int | None, off_ms: tuple[int, int]) -> int | None:
    """Ask the store what it holds of the time that the run is to take; None if it cannot say."""
    early_ms, late_ms = off_ms
    end_ms = LAST_MS if duration_ns is None else -(-(start_ns + duration_ns) // MILLISECOND_NS) + late_ms
    try:
        return store.count(from_ms=start_ns // MILLISECOND_NS + early_ms, to_ms=end_ms)
    except StoreError:
        # it may let us write and not read: the run goes on, and its result says that it could not be audited
        return None


def forget(broker: Broker, names: Sequence[str]) -> None:
    """Have someone else's broker throw away sessions that were kept, or it would queue messages for nobody.

    One that does not answer is not asked again: the run has waited for it long enough.
    """
    with suppress(BrokerError):
        for name in names:
            broker.connect(name, window=1).close(timeout_s=0)


def enter_broker(stack: ExitStack, text: str, scenario: Scenario) -> Broker:
    """Start the broker, or look whether it is there. Raises ScenarioError, OutOfReachError."""
    with as_parksim_errors():
        if scenario.messaging.connections == "device":
            make_room(text, devices=connection_count(scenario))
        return stack.enter_context(open_broker(text))


@contextmanager
def as_parksim_errors() -> Iterator[None]:
    """Turn what brokers raise into what the command line knows."""
    try:
        yield
    except AddressError as error:
        message = f"--broker {error}"
        raise ScenarioError(message) from error
    except BrokerError as error:
        message = f"broker {error}"
        raise OutOfReachError(message) from error
