"""Real servers for the tests, each a child process on free ports of 127.0.0.1 with its files in a folder of the test.

with Mosquitto(folder, users={"bridge": "secret"}, settings={"max_queued_messages": 100}) as broker:
    connect("127.0.0.1", broker.port)
    broker.kill()   # as a crash would
    broker.start()  # again, on the same port, with the same files
"""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from abc import abstractmethod
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from child_server import HOST, Server, ServerError, ServerMissingError, free_ports, program, until

__all__ = [
    "HOST",
    "InfluxDB1",
    "Mosquitto",
    "Server",
    "ServerError",
    "ServerMissingError",
    "VictoriaMetrics",
    "free_ports",
    "until",
]


class Mosquitto(Server):
    """Eclipse mosquitto.

    ``settings`` are further lines of its configuration, ``users`` name to password (anonymous clients are then
    refused), ``acl`` the text of an access list.
    """

    def __init__(
        self,
        folder: Path,
        *,
        settings: Mapping[str, object] | None = None,
        users: Mapping[str, str] | None = None,
        acl: str = "",
    ) -> None:
        super().__init__(folder)
        self._settings = dict(settings or {})
        self._users = dict(users or {})
        self._acl = acl

    def command(self) -> list[str]:
        mosquitto = program("mosquitto", "mosquitto")
        lines = [
            f"listener {self.port} {HOST}",
            f"allow_anonymous {str(not self._users).lower()}",
            "log_dest stderr",
            "set_tcp_nodelay true",
        ]
        if os.geteuid() == 0:
            lines.append("user root")  # else it becomes `mosquitto`, who may not read the folder of a test
        if self._users:
            lines.append(f"password_file {self._write_passwords()}")
        if self._acl:
            access = self.folder / "acl"
            access.write_text(self._acl)
            access.chmod(0o600)
            lines.append(f"acl_file {access}")
        lines += [f"{name} {value}" for name, value in self._settings.items()]
        config = self.folder / "mosquitto.conf"
        config.write_text("\n".join(lines) + "\n")
        return [mosquitto, "-v", "-c", str(config)]

    def answers(self) -> bool:
        # The line comes once all listeners are bound; a port that answers could be somebody else's.
        return " running\n" in self.log_of_this_start()

    def _write_passwords(self) -> Path:
        file = self.folder / "passwords"
        tool = program("mosquitto_passwd", "mosquitto")
        file.touch(mode=0o600)
        for name, password in self._users.items():
            subprocess.run([tool, "-b", str(file), name, password], check=True, capture_output=True)
        return file


class HttpServer(Server):
    """A server that one talks to over HTTP."""

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    def request(self, path: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> bytes:
        """GET, or POST if there is a body; return what it answers. Raises urllib.error.HTTPError from 400 on."""
        asked = urllib.request.Request(self.url + path, data=body, headers=dict(headers or {}))
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return bytes(answer.read())

    def answers(self) -> bool:
        try:
            self.request(self.health)
        except urllib.error.HTTPError as not_yet:
            not_yet.close()
            return False
        except OSError:
            return False
        return True

    @property
    @abstractmethod
    def health(self) -> str:
        """A path that answers 2xx once the server serves."""


class VictoriaMetrics(HttpServer):
    """VictoriaMetrics, which takes InfluxDB's line protocol at /write and /api/v2/write.

    It names a series ``measurement_field`` and keeps what came last in memory for a moment: flush() before a query.
    """

    health = "/health"

    def command(self) -> list[str]:
        return [
            program("victoria-metrics", "victoria-metrics"),
            f"-storageDataPath={self.folder / 'data'}",
            f"-httpListenAddr={HOST}:{self.port}",
            "-retentionPeriod=100y",
            "-dedup.minScrapeInterval=1ms",
            "-search.latencyOffset=0s",
        ]

    def flush(self) -> None:
        """Make all that was written so far visible to queries."""
        self.request("/internal/force_flush")

    def series(self, match: str = '{__name__!=""}') -> Iterator[dict[str, Any]]:
        """What it holds, a dict of ``metric``, ``values`` and ``timestamps`` (ms) a series, flushed before."""
        self.flush()
        query = urllib.parse.urlencode({"match[]": match})
        for line in self.request(f"/api/v1/export?{query}").splitlines():
            yield json.loads(line)


class InfluxDB1(HttpServer):
    """InfluxDB 1.6.7. With ``users`` (name to password) it wants a login; the first is the administrator."""

    ports_needed = 2
    health = "/ping"

    def __init__(self, folder: Path, *, users: Mapping[str, str] | None = None) -> None:
        super().__init__(folder)
        self._users = dict(users or {})

    def command(self) -> list[str]:
        influxd = program("influxd", "influxdb")
        config = self.folder / "influxdb.conf"
        # Its folders and addresses are all ours: the defaults would bind 8088 and write to /var/lib.
        config.write_text(f"""\
reporting-disabled = true
bind-address = "{HOST}:{self.ports[1]}"
[meta]
  dir = "{self.folder / "meta"}"
[data]
  dir = "{self.folder / "data"}"
  wal-dir = "{self.folder / "wal"}"
[http]
  bind-address = "{HOST}:{self.port}"
  auth-enabled = {str(bool(self._users)).lower()}
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
[continuous_queries]
  enabled = false
""")
        return [influxd, "run", "-config", str(config)]

    def __enter__(self) -> Self:
        super().__enter__()
        with ExitStack() as on_error:
            on_error.callback(self.stop)
            for number, (name, password) in enumerate(self._users.items()):
                rights = " WITH ALL PRIVILEGES" if number == 0 else ""
                self.query(f"CREATE USER \"{name}\" WITH PASSWORD '{password}'{rights}")
            on_error.pop_all()
        return self

    def query(self, text: str, *, database: str = "") -> list[dict[str, Any]]:
        """Ask in InfluxQL, as the administrator if there is one; return the series. Raises ServerError."""
        form = urllib.parse.urlencode({"q": text, "db": database, "epoch": "ms"})
        login = {}
        for name, password in list(self._users.items())[:1]:
            login = {"Authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}
        answer = json.loads(self.request("/query", body=form.encode(), headers=login))
        (result,) = answer["results"]
        if "error" in result:
            raise ServerError(result["error"])
        series: list[dict[str, Any]] = result.get("series", [])
        return series
