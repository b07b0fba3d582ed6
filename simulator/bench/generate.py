"""How fast readings are made and encoded, on one core."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy.signal import lfilter

from simulator.bench.against import Rival
from simulator.bench.rounds import Rate, in_turn, report, timed
from simulator.errors import ScenarioError
from simulator.park.world import World
from simulator.scenario.loader import Loaded
from simulator.scenario.quantities import duration_ns, instant_ns
from simulator.scenario.schema import Scenario
from simulator.wire.block import Block
from simulator.wire.frames import Frames
from simulator.wire.json_blocks import JsonBlocks
from simulator.wire.line_blocks import LineBlocks

__all__ = ["Made", "TimedWorld", "generate", "make", "peak_mb", "start_of"]

FIXED_START_NS = 1_741_564_800_000_000_000
"""2025-03-10 00:00 UTC, for scenarios that start now: the work must be the same in each round."""
MINUTE_NS = 60_000_000_000
RAW_READINGS = 1_000_000
RAW_BLOCK = 1_000
ARRIVE_AT_ONCE = 2_000
"""Messages."""


class TimedWorld(World):
    """A world that tells how much of its time goes into what happens, apart from what sensors show."""

    simpy_s = 0.0
    """Processor seconds so far."""

    def live(self, until_ns: int) -> None:
        """Let happen what happens, and add up how long it took."""
        self.simpy_s += timed(lambda: super(TimedWorld, self).live(until_ns)).cpu_s


class Made(NamedTuple):
    """How much was made in a stretch of simulated time, and what it took in processor seconds."""

    readings: int
    messages: int
    made_s: float
    simpy_s: float
    """Part of ``made_s``."""
    encoded_s: float
    lines_s: float
    """To turn what was encoded into line protocol, as the bridge does."""


def start_of(scenario: Scenario) -> int:
    """Return where benchmarks begin, nanoseconds since the Unix epoch: the work must be the same in each round."""
    return FIXED_START_NS if scenario.start == "now" else instant_ns(scenario.start)


def make(world: TimedWorld, *, minutes: int, encode: bool, window_ns: int = MINUTE_NS) -> Made:
    """Make the readings of the next minutes, a window at a time and one after the other, and encode them."""
    topics = [asset.topic for asset in world.catalog.assets]
    encoder = JsonBlocks(world.catalog, Frames(topics, qos=0, version=5))
    lines = LineBlocks(world.catalog)
    readings = messages = 0
    made_s = encoded_s = lines_s = 0.0
    lived_s = world.simpy_s
    batches = world.batches(world.start_ns + minutes * MINUTE_NS, window_ns)
    while True:
        begun = time.process_time()
        batch = next(batches, None)
        ended = time.process_time()
        made_s += ended - begun
        if batch is None:
            return Made(readings, messages, made_s, world.simpy_s - lived_s, encoded_s, lines_s)
        readings += len(batch)
        if encode:
            block = encoder.block(batch)
            encoded_s += time.process_time() - ended
            messages += len(block)
            for low in range(0, len(block), ARRIVE_AT_ONCE):
                lines_s += timed(partial(translate, lines, block, low)).cpu_s


def translate(lines: LineBlocks, block: Block, low: int) -> None:
    """Turn messages of a block into line protocol, as the bridge does with what arrives at once."""
    start, end = block.payload[low : low + ARRIVE_AT_ONCE], block.start[low + 1 : low + 1 + ARRIVE_AT_ONCE]
    lines.translate(block.data, start, end, block.asset[low : low + ARRIVE_AT_ONCE])


def generate(
    loaded: Loaded, *, rounds: int, minutes: int, window: str, rival: Rival | None, told: Callable[[str], None]
) -> dict[str, Any]:
    """Measure how many readings a second the park makes, and how many it makes and encodes as MQTT packets of JSON.

    The yardstick is bare NumPy and SciPy: AR(1) noise of 100 sensors, a thousand samples at a time, and nothing else.
    Returns what rounds.report() does, in readings per second of one core, and ``peak_mb``, the peak memory of the
    process; among the medians are the parts: made, encoded as JSON,
    and that turned into line protocol, which the rate of the product does not hold. Raises ScenarioError.
    """
    scenario = loaded.scenario
    try:
        window_ns = duration_ns(window)
    except ValueError as error:
        message = f"--window {error}"
        raise ScenarioError(message) from None
    if not window_ns:
        message = "--window must be longer than nothing, such as 10s"
        raise ScenarioError(message)

    def product() -> Rate:
        world = TimedWorld(scenario, loaded.types, start_of(scenario))
        made = make(world, minutes=minutes, encode=True, window_ns=window_ns)
        parts = {
            "made_per_s": made.readings / made.made_s,
            "json_readings_per_s": made.readings / made.encoded_s,
            "json_packets_per_s": made.messages / made.encoded_s,
            "lines_from_json_readings_per_s": made.readings / made.lines_s,
            "readings_per_message": made.readings / made.messages,
            "simpy_share": made.simpy_s / made.made_s,
        }
        return Rate(made.readings / (made.made_s + made.encoded_s), parts)

    contenders: dict[str, Callable[[], Rate]] = {
        "raw": lambda: Rate(RAW_READINGS / timed(raw_noise).cpu_s),
        "product": product,
    }
    if rival is not None:
        readings = make(
            TimedWorld(scenario, loaded.types, start_of(scenario)), minutes=minutes, encode=False, window_ns=window_ns
        ).readings
        contenders["against"] = lambda: rival.measure(readings, {"BENCH": "generate"})
    found = in_turn(rounds, contenders, told)
    settings = {"scenario": scenario.name, "minutes": minutes, "format": "json", "window_s": window_ns / 1e9}
    return report("generate", "readings per processor second", found, settings) | {"peak_mb": peak_mb()}


def peak_mb() -> float:
    """Return the most memory that this process ever had resident, MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def raw_noise() -> None:
    rng = np.random.default_rng(1)
    for _ in range(RAW_READINGS // (RAW_BLOCK * 100)):
        lfilter([0.1], [1.0, -0.9], rng.standard_normal((RAW_BLOCK, 100)), axis=0)
