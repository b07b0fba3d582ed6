"""Parts flow through buffers: none appears, none vanishes, and machines wait when they must."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from parks import HOUR_NS, MONDAY_NS, factory_with, quickstart, world

from simulator.park.machine import Machine
from simulator.park.packml import State
from simulator.park.world import World
from simulator.scenario.schema import Buffer, Scenario


def lived(scenario: Scenario, hours: int) -> World:
    park = World(scenario, quickstart().types, MONDAY_NS)
    for hour in range(1, hours + 1):
        park.skip(MONDAY_NS + hour * HOUR_NS)
        for plant in park.park.plants:
            for buffer in plant.buffers.values():
                buffer.settle()
                assert 0 <= buffer.level <= buffer.capacity
    return park


def housings(capacity: int, initial: int) -> tuple[Buffer, ...]:
    return (Buffer(name="housings", capacity=capacity, initial=initial),)


@pytest.mark.parametrize(("capacity", "initial"), [(24_000, 12_000), (600, 0), (600, 600), (2_000, 1_000)])
def test_parts_are_conserved(capacity: int, initial: int) -> None:
    """Level = initial + good presses - three per assembled piece, exactly, with plenty, nothing and little room."""
    park = lived(factory_with(quickstart().scenario, buffers=housings(capacity, initial)), 12)
    machines = park.park.machines
    for machine in machines:
        machine.settle()
    made = sum(m.good for m in machines if m.spec.name == "injection-moulding")
    used = 3 * sum(m.processed for m in machines if m.spec.name == "device-assembly")
    assert park.park.plants[0].buffers["housings"].level == initial + made - used


def test_a_line_tests_what_it_assembled() -> None:
    """Each tester has processed what its indexer made, less what lies between them."""
    park = lived(quickstart().scenario, 12)
    machines = park.park.machines
    for machine in machines:
        machine.settle()
    for indexer, tester in zip(machines[6::2], machines[7::2], strict=True):
        between = indexer.ports[-1].buffer
        assert indexer.good - tester.processed == between.level


def test_presses_are_blocked_when_the_buffer_is_full() -> None:
    """With room for little, presses are faster than the lines and spend much time Suspended."""
    park = lived(factory_with(quickstart().scenario, buffers=housings(600, 0)), 8)
    press = park.park.machines[0]
    assert press.in_state_ns[State.SUSPENDED] > 0.03 * 8 * HOUR_NS


def test_assembly_starves_without_housings() -> None:
    """With one press for four lines, the lines wait for parts most of the time."""
    scenario = quickstart().scenario
    lines = scenario.sites[0].factories[0].lines
    one_press = lines[0].model_copy(update={"machines": (lines[0].machines[0].model_copy(update={"count": 1}),)})
    park = lived(factory_with(scenario, lines=(one_press, *lines[1:]), buffers=housings(24_000, 0)), 24)
    indexers = [m for m in park.park.machines if m.spec.name == "device-assembly"]
    waited = sum(m.in_state_ns[State.SUSPENDED] + m.in_state_ns[State.IDLE] for m in indexers)
    assert waited > 0.5 * 24 * HOUR_NS * len(indexers)


def test_a_shared_crew_makes_broken_machines_wait() -> None:
    """One fitter for a hall that breaks often leaves machines Aborted longer than twenty do."""
    types = dict(quickstart().types)
    fragile = [stop.model_copy(update={"mtbf": 3 * HOUR_NS}) for stop in types["injection-moulding"].stops]
    types["injection-moulding"] = types["injection-moulding"].model_copy(update={"stops": tuple(fragile)})
    aborted = {}
    for crew in (1, 20):
        park = World(factory_with(quickstart().scenario, crew=crew), types, MONDAY_NS)
        park.skip(MONDAY_NS + 48 * HOUR_NS)
        aborted[crew] = sum(m.in_state_ns[State.ABORTED] for m in park.park.machines)
    assert aborted[1] > 1.3 * aborted[20]


def test_outside_shifts_everything_stands() -> None:
    """At 23:00 of a two-shift factory all machines are Stopped, and at 08:00 most make parts."""
    shifts = quickstart().scenario.sites[0].factories[0].shifts.model_copy(update={"hours": ("06:00-22:00",)})
    park = World(factory_with(quickstart().scenario, shifts=shifts), quickstart().types, MONDAY_NS)
    park.skip(MONDAY_NS + 16 * HOUR_NS)
    assert {machine.state for machine in park.park.machines} == {State.STOPPED}
    park.skip(MONDAY_NS + 26 * HOUR_NS)
    assert sum(machine.state is State.EXECUTE for machine in park.park.machines) >= 8


def settle(machines: Iterable[Machine]) -> None:
    """Have machines count what they have done by now."""
    for machine in machines:
        machine.settle()


def test_key_figures_are_those_of_the_machines() -> None:
    """Availability, quality and pieces follow from what the machines themselves counted; OEE is their product."""
    park = world()
    testers = [machine for machine in park.park.machines if machine.spec.name == "device-test"]
    machines = park.park.machines
    settle(machines)
    before = sum(tester.good for tester in testers)
    park.skip(MONDAY_NS + 8 * HOUR_NS)
    settle(machines)
    kpis = park.kpis()
    lived_ns = 10 * HOUR_NS * len(machines)
    made_parts_ns = sum(machine.in_state_ns[State.EXECUTE] for machine in machines)
    assert sum(sum(machine.in_state_ns.values()) for machine in machines) == lived_ns
    assert kpis["availability"] == made_parts_ns / lived_ns
    assert kpis["quality"] == sum(m.good for m in machines) / sum(m.processed for m in machines)
    assert kpis["pieces_good"] == sum(tester.good for tester in testers) - before
    assert kpis["oee"] == pytest.approx(kpis["availability"] * kpis["effectiveness"] * kpis["quality"])
    assert 0.4 < kpis["oee"] < 0.95
    assert kpis["energy_kwh"] > 0
