"""The receiving end of a run: a store and a bridge of our own before it, or a database that someone else writes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from brokers.endpoint import Broker, Session
from brokers.errors import BrokerError
from simulator.batch import Asset, Catalog
from simulator.clock import Clock, Pace
from simulator.errors import ScenarioError
from simulator.ingest.auditor import AuditedStore, Auditor
from simulator.ingest.bridge import Bridge
from simulator.ingest.dead_letters import opened_dead_letters
from simulator.ingest.districts import divided
from simulator.ingest.open import open_store
from simulator.ingest.sentry import guarded
from simulator.ingest.spools import opened_spools
from simulator.ingest.store import Store
from simulator.results.latency import Latency
from simulator.results.ledger import Ledger
from simulator.run.options import Options
from simulator.run.uplink import opened
from simulator.scenario.schema import Scenario
from simulator.verify.verification import open_reader

__all__ = ["Receiving", "open_receiving"]

LISTENING = 1000
"""Messages that a broker may have sent to a bridge and that are not in the store yet."""
LAST_WORD_S = 1.0
"""How long the bridge may end a write when a run breaks; one that ends well has waited before."""


@dataclass(frozen=True, slots=True)
class Receiving:
    """What is open already; ``begin`` starts to carry, or to look, once it is known when what is due."""

    store: Store
    listeners: tuple[Session, ...]
    assets: Sequence[Asset]
    """Whose messages come here."""
    begin: Callable[[Pace], Bridge | Auditor]


def open_receiving(
    stack: ExitStack,
    broker: Broker,
    scenario: Scenario,
    options: Options,
    catalog: Catalog,
    *,
    run_id: str,
    ledger: Ledger,
    latency: Latency,
    clock: Clock,
) -> Receiving:
    """Open the store and the sessions of the bridge. Raises ScenarioError, OutOfReachError, BrokerError."""
    if options.audits:
        return audited(stack, scenario, options, catalog, ledger=ledger, clock=clock)
    address = options.store if options.chaos is None else options.chaos.before_store(stack, options.store)
    lanes = scenario.messaging.bridge_workers
    if options.share is None:
        parts = divided(catalog, enterprise=scenario.enterprise, lanes=lanes)
    else:
        parts = options.share.districts(catalog, enterprise=scenario.enterprise, lanes=lanes)
    topics, assets = [part.topics for part in parts], [asset for part in parts for asset in part.assets]
    store = stack.enter_context(open_store(address, catalog, run_id=run_id, assets=assets))
    names = tuple(f"parksim-{run_id}-bridge{f'-{number}' if number else ''}" for number in range(len(topics)))
    if "://" in options.broker:
        stack.callback(forget, broker, names)
    listeners = tuple(opened(stack, broker, names, window=LISTENING, keep_session=True))

    def begin(pace: Pace) -> Bridge:
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
        return bridge

    return Receiving(store, listeners, assets, begin)


def forget(broker: Broker, names: Sequence[str]) -> None:
    """Have someone else's broker throw away sessions that were kept, or it would queue messages for nobody.

    One that does not answer is not asked again: the run has waited for it long enough.
    """
    with suppress(BrokerError):
        for name in names:
            broker.connect(name, window=1).close(timeout_s=0)


def audited(
    stack: ExitStack, scenario: Scenario, options: Options, catalog: Catalog, *, ledger: Ledger, clock: Clock
) -> Receiving:
    """Open someone else's database for reading. Raises ScenarioError, OutOfReachError."""
    if options.store == "none":
        message = "--bridge none looks into a database that someone else writes to: name it with --store influxdb://…"
        raise ScenarioError(message)
    reader = stack.enter_context(open_reader(options.store, catalog, scenario.stored))
    store = AuditedStore(reader, catalog)

    def begin(pace: Pace) -> Auditor:
        auditor = Auditor(store, ledger, pace, clock)
        stack.callback(auditor.close, timeout_s=LAST_WORD_S)
        auditor.start()
        return auditor

    return Receiving(store, (), catalog.assets, begin)
