"""The world: a park that happens, read window by window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import simpy

from simulator.batch import Batch, Catalog
from simulator.park.build import build
from simulator.park.kpi import Kpis, measure
from simulator.scenario.machine_type import MachineType
from simulator.scenario.schema import Scenario
from simulator.signals.bank import Bank
from simulator.signals.timeline import Segment, Timeline

__all__ = ["World"]

MINUTE_NS = 60_000_000_000
UNSEEN_WINDOW_NS = 60 * MINUTE_NS
"""How the warm-up is cut; the readings do not depend on it."""


class World:
    """A park from its origin, ``warm_up`` before the start, onwards.

    ``start_ns`` is the first instant whose readings are wanted, nanoseconds since the Unix epoch, whole milliseconds.
    """

    def __init__(self, scenario: Scenario, types: Mapping[str, MachineType], start_ns: int) -> None:
        self.start_ns = start_ns
        self._now_ns = self._origin_ns = start_ns - scenario.warm_up
        self._env = simpy.Environment(initial_time=self._now_ns)
        self._fresh: list[Segment] = []
        self._watchers: list[Callable[[Segment], None]] = []
        self.park = build(scenario, types, self._env, self._fresh.append)
        self.catalog: Catalog = self.park.catalog
        self._current = list(self._fresh)
        self._fresh.clear()
        machines = self.park.machines
        self._bank = Bank(
            self.catalog,
            [machine.spec for machine in machines],
            [machine.book for machine in machines],
            seed=scenario.seed,
            origin_ns=self._now_ns,
        )
        self._energy_kwh = 0.0
        self.skip(start_ns)
        self._at_start = self._kpis()

    def batches(self, until_ns: int | None, window_ns: int) -> Iterator[Batch]:
        """Yield the readings of consecutive windows, each as long as ``window_ns`` or what is left until ``until_ns``.

        None goes on for ever. The readings do not depend on ``window_ns``.
        """
        while until_ns is None or self._now_ns < until_ns:
            end_ns = self._now_ns + window_ns
            timeline = self._advance(end_ns if until_ns is None else min(end_ns, until_ns))
            yield self._bank.read(timeline)

    def skip(self, until_ns: int) -> None:
        """Let the park live on without reading its sensors."""
        while self._now_ns < until_ns:
            self._advance(min(self._now_ns + UNSEEN_WINDOW_NS, until_ns))

    def watch(self, happened: Callable[[Segment], None]) -> None:
        """Call ``happened`` for every change of state from now on, in the order of time."""
        self._watchers.append(happened)

    def kpis(self) -> dict[str, float | int | None]:
        """Return the figures of the park: OEE since the origin, counts and energy since the start, state of now."""
        return self._kpis().since(self._at_start)

    def _advance(self, until_ns: int) -> Timeline:
        self._env.run(until=until_ns)
        timeline = Timeline.build(
            self._current + self._fresh, assets=len(self._current), from_ns=self._now_ns, until_ns=until_ns
        )
        for segment in self._fresh:
            self._current[segment.asset] = segment
            for happened in self._watchers:
                happened(segment)
        self._fresh.clear()
        self._bank.advance(timeline)
        self._now_ns = until_ns
        self._energy_kwh = float(self._bank.energy_kwh(timeline).sum())
        return timeline

    def _kpis(self) -> Kpis:
        return measure(self.park, origin_ns=self._origin_ns, now_ns=self._now_ns, energy_kwh=self._energy_kwh)
