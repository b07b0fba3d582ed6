"""Freight: what factories make leaves them in lorries, through a gate and over a port where there are any.

Nobody polls what is made: between two changes of the machines at the end of a factory the rate is constant, so when the
next lorry will be full can be foreseen, and is looked at then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import simpy

from simulator.park.machine import Machine
from simulator.park.packml import State
from simulator.park.plant import Plant
from simulator.park.stops import whole_ms

__all__ = ["LANDED", "LEFT", "MADE", "TEU", "Freight", "Lorry", "Outflow"]

TEU = 2
"""A lorry carries one container of forty feet."""
MADE, LEFT, LANDED = "made", "left", "landed"
NEVER_NS = 4 * 10**18
STAGES = (MADE, LEFT, LANDED)
"""A lorry's load is ready in the factory; it has left the site; it stands in the yard of the port."""


@dataclass(frozen=True)
class Lorry:
    """A load of one factory on its way. Instants are nanoseconds since the Unix epoch."""

    plant: Plant
    made_ns: int


class Outflow:
    """Counts what some machines make into loads, and says when each is full.

    A change of one machine only moves the moment at which all are looked at; so a load is told up to a few cycles after
    its last piece was made, never before.
    """

    def __init__(
        self, env: simpy.Environment, machines: Sequence[Machine], pieces: int, full: Callable[[], None]
    ) -> None:
        self._env = env
        self._machines = machines
        self._pieces = pieces
        self._full = full
        self._left = float(pieces)
        """Pieces to a full load, as far as they can be told from rates since the last look."""
        self._told = sum(machine.good for machine in machines)
        self._rates: dict[Machine, float] = {}
        """Pieces per ns of the machines that make some."""
        self._rate = 0.0
        self._since_ns = int(env.now)
        self._due_ns = NEVER_NS
        for machine in machines:
            machine.watch(self._change)

    def _change(self, machine: Machine) -> None:
        """Take note of a machine that began or ceased to make pieces."""
        if (machine.state is State.EXECUTE) == (machine in self._rates):
            return
        now_ns = int(self._env.now)
        self._left -= self._rate * (now_ns - self._since_ns)
        self._since_ns = now_ns
        if machine in self._rates:
            self._rate -= self._rates.pop(machine)
            return
        self._rates[machine] = rate_of(machine)
        self._rate += self._rates[machine]
        due_ns = now_ns + whole_ms(max(self._left, 0.0) / self._rate)
        if due_ns < self._due_ns:
            self._look_at(due_ns)

    def _look_at(self, due_ns: int) -> None:
        self._due_ns = due_ns
        timeout = self._env.timeout(due_ns - int(self._env.now), due_ns)
        assert timeout.callbacks is not None
        timeout.callbacks.append(self._ring)

    def _ring(self, event: Any) -> None:
        if event.value == self._due_ns:
            self._look()

    def _look(self) -> None:
        """Hand over what is full, and foresee the next."""
        for machine in self._machines:
            machine.settle()
        made = sum(machine.good for machine in self._machines)
        left = self._pieces - (made - self._told)
        while left <= 0:
            left += self._pieces
            self._told += self._pieces
            self._full()
        self._rates = {one: rate_of(one) for one in self._machines if one.state is State.EXECUTE}
        self._rate = sum(self._rates.values())
        self._left, self._since_ns, self._due_ns = float(left), int(self._env.now), NEVER_NS
        if self._rates:
            # Nothing is made before the first cycle ends.
            first_ns = min(one.cycle_ns - one.into_cycle_ns() for one in self._rates)
            self._look_at(self._since_ns + max(whole_ms(left / self._rate), first_ns))


def rate_of(machine: Machine) -> float:
    """Return the good pieces per ns of a machine that runs."""
    return machine.spec.pieces * machine.spec.first_pass_yield / machine.cycle_ns


class Freight:
    """All lorries of a park, and who wants to know how far they have come."""

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self._told: dict[tuple[str, tuple[str, ...]], list[Callable[[Lorry], None]]] = {}
        self._ways: dict[tuple[str, ...], list[str]] = {}
        self._unloads: dict[tuple[str, ...], Callable[[Callable[[], None]], None]] = {}

    def follow(self, plant: Plant, stage: str, told: Callable[[Lorry], None]) -> None:
        """Call ``told`` for each lorry of a plant that has come to a stage."""
        if plant.path not in self._ways:
            self._ways[plant.path] = [MADE]
            Outflow(self._env, plant.last, plant.load, lambda: self.tell(MADE, Lorry(plant, int(self._env.now))))
        self._told.setdefault((stage, plant.path), []).append(told)

    def tell(self, stage: str, lorry: Lorry) -> None:
        """Note that a lorry has come to a stage."""
        for told in self._told.get((stage, lorry.plant.path), ()):
            told(lorry)

    def lead(self, plant: Plant, stage: str) -> None:
        """Say that the lorries of a plant come to a stage."""
        self._ways[plant.path].append(stage)

    def furthest(self, plant: Plant) -> str:
        """Return the last stage that the lorries of a plant come to, once all of the park is built."""
        return max(self._ways[plant.path], key=STAGES.index)

    def unload_at(self, plant: Plant, unload: Callable[[Callable[[], None]], None]) -> None:
        """Say what a lorry for a plant has to go through; ``unload`` is given what to do once it is unloaded."""
        self._unloads[plant.path] = unload

    def bring(self, plant: Plant, unloaded: Callable[[], None]) -> None:
        """A lorry for a plant is at the site: let it in, and call ``unloaded`` when it is empty."""
        unload = self._unloads.get(plant.path)
        if unload is None:
            unloaded()
        else:
            unload(unloaded)
