"""A server as a child process of a test: free ports, waiting until it answers, ending it by its process id."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

__all__ = ["HOST", "Server", "ServerError", "ServerMissingError", "free_ports", "program", "until"]

HOST = "127.0.0.1"
START_DEADLINE_S = 30.0
STOP_DEADLINE_S = 15.0
PORT_ATTEMPTS = 5


class ServerMissingError(Exception):
    """The server's program is not installed."""


class ServerError(Exception):
    """A server did not start, or did not do what the test asked of it; the message ends with its log."""


class PortTakenError(Exception):
    """Somebody took the port between our choosing and the server's binding it."""


def until(probe: Callable[[], object], *, deadline_s: float, what: str) -> None:
    """Ask again every 20 ms until the probe says yes. Raises TimeoutError naming ``what``."""
    end = time.monotonic() + deadline_s
    while not probe():
        if time.monotonic() > end:
            message = f"waited {deadline_s:g} s for {what}"
            raise TimeoutError(message)
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at this moment, all different."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]


def program(name: str, package: str) -> str:
    """Where the program is. Raises ServerMissingError, naming Debian's package."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if found is None:
        message = f"{name} is not installed: apt-get install {package}, or make servers"
        raise ServerMissingError(message)
    return found


class Server(ABC):
    """One server: entering the context starts it, leaving ends it. ``port`` is where it listens."""

    ports_needed = 1

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.ports: list[int] = []
        self._log = folder / "server.log"
        self._older_log = 0
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Write what configuration it needs for ``self.ports`` and return its command line."""

    @abstractmethod
    def answers(self) -> bool:
        """Say whether it serves requests."""

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        for attempt in range(PORT_ATTEMPTS):
            self.ports = free_ports(self.ports_needed)
            self.port = self.ports[0]
            try:
                self.start()
            except PortTakenError as lost:
                if attempt == PORT_ATTEMPTS - 1:
                    raise ServerError(str(lost)) from lost
            else:
                break
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process, while it runs."""
        return self._running().pid

    def log(self) -> str:
        """What the server has written so far, all its starts together."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def log_of_this_start(self) -> str:
        """What it has written since it was started last."""
        return self.log()[self._older_log :]

    def start(self) -> None:
        """Start on the ports chosen before and wait until it answers. Raises ServerError."""
        if self._process is not None:
            message = f"{type(self).__name__} runs already, process {self._process.pid}"
            raise ServerError(message)
        command = self.command()
        self._older_log = len(self.log())
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        try:
            until(self._is_up, deadline_s=START_DEADLINE_S, what=f"{type(self).__name__} to answer on {self.ports}")
        except TimeoutError as late:
            self.kill()
            raise self._failed(str(late)) from late
        if self._process.poll() is not None:
            status = self._process.returncode
            self._process = None
            if "address already in use" in self.log_of_this_start().lower():
                message = f"{type(self).__name__} found one of the ports {self.ports} taken"
                raise PortTakenError(message)
            message = f"{type(self).__name__} ended with status {status} while starting"
            raise self._failed(message)

    def stop(self) -> None:
        """End it politely, and by force after a deadline; nothing to do if it is down."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        process, self._process = self._running(), None
        process.kill()
        process.wait()

    def freeze(self) -> None:
        """Stop its clock (SIGSTOP): it accepts connections and never answers."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after freeze."""
        self._running().send_signal(signal.SIGCONT)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            message = f"{type(self).__name__} is down"
            raise ServerError(message)
        return self._process

    def _is_up(self) -> bool:
        # One that has ended is no longer worth waiting for; start() looks at why.
        return self._running().poll() is not None or self.answers()

    def _failed(self, what: str) -> ServerError:
        return ServerError(f"{what}; its log ends:\n{self.log()[-4000:]}")
