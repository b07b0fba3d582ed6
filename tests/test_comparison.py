"""Two sets of values are compared exactly: what is missing, extra, different or there twice is counted as such."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from presses import START_MS, catalog_of

from simulator.ingest.readers.values import Values
from simulator.verify.comparison import DEVIATIONS, Comparison

CATALOG = catalog_of()
FIELDS = len(CATALOG) + len(CATALOG.assets)
SECONDS = 40
POWER = 1
"""The number of the first press's power: a decimal of one digit."""


def values_of(cells: dict[tuple[int, int], float]) -> Values:
    """Return values by field and second."""
    field, second = np.array(list(cells), dtype=np.int64).reshape(-1, 2).T
    return Values(field, START_MS + 1000 * second, np.array(list(cells.values()), dtype=np.float64))


def compared(expected: Values, found: Values, *, cuts: list[int], late: bool = False) -> Comparison:
    """Compare in stretches that end at the cuts, seconds; expected in theirs or, if late, all in the last."""
    comparison = Comparison(CATALOG, from_ms=START_MS)
    begin = 0
    for cut in [*sorted(cuts), SECONDS]:
        parts = []
        for values in (expected, found):
            second = (values.time_ms - START_MS) // 1000
            parts.append(values.picked((second >= begin) & (second < cut)))
        if late:
            parts[0] = expected if cut == SECONDS else Values.none()
        comparison.compare(*parts, until_ms=START_MS + 1000 * cut)
        begin = cut
    comparison.finish()
    return comparison


def counts(comparison: Comparison) -> dict[str, int]:
    return {name: comparison.total(name) for name in ("expected", "found", *DEVIATIONS)}


CELLS = st.dictionaries(
    st.tuples(st.integers(0, FIELDS - 1), st.integers(0, SECONDS - 1)), st.integers(0, 1000).map(float), min_size=1
)


@given(CELLS, st.lists(st.integers(1, SECONDS - 1), max_size=4, unique=True), st.data(), st.booleans())
def test_every_deviation_is_counted_once(
    cells: dict[tuple[int, int], float],
    cuts: list[int],
    data: st.DataObject,
    late: bool,  # noqa: FBT001 - drawn
) -> None:
    """Whatever is taken away, added, changed or doubled, in whatever stretches, and however late it is expected."""
    keys = sorted(cells)
    gone = data.draw(st.sets(st.sampled_from(keys)))
    kept = [key for key in keys if key not in gone]
    changed = data.draw(st.sets(st.sampled_from(kept))) if kept else set()
    added = data.draw(CELLS.map(lambda more: {key: value for key, value in more.items() if key not in cells}))
    there = {key: cells[key] + (5.0 if key in changed else 0.0) for key in kept} | added
    doubled = data.draw(st.sets(st.sampled_from(sorted(there)))) if there else set()
    found = Values.joined([values_of(there), values_of({key: there[key] for key in doubled})] if there else [])
    assert counts(compared(values_of(cells), found, cuts=cuts, late=late)) == {
        "expected": len(cells),
        "found": len(there),
        "missing": len(gone),
        "extra": len(added),
        "different": len(changed),
        "duplicate": len(doubled),
    }


def test_the_resolution_of_the_sensor_decides() -> None:
    """With one decimal 41.24 is 41.2 and 41.26 is not; a sequence number must be the very same."""
    cells = {(POWER, 0): 41.2, (POWER, 1): 41.2, (len(CATALOG), 0): 7.0}
    there = {(POWER, 0): 41.24, (POWER, 1): 41.26, (len(CATALOG), 0): 8.0}
    comparison = compared(values_of(cells), values_of(there), cuts=[])
    assert comparison.total("different") == 2
    shown = [(one.kind, one.topic, one.field, one.expected, one.found) for one in comparison.examples]
    topic = CATALOG.assets[0].topic
    assert shown == [("different", topic, "power_kw", 41.2, 41.26), ("different", topic, "seq", 7.0, 8.0)]


def test_deviations_are_told_by_asset() -> None:
    """Only of assets of which something was expected or found."""
    cells = {(POWER, second): 1.0 for second in range(5)}
    ((topic, told),) = compared(values_of(cells), values_of({(POWER, 0): 1.0}), cuts=[]).by_asset()
    assert (topic, told["expected"], told["missing"]) == (CATALOG.assets[0].topic, 5, 4)


def test_few_examples_are_kept() -> None:
    """Ten of each kind, however many there are."""
    cells = {(POWER, second): 1.0 for second in range(SECONDS)}
    comparison = compared(values_of(cells), Values.none(), cuts=[])
    assert (comparison.total("missing"), len(comparison.examples)) == (SECONDS, 10)
