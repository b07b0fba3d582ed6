"""Who watches a run gets its feed, which says once what it is, and then about once a second where it stands."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from simulator.results.result import Result
from simulator.results.snapshot import Mark, Snapshot
from simulator.run.hops import Hops
from simulator.run.options import Options
from simulator.run.outcome import broker_named
from simulator.run.steering import Steering
from simulator.scenario.loader import Loaded
from simulator.scenario.quantities import instant_text
from simulator.view.feed import About, Feed
from simulator.view.live import View

__all__ = ["Watching"]


class Watching:
    """Lets a view follow a run: by a feed if it looks at machines, by snapshots alone if not."""

    def __init__(
        self,
        view: View,
        loaded: Loaded,
        options: Options,
        *,
        thresholds: Sequence[Mapping[str, Any]] = (),
        planned: Sequence[Mark] = (),
    ) -> None:
        """Thresholds and what is planned to happen are shown on charts: see simulator.view.feed."""
        self._view = view
        self._shown = thresholds, planned
        self._loaded = loaded
        self._options = options
        self._feed: Feed | None = None
        self._steering: Steering | None = None

    def opened(self, hops: Hops) -> None:
        """Begin; called when all hops are open."""
        if self._options.is_watched:
            self._feed, self._steering = feed_of(self._loaded, self._options, hops), hops.steering
            self._feed.thresholds, self._feed.planned = self._shown
            self._view.follow(self._feed)

    def show(self, snapshot: Snapshot) -> None:
        """Show where the run stands."""
        if self._feed is not None:
            self._feed.show(snapshot)
            if self._steering is not None:
                self._steering.look_at(self._feed.looked_at())
        self._view.show(snapshot)

    def end(self, result: Result, stop: threading.Event) -> None:
        """Show how it ended."""
        if self._feed is not None:
            self._feed.end(result)
            self._view.end(stop)


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
        speed="max" if options.speed is None else options.speed,
    )
    return Feed(about, hops.catalog, steering=hops.steering)
