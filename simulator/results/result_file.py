"""The file of a result: there whole or not at all, and known to be writable before a run begins."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

from pydantic import ValidationError

from simulator.errors import ScenarioError
from simulator.results.result import SCHEMA, Result

__all__ = ["check_writable", "read_result", "write_result", "write_whole"]

MOST_BYTES = 100_000_000


def read_result(file: Path) -> Result:
    """Read what a run wrote with --summary. Raises ScenarioError that says what is wrong and what to give instead."""
    advice = "give what parksim run or load wrote with --summary"
    try:
        if file.stat().st_size > MOST_BYTES:
            message = f"{file}: no result is larger than {MOST_BYTES // 1_000_000} MB; {advice}"
            raise ScenarioError(message)
        return Result.model_validate_json(file.read_bytes())
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}; {advice}"
        raise ScenarioError(message) from error
    except ValidationError as error:
        first = error.errors()[0]
        # a key may be anything, also what moves the cursor of a terminal
        where = ascii(".".join(map(str, first["loc"])))[1:-1] or "the file"
        message = f"{file}: is no {SCHEMA}: {where}: {first['msg']}; {advice}"
        raise ScenarioError(message) from error


def check_writable(file: Path) -> None:
    """Try whether a result can be written there, and leave nothing behind. Raises ScenarioError."""
    try:
        if is_stream(file):
            if not os.access(file, os.W_OK):
                raise PermissionError(None, "Permission denied")
        else:
            part = new_part(file.resolve())
            part.unlink()
    except (OSError, RuntimeError) as error:
        raise not_writable(file, error) from error


def write_result(result: Result, file: Path) -> None:
    """Write a result, whole or not at all; a pipe, a terminal or another device is written to, as a shell would.

    A symbolic link stays one. Raises ScenarioError if it cannot be written.
    """
    write_whole(file, (json.dumps(result.document(), indent=2, ensure_ascii=False) + "\n").encode())


def write_whole(file: Path, data: bytes, *, option: str = "--summary") -> None:
    """Write a file as a result is written. Raises ScenarioError that names the option it comes from."""
    try:
        if is_stream(file):
            with file.open("ab") as stream:
                stream.write(data)
        else:
            replace(file.resolve(), data)
    except (OSError, RuntimeError) as error:
        raise not_writable(file, error, option) from error


def is_stream(file: Path) -> bool:
    """Say whether to write into what is there: all but a regular file, and where our own output goes."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return False
    if file.is_dir():
        raise IsADirectoryError(None, "Is a directory")
    for number in (1, 2):
        with suppress(OSError):  # a standard stream may be closed
            if os.path.samestat(found, os.fstat(number)):
                return True
    return not S_ISREG(found.st_mode)


def replace(file: Path, data: bytes) -> None:
    part = new_part(file)
    try:
        with part.open("wb") as written:
            written.write(data)
            written.flush()
            os.fsync(written.fileno())
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def new_part(file: Path) -> Path:
    """Create an empty file beside ``file``, with the access rights that any new file gets."""
    part = file.with_name(f".parksim-{secrets.token_hex(8)}")
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    return part


def not_writable(file: Path, error: OSError | RuntimeError, option: str = "--summary") -> ScenarioError:
    why = error.strerror if isinstance(error, OSError) else "it is a link to itself"
    return ScenarioError(f"{option} {file}: {why}; name a file in a folder that exists and is writable")
