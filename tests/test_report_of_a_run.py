"""The report of an ordinary run: its messages, the park, faults with their causes, and what was done by hand."""

from __future__ import annotations

from pathlib import Path

from commands import Parksim, parksim
from parks import CONFIGS
from report_pages import Page
from test_result import result

from simulator.load.report import report_text
from simulator.load.report.charts import charts_of
from simulator.load.report.figures import number
from simulator.load.report.words import in_language
from simulator.results.action import Action
from simulator.results.result import Fault, Park
from simulator.results.result_file import read_result

__all__ = ["parksim"]
UNMEASURED = {"p50": None, "p90": None, "p99": None, "p999": None, "max": None, "count": 0}


def test_a_run_without_load_has_a_report_as_well() -> None:
    """Verdict, latencies, ledger and versions, and how to run it again; no chart over time."""
    page = Page(report_text(result()))
    for said in (
        "shop: PASS",
        "all that was scheduled is in the store",
        "readings written 0.7/s",
        "scheduled 10 40",
        "written 10 40",
        "rows that the store itself counted 10",
        "parksim run shop.yaml --seed 7 --speed 1.0 --for 60s",
    ):
        assert said in page.text
    assert [one.name for one in charts_of(result())] == ["distribution"]
    for absent in ("Search", "Clocks", "Disturbances", "What gave way", "Messages a second"):
        assert absent not in page.text


def test_a_run_that_was_steered_says_so() -> None:
    """What was done, and that the saved timeline repeats it."""
    actions = [
        {"at": "2026-01-05T06:00:10.250+07:00", "do": "fault", "fault": {"kind": "stop", "target": "<b>", "for": "5m"}},
        {"at": "2026-01-05T06:01:00.000+07:00", "do": "speed", "speed": 60.0},
        {"at": "2026-01-05T06:02:00.000+07:00", "do": "pause", "paused_s": 12.5},
    ]
    steered = result().model_copy(update={"actions": tuple(Action.model_validate(one) for one in actions)})
    page = Page(report_text(steered))
    for said in ("kind=stop target=<b> for=5m", "speed 60", "pause 12.5 s", "parksim run shop-timeline.yaml"):
        assert said in page.text
    assert "--speed" not in page.text


def fault(cause: str, **changes: object) -> Fault:
    whole = {"kind": "stop", "target": "<b>", "from": "2026-01-05T06:00:10.250+07:00", "to": None, "cause": cause}
    return Fault.model_validate(whole | changes)


def test_every_fault_is_listed_with_its_cause() -> None:
    """First those that somebody wanted; how many there were of each cause, and how many are not in the result."""
    faults = (
        fault("by itself", to="2026-01-05T06:05:00.000+07:00"),
        fault("consequence", kind="no_air", to="2026-01-05T00:05:00.000+01:00"),
        fault("by itself"),
        fault("scheduled", kind="drift"),
        fault("by hand", kind="slow"),
    )
    page = Page(report_text(result().model_copy(update={"faults": faults, "faults_not_listed": 1_234})))
    for said in (
        "2 by itself; 1 consequence of another; 1 planned in the scenario; 1 by hand; 1,234 more that the result",
        "kind target cause from (+07:00) to",
        "drift <b> planned in the scenario 2026-01-05 06:00:10 not over slow <b> by hand",
        "not over stop <b> by itself 2026-01-05 06:00:10 2026-01-05 06:05:00",
        "no_air <b> consequence of another 2026-01-05 06:00:10 2026-01-05 00:05:00 +01:00",
    ):
        assert said in page.text
    with in_language("vi"):
        assert "drift <b> theo kịch bản" in Page(report_text(result().model_copy(update={"faults": faults}))).text


def test_the_park_is_told_by_site_factory_and_type() -> None:
    """OEE with its factors, pieces, energy and failures, and what the systems of a site add."""
    site = {"pieces_good": 90, "pieces_bad": 1, "energy_kwh": 1.25, "failures": 3, "mtbf_h": 7.5, "mttr_min": 30.0}
    assert result().park is not None
    park = result().park.model_dump() | {
        "oee": {"park": 0.8, "vsip/<b>": 0.7, "vsip/works": None},
        "oee_by_type": {"press": 0.65},
        "sites": {"vsip": site | {"oee": 0.75, "figures": {"solar_kwh": 12.5}}},
    }
    page = Page(report_text(result().model_copy(update={"park": Park.model_validate(park)})))
    for said in (
        "OEE 80.0 % = 90.0 % availability \N{MULTIPLICATION SIGN} 95.0 % effectiveness",
        "99.0 % quality. At the end 2 of 3 machines ran, and 1 had an alarm.",
        "vsip 75.0 % 90 1 1.25 3 7.5 30",
        "vsip solar_kwh 12.5",
        "factory OEE vsip/<b> 70.0 % vsip/works -",
        "OEE by type of machine type OEE press 65.0 %",
        "OEE 80.0 % energy 1.5 kWh",
    ):
        assert said in page.text


def test_what_is_missing_is_shown() -> None:
    """Messages that were refused, numbers that never came, what gateways did, and readings that were left out."""
    waited = {"p50": 1_500.0, "p90": None, "p99": None, "p999": None, "max": 61_000.0, "count": 7}
    whole = result(
        dead_letters=[{"topic": "a/<b>", "reason": "value out of range", "payload": "{" + "x" * 500}],
        gaps=[{"topic": "a/c", "first": 41, "last": 1043}],
        gateways={"kept": 5, "dropped": {"full": 6}, "sent_again": 4, "waited_ms": waited},
        readings={"scheduled": 40, "written": 39, "left_out": 1},
        retries={"bridge: timeout": 2},
        simulated=result().simulated.model_dump() | {"rows_before": 3},
    )
    page = Page(report_text(whole))
    for said in (
        "a/<b> value out of range {xxx",
        "a/c 41 1043",
        "kept at the end 5 dropped: full 6 sent again on purpose 4 left late 7",
        "simulated wait, p50 1.5 s simulated wait, max 61 s",
        "left out, for JSON cannot carry them 1",
        "bridge: timeout 2",
        "written 10 39",
        "rows that the store itself counted 10 of them there before 3",
    ):
        assert said in page.text
    assert "x" * 200 not in page.text
    for absent in (
        "Refused or never received",
        "Gateways",
        "left out",
        "tried again",
        "there before",
        "it can at most",
    ):
        assert absent not in Page(report_text(result())).text


def test_at_full_speed_nothing_is_late() -> None:
    """Which is said in place of a table without figures; a run that measured nothing at another speed has none."""
    nothing = dict.fromkeys(("lateness", "publish", "broker", "end_to_end"), UNMEASURED)
    fast = result(latency_ms=nothing, simulated=result().simulated.model_dump() | {"speed": "max"})
    assert "Latency At full speed nothing is due" in Page(report_text(fast)).text
    assert "Latency" not in Page(report_text(result(latency_ms=nothing))).text
    assert "handed over" not in Page(report_text(fast)).text


def test_the_report_of_a_real_run_says_what_its_result_says(tmp_path: Path, parksim: Parksim) -> None:
    """The quickstart for ten simulated minutes: messages, OEE of each factory, energy of each site, every fault."""
    file = tmp_path / "run.json"
    options = ["--for", "10m", "--speed", "max", "--broker", "memory", "--store", "none", "--view", "none"]
    assert parksim("run", CONFIGS / "quickstart.yaml", *options, "--summary", file).code == 0
    assert parksim("report", file).code == 0
    found, page = read_result(file), Page((tmp_path / "run.html").read_text(encoding="utf-8"))
    assert found.park is not None
    assert found.faults
    said = [found.verdict, f"{found.messages.written:,} of {found.messages.scheduled:,}"]
    said += [f"{name} {oee:.1%}".replace("%", " %") for name, oee in found.park.oee.items() if name != "park" and oee]
    said += [
        f"{site.pieces_good:,} {site.pieces_bad:,} {number(site.energy_kwh)}" for site in found.park.sites.values()
    ]
    said += [f"{one.kind} {one.target} {one.cause} {one.from_[:10]} {one.from_[11:19]}" for one in found.faults]
    assert [one for one in said if one not in page.text] == []
