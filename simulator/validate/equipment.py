"""Formulas of machines against their tables: motors, chillers, bearings, and the noise of instruments."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from simulator.scenario.machine_type import MachineType
from simulator.scenario.sensor import VibrationModel
from simulator.signals import cooling, motor, vibration
from simulator.signals.noise import Noise
from simulator.signals.streams import Stream
from simulator.validate.figures import Figure, compare, inform
from simulator.validate.published import CoolingFigures, MotorFigures, VibrationFigures

__all__ = ["motors", "noise", "pue", "zones"]

ROWS, SAMPLES = 256, 2_048
"""How much noise is looked at: half a million samples."""
SLOWEST = 0.99
"""Noise that is more alike from one sample to the next has too few independent ones in that."""
FIRST_ORDER = "law of a first-order autoregressive process, phi = e^(-period / tau) (Box, Jenkins, chapter 3) [M]"


def motors(known: MotorFigures) -> Iterator[Figure]:
    """Yield efficiency, power factor and current at parts of the rated load."""
    load = np.array(known.load)
    one, volts = np.ones(len(load)), np.full(len(load), 400.0)
    current = motor.current_a(load, rated_kw=one, volts=volts)
    # At full load, and not at the last of the loads in the table.
    rated = motor.current_a(np.ones(1), rated_kw=np.ones(1), volts=volts[:1])[0]
    ours = {
        "efficiency": (load / motor.input_kw(load, rated_kw=one), known.efficiency),
        "power factor": (motor.power_factor(load), known.power_factor),
        "current per rated current": (current / rated, known.current),
    }
    for name, (values, wanted) in ours.items():
        for share, value, table in zip(known.load, values.tolist(), wanted, strict=True):
            yield compare(
                "motors",
                f"{name} at {share:.0%} load",
                ours=value,
                published=table,
                unit="1",
                source=known.source,
                tolerance=known.tolerance * table,
            )


def pue(known: CoolingFigures) -> Iterator[Figure]:
    """Yield the power usage effectiveness of a data centre at parts of its IT load."""
    share = np.array(known.it_share)
    cop = cooling.cop(np.full(len(share), known.wet_bulb_c), np.full(len(share), known.part_load))
    for load, value, table in zip(known.it_share, cooling.pue(share, cop).tolist(), known.pue, strict=True):
        yield compare(
            "cooling",
            f"PUE at {load:.0%} IT load",
            ours=value,
            published=table,
            unit="1",
            source=known.source,
            tolerance=known.tolerance * table,
        )


def zones(types: Iterable[MachineType], known: VibrationFigures) -> Iterator[Figure]:
    """Yield what each machine type with a vibration sensor shows at full load: healthy, and when its bearing fails.

    Healthy is zone A or B, which the standard allows for long operation; failing is C or D.
    """
    least_kw, most_kw = known.rated_kw
    for spec in types:
        for model in (sensor.model for sensor in spec.sensors if isinstance(sensor.model, VibrationModel)):
            healthy, failing = velocities(model)
            shown: dict[str, tuple[float, tuple[float, float]]] = {
                f"{spec.name}: healthy, zone A or B": (healthy, (0.0, known.border_mm_s)),
                f"{spec.name}: at failure, zone C or D": (failing, (known.border_mm_s, math.inf)),
            }
            for name, (value, zone) in shown.items():
                if least_kw <= spec.motor.rated_kw <= most_kw:
                    yield compare("vibration", name, ours=value, published=zone, unit="mm/s", source=known.source)
                else:
                    note = f"{spec.motor.rated_kw:g} kW, the standard is for {least_kw:g} to {most_kw:g}"
                    yield inform(
                        "vibration", name, ours=value, published=zone, unit="mm/s", source=known.source, note=note
                    )


def velocities(model: VibrationModel) -> tuple[float, float]:
    """Return the median velocity at full load with a new bearing, and with one that fails now."""
    shown = vibration.velocity_mm_s(
        np.ones(2), np.array([0.0, 1.0]), base_mm_s=np.full(2, model.base), scatter=np.zeros(2), noise=np.zeros(2)
    )
    return float(shown[0]), float(shown[1])


def noise(types: Iterable[MachineType], *, seed: int) -> Iterator[Figure]:
    """Yield the autocorrelation of the quickest and the slowest noise among the sensors of some machine types."""
    found: dict[float, str] = {}
    for spec in types:
        for sensor in spec.sensors:
            if sensor.noise and sensor.period:
                phi = math.exp(-sensor.period / sensor.noise.tau)
                if phi <= SLOWEST:
                    found.setdefault(phi, f"{spec.name} {sensor.name}")
    for phi in sorted({*sorted(found)[:1], *sorted(found)[-1:]}):
        owners = [(Stream(seed, "validate", found[phi]), ROWS)]
        x = Noise(owners, np.full(ROWS, phi), first_index=0).window(0, SAMPLES)
        variance = float(np.mean(x * x))
        for lag in dict.fromkeys((1, max(1, round(-1.0 / math.log(phi))) if phi > 0 else 1)):
            yield compare(
                "noise",
                f"{found[phi]}: autocorrelation after {lag} sample{'s' if lag > 1 else ''}",
                ours=float(np.mean(x[lag:] * x[:-lag])) / variance,
                published=phi**lag,
                unit="1",
                source=FIRST_ORDER,
                standard_error=correlation_error(phi, lag, x.size),
            )


def correlation_error(phi: float, lag: int, count: int) -> float:
    """Return the standard error of a sample autocorrelation of an AR(1) process (Bartlett 1946)."""
    square = phi * phi
    variance = (1 + square) * (1 - square**lag) / (1 - square) - 2 * lag * square**lag
    return math.sqrt(variance / count)
