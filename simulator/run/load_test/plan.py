"""What a load test plays: the stages of a scenario, or one rate, with thresholds and disturbances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from simulator.clock import SECOND_NS
from simulator.errors import ScenarioError
from simulator.load.profile import Profile, profile_of
from simulator.load.thresholds import Threshold, parse_threshold
from simulator.plan import plan
from simulator.scenario import load as scenario_load
from simulator.scenario.load import LATE_AFTER_NS, Hold, Level, Stage
from simulator.scenario.loader import Loaded

__all__ = ["Prepared", "prepared", "thresholds_of"]

RATE_FOR_S = 60.0


class Prepared(NamedTuple):
    """What is to be played, and how it is judged."""

    profile: Profile
    thresholds: tuple[Threshold, ...] = ()
    late_after_ns: int = LATE_AFTER_NS
    """After which a message is too late, and dropped."""
    disturbances: tuple[scenario_load.Disturbance, ...] = ()


def prepared(loaded: Loaded, *, rate: float | None, duration_s: float | None) -> Prepared:
    """Read what a scenario wants to be loaded with. Raises ScenarioError.

    ``rate`` for ``duration_s`` takes the place of the stages of the file.
    """
    wanted = loaded.scenario.load
    if rate is not None:
        length_ns = round((duration_s or RATE_FOR_S) * 1_000) * 1_000_000
        stages: tuple[Stage, ...] = (
            Hold.model_construct(kind="hold", name="hold", duration=length_ns, rate=Level(rate)),
        )
    elif wanted is None:
        message = f"{loaded.path}: there is no `load:` in it; write one with stages, or say --rate 5k/s --for 60s"
        raise ScenarioError(message)
    else:
        stages = wanted.stages
    whole = plan(loaded)
    profile = profile_of(stages, asset_per_s=whole.messages_per_s / whole.assets)
    names = {span.name for span in profile.spans}
    thresholds, problems = [], []
    for text in wanted.thresholds if wanted else ():
        try:
            found = parse_threshold(text, stages=names if rate is None else names | {_stage(text)})
        except ValueError as error:
            problems.append(f"{loaded.path}: load.thresholds: {error}")
        else:
            # a threshold of a stage means nothing to a single rate
            if rate is None or found.stage is None:
                thresholds.append(found)
    # faults belong to the stages of the file as well
    disturbances = wanted.disturbances if wanted is not None and rate is None else ()
    problems += [f"{loaded.path}: {problem}" for problem in untimely(disturbances, profile)]
    if problems:
        raise ScenarioError(*problems)
    return Prepared(profile, tuple(thresholds), wanted.late_after if wanted else LATE_AFTER_NS, disturbances)


def thresholds_of(loaded: Loaded) -> tuple[Threshold, ...]:
    """Return the thresholds for all of a test. Raises ScenarioError."""
    return () if loaded.scenario.load is None else prepared(loaded, rate=1.0, duration_s=None).thresholds


def untimely(disturbances: Sequence[scenario_load.Disturbance], profile: Profile) -> list[str]:
    """Return what is wrong with disturbances that outlast the test."""
    return [
        f"load.disturbances: {one.kind} of {one.target} at {one.at / SECOND_NS:g} s for {one.duration / SECOND_NS:g} s"
        f" is not over when the test ends, after {profile.duration_s:g} s"
        for one in disturbances
        if one.at + one.duration >= profile.duration_s * SECOND_NS
    ]


def _stage(text: str) -> str:
    return text.rpartition(" in ")[2].strip()
