"""The census of a park: what all of it and its parts have done by an instant, for a result and for who looks on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from simulator.park.build import Park
from simulator.park.groups import mean_of
from simulator.park.kpi import Work
from simulator.park.packml import State

__all__ = ["Census"]

MS = 1_000_000
Figures = dict[str, float | int | None]


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
    added: Mapping[str, Figures]
    """What devices add to the figures of their site, by site."""

    @classmethod
    def of(cls, park: Park, work: Work, at_start: Work, *, until_ns: int | None) -> Self:
        """Look at a park as it stands at the end of a window; None: before the first."""
        running = sum(one.state is State.EXECUTE and not one.spec.runs_for_a_site for one in park.machines)
        alarms = sum(one.state in {State.ABORTING, State.ABORTED} for one in park.machines)
        # Devices show the instants of a window, and its end is the first of the next.
        last = None if until_ns is None else np.array([until_ns - MS])
        added = {
            site.path[-1]: {
                name: None if last is None else known(mean_of(site.devices, name, last)[0]) for name in site.added
            }
            for site in park.sites
        }
        return cls(park, work, at_start, running, alarms, added)

    def whole(self) -> Figures:
        """Return the figures of the park: ratios since the origin, counts and energy since the start."""
        every = range(len(self.park.machines))
        ever = total(self.work, every)
        return {
            "oee": known(ever.oee),
            "availability": known(ever.availability),
            "effectiveness": known(ever.effectiveness),
            "quality": known(ever.quality),
            "machines": sum(not machine.spec.runs_for_a_site for machine in self.park.machines),
            "running": self.running,
            "alarms": self.alarms,
            **self._made(every),
        }

    def parts(self) -> dict[str, Any]:
        """Return OEE since the origin by factory and by machine type, and the figures of each site."""
        places: dict[str, list[int]] = {}
        kinds: dict[str, list[int]] = {}
        for number, (asset, machine) in enumerate(zip(self.park.measured.assets, self.park.machines, strict=True)):
            if not machine.spec.runs_for_a_site:
                places.setdefault("/".join(asset.path[1:3]), []).append(number)
                kinds.setdefault(asset.kind, []).append(number)
        return {
            "oee": {place: known(total(self.work, members).oee) for place, members in places.items()},
            "oee_by_type": {kind: known(total(self.work, members).oee) for kind, members in kinds.items()},
            "sites": {
                site.path[-1]: {
                    "oee": known(total(self.work, range(site.first, site.last)).oee),
                    **self._made(range(site.first, site.last)),
                    "figures": self.added[site.path[-1]],
                }
                for site in self.park.sites
            },
        }

    def everything(self) -> dict[str, Any]:
        """Return the figures of the park and its parts as a result has them."""
        whole, parts = self.whole(), self.parts()
        # Names of factories have a slash, so that none of them is called park.
        return {**whole, **parts, "oee": {"park": whole["oee"], **parts["oee"]}}

    def _made(self, members: Iterable[int]) -> Figures:
        """Return failures since the origin, pieces and energy since the start."""
        ever, run = total(self.work, members), total(self.work.since(self.at_start), members)
        return {
            "failures": int(ever.failures),
            "mtbf_h": known(ever.mtbf_h),
            "mttr_min": known(ever.mttr_min),
            "pieces_good": int(run.left_factory),
            "pieces_bad": int(run.spoilt),
            "energy_kwh": float(run.energy_kwh),
        }


def total(work: Work, members: Iterable[int]) -> Work:
    """Return the work of some machines together."""
    # a slice copies nothing, and most of them are
    chosen = slice(members.start, members.stop) if isinstance(members, range) else list(members)
    return work.map(lambda column: column[0, chosen].sum())


def known(figure: Any) -> float | None:
    """Return a figure, or None where it is no number."""
    return float(figure) if np.isfinite(figure) else None
