"""The text of a file that a user named, read within a limit."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from simulator.errors import ScenarioError
from simulator.scenario.document import Mark, Problem

__all__ = ["MAX_BYTES", "Source", "read_source"]

MAX_BYTES = 1 << 20
"""A scenario of 2,000 machines that are all written out is a quarter of this."""
UNPRINTABLE = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was read."""

    name: str
    """The file as the user named it, safe to print."""
    text: str
    sha256: str
    """Of the bytes in the file."""


def read_source(path: Path) -> Source:
    """Read a UTF-8 file of at most MAX_BYTES.

    Raises ScenarioError; a larger file is read no further than that.
    """
    name = str(path) if str(path).isprintable() else ascii(str(path))
    data = read_bytes(path, name)
    return Source(name, decoded(data, name), hashlib.sha256(data).hexdigest())


def read_bytes(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        similar = similar_files(path)
        message = f"{name}: there is no such file" + (f"; did you mean {' or '.join(similar)}?" if similar else "")
        raise ScenarioError(message) from None
    except IsADirectoryError:
        message = f"{name}: is a directory; name the scenario file in it"
        raise ScenarioError(message) from None
    except (OSError, ValueError) as error:
        code = getattr(error, "errno", None)
        message = f"{name}: cannot be read: {os.strerror(code) if code else error}"
        raise ScenarioError(message) from None
    if len(data) > MAX_BYTES:
        much = f"{size:,} bytes" if size > MAX_BYTES else "more"
        message = f"{name}:1:1: the file has {much}; a scenario has at most {MAX_BYTES:,} bytes (1 MiB)"
        raise ScenarioError(message)
    return data


def similar_files(path: Path) -> list[str]:
    """Return up to three scenario files with a name like the missing one, beside it or in ``configs``."""
    found: dict[str, Path] = {}
    for folder in dict.fromkeys((path.parent, Path("configs"))):
        try:
            entries = [entry.name for entry in islice(os.scandir(folder), 1_000)]
        except (OSError, ValueError):
            continue
        for entry in entries:
            if entry.endswith((".yaml", ".yml")):
                # Without the ending, which would make all short names alike.
                found.setdefault(Path(entry).stem, folder / entry)
    return [repr(str(found[stem])) for stem in difflib.get_close_matches(path.stem, found, n=3, cutoff=0.6)]


def decoded(data: bytes, name: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        sentence = f"byte 0x{data[error.start]:02x} is no UTF-8; save the file as UTF-8"
        raise ScenarioError(Problem(end_of(before), "", sentence).at(name)) from None
    bad = UNPRINTABLE.search(text)
    if bad is not None:
        sentence = f"the character U+{ord(bad[0]):04X} is not allowed in YAML; remove it"
        raise ScenarioError(Problem(end_of(text[: bad.start()]), "", sentence).at(name))
    return text


def end_of(text: str) -> Mark:
    """Return the place after a text."""
    return Mark(text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1)
