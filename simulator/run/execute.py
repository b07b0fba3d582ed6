"""One run on one machine, put together: a park is sent through a broker into a store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager

from simulator.batch import Batch, Catalog
from simulator.clock import SECOND_NS, Clock
from simulator.errors import OutOfReachError
from simulator.park.census import Census
from simulator.park.world import World
from simulator.publish.consignment import Consignment
from simulator.publish.forwarding import Forwarding, forwarded
from simulator.publish.pacing import ahead, paced
from simulator.results.result import Result
from simulator.results.snapshot import Snapshot
from simulator.run.farewell import SETTLED_S, Deadline, audited, settle
from simulator.run.hops import Hops, Options, as_parksim_errors, connect, enter_broker
from simulator.run.outcome import Progress, Spent, outcome
from simulator.scenario.loader import Loaded
from simulator.scenario.quantities import instant_ns
from simulator.scenario.schema import Scenario

__all__ = ["execute"]

MILLISECOND_NS = 1_000_000
WINDOW_NS = SECOND_NS
"""Wall time that a window of a paced run covers."""
LONGEST_WINDOW_NS = 60 * SECOND_NS
"""Simulated time that a window covers at most."""
READINGS_AT_ONCE = 50_000
"""Of a window, where a park speaks so fast that a shorter one would do: enough to make each step of the work cheap, few
enough for the caches, and for whoever sends meanwhile to get his turn."""
LAG_NS = 3 * SECOND_NS // 2
"""How far behind the wall clock a run that starts now may start; the cut to the second is up to a second of it."""
SNAPSHOT_S = 1.0


def execute(
    loaded: Loaded,
    options: Options,
    *,
    clock: Clock,
    stop: threading.Event,
    on_open: Callable[[Hops], None],
    on_snapshot: Callable[[Snapshot], None],
    told: Callable[[str], object] = lambda _: None,
) -> Result:
    """Run a park through a broker into a store, and return what became of it.

    Ends when the simulated time is over, when ``stop`` is set, or when a hop fails for good; then all that is under
    way is drained, which has a deadline: see simulator.run.farewell. ``on_open`` is called when all hops are open,
    ``on_snapshot`` about once a second from another thread; what takes long before is ``told``.
    Raises ScenarioError for what cannot be run, OutOfReachError when broker or store cannot be used at the start.
    """
    started_ns = clock.now_ns()
    scenario = loaded.scenario.model_copy(update={"seed": options.seed})
    with ExitStack() as stack:
        # before the warm-up, which may take long: a wrong address shows at once
        broker = enter_broker(stack, options.broker, scenario)
        world = warmed_up(scenario, loaded, clock, stop)
        hops = connect(
            stack,
            broker,
            scenario,
            options,
            world.catalog,
            # devices may take long to connect
            ready=lambda: caught_up(world, scenario, clock, stop).start_ns,
            clock=clock,
            stop=stop,
            told=told,
            traffic=world.traffic,
        )
        until_ns = None if options.duration_ns is None else world.start_ns + options.duration_ns
        progress = Progress(world.start_ns)
        on_open(hops)
        cpu_s, began_ns = time.process_time(), clock.monotonic_ns()
        with watched(hops, options, progress, clock=clock, stop=stop, on_snapshot=on_snapshot):
            if not stop.is_set():
                batches = leaving(world, hops, until_ns, window_ns(options.speed, sampled_per_s(world.catalog)))
                windows = ((hops.consignor.consign(batch), world.census()) for batch in batches)
                send(paced(noted(ahead(windows), progress), hops.pace, clock, stop), hops, progress)
            interrupted = stop.is_set() and progress.reason is None
            deadline = Deadline.after(clock, SETTLED_S)
            is_well = settle(hops, progress, deadline) and not interrupted
            # a run may be over before anything was due
            busy_ns = max(1, clock.monotonic_ns() - busy_since_ns(hops, began_ns))
            audit = audited(hops, progress, None if is_well else deadline)
        spent = Spent(started_ns, clock.now_ns(), busy_ns / SECOND_NS, time.process_time() - cpu_s)
        return outcome(loaded, options, hops, progress, world, audit=audit, spent=spent, interrupted=interrupted)


def first_instant_ns(scenario: Scenario, clock: Clock) -> int:
    """Return the first simulated instant; ``now`` is the wall clock, cut to the second."""
    if scenario.start == "now":
        return clock.now_ns() // SECOND_NS * SECOND_NS
    return instant_ns(scenario.start)


def warmed_up(scenario: Scenario, loaded: Loaded, clock: Clock, stop: threading.Event) -> World:
    """Return the park at its first instant, which says when that is. A long warm-up takes its time."""
    world = World(scenario, loaded.types, first_instant_ns(scenario, clock), stop=stop.is_set)
    return caught_up(world, scenario, clock, stop)


def caught_up(world: World, scenario: Scenario, clock: Clock, stop: threading.Event) -> World:
    """Where the scenario starts now, let the park live on, unseen, to the now that it has become.

    Else its timestamps would lag behind the wall clock for the whole run. Not for less than LAG_NS: a park that has
    lived on is not the one that the scenario gives for that start; the result tells its origin.
    """
    # living on takes time as well, though less each time
    while scenario.start == "now" and clock.now_ns() - world.start_ns >= LAG_NS and not stop.is_set():
        world.start_later(first_instant_ns(scenario, clock))
    return world


def busy_since_ns(hops: Hops, began_ns: int) -> int:
    """Return when the work began: when the first message was due, or at ``began_ns`` if none was sent."""
    return hops.pace.wall_start_ns if hops.ledger.counts().published else min(began_ns, hops.pace.wall_start_ns)


def window_ns(speed: float | None, readings_per_s: float) -> int:
    """Return how much simulated time is made at once, in whole milliseconds."""
    wanted_ns = LONGEST_WINDOW_NS if speed is None else min(LONGEST_WINDOW_NS, round(WINDOW_NS * speed))
    enough_ns = round(READINGS_AT_ONCE / readings_per_s * SECOND_NS) if readings_per_s else LONGEST_WINDOW_NS
    return max(MILLISECOND_NS, min(wanted_ns, enough_ns) // MILLISECOND_NS * MILLISECOND_NS)


def sampled_per_s(catalog: Catalog) -> float:
    """Return how many readings a simulated second brings, those per cycle and on change left out."""
    return sum(SECOND_NS / sensor.period_ns for sensor in catalog.sensors if sensor.period_ns)


def leaving(world: World, hops: Hops, until_ns: int | None, length_ns: int) -> Iterator[Batch]:
    """Yield the batches of a world as they leave: as they are born, unless gateways of the scenario relay them."""
    batches = world.batches(until_ns, length_ns)
    if world.traffic is None:
        return batches
    return forwarded(batches, Forwarding(world.catalog, world.traffic, hops.consignor.encoder.carries))


def noted(windows: Iterable[tuple[Consignment, Census]], progress: Progress) -> Iterator[Consignment]:
    """Pass the windows on, and keep the figures of the park at the end of the current one."""
    for window, census in windows:
        progress.census, progress.park = census, census.whole()
        yield window
        progress.until_ns = window.until_ns


def send(slices: Iterable[Consignment], hops: Hops, progress: Progress) -> None:
    """Send every slice; note how far the run has come, and why it ended if it failed."""
    try:
        with as_parksim_errors():
            for piece in slices:
                # also of a piece that fails every message is booked
                progress.until_ns = piece.until_ns
                hops.publisher.send(piece)
    except OutOfReachError as error:
        progress.reason = progress.reason or str(error)


@contextmanager
def watched(
    hops: Hops,
    options: Options,
    progress: Progress,
    *,
    clock: Clock,
    stop: threading.Event,
    on_snapshot: Callable[[Snapshot], None],
) -> Iterator[None]:
    """Take a snapshot every second, and stop the run when a hop has failed for good."""
    over = threading.Event()

    def look() -> None:
        is_shown = True
        while not over.wait(SNAPSHOT_S):
            if progress.reason is None and not stop.is_set():
                progress.reason = hops.vigil.hopeless()
                if progress.reason is not None:
                    stop.set()
            if is_shown:
                try:
                    on_snapshot(snapshot(hops, options, progress, clock))
                except Exception:  # noqa: BLE001 - whoever looked on is gone, which is no reason to end a run
                    is_shown = False

    watcher = threading.Thread(target=look, name="parksim-watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def snapshot(hops: Hops, options: Options, progress: Progress, clock: Clock) -> Snapshot:
    """Say where the run stands."""
    p99 = hops.latency.end_to_end.percentile(99)
    return Snapshot(
        wall_ns=clock.monotonic_ns() - hops.pace.wall_start_ns,
        simulated_ns=progress.until_ns - hops.pace.sim_start_ns,
        duration_ns=options.duration_ns,
        counts=hops.ledger.counts(),
        end_to_end_ms=None if p99 is None else p99 / 1e6,
        trouble=hops.trouble(),
        park=progress.park,
        waiting=progress.waiting,
    )
