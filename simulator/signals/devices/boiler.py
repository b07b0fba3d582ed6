"""What a steam boiler shows: its pressure, steam and fuel, and what leaves its stack, in mg/Nm3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.roles.boiler import Boiler
from simulator.signals.concentration import concentration
from simulator.signals.device import Device
from simulator.signals.reservoir import Reservoir
from simulator.signals.stack import AIR_O2_PERCENT, in_the_gas
from simulator.signals.streams import Stream
from simulator.signals.weather import Deviation

__all__ = ["BoilerDevice"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
WANDER_NS = 3_600_000_000_000
"""Grate and fuel change over an hour or so [E]."""
LEAST_O2_PCT = 1.0
GASES = {"dust_mg_nm3": "dust", "so2_mg_nm3": "so2", "nox_mg_nm3": "nox", "co_mg_nm3": "co"}
"""What is analysed in the stack, by the names that limits have for it."""


class BoilerDevice(Device):
    """A boiler and its stack. Gas is measured as it is, with its oxygen beside it; at 6 % both are the reference."""

    draws: ClassVar[bool] = True

    def __init__(self, boiler: Boiler, steam: Reservoir, stream: Callable[[str], Stream]) -> None:
        self._boiler = boiler
        self._steam = steam
        self._wander = {name: Deviation(stream(name), tau_ns=WANDER_NS) for name in ("o2", *GASES.values())}

    def watts(self, minute_ns: Ints) -> Ints:
        """Return what fans and pumps draw at the beginning of each minute."""
        kw = self._boiler.base_kw + self._boiler.kwh_t * self._steam.given(minute_ns) / 1000.0
        power: Ints = np.rint(kw * 1000.0).astype(np.int64)
        return power

    def values(self, shows: str, time_ns: Ints) -> Floats:
        """Return bar, kg/h of steam or fuel, per cent of oxygen, or mg/Nm3 in the stack."""
        if shows == "pressure":
            return self._steam.level(time_ns)
        made = self._steam.given(time_ns)
        if shows == "steam":
            return made
        if shows == "fuel":
            return np.asarray(made * self._boiler.fuel_kg_kg)
        o2 = self._o2(made, time_ns)
        if shows == "o2":
            return o2
        gas = getattr(self._boiler, GASES[shows])
        noise = self._wander[GASES[shows]].at(time_ns)
        at_reference = concentration(
            np.full(len(time_ns), gas.mean), sigma=np.full(len(time_ns), gas.sigma), noise=noise
        )
        return in_the_gas(at_reference, o2_percent=o2)

    def _o2(self, made: Floats, time_ns: Ints) -> Floats:
        """Oxygen in the flue gas: more at low load; where nothing burns, that of air."""
        boiler = self._boiler
        low = boiler.o2_low_load_pct * (1.0 - np.minimum(made / boiler.rated_kg_h, 1.0))
        burning = boiler.o2_pct + low + boiler.o2_sigma_pct * self._wander["o2"].at(time_ns)
        return np.where(made > 0.0, np.clip(burning, LEAST_O2_PCT, AIR_O2_PERCENT), AIR_O2_PERCENT)
