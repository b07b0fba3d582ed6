"""What is done to a run by click is in its truth, on its charts and in the saved timeline, which repeats it."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import WAIT_MS, Run, opened, run
from commands import Parksim, parksim
from playwright.sync_api import Browser, Page, expect

from simulator.errors import ExitCode
from simulator.scenario.fault import CODES, Cause
from simulator.scenario.fault_catalogue import fault_kinds

__all__ = ["parksim"]
STRIKES = {one["kind"]: one["strikes"] for one in fault_kinds()}
PRESS = "vsip2a/wiring-devices/moulding/press-2"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run that goes on for as long as the tests of this module look at it."""
    with run(tmp_path_factory.mktemp("run"), "--for", "1h") as found:
        yield found


def begin(page: Page, kind: str, target: str, lasts: str, **numbers: str) -> None:
    """Fill in the form of a fault, and begin it."""
    form = page.locator("#fault")
    form.locator("select[name=kind]").select_option(kind)
    # what is chosen is written out first, over which the test writes
    steps = 4 if STRIKES[kind] == "sensor" else 3
    expect(form.locator("input[name=target]")).to_have_value(
        re.compile(rf"^[^/]+(/[^/]+){{{steps}}}$"), timeout=WAIT_MS
    )
    form.locator("input[name=target]").fill(target)
    form.locator("input[name=for]").fill(lasts)
    for name, value in numbers.items():
        form.locator(f"input[name={name}]").fill(value)
    form.locator("button.main").click()


def rows(file: Path) -> list[str]:
    """Everything that a database holds, but for which run wrote it."""
    with sqlite3.connect(file) as db:
        topics = dict(db.execute("SELECT id, topic FROM assets"))
        kinds = [kind for (kind,) in db.execute("SELECT DISTINCT kind FROM assets ORDER BY kind")]
        found = []
        for kind in kinds:
            cursor = db.execute(f'SELECT * FROM "{kind}"')
            names = [one[0] for one in cursor.description]
            for row in cursor:
                values = dict(zip(names, row, strict=True))
                topic, _ = topics[values.pop("asset")], values.pop("run_id")
                found.append(f"{kind} {topic} {json.dumps(values, sort_keys=True)}")
    return sorted(found)


def test_a_fault_by_click_is_in_the_truth_on_the_charts_and_in_the_timeline_that_repeats_it(
    chromium: Browser, parksim: Parksim, tmp_path: Path
) -> None:
    """With a pause and another speed between: the repetition has the same rows, and verify finds them as well."""
    timeline, live, again = tmp_path / "timeline.yaml", tmp_path / "live.db", tmp_path / "again.db"
    arguments = ("--for", "10h", "--speed", "4", "--save-timeline", str(timeline))
    with run(tmp_path, *arguments, store=f"sqlite:{live}") as watched, opened(chromium, watched.url) as shown:
        page = shown.page
        begin(page, "breakdown", PRESS, "20s")
        expect(page.locator("#acts li")).to_have_count(1, timeout=WAIT_MS)
        expect(page.locator("#marks + ul li").first).to_contain_text(f"breakdown {PRESS} by hand")
        begin(page, "drift", "vsip2a/wiring-devices/moulding/press-*/oil_c", "30s", per_hour="900")
        expect(page.locator("#acts li")).not_to_have_count(1, timeout=WAIT_MS)
        page.locator("#pause").click()
        expect(page.locator("#pace")).to_have_text("paused", timeout=WAIT_MS)
        begin(page, "stop", "vsip2a/wiring-devices/moulding/press-4", "10s")
        expect(page.locator("#answer")).to_have_text("Ordered; it holds from the next moment that is made.")
        page.locator("#pause").click()
        expect(page.locator("#pace")).to_have_text("speed 4", timeout=WAIT_MS)
        page.locator("input[name=speed]").fill("20")
        page.locator("form:has(input[name=speed]) button").click()
        expect(page.locator("#pace")).to_have_text("speed 20", timeout=WAIT_MS)
        assert shown.complaints == []
        watched.process.send_signal(signal.SIGINT)
        result = watched.ended()
    assert [one["do"] for one in result["actions"]] == ["fault", "fault", "pause", "fault", "speed"]
    assert (result["exit_code"], result["messages"]["unaccounted"]) == (ExitCode.INTERRUPTED, 0)
    by_hand = [one for one in result["faults"] if one["cause"] == "by hand"]
    assert {one["kind"] for one in by_hand} == {"breakdown", "drift", "stop"}
    with sqlite3.connect(live) as db:
        told = db.execute(
            "SELECT fault, active, cause FROM truth JOIN assets ON assets.id = asset WHERE topic LIKE ?",
            (f"%{PRESS}/_truth",),
        ).fetchall()
    assert (CODES["breakdown"], 1, Cause.HAND) in told
    ended = parksim(
        "run", timeline, "--speed", "max", "--broker", "memory", "--store", f"sqlite:{again}", "--view", "none"
    )
    assert ended.code == 0
    assert rows(again) == rows(live)
    assert len(rows(live)) == result["messages"]["written"] > 100
    verified = parksim("verify", watched.summary, "--store", f"sqlite:{live}")
    assert (verified.code, json.loads(verified.out)["missing"]) == (0, 0)


def test_what_cannot_be_is_refused_with_what_is_wrong(chromium: Browser, running: Run) -> None:
    """The sentence of the command line; a browser complains of the answer, and of nothing else."""
    with opened(chromium, running.url) as shown:
        begin(shown.page, "drift", f"{PRESS}/nothing", "10s", per_hour="1")
        expect(shown.page.locator("#answer.said")).to_contain_text("'nothing' is no sensor of")
        begin(shown.page, "breakdown", PRESS, "soon")
        expect(shown.page.locator("#answer.said")).to_contain_text("for: ")
        assert all("400" in one for one in shown.complaints)


def test_a_target_is_chosen_or_written(chromium: Browser, running: Run) -> None:
    """What is chosen is written out; what is written stays, a key at a time, until something is chosen."""
    with opened(chromium, running.url) as shown:
        form = shown.page.locator("#fault")
        target = form.locator("input[name=target]")
        expect(target).to_have_value("vsip2a/wiring-devices/moulding/press-1", timeout=WAIT_MS)
        form.locator("select[name=machine]").select_option("binh-duong/vsip2a/wiring-devices/moulding/press-5")
        expect(target).to_have_value("vsip2a/wiring-devices/moulding/press-5")
        target.press("End")
        target.press("Backspace")
        target.press_sequentially("*")
        expect(target).to_have_value("vsip2a/wiring-devices/moulding/press-*")
        form.locator("select[name=kind]").select_option("gap")
        expect(target).to_have_value("vsip2a/wiring-devices/moulding/press-5/power_kw")
        form.locator("select[name=sensor]").select_option("oil_c")
        expect(target).to_have_value("vsip2a/wiring-devices/moulding/press-5/oil_c")


def test_a_machine_shows_its_sensors(chromium: Browser, running: Run) -> None:
    """Opened from the map by keyboard, it has a place in the address, and charts once there are two readings."""
    with opened(chromium, running.url) as shown:
        page = shown.page
        page.locator(".tile").first.click()
        page.locator(".machines .link").first.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#one-machine")).to_be_focused()
        expect(page.locator(".sensor .plot canvas").first).to_be_visible(timeout=WAIT_MS)
        assert "#machine=" in page.url
        page.reload()
        expect(page.locator("#one-machine")).to_have_text("vsip2a / wiring-devices / moulding / press-1")
        page.locator(".drawer .close").click()
        expect(page.locator("#one-machine")).to_have_count(0)
        assert shown.complaints == []


def test_an_alarm_is_acknowledged_for_all_who_look(chromium: Browser, running: Run) -> None:
    """The button goes, here and on another page."""
    with opened(chromium, running.url) as shown, opened(chromium, running.url) as other:
        begin(shown.page, "breakdown", "vsip2a/wiring-devices/moulding/press-6", "30m")
        for page in (shown.page, other.page):
            row = page.locator("section[aria-labelledby=alarms] tr", has_text="press-6")
            expect(row).to_be_visible(timeout=WAIT_MS)
        shown.page.locator("tr", has_text="press-6").get_by_role("button", name="Acknowledge").click()
        for page in (shown.page, other.page):
            row = page.locator("section[aria-labelledby=alarms] tr", has_text="press-6")
            expect(row).to_contain_text("acknowledged", timeout=WAIT_MS)
