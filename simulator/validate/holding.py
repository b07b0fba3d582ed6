"""What must hold at every moment: nothing appears or vanishes, counters never fall, each label has its cause."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.park.packml import NEXT, State
from simulator.validate.figures import Figure, compare
from simulator.validate.observed import Observed

__all__ = ["holding"]

SECTION, MS = "what must hold", 1_000_000
CONSERVED = "conservation: what is in is what came less what went [M]"
COUNTED = "a counter counts up [M]"
PACKML = "ISA-TR88.00.02, PackML: the ways between states [V2]"
LABELS = "AI4I 2020 (UCI): labels that rules recompute exactly [V]"
ROUNDED_W = 0.5
"""Power flows in whole watts, so the loss of a feeder is rounded at each change."""


def holding(observed: Observed) -> Iterator[Figure]:
    """Yield how often each law was broken, which is never."""
    audit = observed.audit
    laws = (
        ("good pieces that appeared in buffers or vanished from them", audit.apart, CONSERVED),
        ("buffers seen below nothing or above their capacity", audit.outside, CONSERVED),
        ("counters of energy, good or bad pieces that fell", audit.fallen, COUNTED),
        ("pieces that are neither good nor bad", unsorted(observed), CONSERVED),
        ("changes of state that PackML does not know", unknown_ways(observed), PACKML),
        ("breakdowns without a label of the same instant", without_cause(observed), LABELS),
    )
    for name, count, source in laws:
        yield compare(SECTION, name, ours=count, published=0.0, unit="1", source=source)
    yield compare(
        SECTION,
        "feeders less what is behind them with its loss, mean of the worst hour",
        ours=audit.astray_w,
        published=0.0,
        unit="W",
        source=CONSERVED,
        tolerance=ROUNDED_W,
    )


def unsorted(observed: Observed) -> int:
    """Return how many pieces are neither good nor bad: more good ones than all, or fewer than none."""
    good, processed = observed.tally.good, observed.tally.processed
    return int(np.maximum(good - processed, 0.0).sum() + np.maximum(-good, 0.0).sum())


def unknown_ways(observed: Observed) -> int:
    """Return how many changes of state are no way in PackML."""
    ways = {(int(before), int(after)) for before in State for after in NEXT[before]}
    gone = (zip(state[:-1].tolist(), state[1:].tolist(), strict=True) for _, state in observed.entered.values())
    return sum(pair not in ways for pairs in gone for pair in pairs)


def without_cause(observed: Observed) -> int:
    """Return how often a machine became Aborting when no fault or loss of power of it began."""
    # A machine that has just changed its state aborts a millisecond later.
    return sum(
        not {(asset, at_ns), (asset, at_ns - MS)} & observed.causes
        for asset, (entered_ns, state) in observed.entered.items()
        for at_ns in entered_ns[state == State.ABORTING].tolist()
        if at_ns > observed.from_ns
    )
