"""How a scenario is run: what the command line and the file say, resolved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simulator.batch import Catalog
from simulator.clock import Curve
from simulator.errors import ScenarioError
from simulator.ingest.districts import District, divided
from simulator.load.profile import Profile
from simulator.run.load_test.chaos import Chaos
from simulator.scenario.pace import PaceChange

__all__ = ["Load", "Options", "Share"]


@dataclass(frozen=True, slots=True)
class Load:
    """When how much of a park is due, in an open loop."""

    profile: Profile
    natural_per_s: float
    """Messages a second of the park at speed 1."""
    late_after_ns: int
    """A message that could not be sent so long after it was due is dropped."""

    def curve(self, sim_start_ns: int, wall_start_ns: int) -> Curve:
        return self.profile.curve(self.natural_per_s, sim_start_ns=sim_start_ns, wall_start_ns=wall_start_ns)


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the park that one of several workers sends and carries."""

    number: int
    """From 0."""
    workers: int
    meet: Callable[[], int]
    """Waits for the others, and returns the monotonic instant (ns) at which all of them begin."""

    def districts(self, catalog: Catalog, *, enterprise: str, lanes: int) -> list[District]:
        """Return what each lane of this worker carries. Raises ScenarioError if there is nothing."""
        parts = divided(catalog, enterprise=enterprise, lanes=self.workers * lanes)
        if len(parts) < self.workers:
            message = f"--workers {self.workers}: the park can be divided among {len(parts)} at most"
            raise ScenarioError(message)
        return parts[self.number :: self.workers]


@dataclass(frozen=True, slots=True)
class Options:
    """How to run a scenario, resolved from the command line and the file."""

    seed: int
    speed: float | None
    """Simulated seconds per second; None: as fast as it goes."""
    duration_ns: int | None
    """Simulated time; None: until stopped."""
    broker: str
    store: str
    patience_s: float = 30.0
    """How long a broker may take nothing, or not be there, before the run gives it up."""
    load: Load | None = None
    """When how much is due; None: at the speed."""
    chaos: Chaos | None = None
    """What is done to the pipeline on purpose; None: nothing."""
    share: Share | None = None
    """The part of the park that this process sends; None: all of it."""
    audits: bool = False
    """Whether someone else carries the messages, and the database is only looked at."""
    spool: Path | None = None
    """A folder for what the store does not take; None: it stays at the broker."""
    dead_letter_file: Path | None = None
    """Where the messages go that the store will never take, for later; None: only the first are told."""
    is_watched: bool = False
    """Whether somebody looks at single machines."""
    pace: tuple[PaceChange, ...] = ()
    """How the speed changes, as the scenario plans it."""
    snapshot_s: float | None = None
    """Between two snapshots; None: a second."""
    store_patience_s: float = 300.0
    """How long a store may take nothing of what waits for it before the run gives it up."""

    @property
    def is_steerable(self) -> bool:
        """Whether who looks on may begin faults and change the pace; a load test keeps to its profile."""
        return self.is_watched and self.load is None
