"""The hops of a run: everything that a message passes on its way from the park to the store, opened in order."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np

from brokers import open_broker
from brokers.endpoint import Broker, Session
from brokers.errors import AddressError, BrokerError
from simulator.batch import Catalog
from simulator.clock import SECOND_NS, Clock, Pace
from simulator.errors import OutOfReachError, ScenarioError, StoreError
from simulator.ingest.auditor import Auditor
from simulator.ingest.bridge import Bridge
from simulator.ingest.decode import LAST_MS
from simulator.ingest.store import Store
from simulator.load.effort import Effort, process_cpu_s
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
from simulator.run.options import Options
from simulator.run.receiving import open_receiving
from simulator.run.steering import Steering
from simulator.run.uplink import Uplink, make_room, open_uplink, patience_s
from simulator.run.vigil import Vigil
from simulator.scenario.loader import Loaded
from simulator.scenario.schema import Scenario

__all__ = ["Hops", "as_parksim_errors", "connect", "enter_broker"]

LEAD_NS = SECOND_NS // 5
"""From the plan of the due times to the first of them: time to subscribe."""
MILLISECOND_NS = 1_000_000


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
    bridge: Bridge | Auditor
    vigil: Vigil
    store: Store
    rows_before: int | None
    """What the store held of the time of the run before it began; None if it could not say."""
    ledger: Ledger
    latency: Latency
    pace: Pace
    book: GatewayBook | None
    """What gateways of the scenario do to messages; None without any."""
    steering: Steering | None
    """What who looks on may do; None: nothing."""
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
    loaded: Loaded,
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
    scenario, catalog = loaded.scenario, source.catalog
    messaging = scenario.messaging
    ledger = Ledger(len(catalog.assets))
    latency = Latency(from_sending=FromSending(len(catalog.assets)) if options.load else None)
    with as_parksim_errors():
        receiving = open_receiving(
            stack,
            broker,
            scenario,
            options,
            catalog,
            run_id=run_id,
            ledger=ledger,
            latency=latency,
            clock=clock,
        )
        own = None
        if options.share is not None:
            if source.clocks_off_ms is not None:
                message = "--workers: not with gateways of the scenario, whose messages leave together; leave it out"
                raise ScenarioError(message)
            own = [catalog.by_topic[asset.topic] for asset in receiving.assets]
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
            own=own,
        )
        source.catch_up()
        start_ns = source.start_ns
        wanted = shipping(scenario, source, options, uplink, own)
        windows = Ahead(source.windows(wanted) if not stop.is_set() else (), stop=stop, enough=source.enough)
        stack.callback(windows.close)
        # the first one takes longest
        windows.wait()
        # before anything is due: a large database may take a while
        off_ms = source.clocks_off_ms or (0, 0)
        before = rows_before(receiving.store, start_ns, options.duration_ns, off_ms)
        if options.audits and before:
            message = (
                f"the database holds {before:,} rows of these machines and that time already, which could not be told"
                " from those of this run; write `start: now` into the scenario, or name an empty database"
            )
            raise ScenarioError(message)
        begin_ns = clock.monotonic_ns() + LEAD_NS if options.share is None else options.share.meet()
        pace = Pace(
            start_ns, begin_ns, options.speed, None if options.load is None else options.load.curve(start_ns, begin_ns)
        )
        for change in sorted(options.pace, key=lambda one: one.at_ns(start_ns)):
            # of what was to be before the run began the speed is left
            at_ns = max(change.at_ns(start_ns), start_ns)
            if change.pause is None:
                pace.turn(at_ns, speed=change.speed)
            elif change.at_ns(start_ns) >= start_ns:
                pace.turn(at_ns, wall_ns=pace.due_ns(at_ns) + change.pause)
        bridge = receiving.begin(pace)
    vigil = Vigil(
        broker=broker,
        bridge=bridge,
        sessions=(*uplink.sessions, *receiving.listeners),
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
        listeners=receiving.listeners,
        broker=broker,
        bridge=bridge,
        vigil=vigil,
        store=receiving.store,
        rows_before=before,
        ledger=ledger,
        latency=latency,
        pace=pace,
        book=book,
        steering=Steering(loaded, source, pace, clock) if options.is_steerable else None,
        clocks_off_ms=off_ms,
    )


def shipping(
    scenario: Scenario, source: Source, options: Options, uplink: Uplink, own: Sequence[int] | None
) -> Shipping:
    """Say what the messages are made for."""
    sensors = None if own is None else np.isin(source.catalog.asset_of, own)
    return Shipping(
        qos=scenario.messaging.qos,
        version=uplink.version,
        outlet_of=uplink.outlet_of,
        outlets=len(uplink.outlets),
        until_ns=None if options.duration_ns is None else source.start_ns + options.duration_ns,
        window_ns=window_ns(options.speed, sampled_per_s(source.catalog), is_steerable=options.is_steerable),
        sensors=sensors,
        is_watched=options.is_watched,
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
