"""Real servers as fixtures: the three of a module, and makers for a server of one's own.

Outside CI a test whose server is missing is skipped with the reason; with CI=true it fails.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from servers import InfluxDB1, Mosquitto, Server, ServerMissingError, VictoriaMetrics

AnyServer = TypeVar("AnyServer", bound=Server)


def started(server: AnyServer, stack: ExitStack) -> AnyServer:
    """Start the server until the stack unwinds; skip, or fail in CI, if it is not installed."""
    try:
        stack.enter_context(server)
    except ServerMissingError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    return server


@contextmanager
def makers(kind: Callable[..., AnyServer], folder: Path) -> Iterator[Callable[..., AnyServer]]:
    """A function that starts one more server of the kind at each call; all end with the context."""
    with ExitStack() as stack:
        count = 0

        def make(**settings: object) -> AnyServer:
            nonlocal count
            count += 1
            return started(kind(folder / f"{kind.__name__.lower()}-{count}", **settings), stack)

        yield make


@pytest.fixture(scope="module")
def mosquitto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A mosquitto with its defaults, shared by the tests of a module."""
    with makers(Mosquitto, tmp_path_factory.mktemp("servers")) as make:
        yield make()


@pytest.fixture(scope="module")
def victoria_metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaMetrics]:
    """A VictoriaMetrics, shared by the tests of a module."""
    with makers(VictoriaMetrics, tmp_path_factory.mktemp("servers")) as make:
        yield make()


@pytest.fixture(scope="module")
def influxdb1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB1]:
    """An InfluxDB 1.6.7 without a login, shared by the tests of a module."""
    with makers(InfluxDB1, tmp_path_factory.mktemp("servers")) as make:
        yield make()


@pytest.fixture
def start_mosquitto(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    """Start a mosquitto of one's own: ``start_mosquitto(users={"ana": "pw"}, acl="…", settings={…})``."""
    with makers(Mosquitto, tmp_path) as make:
        yield make


@pytest.fixture
def start_victoria_metrics(tmp_path: Path) -> Iterator[Callable[..., VictoriaMetrics]]:
    """Start a VictoriaMetrics of one's own: ``start_victoria_metrics()``."""
    with makers(VictoriaMetrics, tmp_path) as make:
        yield make


@pytest.fixture
def start_influxdb1(tmp_path: Path) -> Iterator[Callable[..., InfluxDB1]]:
    """Start an InfluxDB 1.6.7 of one's own: ``start_influxdb1(users={"root": "pw"})``."""
    with makers(InfluxDB1, tmp_path) as make:
        yield make
