"""What a scenario amounts to before it runs: sizes and rates, worked out from periods and cycles.

How the numbers come about:

- A message is one asset at one instant. The sampled sensors of an asset share one grid, so that a 10 s sensor falls
  together with each tenth tick of a 1 s sensor; its sensors per cycle speak at the end of each cycle, in a message of
  their own; a state sensor speaks once more at each change of state that a stop brings.
- The rates per second are those of a park at work: in a shift, every machine making parts, a line in series at the
  pace of its slowest machine. That is what a broker and a database have to bear. Waiting for parts and stops lower
  it a little; a stopped machine still tells its state and temperatures, but has no cycles.
- The figures per day are averages over a week with its shifts and with the time that stops take, in series that of
  the machine which stands most. Holidays, and waiting for parts, are left out.
- What a factory tells of its people, a message a minute, is left out; so is what machines show before it has climbed
  to the last band of maturity that it will reach within a year: its sensors count as if they were there.
- Key figures are told at their own pace. The truth about faults is left out: two messages per fault, of machines that
  stop every half hour one in a quarter of an hour. Assets and sensors are those that measure.
- Bytes come from ``simulator.wire.message_size``.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Literal

from simulator.flow import Flow, key_figures
from simulator.ingest.lane import MOST_AT_ONCE
from simulator.publish.credit import MOST
from simulator.publish.gateways import connection_count
from simulator.publish.outlet import short_of_files
from simulator.publish.windows import AHEAD, LONGEST_WINDOW_NS, READINGS_AT_ONCE
from simulator.scenario.fitting import Fitting
from simulator.scenario.loader import Loaded
from simulator.scenario.machine_type import MachineType
from simulator.scenario.quantities import duration_text
from simulator.scenario.roles.gateway import Gateway
from simulator.scenario.schema import DAY_MIN, Factory, Line, Scenario, Site, System, shift_span
from simulator.scenario.sensor import SensorType, StateModel
from simulator.scenario.system_type import SystemType
from simulator.wire.message_size import field_bytes, frame_bytes, packet_overhead

__all__ = ["Cap", "Plan", "plan"]

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
DAY_S = 86_400
COLUMNS_BYTES = 81
"""Of a message beside its packet: the columns of a consignment."""
KEPT_MESSAGE_BYTES, KEPT_READING_BYTES = 72, 12
"""Of a message that a gateway keeps: its columns, those of its readings."""
CHANGES = {"held": 4, "aborted": 8}
"""Changes of state from Execute back to Execute: over Holding, Held, Unholding; or over Aborting, Aborted, Clearing,
Stopped, Resetting, Idle, Starting."""
EVENTS_PER_S = 100_000
"""Changes of state that a warm-up simulates per second of wall time, on a slow machine."""
LONG_WARM_UP_S = 60


@dataclass(frozen=True, slots=True)
class Cap:
    """A bound on what is kept in memory."""

    what: str
    messages: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes and rates of a scenario."""

    name: str
    assets: int
    sensors: int
    messages_per_s: float
    readings_per_s: float
    payload_bytes_per_s: float
    bytes_per_s: float
    """MQTT PUBLISH packets: payload, topic and header, without TCP/IP and TLS."""
    rows_per_day: int
    """A row is a message: an asset at an instant."""
    readings_per_day: int
    connections: int
    """MQTT connections of gateways or devices."""
    connections_of: Literal["gateway", "device"]
    bridge_workers: int
    """MQTT connections of the bridge."""
    caps: tuple[Cap, ...]
    ports: tuple[str, ...]
    warnings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        return asdict(self)


def plan(loaded: Loaded) -> Plan:
    """Work out what a scenario amounts to."""
    scenario = loaded.scenario
    always, working, average = Flow(), Flow(), Flow()
    assets = sensors = 0
    changes_per_s = 0.0
    # machines of a kind send alike, and a file may write out thousands
    kinds: dict[tuple[object, ...], tuple[Flow, Flow]] = {}
    sent_per_s: defaultdict[tuple[str, str], float] = defaultdict(float)
    fitting = Fitting(scenario, loaded.types)
    for site, factory, line, prefix in lines(scenario):
        slowest = slowest_pieces_per_s(line, loaded.types)
        for machine in line.machines:
            spec = fitting.type_of(site, factory.name, machine)
            cycles_per_s = SECOND_NS / spec.cycle if slowest is None else slowest / spec.pieces
            kind = (id(spec), cycles_per_s)  # the fitting keeps its types
            if kind not in kinds:
                kinds[kind] = flows(spec, cycles_per_s)
            overhead = packet_overhead(f"{prefix}/{machine.names[0]}", scenario.messaging.qos)
            grid, at_work = (flow.packed(overhead) for flow in kinds[kind])
            number = line.count * machine.count
            assets += number
            sensors += number * len(spec.sensors)
            always += grid.times(number)
            working += at_work.times(number)
            # systems are served one by one, machines with their factory
            who = machine.name if isinstance(spec, SystemType) else factory.name
            sent_per_s[prefix.split("/")[1], who] += number * (grid.messages + at_work.messages)
            average += at_work.times(number * share_at_work(factory, spec) * availability(line, loaded.types, spec))
            changes_per_s += number * state_changes(spec)
    always += key_figures(scenario)
    busy, mean = always + working, always + average
    connections = connection_count(scenario)
    return Plan(
        name=scenario.name,
        assets=assets,
        sensors=sensors,
        messages_per_s=round(busy.messages, 3),
        readings_per_s=round(busy.readings, 3),
        payload_bytes_per_s=round(busy.payload),
        bytes_per_s=round(busy.packets),
        rows_per_day=round(DAY_S * mean.messages),
        readings_per_day=round(DAY_S * mean.readings),
        connections=connections,
        connections_of=scenario.messaging.connections,
        bridge_workers=scenario.messaging.bridge_workers,
        caps=(*caps(scenario, connections, busy), *gateway_caps(loaded, busy)),
        ports=("a broker that parksim starts takes a free port of 127.0.0.1; --broker names another",),
        warnings=(
            *loaded.warnings,
            *warm_up_warning(scenario, changes_per_s),
            *slow_gateways(loaded, sent_per_s),
            *few_files(scenario, connections),
        ),
    )


def lines(scenario: Scenario) -> Iterator[tuple[str, Factory, Line, str]]:
    """Yield each line that is written out, in its site and factory, and the topic above its machines.

    Of the lines that it stands for, the topic is that of the first.
    """
    for site in scenario.sites:
        for factory in site.areas:
            for line in factory.lines:
                yield site.name, factory, line, "/".join((scenario.enterprise, site.name, factory.name, line.names[0]))


def slowest_pieces_per_s(line: Line, types: Mapping[str, MachineType]) -> float | None:
    """Return the pace that the slowest machine of a line in series sets for all; None if each has its own."""
    if line.flow == "parallel":
        return None
    everyone = (machine.applied_to(types[machine.type]) for machine in line.machines)
    return min(one.pieces * SECOND_NS / one.cycle for one in everyone)


def availability(line: Line, types: Mapping[str, MachineType], spec: MachineType) -> float:
    """Return the share of its shifts in which a machine makes parts, as far as stops decide it."""
    if line.flow == "parallel":
        return up_share(spec)
    return min(up_share(types[machine.type]) for machine in line.machines)


def up_share(spec: MachineType) -> float:
    """Return one minus the share of stops: those that strike by working time stretch the time between them."""
    lost = {"working": 0.0, "other": 0.0}
    for stop in spec.stops:
        lost["working" if stop.clock == "working" else "other"] += stop.repair.mean / stop.mtbf
    return max(0.0, 1.0 - lost["other"]) / (1.0 + lost["working"])


def flows(spec: MachineType, cycles_per_s: float) -> tuple[Flow, Flow]:
    """Return what one machine sends always, and what it adds while it makes parts."""
    sampled = [sensor for sensor in spec.sensors if sensor.period]
    per_cycle = [sensor for sensor in spec.sensors if not sensor.period]
    ticks = instants_per_s([sensor.period for sensor in sampled if sensor.period])
    # One in so many cycles is measured; the sensor that measures most often has a message each time.
    cycles = max((cycles_per_s / sensor.every for sensor in per_cycle), default=0.0)
    states = [sensor for sensor in sampled if isinstance(sensor.model, StateModel) and sensor.model.changes]
    changes = state_changes(spec) if states else 0.0
    frame = frame_bytes(ticks + cycles)

    def flow(messages: float, spoken: Sequence[tuple[SensorType, float]]) -> Flow:
        fields = sum(rate * field_bytes(sensor, spec, cycles_per_s) for sensor, rate in spoken)
        return Flow(messages, sum(rate for _, rate in spoken), messages * frame + fields)

    grid = flow(ticks, [(sensor, SECOND_NS / sensor.period) for sensor in sampled if sensor.period])
    ends = flow(cycles, [(sensor, cycles_per_s / sensor.every) for sensor in per_cycle])
    return grid, ends + flow(changes, [(sensor, changes) for sensor in states])


def instants_per_s(periods_ns: Sequence[int]) -> float:
    """Return how many instants per second some grids that start together touch, by inclusion and exclusion."""
    distinct = sorted(set(periods_ns))
    lone = [one for one in distinct if not any(one != other and one % other == 0 for other in distinct)]
    signed: dict[int, int] = {}
    for period in lone:
        met = {period: 1}
        for other, sign in signed.items():
            both = math.lcm(period, other)
            # grids that meet less than once in a month do not show in any digit
            if both <= 30 * DAY_S * SECOND_NS:
                met[both] = met.get(both, 0) - sign
        for both, sign in met.items():
            signed[both] = signed.get(both, 0) + sign
    return float(sum((Fraction(sign * SECOND_NS, period) for period, sign in signed.items()), Fraction(0)))


def state_changes(spec: MachineType) -> float:
    """Return the changes of state per second that stops bring to a machine at work."""
    return sum(CHANGES[stop.becomes] * SECOND_NS / stop.mtbf for stop in spec.stops)


def share_at_work(factory: Factory, spec: MachineType) -> float:
    """Return the share of a week in which a machine of a factory has a shift, and is not held in a break."""
    minutes, shifts = 0.0, factory.shifts
    for begin, length in (shift_span(hours) for day in shifts.days for hours in shifts.hours_on(day)):
        rests = shifts.breaks.in_shift(begin, length)[:1] if shifts.breaks and spec.attended else []
        minutes += length - sum(last - first for first, last in rests) / MINUTE_NS
    return float(minutes / (7 * DAY_MIN))


def caps(scenario: Scenario, connections: int, busy: Flow) -> tuple[Cap, ...]:
    """Return what each stage of a run holds at most."""
    packet = busy.packets / busy.messages if busy.messages else 0.0
    readings = min(LONGEST_WINDOW_NS / SECOND_NS * busy.readings, READINGS_AT_ONCE)
    each = busy.messages / busy.readings if busy.readings else 0.0
    ahead = Cap(
        f"windows made ahead at full speed, {AHEAD} of at most a minute",
        round(AHEAD * readings * each),
        round(AHEAD * readings * each * (packet + COLUMNS_BYTES)),
    )
    messaging = scenario.messaging
    workers = messaging.bridge_workers
    batches = "one batch of the bridge" if workers == 1 else "one batch each, over all bridge workers"
    stages = (
        (f"in flight to the broker, over all {messaging.connections}s", connections * messaging.window),
        ("handed to a broker of parksim's own and not yet in the store", MOST),
        (batches, workers * MOST_AT_ONCE),
    )
    return (ahead, *(Cap(what, messages, round(messages * packet)) for what, messages in stages))


def gateways(loaded: Loaded) -> Iterator[tuple[Site, System, Gateway]]:
    """Yield the gateways that keep messages, each with its site and its role."""
    for site, system in ((one, system) for one in loaded.scenario.sites for system in one.systems):
        spec = loaded.types[system.type]
        if isinstance(spec, SystemType) and isinstance(spec.role, Gateway):
            yield site, system, spec.role


def gateway_caps(loaded: Loaded, busy: Flow) -> tuple[Cap, ...]:
    """Return what gateways of the scenario keep at most, if there are any."""
    messages = sum(role.buffer for _, _, role in gateways(loaded))
    readings = busy.readings / busy.messages if busy.messages else 0.0
    each = KEPT_MESSAGE_BYTES + readings * KEPT_READING_BYTES
    return (Cap("kept by gateways of the scenario", messages, round(messages * each)),) if messages else ()


def slow_gateways(loaded: Loaded, sent_per_s: Mapping[tuple[str, str], float]) -> Iterator[str]:
    """Warn of gateways that never catch up."""
    for site, system, role in gateways(loaded):
        carried = sum(sent_per_s[site.name, name] for name in {system.name, *system.serves})
        if carried >= role.flush_per_s:
            yield (
                f"{site.name}/{system.name}: takes {carried:,.0f} messages/s at work and sends {role.flush_per_s:,}/s "
                "after an outage, so it never catches up; let it serve fewer"
            )


def few_files(scenario: Scenario, connections: int) -> tuple[str, ...]:
    """Warn of more connections than a process may have open files here."""
    shortage = short_of_files(connections) if scenario.messaging.connections == "device" else None
    if shortage is None:
        return ()
    what = f"{connections:,} devices need {shortage.needed:,} open files, and a process may have {shortage.allowed:,}"
    return (f"messaging.connections: {what} here; raise the limit (ulimit -n {shortage.needed})",)


def warm_up_warning(scenario: Scenario, changes_per_s: float) -> tuple[str, ...]:
    """Warn of a warm-up that keeps the user waiting."""
    seconds = scenario.warm_up / SECOND_NS * changes_per_s / EVENTS_PER_S
    if seconds < LONG_WARM_UP_S:
        return ()
    shown = duration_text(round(seconds) * SECOND_NS)
    return (f"warm_up: {duration_text(scenario.warm_up)} of this park take about {shown} before the first message",)
