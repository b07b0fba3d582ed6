"""What a three-phase induction motor draws at a given load.

Losses split into a constant share f and one that grows with the square of the load; reactive power runs from its
no-load value to its rated value with the square of the load. With rated efficiency .945 and power factor .86 this
gives efficiencies of .904 .938 .945 .945 and power factors of .50 .72 .82 .86 at quarter loads, as typical catalogue
values of 50-100 kW four-pole motors do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["EFFICIENCY", "POWER_FACTOR", "current_a", "input_kw", "power_factor", "reactive_kvar"]

Floats = NDArray[np.floating[Any]]

EFFICIENCY = 0.945
POWER_FACTOR = 0.86
CONSTANT_LOSS_SHARE = 0.42
NO_LOAD_CURRENT_SHARE = 0.38

LOSS = 1.0 / EFFICIENCY - 1.0
APPARENT = 1.0 / (EFFICIENCY * POWER_FACTOR)
REACTIVE_RATED = float(np.sqrt(APPARENT**2 - (1.0 / EFFICIENCY) ** 2))
REACTIVE_IDLE = float(np.sqrt((NO_LOAD_CURRENT_SHARE * APPARENT) ** 2 - (LOSS * CONSTANT_LOSS_SHARE) ** 2))


def relative_input(load: Floats) -> Floats:
    """Return electrical input power per rated shaft power, for a load in shares of the rated shaft power."""
    return load + LOSS * (CONSTANT_LOSS_SHARE + (1.0 - CONSTANT_LOSS_SHARE) * load**2)


def relative_reactive(load: Floats) -> Floats:
    """Return reactive power per rated shaft power."""
    return REACTIVE_IDLE + (REACTIVE_RATED - REACTIVE_IDLE) * load**2


def input_kw(load: Floats, *, rated_kw: Floats) -> Floats:
    """Return active electrical power in kW."""
    return rated_kw * relative_input(load)


def reactive_kvar(load: Floats, *, rated_kw: Floats) -> Floats:
    """Return reactive power in kvar."""
    return rated_kw * relative_reactive(load)


def power_factor(load: Floats) -> Floats:
    """Return cos φ."""
    active = relative_input(load)
    return active / np.hypot(active, relative_reactive(load))


def current_a(load: Floats, *, rated_kw: Floats, volts: Floats) -> Floats:
    """Return the line current in A: I = S / (√3 U)."""
    apparent_kva = rated_kw * np.hypot(relative_input(load), relative_reactive(load))
    current: Floats = apparent_kva * 1000.0 / (np.sqrt(3.0) * volts)
    return current
