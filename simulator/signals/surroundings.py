"""What stands around the assets: the skies of their sites, the panels under them, and the feeders that supply them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from simulator.signals.drives import Drives
from simulator.signals.sky import Sky
from simulator.signals.supply import Feeder, Network

__all__ = ["Surroundings"]


@dataclass(frozen=True)
class Surroundings:
    """The skies by site, which site each asset stands on, the rated kW of panels by asset, and feeders in order."""

    skies: Sequence[Sky]
    site_of: Sequence[int]
    panels_kw: Mapping[int, float]
    feeders: Sequence[Feeder]

    def sky_of(self, asset: int) -> Sky:
        """Return the sky over an asset."""
        return self.skies[self.site_of[asset]]

    def network(self, drives: Drives) -> Network:
        """Return the network of all feeders, with what the panels feed in."""
        held = {
            asset: partial(self.sky_of(asset).fed_in_w, rated_kw=rated_kw) for asset, rated_kw in self.panels_kw.items()
        }
        return Network(self.feeders, drives, held)
