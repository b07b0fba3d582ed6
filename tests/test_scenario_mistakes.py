"""Every mistake in a scenario is told at once, in plain words, with line, column and path."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenario_texts import PARK, load, park, pointed, problems

from simulator.scenario.loader import MAX_PROBLEMS

SENSOR = "machine_types[0].sensors[1]"
PLANT = "sites[0].factories[0]"
FACTORY_KEYS = "unknown key; known here: name, crew, shifts, people, maturity, buffers, lines, load"


MISTAKES = [
    ("crew: 2", "crew: §0", f"{PLANT}.crew: 0 is too small, must be at least 1"),
    ("crew: 2", "crew: §2k", f"{PLANT}.crew: '2k' is not allowed here, must be a whole number"),
    ("crew: 2", 'crew: §"2"', f"{PLANT}.crew: '2' is not allowed here, must be a whole number"),
    ("crew: 2", "crew: §true", f"{PLANT}.crew: true is not allowed here, must be a whole number"),
    ("crew: 2", "§crew:", f"{PLANT}.crew: has no value, must be a whole number"),
    ("crew: 2", "crew: §[2]", f"{PLANT}.crew: a list is not allowed here, must be a whole number"),
    ("crew: 2", "crew: §1001", f"{PLANT}.crew: 1001 is too large, must be at most 1000"),
    ("crew: 2", "§crwe: 2", f"{PLANT}.crwe: unknown key; did you mean 'crew'?"),
    ("crew: 2", "§Crew: 2", f"{PLANT}.Crew: unknown key; did you mean 'crew'?"),
    (
        "crew: 2",
        "§oven: 2",
        f"{PLANT}.oven: unknown key; known here: name, crew, shifts, people, maturity, buffers, lines, load",
    ),
    (
        "name: small",
        "name: §Small Park",
        ("name: 'Small Park' is no name; use 1 to 63 of a-z, 0-9, - and _, starting with a letter or digit"),
    ),
    ("name: small", "name: §5", 'name: 5 is not allowed here, must be text; write "5" in quotes'),
    ("parksim: 1\nname: small\n", "§parksim: 1\n", "name: missing, must be given"),
    ("parksim: 1", "parksim: §2", "parksim: version 2 of the format is not known to this parksim, must be 1"),
    ("parksim: 1", "parksim: §yes", "parksim: 'yes' is not allowed here, must be 1"),
    ("parksim: 1", "parksim: §1.0", "parksim: 1.0 is not allowed here, must be 1"),
    ("name: north\n    province: binh-duong\n", "§name: north\n", "sites[0].province: missing, must be given"),
    ("period: 10s", "period: §50ms", f"{SENSOR}.period: '50ms' is too small, must be at least 100ms"),
    ("period: 10s", "period: §10", f"{SENSOR}.period: 10 has no unit; write 10s, 10m or 10h"),
    (
        "{name: oil_c, unit: Cel, range: [0, 100], resolution: 0.1, period: 10s, ",
        "§{name: oil_c, unit: Cel, range: [0, 100], resolution: 0.1, ",
        f"{SENSOR}.period: a lag sensor speaks on a grid: give it one, such as 10s",
    ),
    ("cycle: 10s", "cycle: §0s", "machine_types[0].cycle: '0s' is too small, must be more than 0"),
    ("pieces: 4", "pieces: §1.5", "machine_types[0].pieces: 1.5 is not allowed here, must be a whole number"),
    ("0.99", "§1.01", "machine_types[0].first_pass_yield: 1.01 is too large, must be at most 1"),
    (
        "[0, 100]",
        "§[100, 0]",
        (f"{SENSOR}.range: range(=[100, 0]) must rise: the first number is the least the instrument can show"),
    ),
    (
        "[0, 100]",
        "§[600, 800]",
        (f"{SENSOR}.range: range(=[600, 800]) holds none of the values of its model, 30 to 45; widen it"),
    ),
    (
        "[0, 100], resolution: 0.1",
        "[0, 0.05], resolution: §0.1",
        (f"{SENSOR}.resolution: resolution(=0.1) is coarser than the range of [0, 0.05], must be finer"),
    ),
    ("[0, 100]", "§[0]", f"{SENSOR}.range[1]: missing, must be given"),
    ("[0, 100]", "§[0, 1, 2]", f"{SENSOR}.range: too long, must have at most 2 items"),
    ("[0, 100]", "§0-100", f"{SENSOR}.range: '0-100' is not allowed here, must be a list, each item after a dash"),
    (
        "kind: lag",
        "kind: §lagg",
        (
            f"{SENSOR}.model.kind: 'lagg' is not allowed here, must be one of 'state', 'lag', 'profile', "
            "'motor', 'vibration', 'bearing_heat', 'cycle', 'cycle_time', 'count', 'share', 'energy', "
            "'weather', 'solar', 'supply', 'rhythm', 'output'; did you mean 'lag'?"
        ),
    ),
    ("{kind: lag, ", "§{", f"{SENSOR}.model.kind: missing, must be given"),
    ("tau: 5m", "§tua: 5m, tau: 5m", f"{SENSOR}.model.tua: unknown key; known here: kind, on, off, tau, drive"),
    ("on: 45", "on: §warm", f"{SENSOR}.model.on: 'warm' is not allowed here, must be a number"),
    ("on: 45", "on: 45, §lag: 3", f"{SENSOR}.model.lag: unknown key; known here: kind, on, off, tau, drive"),
    (
        "by: operator",
        "by: §operators",
        (
            "machine_types[0].stops[0].by: 'operators' is not allowed here, must be "
            "'operator' or 'crew'; did you mean 'operator'?"
        ),
    ),
    (
        "{mean: 2m}",
        "§2m",
        ("machine_types[0].stops[0].repair: '2m' is not allowed here, must be a mapping, lines of `key: value`"),
    ),
    (
        '"14:00-22:00"',
        '§"14-22"',
        (f"{PLANT}.shifts.hours[1]: '14-22' is no shift; write HH:MM-HH:MM, such as 06:00-14:00 or 22:00-06:00"),
    ),
    (
        '"14:00-22:00"',
        '§"14:00-14:00"',
        (
            f"{PLANT}.shifts.hours[1]: '14:00-14:00' starts when it ends; write two shifts, "
            "such as 06:00-18:00 and 18:00-06:00, for 24 hours"
        ),
    ),
    (
        "capacity: 1k",
        "capacity: 1k, initial: §2k",
        (f"{PLANT}.buffers[0].initial: initial(=2000) must not exceed capacity(=1000)"),
    ),
    ("{parts: 2}", "{parts: §0.5}", f"{PLANT}.lines[1].takes.parts: 0.5 is not allowed here, must be a whole number"),
    (
        "{parts: 2}",
        "{Parts: §2}",
        (
            f"{PLANT}.lines[1].takes.Parts: 'Parts' is no name; use 1 to 63 of a-z, 0-9, - "
            "and _, starting with a letter or digit"
        ),
    ),
    (
        "- {name: packer, type: press}",
        "- §packer",
        (f"{PLANT}.lines[1].machines[0]: 'packer' is not allowed here, must be a mapping, lines of `key: value`"),
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), MISTAKES, ids=[row[1] for row in MISTAKES])
def test_a_mistake_is_one_sentence_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    """File, line, column, path, what is wrong and what is allowed; nothing that follows from it is told."""
    text, place = pointed(park((old, new)))
    assert [f"small.yaml:{place} {told}"] == problems(tmp_path, text)


RUN_MISTAKES = [
    (
        "start: §yesterday",
        (
            "start: 'yesterday' is not allowed here, must be 'now' or a date and time with its offset, "
            "such as 2026-01-05T06:00:00+07:00"
        ),
    ),
    (
        "start: §2026-01-05",
        (
            "start: '2026-01-05' is not allowed here, must be 'now' or a date and time with its "
            "offset, such as 2026-01-05T06:00:00+07:00"
        ),
    ),
    (
        "start: §2026-01-05T06:00:00",
        ("start: 2026-01-05T06:00:00 has no offset; write one, such as 2026-01-05T06:00:00+07:00"),
    ),
    (
        "start: §5",
        (
            "start: 5 is not allowed here, must be 'now' or a date and time with its offset, such as "
            "2026-01-05T06:00:00+07:00"
        ),
    ),
    (
        "timezone: §Asia/Saigone",
        ("timezone: 'Asia/Saigone' is no time zone; use an IANA name such as Asia/Ho_Chi_Minh"),
    ),
    (
        "timezone: §../../etc/passwd",
        ("timezone: '../../etc/passwd' is no time zone; use an IANA name such as Asia/Ho_Chi_Minh"),
    ),
    ("warm_up: §500d", "warm_up: '500d' is too large, must be at most 400d"),
    ("seed: §-1", "seed: -1 is too small, must be at least 0"),
    ("seed: §18446744073709551616", "seed: 18446744073709551616 is too large, must be less than 18446744073709551616"),
    ("run: {speed: §fast}", "run.speed: 'fast' is not allowed here, must be a number or 'max'"),
    ("run: {speed: §0}", "run.speed: 0 is too small, must be at least 0.001"),
    ("run: {for: §10}", "run.for: 10 has no unit; write 10s, 10m or 10h"),
    ("run: {§duration: 10s}", "run.duration: unknown key; known here: speed, for"),
    ("run: §5", "run: 5 is not allowed here, must be a mapping, lines of `key: value`"),
    ("messaging: {qos: §3}", "messaging.qos: 3 is not allowed here, must be 0, 1 or 2"),
    ("messaging: {format: §xml}", "messaging.format: 'xml' is not allowed here, must be 'json'"),
    (
        '§"\\e[2J": 1',
        (
            "'\\x1b[2J': unknown key; known here: parksim, name, title, seed, timezone, start, warm_up, "
            "enterprise, machine_types, sites, faults, truth, kpis, messaging, stored, load, pace, run"
        ),
    ),
]


@pytest.mark.parametrize(("line", "told"), RUN_MISTAKES, ids=[row[0] for row in RUN_MISTAKES])
def test_a_mistake_at_the_top_is_told_the_same_way(tmp_path: Path, line: str, told: str) -> None:
    """Where a key takes this or that, one sentence names both."""
    text, place = pointed(f"{PARK}{line}\n")
    assert [f"small.yaml:{place} {told}"] == problems(tmp_path, text)


def test_all_mistakes_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    """One run shows every mistake; a list with wrong items is not called too short on top."""
    text = park(
        ("capacity: 1k", "capacity: none"),
        ("name: small", "name: small\nsped: 5"),
        ("crew: 2", "crew: 0"),
        ("kind: lag", "kind: leg"),
        ("type: press}\n", "typ: press}\n"),
        ("count: 3", "count: -3"),
    )
    places = [problem.partition(": ")[0] for problem in problems(tmp_path, text)]
    assert places == [
        "small.yaml:3:1 sped",
        "small.yaml:16:95 machine_types[0].sensors[1].model.kind",
        "small.yaml:23:15 sites[0].factories[0].crew",
        "small.yaml:26:37 sites[0].factories[0].buffers[0].capacity",
        "small.yaml:31:51 sites[0].factories[0].lines[0].machines[0].count",
        "small.yaml:35:17 sites[0].factories[0].lines[1].machines[0].type",
        "small.yaml:35:32 sites[0].factories[0].lines[1].machines[0].typ",
    ]


def test_a_key_called_like_the_kind_does_not_lead_astray(tmp_path: Path) -> None:
    """The kind stands in the paths of the model's errors; a key of that name is another thing."""
    text = park(("on: 45, tau: 5m", "on: 45, lag: 3"))
    assert problems(tmp_path, text) == [
        f"small.yaml:15:88 {SENSOR}.model.tau: missing, must be given",
        f"small.yaml:15:108 {SENSOR}.model.lag: unknown key; known here: kind, on, off, tau, drive",
    ]


def test_a_mistake_behind_an_alias_is_told_for_each_use(tmp_path: Path) -> None:
    """The place is where the value is written, the paths are where it is used."""
    text = park(("takes: {parts: 2}", "takes: {parts: &n 0.5}"), ("crew: 2", "crew: 2\n        count: 1")).replace(
        "takes: {parts: &n 0.5}", "takes: {parts: &n 0.5}\n            count: *n"
    )
    assert problems(tmp_path, text) == [
        f"small.yaml:23:9 {PLANT}.count: {FACTORY_KEYS}",
        "small.yaml:33:28 sites[0].factories[0].lines[1].count: 0.5 is not allowed here, must be a whole number",
        "small.yaml:33:28 sites[0].factories[0].lines[1].takes.parts: 0.5 is not allowed here, must be a whole number",
    ]


def test_a_machine_with_too_many_periods_is_refused(tmp_path: Path) -> None:
    """The 33rd different sampling period of a type is one too many; which of them speak together is a set of bits."""
    (line,) = [line for line in PARK.splitlines() if "oil_c" in line]
    more = [line.replace("oil_c", f"oil_{n}_c").replace("10s", f"{n}s") for n in range(2, 34)]
    told = "33 different periods, but an asset can have at most 32; let some sensors share theirs"
    assert [problem.split("sensors: ")[1] for problem in problems(tmp_path, park((line, "\n".join(more))))] == [told]
    assert load(tmp_path, park((line, "\n".join(more[1:])))).warnings == ()


def test_a_long_value_is_shown_short(tmp_path: Path) -> None:
    """A message stays readable whatever the file holds."""
    (problem,) = problems(tmp_path, PARK + f"enterprise: {'x' * 10_000}\n")
    assert len(problem) < 200


def test_a_file_that_is_wrong_throughout_is_told_in_part(tmp_path: Path) -> None:
    """After a hundred problems the rest is counted."""
    told = problems(tmp_path, PARK + "".join(f"k{i}: 1\n" for i in range(MAX_PROBLEMS + 7)))
    assert (len(told), told[-1]) == (MAX_PROBLEMS + 1, "small.yaml: and 7 more problems")


def test_the_small_park_itself_is_right(tmp_path: Path) -> None:
    """What the tests change is a scenario that loads without a warning."""
    assert load(tmp_path, PARK).warnings == ()
