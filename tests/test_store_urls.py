"""What stands after --store is understood or refused in one sentence, and no secret ever shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from presses import START_MS, catalog_of, rows_of

from brokers.endpoint import Endpoint
from simulator.errors import ExitCode, ScenarioError
from simulator.ingest.open import open_store
from simulator.ingest.stores.influxdb import Address

CANARY = "canary-7f3a"


def parse(text: str, **environment: str) -> Address:
    return Address.parse(text, environment)


def test_none_forgets_and_does_not_pretend_to_know() -> None:
    """The store none takes everything, and has nothing that could be counted."""
    with open_store("none", catalog_of(), run_id="run-1") as store:
        store.write(rows_of(catalog_of(), 4))
        assert store.count(from_ms=START_MS, to_ms=START_MS + 60_000) is None


def test_sqlite_takes_a_file(tmp_path: Path) -> None:
    """sqlite:FILE opens that file."""
    with open_store(f"sqlite:{tmp_path / 'park.db'}", catalog_of(), run_id="run-1") as store:
        assert str(tmp_path / "park.db") in store.describe()


@pytest.mark.parametrize("text", ["", "postgres://host/db", "park.db", "SQLITE:park.db", "sqlite", "sqlite:", "none:x"])
def test_anything_else_is_a_mistake_in_the_configuration(text: str) -> None:
    """The message shows what to write instead; the exit code is 104."""
    with pytest.raises(ScenarioError, match=r"write:? (sqlite:FILE|none)") as caught:
        open_store(text, catalog_of(), run_id="run-1")
    assert caught.value.exit_code == ExitCode.BAD_CONFIGURATION


def test_a_slash_slash_after_sqlite_is_refused() -> None:
    """sqlite://FILE would read as a host; it is a mistake rather than a file of an odd name."""
    with pytest.raises(ScenarioError, match="write sqlite:FILE"):
        open_store("sqlite:///tmp/park.db", catalog_of(), run_id="run-1")


def test_an_address_has_host_port_bucket_and_organisation() -> None:
    """The parts of an address, percent signs decoded, and the port that InfluxDB has by default."""
    expected = Address("db.local", 8086, tls=False, bucket="my park", org="plant 1")
    assert expected == parse("influxdb://db.local/my%20park?org=plant%201")


def test_an_address_may_have_tls_and_an_ipv6_host() -> None:
    """Influxdbs is HTTPS; an IPv6 address keeps its brackets."""
    assert parse("influxdbs://[::1]:9999/park").url == "https://[::1]:9999"


def test_the_token_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    """token_env and token_file come before INFLUXDB_TOKEN; without any there is no token."""
    file = tmp_path / "token"
    file.write_text("from-file\n")
    addresses = {
        "influxdb://h/b": "standard",
        "influxdb://h/b?token_env=OTHER": "other",
        f"influxdb://h/b?token_file={file}": "from-file",
    }
    found = {text: parse(text, INFLUXDB_TOKEN="standard", OTHER="other").secret for text in addresses}
    assert addresses == found
    assert parse("influxdb://h/b").secret is None


def test_the_password_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    """With a user: the variable named in the address, a file, or INFLUXDB_PASSWORD; never the token."""
    file = tmp_path / "password"
    file.write_text("from-file")
    addresses = {
        "influxdb://ana@h/b": "standard",
        "influxdb://ana:${PW}@h/b": "named",
        f"influxdb://ana@h/b?password_file={file}": "from-file",
    }
    environment = {"INFLUXDB_PASSWORD": "standard", "PW": "named", "INFLUXDB_TOKEN": "token"}
    found = {text: parse(text, **environment).secret for text in addresses}
    assert addresses == found


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("influxdb:///park", "a host is missing"),
        ("influxdb://h", "no bucket or database"),
        ("influxdb://h/", "no bucket or database"),
        ("influxdb://h/a/b", "no bucket or database"),
        ("influxdb://h/a%0ab", "no bucket or database"),
        ("influxdb://h:port/b", "the address cannot be read"),
        ("influxdb://h:99999/b", "the address cannot be read"),
        ("influxdb://[::1/b", "the address cannot be read"),
        ("influxdb://h/b?orgg=x", "option 'orgg' is unknown; there are create, org"),
        ("influxdb://h/b?org=", "option 'org' is empty"),
        ("influxdb://h/b?create=yes", "must be true or false"),
        ("influxdb://h/b?token_env=UNSET", "variable UNSET is not set"),
        ("influxdb://ana@h/b", "variable INFLUXDB_PASSWORD is not set"),
        ("influxdb://ana:${UNSET}@h/b", "variable UNSET is not set"),
        ("influxdb://ana@h/b?token_env=T", "a user has a password, not a token"),
        ("influxdb://h/b?password_file=x", "password_file needs a user"),
        ("influxdb://h/b?token_file=/nowhere/token", "cannot be read from /nowhere/token: No such file"),
        ("influxdb://h/b?token_env=SPLIT", "no HTTP header may have"),
        (f"influxdb://ana:{CANARY}@h/b", "must not stand in the address"),
        (f"influxdb://:{CANARY}@h/b", "at h: a password without a user; write influxdb://USER:${NAME}@HOST"),
        ("influxdb://:${PW}@h/b", "a password without a user"),
        ("influxdb://:@h/b", "a password without a user"),
    ],
)
def test_a_bad_address_says_what_is_wrong(text: str, what: str) -> None:
    """Each mistake has its own sentence; none shows what may be a secret."""
    with pytest.raises(ScenarioError) as caught:
        parse(text, SPLIT=f"{CANARY}\nX-Other: 1", PW=CANARY)
    assert what in str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "secret"),
    [("plain", "plain"), ("line\n", "line"), ("lines\r\n\r\n", "lines"), (" kept  \n", " kept  "), ("a b", "a b")],
)
def test_only_line_ends_are_cut_from_a_secret_in_a_file(tmp_path: Path, written: str, secret: str) -> None:
    """One rule for all secrets: a token, a password of a store and one of a broker are read alike."""
    file = tmp_path / "secret"
    file.write_bytes(written.encode())
    found = [
        parse(f"influxdb://h/b?token_file={file}").secret,
        parse(f"influxdb://ana@h/b?password_file={file}").secret,
        Endpoint.parse(f"mqtt://ana@h?password_file={file}").password,
    ]
    assert [secret] * 3 == found


@pytest.mark.parametrize("text", [f"influxdb://ana:{CANARY}@h:port/b", f"influxdb://ana:{CANARY}@[::1/b"])
def test_an_unreadable_address_does_not_show_its_password(text: str) -> None:
    """Neither the error nor what it was raised from repeats the address."""
    with pytest.raises(ScenarioError) as caught:
        parse(text)
    assert CANARY not in str(caught.value) + repr(caught.value.__cause__)


def test_no_text_of_an_address_shows_its_secret() -> None:
    """The secret is in no repr and in no text for people."""
    address = parse("influxdb://ana:${PW}@h/b", PW=CANARY)
    assert CANARY not in f"{address!r} {address} {address.shown} {address.url}"
