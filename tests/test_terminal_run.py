"""`parksim run --view terminal`, in a real terminal: the view shows and asks, and never decides how a run ends."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

from live_documents import EXECUTE, feed, snapshot
from parks import CONFIGS
from terminals import InTerminal

from simulator.view.terminal.view import TerminalView

RUN = ("run", CONFIGS / "quickstart.yaml", "--broker", "memory", "--store", "none", "--view", "terminal")
FULL = "\x1b[?1049h"
NORMAL = "\x1b[?1049l"


def test_a_run_ends_by_itself_and_leaves_its_summary(tmp_path: Path) -> None:
    """The verdict stays until a key; then the screen is given back, and the summary goes to standard output."""
    with InTerminal(*RUN, "--for", "3s", cwd=tmp_path) as terminal:
        terminal.waits_for(" PASS  ")
        assert terminal.process.poll() is None
        terminal.press("x")
        code, out = terminal.ended()
        assert (code, terminal.modes_now()) == (0, terminal.modes)
        drawn = terminal.drawn
    assert "quickstart" in drawn
    assert "  PASS  " in out
    assert "unaccounted ........: 0" in out
    assert drawn.index(FULL) < drawn.index(NORMAL) < drawn.rindex("broker: In-memory broker")


def test_q_stops_a_run_as_ctrl_c_does(tmp_path: Path) -> None:
    """It drains and tells its verdict; exit code 105."""
    with InTerminal(*RUN, "--lang", "vi", cwd=tmp_path) as terminal:
        terminal.waits_for("vsip2a/")
        terminal.press("q")
        terminal.waits_for("nhấn phím bất kỳ")
        terminal.press("x")
        code, out = terminal.ended()
        assert "stopping: draining" in terminal.drawn
    assert code == 105
    assert "EXIT 105" in out


def test_a_signal_waits_for_no_key(tmp_path: Path) -> None:
    """Who ends a run from elsewhere gets its end."""
    with InTerminal(*RUN, cwd=tmp_path) as terminal:
        terminal.waits_for("vsip2a/")
        terminal.process.send_signal(signal.SIGTERM)
        code, out = terminal.ended()
        assert terminal.modes_now() == terminal.modes
    assert code == 105
    assert "EXIT 105" in out


def test_a_view_that_is_killed_does_not_end_the_run(tmp_path: Path) -> None:
    """The terminal is given back as it was; the run goes on with plain lines until somebody ends it."""
    with InTerminal(*RUN, cwd=tmp_path) as terminal:
        terminal.waits_for("vsip2a/")
        (child,) = terminal.children()
        os.kill(child, signal.SIGKILL)
        terminal.waits_for("the terminal view has ended; the run goes on")
        assert terminal.modes_now() == terminal.modes
        assert terminal.process.poll() is None
        terminal.process.send_signal(signal.SIGTERM)
        code, out = terminal.ended()
        drawn = terminal.drawn
    assert code == 105
    assert "interrupted; all that was sent was written" in out
    assert drawn.rindex("stopping: draining") > drawn.rindex(NORMAL) > drawn.index(FULL)


def test_a_screen_that_hangs_holds_up_nobody() -> None:
    """The latest document waits for it, and no other; the run that shows and speaks does not."""
    screen, end = pty.openpty()
    shown = feed(factories=500)
    with os.fdopen(end, "w") as stream, TerminalView(stream, "en") as view:
        os.kill(view._child.pid, signal.SIGSTOP)
        view.follow(shown)
        for second in range(200):
            shown.show(snapshot(second, states=[EXECUTE] * 1000))
            view.show(snapshot(second))
        view.say("still here")
        assert shown.document()["number"] == 200
        os.kill(view._child.pid, signal.SIGKILL)
    os.close(screen)


def test_without_a_terminal_there_are_plain_lines(tmp_path: Path) -> None:
    """A job in a pipeline that asks for the view runs all the same."""
    command = [sys.executable, "-m", "simulator", *map(str, RUN), "--for", "1s", "--speed", "max"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0
    assert "there is no terminal here; a line every 10 s instead" in done.stderr
    assert "  PASS  " in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_a_mistake_is_told_on_a_normal_screen(tmp_path: Path) -> None:
    """A broker that nobody reaches ends the view without a key."""
    run = [*RUN[:3], "mqtt://127.0.0.1:1", *RUN[4:]]
    with InTerminal(*run, "--for", "1s", cwd=tmp_path) as terminal:
        code, _ = terminal.ended()
        drawn = terminal.drawn
    assert code == 106
    assert drawn.rindex("nobody listens there") > drawn.rfind(NORMAL)
