"""The sun: where it stands, what reaches the ground on a clear day, and what photovoltaic panels make of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.signals.almanac import DAY_NS, HOUR_NS, LocalTime
from simulator.signals.rain import Rain

__all__ = ["Soiling", "clear_sky_w_m2", "cos_zenith", "power_kw"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

PER_DEGREE = -0.0037
"""Change of power per degree of cell temperature above 25."""
DERATING = 0.86
"""What wiring, inverter, mismatch and ageing leave. Both are engineering defaults [E]."""
SOIL_PER_DAY = 0.003
WASHING_MM = 5.0
"""Rain of a day above which panels are clean again, when it has fallen."""
SOILING_DAYS = 60
"""Dust adds up no longer than this: dew, wind and cleaning crews hold it where it is [E]."""


def cos_zenith(time_ns: Ints, *, latitude: float, longitude: float) -> Floats:
    """Return the cosine of the sun's zenith angle; below 0 it is night.

    Declination and equation of time are the Fourier series of Spencer 1971 ("Fourier series representation of the
    position of the sun", Search 2), good to .04 degrees and half a minute; latitude and longitude in degrees.
    """
    year = time_ns.astype("datetime64[ns]").astype("datetime64[Y]")
    begin, end = (y.astype("datetime64[ns]").astype(np.int64) for y in (year, year + 1))
    angle = 2.0 * np.pi * ((time_ns - begin) / (end - begin))
    cos1, sin1 = np.cos(angle), np.sin(angle)
    cos2, sin2 = np.cos(2.0 * angle), np.sin(2.0 * angle)
    declination = 0.006918 - 0.399912 * cos1 + 0.070257 * sin1 - 0.006758 * cos2 + 0.000907 * sin2
    declination += -0.002697 * np.cos(3.0 * angle) + 0.00148 * np.sin(3.0 * angle)
    ahead = 0.000075 + 0.001868 * cos1 - 0.032077 * sin1 - 0.014615 * cos2 - 0.040849 * sin2
    hour_angle = (time_ns % DAY_NS) * (2.0 * np.pi / DAY_NS) + np.radians(longitude) + ahead - np.pi
    phi = np.radians(latitude)
    up: Floats = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(hour_angle)
    return up


def clear_sky_w_m2(cosine: Floats) -> Floats:
    """Return the global horizontal irradiance of a clear sky: 1098 cos Z e^(-.059 / cos Z) (Haurwitz 1945)."""
    up = np.maximum(cosine, 1e-3)
    return np.where(cosine > 1e-3, 1098.0 * up * np.exp(-0.059 / up), 0.0)


def power_kw(ghi_w_m2: Floats, temperature_c: Floats, *, rated_kw: float, clean: Floats) -> Floats:
    """Return the AC power of panels: P = Pdc G/1000 [1 - .0037 (Tc - 25)] .86 clean, with the cell at Tc = Ta + G/32.

    ``rated_kw`` is the DC power at 1,000 W/m2 and 25 degrees, ``clean`` the share of light that dust lets through.
    """
    cell_c = temperature_c + ghi_w_m2 / 32.0
    power: Floats = rated_kw * ghi_w_m2 / 1000.0 * (1.0 + PER_DEGREE * (cell_c - 25.0)) * DERATING * clean
    return power


class Soiling:
    """Dust on panels: .3 % of the light a day, until rain of more than 5 mm washes it off.

    The last washing rain is looked for in the 60 days before, and no further: dust takes 18 % at most. So the value
    at an instant depends on 60 days of rain, wherever a run begins.
    """

    def __init__(self, rain: Rain, *, utc_offset_ns: int) -> None:
        self._rain = rain
        self._offset_ns = utc_offset_ns

    def clean(self, time_ns: Ints) -> Floats:
        """Return the share of light that reaches the cells, float64[N]."""
        local = LocalTime.of(time_ns, utc_offset_ns=self._offset_ns)
        if not len(local.day):
            return np.empty(0)
        days = np.arange(int(local.day.min()) - SOILING_DAYS - 1, int(local.day.max()) + 1, dtype=np.int64)
        storms = self._rain.storms(days)
        washing = storms.depth_mm > WASHING_MM
        over = (storms.end_h[washing] * HOUR_NS).astype(np.int64) + days[washing] * DAY_NS
        now = time_ns + self._offset_ns
        last = np.searchsorted(over, now, side="right") - 1
        since = np.full(len(now), SOILING_DAYS * DAY_NS)
        washed = last >= 0
        since[washed] = np.minimum(now[washed] - over[last[washed]], SOILING_DAYS * DAY_NS)
        share: Floats = 1.0 - SOIL_PER_DAY * (since / DAY_NS)
        return share
