"""Key figures of the park after ISO 22400-2: availability, effectiveness, quality and their product, OEE."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.park.build import Park
from simulator.park.packml import State

__all__ = ["Kpis", "measure"]


@dataclass(frozen=True)
class Kpis:
    """Sums over all machines since the origin of the world, and what they do now."""

    machines: int
    running: int
    alarms: int
    busy_ns: int
    """Planned busy time, PBT: open shifts without the breaks in which a machine is held."""
    producing_ns: int
    """Actual production time, APT: Execute."""
    ideal_ns: int
    """Time that the cycles made would take at the rated cycle: PRI x PQ."""
    good: int
    processed: int
    finished: int
    """Good pieces that left a factory: those of the last machine of a line that gives to no buffer."""
    spoilt: int
    energy_kwh: float

    def since(self, start: Kpis) -> dict[str, float | int | None]:
        """Return the figures for people: ratios over all time, counts and energy since ``start``."""
        availability = ratio(self.producing_ns, self.busy_ns)
        effectiveness = ratio(self.ideal_ns, self.producing_ns)
        quality = ratio(self.good, self.processed)
        oee = None
        if availability is not None and effectiveness is not None and quality is not None:
            oee = availability * effectiveness * quality
        return {
            "oee": oee,
            "availability": availability,
            "effectiveness": effectiveness,
            "quality": quality,
            "machines": self.machines,
            "running": self.running,
            "alarms": self.alarms,
            "pieces_good": self.finished - start.finished,
            "pieces_bad": self.spoilt - start.spoilt,
            "energy_kwh": self.energy_kwh - start.energy_kwh,
        }


def ratio(part: float, whole: float) -> float | None:
    """Return part / whole, or None where there is no whole yet."""
    return part / whole if whole else None


def measure(park: Park, *, origin_ns: int, now_ns: int, energy_kwh: float) -> Kpis:
    """Add up the machines of a park as they stand now."""
    for machine in park.machines:
        machine.settle()
    # Systems run round the clock and make no pieces; they alarm, but have no share in effectiveness.
    plants = [plant for plant in park.plants if plant.makes]
    makers = [machine for plant in plants for machine in plant.machines]
    busy_ns = sum(
        (plant.calendar.open_ns(now_ns) - plant.calendar.open_ns(origin_ns)) * len(plant.machines) for plant in plants
    ) - sum(machine.rested_ns(now_ns) for machine in makers)
    last = [machine for machine in makers if not any(port.gives for port in machine.ports)]
    return Kpis(
        machines=len(makers),
        running=sum(machine.state is State.EXECUTE for machine in makers),
        alarms=sum(machine.state in {State.ABORTING, State.ABORTED} for machine in park.machines),
        busy_ns=busy_ns,
        producing_ns=sum(machine.in_state_ns[State.EXECUTE] for machine in makers),
        ideal_ns=sum(machine.cycles * machine.spec.cycle for machine in makers),
        good=sum(machine.good for machine in makers),
        processed=sum(machine.processed for machine in makers),
        finished=sum(machine.good for machine in last),
        spoilt=sum(machine.processed - machine.good for machine in makers),
        energy_kwh=energy_kwh,
    )
