"""The census of a park: what all of it and its parts have done by an instant, for a result and for who looks on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from simulator.park.build import Park
from simulator.park.kpi import Work
from simulator.park.packml import State

__all__ = ["Census"]


@dataclass(frozen=True)
class Census:
    """The work of each machine since the origin of the world, int64[1, machines], and what they do now."""

    park: Park
    work: Work
    at_start: Work
    """The work before the start."""
    running: int
    alarms: int
    """Systems alarm, too, but make nothing."""

    @classmethod
    def of(cls, park: Park, work: Work, at_start: Work) -> Self:
        """Look at the machines of a park now."""
        running = sum(one.state is State.EXECUTE and not one.spec.runs_for_a_site for one in park.machines)
        alarms = sum(one.state in {State.ABORTING, State.ABORTED} for one in park.machines)
        return cls(park, work, at_start, running, alarms)

    def whole(self) -> dict[str, float | int | None]:
        """Return the figures of the park: ratios since the origin, counts and energy since the start."""
        every = range(len(self.park.machines))
        ever, run = added(self.work, every), added(self.work.since(self.at_start), every)
        return {
            "oee": known(ever.oee),
            "availability": known(ever.availability),
            "effectiveness": known(ever.effectiveness),
            "quality": known(ever.quality),
            "machines": sum(not machine.spec.runs_for_a_site for machine in self.park.machines),
            "running": self.running,
            "alarms": self.alarms,
            "failures": int(ever.failures),
            "mtbf_h": known(ever.mtbf_h),
            "mttr_min": known(ever.mttr_min),
            "pieces_good": int(run.left_factory),
            "pieces_bad": int(run.spoilt),
            "energy_kwh": float(run.energy_kwh),
        }

    def parts(self) -> dict[str, Any]:
        """Return OEE since the origin by factory and by machine type, and the figures of each site."""
        places: dict[str, list[int]] = {}
        kinds: dict[str, list[int]] = {}
        sites: dict[str, list[int]] = {}
        for number, (asset, machine) in enumerate(zip(self.park.measured.assets, self.park.machines, strict=True)):
            sites.setdefault(asset.path[1], []).append(number)
            if not machine.spec.runs_for_a_site:
                places.setdefault("/".join(asset.path[1:3]), []).append(number)
                kinds.setdefault(asset.kind, []).append(number)
        return {
            "oee": {place: known(added(self.work, members).oee) for place, members in places.items()},
            "oee_by_type": {kind: known(added(self.work, members).oee) for kind, members in kinds.items()},
            "sites": {site: self._site(members) for site, members in sites.items()},
        }

    def _site(self, members: list[int]) -> dict[str, Any]:
        ever, run = added(self.work, members), added(self.work.since(self.at_start), members)
        return {
            "oee": known(ever.oee),
            "failures": int(ever.failures),
            "mtbf_h": known(ever.mtbf_h),
            "mttr_min": known(ever.mttr_min),
            "pieces_good": int(run.left_factory),
            "pieces_bad": int(run.spoilt),
            "energy_kwh": float(run.energy_kwh),
        }


def added(work: Work, members: Iterable[int]) -> Work:
    """Return the work of some machines together."""
    chosen = list(members)
    return work.map(lambda column: column[0, chosen].sum())


def known(figure: Any) -> float | None:
    """Return a figure, or None where it is no number."""
    return float(figure) if np.isfinite(figure) else None
