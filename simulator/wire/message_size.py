"""How many bytes a message will have, before there is one.

The payload is that of ``simulator.wire.json_blocks``. The braces, ``t``, ``n`` and the field names are counted. A value
has as many characters as the 200 values of its resolution from a typical one upwards have on average, since zeros at
the end of a fraction are not sent. Counters and ``n`` are as long as after half a day at work.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from simulator.scenario.machine_type import MachineType
from simulator.scenario.sensor import SensorType

__all__ = ["field_bytes", "frame_bytes", "packet_overhead"]

SECOND_NS = 1_000_000_000
HALF_DAY_S = 43_200
NEIGHBOURS = 200
Typical = Callable[[SensorType, MachineType, float], float]
FRAME = '{"t":1767225600000,"n":}'


def frame_bytes(messages_per_s: float) -> int:
    """Return the bytes of a payload beside its readings, for an asset that sends so many messages."""
    return len(FRAME) + len(str(max(1, int(HALF_DAY_S * messages_per_s))))


def field_bytes(sensor: SensorType, spec: MachineType, cycles_per_s: float) -> float:
    """Return the bytes of ``,"name":value`` on average."""
    return len(sensor.name) + len(',"":') + digits(sensor, spec, cycles_per_s)


def packet_overhead(topic: str, qos: int) -> int:
    """Return the bytes of an MQTT 3.1.1 PUBLISH beside its payload, for packets of 128 to 16,383 bytes."""
    kind, length, topic_length, packet_id = 1, 2, 2, 2
    return kind + length + topic_length + len(topic) + (packet_id if qos else 0)


def digits(sensor: SensorType, spec: MachineType, cycles_per_s: float) -> float:
    """Return the characters of a value on average."""
    if sensor.model.kind == "state":
        return 1  # a machine at work is in Execute, 6
    typical = TYPICAL.get(sensor.model.kind, middle)(sensor, spec, cycles_per_s * HALF_DAY_S)
    low, high = sensor.range
    decimals, step = sensor.decimals, sensor.step
    first = round(min(max(typical, low), high) * 10**decimals)
    written = (decimal_text(first + number * step, decimals) for number in range(NEIGHBOURS))
    return sum(map(len, written)) / NEIGHBOURS


def decimal_text(scaled: int, decimals: int) -> str:
    """Write a reading the way the wire does, with the fewest digits."""
    if not decimals:
        return str(scaled)
    return f"{scaled / 10**decimals:.{decimals}f}".rstrip("0").rstrip(".")


def power_kw(spec: MachineType) -> float:
    return spec.motor.rated_kw * spec.motor.execute_load


def middle(sensor: SensorType, _spec: MachineType, _cycles: float) -> float:
    return sum(sensor.range) / 2


def stated(*keys: str) -> Typical:
    """Return a function that adds up what the model states under some keys."""
    return lambda sensor, _spec, _cycles: float(sum(getattr(sensor.model, key) for key in keys))


def mean_set_point(sensor: SensorType, _spec: MachineType, _cycles: float) -> float:
    model: Any = sensor.model
    return float(sum((share - was) * (value + last) / 2 for (was, last), (share, value) in pairwise(model.points)))


def motor(sensor: SensorType, spec: MachineType, _cycles: float) -> float:
    model: Any = sensor.model
    amperes = power_kw(spec) * 1_000 / (math.sqrt(3) * spec.motor.volts * 0.85)
    return {"power": power_kw(spec), "current": amperes, "power_factor": 0.7}[model.shows]


def count(sensor: SensorType, spec: MachineType, cycles: float) -> float:
    model: Any = sensor.model
    good = spec.pieces * spec.first_pass_yield
    return cycles * {"cycles": 1, "good": good, "bad": spec.pieces - good}[model.of]


def share(sensor: SensorType, spec: MachineType, _cycles: float) -> float:
    model: Any = sensor.model
    good = spec.first_pass_yield
    return float((good if model.of == "good" else 1 - good) * model.per / model.chances)


TYPICAL: Mapping[str, Typical] = {
    "lag": stated("on"),
    "profile": mean_set_point,
    "motor": motor,
    "vibration": stated("base"),
    "bearing_heat": stated("ambient", "rise"),
    "cycle": stated("mean"),
    "cycle_time": lambda _sensor, spec, _cycles: spec.cycle / SECOND_NS,
    "count": count,
    "share": share,
    "energy": lambda _sensor, spec, _cycles: power_kw(spec) * HALF_DAY_S / 3_600,
}
"""A value of the size that a sensor shows while its machine works, by the kind of its model."""
