"""Benchmarks that a user can repeat: parksim against a raw yardstick, alternating in one run.

A figure alone says more about the machine than about parksim, so each round measures both and the ratio is what to
quote.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.signal import lfilter

from simulator.batch import Batch
from simulator.park.world import World
from simulator.scenario.loader import Loaded
from simulator.scenario.quantities import instant_ns
from simulator.wire.json import JsonEncoder

__all__ = ["generate"]

FIXED_START_NS = 1_741_564_800_000_000_000
"""2025-03-10 00:00 UTC, for scenarios that start now: the work must be the same in each round."""
MINUTE_NS = 60_000_000_000
RAW_READINGS = 1_000_000
RAW_BLOCK = 1_000


def generate(loaded: Loaded, *, rounds: int, minutes: int) -> dict[str, Any]:
    """Measure how many readings a second the park makes, and how many it makes and encodes as JSON messages.

    The yardstick is bare NumPy and SciPy: AR(1) noise of 100 sensors, a thousand samples at a time, and nothing else.
    Returns ``{bench, unit, product, raw, ratio, rounds, cpu_cores, settings}``: readings per processor second, medians.
    """
    scenario = loaded.scenario
    start_ns = FIXED_START_NS if scenario.start == "now" else instant_ns(scenario.start)
    measured = []
    for _ in range(rounds):
        world = World(scenario, loaded.types, start_ns)
        batches: list[Batch] = []
        made_s = timed(lambda: batches.extend(world.batches(start_ns + minutes * MINUTE_NS, MINUTE_NS)))  # noqa: B023 - called at once
        encoder = JsonEncoder(world.catalog)
        encoded_s = timed(lambda: [sum(1 for _ in encoder.messages(batch)) for batch in batches])  # noqa: B023
        readings = sum(len(batch) for batch in batches)
        raw_s = timed(raw_noise)
        measured.append(
            {
                "product": readings / (made_s + encoded_s),
                "made": readings / made_s,
                "encoded": readings / encoded_s,
                "raw": RAW_READINGS / raw_s,
            }
        )
    product, raw = (statistics.median(one[key] for one in measured) for key in ("product", "raw"))
    return {
        "bench": "generate",
        "unit": "readings per processor second",
        "product": product,
        "raw": raw,
        "ratio": statistics.median(one["product"] / one["raw"] for one in measured),
        "rounds": measured,
        "cpu_cores": os.cpu_count(),
        "settings": {"scenario": scenario.name, "minutes": minutes, "format": "json", "window_s": 60},
    }


def timed(work: Callable[[], object]) -> float:
    """Return the processor seconds that some work takes: others on the machine count less than with wall time."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def raw_noise() -> None:
    rng = np.random.default_rng(1)
    for _ in range(RAW_READINGS // (RAW_BLOCK * 100)):
        lfilter([0.1], [1.0, -0.9], rng.standard_normal((RAW_BLOCK, 100)), axis=0)
