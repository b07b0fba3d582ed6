"""Edge nodes: warnings are judged by what machines really do, and a better estimate is worth more."""

from __future__ import annotations

from pathlib import Path

import pytest
from parks import HOUR_NS
from regions import HEAD, Shown, changed, counted, loaded, midnight_world, muted

from simulator.park.machine import Machine
from simulator.park.packml import State
from simulator.park.world import World

DAYS = 30
TYPE = """\
machine_types:
  - name: press
    title: A press that wears
    source: a test
    cycle: 10m
    pieces: 1
    first_pass_yield: 1
    motor: {rated_kw: 10, execute_load: 0.5, idle_load: 0.1}
    stops:
      - {name: set-up, mtbf: 2h, shape: 4, repair: {mean: 3m}, by: operator, becomes: held}
      - {name: wear, mtbf: 60h, shape: 2, repair: {mean: 20m}, by: crew, becomes: aborted}
    sensors:
      - {name: state, unit: "1", range: [1, 17], resolution: 1, period: 60s, model: {kind: state}}
"""
PARK = """\
  - name: north
    province: binh-duong
    factories:
      - name: plant
        crew: 9
        lines:
          - name: stamping
            machines: [{name: press, type: press, count: 12}]
    systems: [{name: node, type: edge-node, serves: [plant]}]
"""
SCENARIO = HEAD.replace("sites:\n", TYPE + "sites:\n") + PARK


def month(folder: Path, **changes: object) -> tuple[World, dict[str, float], int]:
    """A month of twelve presses: the world, what the node counts, and how often presses broke down."""
    scenario = loaded(folder, SCENARIO)
    world = midnight_world(scenario, changed(muted(scenario), "edge-node", **changes))
    broke = 0

    def noted(machine: Machine) -> None:
        nonlocal broke
        broke += machine.state is State.ABORTED

    for machine in world.park.machines[:12]:
        machine.watch(noted)
    world.skip(world.start_ns + DAYS * 24 * HOUR_NS)
    return world, counted(world, "node"), broke


def test_every_warning_and_every_fault_is_accounted_for(tmp_path: Path) -> None:
    """Warnings are right, wrong or open; faults of the machines were foreseen or missed."""
    _, now, broke = month(tmp_path, coverage=1.0)
    assert now["watched"] == 12
    assert now["coverage_pct"] == 100
    assert now["alerts"] == now["right"] + now["wrong"] + now["open"]
    assert broke == now["right"] + now["missed"]
    assert broke > 30
    assert 0 < now["lead_mean_h"] <= 12


def test_a_perfect_estimate_is_hardly_ever_wrong(tmp_path: Path) -> None:
    """Without an error nearly all warnings are right and nearly all faults foreseen; with a large one fewer are.

    A warning comes within the horizon of running time, of which little is lost to stops on the way.
    """
    _, exact, _ = month(tmp_path, coverage=1.0, error=0.0)
    _, rough, _ = month(tmp_path, coverage=1.0, error=1.5)
    assert exact["precision_pct"] > 90
    assert exact["recall_pct"] > 90
    assert rough["precision_pct"] < exact["precision_pct"] - 10


def test_it_watches_its_share_of_the_machines(tmp_path: Path) -> None:
    """With a coverage of a half some are watched and some are not; the others' faults count for nothing."""
    _, now, broke = month(tmp_path, coverage=0.5)
    assert 2 <= now["watched"] <= 10
    assert now["coverage_pct"] == pytest.approx(100 * now["watched"] / 12)
    assert now["right"] + now["missed"] < broke


def test_a_node_shows_what_it_counts(tmp_path: Path) -> None:
    """The shipped node, two days: its readings add up at every minute."""
    one = Shown(midnight_world(loaded(tmp_path, SCENARIO)), 48, HOUR_NS)
    alerts, right, wrong, opened = one.values("node", "alert_count", "right_count", "wrong_count", "open_alerts")
    assert (alerts == right + wrong + opened).all()
    assert alerts[-1] > 0
