"""All figures of a scenario, and what they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from simulator.errors import ExitCode
from simulator.scenario.loader import Loaded
from simulator.scenario.quantities import instant_ns
from simulator.validate import climate, compressed_air, equipment, load_curve, production
from simulator.validate.figures import Figure
from simulator.validate.holding import holding
from simulator.validate.learning import wright
from simulator.validate.observed import observe
from simulator.validate.published import published
from simulator.validate.reliability import reliability

__all__ = ["Survey", "survey"]

SCHEMA = "parksim.validation/1"
MONDAY_NS = 1_741_539_600_000_000_000
"""2025-03-10 00:00 in Binh Duong, for scenarios that start now: the same figures whenever one asks."""


@dataclass(frozen=True)
class Survey:
    """The figures of a scenario."""

    scenario: str
    seed: int
    start_ns: int
    days: int
    faults_left_out: int
    """Entries of ``faults`` in the scenario."""
    figures: tuple[Figure, ...]

    def count(self, verdict: str) -> int:
        """Return how many figures have a verdict."""
        return sum(figure.verdict == verdict for figure in self.figures)

    @property
    def exit_code(self) -> ExitCode:
        """Passed if no figure is outside."""
        return ExitCode.THRESHOLD_FAILED if self.count("outside") else ExitCode.PASS

    @property
    def start(self) -> str:
        """The first simulated instant, ISO 8601."""
        return datetime.fromtimestamp(self.start_ns // 1_000_000_000, UTC).isoformat()

    def as_json(self) -> dict[str, Any]:
        """Return the survey as plain data."""
        return {
            "schema": SCHEMA,
            "scenario": self.scenario,
            "seed": self.seed,
            "start": self.start,
            "days": self.days,
            "faults_left_out": self.faults_left_out,
            "verdict": "fail" if self.exit_code else "pass",
            "exit_code": int(self.exit_code),
            "within": self.count("within"),
            "outside": self.count("outside"),
            "for_information": self.count("for information"),
            "figures": [figure.as_json() for figure in self.figures],
        }


def survey(loaded: Loaded, *, days: int, told: Callable[[str], None]) -> Survey:
    """Simulate a scenario for some days and compare it, its formulas and its weather with what is published.

    ``told`` hears what is being done.
    """
    scenario = loaded.scenario
    start_ns = MONDAY_NS if scenario.start == "now" else instant_ns(scenario.start)
    figures = tuple(every(loaded, start_ns=start_ns, days=days, told=told))
    return Survey(scenario.name, scenario.seed, start_ns, days, len(scenario.faults), figures)


def every(loaded: Loaded, *, start_ns: int, days: int, told: Callable[[str], None]) -> Iterator[Figure]:
    known, scenario = published(), loaded.scenario
    observed = observe(scenario, loaded.types, start_ns=start_ns, days=days, told=told)
    yield from production.effectiveness(observed, known.oee)
    yield from production.output(observed, known.output)
    yield from reliability(observed)
    yield from holding(observed)
    yield from load_curve.load_curves(observed, known.load_curve)
    yield from compressed_air.compressed_air(observed, known.air)
    yield from production.energy_per_piece(loaded.types, known.moulding)
    yield from equipment.motors(known.motor)
    yield from equipment.pue(known.cooling)
    yield from equipment.zones(loaded.types.values(), known.vibration)
    yield from wright(known.learning)
    yield from equipment.noise(loaded.types.values(), seed=scenario.seed)
    for site in scenario.sites:
        told(f"thirty years of weather at {site.name}")
        yield from climate.weather(site, known.climates, seed=scenario.seed)
