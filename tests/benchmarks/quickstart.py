"""How fast the quickstart runs and starts: whole processes, medians of rounds as JSON. No test: it judges nothing.

Yardsticks alternate with the product in the same run: for the run, an hour is an hour; for the start, a bare Python
that imports NumPy and typer.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 5
SCENARIO = Path(__file__).parents[2] / "configs" / "quickstart.yaml"
PARKSIM = shutil.which("parksim", path=str(Path(sys.executable).parent)) or "parksim"
RUN = [PARKSIM, "run", str(SCENARIO), "--view", "none"]


def seconds(*command: str) -> float:
    """Return the wall time of a whole process that must end well."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


def hour(folder: Path, broker: str) -> float:
    """Return how many times faster than real time an hour at full speed goes into SQLite."""
    store = f"sqlite:{folder / 'hour.db'}"
    return 3600 / seconds(*RUN, "--for", "1h", "--speed", "max", "--broker", broker, "--store", store)


def first_reading(folder: Path) -> float:
    """Return seconds from the start of the process to the first row that another process can read."""
    file = folder / "first.db"
    begun = time.perf_counter()
    store = f"sqlite:{file}"
    process = subprocess.Popen(
        [*RUN, "--for", "3s", "--broker", "embedded", "--store", store], stdout=subprocess.DEVNULL
    )
    try:
        while time.perf_counter() - begun < 60:
            if has_rows(file):
                return time.perf_counter() - begun
            time.sleep(0.01)
    finally:
        process.wait()
    message = "no row within a minute"
    raise TimeoutError(message)


def has_rows(file: Path) -> bool:
    if not file.exists():
        return False
    try:
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as db:
            kinds = [kind for (kind,) in db.execute("select name from sqlite_master where type = 'table'")]
            machines = [kind for kind in kinds if kind not in {"assets", "runs"}]
            return any(db.execute(f'select 1 from "{kind}" limit 1').fetchone() for kind in machines)
    except sqlite3.OperationalError:
        return False


def main() -> None:
    """Measure and print."""
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            one = {
                "help_s": seconds(PARKSIM, "--help"),
                "python_s": seconds(sys.executable, "-c", "import numpy, typer"),
                "times_real_time_embedded": hour(folder, "embedded"),
                "first_reading_s": first_reading(folder),
            }
            if shutil.which("mosquitto"):
                one["times_real_time_mosquitto"] = hour(folder, "mosquitto")
            rounds.append(one)
    medians = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
    result = {"bench": "quickstart", "median": medians, "rounds": rounds, "cpu_cores": os.cpu_count()}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
