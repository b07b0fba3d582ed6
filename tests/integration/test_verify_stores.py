"""parksim verify reads back from real databases what a run wrote, and finds what somebody changed there."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from commands import Parksim
from servers import InfluxDB1, VictoriaMetrics

pytestmark = pytest.mark.no_cover

QUICKSTART = Path(__file__).parents[2] / "configs" / "quickstart.yaml"


@pytest.fixture
def parksim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Parksim:
    return Parksim(capsys, monkeypatch)


def run_into(store: str, folder: Path, parksim: Parksim) -> None:
    """Run three simulated minutes that are over by now, for some databases show nothing of the future."""
    arguments = ("--for", "3m", "--speed", "max", "--broker", "memory", "--view", "none", "--store", store)
    scenario = folder / "fixed.yaml"
    begun = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
    scenario.write_text(QUICKSTART.read_text().replace("start: now", f"start: {begun}"))
    assert parksim("run", scenario, *arguments, "--summary", folder / "result.json").code == 0


def verified(parksim: Parksim, folder: Path, store: str, *, code: int) -> dict[str, Any]:
    ended = parksim("verify", folder / "result.json", "--store", store)
    assert ended.code == code, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_influxdb_1(tmp_path: Path, influxdb1: InfluxDB1, parksim: Parksim) -> None:
    """Asked in InfluxQL: all is there; then rows are deleted, and one is written over."""
    store = f"influxdb://127.0.0.1:{influxdb1.port}/verify?create=true"
    run_into(store, tmp_path, parksim)
    report = verified(parksim, tmp_path, store, code=0)
    assert report["expected"] == report["found"] > 1_000
    influxdb1.query("DELETE FROM \"injection-moulding\" WHERE machine = 'press-2'", database="verify")
    report = verified(parksim, tmp_path, store, code=107)
    (gone,) = [counts for counts in report["by_asset"].values() if counts["missing"]]
    assert gone["missing"] == gone["expected"] == report["missing"]
    tested = influxdb1.query('SELECT * FROM "device-test" LIMIT 1', database="verify")[0]
    row = dict(zip(tested["columns"], tested["values"][0], strict=True))
    tags = ",".join(f"{name}={row[name]}" for name in ("province", "park", "factory", "line", "machine"))
    line = f"device-test,{tags} seq={row['seq'] + 5}i {row['time']}"
    influxdb1.request("/write?db=verify&precision=ms", body=line.encode())
    assert verified(parksim, tmp_path, store, code=107)["different"] == 1


def test_victoria_metrics(tmp_path: Path, victoria_metrics: VictoriaMetrics, parksim: Parksim) -> None:
    """Asked over its export: all is there; then a series is deleted, and a value comes that nobody sent."""
    store = f"influxdb://127.0.0.1:{victoria_metrics.port}/verify"
    run_into(store, tmp_path, parksim)
    report = verified(parksim, tmp_path, store, code=0)
    assert report["expected"] == report["found"] > 1_000
    series = next(victoria_metrics.series('{__name__="injection-moulding_power_kw",machine="press-3",db="verify"}'))
    labels = {name: value for name, value in series["metric"].items() if name != "__name__"}
    stray = {"metric": {"__name__": "injection-moulding_power_kw", **labels}, "values": [1], "timestamps": [1]}
    stray["timestamps"] = [series["timestamps"][0] + 1]
    victoria_metrics.request("/api/v1/import", body=json.dumps(stray).encode())
    assert verified(parksim, tmp_path, store, code=107)["extra"] == 1
    matched = 'match[]={__name__="injection-moulding_seq",machine="press-3",db="verify"}'
    victoria_metrics.request(
        "/api/v1/admin/tsdb/delete_series",
        body=matched.encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert verified(parksim, tmp_path, store, code=107)["missing"] > 100
