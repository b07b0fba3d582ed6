"""Limits of water and air: the published numbers, the factors of a permit, and nothing ok that is not known to be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from simulator.errors import ScenarioError
from simulator.scenario.limits import Bounds, Finding, Permit, edition_in_force
from simulator.scenario.rulebook import load_edition, shipped_edition, shipped_editions

WATER = shipped_edition("qcvn-40-2011")
AIR = shipped_edition("qcvn-19-2009")
UNSCALED = {"kq": 1.0, "kf": 1.0}


def findings(permit: Permit, parameter: str, *values: float) -> list[str]:
    return [Finding(one).words for one in permit.exceedances(parameter, np.array(values))]


@pytest.mark.parametrize(
    ("parameter", "a", "b"),
    [
        ("ph", (6, 9), (5.5, 9)),
        ("temperature_c", (None, 40), (None, 40)),
        ("bod5_mg_l", (None, 30), (None, 50)),
        ("cod_mg_l", (None, 75), (None, 150)),
        ("tss_mg_l", (None, 50), (None, 100)),
        ("nh4_n_mg_l", (None, 5), (None, 10)),
        ("total_n_mg_l", (None, 20), (None, 40)),
        ("total_p_mg_l", (None, 4), (None, 6)),
    ],
)
def test_limits_of_qcvn_40_2011(parameter: str, a: tuple[float | None, float], b: tuple[float | None, float]) -> None:
    """Columns A and B as they are printed."""
    for column, (low, high) in (("A", a), ("B", b)):
        assert Permit(WATER, column, UNSCALED).bounds(parameter) == Bounds(low=low, high=high)


@pytest.mark.parametrize(
    ("parameter", "high"), [("dust_mg_nm3", 200), ("so2_mg_nm3", 500), ("nox_mg_nm3", 850), ("co_mg_nm3", 1000)]
)
def test_limits_of_qcvn_19_2009(parameter: str, high: float) -> None:
    """Column B, unscaled."""
    assert Permit(AIR, "B", {"kp": 1.0, "kv": 1.0}).bounds(parameter) == Bounds(high=high)


def test_a_permit_scales_concentrations_and_nothing_else() -> None:
    """Column B with Kq .9 and Kf 1.1, one park's permit: COD 148.5 and NH4-N 9.9 mg/L; pH and temperature stay."""
    permit = Permit(WATER, "B", {"kq": 0.9, "kf": 1.1})
    highs = [permit.bounds(name).high for name in ("cod_mg_l", "nh4_n_mg_l", "ph", "temperature_c")]
    assert highs == pytest.approx([148.5, 9.9, 9.0, 40.0])
    assert permit.bounds("ph").low == 5.5


def test_a_value_on_the_limit_is_allowed() -> None:
    """The limit is the greatest value allowed; pH has two; a NaN is no value."""
    permit = Permit(WATER, "B", UNSCALED)
    assert findings(permit, "cod_mg_l", 150.0, 150.01, 0.0, np.nan) == ["ok", "exceeded", "ok", "no value"]
    assert findings(permit, "ph", 5.49, 5.5, 9.0, 9.01) == ["exceeded", "ok", "ok", "exceeded"]


@pytest.mark.parametrize("name", ["qcvn-40-2025", "qcvn-19-2024"])
def test_an_edition_that_was_not_entered_passes_nothing(name: str) -> None:
    """Whatever the value, no limit is known."""
    permit = Permit(shipped_edition(name), "B", {"kq": 0.9, "kf": 1.1})
    for parameter in ("cod_mg_l", "dust_mg_nm3"):
        assert findings(permit, parameter, 0.0, 1e9, np.nan) == ["no limit known"] * 3


def test_a_parameter_without_a_limit_passes_nothing() -> None:
    """Neither one that the table does not know, nor one that the column does not."""
    assert findings(Permit(WATER, "A", UNSCALED), "mercury_mg_l", 0.0) == ["no limit known"]


@pytest.mark.parametrize(
    ("each", "overall"),
    [
        ([Finding.OK, Finding.EXCEEDED, Finding.NO_LIMIT], Finding.EXCEEDED),
        ([Finding.OK, Finding.NO_LIMIT, Finding.NO_VALUE], Finding.NO_LIMIT),
        ([Finding.OK, Finding.NO_VALUE], Finding.OK),
        ([Finding.NO_VALUE], Finding.NO_VALUE),
        ([], Finding.NO_VALUE),
    ],
)
def test_many_findings_make_one(each: list[Finding], overall: Finding) -> None:
    """One excess is enough, what has no limit is not ok, and nothing is ok without a value."""
    assert Finding.overall(np.array(each, dtype=np.int8)) is overall


@pytest.mark.parametrize(
    ("standard", "day", "year"),
    [
        ("qcvn-40", date(2025, 8, 31), 2011),
        ("qcvn-40", date(2025, 9, 1), 2025),
        ("qcvn-19", date(2025, 6, 30), 2009),
        ("qcvn-19", date(2025, 7, 1), 2024),
    ],
)
def test_the_newest_edition_in_force_holds(standard: str, day: date, year: int) -> None:
    """From its first day on."""
    assert edition_in_force(shipped_editions(), standard, day).edition == year


def test_no_edition_no_check() -> None:
    """Before the first edition, and for a regulation that is not known, the answer is an error that says so."""
    with pytest.raises(ScenarioError, match="the first one known begins on 2012-02-15"):
        edition_in_force(shipped_editions(), "qcvn-40", date(2012, 2, 14))
    with pytest.raises(ScenarioError, match="qcvn-99: no edition is in force on 2026-01-01; no edition is known"):
        edition_in_force(shipped_editions(), "qcvn-99", date(2026, 1, 1))


def test_a_permit_must_fit_its_edition() -> None:
    """A factor that is missing, and a column that is not there, are refused with what to do."""
    with pytest.raises(ScenarioError, match="qcvn-40-2011 scales its limits by kf; give a value, 1 for no change"):
        Permit(WATER, "B", {"kq": 0.9})
    with pytest.raises(ScenarioError, match="qcvn-40-2011 has no column 'C'; use A or B"):
        Permit(WATER, "C", UNSCALED)


def test_every_edition_is_named_after_its_file() -> None:
    """What a scenario refers to is what the file says it is."""
    for edition in shipped_editions():
        assert shipped_edition(f"{edition.standard}-{edition.edition}") is edition


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("{parameter: cod_mg_l, unit: mg/L, columns: {A: {}}}", "low and high are both missing"),
        ("{parameter: cod_mg_l, unit: mg/L, columns: {A: {low: 9, high: 6}}}", "low(=9) must be less than high(=6)"),
        ("{parameter: COD, unit: mg/L, columns: {A: {high: 1}}}", "'COD' is no name"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, limit: str, said: str) -> None:
    """A table of one's own that cannot be meant is refused with file, line and reason."""
    file = tmp_path / "mine.yaml"
    head = "standard: mine\nedition: 2026\ntitle: Mine\neffective_from: 2026-01-01\nsource: me\n"
    file.write_text(f"{head}limits:\n  - {limit}\n")
    with pytest.raises(ScenarioError) as refusal:
        load_edition(file)
    assert said in str(refusal.value)
    assert "mine.yaml:7:" in str(refusal.value)


def test_a_parameter_stands_once(tmp_path: Path) -> None:
    """Two entries for one parameter would hide one of them."""
    file = tmp_path / "mine.yaml"
    limit = "  - {parameter: cod_mg_l, unit: mg/L, columns: {A: {high: 1}}}\n"
    head = "standard: mine\nedition: 2026\ntitle: Mine\neffective_from: 2026-01-01\nsource: me\n"
    file.write_text(f"{head}limits:\n{limit}{limit}")
    with pytest.raises(ScenarioError, match="cod_mg_l is there twice"):
        load_edition(file)
