"""The part that gave way is named from where messages pile up and how the parts spend their time."""

from __future__ import annotations

import pytest

from simulator.load.bottleneck import bottleneck_of, pressure_of
from simulator.load.effort import Effort, process_cpu_s
from simulator.load.tally import Mark
from simulator.results.latency import Latency
from simulator.results.ledger import Ledger


def marks(
    *,
    sent: int = 100,
    delivered: int = 100,
    written: int = 100,
    dropped: int = 0,
    late_s: float = 0.0,
    blocked: float = 0.0,
    writing: float = 0.1,
    listening: float = 0.8,
) -> list[Mark]:
    """Ten seconds of a pipeline; so many messages of 100 a second come past each part, lateness grows by the second."""
    ledger, latency = Ledger(1), Latency()
    found = []
    for second in range(11):
        found.append(
            Mark.of(
                float(second),
                ledger.counts(),
                latency,
                Effort(blocked_s=blocked * second, writing_s=writing * second, listening_s=listening * second),
            )
        )
        first = second * 100
        ledger.schedule([0] * 100, list(range(first, first + 100)), [1] * 100)
        for number, book in (
            (sent, lambda a, s: (ledger.publish(a, s), ledger.acknowledge(a, s))),
            (delivered, ledger.receive),
            (written, lambda a, s: ledger.write(a, s, [1] * len(s))),
        ):
            book([0] * number, list(range(first, first + number)))
        latency.lateness.record([round(late_s * second * 1e9)] * 100)
        if dropped:
            ledger.drop("not sent in time", [0] * dropped, list(range(first + 100 - dropped, first + 100)))
    return found


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({}, "none"),
        ({"sent": 50, "delivered": 50, "written": 50, "late_s": 0.5, "blocked": 0.9}, "broker"),
        ({"sent": 50, "delivered": 50, "written": 50, "late_s": 0.5}, "generator"),
        ({"sent": 90, "delivered": 90, "written": 90, "dropped": 10}, "generator"),
        ({"delivered": 60, "written": 60}, "broker"),
        ({"delivered": 60, "written": 60, "writing": 0.9, "listening": 0.02}, "database"),
        ({"delivered": 60, "written": 60, "writing": 0.2, "listening": 0.02}, "bridge"),
        ({"written": 60, "writing": 0.9, "listening": 0.02}, "database"),
        ({"written": 60, "writing": 0.3, "listening": 0.6}, "database"),
    ],
)
def test_the_part_that_gave_way(changes: dict[str, float], part: str) -> None:
    """From the end to the beginning: a slow database holds up the bridge, and that one the broker."""
    found = bottleneck_of(marks(**changes))  # type: ignore[arg-type]
    assert found is not None
    assert found.part == part, found


def test_how_fast_messages_pile_up() -> None:
    """Each queue by itself, and what the generator dropped."""
    found = pressure_of(marks(sent=90, delivered=70, written=60, dropped=10))
    assert (found.before["bridge"], found.before["database"]) == (pytest.approx(20), pytest.approx(10))
    assert (found.lost_per_s, found.rate_per_s) == (pytest.approx(10), pytest.approx(100))
    assert found.backlog_per_s == pytest.approx(40)


def test_a_queue_that_empties_makes_up_for_nothing() -> None:
    """One part that catches up does not hide another that falls behind."""
    found = pressure_of(marks(delivered=60, written=60))
    assert found.backlog_per_s == pytest.approx(40)
    assert not found.is_flat


def test_too_few_marks_say_nothing() -> None:
    """Two points have a slope, and no meaning."""
    assert bottleneck_of(marks()[:2]) is None
    with pytest.raises(ValueError, match="two marks"):
        pressure_of(marks()[:1])


def test_processor_time_of_a_process_that_is_not_there() -> None:
    """None, as for a broker of someone else."""
    assert process_cpu_s(None) is None
    assert process_cpu_s(2**22 + 1) is None
    assert (process_cpu_s(1) or 0.0) >= 0.0


def test_a_publisher_that_is_a_little_late_has_nothing_waiting() -> None:
    """A few milliseconds are the beat at which messages leave."""
    assert pressure_of(marks(late_s=0.0004)).before["generator"] == 0.0
