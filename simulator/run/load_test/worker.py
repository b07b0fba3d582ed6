"""A worker: a process that plays its part of a load test, and tells what came of it."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

from simulator.clock import RealClock
from simulator.errors import ParksimError
from simulator.load.tally import Mark
from simulator.publish.pacing import TURN_S
from simulator.results.departures import FromSending
from simulator.results.histogram import Packed
from simulator.results.result import Result
from simulator.results.snapshot import Snapshot
from simulator.run.load_test.marks import Marks
from simulator.run.load_test.plan import Prepared
from simulator.run.load_test.play import Setting, Solo
from simulator.run.options import Options, Share
from simulator.scenario.loader import Loaded

__all__ = ["Calibrate", "Met", "Order", "Report", "main"]

GAVE_UP_S = 120.0
"""How long the others may take to be ready."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is to play."""

    loaded: Loaded
    options: Options
    wanted: Prepared
    number: int
    workers: int


@dataclass(frozen=True, slots=True)
class Calibrate:
    """Say what can be handed over at most, while the others do the same."""

    loaded: Loaded


@dataclass(frozen=True, slots=True)
class Met:
    """All are ready."""

    begin_ns: int


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a part."""

    result: Result
    marks: list[Mark]
    sending: dict[str, Packed]
    """Latencies from sending."""


class Worker:
    """One end of the line; what comes over it while a part is played is read by a thread of its own."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._met = threading.Event()
        self._begin_ns = 0

    def serve(self) -> None:
        """Do what is asked, once."""
        match self._line.recv():
            case Calibrate(loaded):
                self.tell(Solo().calibrated_per_s(loaded))
            case Order() as order:
                threading.Thread(target=self._listen, daemon=True).start()
                self.tell(self._play(order))

    def tell(self, what: object) -> None:
        with self._lock:
            self._line.send(what)

    def _listen(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                match self._line.recv():
                    case Met(begin_ns):
                        self._begin_ns = begin_ns
                        self._met.set()
                    case _:
                        break
        # whoever asked wants no more, or is gone
        self._stop.set()
        self._met.set()

    def _meet(self) -> int:
        self.tell(None)
        self._met.wait(GAVE_UP_S)
        return self._begin_ns or RealClock().monotonic_ns()

    def _play(self, order: Order) -> Report:
        sys.setswitchinterval(TURN_S)
        options = replace(order.options, share=Share(order.number, order.workers, self._meet))
        marks = Marks((), self._stop)

        def shown(snapshot: Snapshot) -> None:
            self.tell(replace(snapshot, park=dict(snapshot.park)))

        setting = Setting(
            order.loaded, options, RealClock(), told=lambda _: None, on_open=lambda _: None, on_snapshot=shown
        )
        result = Solo().play(setting, order.wanted, marks)
        assert marks.hops is not None
        sending = marks.hops.latency.from_sending
        assert isinstance(sending, FromSending)
        packed = {name: getattr(sending, name).packed() for name in ("publish", "broker", "end_to_end")}
        return Report(result, marks.marks, packed)


def main(descriptor: int) -> None:
    """Serve over a pipe; what goes wrong is told over it too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Connection(descriptor) as line:
        worker = Worker(line)
        try:
            worker.serve()
        except (EOFError, ConnectionError):
            pass  # whoever asked is gone
        except Exception as error:
            with suppress(OSError):
                worker.tell(error)
            if not isinstance(error, ParksimError):
                raise
