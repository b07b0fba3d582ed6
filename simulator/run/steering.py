"""Steering: what somebody asks of a run while it goes on is checked, ordered from the park, and kept on record."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from itertools import islice
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from simulator.clock import SECOND_NS, Clock, Pace
from simulator.errors import ScenarioError
from simulator.plan import plan
from simulator.publish.orders import Act, Begin, LookAt, Order, Pause, Resume, Speed
from simulator.publish.source import MOST_SKEW_MS, Source
from simulator.publish.windows import sampled_per_s, window_ns
from simulator.results.action import Action
from simulator.run.marking import Marking
from simulator.scenario.fault import MOST_FAULTS, ClockSkew, Fault
from simulator.scenario.fault_catalogue import fault_kinds
from simulator.scenario.fitting import Fitting
from simulator.scenario.loader import Loaded
from simulator.scenario.pace import FASTEST, MOST_CHANGES, SLOWEST
from simulator.scenario.quantities import instant_text, rate_per_s
from simulator.scenario.repetition import repetition
from simulator.scenario.targets import MOST_STRUCK, struck_by, why_nothing

__all__ = ["Steering"]

FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)
OVER = "the run is over"
DECIMALS = 6
"""Of a speed, as the truth tells it."""
MS = 1_000_000


class Steering:
    """One run as somebody steers it: who looks on asks from any thread, who sends says what has come of it.

    Whatever is ordered holds from the next window on that is made, which is a second or two of wall time ahead.
    """

    def __init__(self, loaded: Loaded, source: Source, pace: Pace, clock: Clock) -> None:
        self.marking = Marking(loaded.scenario.faults, source.origin_ns + loaded.scenario.warm_up)
        self.is_paused = False
        self._loaded = loaded
        self._source = source
        self._pace = pace
        self._clock = clock
        self._planned_until_ns = pace.due_ns(pace.legs[-1].sim_ns) if pace.legs else None
        self._messages_per_s = plan(loaded).messages_per_s
        self._zone = ZoneInfo(loaded.scenario.timezone)
        self._fitting = Fitting(loaded.scenario, loaded.types)
        self._lock = Lock()
        self._is_over = False
        self._asked: deque[dict[str, Any]] = deque()
        """Faults as they were asked for, until the park has begun them."""
        self._faults = len(loaded.scenario.faults)
        self._changes = len(loaded.scenario.pace)
        self._struck = sum(
            1 for fault in loaded.scenario.faults for _ in struck_by(fault, loaded.scenario, self._fitting)
        )
        self._skew_ms = 0.0
        self._paused_since_ns: int | None = None
        self._actions: list[Action] = []
        self._looked_at: tuple[int, ...] = ()
        self._until_ns = 0

    def offers(self) -> dict[str, Any]:
        """Return what can be asked: the kinds of faults with their numbers, and the limits of speed."""
        return {
            "faults": fault_kinds(),
            "speed": None if self._pace.speed is None else {"least": SLOWEST, "most": FASTEST},
            "messages_per_s": self._messages_per_s,
        }

    def do(self, asked: object) -> None:
        """Order what is asked, a mapping with the key ``do``. Raises ScenarioError for what cannot be done."""
        if not isinstance(asked, Mapping) or not isinstance(asked.get("do"), str):
            message = 'say what to do, such as {"do": "pause"}'
            raise ScenarioError(message)
        given = {str(key): value for key, value in asked.items() if key != "do"}
        with self._lock:
            if self._is_over:
                raise ScenarioError(OVER)
            match asked["do"], given:
                case "fault", _:
                    fault = self._checked(given)
                    # before the park may have begun it
                    self._asked.append(given)
                    self._faults += 1
                    self._source.order(Begin(fault))
                case "pause", {**rest} if not rest:
                    self._change(Pause())
                case "resume", {**rest} if not rest:
                    self._change(Resume())
                case "speed", {"speed": float() | int() as speed, **rest} if not rest and not isinstance(speed, bool):
                    self._change(self._speed(float(speed)))
                case "rate", {"rate": str() as rate, **rest} if not rest:
                    self._change(self._speed(self._speed_of(rate)))
                case _:
                    message = (
                        f"do {asked['do']!r} with {', '.join(map(repr, given)) or 'nothing'}: there is no such thing;"
                        " do fault (kind, target, for and its numbers), pause, resume, speed (speed) or rate (rate)"
                    )
                    raise ScenarioError(message)

    def look_at(self, assets: tuple[int, ...]) -> None:
        """Have the readings of these assets shown, and of no others."""
        with self._lock:
            if assets != self._looked_at and not self._is_over:
                self._looked_at = assets
                self._source.order(LookAt(assets))

    def done(self, acts: tuple[Act, ...], *, until_ns: int, wall_s: float) -> None:
        """Take note of what the park has done before the window that is sent next, and that lasts until then."""
        self._until_ns = until_ns
        for act in acts:
            at = instant_text(act.at_ns, self._zone)
            match act.what:
                case "fault":
                    self._actions.append(Action(at=at, do="fault", fault=self._asked.popleft()))
                    assert act.fault is not None
                    self.marking.fault(act.fault, act.at_ns, wall_s)
                case "speed":
                    self._pace.turn(act.at_ns, speed=act.speed)
                    self._actions.append(Action(at=at, do="speed", speed=act.speed))
                    self.marking.act("speed", wall_s, f"{act.speed:g}")
                case "pause":
                    self._paused_since_ns = self._clock.monotonic_ns()
                    self._actions.append(Action(at=at, do="pause"))
                    self.marking.act("pause", wall_s)
                case "resume":
                    self._pace.turn(act.at_ns, wall_ns=self._clock.monotonic_ns())
                    self._end_pause(wall_s)
            self.is_paused = self._paused_since_ns is not None

    def close(self, wall_s: float) -> None:
        """Take no more orders: everything has been sent, or nothing more will be."""
        with self._lock:
            self._is_over = True
        self._end_pause(wall_s)
        self.is_paused = False

    def actions(self) -> tuple[Action, ...]:
        """Return what was done, in its order."""
        return tuple(self._actions)

    def timeline(self) -> str:
        """Return a scenario that repeats the run as it has come until now."""
        source = self._source
        return repetition(
            self._loaded,
            tuple(self._actions),
            seed=self._loaded.scenario.seed,
            origin_ns=source.origin_ns,
            start_ns=source.start_ns,
            until_ns=max(self._until_ns, source.start_ns),
            speed=self._pace.speed or "max",
        )

    def _end_pause(self, wall_s: float) -> None:
        if self._paused_since_ns is None:
            return
        paused_s = (self._clock.monotonic_ns() - self._paused_since_ns) / SECOND_NS
        self._paused_since_ns = None
        self.marking.resumed(wall_s)
        last = max(number for number, one in enumerate(self._actions) if one.do == "pause")
        self._actions[last] = self._actions[last].model_copy(update={"paused_s": round(paused_s, 3)})

    def _change(self, order: Order) -> None:
        if self._changes >= MOST_CHANGES and not isinstance(order, Resume):
            message = f"the pace of a run changes {MOST_CHANGES:,} times at most"
            raise ScenarioError(message)
        if self._planned_until_ns is not None and self._clock.monotonic_ns() < self._planned_until_ns:
            message = "the scenario plans how the pace of this run changes, and there is more to come; wait until then"
            raise ScenarioError(message)
        self._changes += isinstance(order, Pause | Speed)
        self._source.order(order)

    def _speed(self, speed: float) -> Speed:
        if self._pace.speed is None:
            message = "this run goes as fast as it can, and has no speed that could be changed; it can pause"
            raise ScenarioError(message)
        if not SLOWEST <= speed <= FASTEST:
            message = f"speed {speed:g}: it goes from {SLOWEST:g} to {FASTEST:,.0f}, simulated seconds per second"
            raise ScenarioError(message)
        return Speed(round(speed, DECIMALS), window_ns(speed, sampled_per_s(self._source.catalog), is_steerable=True))

    def _speed_of(self, rate: str) -> float:
        try:
            per_s = rate_per_s(rate)
        except ValueError as error:
            message = f"rate: {error}"
            raise ScenarioError(message) from None
        if not self._messages_per_s:
            message = "rate: this park sends nothing by the clock, so no speed gives a rate; set the speed"
            raise ScenarioError(message)
        return per_s / self._messages_per_s

    def _checked(self, given: Mapping[str, Any]) -> Fault:
        if self._faults >= MOST_FAULTS:
            message = f"a run has {MOST_FAULTS:,} faults at most, those of its scenario among them"
            raise ScenarioError(message)
        for key in ("at", "by_hand"):
            if key in given:
                message = f"{key}: a fault that is begun by hand begins now; leave it out"
                raise ScenarioError(message)
        try:
            fault = FAULT.validate_json(json.dumps({**given, "at": "0s", "by_hand": True}), strict=True)
        except ValidationError as error:
            problems = []
            for one in error.errors():
                where = "/".join(str(step) for step in one["loc"][1:]) or "fault"
                problems.append(f"{where}: {one['msg'].removeprefix('Value error, ')}")
            raise ScenarioError(*problems) from None
        scenario = self._loaded.scenario
        left = MOST_STRUCK - self._struck
        struck = sum(1 for _ in islice(struck_by(fault, scenario, self._fitting), left + 1))
        if not struck:
            message = f"target: {why_nothing(fault, scenario, self._fitting)}"
            raise ScenarioError(message)
        if struck > left:
            message = (
                f"target: the faults of a run strike {MOST_STRUCK:,} machines and sensors at most; {left:,} are left"
            )
            raise ScenarioError(message)
        if isinstance(fault, ClockSkew):
            skew_ms = abs(fault.offset_ms) + abs(fault.ppm) * fault.duration / MS / 1e6
            if self._skew_ms + skew_ms > MOST_SKEW_MS:
                message = (
                    f"clock_skew: by hand clocks may be off by {MOST_SKEW_MS / 1e3:g} s, all faults together; write it"
                    " into the scenario"
                )
                raise ScenarioError(message)
            self._skew_ms += skew_ms
        self._struck += struck
        return fault
