"""The feed of a run: what it is, said once, for whoever watches."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from simulator.run.hops import Hops
from simulator.run.options import Options
from simulator.run.outcome import broker_named
from simulator.scenario.loader import Loaded
from simulator.scenario.quantities import instant_text
from simulator.view.feed import About, Feed

__all__ = ["feed_of"]


def feed_of(loaded: Loaded, options: Options, hops: Hops) -> Feed:
    """Return an empty feed of a run whose hops are open; it names no address."""
    scenario = loaded.scenario
    about = About(
        name=scenario.name,
        title=scenario.title,
        run_id=hops.run_id,
        seed=options.seed,
        start=instant_text(hops.pace.sim_start_ns, ZoneInfo(scenario.timezone)),
        broker=broker_named(options, hops.broker),
        store=options.store.partition(":")[0],
        speed="max" if hops.pace.speed is None else round(hops.pace.speed, 3),
    )
    # machines come first in a catalogue, and a snapshot has as many states as there are machines
    return Feed(about, hops.catalog, len(hops.catalog.assets))
