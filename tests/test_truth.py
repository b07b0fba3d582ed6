"""The truth says of each fault where, when, what and why: enough to recompute labels and distorted readings."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from faulty import HALL, MINUTE_NS, Label, Lived, fault, faults
from parks import MONDAY_NS, quickstart, world
from scenario_texts import park, problems

from simulator.batch import Batch, Catalog
from simulator.clock import RealClock
from simulator.park import truth
from simulator.park.packml import State
from simulator.park.truth import Happening
from simulator.run.execute import execute
from simulator.run.options import Options
from simulator.scenario.fault import CODES, Cause
from simulator.scenario.loader import Loaded, load_scenario
from simulator.scenario.schema import Kpis
from simulator.wire.line_protocol import LineProtocol

MS = 1_000_000
HOURS = 6
DOWN = {State.ABORTING, State.ABORTED}
HELD = {State.HOLDING, State.HELD}


@cache
def day() -> Lived:
    """Six hours in which machines fail by themselves and as ordered."""
    return Lived(
        fault("breakdown", "press-1", at="30m", lasts="20m"),
        fault("breakdown", "press-1", at="40m", lasts="25m"),
        fault("stop", "press-2", at="1h", lasts="10m"),
        fault("breakdown", "*", at="2h", lasts="5m") | {"target": "vsip2a/wiring-devices/assembly-*/tester"},
        minutes=HOURS * 60,
    )


Span = tuple[int, int]


def told(labels: list[Label], kinds: set[str], causes: set[Cause]) -> list[Span]:
    """Return from when to when faults of these kinds were in force, by the messages of their ends, joined."""
    codes = {CODES[kind] for kind in kinds}
    spans = sorted(
        (one.from_ms, one.to_ms) for one in labels if one.fault in codes and one.cause in causes and not one.active
    )
    joined: list[Span] = []
    for begin, end in spans:
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def seen(changes: list[tuple[int, int]], states: set[State]) -> list[Span]:
    """Return from when to when a machine was in one of these states, as far as its trace tells both."""
    spans: list[Span] = []
    begin = None
    for when, state in changes:
        if state in states and begin is None:
            begin = when
        elif state not in states and begin is not None:
            spans.append((begin // MS, when // MS))
            begin = None
    return spans


def machines(lived: Lived) -> Iterator[tuple[str, list[tuple[int, int]], list[Label]]]:
    """Yield topic, changes of state and truth of each machine."""
    labels = defaultdict(list)
    for label in lived.truth():
        labels[label.topic.removesuffix("/_truth")].append(label)
    for number, asset in enumerate(lived.world.park.measured.assets):
        yield asset.topic, [(s.start_ns, s.state) for s in lived.segments if s.asset == number], labels[asset.topic]


def test_aborted_times_are_recomputed_from_the_truth() -> None:
    """Aborting and Aborted together last exactly from the first cause to the end of the last that overlaps it."""
    found = 0
    for topic, changes, labels in machines(day()):
        down = seen(changes, DOWN)
        causes = told(labels, {"breakdown", "bearing"}, {Cause.SCHEDULED, Cause.ITSELF})
        # One that was under way at the start has its beginning in the truth alone.
        assert down == [span for span in causes if span[0] >= MONDAY_NS // MS][: len(down)], topic
        assert len(causes) - len(down) <= 1
        found += len(down)
    assert found >= 5


def test_held_times_are_recomputed_from_the_truth() -> None:
    """Each time in Holding and Held begins with a cause; it ends when that is over, or with the shortage after it."""
    found = 0
    for topic, changes, labels in machines(day()):
        causes = told(labels, {"stop"}, {Cause.SCHEDULED, Cause.ITSELF})
        for begin, end in seen(changes, HELD):
            (cause,) = [one for one in causes if one[0] == begin]
            assert cause[1] <= end, topic
            found += 1
    assert found >= 50


def test_both_ends_of_a_fault_are_told() -> None:
    """Each end follows a beginning with the same place and time; a scheduled fault knows its end from the start."""
    begun: dict[tuple[object, ...], Label] = {}
    ended = 0
    for label in day().truth():
        key = (label.topic, label.fault, label.cause, label.from_ms, label.sensor, label.stop)
        if label.active:
            assert key not in begun
            assert label.to_ms == 0 if label.cause == Cause.ITSELF else label.to_ms > label.from_ms
            begun[key] = label
        elif label.from_ms >= MONDAY_NS // MS:
            first = begun.pop(key)
            assert first.to_ms in {0, label.to_ms}
            ended += 1
    assert ended > 50
    assert len(begun) < 14


def test_a_stop_by_itself_names_its_reason() -> None:
    """``stop`` is the number of the stop within the machine type, and its kind is what that stop becomes."""
    kinds = {"held": CODES["stop"], "aborted": CODES["breakdown"]}
    catalog = day().world.catalog
    for label in day().truth():
        if label.cause == Cause.ITSELF and label.fault != CODES["bearing"]:
            asset = catalog.by_topic[label.topic.removesuffix("/_truth")]
            stop = day().world.park.machines[asset].spec.stops[label.stop]
            assert label.fault == kinds[stop.becomes]


def test_a_bearing_that_fails_is_told() -> None:
    """Presses that wear out a bearing an hour: code 4, by itself, once at the start and once at the end."""
    types = dict(quickstart().types)
    press = types["injection-moulding"]
    assert press.bearing is not None
    quick = press.bearing.repair.model_copy(update={"mean": 120_000 * MS})
    worn = press.bearing.model_copy(update={"l10": 600_000 * MS, "repair": quick})
    types["injection-moulding"] = press.model_copy(update={"bearing": worn})
    lived = Lived.__new__(Lived)
    lived.world = type(world())(quickstart().scenario, types, MONDAY_NS)
    lived.batch = Batch.join(list(lived.world.batches(MONDAY_NS + 120 * MINUTE_NS, 10 * MINUTE_NS)))
    bearings = [label for label in lived.truth() if label.fault == CODES["bearing"]]
    assert len(bearings) >= 6
    assert {(label.cause, label.stop, label.sensor) for label in bearings} == {(Cause.ITSELF, -1, -1)}
    assert abs(sum(2 * label.active - 1 for label in bearings)) <= 6


def test_events_of_one_machine_at_one_instant_are_two_messages() -> None:
    """The later ones are dated a millisecond on, each with its true times, and none is lost."""
    lived = Lived(
        fault("breakdown", "press-1", at="10m", lasts="5m"),
        fault("slow", "press-1", at="10m", lasts="5m", factor=2),
        fault("gap", "press-1/*", at="10m", lasts="5m"),
    )
    mine = [label for label in lived.truth() if label.topic.endswith("press-1/_truth") and label.cause == 1]
    sensors = len(lived.world.catalog.assets[0].sensors)
    assert len(mine) == 2 * (2 + sensors)
    assert len({label.time_ns for label in mine}) == len(mine)
    assert {label.from_ms for label in mine} == {(MONDAY_NS + 10 * MINUTE_NS) // MS}
    assert {label.to_ms for label in mine} == {(MONDAY_NS + 15 * MINUTE_NS) // MS}
    assert sorted(label.sensor for label in mine if label.fault == CODES["gap"]) == sorted([*range(sensors)] * 2)
    assert max(label.time_ns for label in mine) <= MONDAY_NS + 15 * MINUTE_NS + len(mine) * MS


def distorted(name: str, label: Label, time_ms: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return what a sensor shows under a fault that the truth tells of, from true readings."""
    kind = next(kind for kind, code in CODES.items() if code == label.fault)
    within = (time_ms >= label.from_ms) & (time_ms < label.to_ms)
    shown = value.copy()
    match kind:
        case "stuck":
            shown[within] = value[np.searchsorted(time_ms, label.from_ms, side="right") - 1]
        case "drift":
            shown[within] += label.parameter * (time_ms[within] - label.from_ms) / 3_600_000
        case "offset":
            shown[within] += label.parameter
        case "quantised":
            pass  # a true reading near the middle of two steps may have been rounded across it
        case "gap":
            shown[within] = np.nan
        case _:
            pytest.fail(f"{name}: {kind}")
    return shown


def test_distorted_readings_are_recomputed_from_true_ones_and_the_truth() -> None:
    """What the truth says about a sensor turns true readings into the ones shown.

    Within a step of the resolution; for coarse steps within half of one besides.
    """
    written = (
        fault("stuck", "press-2/power_kw", at="3m 17s", lasts="4m"),
        fault("drift", "press-3/oil_c", at="5m", lasts="15m", per_hour=-40),
        fault("offset", "press-4/*", at="6m", lasts="3m 1ms", by=0.75),
        fault("quantised", "press-5/cushion_mm", at="2m", lasts="11m", step=0.5),
        fault("gap", "press-6/*", at="12m 500ms", lasts="2m"),
    )
    lived, true = Lived(*written), Lived()
    labels = {
        (label.topic.split("/")[-2], label.sensor): label
        for label in lived.truth()
        if label.cause == 1 and label.active
    }
    assert len(labels) > 20
    for (machine, number), label in labels.items():
        asset = lived.world.catalog.by_topic[f"binh-duong/{HALL}/{machine}"]
        sensor = lived.world.catalog.assets[asset].sensors[number]
        time_ns, value = true.of(machine, sensor.name)
        expected = distorted(sensor.name, label, time_ns // MS, value)
        spoken = ~np.isnan(expected)
        shown_ns, shown = lived.of(machine, sensor.name)
        assert shown_ns.tolist() == time_ns[spoken].tolist(), sensor.name
        within = sensor.step / 10**sensor.decimals
        within += label.parameter / 2 if label.fault == CODES["quantised"] else 0
        clipped = np.clip(expected[spoken], sensor.low, sensor.high)
        assert shown == pytest.approx(clipped, abs=within * (1 + 1e-6)), sensor.name


def test_truth_stands_apart_from_what_is_measured() -> None:
    """Its assets come last, have the tags of their machine and a kind of their own; without it all else is the same."""
    no_figures = Kpis(levels=())
    lived, silent = Lived(minutes=20, kpis=no_figures), Lived(minutes=20, truth=False, kpis=no_figures)
    measured: Catalog = lived.world.park.measured
    assert silent.world.catalog == measured
    rows = lived.batch.sensor < len(measured)
    for column in ("time_ns", "sensor", "value"):
        assert getattr(lived.batch, column)[rows].tobytes() == getattr(silent.batch, column).tobytes()
    added = lived.world.catalog.assets[len(measured.assets) :]
    assert [one.path[:-1] for one in added] == [one.path for one in measured.assets]
    assert [(one.kind, one.tags) for one in added] == [("truth", one.tags) for one in measured.assets]
    assert not list(silent.truth())


def test_machines_that_cannot_fail_have_no_truth() -> None:
    """Without stops and bearing only a scheduled fault makes one."""
    types = {
        name: one.model_copy(update={"stops": ()} if name == "device-test" else {})
        for name, one in quickstart().types.items()
    }
    tester = "vsip2a/wiring-devices/assembly-2/tester"
    for written, expected in ((), 0), ((fault("stop", "", at="1m", lasts="1m") | {"target": tester},), 1):
        scenario = quickstart().scenario.model_copy(update={"faults": faults(*written)})
        catalog = type(world())(scenario, types, MONDAY_NS).catalog
        assert sum(one.path[-2:] == ("tester", "_truth") for one in catalog.assets) == expected


def test_a_message_of_the_truth_is_a_line_and_a_row() -> None:
    """Measurement truth, the tags of the machine, integers but for the parameter."""
    catalog = Lived(minutes=1).world.catalog
    number = catalog.by_topic[f"binh-duong/{HALL}/press-1/_truth"]
    values = dict(
        zip(
            (sensor.name for sensor in catalog.assets[number].sensors),
            Happening("slow", 0, Cause.SCHEDULED, 1_000 * MS, 2_000 * MS, parameter=1.5).values(active=True),
            strict=True,
        )
    )
    rows = {key: value if key == "parameter" else int(value) for key, value in values.items()}
    assert LineProtocol(catalog).line(number, 1_000, 7, rows) == (
        "truth,province=binh-duong,park=vsip2a,factory=wiring-devices,line=moulding,machine=press-1 "
        "seq=7i,fault=2i,active=1i,cause=1i,from_ms=1000i,to_ms=2000i,sensor=-1i,stop=-1i,parameter=1.5 1000"
    )


def test_codes_are_a_public_contract() -> None:
    """Databases hold them: a number never means something else."""
    assert CODES == {
        "breakdown": 1,
        "slow": 2,
        "stop": 3,
        "bearing": 4,
        "stuck": 11,
        "drift": 12,
        "spike": 13,
        "gap": 14,
        "offset": 15,
        "quantised": 16,
        "clock_skew": 21,
        "flood": 22,
        "duplicates": 23,
        "reorder": 24,
        "power_loss": 31,
        "power_dip": 32,
        "air_leak": 33,
        "compressor": 34,
        "low_air": 35,
        "no_air": 36,
        "no_steam": 37,
        "no_cooling": 38,
    }
    assert [(cause.name, int(cause), cause.words) for cause in Cause] == [
        ("SCHEDULED", 1, "scheduled"),
        ("ITSELF", 2, "by itself"),
        ("HAND", 3, "by hand"),
        ("CONSEQUENCE", 4, "consequence"),
    ]


def test_a_machine_type_must_not_be_called_truth(tmp_path: Path) -> None:
    """Its rows would mix with the labels."""
    text = park(
        ("  - name: press\n", "  - name: truth\n"), ("{name: press, type: press,", "{name: press, type: truth,")
    )
    (problem,) = problems(tmp_path, text.replace("{name: packer, type: press}", "{name: packer, type: truth}"))
    assert problem == (
        "small.yaml:4:11 machine_types[0].name: 'truth' is what the labels of faults are stored under; choose another "
        "name"
    )


# The result of a run.

WRITTEN = """
faults:
  - {kind: breakdown, at: 20s, for: 20s, target: vsip2a/wiring-devices/moulding/press-1}
  - {kind: offset, by: 5, at: 50s, for: 1h, target: vsip2a/wiring-devices/moulding/press-2/oil_c}
  - {kind: gap, at: 10m, for: 1h, target: vsip2a/wiring-devices/moulding/press-2/power_kw}
"""


def loaded(folder: Path) -> Loaded:
    """Return the quickstart with faults, from a file."""
    text = Path(quickstart().path).read_text("utf-8").replace("start: now", "start: 2025-03-10T07:00:00+07:00")
    file = folder / "faulty.yaml"
    file.write_text(text + WRITTEN, "utf-8")
    return load_scenario(file)


def test_the_result_and_the_store_tell_what_happened(tmp_path: Path) -> None:
    """Faults of the run's window with their times and causes; the table truth holds a row per message, all written."""
    options = Options(seed=2011, speed=None, duration_ns=MINUTE_NS, broker="memory", store=f"sqlite:{tmp_path}/t.db")
    result = execute(
        loaded(tmp_path), options, clock=RealClock(), stop=threading.Event(), on_open=lambda _: None,
        on_snapshot=lambda _: None,
    )  # fmt: skip
    assert (result.exit_code, result.messages.unaccounted) == (0, 0)
    document = json.loads(json.dumps(result.document()))
    scheduled = [one for one in document["faults"] if one["cause"] == "scheduled"]
    hall = "vsip2a/wiring-devices/moulding"
    assert scheduled == [
        {
            "kind": "breakdown",
            "target": f"{hall}/press-1",
            "from": "2025-03-10T07:00:20.000+07:00",
            "to": "2025-03-10T07:00:40.000+07:00",
            "cause": "scheduled",
        },
        {
            "kind": "offset",
            "target": f"{hall}/press-2/oil_c",
            "from": "2025-03-10T07:00:50.000+07:00",
            "to": None,
            "cause": "scheduled",
        },
    ]
    assert {one["cause"] for one in document["faults"]} == {"scheduled", "by itself"}
    assert document["faults_not_listed"] == 0
    with sqlite3.connect(tmp_path / "t.db") as db:
        rows = db.execute("select fault, active, cause, sensor from truth where cause = 1 order by time_ms").fetchall()
    db.close()
    assert rows == [(1, 1, 1, -1), (1, 0, 1, -1), (15, 1, 1, 3)]


def test_a_result_lists_a_bounded_number_and_counts_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scheduled faults do not drown among those that arise by themselves."""
    monkeypatch.setattr(truth, "LISTED", 3)
    lived = Lived(*(fault("stop", "press-1", at=f"{n}m", lasts="30s") for n in range(30, 35)), minutes=40, warm_up=0)
    listed, more = lived.world.faults(MONDAY_NS + 40 * MINUTE_NS)
    ended = sum(not label.active for label in lived.truth())
    still = sum(one.to_ns is None for one in listed)
    assert sum(one.cause == "scheduled" for one in listed) == 3
    assert sum(one.cause == "by itself" and one.to_ns is not None for one in listed) == 3
    assert still <= 3
    assert len(listed) - still + more >= ended
