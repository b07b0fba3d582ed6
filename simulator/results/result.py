"""The result of a run: one versioned object, the only source of whatever is told about the run afterwards."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from simulator.results.action import Action
from simulator.results.load_test import LoadTest
from simulator.results.part import Count, Part, Percentiles

__all__ = ["SCHEMA", "Result", "machine", "schema_text", "versions"]

SCHEMA = "parksim.result/1"
Instant = Field(description="ISO 8601 with offset, wall clock")


class ScenarioText(Part):
    """What was run, whole, so that the result alone is enough to run it again."""

    name: str
    sha256: str = Field(description="of the text, UTF-8")
    text: str


class Simulated(Part):
    """The simulated time that was run and how it was carried out."""

    start: str = Field(description="the first simulated instant, resolved; ISO 8601 with offset")
    origin: str = Field(
        description="where the simulated world began: at the start less the warm-up; earlier by as long as a long"
        " warm-up took, for then the park lived on to the wall clock. A World from the origin, read from the start"
        " on, gives the same readings"
    )
    until: str = Field(description="the end of the last window that was sent; no reading is as late as this")
    speed: float | Literal["max"]
    broker: str = Field(description="what ran between publisher and bridge, and what it can lose")
    store: str = Field(description="the kind of store")
    rows_found: Count | None = Field(
        description="rows of its assets in that time that the store itself counted in the end; null if it could not"
    )
    rows_before: Count | None = Field(
        description="the same before the first message, over the whole time that was planned; null if it could not."
        " A store that knows which run wrote a row counts those of this run only, so 0"
    )


class Machine(Part):
    """The computer, without its name."""

    cores: int
    model: str
    memory_bytes: int
    os: str


class Messages(Part):
    """What became of every message.

    The law: scheduled = written + dead_lettered + all dropped + spooled + in_flight + unaccounted.
    """

    scheduled: Count
    published: Count = Field(description="taken over by a session")
    acknowledged: Count = Field(description="taken over by the broker")
    received: Count = Field(description="reached the bridge, each counted once")
    written: Count = Field(description="committed by the store, each counted once")
    dead_lettered: Count = Field(description="reached the bridge, and the store will never take them")
    dead_letter_reasons: dict[str, Count]
    dropped: dict[str, Count] = Field(description="given up on the way, by reason")
    duplicates: Count = Field(description="came again at the bridge")
    reordered: Count = Field(description="came at the bridge after a later one of the same asset")
    overwritten: Count = Field(
        default=0, description="bear the instant of the message before of their asset, so both are one row of the store"
    )
    spooled: Count = Field(default=0, description="safe on the disk of the bridge, and not written yet")
    in_flight: Count
    unaccounted: Count = Field(description="nobody knows; 0 on a healthy run")
    foreign: dict[str, Count] = Field(description="came at the bridge and are none of this run; not in the balance")


class Readings(Part):
    """Single values; a message carries several."""

    scheduled: Count
    written: Count
    left_out: Count = Field(description="not sent, for JSON cannot carry them: not finite, or too large")


class Rates(Part):
    """Means over the whole run, per second of wall time."""

    published_per_s: float
    received_per_s: float
    written_readings_per_s: float


class Latencies(Part):
    """One block per hop."""

    lateness: Percentiles
    publish: Percentiles
    broker: Percentiles
    end_to_end: Percentiles


class Gateways(Part):
    """What gateways of the scenario did to messages; none of it is a loss of the pipeline."""

    kept: Count = Field(description="measured, and still in a gateway or on its way from it at the end; in flight")
    dropped: dict[str, Count] = Field(description="by gateways, by reason; they are among the dropped messages as well")
    sent_again: Count = Field(description="on purpose; they come as duplicates at the bridge")
    waited_ms: Percentiles = Field(
        description="simulated time between reading and leaving, of messages that did not leave at once"
    )


class ThresholdOutcome(Part):
    """One threshold of the scenario, and whether it held."""

    expression: str
    value: float | None
    passed: bool = Field(alias="pass")


class Fault(Part):
    """A fault of a machine or sensor that was in force during the run; ``to`` is null if it was not over at the end."""

    kind: str
    target: str
    from_: str = Field(alias="from")
    to: str | None
    cause: str


class Generator(Part):
    """How hard the generator worked; what was not measured is null."""

    cpu: float | None = Field(description="processor seconds per second of wall time, this process, all threads")
    calibrated_max_per_s: float | None
    share_of_max: float | None


class Made(Part):
    """What machines made and took during the run, and how they failed since the simulated world began."""

    pieces_good: Count = Field(description="good pieces that left their factory")
    pieces_bad: Count = Field(description="spoilt by any machine")
    energy_kwh: float
    failures: Count = Field(default=0, description="how often a machine became Aborting")
    mtbf_h: float | None = Field(default=None, description="hours in Execute per failure; null without one")
    mttr_min: float | None = Field(default=None, description="minutes in Aborting, Aborted and Clearing per failure")


class Site(Made):
    """One site of the park."""

    oee: float | None
    figures: dict[str, float | None] = Field(description="what its systems add, as it stood at the end")


class Park(Made):
    """What happened in the park, as it stood at the end. Ratios count from where the simulated world began."""

    oee: dict[str, float | None] = Field(description="`park`: all of it; SITE/FACTORY: one factory")
    oee_by_type: dict[str, float | None] = Field(default={}, description="of all machines of a type")
    sites: dict[str, Site] = Field(default={})
    availability: float | None
    effectiveness: float | None
    quality: float | None
    machines: Count
    running: Count
    alarms: Count


class DeadLetter(Part):
    """A message that reached the bridge and that no store will ever take, cut to a length that can be shown."""

    topic: str
    reason: str
    payload: str = Field(description="its beginning; bytes that are no UTF-8 are escaped")


class Gap(Part):
    """Messages that never reached the bridge."""

    topic: str
    first: Count
    last: Count


class Result(Part):
    """``parksim.result/1``."""

    schema_: Literal["parksim.result/1"] = Field(alias="schema")
    scenario: ScenarioText
    seed: Count
    run_id: str = Field(description="names the run at the broker and in the store; means nothing else")
    started: str = Instant
    finished: str = Instant
    verdict: str = Field(description="one sentence")
    exit_code: int
    reason: str | None = Field(
        description="why the run ended before its time, or why the store could not be asked; null if neither."
        " Addresses and paths are left out"
    )
    simulated: Simulated
    machine: Machine
    versions: dict[str, str]
    messages: Messages
    readings: Readings
    rates: Rates
    latency_ms: Latencies
    gateways: Gateways | None = Field(default=None, description="null if the scenario has no gateways")
    retries: dict[str, Count] = Field(
        description="what had to be tried again, or came otherwise than planned, by hop and reason; helped or not"
    )
    thresholds: tuple[ThresholdOutcome, ...]
    faults: tuple[Fault, ...] = Field(description="by their beginning, at most some thousands")
    actions: tuple[Action, ...] = Field(default=(), description="what was done by hand, in its order")
    faults_not_listed: Count = Field(description="how many faults there were beside those in `faults`")
    generator: Generator
    load: LoadTest | None = Field(default=None, description="null of a run that was no load test")
    park: Park | None = Field(description="null if the run ended before its first window")
    dead_letters: tuple[DeadLetter, ...] = Field(
        max_length=10, description="the first messages that were refused, also those of strangers"
    )
    gaps: tuple[Gap, ...] = Field(description="the first of the gaps at the bridge, if messages were lost there")

    def document(self) -> dict[str, Any]:
        """Return the result as JSON types, with the keys of the schema."""
        return self.model_dump(mode="json", by_alias=True)


def schema_text() -> str:
    """Return the JSON Schema of results, as it stands in configs/result.schema.json."""
    schema = Result.model_json_schema(by_alias=True, mode="serialization")
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | schema, indent=2) + "\n"


def machine() -> Machine:
    """Describe this computer, without its name or anything else that tells whose it is."""
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        named = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = named[0].partition(":")[2].strip() if named else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(cores=cores, model=model, memory_bytes=memory, os=f"{platform.system()} {platform.release()}")


def versions() -> dict[str, str]:
    """Return the versions of parksim, Python and what the data depends on."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("parksim", "numpy", "scipy", "simpy", "paho-mqtt", "influxdb-client"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a checkout that was never installed
            found[name] = "unknown"
    return found
