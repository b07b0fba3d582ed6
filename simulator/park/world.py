"""The world: a park that happens, read window by window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import simpy
from numpy.typing import NDArray

from simulator.batch import Batch, Catalog
from simulator.park.accounts import Accounts
from simulator.park.annex import Teller, joined
from simulator.park.build import build
from simulator.park.census import Census
from simulator.park.faults import strikes
from simulator.park.kpi import Work
from simulator.park.scoreboard import Scoreboard
from simulator.park.truth import Happening
from simulator.scenario.fault import Cause, Fault
from simulator.scenario.machine_type import MachineType
from simulator.scenario.schema import Scenario
from simulator.signals.bank import Bank
from simulator.signals.timeline import Segment, Timeline, table_of
from simulator.signals.traffic import Traffic

__all__ = ["World"]

MINUTE_NS = 60_000_000_000
UNSEEN_WINDOW_NS = 60 * MINUTE_NS
"""How the warm-up is cut; the readings do not depend on it."""


class FaultTold(NamedTuple):
    """A fault as a result tells it."""

    kind: str
    target: str
    """As a scenario writes it."""
    from_ns: int
    to_ns: int | None
    """None if it was not over."""
    cause: str


class World:
    """A park from its origin, ``warm_up`` before the start, onwards.

    ``start_ns`` is the first instant whose readings are wanted, nanoseconds since the Unix epoch, whole milliseconds.
    """

    def __init__(
        self,
        scenario: Scenario,
        types: Mapping[str, MachineType],
        start_ns: int,
        *,
        stop: Callable[[], bool] = lambda: False,
        steerable: bool = False,
    ) -> None:
        """Warm up, which may take long; once ``stop`` says so it ends before its time, with a park not to be read.

        ``steerable``: somebody may ``begin`` faults by hand and ``change_pace``.
        """
        self._scenario = scenario
        self._types = types
        self.start_ns = start_ns
        self._stop = stop
        self._now_ns = self.origin_ns = start_ns - scenario.warm_up
        self._env = simpy.Environment(initial_time=self._now_ns)
        self._fresh: list[Segment] = []
        self._watchers: list[Callable[[Segment], None]] = []
        self.park = build(scenario, types, self._env, self._fresh.append, steerable=steerable)
        self.catalog: Catalog = self.park.catalog
        self._current = table_of(self._fresh)
        self._fresh.clear()
        machines = self.park.machines
        self._bank = Bank(
            self.park.measured,
            [machine.spec for machine in machines],
            [machine.book for machine in machines],
            seed=scenario.seed,
            origin_ns=self._now_ns,
            surroundings=self.park.surroundings,
            distortions=self.park.faults.distortions,
            growth=self.park.growth,
        )
        self._accounts = Accounts(self.park.plants, self._bank.tallies, origin_ns=self._now_ns)
        self._tellers: tuple[Teller, ...] = (
            self.park.truth,
            self.park.pace,
            self.park.bulletins,
            Scoreboard(
                self._accounts,
                self.park.groups,
                every_ns=scenario.kpis.every,
                zone=scenario.timezone,
                assets=self.catalog.assets[len(self.catalog.assets) - len(self.park.groups) :],
            ),
        )
        self.skip(start_ns)
        self._at_start = self._work_by_now()

    def batches(self, until_ns: int | None, window_ns: int | Callable[[], int]) -> Iterator[Batch]:
        """Yield the readings of consecutive windows, each as long as ``window_ns`` or what is left until ``until_ns``.

        None goes on for ever. The readings do not depend on ``window_ns``, which may be asked before each window.
        """
        while until_ns is None or self._now_ns < until_ns:
            end_ns = self._now_ns + (window_ns if isinstance(window_ns, int) else window_ns())
            timeline = self._advance(end_ns if until_ns is None else min(end_ns, until_ns))
            yield joined(self._bank.read(timeline), [teller.read(timeline) for teller in self._tellers])

    def skip(self, until_ns: int) -> None:
        """Let the park live on without reading its sensors, until then or until stopped."""
        while self._now_ns < until_ns and not self._stop():
            timeline = self._advance(min(self._now_ns + UNSEEN_WINDOW_NS, until_ns))
            self._bank.pass_over(timeline)
            for teller in self._tellers:
                teller.skip(timeline)

    @property
    def now_ns(self) -> int:
        """The simulated instant that the park has come to: the end of the last window."""
        return self._now_ns

    def begin(self, fault: Fault) -> None:
        """Let a fault that is marked as begun by hand befall its target from ``now_ns`` on, whatever its time says."""
        begun = fault.model_copy(update={"at": 0})
        park = self.park
        struck = strikes(
            [begun], self._scenario, self._types, park.measured, origin_ns=self._now_ns, start_ns=self._now_ns
        )
        park.faults.let_loose(struck)

    def change_pace(self, speed: float | None) -> None:
        """Tell in the truth that by hand the speed becomes another one at ``now_ns``, or that the run pauses: None."""
        self.park.pace.change(self._now_ns, Cause.HAND, speed=speed)

    @property
    def traffic(self) -> Traffic | None:
        """What became of the messages of the last window at gateways; None without any."""
        return self.park.surroundings.traffic

    def start_later(self, start_ns: int) -> None:
        """Move the start on without reading: the figures of the park count from there."""
        self.skip(start_ns)
        self.start_ns = start_ns
        self._at_start = self._work_by_now()

    def watch(self, happened: Callable[[Segment], None]) -> None:
        """Call ``happened`` for every change of state from now on, in the order of time."""
        self._watchers.append(happened)

    def kpis(self) -> dict[str, float | int | None]:
        """Return the figures of the park: OEE since the origin, counts and energy since the start, state of now."""
        return self.census().whole()

    def states(self) -> bytes:
        """Return the PackML state of each machine as it stands: byte n is that of asset n of the catalogue."""
        return bytes(int(machine.state) for machine in self.park.machines)

    def sensors_of_systems(self) -> NDArray[np.int64]:
        """Return the numbers of the sensors of what works for a whole site, int64[K]."""
        systems = [machine.asset for machine in self.park.machines if machine.spec.runs_for_a_site]
        found: NDArray[np.int64] = np.flatnonzero(np.isin(self.park.measured.asset_of, systems))
        return found

    def census(self) -> Census:
        """Return what the park has done by now, to be looked at later."""
        until_ns = None if self._now_ns == self.origin_ns else self._now_ns
        return Census.of(self.park, self._work_by_now(), self._at_start, until_ns=until_ns)

    def feeders(self) -> dict[int, tuple[int, int, float]]:
        """Return what each feeder has counted by now, W ms, what the assets behind it have, and its loss."""
        return {} if self._now_ns == self.origin_ns else self._bank.tallies.feeders(self._now_ns)

    def faults(self, before_ns: int) -> tuple[list[FaultTold], int]:
        """Return the faults in force between the start and an instant, and how many more are not listed."""
        happenings, more = self.park.truth.happened(before_ns)
        return [told(happening, self.park.measured) for happening in happenings], more

    def live(self, until_ns: int) -> None:
        """Let happen what happens until then; whoever reads the park calls this for each window."""
        self._env.run(until=until_ns)

    def _advance(self, until_ns: int) -> Timeline:
        self.live(until_ns)
        for track in self.park.tracks:
            # What devices draw is held for a minute, which may have begun before the window.
            track.forget(self._now_ns - MINUTE_NS)
        fresh = table_of(self._fresh)
        timeline = Timeline.of_table(
            np.concatenate((self._current, fresh)), assets=len(self._current), from_ns=self._now_ns, until_ns=until_ns
        )
        if self._watchers:
            self._tell()
        # Of several rows for an asset the last one stays.
        self._current[fresh[:, 0]] = fresh
        self._fresh.clear()
        self._bank.advance(timeline)
        self._now_ns = until_ns
        return timeline

    def _tell(self) -> None:
        """Tell the watchers of every change of state."""
        state = self._current[:, 2].tolist()
        for segment in self._fresh:
            if segment.state != state[segment.asset]:
                state[segment.asset] = segment.state
                for happened in self._watchers:
                    happened(segment)

    def _work_by_now(self) -> Work:
        if self._now_ns == self.origin_ns:
            return self._accounts.nothing()
        return self._accounts.at(np.array([self._now_ns]))


def told(happening: Happening, catalog: Catalog) -> FaultTold:
    asset = catalog.assets[happening.asset]
    sensor = (asset.sensors[happening.sensor].name,) if happening.sensor >= 0 else ()
    target = "/".join((*asset.path[1:], *sensor))
    return FaultTold(happening.kind, target, happening.from_ns, happening.to_ns, happening.cause.words)
