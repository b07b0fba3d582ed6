"""The disk below a spool: files that only grow, and that are whole again after a write that failed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

__all__ = ["Disk", "Folder"]


class Disk(Protocol):
    """Named files. Every method raises OSError as the system does."""

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""

    def append(self, name: str, data: bytes) -> None:
        """Add bytes to a file, made if it is missing; on return they outlive a loss of power."""

    def read(self, name: str, offset: int = 0, size: int = -1) -> bytes:
        """Return bytes of a file from ``offset`` on, all of them or at most ``size``."""

    def size(self, name: str) -> int:
        """Return how many bytes a file has."""

    def remove(self, name: str) -> None:
        """Delete a file."""


class Folder:
    """Files in a folder of the system, which is made if it is missing."""

    def __init__(self, path: Path, *, suffix: str) -> None:
        """Other files in the folder than those with the suffix, such as ``.spool``, are left alone."""
        path.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._suffix = suffix

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        return sorted(found.name for found in self._path.iterdir() if found.suffix == self._suffix)

    def append(self, name: str, data: bytes) -> None:
        """Add bytes to a file; if not all of them could be written, none of them remain."""
        path = self._path / name
        is_new = not path.exists()
        with path.open("ab") as file:
            before = file.tell()
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):  # the torn end is found by its checksum in any case
                    os.truncate(path, before)
                raise
        if is_new:
            self._sync_names()

    def read(self, name: str, offset: int = 0, size: int = -1) -> bytes:
        """Return bytes of a file from ``offset`` on."""
        with (self._path / name).open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def size(self, name: str) -> int:
        """Return how many bytes a file has."""
        return (self._path / name).stat().st_size

    def remove(self, name: str) -> None:
        """Delete a file."""
        (self._path / name).unlink()

    def _sync_names(self) -> None:
        """Have the name of a new file outlive a loss of power, too."""
        folder = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
