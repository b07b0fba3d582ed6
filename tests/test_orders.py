"""Orders and supply: what is ordered is delivered or open, dates are met or missed, and who gets nothing starves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from parks import HOUR_NS
from regions import GATE, HARBOUR, HEAD, MIDNIGHT_NS, PLAIN, Shown, changed, counted, loaded, midnight_world, muted

from simulator.park.freight import LANDED, LEFT, MADE, Freight
from simulator.park.packml import State
from simulator.validate.audit import Audit

SECOND_NS = 1_000_000_000
STRANDED = """\
faults:
  - {kind: breakdown, at: 0s, for: 144h, target: north/logistics/supplier/resin}
"""


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Four weeks of a plant with order book, gate and port."""
    scenario = loaded(tmp_path_factory.mktemp("month"), HEAD + PLAIN + HARBOUR)
    return Shown(midnight_world(scenario, muted(scenario, "supplier", "order-book")), 28 * 24, 12 * HOUR_NS)


def test_orders_are_conserved(month: Shown) -> None:
    """At every reading of a month: loads ordered = delivered + open."""
    ordered, delivered, open_loads = month.values("book", "ordered_loads", "delivered_loads", "open_loads")
    assert (ordered == delivered + open_loads).all()
    assert delivered[-1] > 40
    assert (np.diff(ordered) >= 0).all()


def test_loads_that_came_fill_orders_or_lie_in_stock(month: Shown) -> None:
    """Lorries that landed in the port: delivered for orders, or in stock, and nothing else."""
    book = counted(month.world, "book")
    assert counted(month.world, "port")["landed_teu"] / 2 == book["delivered"] + book["stock_loads"]


def test_the_book_is_never_fuller_than_it_may_be(month: Shown) -> None:
    """40 loads at most; orders beyond are declined; those that are done are late or not."""
    open_loads, declined, late, done = month.values("book", "open_loads", "declined_count", "late_count", "done_count")
    on_time, lead_h = month.values("book", "on_time_pct", "lead_mean_h")
    assert open_loads.max() <= 40
    assert declined[-1] > 0
    assert done[-1] > 10
    assert on_time[-1] == pytest.approx(100 * (1 - late[-1] / done[-1]), abs=0.051)
    # A book that is always nearly full of a plant that fills some four lorries a day, and a day or two on the way.
    assert 100 < lead_h[-1] < 400


def test_a_slack_of_nothing_makes_orders_late(tmp_path: Path) -> None:
    """Dates reckoned with full pace and no slack cannot be kept: three in four orders are late."""
    scenario = loaded(tmp_path, HEAD + PLAIN)
    world = midnight_world(scenario, changed(muted(scenario), "order-book", planned=1.0, slack=0))
    world.skip(MIDNIGHT_NS + 20 * 24 * HOUR_NS)
    book = counted(world, "book")
    assert book["done"] > 8
    assert book["on_time_pct"] < 25


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        (HEAD + PLAIN + HARBOUR, LANDED),
        (HEAD + PLAIN, LEFT),
        (HEAD + PLAIN.replace(GATE, ""), MADE),
    ],
)
def test_delivered_is_what_came_as_far_as_the_park_sees(
    tmp_path: Path, text: str, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the port if one serves the site, else out of the gate, else out of the factory."""
    followed: list[str] = []
    follow = Freight.follow

    def noted(self: Freight, plant: object, at: str, told: object) -> None:
        followed.append(at)
        follow(self, plant, at, told)  # type: ignore[arg-type]

    monkeypatch.setattr(Freight, "follow", noted)
    midnight_world(loaded(tmp_path, text)).skip(MIDNIGHT_NS + SECOND_NS)
    assert followed[-1] == stage


def presses(folder: Path, faults: str, days: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per half day, of all minutes of the presses: the share in Execute, and the share in Suspended."""
    scenario = loaded(folder, HEAD.replace("seed: 4\n", "seed: 4\n" + faults) + PLAIN)
    types = muted(scenario)
    minutes = types["injection-moulding"].sensors[0].model_copy(update={"period": 60 * SECOND_NS})
    types["injection-moulding"] = types["injection-moulding"].model_copy(update={"sensors": (minutes,)})
    one = Shown(midnight_world(scenario, types), days * 24, 6 * HOUR_NS)
    at, state = (
        np.concatenate(each) for each in zip(*(one.of(f"press-{n}", "state") for n in range(1, 5)), strict=True)
    )
    half_day = (at - one.world.start_ns) // (12 * HOUR_NS)
    total = np.bincount(half_day)
    working, waiting = (np.bincount(half_day, state == wanted) / total for wanted in (State.EXECUTE, State.SUSPENDED))
    return working, waiting


def test_a_supplier_that_delivers_nothing_starves_the_presses(tmp_path: Path) -> None:
    """Six days without a lorry: presses stand, most Suspended, once the stock is used up, until lorries come."""
    working, waiting = presses(tmp_path, "", 9)
    assert working.min() > 0.6
    assert waiting.max() == 0
    working, waiting = presses(tmp_path, STRANDED, 9)
    assert working[:4].min() > 0.6
    assert working[9:11].max() == 0
    assert waiting[9:11].min() >= 0.5
    assert working[-2:].min() > 0.6


def test_a_supplier_delivers_what_is_missing_and_no_more(month: Shown) -> None:
    """What it delivered is what the presses took and what is more in the buffer; the buffer never overflows."""
    (plant,) = [one for one in month.world.park.plants if one.makes]
    granules = plant.buffers["granules"]
    granules.settle()
    taken = sum(one.cycles * port.pieces for one in plant.machines for port in one.ports if port.buffer is granules)
    resin = counted(month.world, "resin")
    assert 5_000_000 + resin["supplied"] - taken == granules.level
    assert resin["deliveries"] > 20
    (on_time, lead_h, delay_h) = month.values("resin", "on_time_pct", "lead_h", "delay_h")
    assert 70 < on_time[-1] <= 100
    late = lead_h > 30.005
    assert (delay_h[late] == pytest.approx(lead_h[late] - 30, abs=0.011)) or not late.any()
    assert (delay_h[lead_h < 29.995] == 0).all()


def test_an_audit_finds_every_piece(tmp_path: Path) -> None:
    """Three days with lorries at the dock: no piece appears or vanishes, in the eyes of `parksim validate`."""
    scenario = loaded(tmp_path, HEAD + PLAIN)
    world = midnight_world(scenario, muted(scenario))
    audit = Audit(world)
    for batch in world.batches(MIDNIGHT_NS + 72 * HOUR_NS, HOUR_NS):
        audit.look(batch)
    assert counted(world, "resin")["deliveries"] > 0
    assert (audit.apart, audit.outside) == (0, 0)
