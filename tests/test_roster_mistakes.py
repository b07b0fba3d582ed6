"""Working times and people that cannot be are told with their place."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenario_texts import load, park, problems

HOURS = 'shifts: {hours: ["06:00-14:00", "14:00-22:00"]}'
CREW = "crew: 2"
PLANT = "sites[0].factories[0]"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            HOURS,
            'shifts: {hours: ["06:00-14:00"], holidays: vietnm}',
            (
                "small.yaml:23:52 {}.shifts.holidays: 'vietnm' is no calendar of holidays; did you mean 'vietnam'?; "
                "known: vietnam"
            ),
        ),
        (
            "name: small",
            "name: small\nstart: 2051-01-01T00:00:00+07:00",
            None,
        ),
        (
            HOURS,
            'shifts: {hours: ["06:00-18:00", "18:00-06:00"]}\n        people: {teams: 3}',
            "small.yaml:24:25 {}.people.teams: two shifts of more than 10 h take 4 teams, but there are 3",
        ),
        (
            HOURS,
            'shifts: {hours: ["06:00-14:00", "14:00-22:00", "22:00-06:00"]}\n        people: {teams: 3}',
            (
                "small.yaml:24:25 {}.people.teams: 3 teams work 56 h a week, 416 h of overtime a year, but the law "
                "allows 300 h, so have more teams, or leave the key out"
            ),
        ),
        (
            HOURS,
            'shifts: {hours: ["06:00-19:00"]}\n        people: {}',
            "small.yaml:23:17 {}.shifts: a shift of 13 h is against the law: 12 h a day at most",
        ),
        (
            HOURS,
            'shifts: {hours: ["06:00-14:00", "14:00-22:00"], days: [mon]}\n        people: {teams: 1}',
            (
                "small.yaml:24:25 {}.people.teams: a team would work 16 h a day, against the law: 12 h at most; "
                "have more teams"
            ),
        ),
        (
            CREW,
            "crew: 2\n        people: {heads: 4, teams: 3}",
            "small.yaml:23:25 {}.people.heads: heads(=4) must be > 6: 3 teams with a repair crew of 2 each",
        ),
        (
            "province: binh-duong",
            "province: binh-duong\n    adoption: {}",
            "small.yaml:20:15 sites[0].adoption: no factory of this site states its `maturity`, so none can adopt more",
        ),
    ],
)
def test_what_cannot_be_is_told_with_its_place(tmp_path: Path, old: str, new: str, told: str | None) -> None:
    """Holidays nobody knows, rotas against the law, too few people, adoption by nobody; other years do no harm."""
    text = park((old, new))
    if told is None:
        assert load(tmp_path, text).scenario.name == "small"
    else:
        assert problems(tmp_path, text) == [told.format(PLANT)]


def test_tet_of_a_year_that_is_not_known(tmp_path: Path) -> None:
    """The years are told; a start at the wall clock is not asked."""
    text = park(("name: small", "name: small\nstart: 2051-01-01T00:00:00+07:00"), (HOURS, "shifts: {tet: {}}"))
    (problem,) = problems(tmp_path, text)
    assert problem == (
        f"small.yaml:24:23 {PLANT}.shifts.tet: holidays are known for 2020 to 2050, but the scenario lives from 2051 "
        "to 2051; write single days under `closed`, or start within these years"
    )


def test_a_pilot_that_is_no_tenant(tmp_path: Path) -> None:
    """The closest name is offered."""
    text = park(("province: binh-duong", "province: binh-duong\n    adoption: {pilots: [plnt]}"))
    (problem,) = problems(tmp_path, text.replace(CREW, "crew: 2\n        maturity: 2"))
    assert problem.startswith("small.yaml:20:25 sites[0].adoption.pilots[0]: 'plnt' is no factory with a maturity here")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ((CREW, "crew: 2\n        maturity: 6"), "small.yaml:23:19 {}.maturity: "),
        ((CREW, "crew: 2\n        people: {skill: 1.5}"), "small.yaml:23:25 {}.people.skill: "),
        (
            (HOURS, "shifts: {tet: {days: 3, before: 3}}"),
            "small.yaml:23:41 {}.shifts.tet.before: before(=3) must be < days(=3)",
        ),
        (
            ("resolution: 0.1, period: 10s", "resolution: 0.1, every: 2, period: 10s"),
            "every(=2): a sensor with a period",
        ),
    ],
)
def test_numbers_out_of_bounds(tmp_path: Path, changes: tuple[str, str], told: str) -> None:
    """Bands, skill, Tet and sampling."""
    (problem,) = problems(tmp_path, park(changes))
    assert told.format(PLANT) in problem
