"""Environmental reporters: means over five minutes, sent late and in order after an outage, held to the limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parks import HOUR_NS, SECOND_NS
from pydantic import ValidationError
from services import RECORDS, WORKS, Seen, services, types_with
from test_wastewater_plant import BROKEN, steady

from simulator.errors import ScenarioError
from simulator.scenario.roles.reporter import Reporter

MINUTE_NS = 60 * SECOND_NS
PARAMETERS = ("flow_in_m3_h", "flow_out_m3_h", "temperature_c", "ph", "tss_mg_l", "cod_mg_l", "nh4_n_mg_l")
RECORDER = "vsip2a/water/water-reporter/records"
LINE = "vsip2a/water/authority-line/line"


def fault(target: str, *, at: str, lasts: str) -> str:
    return f"  - {{kind: breakdown, target: {target}, at: {at}, for: {lasts}}}\n"


def records(seen: Seen) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return when each record came, the beginning of its five minutes in ns, and whether it was late."""
    at, from_s = seen.of("records", "from_s")
    return at, from_s.astype(np.int64) * SECOND_NS, seen.of("records", "late")[1]


def test_a_record_is_the_mean_of_five_minutes(tmp_path: Path) -> None:
    """Each value is the mean of what the analyser showed in its five minutes, sent within a minute of their end."""
    seen = Seen(loaded := services(tmp_path, WORKS + RECORDS), steady(loaded), hours=6)
    at, from_ns, late = records(seen)
    assert np.diff(from_ns).tolist() == [300 * SECOND_NS] * (len(from_ns) - 1)
    assert (len(at), late.sum()) == (71, 0)
    assert ((at - from_ns - 300 * SECOND_NS) < MINUTE_NS).all()
    for name in PARAMETERS:
        shown_at, shown = seen.of("works", name)
        told_at, told = seen.of("records", name)
        assert told_at.tolist() == at.tolist()
        minute = shown_at // MINUTE_NS * MINUTE_NS
        for begins, value in zip(from_ns[1:].tolist(), told[1:].tolist(), strict=True):
            mine = shown[(minute >= begins) & (minute < begins + 300 * SECOND_NS)]
            assert len(mine) == 5
            assert value == pytest.approx(mine.mean(), abs=0.101)
    assert set(seen.of("records", "ph_status")[1]) == {0.0}
    assert seen.of("records", "completeness_pct")[1].min() == 100.0


def test_what_an_analyser_cannot_tell_is_missing_from_the_record(tmp_path: Path) -> None:
    """The record says broken or calibrating instead of a value; completeness is the share of values that are there."""
    loaded = services(tmp_path, WORKS + RECORDS)
    role: Any = loaded.types["wastewater-plant"]
    care = role.role.analysers.model_copy(update={"mtbf": 20 * HOUR_NS, "calibrate_every": 24 * HOUR_NS})
    seen = Seen(loaded, types_with(loaded, "wastewater-plant", analysers=care), hours=24)
    at, from_ns, _ = records(seen)
    valid = 0
    for name in PARAMETERS:
        short = name.removesuffix("_mg_l").removesuffix("_m3_h").removesuffix("_c")
        status_at, status = seen.of("records", f"{short}_status")
        own_at, own = seen.of("works", f"{short}_status")
        told_at = seen.of("records", name)[0]
        assert status_at.tolist() == at.tolist()
        assert told_at.tolist() == at[status == 0].tolist()
        minute = own_at // MINUTE_NS * MINUTE_NS
        for begins, said in zip(from_ns[1:].tolist(), status[1:].tolist(), strict=True):
            mine = own[(minute >= begins) & (minute < begins + 300 * SECOND_NS)]
            # Analysers are read in the middle of minutes, and judged at their beginnings.
            if len(set(mine.tolist())) == 1:
                assert said == mine[0]
        valid += int((status == 0).sum())
    assert valid < 7 * len(at)
    assert seen.of("records", "completeness_pct")[1][-1] == pytest.approx(100 * valid / (7 * len(at)), abs=0.051)


def test_records_wait_for_the_line_and_come_late_in_order(tmp_path: Path) -> None:
    """Half an hour without the line: none is lost, one a minute follows, those more than five minutes old are late."""
    seen = Seen(
        loaded := services(tmp_path, WORKS + RECORDS, faults=fault(LINE, at="2h", lasts="30m")), steady(loaded), hours=4
    )
    at, from_ns, late = records(seen)
    assert np.diff(from_ns).tolist() == [300 * SECOND_NS] * (len(from_ns) - 1)
    age = at // MINUTE_NS * MINUTE_NS - from_ns - 300 * SECOND_NS
    assert (late == (age >= 300 * SECOND_NS)).all()
    assert 5 <= late.sum() <= 8
    hours = seen.hours(at)
    assert not ((hours > 2.02) & (hours < 2.5)).any()
    backlog = at[(hours > 2.5) & (hours < 2.7)]
    assert np.diff(backlog)[:4].tolist() == [MINUTE_NS] * 4
    waiting_at, waiting = seen.of("records", "waiting")
    assert waiting[(seen.hours(waiting_at) > 2.4) & (seen.hours(waiting_at) < 2.5)].max() >= 5
    assert waiting[-1] == 0
    online_at, online = seen.of("records", "online")
    assert set(online[(seen.hours(online_at) > 2.02) & (seen.hours(online_at) < 2.5)]) == {0.0}
    completeness = seen.of("records", "completeness_pct")[1]
    assert completeness.min() < 85
    assert completeness[-1] == 100.0
    assert seen.of("records", "missing")[1].max() == 0


def test_a_record_is_late_from_its_fifth_minute_on(tmp_path: Path) -> None:
    """Ages fall by four minutes from one record that waited to the next; one of just five minutes is late already."""
    ages, lates = [], []
    for minutes in (30, 31, 32, 33):
        loaded = services(tmp_path, WORKS + RECORDS, faults=fault(LINE, at="1h", lasts=f"{minutes}m"))
        at, from_ns, late = records(Seen(loaded, steady(loaded), hours=2))
        ages += ((at // MINUTE_NS * MINUTE_NS - from_ns) // MINUTE_NS - 5).tolist()
        lates += late.tolist()
    assert {0, 1, 4, 5, 6} <= set(ages)
    assert [age >= 5 for age in ages] == [late == 1 for late in lates]


def test_a_value_needs_enough_minutes(tmp_path: Path) -> None:
    """Calibrations of less than two minutes every 31 minutes: one minute always does, all five often are not there."""
    loaded = services(tmp_path, WORKS + RECORDS)
    role: Any = loaded.types["wastewater-plant"]
    often = {"mtbf": 10**17, "calibrate_every": 31 * MINUTE_NS, "calibrate_for": 110 * SECOND_NS}
    care = role.role.analysers.model_copy(update=often)
    valid = {}
    for least in (1, 4, 5):
        types = types_with(loaded, "wastewater-plant", analysers=care)
        types |= {"water-reporter": types_with(loaded, "water-reporter", least_minutes=least)["water-reporter"]}
        status = Seen(loaded, types, hours=12).of("records", "cod_status")[1][1:]
        assert set(status) <= {0.0, 1.0}
        valid[least] = int((status == 0).sum())
    due = 12 * 12 - 2  # the first was made while the plant was starting
    assert valid[1] == due
    # 23 or 24 calibrations spoil one record each at least, two if they lie across a border.
    assert due - 48 <= valid[5] <= due - 23
    assert valid[5] < valid[4] < valid[1]


def test_without_a_line_of_its_own_a_reporter_waits_for_the_gateway(tmp_path: Path) -> None:
    """Half an hour without the gateway that carries its data: it is not online, and catches up afterwards."""
    gateway = "      - {name: gate, type: iot-gateway, serves: [records], area: water}\n"
    systems = WORKS + RECORDS.splitlines(keepends=True)[0] + gateway
    outage = fault("vsip2a/water/iot-gateway/gate", at="2h", lasts="30m")
    seen = Seen(loaded := services(tmp_path, systems, faults=outage), steady(loaded), hours=4)
    at, from_ns, late = records(seen)
    assert np.diff(from_ns).tolist() == [300 * SECOND_NS] * (len(from_ns) - 1)
    assert late.sum() >= 5
    assert not ((seen.hours(at) > 2.02) & (seen.hours(at) < 2.5)).any()


def test_what_cannot_wait_is_lost_and_counted(tmp_path: Path) -> None:
    """With room for three records, an hour without the line loses the oldest nine or so; completeness stays down."""
    loaded = services(tmp_path, WORKS + RECORDS, faults=fault(LINE, at="2h", lasts="1h"))
    types = steady(loaded) | {"water-reporter": types_with(loaded, "water-reporter", keeps=3)["water-reporter"]}
    seen = Seen(loaded, types, hours=4)
    _, from_ns, _ = records(seen)
    lost = (np.diff(from_ns) // (300 * SECOND_NS) - 1).sum()
    assert 8 <= lost <= 10
    assert seen.of("records", "missing")[1][-1] == lost
    due = len(from_ns) + lost
    assert seen.of("records", "completeness_pct")[1][-1] == pytest.approx(100 * len(from_ns) / due, abs=0.3)


def test_a_reporter_that_is_out_makes_no_records(tmp_path: Path) -> None:
    """An hour broken: twelve records never are, and nothing comes late."""
    loaded = services(tmp_path, WORKS + RECORDS, faults=fault(RECORDER, at="2h", lasts="1h"))
    seen = Seen(loaded, steady(loaded), hours=4)
    _, from_ns, late = records(seen)
    assert 12 <= (np.diff(from_ns) // (300 * SECOND_NS) - 1).sum() <= 13
    assert seen.of("records", "missing")[1][-1] in {12.0, 13.0}
    assert late.sum() == 0


def test_exceedances_are_counted_against_the_permit(tmp_path: Path) -> None:
    """Column B, Kq .9, Kf 1.1: NH4-N above 9.9 mg/L breaks it, from 8.64 h after the blowers have failed."""
    seen = Seen(loaded := services(tmp_path, WORKS + RECORDS, faults=BROKEN), steady(loaded), hours=72)
    at, told = seen.of("records", "nh4_n_mg_l")
    broken = told > 9.9
    assert 100 < broken.sum() < len(told) / 2
    assert (seen.of("records", "exceeded")[1] >= broken).all()
    # COD breaks 148.5 too, later; nothing else comes near its limit.
    cod = seen.of("records", "cod_mg_l")[1] > 148.5
    assert (seen.of("records", "exceeded")[1] == broken.astype(int) + cod).all()
    assert seen.of("records", "exceedances")[1][-1] == broken.sum() + cod.sum()
    checked = 5 * len(told)  # temperature, pH, TSS, COD and NH4-N have limits, flows have none
    share = 100 * (1 - (broken.sum() + cod.sum()) / checked)
    assert seen.of("records", "compliance_pct")[1][-1] == pytest.approx(share, abs=0.006)
    assert seen.hours(at[broken])[0] == pytest.approx(6 + 8.64, abs=0.15)
    devices = seen.world.park.surroundings.devices.values()
    (device,) = [one for one in devices if "water_compliance" in {figure.name for figure in one.figures}]
    assert device.values("water_compliance", np.array([seen.until_ns - 1])) == pytest.approx(share, abs=0.006)


def test_no_limit_is_never_compliance(tmp_path: Path) -> None:
    """Against the edition of 2025, whose table was not read, nothing is checked, and no share is told."""
    loaded = services(tmp_path, WORKS + RECORDS)
    types = steady(loaded) | {"water-reporter": types_with(loaded, "water-reporter", edition=2025)["water-reporter"]}
    seen = Seen(loaded, types, hours=2)
    assert len(seen.of("records", "compliance_pct")[1]) == 0
    assert len(seen.of("records", "from_s")[1]) == 23


def test_without_an_edition_the_one_in_force_counts(tmp_path: Path) -> None:
    """In June 2026 that is the one of 2025, without limits."""
    loaded = services(tmp_path, WORKS + RECORDS)
    types = steady(loaded) | {"water-reporter": types_with(loaded, "water-reporter", edition=None)["water-reporter"]}
    assert len(Seen(loaded, types, hours=2).of("records", "compliance_pct")[1]) == 0


OTHER = "      - {name: other, type: wastewater-plant}\n"
PAIR = "      - {name: pair, type: wastewater-plant, count: 2}\n"


@pytest.mark.parametrize(
    ("served", "more", "told"),
    [
        ("mains", "", "'mains' analyses nothing that a water-reporter reports: flow_in_m3_h"),
        ("", "", "nobody named here analyses ph, which a water-reporter reports; name 'works'"),
        ("works, other", OTHER, "ph would come from 'works' and from 'other'; name one of them"),
        ("pair", PAIR, "'pair' stands for 2 systems; a water-reporter reports on one"),
    ],
)
def test_a_reporter_without_its_sources_is_told_with_its_place(
    tmp_path: Path, served: str, more: str, told: str
) -> None:
    """Who analyses nothing, nobody, two, or several of a name: file, line and column, and what would do."""
    with pytest.raises(ScenarioError) as refused:
        services(tmp_path, WORKS + RECORDS.replace("serves: [works]", f"serves: [{served}]") + more)
    assert told in str(refused.value)
    assert all("services.yaml:" in problem for problem in refused.value.problems)


def test_a_boiler_is_reported_on_too(tmp_path: Path) -> None:
    """Dust, SO2, NOx and CO of its stack, by the names of the limits, within them."""
    boiler = """\
      - {name: boiler, type: steam-boiler}
      - {name: stack, type: stack-reporter, serves: [boiler]}
"""
    loaded = services(tmp_path, boiler)
    seen = Seen(loaded, loaded.types, hours=3)
    assert len(seen.of("stack", "from_s")[0]) == 35
    for name in ("dust", "so2", "nox", "co"):
        told = seen.of("stack", f"{name}_mg_nm3")[1]
        (shown_name,) = [one.name for one in loaded.types["steam-boiler"].sensors if one.name.startswith(f"{name}_")]
        shown = seen.of("boiler", shown_name)[1]
        assert len(told) == 35
        assert told.mean() == pytest.approx(shown.mean(), rel=0.15)
        assert set(seen.of("stack", f"{name}_status")[1]) == {0.0}
    assert seen.of("stack", "compliance_pct")[1][-1] == 100.0
    devices = seen.world.park.surroundings.devices.values()
    assert [one.figures[0].name for one in devices if one.figures] == ["air_compliance"]


def test_a_parameter_is_reported_once() -> None:
    """Twice the same would be two fields of a name."""
    with pytest.raises(ValidationError, match="parameters: one is there twice"):
        Reporter(kind="reporter", medium="water", parameters=("ph", "ph"), standard="qcvn-40")
