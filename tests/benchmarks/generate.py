"""How making a simulated day grows with the park: a scenario at 1, 2 and 4 times its tenants. No test.

Each measurement is a process of its own, so that the peak of its memory is its own, and rounds alternate between the
sizes. Prints a table on stderr and JSON on stdout:

    python tests/benchmarks/generate.py configs/vsip2a.yaml --rounds 3 --minutes 1440

With longer windows a park of many assets costs less for each reading, and more memory; readings are the same.
A park of n times the tenants has every site n times, under further names, with weather and luck of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from simulator.bench.generate import TimedWorld, make, peak_mb, start_of
from simulator.scenario.loader import load_scenario
from simulator.scenario.schema import Scenario

SECOND_NS = 1_000_000_000
SCENARIO = Path(__file__).parents[2] / "configs" / "vsip2a.yaml"
COLUMNS = {
    "assets": "{:.0f}",
    "sensors": "{:.0f}",
    "readings": "{:.4g}",
    "build_s": "{:.1f}",
    "cpu_s": "{:.1f}",
    "readings_per_s": "{:.4g}",
    "simpy_share": "{:.2f}",
    "peak_mb": "{:.0f}",
}


def multiplied(scenario: Scenario, times: int) -> Scenario:
    """Return a park with every site so many times."""
    sites = [
        site.model_copy(update={"name": f"{site.name}-{n}"} if n else {})
        for n in range(times)
        for site in scenario.sites
    ]
    return scenario.model_copy(update={"sites": tuple(sites)})


def measure(path: Path, *, times: int, minutes: int, window_s: int) -> dict[str, float]:
    """Make the readings in this process, and return what it took."""
    loaded = load_scenario(path)
    scenario = multiplied(loaded.scenario, times)
    begun = time.process_time()
    world = TimedWorld(scenario, loaded.types, start_of(scenario))
    built_s = time.process_time() - begun
    made = make(world, minutes=minutes, encode=False, window_ns=window_s * SECOND_NS)
    return {
        "assets": len(world.park.measured.assets),
        "sensors": len(world.park.measured),
        "readings": made.readings,
        "build_s": built_s,
        "cpu_s": made.made_s,
        "readings_per_s": made.readings / made.made_s,
        "simpy_share": made.simpy_s / made.made_s,
        "peak_mb": peak_mb(),
    }


def measured_apart(path: Path, *, times: int, minutes: int, window_s: int) -> dict[str, float]:
    """Measure in a process of its own."""
    settings = ["--minutes", str(minutes), "--window-s", str(window_s)]
    command = [sys.executable, __file__, str(path), "--one", str(times), *settings]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def table(medians: dict[str, dict[str, float]]) -> str:
    """Return the medians as text."""
    lines = ["  ".join(f"{name:>14}" for name in ("tenants", *COLUMNS))]
    for times, found in medians.items():
        cells = [f"{times}x", *(form.format(found[name]) for name, form in COLUMNS.items())]
        lines.append("  ".join(f"{cell:>14}" for cell in cells))
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How making a simulated day grows with the park.")
    parser.add_argument("scenario", nargs="?", type=Path, default=SCENARIO)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 2, 4], help="how many times the tenants")
    parser.add_argument("--minutes", type=int, default=1440, help="simulated minutes")
    parser.add_argument("--window-s", type=int, default=60, help="simulated seconds that are worked out at once")
    parser.add_argument("--rounds", type=int, default=3, help="medians of how many")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(
            json.dumps(measure(options.scenario, times=options.one, minutes=options.minutes, window_s=options.window_s))
        )
        return
    rounds: list[dict[str, dict[str, float]]] = [
        {
            str(times): measured_apart(
                options.scenario, times=times, minutes=options.minutes, window_s=options.window_s
            )
            for times in options.times
        }
        for _ in range(options.rounds)
    ]
    medians = {
        times: {name: statistics.median(one[times][name] for one in rounds) for name in COLUMNS} for times in rounds[0]
    }
    print(table(medians), file=sys.stderr)
    result: dict[str, Any] = {
        "bench": "generate-day",
        "settings": {"scenario": options.scenario.name, "minutes": options.minutes, "window_s": options.window_s},
        "median": medians,
        "rounds": rounds,
        "cpu_cores": os.cpu_count(),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
