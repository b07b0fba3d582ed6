"""What Prometheus gets: the figures of the latest document, under the names that docs/watching.md lists."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from test_result import HEALTHY
from web import Browser, feed, moment

from simulator.view.feed import Feed
from simulator.view.web.address import Place
from simulator.view.web.hub import Hub
from simulator.view.web.routes import application

GUIDE = Path(__file__).parent.parent / "docs" / "watching.md"
LATENCY = {"p50": 1.5, "p90": 2.0, "p99": 250.0, "p999": None, "p9999": None, "max": 300.0, "count": 8}
PARK = {"oee": 0.6, "availability": 0.8, "effectiveness": 0.75, "quality": 1.0, "alarms": 1}


def scraped(shown: Feed | None, **headers: str) -> tuple[str, str]:
    """What is answered, and its type."""
    hub = Hub()
    if shown is not None:
        hub.follow(shown)
    place = Place("127.0.0.1", "127.0.0.1", 8080)
    answer = Browser(application(hub, place, "en"), "127.0.0.1:8080").get("/metrics", headers=headers)
    return answer.text, answer.headers["content-type"]


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Name and label values to value."""
    return {
        (sample.name, *(sample.labels[key] for key in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def busy() -> Feed:
    """A feed in which something of everything has happened."""
    counts = replace(
        HEALTHY, dropped={"late": 2}, dead_lettered={"not JSON": 1}, unaccounted=3, in_flight=4, spooled=5, duplicates=6
    )
    shown = feed()
    shown.show(moment(counts=counts, park=PARK, latency_ms={"end_to_end": LATENCY}, trouble="the store is away"))
    return shown


def test_figures_are_those_of_the_document() -> None:
    """Messages by hop, what is missing, latencies in seconds, machines by state."""
    shown = busy()
    found = samples(scraped(shown)[0])
    messages = shown.document()["messages"]
    for hop in ("scheduled", "published", "acknowledged", "received", "written"):
        assert found["parksim_messages_total", hop] == messages[hop]
    assert found["parksim_unaccounted_messages",] == 3
    assert found["parksim_dropped_messages_total", "late"] == 2
    assert found["parksim_dead_lettered_messages_total", "not JSON"] == 1
    assert (found["parksim_in_flight_messages",], found["parksim_spooled_messages",]) == (4, 5)
    assert found["parksim_latency_seconds", "end_to_end", "0.99"] == 0.25
    assert found["parksim_latency_seconds_count", "end_to_end"] == 8
    assert ("parksim_latency_seconds", "end_to_end", "0.999") not in found
    assert found["parksim_park_oee",] == shown.document()["park"]["oee"]
    east = [found["parksim_machines", "site/east", state] for state in ("running", "alarm", "other")]
    assert east == [1, 1, 0]
    assert found["parksim_factory_oee", "site/east"] == 0.7
    assert found["parksim_site_energy_kilowatt_hours_total", "site"] == 1.5
    assert (found["parksim_run_trouble",], found["parksim_run_over",]) == (1, 0)


def test_before_the_run_there_is_nothing_and_no_error() -> None:
    """A server that is scraped while the park warms up, and one that has not shown anything yet."""
    assert [samples(scraped(shown)[0]) for shown in (None, feed())] == [{}, {}]


def test_the_format_is_what_was_asked_for() -> None:
    """OpenMetrics for who takes it, else the older text."""
    assert scraped(busy())[1].startswith("text/plain; version=")
    text, kind = scraped(busy(), accept="application/openmetrics-text; version=1.0.0")
    assert (kind.startswith("application/openmetrics-text"), text.endswith("# EOF\n")) == (True, True)


def test_every_name_is_documented_and_none_else() -> None:
    """The table in docs/watching.md lists what is there."""
    listed = set(re.findall(r"^\| `(parksim_\w+)", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE))
    found = {name for name, *_ in samples(scraped(busy())[0])} - {"parksim_latency_seconds_count"}
    assert listed == found
