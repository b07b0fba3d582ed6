"""Names, machine types, buffers and shifts of a scenario fit together, or the place that does not is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenario_texts import load, park, pointed, problems

from simulator.scenario.checks import MAX_MACHINES
from simulator.scenario.loader import shipped_types

PLANT = "sites[0].factories[0]"
PRESS = "{name: press, type: press, count: 3}"
PACKING = "takes: {parts: 2}"
BUFFER = "- {name: parts, capacity: 1k}"


def test_an_unknown_machine_type_brings_up_those_there_are(tmp_path: Path) -> None:
    """The closest name is offered, and all are listed, shipped ones and the scenario's own."""
    (problem,) = problems(tmp_path, park((PRESS, "{name: press, type: injection-molding, count: 3}")))
    told, _, known = problem.partition("; known: ")
    assert told == (
        f"small.yaml:30:37 {PLANT}.lines[0].machines[0].type: 'injection-molding' is no machine type; did you mean "
        "'injection-moulding'?"
    )
    assert known.split(", ") == sorted([*shipped_types(), "press"])


def test_a_type_of_ones_own_must_not_hide_a_shipped_one(tmp_path: Path) -> None:
    """A clash is an error: two machines of one type name would differ between scenarios."""
    text = park(("  - name: press", "  - name: device-test"), (PRESS, "{name: press, type: device-test}"))
    (problem,) = problems(tmp_path, text.replace("{name: packer, type: press}", "{name: packer, type: device-test}"))
    assert problem.startswith("small.yaml:4:11 machine_types[0].name: 'device-test' comes with parksim already")


def test_two_types_must_not_share_a_name(tmp_path: Path) -> None:
    """The second is told, with the line of the first."""
    text = park(("  - name: press", "  - &press\n    name: press"), ("sites:", "  - *press\nsites:"))
    assert problems(tmp_path, text) == [
        "small.yaml:5:11 machine_types[1].name: 'press' is a name that line 5 gives already; choose another"
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "sites:\n",
            (
                "sites:\n  - {name: north, province: p, factories: [{name: f, lines: [{name: l, machines: "
                "[{name: m, type: press}]}]}]}\n"
            ),
            "small.yaml:19:11 sites[1].name: 'north' is a name that line 18 gives already",
        ),
        (
            "    factories:\n",
            "    factories:\n      - {name: plant, lines: [{name: l, machines: [{name: m, type: press}]}]}\n",
            "small.yaml:22:15 sites[0].factories[1].name: 'plant' is a name that line 21 gives already",
        ),
        (
            "- {name: parts, capacity: 1k}",
            "- {name: parts, capacity: 1k}\n          - {name: parts, capacity: 2k}",
            f"small.yaml:26:20 {PLANT}.buffers[1].name: 'parts' is a name that line 25 gives already",
        ),
        (
            "- name: packing",
            "- name: making",
            f"small.yaml:31:19 {PLANT}.lines[1].name: 'making' is a name that line 27 gives already",
        ),
        (
            f"- {PRESS}",
            f"- {PRESS}\n              - {{name: press-2, type: press}}",
            f"small.yaml:31:24 {PLANT}.lines[0].machines[1].name: 'press-2' is a name that line 30 gives already",
        ),
        (
            f"- {PRESS}",
            f"- {{name: press-1, type: press}}\n              - {PRESS}",
            (
                f"small.yaml:31:24 {PLANT}.lines[0].machines[1].name: 'press-1' (made by the count) is a name that "
                "line 30 gives already"
            ),
        ),
    ],
)
def test_names_are_given_once(tmp_path: Path, old: str, new: str, told: str) -> None:
    """What would share a topic is told, names that a count makes included."""
    (problem, *_) = problems(tmp_path, park((old, new)))
    assert problem.startswith(told)


def test_lines_that_a_count_makes_have_names_of_their_own(tmp_path: Path) -> None:
    """Three lines `packing` are packing-1 to packing-3, which another line must not be called."""
    text = park(("- name: packing", "- name: making-3"), ("gives: parts", "gives: parts\n            count: 3"))
    assert problems(tmp_path, text) == [
        f"small.yaml:32:19 {PLANT}.lines[1].name: 'making-3' is a name that line 27 gives already; choose another"
    ]


def test_a_count_of_one_keeps_the_name(tmp_path: Path) -> None:
    """The names in topics are those of the file, numbered only where there are several."""
    line = load(tmp_path, park()).scenario.sites[0].factories[0].lines[0]
    assert (line.names, line.machines[0].names) == (("making",), ("press-1", "press-2", "press-3"))


ONLY_TAKEN = (
    "no line fills 'parts', and it starts empty: who takes from it never runs; name it in `gives` of a line, let a "
    "supplier feed it, or give it an `initial`"
)
ONLY_GIVEN = (
    "no line takes from 'parts': once full it stops who fills it; name it in `takes` of a line, or remove it and the "
    "`gives` that names it, then pieces leave the factory"
)
UNUSED = "no line uses 'box'; remove it, or name it in `takes` and `gives` of lines"
FLOWS = [
    (
        ("gives: parts", "gives: §part"),
        "lines[0].gives: 'part' is no buffer of this factory; did you mean 'parts'?; known: parts",
    ),
    (
        (PACKING, "takes: {boxes: §2}"),
        "lines[1].takes.boxes: 'boxes' is no buffer of this factory; known: parts",
    ),
    ((PACKING, "between: 10"), f"buffers[0]: {ONLY_GIVEN}"),
    (("gives: parts", "between: 10"), f"buffers[0]: {ONLY_TAKEN}"),
    ((BUFFER, f"{BUFFER}\n          - §{{name: box, capacity: 9}}"), f"buffers[1]: {UNUSED}"),
]


@pytest.mark.parametrize(("change", "told"), FLOWS, ids=[row[0][1] for row in FLOWS])
def test_a_buffer_has_who_fills_it_and_who_takes_from_it(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    """A buffer that nobody fills or nobody takes from would stop the factory for good."""
    text = park(change)
    text, place = pointed(text if "§" in text else text.replace("{name: parts,", "§{name: parts,"))
    assert [f"small.yaml:{place} {PLANT}.{told}"] == problems(tmp_path, text)


def test_a_stock_that_runs_out_is_a_warning(tmp_path: Path) -> None:
    """A buffer that starts with pieces and is never filled may be meant: it is told, and runs."""
    text = park(("gives: parts\n", "between: 10\n"), ("capacity: 1k", "capacity: 1k, initial: 500"))
    (warning,) = load(tmp_path, text).warnings
    told = f"{PLANT}.buffers[0]: no line fills 'parts': who takes from it stops after 500 pieces"
    assert warning == f"{tmp_path}/small.yaml:25:13 {told}"


def test_lines_that_feed_each_other_in_a_circle_are_told_with_their_chain(tmp_path: Path) -> None:
    """The chain names every buffer and line on the way round."""
    text = park(
        ("- {name: parts, capacity: 1k}", "- {name: parts, capacity: 1k}\n          - {name: boxes, capacity: 9}"),
        ("gives: parts", "gives: parts\n            takes: {boxes: 1}"),
        (PACKING, f"{PACKING}\n            gives: boxes"),
    )
    circle = "boxes -> line making -> parts -> line packing -> boxes"
    assert problems(tmp_path, text) == [
        (
            f"small.yaml:35:20 {PLANT}.lines[1].gives: buffers feed each other in a circle: {circle}; one of these "
            "lines must give elsewhere"
        )
    ]


def test_a_line_that_feeds_itself_is_a_circle(tmp_path: Path) -> None:
    """The shortest way round has one line."""
    (problem,) = problems(tmp_path, park((PACKING, f"{PACKING}\n            gives: parts")))
    assert "in a circle: parts -> line packing -> parts;" in problem


def test_a_fork_that_joins_again_is_no_circle(tmp_path: Path) -> None:
    """Two ways from one buffer to another are allowed; a thousand in a row are looked at in no time."""
    rungs = range(1_000)
    buffers = "".join(f"\n          - {{name: b{i}, capacity: 10, initial: 1}}" for i in range(len(rungs) + 1))
    lines = "".join(
        f"\n          - {{name: {side}{i}, takes: {{b{i}: 1}}, gives: b{i + 1}, machines: [{{name: m, type: press}}]}}"
        for i in rungs
        for side in "lr"
    )
    text = park(
        ("- {name: parts, capacity: 1k}", f"- {{name: parts, capacity: 1k}}{buffers}"),
        ("        lines:", f"        lines:{lines}"),
        (PACKING, "takes: {parts: 2, b1000: 1}"),
    )
    (warning,) = load(tmp_path, text).warnings
    assert "no line fills 'b0'" in warning


def test_a_place_in_series_has_one_machine(tmp_path: Path) -> None:
    """A count in a series line could mean a row or lines side by side: it is refused, with both ways to say it."""
    (problem,) = problems(tmp_path, park(("gives: parts", "gives: parts\n            flow: series")))
    assert problem.startswith(
        f"small.yaml:31:51 {PLANT}.lines[0].machines[0].count: 3 is too large, must be 1 in a line whose flow is series"
    )


@pytest.mark.parametrize(
    ("shifts", "told"),
    [
        ('hours: ["06:00-14:00", "13:59-22:00"]', ["hours[1]: '13:59-22:00' overlaps '06:00-14:00'"]),
        ('hours: ["22:00-06:00", "05:00-13:00"]', ["hours[1]: '05:00-13:00' overlaps '22:00-06:00'"]),
        ('hours: ["06:00-14:00", "06:00-14:00"]', ["hours[1]: '06:00-14:00' overlaps '06:00-14:00'"]),
        ('hours: ["22:00-06:00", "05:00-13:00"], days: [sun, mon]', ["hours[1]: '05:00-13:00' overlaps '22:00-06:00'"]),
        ('hours: ["05:00-13:00", "22:00-06:00"]', ["hours[1]: '22:00-06:00' overlaps '05:00-13:00'"]),
        ("days: [mon, tue, mon]", ["days[2]: 'mon' is written twice; remove one"]),
    ],
)
def test_shifts_do_not_overlap(tmp_path: Path, shifts: str, told: list[str]) -> None:
    """Two shifts at once, also past midnight and past Sunday, are told."""
    text = park(('hours: ["06:00-14:00", "14:00-22:00"]', shifts))
    assert [f"{PLANT}.shifts.{one}" for one in told] == [one.split(" ", 1)[1] for one in problems(tmp_path, text)]


@pytest.mark.parametrize(
    "shifts",
    [
        'hours: ["06:00-14:00", "14:00-22:00", "22:00-06:00"]',
        'hours: ["06:00-18:00", "18:00-06:00"], days: [mon]',
        'hours: ["22:00-06:00", "05:00-13:00"], days: [mon]',
        'hours: ["22:00-06:00", "05:00-13:00"], days: [mon, wed, fri]',
    ],
)
def test_shifts_may_touch_and_may_leave_days_between(tmp_path: Path, shifts: str) -> None:
    """What overlaps on paper only, since no shift begins on the next day, is allowed."""
    load(tmp_path, park(('hours: ["06:00-14:00", "14:00-22:00"]', shifts)))


def test_a_park_beyond_memory_is_refused_before_it_is_built(tmp_path: Path) -> None:
    """Counts multiply: a short file could ask for a million machines. Their names, here not unique, are not made."""
    text = park(
        (PRESS, "{name: press, type: press, count: 1000}"),
        ("gives: parts", "gives: parts\n            count: 1000"),
        ("- name: packing", "- name: making-7"),
    )
    assert problems(tmp_path, text) == [
        f"small.yaml:18:3 sites: 1,000,001 machines are too many, must be at most {MAX_MACHINES:,}"
    ]
