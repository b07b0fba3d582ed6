"""Contenders that are measured in turn, round after round, and what comes out of it."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Rate", "Took", "in_turn", "machine", "report", "timed"]

LIBRARIES = ("parksim", "numpy", "scipy", "simpy", "paho-mqtt", "influxdb-client")
CORES = Path("/proc/stat")
"""Where Linux tells what its cores do; elsewhere nothing is told."""
MODELS = Path("/proc/cpuinfo")
TICK_S = 0.01
"""What /proc/stat counts in (USER_HZ, 100 on all platforms that Python runs on)."""


class Took(NamedTuple):
    """What some work took."""

    wall_s: float
    cpu_s: float
    """Of this process."""


class Rate(NamedTuple):
    """What a contender did in a round."""

    per_s: float
    more: Mapping[str, float] = {}
    """What else was seen, such as messages that were lost."""

    @classmethod
    def of(cls, number: float, took: Took, **more: float) -> Rate:
        """Return the rate of so many in that time, with our own CPU seconds for a million of them."""
        return cls(number / took.wall_s, {"cpu_s_per_million": took.cpu_s / number * 1e6, **more})


def timed(work: Callable[[], object]) -> Took:
    """Do some work and return what it took."""
    cpu_s, begun = time.process_time(), time.perf_counter()
    work()
    return Took(time.perf_counter() - begun, time.process_time() - cpu_s)


def in_turn(
    rounds: int, contenders: Mapping[str, Callable[[], Rate]], told: Callable[[str], None]
) -> list[dict[str, dict[str, Any]]]:
    """Measure all contenders in each round, in an order that turns, so that none always comes first.

    Returns for each round and contender ``{per_s, cores_busy, ...}``, the share of each core that was at work, whoever
    it worked for. ``told`` hears of every measurement.
    """
    names = list(contenders)
    found = []
    for number in range(rounds):
        turn = number % len(names)
        measured = {}
        for name in (*names[turn:], *names[:turn]):
            before, begun = core_seconds(), time.perf_counter()
            rate = contenders[name]()
            took_s = time.perf_counter() - begun
            busy = [round((after - then) / took_s, 2) for then, after in zip(before, core_seconds(), strict=True)]
            told(f"round {number + 1} of {rounds}, {name}: {rate.per_s:,.0f} a second")
            measured[name] = {"per_s": rate.per_s, **rate.more, "cores_busy": busy}
        found.append({name: measured[name] for name in names})
    return found


def report(
    bench: str, unit: str, rounds: list[dict[str, dict[str, Any]]], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return ``{bench, unit, product, raw, ratio, spread, rounds, cpu_cores, ...}`` of rounds.

    ``product``, ``raw`` and whatever else took part are medians; ``ratio`` is the median of the ratios of the rounds,
    product to raw, ``ratios`` those of the others; ``spread`` has the least and the most of each, ``medians`` what else
    was seen of each contender.
    """
    names = list(rounds[0])
    rates = {name: [one[name]["per_s"] for one in rounds] for name in names}
    ratios = {name: [one[name]["per_s"] / one["raw"]["per_s"] for one in rounds] for name in names if name != "raw"}
    others = {name: statistics.median(found) for name, found in ratios.items() if name != "product"}
    return {
        "bench": bench,
        "unit": unit,
        **{name: statistics.median(found) for name, found in rates.items()},
        "ratio": statistics.median(ratios["product"]),
        **({"ratios": others} if others else {}),
        "spread": {name: [min(found), max(found)] for name, found in rates.items()}
        | {"ratio": [min(ratios["product"]), max(ratios["product"])]},
        "medians": {name: medians([one[name] for one in rounds]) for name in names},
        "rounds": rounds,
        **machine(),
        "settings": dict(settings),
    }


def medians(measured: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median over rounds of everything but the rate, core by core of what cores did."""
    found: dict[str, Any] = {}
    for key in measured[0]:
        values = [one[key] for one in measured]
        if key == "cores_busy":
            found[key] = [statistics.median(core) for core in zip(*values, strict=True)]
        elif key != "per_s":
            found[key] = statistics.median(values)
    return found


def machine() -> dict[str, Any]:
    """Say on what it was measured: cores, model, what they were busy with before, versions."""
    return {
        "cpu_cores": os.cpu_count(),
        "cpu_model": cpu_model(),
        "load_average": list(os.getloadavg()),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
    }


def cpu_model() -> str:
    """Return what the machine calls its processor."""
    if MODELS.exists():
        for line in MODELS.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or sys.platform


def core_seconds() -> list[float]:
    """Return for how long each core has been at work, s; nothing where the system does not tell."""
    if not CORES.exists():
        return []
    lines = [line.split() for line in CORES.read_text(encoding="ascii").splitlines()]
    # user, nice, system, idle, iowait, irq, softirq: see proc(5)
    cores = [line for line in lines if line[0].startswith("cpu") and line[0] != "cpu"]
    return [TICK_S * sum(int(line[place]) for place in (1, 2, 3, 6, 7)) for line in cores]
