"""A load test: calibrated, and played after a profile in an open loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import NamedTuple, Protocol

from brokers import Sink, open_broker
from simulator.bench.live import Live
from simulator.clock import Clock
from simulator.errors import TooSlowError
from simulator.plan import plan
from simulator.results.result import Result
from simulator.results.snapshot import Snapshot
from simulator.run.execute import execute
from simulator.run.hops import Hops, as_parksim_errors
from simulator.run.load_test.chaos import Chaos
from simulator.run.load_test.freshness import Freshness
from simulator.run.load_test.marks import Marks
from simulator.run.load_test.plan import Prepared
from simulator.run.load_test.servers import Servers
from simulator.run.load_test.verdict import judged, peak_per_s, told_of
from simulator.run.options import Load, Options
from simulator.scenario.loader import Loaded

__all__ = ["Players", "Setting", "Solo", "calibrated", "load"]

CALIBRATION_S = 3.0
"""Wall time for which the generator shows what it can, about."""
TRIAL_MESSAGES = 20_000


class Setting(NamedTuple):
    """What is loaded, and who looks on."""

    loaded: Loaded
    options: Options
    clock: Clock
    told: Callable[[str], object]
    on_open: Callable[[Hops], None]
    on_snapshot: Callable[[Snapshot], None]


class Players(Protocol):
    """Who plays a profile: this process, or several workers."""

    def calibrated_per_s(self, loaded: Loaded) -> float:
        """Return messages a second that can be handed over at most."""

    def play(self, setting: Setting, wanted: Prepared, marks: Marks) -> Result:
        """Play until the end of the profile or that of ``marks.stop``; not judged yet."""


def load(players: Players, setting: Setting, wanted: Prepared, stop: threading.Event) -> tuple[Result, Marks]:
    """Calibrate, play the profile, and judge. Raises ScenarioError, OutOfReachError, TooSlowError."""
    ceiling = calibrated(players, setting)
    peak = peak_per_s(wanted.profile)
    if peak > ceiling:
        message = (
            f"the profile asks for {peak:,.0f} messages/s, and this generator can hand over"
            f" {ceiling:,.0f}/s at most: nothing behind it could be judged; ask for less, or use a faster machine"
        )
        raise TooSlowError(message)
    marks = Marks(wanted.thresholds, stop)
    return judged(players.play(setting, wanted, marks), wanted.profile, marks, ceiling), marks


def calibrated(players: Players, setting: Setting) -> float:
    """Return what ``calibrated_per_s`` finds, and tell it, once it is clear that somebody is there to be loaded.

    Raises ScenarioError, OutOfReachError.
    """
    look_at(setting.options)
    setting.told("calibrating: what this generator hands over at most, into a sink")
    ceiling = players.calibrated_per_s(setting.loaded)
    setting.told(f"calibrated: {ceiling:,.0f} messages/s at most")
    return ceiling


def look_at(options: Options) -> None:
    """Look whether broker and database of someone else are there: a wrong address shall show at once.

    Raises ScenarioError, OutOfReachError.
    """
    if "://" in options.broker:
        with as_parksim_errors(), open_broker(options.broker):
            pass
    if options.store.startswith("influxdb"):
        from simulator.ingest.stores.influxdb import Address  # noqa: PLC0415 - the client takes 0.3 s
        from simulator.ingest.stores.influxdb.connection import Connection  # noqa: PLC0415
        from simulator.ingest.stores.influxdb.dialects import detect  # noqa: PLC0415

        with closing(Connection(Address.parse(options.store))) as link:
            detect(link)


class Solo:
    """A single process."""

    def calibrated_per_s(self, loaded: Loaded) -> float:
        """Return messages a second that it hands over at most, with a sink behind it that forgets them."""
        messaging = loaded.scenario.messaging
        with (
            Sink() as sink,
            Live(sink, loaded, qos=messaging.qos, version=5, window=messaging.window) as live,
        ):
            per_s = live.measure(TRIAL_MESSAGES).per_s
            return live.measure(max(TRIAL_MESSAGES, round(per_s * CALIBRATION_S))).per_s

    def play(self, setting: Setting, wanted: Prepared, marks: Marks) -> Result:
        """Play until the end of the profile or that of ``marks.stop``; not judged yet. Raises as ``execute`` does."""
        loaded, options, clock = setting.loaded, setting.options, setting.clock
        profile, natural = wanted.profile, plan(loaded).messages_per_s
        duration_s = profile.simulated_s(natural)
        chaos = Chaos(wanted.disturbances, clock, setting.told) if wanted.disturbances else None
        played = replace(
            options,
            chaos=chaos,
            load=Load(profile, natural, wanted.late_after_ns),
            speed=duration_s / profile.duration_s,
            duration_ns=round(duration_s * 1_000) * 1_000_000,
        )
        servers = Servers(options.store, clock)
        with ExitStack() as stack:

            def opened(hops: Hops) -> None:
                marks.opened(hops)
                stored = loaded.scenario.stored if options.audits else None
                fresh = Freshness(
                    options.store,
                    hops.catalog,
                    stored,
                    publisher=hops.publisher,
                    found=hops.latency.queryable,
                    offset=marks.offset,
                    clock=clock,
                    told=setting.told,
                )
                stack.callback(fresh.close)
                fresh.start()
                servers.begin(hops.broker)
                setting.on_open(hops)

            def seen(snapshot: Snapshot) -> None:
                marks.seen(snapshot)
                servers.listen()
                setting.on_snapshot(snapshot)

            result = execute(
                loaded, played, clock=clock, stop=marks.stop, on_open=opened, on_snapshot=seen, told=setting.told
            )
        marks.servers = servers.end()
        early = marks.lost is not None or marks.was_given_up
        marks.ended(marks.marks[-1].wall_s if early else profile.duration_s)
        return told_of(result, profile, marks, () if chaos is None else chaos.happened)
