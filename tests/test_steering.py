"""A run is paused, made faster and struck by hand, and nothing is late or lost for it; what cannot be done says why."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from parks import quickstart
from settled import SECOND, SettledClock

from simulator.errors import ExitCode, ScenarioError
from simulator.publish.pacing import TICK_NS
from simulator.results.result import Result
from simulator.results.snapshot import Snapshot
from simulator.run.execute import execute
from simulator.run.hops import LEAD_NS, Hops
from simulator.run.options import Options
from simulator.run.steering import Steering
from simulator.scenario.fault import MOST_FAULTS, Cause
from simulator.scenario.pace import MOST_CHANGES, PaceChange

TICK_MS = TICK_NS / 1_000_000
PRESS = "vsip2a/wiring-devices/moulding/press-1"
STOP = {"do": "fault", "kind": "stop", "target": PRESS, "for": "10s"}


class Steered:
    """A run of the quickstart on a clock that a test moves, with somebody who looks on."""

    def __init__(self, folder: Path, *, seconds: float = 60, speed: float | None = 1.0, **options: Any) -> None:
        self.clock = SettledClock()
        self.stop = threading.Event()
        self.steering: Steering | None = None
        self.snapshots: list[Snapshot] = []
        self.store = folder / "park.db"
        self._options = Options(
            seed=7,
            speed=speed,
            duration_ns=int(seconds * SECOND),
            broker="memory",
            store=f"sqlite:{self.store}",
            is_watched=True,
            snapshot_s=0.01,
            **options,
        )

    def lived(
        self,
        begin: Callable[[Steering], object] = lambda _: None,
        look: Callable[[Snapshot, Steering], object] = lambda _, __: None,
        **changes: Any,
    ) -> Result:
        """Live it; ``begin`` is called when it opens, ``look`` with each snapshot."""
        loaded = quickstart()
        loaded = replace(loaded, scenario=loaded.scenario.model_copy(update=changes))

        def opened(hops: Hops) -> None:
            self.clock.hops = hops
            self.steering = hops.steering
            assert hops.steering is not None
            begin(hops.steering)

        def seen(snapshot: Snapshot) -> None:
            self.snapshots.append(snapshot)
            assert self.steering is not None
            look(snapshot, self.steering)

        return execute(loaded, self._options, clock=self.clock, stop=self.stop, on_open=opened, on_snapshot=seen)

    def told(self) -> list[tuple[float, ...]]:
        """What the truth says of the pace: cause, paused, speed."""
        with sqlite3.connect(self.store) as db:
            return db.execute("SELECT cause, paused, speed FROM pace ORDER BY time_ms").fetchall()


def is_clean(result: Result) -> bool:
    """Whether all is written, and nothing was later than messages are that leave together."""
    latest = result.latency_ms.lateness.max
    return latest is not None and latest <= TICK_MS and result.messages.written == result.messages.scheduled


def test_a_pause_lasts_as_long_as_it_lasts_and_makes_nothing_late(tmp_path: Path) -> None:
    """Whatever is due after it is due so much later; the result tells how long, and the truth that there was one."""
    run = Steered(tmp_path)

    def look(snapshot: Snapshot, steering: Steering) -> None:
        if snapshot.is_paused and not run.clock.moved:
            run.clock.moved = True
            run.clock.advance(100 * SECOND)
            steering.do({"do": "resume"})

    result = run.lived(lambda steering: steering.do({"do": "pause"}), look)
    assert is_clean(result)
    assert [(one.do, one.paused_s) for one in result.actions] == [("pause", 100.0)]
    assert result.rates.published_per_s == pytest.approx(result.messages.published / 60, rel=0.01)
    assert run.clock.monotonic_ns() == LEAD_NS + 160 * SECOND
    assert run.told() == [(Cause.HAND, 1, 0), (Cause.HAND, 0, 0)]
    assert {(mark.what, mark.to_s is None) for one in run.snapshots for mark in one.marks} >= {("pause", True)}


def test_another_speed_makes_a_run_shorter_and_nothing_late(tmp_path: Path) -> None:
    """From the window on that it holds from; windows grow with it."""
    run = Steered(tmp_path)
    result = run.lived(lambda steering: steering.do({"do": "speed", "speed": 4}))
    assert is_clean(result)
    (action,) = result.actions
    assert (action.do, action.speed) == ("speed", 4.0)
    assert LEAD_NS + 15 * SECOND < run.clock.monotonic_ns() < LEAD_NS + 20 * SECOND
    assert run.told() == [(Cause.HAND, 0, 4)]
    assert run.snapshots[-1].speed == 4


def test_a_rate_is_the_speed_that_gives_it(tmp_path: Path) -> None:
    """In messages a second, as parksim check tells them for speed 1."""
    run = Steered(tmp_path, seconds=10)
    offers: list[dict[str, Any]] = []

    def begin(steering: Steering) -> None:
        offers.append(steering.offers())
        steering.do({"do": "rate", "rate": "100/s"})

    (action,) = run.lived(begin).actions
    assert action.speed == round(100 / offers[0]["messages_per_s"], 6)


def test_a_fault_begins_in_the_first_window_that_is_not_made_yet(tmp_path: Path) -> None:
    """Which is a second of wall time ahead at most; the result says by hand."""
    result = Steered(tmp_path).lived(lambda steering: steering.do(STOP))
    (action,) = result.actions
    assert action.fault == {key: value for key, value in STOP.items() if key != "do"}
    (fault,) = (one for one in result.faults if one.cause == "by hand")
    assert (fault.kind, fault.target, fault.from_) == ("stop", PRESS, action.at)
    assert action.at <= "2025-03-10T07:00:01.500+07:00"


def test_a_scenario_plans_its_pace(tmp_path: Path) -> None:
    """Faster, then a pause, then slower: it takes as long as it says, and nothing is late."""
    plan = (
        PaceChange.model_validate({"at": "10s", "speed": 5.0}),
        PaceChange.model_validate({"at": "35s", "pause": "7s"}),
        PaceChange.model_validate({"at": "40s", "speed": 2.0}),
    )
    run = Steered(tmp_path, pace=plan)
    result = run.lived(pace=plan)
    assert is_clean(result)
    assert run.clock.monotonic_ns() == LEAD_NS + (10 + 5 + 7 + 1 + 10) * SECOND
    assert (result.actions, run.told()) == ((), [(1, 0, 5), (1, 1, 0), (1, 0, 0), (1, 0, 2)])


def test_what_was_to_be_before_the_start_leaves_its_speed(tmp_path: Path) -> None:
    """As if it had happened: no pause is made up for, and nothing is overdue."""
    plan = (
        PaceChange.model_validate({"at": "2020-01-01T00:00:00+07:00", "pause": "7s"}),
        PaceChange.model_validate({"at": "2020-01-01T00:00:00+07:00", "speed": 4.0}),
    )
    run = Steered(tmp_path, seconds=40, pace=plan)
    assert is_clean(run.lived(pace=plan))
    assert run.clock.monotonic_ns() == LEAD_NS + 10 * SECOND


def test_what_is_planned_is_not_changed_by_hand_before_it_is_over(tmp_path: Path) -> None:
    """The two would be at odds about what comes next."""
    plan = (PaceChange.model_validate({"at": "10s", "speed": 5.0}),)

    def begin(steering: Steering) -> None:
        with pytest.raises(ScenarioError, match="the scenario plans how the pace of this run changes"):
            steering.do({"do": "pause"})

    assert Steered(tmp_path, pace=plan).lived(begin, pace=plan).exit_code == 0


def test_a_run_that_pauses_can_be_stopped(tmp_path: Path) -> None:
    """It ends as any that is interrupted."""
    run = Steered(tmp_path)

    def look(snapshot: Snapshot, _: Steering) -> None:
        if snapshot.is_paused:
            run.stop.set()

    result = run.lived(lambda steering: steering.do({"do": "pause"}), look)
    assert (result.exit_code, result.messages.unaccounted) == (ExitCode.INTERRUPTED, 0)


def test_readings_come_of_the_machines_that_somebody_looks_at(tmp_path: Path) -> None:
    """And of no others."""
    run = Steered(tmp_path)
    result = run.lived(lambda steering: steering.look_at((2,)))
    numbers = {int(number) for one in run.snapshots for each in one.readings for number in each.sensor}
    assert run.clock.hops is not None
    assert {int(run.clock.hops.catalog.asset_of[number]) for number in numbers} == {2}
    assert result.exit_code == 0


BAD: list[tuple[object, str]] = [
    ([], "say what to do"),
    ({"do": 3}, "say what to do"),
    ({"do": "dance"}, "do 'dance' with nothing: there is no such thing"),
    ({"do": "pause", "for": "1m"}, "do 'pause' with 'for': there is no such thing"),
    ({"do": "speed", "speed": "fast"}, "there is no such thing"),
    ({"do": "speed", "speed": True}, "there is no such thing"),
    ({"do": "speed", "speed": 0}, "speed 0: it goes from 0.001 to 1,000,000"),
    ({"do": "rate", "rate": "12"}, "rate: '12' is no rate"),
    ({"do": "rate", "rate": "900M/s"}, "it goes from 0.001 to 1,000,000"),
    ({**STOP, "kind": "earthquake"}, "earthquake"),
    ({**STOP, "for": "0s"}, "for: Input should be greater than 0"),
    ({**STOP, "at": "5m"}, "at: a fault that is begun by hand begins now"),
    ({**STOP, "by_hand": False}, "by_hand: a fault that is begun by hand begins now"),
    ({**STOP, "target": "vsip2a/wiring-devices/moulding/press-9"}, "target: 'press-9' is no machine of"),
    ({**STOP, "loud": 1}, "loud: Extra inputs are not permitted"),
    ({**STOP, "kind": "slow"}, "factor: Field required"),
]


def test_what_cannot_be_done_says_why(tmp_path: Path) -> None:
    """One sentence for each mistake; nothing of it becomes an action."""

    def begin(steering: Steering) -> None:
        for asked, said in BAD:
            with pytest.raises(ScenarioError) as refused:
                steering.do(asked)
            assert said in str(refused.value), asked

    assert Steered(tmp_path, seconds=1).lived(begin).actions == ()


def test_at_full_speed_there_is_no_speed_to_change(tmp_path: Path) -> None:
    """It can pause, and faults can begin."""

    def begin(steering: Steering) -> None:
        assert steering.offers()["speed"] is None
        with pytest.raises(ScenarioError, match="this run goes as fast as it can"):
            steering.do({"do": "speed", "speed": 2})
        steering.do(STOP)

    result = Steered(tmp_path, speed=None, seconds=1800).lived(begin)
    assert [one.do for one in result.actions] == ["fault"]


def test_there_is_a_limit_to_what_is_done(tmp_path: Path) -> None:
    """A thousand faults and a thousand changes, and the clocks of gateways by two minutes."""

    def begin(steering: Steering) -> None:
        for _ in range(MOST_CHANGES):
            steering.do({"do": "speed", "speed": 3})
        with pytest.raises(ScenarioError, match="the pace of a run changes 1,000 times at most"):
            steering.do({"do": "pause"})
        # or a run that pauses could not go on
        steering.do({"do": "resume"})
        for _ in range(MOST_FAULTS):
            steering.do(STOP)
        with pytest.raises(ScenarioError, match="a run has 1,000 faults at most"):
            steering.do(STOP)

    assert len(Steered(tmp_path, seconds=5).lived(begin).actions) == MOST_CHANGES + MOST_FAULTS


def test_nothing_is_done_to_a_run_that_is_over(tmp_path: Path) -> None:
    """Nor does it hang."""
    run = Steered(tmp_path, seconds=1)
    run.lived()
    assert run.steering is not None
    with pytest.raises(ScenarioError, match="the run is over"):
        run.steering.do({"do": "pause"})


def test_a_run_that_nobody_watches_is_not_steered(tmp_path: Path) -> None:
    """So that it has no more topics than its scenario says."""
    loaded = quickstart()
    clock = SettledClock()
    options = Options(7, 1.0, SECOND, "memory", f"sqlite:{tmp_path / 'park.db'}")
    seen: list[Hops] = []
    execute(loaded, options, clock=clock, stop=threading.Event(), on_open=seen.append, on_snapshot=lambda _: None)
    assert seen[0].steering is None
    assert not any(one.kind == "pace" for one in seen[0].catalog.assets)
