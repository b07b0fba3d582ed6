"""Flue gas in a stack: concentrations as they stand in the gas, and what they are at a reference oxygen content.

Excess air thins the gas and lets its oxygen rise, so a concentration means something only with the oxygen beside it:
C_ref = C (21 - O2_ref) / (21 - O2), Directive 2010/75/EU, annex VI part 7. The limits that ship with parksim state no
reference oxygen; a regulation that does is checked with ``at_reference_oxygen``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["AIR_O2_PERCENT", "at_reference_oxygen", "in_the_gas"]

Floats = NDArray[np.floating[Any]]

AIR_O2_PERCENT = 21.0


def in_the_gas(reference_mg_nm3: Floats, *, o2_percent: Floats, reference_o2_percent: float = 6.0) -> Floats:
    """Return mg/Nm³ as measured at this oxygen, from the concentration at the reference oxygen; 0 in pure air.

    A boiler runs at about 6 %, where both are the same.
    """
    share = (AIR_O2_PERCENT - np.minimum(o2_percent, AIR_O2_PERCENT)) / (AIR_O2_PERCENT - reference_o2_percent)
    return reference_mg_nm3 * share


def at_reference_oxygen(measured_mg_nm3: Floats, *, o2_percent: Floats, reference_o2_percent: float) -> Floats:
    """Return mg/Nm³ at the reference oxygen; NaN where the gas is pure air and the correction has no meaning."""
    room = AIR_O2_PERCENT - o2_percent
    corrected: Floats = measured_mg_nm3 * (AIR_O2_PERCENT - reference_o2_percent) / np.where(room > 0, room, np.nan)
    return corrected
