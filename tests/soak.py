"""The cases of durability.py at full length, one after the other: `make soak`. JSON on standard output.

A case that went otherwise than it must ends in exit code 1, after all have run.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import durability

LEFT_OUT = {"request_times_s", "request_bytes", "said"}
"""What is long and says little in a table."""
Found = dict[str, Any]


def is_whole(found: Found) -> bool:
    return bool(found["missing"] == 0 and found["rows"] == found["messages"])


def is_told(found: Found) -> bool:
    return bool(found["missing"] == found["missing_reported"] > 0 and found["told_within_s"] <= 5)


CASES: dict[str, tuple[Callable[[Path], Found], Callable[[Found], bool]]] = {
    "1 bridge killed 50 times": (lambda f: durability.bridge_killed(f, kills=50, messages=200_000), is_whole),
    "2 durable broker killed 10 times": (lambda f: durability.broker_killed(f, kills=10, messages=30_000), is_whole),
    "2 broker with its defaults killed": (
        lambda f: durability.broker_killed_without_persistence(f, messages=20_000),
        is_told,
    ),
    "3 database away for three minutes": (
        lambda f: durability.database_away(f, away_s=180, per_s=5_000),
        lambda found: is_whole(found) and found["memory_growth_mb"] <= 64 and found["drained_times_input"] >= 2,
    ),
    "4 database never answers": (
        lambda f: durability.database_hangs(f, messages=20_000),
        lambda found: is_whole(found) and found["stopped_s"] <= 36,
    ),
    "5 Retry-After 7": (
        lambda f: durability.retry_after(f, messages=20_000),
        lambda found: is_whole(found) and found["quiet_s"] >= 7,
    ),
    "6 refused with 401": (lambda f: durability.database_refuses(f, messages=20_000, status=401, times=5), is_whole),
    "6 refused with 404": (lambda f: durability.database_refuses(f, messages=20_000, status=404, times=5), is_whole),
    "7 one bad row of 5,000": (
        lambda f: durability.bad_line(f, messages=5_000, status=400),
        lambda found: found["rows"] == 4_999 and len(found["dead_letters"]) == 1,
    ),
    "8 bodies too large": (lambda f: durability.too_large(f, messages=100_000), is_whole),
    "9 slow subscriber": (lambda f: durability.slow_subscriber(f, messages=20_000), is_told),
    "11 published without a broker": (lambda f: durability.offline(f, messages=70_000), is_whole),
}


def main() -> int:
    """Run all cases, or those whose numbers are given; return the exit code."""
    wanted = set(sys.argv[1:])
    table: dict[str, Found] = {}
    for name, (case, is_well) in CASES.items():
        if wanted and name.split()[0] not in wanted:
            continue
        print(name, file=sys.stderr, flush=True)
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="parksim-soak-") as folder:
            found = case(Path(folder))
        if isinstance(letters := found.get("dead_letters"), list):
            found["dead_letters"] = len(letters)
        found = {key: value for key, value in found.items() if key not in LEFT_OUT}
        rows = is_well(found | {"dead_letters": letters or []})
        table[name] = {"passed": rows, **found, "took_s": round(time.monotonic() - began, 1)}
        print(json.dumps(table[name]), file=sys.stderr, flush=True)
    print(json.dumps(table, indent=2))
    return int(not all(found["passed"] for found in table.values()))


if __name__ == "__main__":
    sys.exit(main())
