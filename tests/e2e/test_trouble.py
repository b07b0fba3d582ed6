"""The page when things go wrong, and when there is a lot: from a feed that a test fills."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from playwright.sync_api import Browser, Page, expect
from test_result import HEALTHY, result
from web import ABOUT, asset, feed, moment, served

from simulator.batch import Catalog
from simulator.view.feed import Feed
from simulator.view.web.server import PageServer

LATENCY = {"lateness": 1.5, "publish": 20, "broker": 300, "end_to_end": 4000}
FACTORIES = 70
MACHINES = 120
"""In the first factory."""


@contextmanager
def opened(browser: Browser, shown: Feed) -> Iterator[tuple[Page, PageServer]]:
    """A page that shows this feed."""
    with served() as server:
        server.hub.follow(shown)
        context = browser.new_context()
        page = context.new_page()
        page.goto(server.place.url())
        page.wait_for_selector("[data-count=written]")
        yield page, server
        context.close()


def test_loss_and_trouble_are_told_by_shape_and_word_and_said_aloud(chromium: Browser) -> None:
    """An unaccounted message stands out; trouble has a banner, and is announced once it comes and once it is over."""
    shown = feed()
    shown.show(moment(1, states=(6, 6, 6), park={"alarms": 0}))
    with opened(chromium, shown) as (page, _):
        aloud = page.locator("[aria-live] #said-trouble")
        expect(aloud).to_have_text("")
        assert page.locator(".figure.alarm, .banner, .tile.alarm, .figure svg").count() == 0
        lost = replace(HEALTHY, unaccounted=3)
        shown.show(moment(2, trouble="the store is away", counts=lost, park={"alarms": 1}))
        expect(page.locator(".banner.alarm")).to_have_text("Trouble the store is away")
        expect(aloud).to_have_text("Trouble: the store is away")
        expect(page.locator("[aria-live] #said-alarms")).to_have_text("Machines broken down: 1.")
        figure = page.locator(".figure.alarm")
        expect(figure).to_have_text("unaccounted3")
        expect(figure.locator("svg.shape.alarm")).to_have_count(1)
        expect(page.locator(".tile.alarm")).to_contain_text("1 broken down")
        expect(page.locator("section[aria-labelledby=alarms] tbody tr")).to_contain_text("east / two / press-2")
        expect(page.locator("figure .legend .alarm")).to_contain_text("lost 3")
        shown.show(moment(3, counts=lost, park={"alarms": 1}))
        expect(page.locator(".banner.alarm")).to_have_count(0)
        expect(aloud).to_have_text("Trouble is over.")


def test_every_hop_has_its_own_numbers(chromium: Browser) -> None:
    """Counts, rates between two documents, latency, and how many wait before it."""
    counts = replace(
        HEALTHY,
        scheduled=1000,
        published=900,
        acknowledged=700,
        received=600,
        written=300,
        dropped={"late": 40},
        dead_lettered={"not JSON": 20},
        spooled=10,
        in_flight=630,
    )
    before = replace(counts, scheduled=980, published=890, acknowledged=695, received=596, written=298)
    latency = {name: {"p99": ms} for name, ms in LATENCY.items()}
    shown = feed()
    shown.show(moment(10, counts=before, latency_ms=latency))
    with opened(chromium, shown) as (page, _):
        shown.show(moment(12, counts=counts, latency_ms=latency))
        expect(page.locator("[data-count=scheduled]")).to_have_text("1,000")
        assert [" ".join(hop.inner_text().split()) for hop in page.locator(".hop").all()] == [
            "Scheduled 1,000 10/s",
            "Published 900 5/s p99 1.5 ms 60 waiting",
            "Broker 700 3/s p99 20 ms 200 waiting",
            "Bridge 600 2/s p99 300 ms 100 waiting",
            "Written 300 1/s p99 4,000 ms 270 waiting",
        ]
        told = [" ".join(one.inner_text().split()) for one in page.locator(".figure").all()]
        assert told[1:5] == ["dropped 40", "dead-lettered 20", "in flight 630", "in the spool 10"]


def test_a_run_that_failed_says_so(chromium: Browser) -> None:
    """With the exit code, and the verdict in its own language."""
    shown = feed()
    shown.show(moment())
    with opened(chromium, shown) as (page, _):
        shown.end(result(replace(HEALTHY, unaccounted=1), exit_code=107, verdict="1 message is unaccounted for"))
        expect(page.locator("#verdict.alarm")).to_have_text("EXIT 107 1 message is unaccounted for")
        expect(page.locator("#verdict [lang=en]")).to_have_count(1)


def test_names_are_text_and_nothing_else(chromium: Browser) -> None:
    """Whatever a scenario or a broker says runs nothing on the page."""
    evil = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
    shown = Feed(replace(ABOUT, title=evil), Catalog((asset(evil.replace("/", ""), evil, "press"),)), machines=1)
    shown.show(moment(states=(9,), trouble=evil))
    with opened(chromium, shown) as (page, _):
        page.locator(".tile").click()
        page.locator(".machines tbody tr").wait_for()
        expect(page.locator("h1")).to_have_text(evil)
        assert (page.title(), page.locator("#page img").count()) == ("shop · parksim", 0)


def test_a_large_park_is_shown_in_parts(chromium: Browser) -> None:
    """Sixty factories until more are asked for, fifty machines a page, eight rows of OEE."""
    assets = [asset("first", f"line-{n // 4}", f"press-{n}") for n in range(MACHINES)]
    assets += [asset(f"works-{n}", "one", "press") for n in range(1, FACTORIES)]
    shown = Feed(ABOUT, Catalog(tuple(assets)), machines=len(assets))
    shown.show(moment(states=(6,) * len(assets)))
    with opened(chromium, shown) as (page, _):
        tiles = page.locator(".tile")
        expect(tiles).to_have_count(60)
        page.get_by_role("button", name="Show all 70").first.click()
        expect(tiles).to_have_count(FACTORIES)
        expect(page.locator("section[aria-labelledby=oee] tbody tr")).to_have_count(8)
        assert tiles.first.locator(".bar").count() == 24
        tiles.first.click()
        rows = page.locator(".machines tbody tr")
        expect(rows).to_have_count(50)
        expect(page.get_by_role("button", name="Previous")).to_be_disabled()
        for _ in range(2):
            page.get_by_role("button", name="Next").click()
        expect(rows).to_have_count(20)
        expect(page.locator(".pages")).to_contain_text("101 to 120 of 120")
        expect(page.get_by_role("button", name="Next")).to_be_disabled()


def test_before_the_first_figures_it_says_what_is_waited_for(chromium: Browser) -> None:
    """A large park warms up for a while."""
    with served() as server:
        context = chromium.new_context()
        page: Any = context.new_page()
        page.goto(server.place.url())
        expect(page.locator(".banner")).to_contain_text("Waiting for the run")
        shown = feed()
        server.hub.follow(shown)
        shown.show(moment())
        page.wait_for_selector("[data-count=written]")
        context.close()
