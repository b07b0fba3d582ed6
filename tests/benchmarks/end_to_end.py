"""From the park to rows of VictoriaMetrics on one machine, beside what each part of the way takes alone. No test.

Run it by hand: it takes some minutes. JSON on standard output:

- ``rates``: readings a second that a whole run at full speed writes, over ``--seconds`` of wall time, and what of them
  the database says to hold;
- ``memory_mb``: of the process that runs and its children together, at a tenth, the middle and the end;
- ``bare``: readings a second that VictoriaMetrics takes from `parksim bench write` with nothing else running.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from servers import HOST, VictoriaMetrics

SCENARIO = Path(__file__).parents[2] / "configs" / "throughput.yaml"
PARKSIM = shutil.which("parksim", path=str(Path(sys.executable).parent)) or "parksim"
TRIAL_S = 60
"""Simulated, to see how fast it goes."""


def run(scenario: Path, store: str, simulated_s: float, folder: Path) -> tuple[dict[str, Any], list[float]]:
    """Run the scenario at full speed; return its result, and the memory of all its processes, once a second, MB."""
    summary = folder / "result.json"
    command = [PARKSIM, "run", str(scenario), "--speed", "max", "--for", f"{simulated_s:.0f}s", "--view", "none"]
    arguments = ["--broker", "mosquitto", "--store", store, "--summary", str(summary)]
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL)
    memory = []
    while process.poll() is None:
        memory.append(sum(map(resident_mb, family(process.pid))))
        time.sleep(1)
    return json.loads(summary.read_text()), memory


def family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        found = [int(child) for child in children.read_text().split()]
    except OSError:
        return []
    return [pid, *(member for child in found for member in family(child))]


def resident_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0


def bare(store: str) -> dict[str, Any]:
    """Return what `parksim bench write` finds, in readings a second."""
    command = [PARKSIM, "bench", "write", str(SCENARIO), "--store", store, "--rounds", "3"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    each = told["settings"]["readings_per_message"]
    return {name: told[name] * each for name in ("raw", "product", "from_json")}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60.0, help="wall time of the run (about)")
    parser.add_argument("--none", action="store_true", help="into a store that forgets, without a database")
    parser.add_argument("--scenario", type=Path, default=SCENARIO)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if wanted.none:
            found = measured(wanted.scenario, "none", wanted.seconds, folder)
        else:
            with VictoriaMetrics(folder) as database:
                found = {"bare": bare(f"influxdb://{HOST}:{database.port}/bare")}
            shutil.rmtree(folder / "data")
            with VictoriaMetrics(folder) as database:
                found |= measured(wanted.scenario, f"influxdb://{HOST}:{database.port}/park", wanted.seconds, folder)
    print(json.dumps(found, indent=2))


def measured(scenario: Path, store: str, seconds: float, folder: Path) -> dict[str, Any]:
    """Run a little to see how fast it goes, then for that long."""
    # in a database of its own, so that the rows of the run can be counted
    trial, _ = run(scenario, store.replace("/park", "/trial"), TRIAL_S, folder)
    per_s = trial["readings"]["written"] / TRIAL_S
    result, memory = run(scenario, store, seconds * trial["rates"]["written_readings_per_s"] / per_s, folder)
    wall_s = result["readings"]["written"] / result["rates"]["written_readings_per_s"]
    return {
        "seconds": round(wall_s, 1),
        "rates": {name: round(rate) for name, rate in result["rates"].items()},
        "cpu": round(result["generator"]["cpu"], 2),
        "messages": result["messages"],
        "rows_found": result["simulated"]["rows_found"],
        "rows_before": result["simulated"]["rows_before"],
        "memory_mb": [round(memory[int(share * (len(memory) - 1))]) for share in (0.1, 0.5, 0.95)],
        "verdict": result["verdict"],
    }


if __name__ == "__main__":
    main()
