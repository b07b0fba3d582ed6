"""A bridge in a process of its own, and a publisher that knows what the broker has acknowledged."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from child_server import HOST, until

from brokers.endpoint import Endpoint
from brokers.session import LineSession
from simulator.bench.recording import Recording, Stream
from simulator.scenario.loader import load_scenario

__all__ = ["SCENARIO", "BridgeProcess", "Feeder", "recording"]

PARKSIM = shutil.which("parksim", path=str(Path(sys.executable).parent)) or "parksim"
SCENARIO = Path(__file__).parent.parent / "configs" / "throughput.yaml"
STOPPED_S = 60.0


def recording(number: int, *, scenario: Path = SCENARIO) -> Recording:
    """So many messages of a scenario, made before the test needs them."""
    return Stream(load_scenario(scenario), qos=1, version=5).record(number)


class Feeder:
    """Publishes a recording with QoS 1, and comes back when the broker does."""

    def __init__(self, port: int, what: Recording, *, window: int = 500) -> None:
        self._session = LineSession(Endpoint("mqtt", HOST, port, version=5), "feeder", window=window, keep_session=True)
        self._packets = what.packets()
        self.taken = 0
        self.acknowledged = np.zeros(self._packets.number, dtype=bool)
        self.refused = 0

    def feed(self, number: int, *, deadline_s: float = 20.0) -> None:
        """Hand over so many messages more."""
        last = min(self.taken + number, self._packets.number)
        end = time.monotonic() + deadline_s
        while self.taken < last:
            if time.monotonic() > end:
                message = f"the broker took {self.taken} of {last} messages in {deadline_s:g} s"
                raise TimeoutError(message)
            self.taken += self._session.publish_packets(self._packets.part(self.taken, last), qos=1, timeout_s=1.0)
            self._settle()

    def settle(self, *, deadline_s: float = 20.0) -> None:
        """Wait until all that was handed over is acknowledged or refused."""

        def is_done() -> bool:
            self._settle()
            return int(np.count_nonzero(self.acknowledged)) + self.refused >= self.taken

        until(is_done, deadline_s=deadline_s, what="the broker to acknowledge")

    def _settle(self) -> None:
        settled = self._session.settled()
        self.acknowledged[settled.tag] = True
        self.refused += len(settled.refused)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close(timeout_s=1.0)


class BridgeProcess:
    """`parksim bridge`, which can be killed and started again."""

    def __init__(
        self, broker_port: int, store: str, folder: Path, *, spool: bool = False, scenario: Path = SCENARIO
    ) -> None:
        command = [PARKSIM, "bridge", str(scenario), "--broker", f"mqtt://{HOST}:{broker_port}", "--store", store]
        self.spool = folder / "spool"
        self.letters = folder / "letters.jsonl"
        self._command = [*command, "--dead-letters", str(self.letters)]
        self._command += ["--spool", str(self.spool)] if spool else []
        self._log = folder / "bridge.log"
        self._out = folder / "bridge.json"
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def start(self) -> Self:
        """Start it; it is not waited for."""
        with self._out.open("wb") as out, self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=out, stderr=log)
        self.starts += 1
        return self

    def is_up(self) -> bool:
        """Whether it has subscribed, this time."""
        return self.said().count("\nbridge: ") + self.said().startswith("bridge: ") >= self.starts

    def said(self) -> str:
        """What it said, all starts together."""
        return self._log.read_text() if self._log.exists() else ""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def resident_mb(self) -> float:
        """The memory of the process."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def spooled_bytes(self) -> int:
        """What its spool has on disk."""
        return sum(file.stat().st_size for file in self.spool.glob("*/*.spool"))

    def kill(self) -> None:
        """End it as a loss of power would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self, *, deadline_s: float = STOPPED_S) -> tuple[dict[str, Any], int]:
        """Ask it to end; return its report and its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(deadline_s)
        self._process = None
        text = self._out.read_text()
        return json.loads(text) if text else {}, code

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.kill()
