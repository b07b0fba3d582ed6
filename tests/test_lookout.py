"""What a feed keeps for those who look at single machines, alarms and systems: bounded, and told in pages."""

from __future__ import annotations

import numpy as np
from web import feed, moment

from simulator.batch import Asset, Catalog, Sensor
from simulator.results.snapshot import Latest, Mark, Readings
from simulator.view.alarms import Alarms
from simulator.view.feed import Feed
from simulator.view.lookout import LOOKED_AT_S, MOST_MACHINES, MOST_POINTS, Lookout
from simulator.view.systems import GROUPS, Systems

MS = 1_000_000


def sensor(name: str) -> Sensor:
    return Sensor(name, "1", decimals=1, low=0, high=100, period_ns=1)


def catalog(assets: int, *names: str) -> Catalog:
    """Return assets with sensors of these names each."""
    sensors = tuple(sensor(name) for name in names)
    return Catalog(
        tuple(Asset(("e", "s", "f", "l", f"m{n}"), "kind", {}, n * len(names), sensors, 0) for n in range(assets))
    )


def readings(*rows: tuple[int, int, float]) -> Readings:
    """Return columns of (ms, sensor, value)."""
    time_ms, number, value = zip(*rows, strict=True)
    return Readings(np.array(time_ms, np.int64) * MS, np.array(number, np.int32), np.array(value))


class Watch:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_points_are_kept_of_who_is_asked_for() -> None:
    """By sensor, in milliseconds; of others nothing."""
    lookout = Lookout(catalog(3, "a", "b"), monotonic_s=Watch())
    assert lookout.look_at(1) == [[], []]
    lookout.note([readings((5, 2, 1.5), (6, 3, 2.5), (7, 0, 9.0)), readings((8, 2, 1.6))])
    assert lookout.look_at(1) == [[(5, 1.5), (8, 1.6)], [(6, 2.5)]]
    assert (lookout.looked_at(), lookout.look_at(0)) == ((1,), [[], []])


def test_points_are_bounded_for_each_sensor() -> None:
    """The last ones stay."""
    lookout = Lookout(catalog(1, "a"), monotonic_s=Watch())
    lookout.look_at(0)
    lookout.note([readings(*((n, 0, float(n)) for n in range(2 * MOST_POINTS)))])
    (points,) = lookout.look_at(0)
    assert (len(points), points[0][0], points[-1][0]) == (MOST_POINTS, MOST_POINTS, 2 * MOST_POINTS - 1)


def test_only_so_many_machines_are_looked_at_together() -> None:
    """Those asked for last; what was kept of the others is forgotten."""
    lookout = Lookout(catalog(MOST_MACHINES + 1, "a"), monotonic_s=Watch())
    for asset in range(MOST_MACHINES):
        lookout.look_at(asset)
    lookout.note([readings((1, 0, 1.0), (1, 1, 1.0))])
    lookout.look_at(0)
    lookout.look_at(MOST_MACHINES)
    assert lookout.looked_at() == (0, *range(2, MOST_MACHINES + 1))
    assert lookout.look_at(1) == [[]]


def test_who_does_not_ask_again_is_forgotten() -> None:
    """After half a minute."""
    watch = Watch()
    lookout = Lookout(catalog(2, "a"), monotonic_s=watch)
    lookout.look_at(0)
    lookout.note([readings((1, 0, 1.0))])
    watch.now_s = LOOKED_AT_S
    assert lookout.looked_at() == (0,)
    watch.now_s = LOOKED_AT_S + 0.1
    assert (lookout.looked_at(), lookout.look_at(0)) == ((), [[]])


def test_an_alarm_that_comes_again_is_new() -> None:
    """Since when it was seen first; acknowledged ones come last."""
    alarms = Alarms(catalog(3, "a"))
    alarms.see(bytes((9, 6, 8)), 10.0)
    alarms.see(bytes((9, 9, 9)), 20.0)
    topics = [f"e/s/f/l/m{n}" for n in range(3)]
    assert [(one["topic"], one["since_s"], one["state"]) for one in alarms.latest(2)] == [
        (topics[1], 20.0, 9),
        (topics[0], 10.0, 9),
    ]
    assert [alarms.acknowledge(topic) for topic in (topics[1], "e/s/f/l/m9")] == [True, False]
    assert (alarms.counts(), alarms.latest(9)[-1]["topic"]) == ({"all": 3, "new": 2}, topics[1])
    alarms.see(bytes((6, 6, 9)), 30.0)
    assert not alarms.acknowledge(topics[1])
    alarms.see(bytes((6, 1, 9)), 40.0)
    assert (alarms.latest(1), alarms.counts()) == (
        [{"topic": topics[1], "kind": "kind", "state": 1, "since_s": 40.0, "acknowledged": False}],
        {"all": 2, "new": 2},
    )


def test_systems_are_told_by_group_and_page() -> None:
    """With what they have of its sensors; nothing where nothing was said."""
    names = ("power_kw", "cost_vnd", "strange")
    systems = Systems(catalog(3, *names))
    systems.see(Latest(np.arange(6), np.array([1.5, 200.0, 7.0, np.nan, 300.0, 8.0])))
    page = systems.page("electricity", offset=0, limit=2)
    assert (page["total"], page["sensors"], systems.counts()) == (
        3,
        GROUPS["electricity"],
        {"electricity": 3, "network": 0, "compliance": 0},
    )
    shown = [dict(zip(page["sensors"], one["values"], strict=True)) for one in page["systems"]]
    assert [(one["power_kw"], one["cost_vnd"], one["co2_t"]) for one in shown] == [
        (1.5, 200.0, None),
        (None, 300.0, None),
    ]
    assert systems.page("electricity", offset=2, limit=2)["systems"][0]["values"] == [None] * len(GROUPS["electricity"])


def test_what_is_planned_is_marked_once_it_happens() -> None:
    """A disturbance goes on until its end, and is not there before its beginning."""
    shown = feed()
    shown.planned = (Mark("disturbance", 5.0, 8.0, "cut", "bridge", "planned"),)
    for wall_s, expected in ((4, []), (6, [None]), (9, [8.0])):
        shown.show(moment(wall_s))
        assert [one["to_s"] for one in shown.document()["marks"]] == expected


def test_a_feed_tells_of_one_machine() -> None:
    """Its state and its sensors; a topic that is none has nothing."""
    shown = Feed(feed().about, catalog(2, "a"))
    assert (shown.machine("e/s/f/l/m1") or {})["state"] is None
    shown.show(moment(1, states=(6, 9), readings=(readings((1, 1, 2.0)),)))
    told = shown.machine("e/s/f/l/m1") or {}
    assert (told["state"], told["kind"], told["sensors"][0]["points"]) == (9, "kind", [(1, 2.0)])
    assert (shown.machine("e/s/f/l/m2"), shown.looked_at()) == (None, (1,))
