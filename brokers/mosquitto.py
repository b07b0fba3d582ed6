"""A mosquitto of our own: configured, started, watched and ended by this process."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from brokers.endpoint import Endpoint, Session
from brokers.errors import StartError, ended

__all__ = ["ManagedMosquitto"]

INSTALL = "install it (Debian: apt install mosquitto), or use --broker embedded"
START_S = 10.0
STOP_S = 10.0
PORT_TRIES = 5
LOG = "log"
CONFIGURATION = "mosquitto.conf"
QUEUE_BYTES = 256 * 1024 * 1024
"""What the broker may queue for one client that is slow or away; it drops the rest without a word."""

COMMON = f"""
allow_anonymous true
# With Nagle on, QoS 1 gets no further than one window per 42 ms.
set_tcp_nodelay true
# The default of 20 is the window towards MQTT 3.1.1 clients, and the Receive Maximum that MQTT 5 clients are told.
max_inflight_messages 10000
# Bound queues by bytes, and not by the default of 1000 messages.
max_queued_messages 0
max_queued_bytes {QUEUE_BYTES}
log_dest stderr
log_type error
log_type warning
# One line says that the port is bound; there shall be none for each connection.
log_type information
connection_messages false
"""
DURABLE = """
persistence true
persistence_location {directory}/
# mosquitto saves when more than so many seconds have passed, so every two.
autosave_interval 1
"""
FAST = """
persistence false
"""


def find_mosquitto() -> str | None:
    """Return the path of the mosquitto program, also where Debian puts it outside the PATH of plain users."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class ManagedMosquitto:
    """mosquitto on a free port of the loopback interface, in a directory that goes with it.

    ``durable`` writes queues and sessions to disk every two seconds (after every change costs nine tenths of the QoS 1
    throughput); otherwise all is in memory. It ends with this process even when that is killed.
    """

    may_wait = QUEUE_BYTES >> 14
    """Of 16 KiB each."""

    def __init__(self, *, durable: bool = True) -> None:
        kept = "queues and sessions go to disk every two seconds, a crash loses at most the last two"
        lost = "queues and sessions are in memory, a crash loses them"
        self.profile = (
            f"mosquitto of our own, {'durable' if durable else 'fast'} profile: {kept if durable else lost}; "
            f"a client that is slow or away loses what exceeds {QUEUE_BYTES >> 20} MiB."
        )
        self._durable = durable
        self._is_away = False
        self._child: subprocess.Popen[bytes] | None = None
        self._leash: subprocess.Popen[bytes] | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._endpoint: Endpoint | None = None

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens, once entered."""
        if self._endpoint is None:
            what = "the broker does not run"
            raise StartError(what, address="mosquitto", advice="use it in a with statement")
        return self._endpoint

    def connect(self, client_id: str, *, window: int, keep_session: bool = False) -> Session:
        from brokers.session import LineSession  # noqa: PLC0415  # paho takes 60 ms to import

        return LineSession(self.endpoint, client_id, window=window, keep_session=keep_session)

    @property
    def process_id(self) -> int | None:
        return None if self._child is None else self._child.pid

    def go_down(self) -> None:
        """End it as its owner would, to have it come back: what it has to save, it saves."""
        self._is_away = True
        self._stop()

    def come_back(self) -> None:
        """Start it again where it was, with what it saved. Raises StartError."""
        program = find_mosquitto()
        assert program is not None
        assert self._directory is not None
        directory = Path(self._directory.name)
        log = directory / LOG
        child = self._child = self._launched(program, directory)
        if not self._wait_until_up(log, child):
            self._stop()
            what = f"it did not come back: {log.read_text(encoding='utf-8', errors='replace').strip()[-2000:]}"
            raise StartError(what, address="mosquitto", advice="mend what it says")
        self._leash = _leash(child.pid, directory)
        self._is_away = False

    def death(self) -> str | None:
        if self._is_away or self._child is None or self._directory is None or self._child.poll() is None:
            return None
        said = (Path(self._directory.name) / LOG).read_text(encoding="utf-8", errors="replace").strip()
        return ended("mosquitto", self._child.returncode, said[-2000:])

    def __enter__(self) -> Self:
        program = find_mosquitto()
        if program is None:
            what = "there is no program of that name"
            raise StartError(what, address="mosquitto", advice=INSTALL)
        self._directory = tempfile.TemporaryDirectory(prefix="parksim-mosquitto-")
        try:
            self._start(program, Path(self._directory.name))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _start(self, program: str, directory: Path) -> None:
        """Start on a free port, on another if somebody took it in the meantime. Raises StartError."""
        log = directory / LOG
        for _ in range(PORT_TRIES):
            endpoint = Endpoint("mqtt", "127.0.0.1", _free_port())
            (directory / CONFIGURATION).write_text(self._configuration(endpoint.port, directory), encoding="utf-8")
            self._child = self._launched(program, directory)
            if self._wait_until_up(log, self._child):
                self._endpoint = endpoint
                self.connect("parksim-check", window=1).close()
                self._leash = _leash(self._child.pid, directory)
                return
            said = log.read_text(encoding="utf-8", errors="replace").strip()
            self._stop()
            if "Address already in use" not in said:
                break
        what = f"it did not start: {said[-2000:] or f'no answer within {START_S:g} s'}"
        raise StartError(what, address="mosquitto", advice="mend what it says, or use --broker embedded")

    @staticmethod
    def _launched(program: str, directory: Path) -> subprocess.Popen[bytes]:
        with (directory / LOG).open("wb") as complaints:
            return subprocess.Popen(  # noqa: S603  # a fixed program, looked up on the PATH
                [program, "-c", str(directory / CONFIGURATION)],
                stdin=subprocess.DEVNULL,
                stdout=complaints,
                stderr=complaints,
                start_new_session=True,  # Ctrl-C is for us, who still drain messages
            )

    def _configuration(self, port: int, directory: Path) -> str:
        profile = DURABLE.format(directory=directory) if self._durable else FAST
        # Started as root, mosquitto becomes the user mosquitto, who cannot write to our directory: stay what we are.
        user = "user root\n" if os.geteuid() == 0 else ""
        return f"listener {port} 127.0.0.1\n{user}{COMMON}{profile}"

    def _wait_until_up(self, log: Path, child: subprocess.Popen[bytes]) -> bool:
        """Wait for the line that says so; a port that answers could be somebody else's."""
        deadline = time.monotonic() + START_S
        while child.poll() is None and time.monotonic() < deadline:
            if b" running\n" in log.read_bytes():
                return True
            time.sleep(0.01)
        return False

    def _stop(self) -> None:
        leash, self._leash = self._leash, None
        if leash is not None:  # first, as the process id may go to someone else once mosquitto is gone
            assert leash.stdin is not None
            leash.kill()
            leash.wait()
            leash.stdin.close()
        child, self._child = self._child, None
        if child is not None:
            child.terminate()
            try:
                child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._endpoint = None
        if self._directory is not None:
            self._directory.cleanup()


def _leash(pid: int, directory: Path) -> subprocess.Popen[bytes]:
    """Start a shell that ends the process and clears up when the pipe from us breaks, as when we are killed.

    The kernel's own way, PR_SET_PDEATHSIG, would end it with the thread that started it.
    """
    # A second for the last save to disk; a process that nobody waits for stays visible, so do not wait for ever.
    when_alone = 'read -r _; kill "$0"; for _ in 1 2 3 4 5; do kill -0 "$0" && sleep 0.2; done; rm -rf "$1"'
    return subprocess.Popen(  # noqa: S603  # a number and a path of our own in a fixed command
        ["/bin/sh", "-c", when_alone, str(pid), str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
