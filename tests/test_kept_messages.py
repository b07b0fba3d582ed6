"""The ledger and gateways of a scenario: what they keep is in flight, what they drop is told apart; all balances."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import ExitCode
from simulator.results.ledger import Ledger
from simulator.results.verdict import Audit, judge

MESSAGES = 8
STEP = st.tuples(st.sampled_from(["let_go", "spill", "receive", "write"]), st.integers(0, MESSAGES - 1))


def scheduled(count: int = MESSAGES) -> Ledger:
    """Return a ledger with so many messages of one asset, all of them kept."""
    ledger = Ledger(1)
    ledger.schedule([0] * count, range(count), [1] * count)
    ledger.keep([0] * count, range(count))
    return ledger


@given(st.lists(STEP, max_size=40))
def test_whatever_gateways_do_the_books_balance(steps: list[tuple[str, int]]) -> None:
    """A message is kept, then dropped or sent; only what was sent arrives; at each step the ends are those of sets."""
    ledger = scheduled()
    kept, dropped, written = set(range(MESSAGES)), set[int](), set[int]()
    for verb, seq in steps:
        if verb in {"let_go", "spill"} and seq in kept:
            kept.discard(seq)
            if verb == "let_go":
                ledger.let_go(0, seq)
                ledger.publish(0, seq)
            else:
                ledger.spill("full", 0, seq)
                dropped.add(seq)
        elif verb in {"receive", "write"} and seq not in kept | dropped:
            getattr(ledger, verb)(0, seq, *([1] if verb == "write" else []))
            written |= {seq} if verb == "write" else set()
        counts = ledger.counts()
        assert (counts.kept, counts.written) == (len(kept), len(written))
        assert counts.dropped == counts.spilled == ({"full": len(dropped)} if dropped else {})
        assert counts.scheduled == len(written) + len(dropped) + counts.in_flight + counts.unaccounted
        under_way = MESSAGES - len(kept) - len(dropped) - len(written)
        assert ledger.unwritten() + counts.unaccounted == under_way
    ledger.finish()
    counts = ledger.counts()
    assert (counts.in_flight, counts.unaccounted) == (len(kept), MESSAGES - len(kept | dropped | written))


def test_what_waits_is_not_lost_when_newer_ones_overtake_it() -> None:
    """Newest first: the last of eight arrives; the others are kept, not unaccounted, and there is credit for them."""
    ledger = scheduled()
    ledger.let_go(0, 7)
    ledger.publish(0, 7)
    ledger.receive(0, 7)
    assert (ledger.counts().unaccounted, ledger.counts().kept, ledger.unwritten()) == (0, 7, 1)
    ledger.write(0, 7, 1)
    assert ledger.unwritten() == 0


def test_what_a_gateway_drops_makes_no_room_at_the_broker() -> None:
    """A drop of what was never handed over does not count as an end of what was."""
    ledger = scheduled()
    ledger.spill("full", [0] * 4, range(4))
    ledger.let_go([0] * 4, range(4, 8))
    ledger.publish([0] * 4, range(4, 8))
    assert ledger.unwritten() == 4


def test_a_message_that_is_sent_again_counts_until_it_comes() -> None:
    """Both travel; the second is known at the bridge by its number."""
    ledger = scheduled(1)
    ledger.let_go(0, 0)
    ledger.publish(0, 0)
    ledger.publish_again(1)
    assert ledger.unwritten() == 2
    ledger.receive(0, 0)
    ledger.write(0, 0, 1)
    assert ledger.unwritten() == 1
    ledger.receive(0, 0)
    assert (ledger.unwritten(), ledger.counts().duplicates, ledger.counts().published) == (0, 1, 1)


def test_a_late_mark_does_not_take_the_place_of_a_newer_one() -> None:
    """Marks of the latest messages are kept; one that was overtaken by more than that gets none, and is believed."""
    ledger = Ledger(1)
    size = ledger._marks.shape[1]
    ledger.schedule([0] * (size + 1), range(size + 1), [1] * (size + 1))
    ledger.mark(0, [size], [77])
    ledger.mark([0], [0], [33])
    assert ledger.is_marked([0], [size], [77]).all()
    assert not ledger.is_marked([0], [size], [33]).any()
    assert ledger.is_marked([0], [0], [99]).all()
    ledger.mark([0], [1], [55])
    assert not ledger.is_marked([0], [1], [99]).any()


def verdict(ledger: Ledger) -> tuple[str, Any]:
    ledger.finish()
    return judge(ledger.counts(), interrupted=False, reason=None, audit=Audit(rows_found=None))


def test_a_scenario_that_wants_drops_does_not_hide_a_loss() -> None:
    """One dropped as wanted, one kept, one that nobody knows of: the loss is told, and so is the rest."""
    ledger = scheduled(3)
    ledger.spill("gateway buffer full", 0, 0)
    ledger.let_go(0, 2)
    ledger.publish(0, 2)
    said, code = verdict(ledger)
    assert said == (
        "data lost: 1 unaccounted of 3 messages, but for what gateways of the scenario did: "
        "1 dropped (gateway buffer full) and 1 still kept"
    )
    assert code == ExitCode.DATA_LOSS
