"""What a load test adds to a result: its stages, what happened second by second, and what it was that gave way."""

from __future__ import annotations

from pydantic import Field

from simulator.results.part import Count, Part, Percentiles

__all__ = ["Bottleneck", "Clocks", "Disturbance", "LoadTest", "Probe", "Search", "StageSpan", "Uncorrected"]

Seconds = dict[str, tuple[float | None, ...]]


class StageSpan(Part):
    """A stage of the profile, seconds of wall time since the first message was due."""

    name: str
    kind: str
    from_s: float
    to_s: float


class Uncorrected(Part):
    """Milliseconds after a message was *sent*: what a tool shows that does not see its own waiting."""

    publish: Percentiles
    broker: Percentiles
    end_to_end: Percentiles


class Disturbance(Part):
    """A fault that was put on the pipeline on purpose, and what came of it."""

    kind: str
    target: str
    from_s: float
    to_s: float
    recovered_s: float | None = Field(
        description="from its end until nothing more waited than before it; null if that did not happen in the test"
    )
    lost: Count = Field(description="messages that the pipeline lost between its beginning and its recovery")


class Bottleneck(Part):
    """The part of the pipeline that gave way first, or that worked hardest."""

    part: str = Field(description="generator, broker, bridge, database or none")
    because: str = Field(description="one sentence with the figures")
    backlog_per_s: dict[str, float] = Field(description="how fast messages piled up before each part, messages/s")
    busy: dict[str, float] = Field(description="share of the time, or of a core, that each part worked, where known")


class Probe(Part):
    """One rate that was tried in the search for the highest."""

    rate_per_s: float
    written_per_s: float
    holds: bool
    why: str = Field(description="what did not hold; empty if all did")
    backlog_per_s: float = Field(description="how fast messages piled up in the second half")
    end_to_end_p99_ms: float | None
    is_confirmation: bool
    attempts: Count = Field(default=1, description="how often it was played; the last one counts")


class Search(Part):
    """The highest rate that holds, and how it was found."""

    max_per_s: float | None = Field(description="confirmed by a longer hold; null if no rate held")
    first_failed_per_s: float | None = Field(description="the lowest rate that was seen to fail")
    knee_per_s: float | None = Field(
        description="where the p99 from due to stored first passes three times that of the lowest rate; null if never"
    )
    probes: tuple[Probe, ...]


class Clocks(Part):
    """What the clocks did that the measurement rests on."""

    stepped_ms: float = Field(description="by how much this machine's clock was set during the test")
    drift_ppm: float | None = Field(description="how fast it ran against the timer of this machine; null if too short")
    store_offset_ms: float | None = Field(description="the clock of the database less ours; null if it tells no time")
    store_uncertain_ms: float | None


class LoadTest(Part):
    """``load`` of a result."""

    stages: tuple[StageSpan, ...]
    seconds: Seconds = Field(description="columns of the same length; at most 2,000 points, of longer tests every Nth")
    latency_from_sent_ms: Uncorrected | None = Field(description="uncorrected, beside `latency_ms`, which is corrected")
    queryable_ms: Percentiles | None = Field(
        description="from due until the row was found by a query, of a sample; null if the store cannot be asked"
    )
    bottleneck: Bottleneck | None
    servers: dict[str, float] = Field(default={}, description="what broker and database told of themselves")
    clocks: Clocks | None
    disturbances: tuple[Disturbance, ...] = ()
    search: Search | None = None
    workers: Count = 1
