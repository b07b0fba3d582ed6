"""The messages that the store will never take: counted by reason, the first kept to look at, all of them in a file."""

from __future__ import annotations

import base64
import fcntl
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import orjson

from simulator.errors import ScenarioError

__all__ = ["DeadLetter", "DeadLetters", "alone_with", "letters_in", "opened_dead_letters"]

PAYLOAD_SHOWN = 200
TOPIC_SHOWN = 200
MOST_FILE_BYTES = 1 << 30


class DeadLetter(NamedTuple):
    """One message that was refused."""

    reason: str
    detail: str
    topic: str
    payload: bytes

    def line(self) -> bytes:
        """Return it as a line of JSON; a payload that is no UTF-8 is written in base64."""
        try:
            payload = {"payload": self.payload.decode()}
        except UnicodeDecodeError:
            payload = {"payload_base64": base64.b64encode(self.payload).decode()}
        return orjson.dumps({"topic": self.topic, "reason": self.reason, "detail": self.detail} | payload) + b"\n"

    @classmethod
    def of(cls, line: bytes) -> DeadLetter:
        """Read such a line. Raises ValueError."""
        found = orjson.loads(line)
        try:
            if "payload_base64" in found:
                payload = base64.b64decode(found["payload_base64"], validate=True)
            else:
                payload = found["payload"].encode()
            return cls(str(found["reason"]), str(found["detail"]), str(found["topic"]), payload)
        except (KeyError, TypeError, AttributeError) as error:
            message = f"no dead letter: {error}"
            raise ValueError(message) from error


class DeadLetters:
    """Counts all, keeps the first ``most``: a broken device repeats itself, and its first letter tells most.

    With a file all are written there, whole, before the broker is told that they have come. Thread-safe.
    """

    def __init__(self, most: int = 100, *, file: BinaryIO | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self.kept: list[DeadLetter] = []
        self.trouble: str | None = None
        """Why the file takes no more."""
        self._most = most
        self._lock = threading.Lock()
        self._file = file
        self._is_dirty = False

    def __len__(self) -> int:
        return self.counts.total()

    def add(self, reason: str, detail: str, topic: str, payload: bytes) -> None:
        """Note a message; ``reason`` comes from a fixed set, so that the counts stay few."""
        with self._lock:
            self.counts[reason] += 1
            if len(self.kept) < self._most:
                self.kept.append(DeadLetter(reason, detail, topic[:TOPIC_SHOWN], payload[:PAYLOAD_SHOWN]))
            if self._file is None:
                return
            if self._file.tell() > MOST_FILE_BYTES:
                self.trouble = f"the file of dead letters is full: {MOST_FILE_BYTES:,} bytes"
                return
            try:
                self._file.write(DeadLetter(reason, detail, topic, payload).line())
            except OSError as error:
                self.trouble = f"a dead letter could not be written: {error.strerror or error}"
            else:
                self._is_dirty = True

    def sync(self) -> None:
        """Have what was added outlive a loss of power."""
        with self._lock:
            if self._file is None or not self._is_dirty:
                return
            try:
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                self.trouble = f"dead letters could not be written: {error.strerror or error}"
            self._is_dirty = False


def opened_dead_letters(stack: ExitStack, path: Path | None) -> DeadLetters:
    """Open a file to add to; the stack closes it. Raises ScenarioError."""
    if path is None:
        return DeadLetters()
    try:
        file = stack.enter_context(path.open("ab"))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        message = f"--dead-letters {path}: another parksim uses it; name another file, or end that one first"
        raise ScenarioError(message) from None
    except OSError as error:
        message = f"--dead-letters {path}: {error.strerror or error}; name a file that can be written"
        raise ScenarioError(message) from error
    letters = DeadLetters(file=file)
    stack.callback(letters.sync)
    return letters


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Keep bridges from adding to a file meanwhile. Raises ScenarioError while one does, or if it cannot be opened."""
    with ExitStack() as stack:
        if not path.is_file():
            letters_in(path)
        opened_dead_letters(stack, path)
        yield


def letters_in(path: Path) -> list[DeadLetter]:
    """Read a file of dead letters. Raises ScenarioError for one that cannot be read, with the line."""
    found = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    found.append(DeadLetter.of(line))
                except ValueError as error:
                    if not line.endswith(b"\n"):
                        continue  # torn by a loss of power, so never confirmed: the broker sent it again
                    message = f"{path}:{number}: {error}"
                    raise ScenarioError(message) from error
    except OSError as error:
        message = f"{path}: {error.strerror or error}; name the FILE of --dead-letters"
        raise ScenarioError(message) from error
    return found
