"""A source in a process of its own: while one core hands messages over, another makes the next ones.

In one process the two would take turns, since only one thread of Python runs at a time: whoever sends would be late
by as long as NumPy takes for a step, and both together would be as fast as one core.
"""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, NamedTuple, Self

from simulator.batch import Catalog
from simulator.clock import RealClock
from simulator.errors import ParksimError, SourceError
from simulator.publish.child import Child
from simulator.publish.orders import Order, Orders
from simulator.publish.source import Ending, Shipping, Window
from simulator.publish.workshop import Workshop
from simulator.scenario.machine_type import MachineType
from simulator.scenario.schema import Scenario

__all__ = ["Detached"]

LOOK_S = 0.1
LESS_URGENT = 10
ENDED_S = 2.0


class Introduction(NamedTuple):
    """What a source says of itself."""

    catalog: Catalog
    origin_ns: int
    start_ns: int
    clocks_off_ms: tuple[int, int] | None


class Stop(NamedTuple):
    """Make no more; end a warm-up before its time."""


class CatchUp(NamedTuple):
    """Let the park live on to now."""


class Enough(NamedTuple):
    """Make no more windows."""


class End(NamedTuple):
    """Tell of a park that is left."""

    windows: int
    until_ns: int


class Line:
    """A connection on which arrays travel beside what they belong to.

    A pickle that holds them would be copied as a whole at both ends, and no other thread of Python could run meanwhile.
    """

    def __init__(self, connection: Connection) -> None:
        self.poll = connection.poll
        self.close = connection.close
        self._connection = connection

    def send(self, what: object) -> None:
        arrays: list[pickle.PickleBuffer] = []
        told = pickle.dumps(what, protocol=5, buffer_callback=arrays.append)
        raw = [array.raw() for array in arrays]
        self._connection.send((told, [one.nbytes for one in raw]))
        for one in raw:
            if one.nbytes:
                self._connection.send_bytes(one)

    def recv(self) -> Any:
        told, sizes = self._connection.recv()
        arrays = [bytearray(size) for size in sizes]
        for array in arrays:
            if array:
                self._connection.recv_bytes_into(array)
        return pickle.loads(told, buffers=arrays)  # noqa: S301 - from a process of our own


class Detached:
    """Speaks with the process that has the park; a context manager that ends it.

    Used by one thread at a time but for ``order`` and ``enough``. Raises SourceError, wherever an answer is waited for,
    when that process has ended or failed.
    """

    def __init__(
        self, scenario: Scenario, types: Mapping[str, MachineType], *, stop: Event, steerable: bool = False
    ) -> None:
        """Have a park built and warmed up, which may take long; once ``stop`` is set it ends before its time.

        ``steerable``: orders may be given.
        """
        self._sending = Lock()
        self._child = Child(__name__, ended_s=ENDED_S)
        self._line = Line(self._child.line)
        try:
            self._send((scenario, dict(types), steerable))
            while not self._line.poll(LOOK_S):
                if stop.is_set():
                    self._send(Stop())
                    break
            said: Introduction = self._answer()
            self.catalog, self.origin_ns, self.start_ns, self.clocks_off_ms = said
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Of the process that has the park."""
        return self._child.pid

    def catch_up(self) -> None:
        self._send(CatchUp())
        self.start_ns = self._answer()

    def windows(self, shipping: Shipping) -> Iterator[Window]:
        self._send(shipping)
        while (window := self._answer()) is not None:
            yield window

    def order(self, order: Order) -> None:
        self._send(order)

    def enough(self) -> None:
        self._send(Enough())

    def end(self, windows: int, until_ns: int) -> Ending:
        self._send(End(windows, until_ns))
        # windows that were made ahead come first
        while not isinstance(answer := self._answer(), Ending):
            pass
        return answer

    def close(self) -> None:
        """End the process."""
        self._child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, order: object) -> None:
        # one that has ended is noticed by whoever waits for the answer
        with self._sending, suppress(OSError):
            self._line.send(order)

    def _answer(self) -> Any:
        try:
            answer = self._line.recv()
        except (EOFError, OSError) as error:
            message = f"the process that simulates the park has ended, with status {self._child.ended()}"
            raise SourceError(message) from error
        if isinstance(answer, Exception):
            raise answer
        return answer


class Inbox:
    """What comes over the line: orders go where the park looks between two windows, everything else waits here."""

    def __init__(self, line: Line) -> None:
        self.orders = Orders()
        self._line = line
        self._waiting: SimpleQueue[Any] = SimpleQueue()
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                come = self._line.recv()
            except (EOFError, OSError) as error:
                come = error
            if isinstance(come, Order):
                self.orders.give(come)
                continue
            if isinstance(come, Enough | End | Exception):
                self.orders.close()
            self._waiting.put(come)
            if isinstance(come, Exception):
                return

    def is_filled(self) -> bool:
        """Whether something waits; while a park warms up, catches up or makes windows it means: enough."""
        return not self._waiting.empty()

    def next(self) -> Any:
        """Return what comes next. Raises EOFError or OSError when the line is closed."""
        come = self._waiting.get()
        if isinstance(come, Exception):
            raise come
        return come


def serve(line: Line) -> None:
    """Have a park, and do what is asked over the line until it is closed at the other end."""
    scenario, types, steerable = line.recv()
    inbox = Inbox(line)
    orders = inbox.orders if steerable else None
    workshop = Workshop(scenario, types, RealClock(), stop=inbox.is_filled, orders=orders)
    line.send(Introduction(workshop.catalog, workshop.origin_ns, workshop.start_ns, workshop.clocks_off_ms))
    while True:
        match inbox.next():
            case Shipping() as shipping:
                began_s = time.process_time()
                for window in workshop.windows(shipping):
                    line.send(window._replace(cpu_s=time.process_time() - began_s))
                    if inbox.is_filled():
                        break
                line.send(None)
            case CatchUp():
                workshop.catch_up()
                line.send(workshop.start_ns)
            case End(windows, until_ns):
                line.send(workshop.end(windows, until_ns))


def main(descriptor: int) -> None:
    """Serve until the other end closes the line, or its process has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # what is made ahead can wait for whoever hands it over in time
    os.nice(LESS_URGENT)
    with Connection(descriptor) as connection, suppress(EOFError, ConnectionError):
        line = Line(connection)
        try:
            serve(line)
        except (EOFError, ConnectionError):
            raise
        except Exception as error:
            # raised again where it can be told
            line.send(error)
            if not isinstance(error, ParksimError):
                raise
