"""The user's side of a run: it ends with the right code and without a traceback, whatever happens around it."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from servers import until
from test_result import result

from simulator.errors import ScenarioError
from simulator.run import launch as launch_module
from simulator.run.interrupt import stop_on_signals
from simulator.run.launch import launch

QUICKSTART = Path(__file__).parent.parent / "configs" / "quickstart.yaml"
SHORT = ("--for", "1s", "--speed", "max", "--broker", "memory", "--store", "none")
"""A run that takes no server and no time."""


def start(*arguments: str, before: str = "", **streams: Any) -> subprocess.Popen[bytes]:
    """Start parksim run in a process of its own, after the code ``before``."""
    script = f"import sys; sys.argv[0] = 'parksim'; {before}\nfrom simulator.__main__ import main; main()"
    command = [sys.executable, "-c", script, "run", str(QUICKSTART), *arguments]
    # unbuffered, Python has nothing left at its end that it could fail to write
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment, **pipes | streams)


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    """Wait for the end; return exit code, standard output and standard error."""
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, (out or b"").decode(), (err or b"").decode()


def test_a_result_that_cannot_be_written_is_known_before_the_run(tmp_path: Path) -> None:
    """Nothing is run for a summary that would be lost."""
    code, out, err = ended(start(*SHORT, "--summary", "/proc/parksim.json", cwd=tmp_path))
    assert (code, out, "broker:" in err) == (104, "", False)
    assert "--summary /proc/parksim.json: " in err


@pytest.mark.parametrize(("outcome", "code"), [(0, 104), (105, 105), (106, 106), (107, 107)])
def test_a_result_that_cannot_be_written_in_the_end_hides_no_outcome(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], outcome: int, code: int
) -> None:
    """The summary is printed all the same, and only a pass becomes 104."""
    monkeypatch.setattr(launch_module, "execute", lambda *_, **__: result(exit_code=outcome))
    assert launched(summary_file=Path("/dev/full")) == code
    out, err = capsys.readouterr()
    assert "all that was scheduled is in the store" in out
    assert err == "--summary /dev/full: No space left on device; name a file in a folder that exists and is writable\n"


def launched(**changes: Any) -> int:
    options = {"duration": "1s", "speed": "max", "seed": None, "broker": "memory", "store": "none", "view": "none"}
    return launch(QUICKSTART, **options | {"summary_file": None, "spool": None, "dead_letter_file": None} | changes)


def test_the_file_names_no_host_and_the_screen_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who runs it needs the address; who is given the file must not learn it."""
    reason = "the broker has taken nothing for 30 s: mqtt://plant7.example.com:1883: nobody listens there"
    monkeypatch.setattr(launch_module, "execute", lambda *_, **__: result(exit_code=106, reason=reason))
    file = tmp_path / "r.json"
    assert launched(broker="mqtt://plant7.example.com", summary_file=file) == 106
    assert reason in capsys.readouterr().out
    assert "plant7" not in file.read_text()
    told = "the broker has taken nothing for 30 s: (address): nobody listens there"
    assert json.loads(file.read_text())["reason"] == told


def test_a_full_disk_under_standard_output_is_told(tmp_path: Path) -> None:
    """No traceback; the result is written, and the exit code says that something went wrong."""
    with Path("/dev/full").open("wb") as full:
        code, _, err = ended(start(*SHORT, "--view", "none", "--summary", "r.json", stdout=full, cwd=tmp_path))
    assert (code, err) == (104, "the summary could not be printed: No space left on device\n")
    assert json.loads((tmp_path / "r.json").read_text())["exit_code"] == 0


def test_a_reader_that_left_is_no_failure_of_the_run(tmp_path: Path) -> None:
    """`parksim run ... | head -1` still writes the result, and ends with the code of the run."""
    process = start(*SHORT, "--view", "none", "--summary", "r.json", cwd=tmp_path)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    assert ended(process) == (0, "", "")
    assert json.loads((tmp_path / "r.json").read_text())["exit_code"] == 0


@pytest.mark.parametrize("closed", ["1", "2"])
def test_a_closed_stream_gives_no_traceback(tmp_path: Path, closed: str) -> None:
    """As with `>&-`: without a standard output the summary is lost, which is told; without stderr nothing is."""
    before = f"import os; os.close({closed}); sys.{'stdout' if closed == '1' else 'stderr'} = None"
    code, out, err = ended(start(*SHORT, "--summary", "r.json", before=before, cwd=tmp_path))
    assert (code, "Traceback" in err) == (104 if closed == "1" else 0, False)
    assert ("standard output is closed" in err) == (closed == "1")
    assert ("PASS" in out) == (closed == "2")
    assert json.loads((tmp_path / "r.json").read_text())["exit_code"] == 0


def test_a_view_that_nobody_sees_any_more_ends_nothing(tmp_path: Path) -> None:
    """`parksim run ... 2>&1 | head -1` goes on to its end."""
    process = start(*SHORT, "--summary", "r.json", cwd=tmp_path, stdout=subprocess.DEVNULL)
    assert process.stderr is not None
    process.stderr.close()
    process.stderr = None
    assert ended(process)[0] == 0
    assert json.loads((tmp_path / "r.json").read_text())["exit_code"] == 0


def test_a_terminal_that_is_gone_takes_no_outcome_with_it(tmp_path: Path) -> None:
    """The status line cannot be drawn nor cleared; the run ends well and its result is written."""
    screen, terminal = pty.openpty()
    options = ("--for", "3s", "--broker", "memory", "--store", "none", "--summary", "r.json")
    process = start(*options, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=terminal)
    os.close(terminal)
    drawn = b""
    while b"OEE" not in drawn:
        drawn += os.read(screen, 10_000)
    os.close(screen)
    assert ended(process)[0] == 0
    assert json.loads((tmp_path / "r.json").read_text())["exit_code"] == 0


@pytest.mark.parametrize("module", ["typer", "simulator.run.launch"])
def test_ctrl_c_amid_the_imports_gives_no_traceback(module: str) -> None:
    """The first tenths of a second are no exception: 105, and nothing else said."""
    before = f"""
import os, signal
class Strike:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Strike())"""
    code, out, err = ended(start(*SHORT, before=before))
    assert (code, out, "Traceback" in err) == (105, "", False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_drains_and_says_how_to_end_at_once(tmp_path: Path, number: signal.Signals) -> None:
    """Whoever presses Ctrl-C learns what happens now; a lost connection to the terminal ends as well."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a child inherits that it is ignored, as under nohup
    try:
        process = start("--broker", "memory", "--view", "plain", "--summary", "r.json", cwd=tmp_path)
    finally:
        signal.signal(signal.SIGHUP, before)
    until((tmp_path / "quickstart.db").exists, deadline_s=30, what="the database")
    assert process.stderr is not None
    while b"store:" not in process.stderr.readline():  # then the handlers stand
        pass
    process.send_signal(number)
    code, out, err = ended(process)
    assert (code, json.loads((tmp_path / "r.json").read_text())["exit_code"]) == (105, 105), err
    assert "stopping: draining what is under way; press Ctrl-C again to end at once\n" in err
    assert "interrupted; " in out


def test_a_hang_up_that_is_ignored_stays_ignored() -> None:
    """A run under nohup outlives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop = threading.Event()
    try:
        with stop_on_signals(stop, lambda: None):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert not stop.is_set()


@pytest.mark.parametrize("speed", ["1e-15", "1e300"])
def test_a_speed_beyond_its_limits_gives_a_sentence(speed: str) -> None:
    """No traceback, and the limits are named."""
    with pytest.raises(ScenarioError, match=r"--speed '.*' must be a number from 0\.001 to 1,000,000"):
        launched(speed=speed)
