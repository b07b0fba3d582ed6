"""Reading a result back from its file."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from simulator.errors import ScenarioError
from simulator.results.result import SCHEMA, Result

__all__ = ["read_result"]

MOST_BYTES = 100_000_000


def read_result(file: Path) -> Result:
    """Return a result that ``--summary`` wrote. Raises ScenarioError: no such file, or no result."""
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            message = f"{file}: no result is larger than {MOST_BYTES // 1_000_000} MB"
            raise ScenarioError(message)
        text = file.read_bytes()
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}; give a result that --summary wrote"
        raise ScenarioError(message) from error
    try:
        return Result.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        message = f"{file}: is no {SCHEMA}: {where}: {first['msg']}; give what parksim run --summary wrote"
        raise ScenarioError(message) from error
