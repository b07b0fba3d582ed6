"""Results of load tests to look at: made up, with everything in them that a result can have."""

from __future__ import annotations

import math
from typing import Any

from test_result import result

from simulator.load.files import COLUMNS
from simulator.results.counts import Counts
from simulator.results.load_test import LoadTest
from simulator.results.result import Result

COUNTS = Counts(
    scheduled=1_203_400,
    published=1_203_400,
    acknowledged=1_203_398,
    received=1_203_391,
    written=1_203_389,
    dead_lettered={"value out of range": 2},
    dropped={"not sent in time": 9},
    duplicates=4,
    reordered=0,
    in_flight=0,
    unaccounted=0,
    readings_scheduled=6_017_000,
    readings_written=6_016_945,
)


def block(p99: float, count: int = 1_203_389) -> dict[str, Any]:
    """Percentiles with a long tail."""
    return {
        "p50": p99 / 8,
        "p90": p99 / 3,
        "p99": p99,
        "p999": p99 * 4,
        "p9999": p99 * 11,
        "max": p99 * 15,
        "count": count,
    }


def seconds(length: int) -> dict[str, list[float | None]]:
    """A ramp, a hold in which the database is away for a while, and a spike; nothing is stored while it is away."""
    found: dict[str, list[float | None]] = {name: [] for name in COLUMNS}
    for second in range(1, length + 1):
        share = second / length
        due = 25_000 * min(1.0, share / 0.3) + (10_000 if 0.8 < share <= 0.9 else 0)
        away = 0.5 < share <= 0.56
        wobble = math.sin(second * 2.3) + math.sin(second * 0.7)
        waited = 20_000 * max(0.0, 1 - abs(share - 0.58) * 20)
        values = {
            "wall_s": float(second),
            "due_per_s": due,
            "published_per_s": due + 120 * wobble,
            "received_per_s": due + 150 * wobble,
            "written_per_s": 0.0 if away else min(38_000.0, due + 200 * wobble + waited),
            "dropped_per_s": 9.0 if second == 0.55 * length else 0.0,
            "in_flight": 240 + 40 * wobble + 4 * waited,
            "lateness_p99_ms": 0.9 + 0.2 * wobble,
            "publish_p99_ms": 4.2 + wobble,
            "end_to_end_p50_ms": None if away else 11 + wobble + waited / 60,
            "end_to_end_p99_ms": None if away else 48 + 8 * wobble + waited / 8,
        }
        for name in COLUMNS:
            found[name].append(values[name])
    return found


def probes(number: int) -> list[dict[str, Any]]:
    """Rates up to 40,000/s, of which those up to 31,000/s hold."""
    rates = [40_000 * (place + 1) / number for place in range(number)]
    return [
        {
            "rate_per_s": rate,
            "written_per_s": min(rate, 31_150.0),
            "holds": rate <= 31_200,
            "why": "" if rate <= 31_200 else f"{rate - 31_150:,.0f}/s piled up",
            "backlog_per_s": max(0.0, rate - 31_150),
            "end_to_end_p99_ms": 22 + 9e-9 * rate**2.2 + (max(0.0, rate - 31_200) * 0.8),
            "is_confirmation": place == number - 1,
        }
        for place, rate in enumerate(rates)
    ]


def load_test(length: int = 120, *, tried: int = 9, **changes: Any) -> LoadTest:
    """Return a test with everything in it."""
    whole: dict[str, Any] = {
        "stages": [
            {"name": "warm", "kind": "ramp", "from_s": 0, "to_s": 0.3 * length},
            {"name": "plateau", "kind": "hold", "from_s": 0.3 * length, "to_s": 0.8 * length},
            {"name": "spike", "kind": "spike", "from_s": 0.8 * length, "to_s": 0.9 * length},
            {"name": "after", "kind": "hold", "from_s": 0.9 * length, "to_s": length},
        ],
        "seconds": seconds(length),
        "latency_from_sent_ms": {"publish": block(2.1), "broker": block(7.7), "end_to_end": block(19)},
        "queryable_ms": block(130, 240),
        "bottleneck": {
            "part": "database",
            "because": "412 messages/s piled up before it while it worked 98 % of the time",
            "backlog_per_s": {"generator": 0.0, "bridge": 1.5, "database": 412.3, "dropped": 0.075},
            "busy": {
                "publisher held up by the broker": 0.02,
                "bridge at work": 0.44,
                "bridge waiting for the database": 0.98,
                "cores: generator and bridge": 1.05,
                "cores: broker": 0.21,
            },
        },
        "servers": {"messages that the broker dropped": 3.0, "cores that the database used": 0.75},
        "clocks": {"stepped_ms": 0.0, "drift_ppm": -3.2, "store_offset_ms": 1.4, "store_uncertain_ms": 0.6},
        "disturbances": [
            {
                "kind": "hold",
                "target": "database",
                "from_s": 0.5 * length,
                "to_s": 0.56 * length,
                "recovered_s": 6.1,
                "lost": 0,
            },
            {
                "kind": "delay",
                "target": "bridge",
                "from_s": 0.92 * length,
                "to_s": 0.96 * length,
                "recovered_s": None,
                "lost": 9,
            },
        ],
        "search": {"max_per_s": 31_200, "first_failed_per_s": 35_600, "knee_per_s": 26_700, "probes": probes(tried)},
        "workers": 2,
    }
    return LoadTest.model_validate(whole | changes)


def loaded(load: LoadTest | None = None, **changes: Any) -> Result:
    """Return the result of a test that failed one of its thresholds."""
    thresholds = [
        {"expression": "end_to_end p99 < 250 ms in plateau", "value": 1_412.0, "pass": False},
        {"expression": "end_to_end p99.9 < 1 s", "value": 224.0, "pass": True},
        {"expression": "unaccounted == 0", "value": 0.0, "pass": True},
    ]
    whole: dict[str, Any] = {
        "scenario": {"name": "throughput", "sha256": "0" * 64, "text": "parksim: 1\nname: throughput\n"},
        "verdict": "1 of 3 thresholds failed: end_to_end p99 < 250 ms in plateau",
        "exit_code": 99,
        "latency_ms": {
            "lateness": block(1.1),
            "publish": block(5.2),
            "broker": block(14),
            "end_to_end": block(56),
        },
        "rates": {"published_per_s": 10_028.3, "received_per_s": 10_028.1, "written_readings_per_s": 50_141.2},
        "thresholds": thresholds,
        "generator": {"cpu": 0.82, "calibrated_max_per_s": 61_200.0, "share_of_max": 0.57},
        "load": load or load_test(),
    }
    return result(COUNTS, **(whole | changes))
