"""The feed: what pages, terminals and Prometheus read of a run, and what becomes of it in the end."""

from __future__ import annotations

from dataclasses import replace

from test_result import HEALTHY, result
from web import feed, moment

from simulator.view.feed import MOST_POINTS, SCHEMA


def test_a_document_tells_of_run_messages_and_factories() -> None:
    """Factories come with their lines, and how many machines of each run or are broken down."""
    shown = feed()
    shown.show(moment(10))
    document = shown.document()
    assert (document["schema"], document["number"], document["run"]["wall_s"]) == (SCHEMA, 1, 10)
    east, west = document["factories"]
    assert (east["name"], east["machines"], east["running"], east["alarms"]) == ("site/east", 2, 1, 1)
    assert [(line["name"], line["running"], line["alarms"]) for line in east["lines"]] == [("one", 1, 0), ("two", 0, 1)]
    assert (west["running"], west["alarms"], west["oee"]) == (0, 0, None)
    assert document["messages"] == HEALTHY.messages()


def test_rates_are_those_since_the_snapshot_before() -> None:
    """Per second of wall time."""
    shown = feed()
    shown.show(moment(10))
    shown.show(moment(12, counts=replace(HEALTHY, published=HEALTHY.published + 20)))
    assert shown.document()["rates"]["published_per_s"] == 10


def test_whoever_waits_gets_what_is_newer_and_nothing_else() -> None:
    """None when nothing came in time."""
    shown = feed()
    assert shown.wait(0, 0) is None
    shown.show(moment())
    assert (shown.wait(0, 0) or {})["number"] == 1
    assert shown.wait(1, 0) is None


def test_the_history_stays_bounded_and_keeps_its_beginning() -> None:
    """A long run is told more coarsely, in even steps."""
    shown = feed()
    for second in range(1, 3 * MOST_POINTS):
        shown.show(moment(second))
    walls = [point["wall_s"] or 0 for point in shown.points()]
    assert MOST_POINTS / 4 < len(walls) <= MOST_POINTS
    assert walls[0] < 10
    assert walls[-1] > 3 * MOST_POINTS - 10


def test_machines_come_by_factory_and_page() -> None:
    """The total says how many there are."""
    shown = feed()
    shown.show(moment())
    page = shown.machines_of("site/east", offset=1, limit=1)
    assert (page["total"], page["machines"]) == (
        2,
        [{"topic": "plant/site/east/two/press-2", "kind": "press", "line": "two", "cell": "press-2", "state": 9}],
    )
    assert shown.alarms() == [{"topic": "plant/site/east/two/press-2", "kind": "press", "state": 9}]


def test_in_the_end_the_document_has_the_numbers_of_the_result() -> None:
    """Counts, latencies, park and verdict; the factories stay as they were last seen."""
    shown = feed()
    shown.show(moment(states=(6, 6, 6), trouble="the store is away"))
    seen = shown.document()
    shown.end(result())
    last, told = shown.document(), result().document()
    assert last["messages"] == told["messages"]
    assert last["latency_ms"] == told["latency_ms"]
    assert (last["park"]["oee"], last["park"]["pieces_good"]) == (0.8, 99)
    assert last["factories"] == seen["factories"]
    run = last["run"]
    assert (run["over"], run["verdict"], run["exit_code"], run["trouble"]) == (True, told["verdict"], 0, None)
    assert (run["simulated_s"], last["number"]) == (60, 2)


def test_a_run_that_is_over_before_anybody_looked_has_a_whole_document() -> None:
    """With all that a page draws; no machine is known to do anything."""
    shown, seen = feed(), feed()
    seen.show(moment())
    shown.end(result())
    seen.end(result())
    assert shown.document().keys() == seen.document().keys()
    assert shown.document()["messages"] == result().document()["messages"]
    assert shown.document()["run"].keys() == seen.document()["run"].keys()
