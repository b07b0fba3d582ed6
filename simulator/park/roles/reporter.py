"""A reporter: whom it asks for each parameter, what the permit says, and whether its line is up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from simulator.park.attendance import Attendance
from simulator.park.post import Post
from simulator.scenario.limits import Permit, edition_in_force
from simulator.scenario.roles.reporter import Reporter
from simulator.scenario.rulebook import shipped_edition, shipped_editions
from simulator.signals.device import Device
from simulator.signals.devices.reporter import AirReporterDevice, ReporterDevice, WaterReporterDevice

__all__ = ["reporter"]


DEVICES: dict[str, type[ReporterDevice]] = {"air": AirReporterDevice, "water": WaterReporterDevice}


def reporter(post: Post) -> Device:
    """Build a reporter of the systems that it serves; without any line it is always online."""
    role = post.spec.role
    assert isinstance(role, Reporter)
    online = post.track(1.0)
    # Its own line to the authority, or else whatever carries the data of the site.
    ways = post.suppliers("uplink") or post.suppliers("data")
    lines = Attendance([post.machines[asset] for asset in ways], lambda: online.set(float(lines.at_work > 0)))
    sources = {
        name: device
        for asset in post.served
        if (device := post.served_devices.get(post.catalog.assets[asset].path[-1])) is not None
        for name in role.parameters
        if name in getattr(post.machines[asset].spec, "outputs", ())
    }
    return DEVICES[role.medium](
        role, post.asset, permit=permit_of(role, post), sources=sources, online=online, origin_ns=post.now_ns()
    )


def permit_of(role: Reporter, post: Post) -> Permit:
    """Return what the values are held to: the edition that the role names, or the one in force where it stands."""
    if role.edition is not None:
        edition = shipped_edition(f"{role.standard}-{role.edition}")
    else:
        at = datetime.fromtimestamp(post.start_ns // 1_000_000_000, UTC)
        local = at + timedelta(microseconds=post.sky.utc_offset_ns // 1_000)
        edition = edition_in_force(shipped_editions(), role.standard, local.date())
    return Permit(edition, role.column, role.factors)
