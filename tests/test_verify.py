"""parksim verify finds every value that a database should hold, and whatever is wrong with it."""

from __future__ import annotations

import io
import itertools
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import Parksim
from parks import CONFIGS

from simulator.clock import SECOND_NS, FakeClock
from simulator.ingest.readers.values import Reader
from simulator.verify import verification as module
from simulator.verify.progress import Progress

QUICKSTART = CONFIGS / "quickstart.yaml"
START = "2026-03-09T06:00:00+07:00"
PRESS = "binh-duong/vsip2a/wiring-devices/moulding/press-1"


@pytest.fixture
def parksim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Parksim:
    return Parksim(capsys, monkeypatch)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five simulated minutes of the quickstart, always the same, made once."""
    folder = tmp_path_factory.mktemp("original")
    command = [sys.executable, "-m", "simulator", "run", fixed(folder), *run_arguments(folder, "5m")]
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    return folder


@pytest.fixture
def run(tmp_path: Path, original: Path) -> Path:
    """A folder with a result and its database, to do with as one likes."""
    return shutil.copytree(original, tmp_path / "run")


def fixed(folder: Path) -> Path:
    """Write the quickstart with a fixed start; return the file."""
    scenario = folder / "fixed.yaml"
    scenario.write_text(QUICKSTART.read_text().replace("start: now", f"start: {START}"))
    return scenario


def run_of(scenario: Path, folder: Path, parksim: Parksim, duration: str = "5m") -> Path:
    assert parksim("run", scenario, *run_arguments(folder, duration)).code == 0
    return folder


def run_arguments(folder: Path, duration: str) -> tuple[object, ...]:
    arguments = ("--for", duration, "--speed", "max", "--broker", "memory", "--view", "none")
    return (*arguments, "--store", f"sqlite:{folder / 'park.db'}", "--summary", folder / "result.json")


def verified(parksim: Parksim, folder: Path, *arguments: object, code: int) -> dict[str, Any]:
    ended = parksim("verify", folder / "result.json", "--store", f"sqlite:{folder / 'park.db'}", *arguments)
    assert ended.code == code, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def change(folder: Path, statement: str) -> int:
    """Change the database by hand; return how many rows were."""
    with sqlite3.connect(folder / "park.db") as db:
        return db.execute(statement).rowcount


def deviations(report: dict[str, Any]) -> dict[str, int]:
    return {name: report[name] for name in ("missing", "extra", "different", "duplicate")}


def test_what_a_run_wrote_is_what_it_should_have_written(run: Path, parksim: Parksim) -> None:
    """Every reading and number of every row is there, key figures and truth included; exit code 0."""
    report = verified(parksim, run, code=0)
    result = json.loads((run / "result.json").read_text())
    assert report["rows_expected"] == result["messages"]["written"]
    assert report["expected"] == report["found"] == result["readings"]["written"] + result["messages"]["written"]
    assert deviations(report) == {"missing": 0, "extra": 0, "different": 0, "duplicate": 0}
    assert any(topic.endswith("/_kpi") for topic in report["by_asset"])


def test_a_row_that_is_gone_is_missing_value_by_value(run: Path, parksim: Parksim) -> None:
    """All values of the row, of its asset alone; exit code 107."""
    with sqlite3.connect(run / "park.db") as db:
        (asset,) = db.execute("SELECT id FROM assets WHERE topic = ?", (PRESS,)).fetchone()
    assert change(run, f"DELETE FROM 'injection-moulding' WHERE asset = {asset} AND seq BETWEEN 10 AND 19") == 10
    report = verified(parksim, run, code=107)
    assert [topic for topic, counts in report["by_asset"].items() if counts["missing"]] == [PRESS]
    assert report["missing"] >= 20
    shown = report["examples"]
    assert {(one["kind"], one["topic"], one["found"]) for one in shown} == {("missing", PRESS, None)}
    assert {one["expected"] for one in shown if one["field"] == "seq"} <= set(range(10, 20))


def test_a_changed_value_is_different_and_a_foreign_row_is_extra(run: Path, parksim: Parksim) -> None:
    """Each is told with what was expected and what was found."""
    changed = change(run, "UPDATE 'device-test' SET power_kw = power_kw + 1 WHERE seq = 7 AND power_kw IS NOT NULL")
    assert change(run, "UPDATE 'device-assembly' SET time_ms = time_ms + 1 WHERE seq = 9") > 0
    report = verified(parksim, run, code=107)
    assert (report["different"], report["extra"]) == (changed, report["missing"])
    assert report["extra"] > 0
    one = next(one for one in report["examples"] if one["kind"] == "different")
    assert one["found"] == pytest.approx(one["expected"] + 1)


def test_a_stretch_of_a_run_can_be_looked_at(run: Path, parksim: Parksim) -> None:
    """Two stretches that meet have together what the whole has."""
    whole = verified(parksim, run, code=0)
    parts = [verified(parksim, run, option, "2026-03-09T06:02:00+07:00", code=0) for option in ("--from", "--to")]
    assert sum(part["expected"] for part in parts) == whole["expected"]
    assert all(part["expected"] for part in parts)


def test_the_result_of_an_interrupted_run_says_how_far_it_came(run: Path, parksim: Parksim) -> None:
    """What a result does not claim is not looked for, and what was written beyond is not called extra."""
    result = json.loads((run / "result.json").read_text())
    whole = verified(parksim, run, code=0)
    result["simulated"]["until"] = "2026-03-09T06:01:30+07:00"
    (run / "result.json").write_text(json.dumps(result))
    assert 0 < verified(parksim, run, code=0)["expected"] < whole["expected"]


@pytest.mark.parametrize("portion_s", [7, 60])
def test_portions_change_nothing(run: Path, parksim: Parksim, monkeypatch: pytest.MonkeyPatch, portion_s: int) -> None:
    """However much is compared at once, the report is the same."""
    whole = verified(parksim, run, code=0)
    monkeypatch.setattr("simulator.verify.expected.LONGEST_NS", portion_s * SECOND_NS)
    assert verified(parksim, run, code=0) == whole


def test_a_scenario_with_a_fixed_start_needs_no_result(tmp_path: Path, parksim: Parksim) -> None:
    """Its seed and start say everything; another seed gives another park."""
    scenario = fixed(tmp_path)
    run_of(scenario, tmp_path, parksim, "1m")
    looked = (scenario, "--to", "2026-03-09T06:01:00+07:00", "--store", f"sqlite:{tmp_path / 'park.db'}")
    assert parksim("verify", *looked).code == 0
    assert parksim("verify", *looked, "--seed", 3).code == 107


@pytest.mark.no_cover
def test_gateways_that_keep_messages_are_followed(tmp_path: Path, parksim: Parksim) -> None:
    """What came hours late, what a clock dated wrongly and what was sent twice is expected as it was sent."""
    scenario = CONFIGS / "bad-day.yaml"
    run_of(scenario, tmp_path, parksim, "5m")
    report = verified(parksim, tmp_path, code=0)
    assert report["expected"] == report["found"] > 1_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.json", "--store", "sqlite:park.db"), "nowhere.json: cannot be read"),
        ((QUICKSTART, "--store", "sqlite:park.db"), "a park that starts now is another one each time"),
        (("result.json", "--store", "none"), "--store none: cannot be read back"),
        (("result.json", "--store", "sqlite:park.db", "--seed", "3"), "--seed: result.json says which seed"),
        (("result.json", "--store", "sqlite:park.db", "--from", "noon"), "--from noon: is no instant"),
        (("broken.json", "--store", "sqlite:park.db"), "broken.json: is no parksim.result/1"),
    ],
)
def test_what_cannot_be_verified_says_why(
    run: Path, parksim: Parksim, monkeypatch: pytest.MonkeyPatch, arguments: tuple[object, ...], said: str
) -> None:
    """Exit code 104, and what to give instead."""
    monkeypatch.chdir(run)
    (run / "broken.json").write_text('{"schema": 1}')
    ended = parksim("verify", *arguments)
    assert ended.code == 104
    assert said in ended.err


def test_a_database_that_is_not_there_is_out_of_reach(run: Path, parksim: Parksim) -> None:
    """Nothing is created where there was nothing; exit code 106."""
    ended = parksim("verify", run / "result.json", "--store", f"sqlite:{run / 'other.db'}")
    assert (ended.code, (run / "other.db").exists()) == (106, False)
    assert "there is no such file" in ended.err


def test_the_reader_never_asks_for_the_same_time_twice(
    run: Path, parksim: Parksim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The questions to the database join without a gap, so that nothing is found twice or not at all."""
    asked: list[tuple[int, int]] = []
    opened = module.open_reader

    def watched(text: str, catalog: Any, stored: Any) -> Reader:
        reader = opened(text, catalog, stored)
        values = reader.values

        def noted(*, from_ms: int, to_ms: int) -> Any:
            asked.append((from_ms, to_ms))
            return values(from_ms=from_ms, to_ms=to_ms)

        monkeypatch.setattr(reader, "values", noted)
        return reader

    monkeypatch.setattr(module, "open_reader", watched)
    monkeypatch.setattr("simulator.verify.expected.LONGEST_NS", 45 * SECOND_NS)
    verified(parksim, run, code=0)
    assert len(asked) == 7
    assert all(before[1] == after[0] for before, after in itertools.pairwise(asked))


def test_progress_is_a_line_every_ten_seconds_where_nobody_watches() -> None:
    """A log does not fill with it."""
    clock, stream = FakeClock(), io.StringIO()
    progress = Progress("verify", stream, clock)
    for second in range(25):
        clock.advance(SECOND_NS)
        progress(second / 24)
    progress.close()
    assert stream.getvalue() == "verify: 38%\nverify: 79%\n"
