"""What leaves gateways: nothing is changed while all is well; kept, late, dated wrong, twice and overtaken if not."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import orjson
import pytest
from networks import EAST, GATEWAY, MINUTE_NS, WEST, Sent, fault, networked, plainly
from parks import MONDAY_NS
from plain_json import Message

from simulator.batch import Batch
from simulator.publish.forwarding import rank

MS = 1_000_000
SECOND_NS = 1_000_000_000
CUTS = (fault("breakdown", EAST, "1m", "3m"), fault("breakdown", WEST, "2m", "90s"))
"""Nothing leaves from the second minute to some seconds after half past the third."""
SKEW = fault("clock_skew", GATEWAY, "30s", "3m", offset_ms=50, ppm=200)


def said(message: Message) -> dict[str, object]:
    found: dict[str, object] = orjson.loads(message.payload)
    return found


def test_a_gateway_that_works_changes_nothing(tmp_path: Path) -> None:
    """Message for message the bytes, the order and the instants are those of the park."""
    loaded = networked(tmp_path)
    assert Sent(loaded, minutes=5).messages == plainly(loaded, minutes=5)


def test_what_waited_leaves_late_and_as_it_was(tmp_path: Path) -> None:
    """After an outage the messages are those of the park, in the order of each asset; what waited leaves spaced."""
    loaded = networked(tmp_path, *CUTS, flush_per_s=50)
    sent, born = Sent(loaded, minutes=6), plainly(loaded, minutes=6)
    assert Counter(one.payload for one in sent.messages) == Counter(one.payload for one in born)
    for asset in {one.asset for one in born}:
        numbers = [one.seq for one in sent.messages if one.asset == asset]
        assert numbers == list(range(len(numbers)))
    late = [one for one in sent.messages if one.due_ns > one.time_ns]
    assert len(late) > 1_000
    assert {later.due_ns - one.due_ns for one, later in pairwise(late)} == {SECOND_NS // 50}
    first_back = late[0].due_ns
    assert late[0].time_ns - MONDAY_NS == pytest.approx(2 * MINUTE_NS, abs=SECOND_NS)
    assert first_back - MONDAY_NS == pytest.approx(3.5 * MINUTE_NS + 11 * SECOND_NS, abs=5 * SECOND_NS)
    truth = [one for one in sent.messages if one.topic.endswith("/_truth")]
    assert len(truth) >= 4
    assert all(one.due_ns == one.time_ns for one in truth)


def test_newest_first_brings_new_ones_at_once(tmp_path: Path) -> None:
    """After the outage whatever is measured leaves at once, and the backlog from its young end."""
    sent = Sent(networked(tmp_path, *CUTS, flush_per_s=50, order="newest_first"), minutes=6)
    late = [one for one in sent.messages if one.due_ns > one.time_ns]
    assert len(late) > 1_000
    assert all(one.time_ns >= later.time_ns for one, later in pairwise(late))
    assert max(one.time_ns for one in late) < min(one.due_ns for one in late)


def test_a_full_buffer_drops_the_oldest_and_the_numbers_show_it(tmp_path: Path) -> None:
    """With room for 200 the last 200 that came in the outage are there; the others are gaps, and counted."""
    loaded = networked(tmp_path, *CUTS, buffer=200)
    sent = Sent(loaded, minutes=6)
    late = [one for one in sent.messages if one.due_ns > one.time_ns]
    dropped = sent.dropped()
    back = min(one.due_ns for one in late)
    assert sum(one.time_ns < back for one in late) == 200
    arrived = {(one.asset, one.seq) for one in sent.messages}
    lost = {(int(asset), int(seq)) for _, asset, seq in dropped}
    everything = {(int(asset), int(seq)) for _, asset, seq, _ in sent.born()}
    assert arrived | lost == everything
    assert not arrived & lost
    times = {(one.asset, one.seq): one.time_ns for one in plainly(loaded, minutes=6)}
    assert max(times[one] for one in lost) <= min(one.time_ns for one in late)
    assert len(lost) > 1_000


def test_a_clock_that_is_off_shifts_the_time_and_nothing_else(tmp_path: Path) -> None:
    """In the spell messages are dated 50 ms and a fifth of a millisecond per second late; they leave as ever."""
    loaded = networked(tmp_path, SKEW)
    born = {(one.asset, one.seq): one for one in plainly(loaded, minutes=5)}
    sent = Sent(loaded, minutes=5)
    traffic = sent.world.traffic
    assert traffic is not None
    carried = np.flatnonzero(traffic.carrier == 0)
    shifted = 0
    for one in sent.messages:
        true = born[one.asset, one.seq]
        since_s = (true.time_ns - MONDAY_NS) / SECOND_NS - 30
        in_spell = one.asset in carried and 0 <= since_s < 180
        wanted = round(50 + 0.2 * since_s) if in_spell else 0
        if since_s < 180 or since_s > 181:
            assert (one.time_ns - true.time_ns) // MS == pytest.approx(wanted, abs=0.51 if in_spell else 0)
        assert one.due_ns == true.time_ns
        assert said(one) == said(true) | {"t": one.time_ns // MS}
        shifted += one.time_ns != true.time_ns
    assert shifted > 2_000
    assert traffic.clocks_off_ms() == (0, 86)


@pytest.mark.parametrize("offset_ms", [-3_000, 3_000])
def test_no_asset_says_one_instant_twice(tmp_path: Path, offset_ms: int) -> None:
    """Where a clock is set back dates go on by a millisecond each until true time has caught up."""
    sent = Sent(networked(tmp_path, fault("clock_skew", GATEWAY, "1m", "1m", offset_ms=offset_ms)), minutes=3)
    press = [one.time_ns for one in sent.of("press-1")]
    steps = Counter(later - one for one, later in pairwise(press))
    assert min(steps) == MS
    assert 3 <= steps[MS] <= 6
    assert press[-1] == sent.of("press-1")[-1].due_ns


def test_messages_that_are_sent_twice_are_the_same(tmp_path: Path) -> None:
    """A tenth comes again, within two seconds, with the same bytes and number; the rest comes once."""
    twice = fault("duplicates", GATEWAY, "1m", "3m", chance=0.1)
    sent = Sent(networked(tmp_path, twice), minutes=5)
    once = {(one.asset, one.seq): one for one in sent.messages if not one.again}
    again = [one for one in sent.messages if one.again]
    assert list(once.values()) == plainly(networked(tmp_path, twice), minutes=5)
    in_spell = sum(MINUTE_NS <= one.due_ns - MONDAY_NS < 4 * MINUTE_NS for one in once.values())
    assert len(again) / in_spell == pytest.approx(0.1, abs=0.015)
    for one in again:
        first = once[one.asset, one.seq]
        assert one.payload == first.payload
        assert MS <= one.due_ns - first.due_ns <= 2 * SECOND_NS
    assert len({(one.asset, one.seq) for one in again}) == len(again)


def test_messages_that_take_longer_are_overtaken(tmp_path: Path) -> None:
    """A twentieth is late by up to five seconds, and comes after later ones of its asset; none is lost."""
    late = fault("reorder", GATEWAY, "1m", "3m", chance=0.05)
    sent = Sent(networked(tmp_path, late), minutes=5)
    delays = np.array([one.due_ns - one.time_ns for one in sent.messages])
    assert (delays > 0).mean() == pytest.approx(0.6 * 0.05, abs=0.006)
    assert delays.max() <= 5 * SECOND_NS
    born = plainly(networked(tmp_path, late), minutes=5)
    assert Counter(one.payload for one in sent.messages) == Counter(one.payload for one in born)
    numbers = [one.seq for one in sent.of("press-1")]
    assert sum(later < one for one, later in pairwise(numbers)) > 5


def test_what_is_on_its_way_at_the_end_arrives(tmp_path: Path) -> None:
    """A run ends; messages that left and take longer come by then, and what waits in the gateway stays there."""
    slow = fault("reorder", GATEWAY, "0s", "10m", chance=1, within="1h")
    sent = Sent(networked(tmp_path, slow), minutes=1)
    assert len(sent.messages) == len(sent.born())
    assert max(one.due_ns for one in sent.messages) == sent.until_ns
    shut = Sent(networked(tmp_path, fault("breakdown", GATEWAY, "30s", "10m")), minutes=1)
    assert 0 < len(shut.messages) < len(shut.born())


@pytest.mark.parametrize("window_s", [1, 7, 360])
def test_windows_do_not_change_what_leaves(tmp_path: Path, window_s: int) -> None:
    """With cuts, a full buffer, skew, duplicates and disorder: the same messages at the same instants."""
    loaded = networked(
        tmp_path,
        *CUTS,
        SKEW,
        fault("duplicates", GATEWAY, "1m", "4m", chance=0.2),
        fault("reorder", GATEWAY, "2m", "3m", chance=0.2),
        buffer=300,
        flush_per_s=30,
    )
    whole, cut = Sent(loaded, minutes=6), Sent(loaded, minutes=6, window_ns=window_s * SECOND_NS)
    assert cut.messages == whole.messages
    assert cut.dropped().tolist() == whole.dropped().tolist()
    assert len(whole.dropped()) > 100


def test_what_is_sent_is_seeded(tmp_path: Path) -> None:
    """Another seed lets others be sent twice."""
    loaded = networked(tmp_path, fault("duplicates", GATEWAY, "0s", "4m", chance=0.2))
    other = networked(tmp_path, fault("duplicates", GATEWAY, "0s", "4m", chance=0.2))
    object.__setattr__(other, "scenario", other.scenario.model_copy(update={"seed": 5}))
    picked = [[one.seq for one in Sent(one, minutes=1).of("press-1") if one.again] for one in (loaded, loaded, other)]
    assert picked[0] == picked[1] != picked[2]


def test_a_slice_takes_what_was_born_and_dropped_in_its_time(tmp_path: Path) -> None:
    """Cut anywhere, the parts of a batch hold each row and each event once."""
    sent = Sent(networked(tmp_path, *CUTS, buffer=50), minutes=4)
    batch = max(sent.batches, key=lambda one: 0 if one.relayed is None else len(one.relayed.dropped))
    assert batch.relayed is not None
    middle = len(batch) // 2
    at_ns = int(batch.relayed.due_ns[middle])
    middle = int(np.searchsorted(batch.due_ns, at_ns))
    parts = [
        batch.part(0, middle, from_ns=0, until_ns=at_ns),
        batch.part(middle, len(batch), from_ns=at_ns, until_ns=batch.until_ns),
    ]
    for column in ("born", "dropped", "seq", "due_ns"):
        found = np.concatenate([getattr(part.relayed, column) for part in parts])
        assert found.tolist() == getattr(batch.relayed, column).tolist()
    assert Batch.join(parts).value.tolist() == batch.value.tolist()


def test_the_rank_of_equal_numbers() -> None:
    """How many equal ones stand before each."""
    assert rank(np.array([4, 2, 4, 4, 2, 9])).tolist() == [0, 0, 1, 2, 1, 0]
    assert rank(np.array([], dtype=np.int64)).tolist() == []
