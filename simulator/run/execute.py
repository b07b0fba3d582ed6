"""One run on one machine, put together: a park is sent through a broker into a store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

from simulator.clock import SECOND_NS, Clock
from simulator.errors import OutOfReachError, SourceError
from simulator.plan import plan
from simulator.publish.consignment import Consignment
from simulator.publish.detached import Detached
from simulator.publish.orders import Orders
from simulator.publish.pacing import paced
from simulator.publish.source import Ending, Source
from simulator.publish.windows import FAST_PER_S
from simulator.publish.workshop import Workshop
from simulator.results.result import Result
from simulator.results.snapshot import Snapshot
from simulator.run.farewell import SETTLED_S, Deadline, audited, settle
from simulator.run.hops import Hops, as_parksim_errors, connect, enter_broker
from simulator.run.options import Options
from simulator.run.outcome import Progress, Spent, outcome
from simulator.scenario.loader import Loaded

__all__ = ["execute"]

MANY = 2_000_000
"""Readings of a run at full speed, from which on the park has one."""
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
    loaded = replace(loaded, scenario=loaded.scenario.model_copy(update={"seed": options.seed}))
    scenario = loaded.scenario
    with ExitStack() as stack:
        # before the warm-up, which may take long: a wrong address shows at once
        broker = enter_broker(stack, options.broker, scenario)
        if options.chaos is not None:
            broker = options.chaos.before_broker(stack, broker, connections=scenario.messaging.connections)
        source = open_source(stack, loaded, options, clock=clock, stop=stop)
        hops = connect(stack, broker, loaded, options, source, clock=clock, stop=stop, told=told)
        progress = Progress(source.start_ns)
        on_open(hops)
        if options.chaos is not None:
            options.chaos.begin(hops.pace, hops.uplink.swarm)
            stack.callback(options.chaos.close)
        cpu_s, began_ns = time.process_time(), clock.monotonic_ns()
        with watched(hops, options, progress, clock=clock, stop=stop, on_snapshot=on_snapshot):
            if not stop.is_set():
                send(paced(noted(hops, progress, clock), hops.pace, clock, stop), hops, progress)
            hops.windows.close()
            if hops.steering is not None:
                hops.steering.close(wall_s(hops, clock))
            interrupted = stop.is_set() and progress.reason is None
            deadline = Deadline.after(clock, SETTLED_S)
            is_well = settle(hops, progress, deadline) and not interrupted
            # a run may be over before anything was due
            busy_ns = max(1, clock.monotonic_ns() - busy_since_ns(hops, began_ns) - paused_ns(hops, options, progress))
            audit = audited(hops, progress, None if is_well else deadline)
            ending = left(source, progress)
        spent = Spent(started_ns, clock.now_ns(), busy_ns / SECOND_NS, time.process_time() - cpu_s + progress.cpu_s)
        return outcome(
            loaded,
            options,
            hops,
            progress,
            ending,
            origin_ns=source.origin_ns,
            audit=audit,
            spent=spent,
            interrupted=interrupted,
        )


def open_source(stack: ExitStack, loaded: Loaded, options: Options, *, clock: Clock, stop: threading.Event) -> Source:
    """Build the park and let it warm up, in a process of its own where it has much to say."""
    scenario = loaded.scenario
    if is_fast(plan(loaded).readings_per_s, options):
        return stack.enter_context(Detached(scenario, loaded.types, stop=stop, steerable=options.is_steerable))
    orders = Orders() if options.is_steerable else None
    return Workshop(scenario, loaded.types, clock, stop=stop.is_set, orders=orders)


def is_fast(readings_per_s: float, options: Options) -> bool:
    """Say whether a park speaks so fast, or so much at full speed, that a second process is worth its start."""
    if options.speed is not None:
        return readings_per_s * options.speed >= FAST_PER_S
    return options.duration_ns is None or readings_per_s * options.duration_ns / SECOND_NS >= MANY


def left(source: Source, progress: Progress) -> Ending:
    """Ask the source for its last words; one that has ended has none."""
    try:
        return source.end(progress.windows, progress.until_ns)
    except SourceError as error:
        progress.reason = progress.reason or str(error)
        return Ending(None, [], 0)


def busy_since_ns(hops: Hops, began_ns: int) -> int:
    """Return when the work began: when the first message was due, or at ``began_ns`` if none was sent."""
    return hops.pace.wall_start_ns if hops.ledger.counts().published else min(began_ns, hops.pace.wall_start_ns)


def paused_ns(hops: Hops, options: Options, progress: Progress) -> int:
    """Return for how long the run has paused, by hand and as planned."""
    start_ns = hops.pace.sim_start_ns
    planned = sum(one.pause or 0 for one in options.pace if start_ns <= one.at_ns(start_ns) < progress.until_ns)
    by_hand = () if hops.steering is None else hops.steering.actions()
    return planned + round(sum(one.paused_s or 0.0 for one in by_hand) * SECOND_NS)


def noted(hops: Hops, progress: Progress, clock: Clock) -> Iterator[Consignment]:
    """Pass the messages on, and keep where the park stands at the end of the current window."""
    for window in hops.windows:
        progress.windows += 1
        progress.park, progress.left_out, progress.cpu_s = window.park, window.left_out, window.cpu_s
        progress.glimpse = window.glimpse or progress.glimpse
        if hops.steering is not None:
            hops.steering.done(window.acts, until_ns=window.consignment.until_ns, wall_s=wall_s(hops, clock))
        if window.readings is not None:
            progress.readings.append(window.readings)
        yield window.consignment
        progress.until_ns = window.consignment.until_ns


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

    is_seen = False

    def look() -> None:
        nonlocal is_seen
        is_shown = True
        while not over.wait(options.snapshot_s or SNAPSHOT_S):
            if progress.reason is None and not stop.is_set():
                progress.reason = hops.vigil.hopeless()
                if progress.reason is not None:
                    stop.set()
            if is_shown:
                is_seen = True
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
        if options.is_watched and not is_seen:
            # who looks on is told how a run ended, and of what, however short it was
            with suppress(Exception):
                on_snapshot(snapshot(hops, options, progress, clock))


def snapshot(hops: Hops, options: Options, progress: Progress, clock: Clock) -> Snapshot:
    """Say where the run stands."""
    p99 = hops.latency.end_to_end.percentile(99)
    steering, glimpse = hops.steering, progress.glimpse
    if steering is not None:
        steering.marking.see(progress.until_ns, wall_s(hops, clock))
    return Snapshot(
        wall_ns=clock.monotonic_ns() - hops.pace.wall_start_ns,
        simulated_ns=progress.until_ns - hops.pace.sim_start_ns,
        duration_ns=options.duration_ns,
        counts=hops.ledger.counts(),
        end_to_end_ms=None if p99 is None else p99 / 1e6,
        trouble=hops.trouble(),
        park=progress.park,
        states=b"" if glimpse is None else glimpse.states,
        parts={} if glimpse is None else glimpse.parts,
        systems=None if glimpse is None else glimpse.systems,
        latency_ms=hops.latency.as_ms(),
        waiting=progress.waiting,
        speed=hops.pace.speed_now,
        is_paused=steering is not None and steering.is_paused,
        marks=() if steering is None else steering.marking.marks(),
        readings=tuple(progress.readings.popleft() for _ in range(len(progress.readings))),
    )


def wall_s(hops: Hops, clock: Clock) -> float:
    """Return seconds since the first message was due."""
    return (clock.monotonic_ns() - hops.pace.wall_start_ns) / SECOND_NS
