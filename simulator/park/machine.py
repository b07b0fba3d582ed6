"""A machine as a SimPy process: it waits for its shift, starts, makes parts, starves, jams, breaks and is mended."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import simpy
from numpy.typing import NDArray

from simulator.park.buffer import Store
from simulator.park.calendar import Calendar
from simulator.park.crew import Crew
from simulator.park.packml import NEXT, State
from simulator.park.stops import LONGEST_LIFE_NS, MS, BearingLife, StopClock, lognormal_ns, whole_ms
from simulator.park.truth import Happening, Truth
from simulator.park.upkeep import Upkeep
from simulator.scenario.fault import Cause
from simulator.scenario.machine_type import MachineType
from simulator.signals.process import Cycles
from simulator.signals.streams import Stream
from simulator.signals.timeline import DARK, MAINS, Segment

__all__ = ["Machine", "Place", "Port"]

Steps = Generator[simpy.Event, Any, Any]
PASSING_CV = 0.2
"""How much the passing states vary, so that machines of a hall do not move in lockstep."""

LEAST_REST_NS = 1_000 * MS
UNNOTICED_CV = 0.5
"""How much it varies how long a fault stays unnoticed [E]."""


class Port(NamedTuple):
    """Where a machine takes parts from, or gives them to."""

    buffer: Store
    pieces: int
    """Per cycle; on the giving side the most that a cycle can give."""
    gives: bool


@dataclass(frozen=True)
class Place:
    """What surrounds a machine: its number in the catalogue, time, shifts, the crew, and who keeps the records."""

    asset: int
    env: simpy.Environment
    calendar: Calendar
    crew: Crew
    record: Callable[[Segment], None]
    truth: Truth


class Machine:
    """One machine. Instants are nanoseconds since the Unix epoch, as the environment counts them."""

    def __init__(self, spec: MachineType, place: Place, *, stream: Callable[..., Stream], book: Cycles) -> None:
        self.spec = spec
        self.cycle_ns = spec.cycle
        self.state = State.STOPPED
        self.power = MAINS
        self.cycles = 0
        self.ports: Sequence[Port] = ()
        self._watchers: list[Callable[[Machine], None]] = []
        self.in_state_ns = dict.fromkeys(State, 0)
        self.book = book
        self._place = place
        self._env = place.env
        self._into_ns = 0
        self._cycle_began_ns = int(place.env.now)
        self._since_ns = self._settled_ns = int(place.env.now)
        self._rng = stream("passing").epoch(0)
        self._stops = [StopClock(stop, stream("stop", stop.name)) for stop in spec.stops]
        self._bearing = BearingLife(spec.bearing, stream("bearing")) if spec.bearing else None
        self._wake: simpy.Event | None = None
        self._short = False
        self._slow: list[float] = []
        self._held_until_ns = self._broken_until_ns = self._alone_until_ns = 0
        self.rests_with: int | None = None
        """The group of people in whose breaks it is held; None: it never is."""
        self._manned = True
        self.set_up_factor = 1.0
        """How many times as long set-ups take as the type says."""
        self.unnoticed_ns = 0
        """How long a fault stays unnoticed on average while nobody is at the machine."""
        self.upkeep: Upkeep | None = None
        self._breaks = False
        self._missing = 0
        self._lit: simpy.Event | None = None
        self._write_down()
        self._process = self._env.process(self._life())

    @property
    def good(self) -> int:
        """Good pieces so far."""
        return self.book.good_before(self.cycles)

    @property
    def processed(self) -> int:
        """All pieces so far."""
        return self.cycles * self.spec.pieces

    # What a buffer asks of its users.

    @property
    def asset(self) -> int:
        """Its number in the catalogue."""
        return self._place.asset

    def left_to_fault_ns(self) -> int | None:
        """How much time the clock of the next fault has left as of the last change of state; None: none can come."""
        left = [clock.left_ns for clock in self._stops if clock.stop.becomes == "aborted"]
        if self._bearing:
            left.append(self._bearing.left_ns)
        return min(left, default=None)

    def settle(self) -> None:
        """Book all cycles completed by now: parts taken, parts given, time run."""
        now = int(self._env.now)
        passed, self._settled_ns = now - self._settled_ns, now
        self.in_state_ns[self.state] += passed
        if self.state is not State.EXECUTE or not passed:
            return
        if self._bearing:
            self._bearing.age_ns += passed
        done, self._into_ns = divmod(self._into_ns + passed, self.cycle_ns)
        if not done:
            return
        self._cycle_began_ns = now - self._into_ns
        before = self.cycles
        self.cycles += done
        for port in self.ports:
            if port.gives:
                port.buffer.put(self.good - self.book.good_before(before))
            else:
                port.buffer.take(done * port.pieces)

    def into_cycle_ns(self) -> int:
        """How far the cycle under way has come, as of the last settlement."""
        return self._into_ns

    def is_executing(self) -> bool:
        """Say whether cycles are running now."""
        return self.state is State.EXECUTE

    def good_ahead(self, cycles: int) -> NDArray[np.int64]:
        """Return how many good pieces each of the next cycles will make, int64[cycles]."""
        return self.book.good_in(self.cycles, cycles)

    def is_making(self) -> bool:
        """Say whether it makes parts, and has for some time, however short."""
        return self.state is State.EXECUTE and int(self._env.now) > self._since_ns

    def wait_for(self) -> None:
        """Stop making parts until the buffer that asks can serve again."""
        self._short = True
        self._rouse()

    def go_on(self) -> None:
        """Look again: a buffer can serve."""
        self._rouse()

    def watch(self, changed: Callable[[Machine], None]) -> None:
        """Call ``changed`` after every change of its state or its power from now on."""
        self._watchers.append(changed)

    # What befalls it from outside.

    def break_down(self, until_ns: int) -> None:
        """Abort now, or stay Aborted, at least until then."""
        self._broken_until_ns = max(self._broken_until_ns, until_ns)
        self._fall()

    def feed(self, power: int) -> None:
        """Have the mains, a battery or nothing from now on; with nothing it aborts, and stays Aborted."""
        self.settle()
        self.power = power
        self._write_down()
        for changed in self._watchers:
            changed(self)
        if power == DARK:
            self._fall()
        elif self._lit is not None:
            self._lit.succeed()
            self._lit = None

    def _fall(self) -> None:
        if self.state not in {State.ABORTING, State.ABORTED} and not self._breaks:
            self._breaks = True
            self._process.interrupt()

    def hold(self, until_ns: int) -> None:
        """Make no parts until then: Held if it is making some, else where it is."""
        self._held_until_ns = max(self._held_until_ns, until_ns)
        self._rouse()

    def leave_alone(self, until_ns: int) -> None:
        """Have no operator until then, for he takes a break; hold if it needs one."""
        self._alone_until_ns = until_ns
        if self.spec.attended:
            self.hold(until_ns)

    def man(self, *, manned: bool) -> None:
        """Have people for it, or none: then it is Stopped as soon as may be, and stays so."""
        self._manned = manned
        self._rouse()

    def spoil(self, factor: float) -> None:
        """Make so many times as many bad pieces as the type says, from the next cycle on."""
        self.settle()
        self.book.spoil(factor, from_cycle=self.cycles + 1)
        for port in self.ports:
            port.buffer.started()

    def ease(self, rate: float) -> None:
        """Fail so many times as often as the type says, bearings apart."""
        for clock in self._stops:
            if clock.stop.becomes == "aborted":
                clock.ease(rate)

    def worn(self) -> tuple[int, int, int]:
        """Return now, how long it has run, and how long its bearing has; exact, whoever settled last."""
        now = int(self._env.now)
        since = now - self._settled_ns if self.state is State.EXECUTE else 0
        return now, self.in_state_ns[State.EXECUTE] + since, self._bearing.age_ns + since if self._bearing else 0

    @property
    def bearing(self) -> BearingLife | None:
        """The bearing that wears, if one is watched."""
        return self._bearing

    def go_without(self) -> None:
        """Make no parts, as ``hold`` does, until ``go_with``: something that it needs is missing; several may be."""
        self._missing += 1
        self._rouse()

    def go_with(self) -> None:
        """End what one ``go_without`` began."""
        self._missing -= 1
        self._rouse()

    def slow_down(self, factor: float) -> None:
        """Take so many times as long for a cycle, beside whatever else slows it, until ``speed_up``."""
        self._slow.append(factor)
        self._change_pace()

    def speed_up(self, factor: float) -> None:
        """End what ``slow_down`` began."""
        self._slow.remove(factor)
        self._change_pace()

    def _change_pace(self) -> None:
        """Go on with the cycle under way from where it is, at another pace."""
        self.settle()
        # Sorted, so that the product does not depend on which of them came first.
        cycle_ns = whole_ms(self.spec.cycle * math.prod(sorted(self._slow)))
        if self._into_ns:
            into_ns = self._into_ns * cycle_ns // self.cycle_ns // MS * MS
            self._into_ns = min(max(into_ns, MS), cycle_ns - MS)
        self.cycle_ns = cycle_ns
        self._write_down()
        for port in self.ports:
            port.buffer.started()

    # How it lives.

    def _life(self) -> Steps:
        while True:
            try:
                if self._breaks:
                    yield from self._abort()
                else:
                    yield from self._days()
            except simpy.Interrupt:
                self._wake = None

    def _abort(self) -> Steps:
        """Break down from whatever it does, and be Stopped once that is over."""
        if int(self._env.now) == self._since_ns:
            yield self._env.timeout(MS)
        self.settle()
        self._disconnect()
        self._breaks = False
        yield from self._pass(State.ABORTING)
        yield from self._rest(State.ABORTED)
        yield from self._whole_again()
        yield from self._pass(State.CLEARING)
        yield from self._rest(State.STOPPED)

    def _whole_again(self) -> Steps:
        while (rest_ns := self._broken_until_ns - int(self._env.now)) > 0 or self.power == DARK:
            if self.power == DARK:
                self._lit = self._env.event()
                yield self._lit
            else:
                yield self._env.timeout(rest_ns)

    def _days(self) -> Steps:
        """From Stopped: work whenever there is a shift."""
        if int(self._env.now) == self._since_ns:
            yield self._env.timeout(LEAST_REST_NS)
        while True:
            while not self._is_open():
                yield from self._maintain() if self._is_due() else self._sleep(self._until_change())
            yield from self._pass(State.RESETTING, State.IDLE)
            yield from self._shift()

    def _shift(self) -> Steps:
        """From Idle until it is Stopped, by the end of the shift or by a fault."""
        while (yield from self._supplied()):
            # Each of these leads to Execute, and is where the machine just waited.
            way = {State.IDLE: State.STARTING, State.HELD: State.UNHOLDING, State.SUSPENDED: State.UNSUSPENDING}
            yield from self._pass(way[self.state])
            if not self._is_open():
                break
            yield from self._execute()
            if self.state is State.STOPPED:
                return
        self._disconnect()
        yield from self._pass(State.STOPPING)
        yield from self._rest(State.STOPPED)

    def _execute(self) -> Steps:
        """Make parts until something happens; end in Held, Suspended or Stopped."""
        self._enter(State.EXECUTE)
        for port in self.ports:
            port.buffer.started()
        strike_ns, stop = self._next_strike()
        ran = 0
        while not self._short and ran < strike_ns and self._is_open():
            rest_ns = strike_ns - ran
            if self._is_held():
                # Not before Execute was seen.
                if ran >= LEAST_REST_NS:
                    break
                rest_ns = min(rest_ns, LEAST_REST_NS - ran)
            yield from self._sleep(min(rest_ns, self._until_change(), self._patience_ns()))
            ran = int(self._env.now) - self._since_ns
        self.settle()
        self._disconnect()
        if self._short:
            yield from self._pass(State.SUSPENDING)
            yield from self._rest(State.SUSPENDED)
        elif ran >= strike_ns:
            yield from self._stop_for(stop)
        elif self._is_open():
            yield from self._pass(State.HOLDING)
            yield from self._rest(State.HELD)
            while self._is_held():
                if self._missing and not self._is_open():
                    break
                yield from self._sleep(self._until_go())
        else:
            yield from self._pass(State.STOPPING)
            yield from self._rest(State.STOPPED)

    def _is_held(self) -> bool:
        return int(self._env.now) < self._held_until_ns or self._missing > 0

    def _until_go(self) -> int:
        """How long it is held at least, as far as is known."""
        return self._until_change() if self._missing else self._held_until_ns - int(self._env.now)

    def _stop_for(self, stop: StopClock | None) -> Steps:
        """Go through a stop, and tell the truth about it."""
        aborts = stop is None or stop.stop.becomes == "aborted"
        kind = "bearing" if stop is None else "breakdown" if aborts else "stop"
        which = self._stops.index(stop) if stop else -1
        happening = Happening(kind, self._place.asset, Cause.ITSELF, int(self._env.now), stop=which)
        self._place.truth.begin(happening)
        try:
            yield from self._be_mended(stop)
        finally:
            # A breakdown from outside may cut it short.
            self._place.truth.end(happening)
        if aborts:
            yield from self._whole_again()
            yield from self._pass(State.CLEARING)
            yield from self._rest(State.STOPPED)

    def _be_mended(self, stop: StopClock | None) -> Steps:
        """Wait for whoever mends a stop, and for the work itself."""
        aborts = stop is None or stop.stop.becomes == "aborted"
        by_crew = stop is None or stop.stop.by == "crew"
        yield from self._pass(State.ABORTING if aborts else State.HOLDING)
        self._enter(State.ABORTED if aborts else State.HELD)
        if stop:
            work_ns = stop.strike()
        else:
            assert self._bearing is not None
            work_ns = self._bearing.replace()
        if by_crew:
            nobody = not self.spec.attended or int(self._env.now) < self._alone_until_ns
            if nobody and self.unnoticed_ns:
                yield self._env.timeout(lognormal_ns(self._rng, self.unnoticed_ns, cv=UNNOTICED_CV))
            yield from self._place.crew.mend(work_ns)
        else:
            if stop and stop.stop.set_up:
                work_ns = whole_ms(work_ns * self.set_up_factor)
            yield self._env.timeout(max(self._alone_until_ns - int(self._env.now), 0) + work_ns)

    def _supplied(self) -> Steps:
        """Wait until all buffers can serve. Return False if the shift ends first."""
        while self._is_open():
            rest_ns = self._until_change()
            if self._is_held():
                rest_ns = min(rest_ns, self._until_go())
            elif self._connect():
                return True
            elif self._is_due():
                return False
            yield from self._sleep(rest_ns)
        return False

    # Planned maintenance.

    def _is_due(self) -> bool:
        return self.upkeep is not None and self.upkeep.is_due(*self.worn())

    def _patience_ns(self) -> int:
        """Return how long it may run on until maintenance can wait no longer."""
        return self.upkeep.patience_ns(*self.worn()) if self.upkeep is not None else LONGEST_LIFE_NS

    def _maintain(self) -> Steps:
        """Have planned work done while it is Stopped."""
        assert self.upkeep is not None
        yield from self._place.crew.mend(self.upkeep.begin(*self.worn()), planned=True)

    def _connect(self) -> bool:
        self._short = False
        for port in self.ports:
            start = port.buffer.start_giving if port.gives else port.buffer.start_taking
            if not start(self, port.pieces):
                for other in self.ports:
                    if other is not port:
                        other.buffer.stop(self)
                return False
        return True

    def _disconnect(self) -> None:
        for port in self.ports:
            port.buffer.stop(self)

    # Time and states.

    def _next_strike(self) -> tuple[int, StopClock | None]:
        """Return the running time to the next stop and which it is; None is the bearing."""
        candidates: list[tuple[int, StopClock | None]] = [(clock.left_ns, clock) for clock in self._stops]
        if self._bearing:
            candidates.append((self._bearing.left_ns, None))
        if not candidates:
            return 10**18, None
        left, stop = min(candidates, key=lambda candidate: candidate[0])
        return max(left, MS), stop

    def _run_clocks(self, from_ns: int, to_ns: int) -> None:
        """Let the time of the state that ends count towards the next stops."""
        for clock in self._stops:
            match clock.stop.clock:
                case "calendar":
                    clock.left_ns -= to_ns - from_ns
                case "shift":
                    calendar = self._place.calendar
                    clock.left_ns -= calendar.open_ns(to_ns) - calendar.open_ns(from_ns)
                case "working":
                    clock.left_ns -= to_ns - from_ns if self.state is State.EXECUTE else 0

    def _is_open(self) -> bool:
        """Say whether it may work: in a shift, with people, and unless maintenance can wait no longer."""
        if not self._manned or not self._place.calendar.is_open(int(self._env.now)):
            return False
        return self._patience_ns() > 0

    def _until_change(self) -> int:
        now = int(self._env.now)
        return self._place.calendar.next_change(now) - now

    def _pass(self, *states: State) -> Steps:
        """Go through passing states, each for its time."""
        for state in states:
            self._enter(state)
            mean_ns = getattr(self.spec.timing, state.name.lower())
            yield self._env.timeout(lognormal_ns(self._rng, mean_ns, cv=PASSING_CV))

    def _rest(self, state: State) -> Steps:
        """Enter a waiting state, and stay long enough for it to be seen even if there is nothing to wait for."""
        self._enter(state)
        yield self._env.timeout(LEAST_REST_NS)

    def _enter(self, state: State) -> None:
        if state not in NEXT[self.state]:
            message = f"{self.spec.name}: {self.state.name} -> {state.name} is no way in PackML"
            raise AssertionError(message)
        self.settle()
        now = int(self._env.now)
        assert now > self._since_ns, "a state of no length could not be shown"
        self._run_clocks(self._since_ns, now)
        self.state, self._since_ns = state, now
        if state is State.EXECUTE and not self._into_ns:
            self._cycle_began_ns = now
        self._write_down()
        for changed in self._watchers:
            changed(self)

    def _write_down(self) -> None:
        bearing = self._bearing
        self._place.record(
            Segment(
                asset=self._place.asset,
                start_ns=int(self._env.now),
                state=self.state,
                cycles=self.cycles,
                into_ns=self._into_ns,
                cycle_ns=self.cycle_ns,
                cycle_began_ns=self._cycle_began_ns,
                bearing_age_ns=bearing.age_ns if bearing else 0,
                bearing_onset_ns=bearing.onset_ns if bearing else 0,
                power=self.power,
            )
        )

    def _sleep(self, ns: int) -> Steps:
        """Sleep that long, or until roused."""
        wake = self._wake = self._env.event()

        def ring(_: simpy.Event) -> None:
            if not wake.triggered:
                wake.succeed()

        alarm = self._env.timeout(ns)
        assert alarm.callbacks is not None
        alarm.callbacks.append(ring)
        yield wake
        self._wake = None

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.triggered:
            self._wake.succeed()
