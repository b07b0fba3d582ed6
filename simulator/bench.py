"""Benchmarks that a user can repeat: parksim against a raw yardstick, alternating in one run.

A figure alone says more about the machine than about parksim, so each round measures both and the ratio is what to
quote.
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.signal import lfilter

from simulator.park.world import World
from simulator.scenario.loader import Loaded
from simulator.scenario.quantities import instant_ns
from simulator.scenario.schema import Scenario
from simulator.wire.json_blocks import JsonBlocks

__all__ = ["Made", "TimedWorld", "generate", "make", "peak_mb", "start_of"]

FIXED_START_NS = 1_741_564_800_000_000_000
"""2025-03-10 00:00 UTC, for scenarios that start now: the work must be the same in each round."""
MINUTE_NS = 60_000_000_000
RAW_READINGS = 1_000_000
RAW_BLOCK = 1_000


class TimedWorld(World):
    """A world that tells how much of its time goes into what happens, apart from what sensors show."""

    simpy_s = 0.0
    """Processor seconds so far."""

    def live(self, until_ns: int) -> None:
        """Let happen what happens, and add up how long it took."""
        self.simpy_s += timed(lambda: super(TimedWorld, self).live(until_ns))


class Made(NamedTuple):
    """How much was made in a stretch of simulated time, and what it took in processor seconds."""

    readings: int
    messages: int
    made_s: float
    simpy_s: float
    """Part of ``made_s``."""
    encoded_s: float


def start_of(scenario: Scenario) -> int:
    """Return where benchmarks begin, nanoseconds since the Unix epoch: the work must be the same in each round."""
    return FIXED_START_NS if scenario.start == "now" else instant_ns(scenario.start)


def make(world: TimedWorld, *, minutes: int, encode: bool, window_ns: int = MINUTE_NS) -> Made:
    """Make the readings of the next minutes, a window at a time and one after the other, and encode them."""
    encoder = JsonBlocks(world.catalog)
    readings = messages = 0
    made_s = encoded_s = 0.0
    lived_s = world.simpy_s
    batches = world.batches(world.start_ns + minutes * MINUTE_NS, window_ns)
    while True:
        begun = time.process_time()
        batch = next(batches, None)
        ended = time.process_time()
        made_s += ended - begun
        if batch is None:
            return Made(readings, messages, made_s, world.simpy_s - lived_s, encoded_s)
        readings += len(batch)
        if encode:
            messages += len(encoder.block(batch))
            encoded_s += time.process_time() - ended


def generate(loaded: Loaded, *, rounds: int, minutes: int) -> dict[str, Any]:
    """Measure how many readings a second the park makes, and how many it makes and encodes as JSON messages.

    The yardstick is bare NumPy and SciPy: AR(1) noise of 100 sensors, a thousand samples at a time, and nothing else.
    Returns ``{bench, unit, product, raw, ratio, simpy_share, peak_mb, rounds, cpu_cores, settings}``: readings per
    processor second, medians; SimPy's share of the time in which readings are made; the peak memory of the process.
    """
    scenario = loaded.scenario
    measured = []
    for _ in range(rounds):
        world = TimedWorld(scenario, loaded.types, start_of(scenario))
        made = make(world, minutes=minutes, encode=True)
        raw_s = timed(raw_noise)
        measured.append(
            {
                "product": made.readings / (made.made_s + made.encoded_s),
                "made": made.readings / made.made_s,
                "simpy_share": made.simpy_s / made.made_s,
                "encoded": made.readings / made.encoded_s,
                "raw": RAW_READINGS / raw_s,
            }
        )
    medians = {key: statistics.median(one[key] for one in measured) for key in ("product", "raw", "simpy_share")}
    return {
        "bench": "generate",
        "unit": "readings per processor second",
        **medians,
        "ratio": statistics.median(one["product"] / one["raw"] for one in measured),
        "peak_mb": peak_mb(),
        "rounds": measured,
        "cpu_cores": os.cpu_count(),
        "settings": {"scenario": scenario.name, "minutes": minutes, "format": "json", "window_s": 60},
    }


def peak_mb() -> float:
    """Return the most memory that this process ever had resident, MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def timed(work: Callable[[], object]) -> float:
    """Return the processor seconds that some work takes: others on the machine count less than with wall time."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def raw_noise() -> None:
    rng = np.random.default_rng(1)
    for _ in range(RAW_READINGS // (RAW_BLOCK * 100)):
        lfilter([0.1], [1.0, -0.9], rng.standard_normal((RAW_BLOCK, 100)), axis=0)
