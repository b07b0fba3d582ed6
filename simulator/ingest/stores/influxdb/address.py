"""Where an InfluxDB is and who we are there: ``influxdb://[user@]host[:port]/BUCKET?org=ORG``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from simulator.errors import ScenarioError

__all__ = ["Address"]

OPTIONS = ("create", "org", "password_file", "token_env", "token_file")
PORT = 8086
EXAMPLE = "influxdb://HOST:8086/BUCKET?org=ORG"


@dataclass(frozen=True)
class Address:
    """A parsed address. The secret never shows in its repr."""

    host: str
    port: int
    tls: bool
    bucket: str
    """The bucket of 2.x, the database of 1.x and 3.x, the ``db`` label of VictoriaMetrics."""
    org: str | None = None
    user: str | None = None
    secret: str | None = field(default=None, repr=False)
    """The password if there is a user, else the token."""
    create: bool = False
    """Whether a missing database of InfluxDB 1.x is created."""

    @property
    def url(self) -> str:
        """Where requests go, without bucket and credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The address for people: no user, no secret."""
        return f"{self.url}, {self.bucket}"

    @classmethod
    def parse(cls, text: str, environment: Mapping[str, str] = os.environ) -> Self:
        """Read an address.

        With a user the password comes from ``user:${NAME}@`` (an environment variable), from ``?password_file=FILE``
        or from INFLUXDB_PASSWORD. Without one the token comes from ``?token_env=NAME``, ``?token_file=FILE`` or
        INFLUXDB_TOKEN, and may be absent. Raises ScenarioError, never with a secret in its text.
        """
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            message = f"store influxdb: the address cannot be read ({error}); write {EXAMPLE}"
            # The cause is cut: its text repeats what stands before the @, a password included.
            raise ScenarioError(message) from None
        if not host:
            message = f"store influxdb: a host is missing; write {EXAMPLE}"
            raise ScenarioError(message)
        bucket = unquote(parts.path.removeprefix("/"))
        if not bucket or "/" in parts.path[1:] or not bucket.isprintable():
            message = f"store influxdb at {host}: {bucket!r} is no bucket or database; write {EXAMPLE}"
            raise ScenarioError(message)
        options = read_options(parts, host)
        user = unquote(parts.username) if parts.username else None
        if user is None and parts.password is not None:
            message = (
                f"store influxdb at {host}: a password without a user; write influxdb://USER:${{NAME}}@HOST/BUCKET, or"
                " leave out what stands before the @ and give a token with ?token_env=NAME"
            )
            raise ScenarioError(message)
        return cls(
            host=host,
            port=port or PORT,
            tls=parts.scheme == "influxdbs",
            bucket=bucket,
            org=options.get("org"),
            user=user,
            secret=password(parts, options, environment) if user else token(options, environment),
            create=options.get("create") == "true",
        )


def read_options(parts: SplitResult, host: str) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    problems = [
        f"store influxdb at {host}: option {name!r} is unknown; there are {', '.join(OPTIONS)}"
        for name in options
        if name not in OPTIONS
    ]
    problems += [
        f"store influxdb at {host}: option {name!r} is empty" for name in OPTIONS if options.get(name, "given") == ""
    ]
    if options.get("create", "true") not in {"true", "false"}:
        problems.append(f"store influxdb at {host}: create(={options['create']!r}) must be true or false")
    if problems:
        raise ScenarioError(*problems)
    return options


def password(parts: SplitResult, options: Mapping[str, str], environment: Mapping[str, str]) -> str:
    if "token_env" in options or "token_file" in options:
        message = "store influxdb: a user has a password, not a token; leave the user out, or use password_file"
        raise ScenarioError(message)
    if parts.password:
        reference = re.fullmatch(r"\$\{(\w+)\}", unquote(parts.password))
        if reference is None:
            message = (
                "store influxdb: a password must not stand in the address, where process lists and logs show it;"
                " put it into an environment variable and write 'influxdb://USER:${NAME}@HOST/BUCKET'"
            )
            raise ScenarioError(message)
        return from_environment(reference[1], environment)
    if "password_file" in options:
        return from_file(options["password_file"])
    return from_environment("INFLUXDB_PASSWORD", environment)


def token(options: Mapping[str, str], environment: Mapping[str, str]) -> str | None:
    if "password_file" in options:
        message = "store influxdb: password_file needs a user: influxdb://USER@HOST/BUCKET?password_file=FILE"
        raise ScenarioError(message)
    if "token_env" in options:
        return from_environment(options["token_env"], environment)
    if "token_file" in options:
        return from_file(options["token_file"])
    if environment.get("INFLUXDB_TOKEN"):
        return from_environment("INFLUXDB_TOKEN", environment)
    return None


def from_environment(name: str, environment: Mapping[str, str]) -> str:
    value = environment.get(name)
    if not value:
        message = f"store influxdb: the environment variable {name} is not set; put the secret there"
        raise ScenarioError(message)
    return checked(value, f"the environment variable {name}")


def from_file(path: str) -> str:
    try:
        # Editors end a file with a line; anything else may belong to the secret. The brokers read theirs alike.
        value = Path(path).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        message = f"store influxdb: the secret cannot be read from {path}: {reason}"
        raise ScenarioError(message) from None
    if not value:
        message = f"store influxdb: the file {path} is empty; put the secret there"
        raise ScenarioError(message)
    return checked(value, f"the file {path}")


def checked(value: str, where: str) -> str:
    # It becomes an HTTP header: a line feed in it would be a second header.
    if not (value.isascii() and value.isprintable()):
        message = f"store influxdb: the secret in {where} holds characters that no HTTP header may have"
        raise ScenarioError(message)
    return value
