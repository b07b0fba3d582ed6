"""Permit offices: waiting after Erlang's C formula, office hours, and what a little digital maturity does."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import simpy
from parks import HOUR_NS, MONDAY_NS, SECOND_NS
from services import OFFICE, Seen, services, types_with

from simulator.park.calendar import Calendar
from simulator.park.permits import Office, Paper, office_time
from simulator.scenario.schema import Shifts
from simulator.signals.streams import Stream

ALWAYS = Shifts(hours=("00:00-12:00", "12:00-00:00"))


def erlang_c(load: float, clerks: int) -> float:
    """Return the chance to wait, by the recursion of Erlang's B formula."""
    blocked = 1.0
    for n in range(1, clerks + 1):
        blocked = load * blocked / (n + load * blocked)
    return clerks * blocked / (clerks - load * (1 - blocked))


def papers_of(*, per_hour: float, work_h: float, clerks: int, days: int, seed: int = 1) -> list[Paper]:
    """Return what an office that never closes has done."""
    env = simpy.Environment(initial_time=MONDAY_NS)
    calendar = Calendar(ALWAYS, "Asia/Ho_Chi_Minh", origin_ns=MONDAY_NS)
    done: list[Paper] = []
    Office(
        env,
        calendar,
        between_ns=HOUR_NS / per_hour,
        work_ns=work_h * HOUR_NS,
        clerks=clerks,
        stream=lambda name: Stream(seed, "office", name),
        changed=lambda paper, what: done.append(paper) if what == "done" else None,
    )
    env.run(until=MONDAY_NS + days * 24 * HOUR_NS)
    return done


@pytest.mark.parametrize(("per_hour", "clerks", "tolerance"), [(1.5, 3, 0.12), (6.0, 8, 0.2)])
def test_waiting_follows_erlang_c(per_hour: float, clerks: int, tolerance: float) -> None:
    """Of 40,000 papers from four offices, within four standard errors.

    The mean wait within 12 % at half load and 20 % at three quarters, the chance to wait within half of that, the work
    within 2 %.
    """
    days = round(10_000 / per_hour / 24)
    done = [
        p for seed in range(4) for p in papers_of(per_hour=per_hour, work_h=1.0, clerks=clerks, days=days, seed=seed)
    ]
    waited = np.array([paper.waited_ns for paper in done]) / HOUR_NS
    chance = erlang_c(per_hour, clerks)
    assert (waited > 0).mean() == pytest.approx(chance, rel=tolerance / 2)
    assert waited.mean() == pytest.approx(chance / (clerks - per_hour), rel=tolerance)
    took = np.array([paper.took_ns for paper in done]) / HOUR_NS
    assert (took - waited).mean() == pytest.approx(1.0, rel=0.02)
    assert len(done) == pytest.approx(40_000, rel=0.02)


def test_first_come_first_served() -> None:
    """Nobody is begun before one who came earlier."""
    done = papers_of(per_hour=2.7, work_h=1.0, clerks=3, days=60)
    came = np.array([paper.came_ns for paper in done])
    begun = came + [paper.waited_ns for paper in done]
    assert (np.diff(begun[np.argsort(came)]) >= 0).all()


def test_office_time_stands_still_at_night() -> None:
    """Five hours from Friday 15:00 in an office open 8 to 16 end on Monday at 12:00; weekends do not count."""
    office = Shifts(hours=("08:00-16:00",), days=("mon", "tue", "wed", "thu", "fri"), closed=(date(2025, 3, 18),))
    friday_ns = MONDAY_NS + (4 * 24 + 8) * HOUR_NS  # 2025-03-14 15:00 in Binh Duong
    calendar = Calendar(office, "Asia/Ho_Chi_Minh", origin_ns=MONDAY_NS)
    assert office_time(calendar, friday_ns, 5 * HOUR_NS) == MONDAY_NS + (7 * 24 + 5) * HOUR_NS
    # Tuesday the 18th is a holiday, and from Sunday the clock starts on Monday.
    sunday_ns = friday_ns + 48 * HOUR_NS
    assert office_time(calendar, sunday_ns, 9 * HOUR_NS) == MONDAY_NS + (9 * 24 + 2) * HOUR_NS
    assert office_time(calendar, sunday_ns, 8 * HOUR_NS) == MONDAY_NS + (7 * 24 + 9) * HOUR_NS


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Ten days of the office as shipped."""
    loaded = services(tmp_path_factory.mktemp("office"), OFFICE)
    return Seen(loaded, loaded.types, hours=240, window_s=6 * 3600)


def test_nothing_is_done_outside_office_hours(week: Seen) -> None:
    """Counts rise on weekdays between 7:30 and 17:00 alone; the day's count starts from nothing at midnight."""
    at, done = week.of("permits", "done")
    local_h = (at / HOUR_NS + 7) % 24
    rises = np.flatnonzero(np.diff(done) > 0) + 1
    assert 120 < done[-1] < 240
    assert ((local_h[rises] > 7.5) & (local_h[rises] < 17.02)).all()
    weekday = (at[rises] // HOUR_NS + 7) // 24 % 7  # 1970 began on a Thursday
    assert set(weekday.tolist()).isdisjoint({2, 3})
    today_at, today = week.of("permits", "done_today")
    midnights = np.flatnonzero(np.diff((today_at // HOUR_NS + 7) // 24)) + 1
    assert set(today[midnights]) == {0.0}
    ends = today[midnights - 1]
    assert ends.sum() + today[-1] == done[-1]


def test_what_is_told_fits_together(week: Seen) -> None:
    """Nobody waits while a clerk is free; work takes at least as long as waiting; the share in time is a share."""
    waiting, in_hand = week.of("permits", "waiting")[1], week.of("permits", "in_hand")[1]
    assert in_hand.max() <= 8
    assert (in_hand[waiting > 0] == 8).all()
    share = week.of("permits", "in_time_pct")[1]
    assert share.min() >= 0
    assert share.max() <= 100
    assert week.of("permits", "processing_h")[1].max() > week.of("permits", "waited_h")[1].max()


def test_little_digital_maturity_takes_longer(tmp_path: Path) -> None:
    """At level 0 work takes 1.6 times what it takes at level 5, and more papers wait and are late."""
    loaded = services(tmp_path, OFFICE)
    late = {}
    for level in (0.0, 5.0):
        types = types_with(loaded, "permit-office", maturity=level)
        seen = Seen(loaded, types, hours=24 * 25, window_s=24 * 3600)
        late[level] = 100 - seen.of("permits", "in_time_pct")[1][-1]
        waits = seen.of("permits", "waiting")[1].max()
        late[level] += waits
    assert late[0.0] > late[5.0] + 3


def test_an_outage_stops_new_work(tmp_path: Path) -> None:
    """While its system is out the queue grows, and what is in hand is finished."""
    faults = "  - {kind: breakdown, target: vsip2a/government/permit-office/permits, at: 1h, for: 7h}\n"
    loaded = services(tmp_path, OFFICE, faults=faults)
    seen = Seen(loaded, types_with(loaded, "permit-office", work=20 * 60 * SECOND_NS), hours=10)
    at, waiting = seen.of("permits", "waiting")
    hours = seen.hours(at)
    out = (hours > 1.02) & (hours < 8)
    assert (np.diff(waiting[out]) >= 0).all()
    assert waiting[out][-1] >= 8
    assert seen.of("permits", "in_hand")[1][out][-1] == 0
    assert waiting[hours > 9.9].max() < waiting[out][-1]


def test_erlang_c_itself() -> None:
    """One clerk waits with the load; eight at load 6 with .357."""
    assert erlang_c(0.7, 1) == pytest.approx(0.7)
    terms = [6**n / math.factorial(n) for n in range(8)]
    last = 6**8 / math.factorial(8) * 8 / 2
    assert erlang_c(6.0, 8) == pytest.approx(last / (sum(terms) + last))
