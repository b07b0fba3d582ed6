"""Breaks: when in a shift people rest, and for how long."""

from __future__ import annotations

from pydantic import Field

from simulator.scenario.quantities import Duration
from simulator.scenario.sensor import Strict

__all__ = ["Breaks"]

MINUTE_NS = 60_000_000_000
DAY_MIN = 24 * 60
NIGHT_MIN = (22 * 60, 30 * 60)
"""22:00 to 06:00, minutes after midnight (Labour Code 2019, article 106)."""
NIGHT_SHIFT_MIN = 3 * 60
"""Work at night from which a shift counts as one (Decree 145/2020, on breaks) [M]."""
SHORT_SHIFT_MIN = 6 * 60
"""Shifts shorter than this need no break (Labour Code 2019, article 109) [M]."""


class Breaks(Strict):
    """A break in each shift of six hours or more; machines that need an operator stand meanwhile."""

    length: Duration = Field(
        default=30 * MINUTE_NS, gt=0, description="of a break by day; the law asks for 30 min, a lunch takes an hour"
    )
    night: Duration = Field(
        default=45 * MINUTE_NS,
        gt=0,
        description="of a break in shifts with three hours or more between 22:00 and 06:00; the law asks for 45 min",
    )
    after: Duration | None = Field(
        default=None, gt=0, description="from the beginning of a shift to its break; none: in the middle of the shift"
    )
    groups: int = Field(
        default=1, ge=1, le=6, description="how many groups go one after the other; a line in series goes as one"
    )

    def in_shift(self, begin_min: int, length_min: int) -> list[tuple[int, int]]:
        """Return when the break of each group begins and ends, nanoseconds after the beginning of a shift.

        ``begin_min`` is the beginning in minutes after midnight. A short shift has no breaks.
        """
        if length_min < SHORT_SHIFT_MIN:
            return []
        length_ns = self.night if is_night(begin_min, length_min) else self.length
        first_ns = self.after
        if first_ns is None:
            first_ns = max((length_min * MINUTE_NS - self.groups * length_ns) // 2 // MINUTE_NS * MINUTE_NS, 0)
        return [(first_ns + group * length_ns, first_ns + (group + 1) * length_ns) for group in range(self.groups)]


def is_night(begin_min: int, length_min: int) -> bool:
    """Say whether a shift has three hours or more of night in it."""
    begin, end = NIGHT_MIN
    spans = [(begin - DAY_MIN, end - DAY_MIN), (begin, end)]
    return sum(max(min(begin_min + length_min, e) - max(begin_min, b), 0) for b, e in spans) >= NIGHT_SHIFT_MIN
