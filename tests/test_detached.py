"""A park in a process of its own says what it says in this one, and its end is noticed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parks import quickstart

from simulator.clock import FakeClock, RealClock
from simulator.errors import SourceError
from simulator.publish.detached import Detached
from simulator.publish.source import Shipping, Source
from simulator.publish.workshop import Workshop
from simulator.run.execute import is_fast, open_source
from simulator.run.options import Options
from simulator.scenario.loader import load_scenario

SECOND_NS = 1_000_000_000
MONDAY = datetime(2025, 3, 10, tzinfo=UTC)
WINDOW_NS = 10 * SECOND_NS
CONFIGS = Path(__file__).parent.parent / "configs"


def fixed(**changes: Any) -> Any:
    """Return the quickstart's scenario at a fixed start, with some keys changed."""
    return quickstart().scenario.model_copy(update={"start": MONDAY, "warm_up": 0, **changes})


def shipping(source: Source, *, until_ns: int | None) -> Shipping:
    lanes = np.zeros(len(source.catalog.assets), dtype=np.int64)
    return Shipping(qos=1, version=5, outlet_of=lanes, outlets=1, until_ns=until_ns, window_ns=WINDOW_NS)


@pytest.fixture
def detached() -> Iterator[Detached]:
    with Detached(fixed(), quickstart().types, stop=threading.Event()) as source:
        yield source


def told(source: Source, *, windows: int) -> tuple[Any, ...]:
    """Return all that a source says of some windows and at the end, as plain data."""
    until_ns = source.start_ns + windows * WINDOW_NS
    found = [
        (one.consignment.block.data.tobytes(), one.consignment.marks.tolist(), one.consignment.until_ns, one.park)
        for one in source.windows(shipping(source, until_ns=until_ns))
    ]
    assert len(found) == windows
    return source.origin_ns, source.clocks_off_ms, source.catalog.assets, found, source.end(windows, until_ns)


def test_it_says_the_same_in_both_processes(detached: Detached) -> None:
    """Bytes, checksums, figures of the park, catalogue and last words are those of a park in this process."""
    here = Workshop(fixed(), quickstart().types, RealClock(), stop=lambda: False, orders=None)
    assert told(detached, windows=3) == told(here, windows=3)


def test_it_tells_the_cpu_time_of_its_windows(detached: Detached) -> None:
    """Making windows takes time, and more of them more."""
    spent = [one.cpu_s for one in islice(detached.windows(shipping(detached, until_ns=None)), 4)]
    assert 0 < spent[0] < spent[1] < spent[3]


def test_last_words_are_of_the_window_that_was_asked_for(detached: Detached) -> None:
    """Windows that were made ahead, and nobody took, do not count."""
    windows = detached.windows(shipping(detached, until_ns=None))
    seen = [next(windows) for _ in range(2)]
    ending = detached.end(2, detached.start_ns + 2 * WINDOW_NS)
    assert ending.park is not None
    assert {name: ending.park[name] for name in ("running", "energy_kwh")} == {
        name: seen[1].park[name] for name in ("running", "energy_kwh")
    }


def test_a_process_that_is_killed_is_noticed(detached: Detached) -> None:
    """Whoever waits for a window hears that it will not come, and with which status its maker ended."""
    windows = detached.windows(shipping(detached, until_ns=None))
    next(windows)
    os.kill(detached.pid, signal.SIGKILL)
    with pytest.raises(SourceError, match="has ended, with status -9"):
        list(windows)


def test_a_failure_there_is_raised_here() -> None:
    """Whatever goes wrong while the park is built comes out as it is."""
    with pytest.raises(TypeError):
        Detached(fixed(start="never"), quickstart().types, stop=threading.Event())


def test_a_warm_up_ends_when_the_run_is_stopped() -> None:
    """Ten years of warm-up are cut short, and the process ends."""
    stop = threading.Event()
    stop.set()
    with Detached(fixed(warm_up=3650 * 86_400 * SECOND_NS), quickstart().types, stop=stop) as source:
        assert source.catalog.assets


def test_it_catches_up_with_the_clock() -> None:
    """A park that starts now has moved on after its warm-up, to the whole second."""
    with Detached(fixed(start="now"), quickstart().types, stop=threading.Event()) as source:
        source.catch_up()
        assert source.start_ns % SECOND_NS == 0
        assert 0 <= RealClock().now_ns() - source.start_ns < 60 * SECOND_NS


@pytest.mark.parametrize(
    ("readings_per_s", "speed", "duration_s", "expected"),
    [
        (65.0, 1.0, None, False),
        (65.0, 60.0, None, False),
        (50_000.0, 1.0, 10, True),
        (65.0, None, 60, False),
        (65.0, None, 86_400, True),
        (65.0, None, None, True),
    ],
)
def test_a_park_that_says_much_has_a_process(
    readings_per_s: float, speed: float | None, duration_s: int | None, *, expected: bool
) -> None:
    """By what it says a second of wall time, or at full speed by what it says in all."""
    duration_ns = None if duration_s is None else duration_s * SECOND_NS
    options = Options(seed=1, speed=speed, duration_ns=duration_ns, broker="memory", store="none")
    assert is_fast(readings_per_s, options) is expected


@pytest.mark.parametrize(("scenario", "kind"), [("throughput.yaml", Detached), ("quickstart.yaml", Workshop)])
def test_a_run_opens_the_source_that_fits(scenario: str, kind: type) -> None:
    """The quickstart is simulated in this process, the park for throughput in another."""
    loaded = load_scenario(CONFIGS / scenario)
    options = Options(seed=1, speed=1.0, duration_ns=SECOND_NS, broker="memory", store="none")
    with ExitStack() as stack:
        made = open_source(stack, loaded, options, clock=FakeClock(), stop=threading.Event())
        assert isinstance(made, kind)
