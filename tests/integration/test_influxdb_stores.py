"""On real servers: the rows that the bridge hands over are the rows that the database's own query tool counts."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from presses import START_MS, catalog_of, rows_of
from servers import HOST, InfluxDB1, VictoriaMetrics, free_ports

from simulator.batch import Catalog
from simulator.errors import ExitCode, OutOfReachError, StoreError
from simulator.ingest.decode import LAST_MS
from simulator.ingest.open import open_store
from simulator.ingest.store import Row, Store
from simulator.ingest.stores.influxdb import connection as http

CATALOG = catalog_of(presses=3, testers=2)
ROWS = rows_of(CATALOG, 400)
END_MS = START_MS + 400_000
CANARY = "canary-7f3a"


def opened(text: str, catalog: Catalog = CATALOG) -> Store:
    return open_store(text, catalog, run_id="run-1")


def write_with_redelivery(store: Store) -> None:
    """Write in batches as they come, with what a broker sends again after a lost connection."""
    for first in range(0, len(ROWS), 300):
        store.write(ROWS[first : first + 300])
    store.write(ROWS[500:900])
    store.write([*ROWS[:10], *ROWS[:10]])


def test_influxdb1_holds_every_row_once(influxdb1: InfluxDB1) -> None:
    """InfluxQL counts the rows that were written, redelivered ones once, and so does count()."""
    with opened(f"influxdb://{HOST}:{influxdb1.port}/rows?create=true") as store:
        write_with_redelivery(store)
        counted = store.count(from_ms=START_MS, to_ms=END_MS)
    asked = sum(
        influxdb1.query(f"SELECT count(seq) FROM {kind}", database="rows")[0]["values"][0][1]
        for kind in ("press", "tester")
    )
    assert (counted, asked) == (len(ROWS), len(ROWS))


def test_victoria_metrics_holds_every_row_once(victoria_metrics: VictoriaMetrics) -> None:
    """The export API gives back the rows that were written, redelivered ones once, and so does count()."""
    with opened(f"influxdb://{HOST}:{victoria_metrics.port}/rows?org=plant") as store:
        write_with_redelivery(store)
        counted = store.count(from_ms=START_MS, to_ms=END_MS)
    asked = sum(len(one["timestamps"]) for one in victoria_metrics.series('{__name__=~".*_seq",db="rows"}'))
    assert (counted, asked) == (len(ROWS), len(ROWS))


@pytest.fixture(params=["influxdb1", "victoria_metrics"])
def server(request: pytest.FixtureRequest) -> InfluxDB1 | VictoriaMetrics:
    """Each server in turn."""
    found: InfluxDB1 | VictoriaMetrics = request.getfixturevalue(request.param)
    return found


def test_count_takes_the_window_the_bucket_and_the_assets_of_the_run(server: InfluxDB1 | VictoriaMetrics) -> None:
    """Not counted: other instants, other buckets, assets of other parks. The window is from <= time < to.

    It may end with time itself, as it does before a run that goes on until somebody stops it.
    """
    other = catalog_of(presses=2, testers=1, first=50)
    url = f"influxdb://{HOST}:{server.port}"
    for bucket, catalog in (("mine", other), ("mine", CATALOG), ("yours", CATALOG)):
        with opened(f"{url}/{bucket}?create=true", catalog) as store:
            store.write(rows_of(catalog, 20))
    with opened(f"{url}/mine") as store:
        counts = [
            store.count(from_ms=START_MS + first, to_ms=START_MS + end)
            for first, end in ((0, 20_000), (1, 19_000), (20_000, 30_000), (0, LAST_MS - START_MS))
        ]
    assert counts == [100, 90, 0, 100]


def test_values_come_back_as_they_were(influxdb1: InfluxDB1) -> None:
    """Integers of 64 bits and floats of any size are read back the same, in the fields of their names."""
    values = {"state": 6, "power_kw": 41.0, "barrel_c": 1e-7, "parts": 2**63 - 1}
    with opened(f"influxdb://{HOST}:{influxdb1.port}/values?create=true") as store:
        store.write([Row(0, START_MS, 2**53 + 1, values)])
    (series,) = influxdb1.query("SELECT state, power_kw, barrel_c, parts, seq FROM press", database="values")
    assert series["values"] == [[START_MS, 6, 41.0, 1e-7, 2**63 - 1, 2**53 + 1]]


def test_the_servers_are_told_apart(influxdb1: InfluxDB1, victoria_metrics: VictoriaMetrics) -> None:
    """The one line for people names server, version, address and bucket."""
    shown = []
    for port in (influxdb1.port, victoria_metrics.port):
        with opened(f"influxdb://{HOST}:{port}/rows?create=true") as store:
            shown.append(store.describe().replace(str(port), "PORT"))
    assert shown == [f"InfluxDB 1.6.7~rc0 at http://{HOST}:PORT, rows", f"VictoriaMetrics at http://{HOST}:PORT, rows"]


def test_a_server_that_keeps_duplicates_is_counted_right_and_named(
    start_victoria_metrics: Callable[..., VictoriaMetrics], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without deduplication VictoriaMetrics keeps a redelivered row twice; count() does not, and describe() warns.

    The series is so long that its export comes in several lines, with the two of a pair on different ones.
    """
    command = VictoriaMetrics.command
    monkeypatch.setattr(
        VictoriaMetrics, "command", lambda self: [flag for flag in command(self) if not flag.startswith("-dedup")]
    )
    server = start_victoria_metrics()
    rows = [Row(0, START_MS + seq, seq, {"state": 6}) for seq in range(25_000)]
    with opened(f"influxdb://{HOST}:{server.port}/rows") as store:
        for part in (rows, rows, rows[:1]):
            store.write(part)
        counted, shown = store.count(from_ms=START_MS, to_ms=END_MS), store.describe()
    kept = sum(len(one["timestamps"]) for one in server.series('{__name__=~".*_seq"}'))
    assert (counted, kept) == (25_000, 50_001)
    assert "without -dedup.minScrapeInterval=1ms it keeps" in shown


def test_a_server_that_hides_its_metrics_is_written_to(
    start_victoria_metrics: Callable[..., VictoriaMetrics], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With -metricsAuthKey what the store would tell about the server is unknown, and nothing else is amiss."""
    command = VictoriaMetrics.command
    monkeypatch.setattr(VictoriaMetrics, "command", lambda self: [*command(self), "-metricsAuthKey=" + CANARY])
    server = start_victoria_metrics()
    with opened(f"influxdb://{HOST}:{server.port}/rows") as store:
        store.write(ROWS)
        counted, shown = store.count(from_ms=START_MS, to_ms=END_MS), store.describe()
    assert counted == len(ROWS)
    assert "is unknown: it does not show us /metrics" in shown
    assert "without -dedup" not in shown


def test_a_missing_database_says_the_command_to_type(influxdb1: InfluxDB1) -> None:
    """Without create=true the store does not open; the message has the command, and the exit code is 106."""
    with pytest.raises(OutOfReachError) as caught:
        opened(f"influxdb://{HOST}:{influxdb1.port}/nowhere")
    command = f"influx -host {HOST} -port {influxdb1.port} -execute 'CREATE DATABASE \"nowhere\"'"
    assert command in str(caught.value)
    assert caught.value.exit_code == ExitCode.OUT_OF_REACH


def test_a_database_that_goes_away_pauses_and_drops_nothing(influxdb1: InfluxDB1) -> None:
    """Dropped in mid-run it is neither worth a quick retry nor a fault of the rows."""
    with opened(f"influxdb://{HOST}:{influxdb1.port}/brief?create=true") as store:
        influxdb1.query("DROP DATABASE brief")
        with pytest.raises(StoreError, match="no such bucket, database") as caught:
            store.write(ROWS[:3])
    assert (caught.value.retryable, caught.value.split) == (False, False)


@pytest.mark.parametrize("password", ["wrong-" + CANARY, None])
def test_a_wrong_login_says_what_to_set(
    start_influxdb1: Callable[..., InfluxDB1], monkeypatch: pytest.MonkeyPatch, password: str | None
) -> None:
    """401 at the door; the secret is not in the message."""
    server = start_influxdb1(users={"root": "right-" + CANARY})
    user = ""
    if password is not None:
        monkeypatch.setenv("INFLUXDB_PASSWORD", password)
        user = "root@"
    with pytest.raises(OutOfReachError, match="HTTP 401, the server does not accept who we are; set") as caught:
        opened(f"influxdb://{user}{HOST}:{server.port}/park")
    assert CANARY not in str(caught.value)


def test_a_right_login_writes(start_influxdb1: Callable[..., InfluxDB1], monkeypatch: pytest.MonkeyPatch) -> None:
    """User and password go as basic authentication; describe() shows neither."""
    server = start_influxdb1(users={"root": "right-" + CANARY})
    monkeypatch.setenv("PW", "right-" + CANARY)
    with opened(f"influxdb://root:${{PW}}@{HOST}:{server.port}/park?create=true") as store:
        store.write(ROWS[:10])
        assert (store.count(from_ms=START_MS, to_ms=END_MS), CANARY in store.describe()) == (10, False)


def test_a_user_without_rights_is_told_so(
    start_influxdb1: Callable[..., InfluxDB1], monkeypatch: pytest.MonkeyPatch
) -> None:
    """403 at the door, with the server's own words."""
    server = start_influxdb1(users={"root": "right", "guest": "pw"})
    server.query("CREATE DATABASE park")
    monkeypatch.setenv("INFLUXDB_PASSWORD", "pw")
    with pytest.raises(OutOfReachError, match=r"HTTP 403, the token or user may not do this.*guest"):
        opened(f"influxdb://guest@{HOST}:{server.port}/park")


def test_a_conflict_of_types_may_be_split(influxdb1: InfluxDB1) -> None:
    """A field that the database knows as text refuses our numbers; the batch is to be split to find which."""
    with opened(f"influxdb://{HOST}:{influxdb1.port}/types?create=true") as store:
        influxdb1.request("/write?db=types", body=f'press power_kw="text" {START_MS}000000'.encode())
        with pytest.raises(StoreError, match="field type conflict") as caught:
            store.write(ROWS[:3])
    assert (caught.value.retryable, caught.value.split) == (False, True)


def test_nobody_listening_is_said_in_words() -> None:
    """A port without a server is no stack trace of the HTTP library."""
    (port,) = free_ports(1)
    with pytest.raises(OutOfReachError, match=f"http://{HOST}:{port}, park: nobody listens there; start the server"):
        opened(f"influxdb://{HOST}:{port}/park")


def test_a_name_of_no_machine_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that does not resolve is told apart from a port that nobody listens on."""

    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    # No question leaves this machine: a real one would depend on the resolver of the network.
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(OutOfReachError, match="no machine has the name 'nobody'"):
        opened("influxdb://nobody/park")


def test_a_server_that_stops_answering_is_given_up_in_time(
    start_victoria_metrics: Callable[..., VictoriaMetrics], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen server accepts and never answers: the write fails after the read timeout and is worth a retry."""
    monkeypatch.setattr(http, "READ_TIMEOUT_MS", 300)
    server = start_victoria_metrics()
    with opened(f"influxdb://{HOST}:{server.port}/park") as store:
        server.freeze()
        with pytest.raises(StoreError, match=r"did not answer within 0\.3 s") as caught:
            store.write(ROWS[:3])
        server.thaw()
        store.write(ROWS[:3])
        assert (caught.value.retryable, store.count(from_ms=START_MS, to_ms=END_MS)) == (True, 3)


def test_a_server_that_comes_back_takes_the_same_write(start_influxdb1: Callable[..., InfluxDB1]) -> None:
    """Killed and started again on its port, the store goes on without being opened anew."""
    server = start_influxdb1()
    with opened(f"influxdb://{HOST}:{server.port}/park?create=true") as store:
        store.write(ROWS[:5])
        server.kill()
        with pytest.raises(StoreError) as caught:
            store.write(ROWS[:10])
        server.start()
        store.write(ROWS[:10])
        assert (caught.value.retryable, store.count(from_ms=START_MS, to_ms=END_MS)) == (True, 10)
