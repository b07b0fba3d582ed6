"""What machines and key figures send, as rates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from simulator.park.groups import LEVEL
from simulator.park.kpi import SENSORS
from simulator.scenario.schema import Scenario
from simulator.wire.message_size import frame_bytes, packet_overhead

__all__ = ["Flow", "key_figures"]

SECOND_NS = 1_000_000_000
FIGURE_DIGITS = 6
"""Characters of a key figure, about."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What some machines send, per second; payload and packets in bytes."""

    messages: float = 0.0
    readings: float = 0.0
    payload: float = 0.0
    packets: float = 0.0

    def __add__(self, other: Flow) -> Flow:
        return Flow(
            self.messages + other.messages,
            self.readings + other.readings,
            self.payload + other.payload,
            self.packets + other.packets,
        )

    def times(self, factor: float) -> Flow:
        """Return the flow of so many."""
        return Flow(*(factor * number for number in (self.messages, self.readings, self.payload, self.packets)))

    def packed(self, overhead: int) -> Flow:
        """Return the flow with the packets that its payloads travel in."""
        return replace(self, packets=self.payload + self.messages * overhead)


def key_figures(scenario: Scenario) -> Flow:
    """Return what all key figures of a scenario send."""
    flows = (figures_flow(scenario, topic).times(number) for topic, number in groups(scenario))
    return sum(flows, start=Flow())


def groups(scenario: Scenario) -> Iterator[tuple[str, int]]:
    """Yield the topic of what has key figures, and how many of its kind there are."""
    levels = scenario.kpis.levels
    at: list[tuple[str, str, int]] = [("park", scenario.enterprise, 1)]
    at += [("site", f"{scenario.enterprise}/{site.name}", 1) for site in scenario.sites]
    for site in scenario.sites:
        for factory in site.factories:
            place = f"{scenario.enterprise}/{site.name}/{factory.name}"
            at.append(("factory", place, 1))
            for line in factory.lines:
                at.append(("line", f"{place}/{line.names[0]}", line.count))
                for one in line.machines:
                    at.append(("machine", f"{place}/{line.names[0]}/{one.names[0]}", line.count * one.count))
    yield from ((f"{topic}/{LEVEL}", number) for level, topic, number in at if level in levels)


def figures_flow(scenario: Scenario, topic: str) -> Flow:
    """Return what one of them sends, when all its figures have numbers."""
    per_s = SECOND_NS / scenario.kpis.every
    fields = sum(len(sensor.name) + len(',"":') + FIGURE_DIGITS for sensor in SENSORS)
    flow = Flow(per_s, per_s * len(SENSORS), per_s * (frame_bytes(per_s) + fields))
    return flow.packed(packet_overhead(topic, scenario.messaging.qos))
