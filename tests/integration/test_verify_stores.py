"""parksim verify reads back from real databases what a run wrote, and finds what somebody changed there."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from commands import Parksim
from servers import InfluxDB1, VictoriaMetrics

from simulator.park.world import World
from simulator.scenario.loader import load_scenario
from simulator.scenario.quantities import instant_ns

pytestmark = pytest.mark.no_cover

QUICKSTART = Path(__file__).parents[2] / "configs" / "quickstart.yaml"


@pytest.fixture
def parksim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Parksim:
    return Parksim(capsys, monkeypatch)


def run_into(store: str, folder: Path, parksim: Parksim, *, more: str = "") -> None:
    """Run three simulated minutes that are over by now, for some databases show nothing of the future."""
    arguments = ("--for", "3m", "--speed", "max", "--broker", "memory", "--view", "none", "--store", store)
    scenario = folder / "fixed.yaml"
    begun = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
    scenario.write_text(QUICKSTART.read_text().replace("start: now", f"start: {begun}") + more)
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


FOREIGN = """
stored:
  measurement: mqtt_consumer
  topic_tag: topic
  fields: {seq: n, power_kw: active power}
"""


def test_what_another_ingester_stored_under_its_names(
    tmp_path: Path, influxdb1: InfluxDB1, victoria_metrics: VictoriaMetrics, parksim: Parksim
) -> None:
    """As Telegraf would: one measurement, the topic as a tag, other names of fields; then a row is taken away."""
    run_into(f"influxdb://127.0.0.1:{influxdb1.port}/ours?create=true", tmp_path, parksim, more=FOREIGN)
    loaded = load_scenario(tmp_path / "fixed.yaml")
    assets = World(loaded.scenario, loaded.types, instant_ns(loaded.scenario.start)).catalog.assets
    topic_of = {(asset.kind, frozenset(asset.tags.items())): asset.topic for asset in assets}
    lines = []
    for series in influxdb1.query("select * from /.*/ group by *", database="ours"):
        tags = frozenset((name, text) for name, text in series["tags"].items() if text)
        topic = topic_of[series["name"], tags]
        for row in series["values"]:
            fields = dict(zip(series["columns"], row, strict=True))
            time_ms, seq, power = fields.pop("time"), fields.pop("seq"), fields.pop("power_kw", None)
            fields |= {"n": seq, r"active\ power": power}
            text = ",".join(f"{name}={float(value)}" for name, value in fields.items() if value is not None)
            lines.append(f"mqtt_consumer,topic={topic},host=plant {text} {time_ms}")
    influxdb1.query("create database theirs")
    influxdb1.request("/write?db=theirs&precision=ms", body="\n".join(lines).encode())
    victoria_metrics.request("/write?db=theirs&precision=ms", body="\n".join(lines).encode())
    for port in (influxdb1.port, victoria_metrics.port):
        report = verified(parksim, tmp_path, f"influxdb://127.0.0.1:{port}/theirs", code=0)
        assert report["expected"] == report["found"] > 1_000
    time_ms = lines[5].rpartition(" ")[2]
    topic = lines[5].partition("topic=")[2].partition(",")[0]
    influxdb1.query(f"DELETE FROM mqtt_consumer WHERE topic = '{topic}' AND time = {time_ms}ms", database="theirs")
    report = verified(parksim, tmp_path, f"influxdb://127.0.0.1:{influxdb1.port}/theirs", code=107)
    (gone,) = [name for name, counts in report["by_asset"].items() if counts["missing"]]
    assert (gone, report["missing"]) == (topic, lines[5].split(" ", 1)[1].replace(r"\ ", "_").count("="))
