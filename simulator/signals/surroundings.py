"""What stands around the assets: the skies of their sites, panels, feeders, and the devices of systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from simulator.signals.device import Device
from simulator.signals.drives import Drives
from simulator.signals.sky import Sky
from simulator.signals.supply import Feeder, Held, Network
from simulator.signals.traffic import Traffic

__all__ = ["Surroundings"]


@dataclass(frozen=True)
class Surroundings:
    """The skies by site, which site each asset stands on, the rated kW of panels by asset, feeders and devices.

    Feeders and devices come in order, each after those that it supplies.
    """

    skies: Sequence[Sky]
    site_of: Sequence[int]
    panels_kw: Mapping[int, float]
    feeders: Sequence[Feeder]
    devices: Mapping[int, Device]
    traffic: Traffic | None = None
    """The messages that gateways carry; None without any."""

    def sky_of(self, asset: int) -> Sky:
        """Return the sky over an asset."""
        return self.skies[self.site_of[asset]]

    def network(self, drives: Drives) -> Network:
        """Return the network of all feeders, with what the panels feed in and what the devices take."""
        held: dict[int, Held] = {
            asset: partial(self.sky_of(asset).fed_in_w, rated_kw=rated_kw) for asset, rated_kw in self.panels_kw.items()
        }
        taking = {asset: device.watts for asset, device in self.devices.items() if device.draws}
        return Network(self.feeders, drives, held | taking, metered=tuple(taking))
