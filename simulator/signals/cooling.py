"""Chillers and data centres: what it takes to carry heat away on a cool day and on a hot one.

COP = 6 [1 - .03 (Twb - 24)] [1 - .6 (PLR - .75)²] and PUE = 1 + .05/u + .115 + 1.08/COP, engineering defaults:
chillers lose 3 % per degree of wet bulb and are best at three quarters of their load; .05 of the rated IT power is lost
whatever the load (transformers, UPS at no load), .115 of the IT power goes to fans, pumps and UPS, and 1.08 kW of heat
per kW of IT goes through the chillers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["chiller_kw", "chillers_running", "cop", "facility_kw", "part_load", "pue"]

Floats = NDArray[np.floating[Any]]

BEST_COP, BEST_PART_LOAD = 6.0, 0.75
DESIGN_WET_BULB_C = 24.0
FIXED_SHARE, PROPORTIONAL_SHARE, HEAT_SHARE = 0.05, 0.115, 1.08


def cop(wet_bulb_c: Floats, part_load: Floats) -> Floats:
    """Return heat carried away per electrical power of a chiller at a wet bulb and a share of its capacity.

    Meant for weather in which chillers run; a wet bulb above 45 °C is treated as 45 °C.
    """
    weather = 1.0 - 0.03 * (np.minimum(wet_bulb_c, 45.0) - DESIGN_WET_BULB_C)
    return BEST_COP * weather * (1.0 - 0.6 * (part_load - BEST_PART_LOAD) ** 2)


def chillers_running(load_share: Floats, *, installed: int) -> NDArray[np.int64]:
    """Return how many of the installed chillers run to carry a share of their whole capacity, int64[N].

    As many as bring each one nearest to its best part load, at least one, and enough to carry the load: the usual
    sequencing, an engineering default.
    """
    needed = np.ceil(load_share * installed)
    best = np.rint(load_share * installed / BEST_PART_LOAD)
    running: NDArray[np.int64] = np.clip(np.maximum(needed, best), 1, installed).astype(np.int64)
    return running


def part_load(load_share: Floats, *, installed: int) -> Floats:
    """Return the share of its capacity that each running chiller carries."""
    return load_share * installed / chillers_running(load_share, installed=installed)


def pue(it_share: Floats, cop_: Floats) -> Floats:
    """Return total power per IT power, for an IT load in shares of the rated one, above 0."""
    return 1.0 + FIXED_SHARE / it_share + PROPORTIONAL_SHARE + HEAT_SHARE / cop_


def chiller_kw(it_kw: Floats, cop_: Floats) -> Floats:
    """Return what the chillers of a data centre draw."""
    return it_kw * HEAT_SHARE / cop_


def facility_kw(it_kw: Floats, cop_: Floats, *, rated_it_kw: Floats) -> Floats:
    """Return what a data centre draws as a whole: PUE times IT power; without IT load, the fixed losses."""
    return it_kw * (1.0 + PROPORTIONAL_SHARE) + FIXED_SHARE * rated_it_kw + chiller_kw(it_kw, cop_)
