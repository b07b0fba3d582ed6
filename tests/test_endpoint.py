"""A broker's address: what can be written, and that no secret ever comes out of it again."""

from __future__ import annotations

from pathlib import Path

import pytest

from brokers import AddressError, Endpoint

CANARY = "c4n4ry-s3cr3t"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://host", Endpoint("mqtt", "host", 1883)),
        ("mqtt://host:2000/", Endpoint("mqtt", "host", 2000)),
        ("mqtts://host", Endpoint("mqtts", "host", 8883)),
        ("ws://host", Endpoint("ws", "host", 80, path="/mqtt")),
        ("ws://host:9001/broker/ws", Endpoint("ws", "host", 9001, path="/broker/ws")),
        ("wss://host", Endpoint("wss", "host", 443, path="/mqtt")),
        ("mqtt://[::1]", Endpoint("mqtt", "::1", 1883)),
        ("mqtt://[fe80::1]:2000", Endpoint("mqtt", "fe80::1", 2000)),
        ("mqtt://ana@host", Endpoint("mqtt", "host", 1883, username="ana")),
        ("mqtt://ana%40plant@host", Endpoint("mqtt", "host", 1883, username="ana@plant")),
        ("mqtt://host?version=3.1.1", Endpoint("mqtt", "host", 1883, version=4)),
        ("mqtt://host?version=5", Endpoint("mqtt", "host", 1883, version=5)),
        ("mqtts://host?ca_file=/etc/ca.pem", Endpoint("mqtts", "host", 8883, ca_file="/etc/ca.pem")),
        ("mqtts://host?insecure=true", Endpoint("mqtts", "host", 8883, insecure=True)),
        ("mqtts://host?insecure=false", Endpoint("mqtts", "host", 8883)),
    ],
)
def test_an_address_says_where_and_how(url: str, expected: Endpoint) -> None:
    """Scheme, host, port, path, user and options are read, with the usual ports where none is given."""
    assert expected == Endpoint.parse(url)


@pytest.mark.parametrize(
    "url", ["mqtt://host:1883", "mqtts://ana@host:1", "ws://host:80/mqtt", "wss://[::1]:443/mqtt", "mqtt://[::1]:1883"]
)
def test_an_address_prints_as_it_is_written(url: str) -> None:
    """The text of an endpoint is an address that parses to the same endpoint."""
    assert (str(Endpoint.parse(url)), Endpoint.parse(str(Endpoint.parse(url)))) == (url, Endpoint.parse(url))


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://host", "no broker address"),
        ("host:1883", "no broker address"),
        ("", "no broker address"),
        ("mqtt://", "no host"),
        ("mqtt://:1883", "no host"),
        ("mqtt://host:0", "port 0"),
        ("mqtt://host:99999", "cannot be read"),
        ("mqtt://host:port", "cannot be read"),
        ("mqtt://[::1", "cannot be read"),
        ("mqtt://host/topic", "no path"),
        ("mqtt://host?ca_file=x", "certificates mean nothing"),
        ("ws://host?insecure=true", "certificates mean nothing"),
        ("mqtts://host?insecure=yes", "neither true nor false"),
        ("mqtt://host?version=4", "version"),
        ("mqtt://host?keepalive=3", "unknown option keepalive"),
        ("mqtt://ana:${NOT_SET_ANYWHERE}@host", "NOT_SET_ANYWHERE is not set"),
        ("mqtt://ana@host?password_file=/no/such/file", "cannot be read: No such file"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(url: str, problem: str) -> None:
    """An address that cannot be used raises an error that says what is wrong and what to do."""
    with pytest.raises(AddressError, match=problem) as caught:
        Endpoint.parse(url)
    assert caught.value.advice


def test_a_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """``${NAME}`` in the place of the password is replaced, and shows neither in str nor in repr."""
    monkeypatch.setenv("BROKER_PASSWORD", CANARY)
    endpoint = Endpoint.parse("mqtts://ana:${BROKER_PASSWORD}@host")
    assert (endpoint.username, endpoint.password) == ("ana", CANARY)
    assert CANARY not in f"{endpoint} {endpoint!r}"


def test_a_password_comes_from_a_file(tmp_path: Path) -> None:
    """A password file is read without the end of its line, and its content shows neither in str nor in repr."""
    file = tmp_path / "password"
    file.write_text(f"{CANARY}\n")
    endpoint = Endpoint.parse(f"mqtt://ana@host?password_file={file}")
    assert endpoint.password == CANARY
    assert CANARY not in f"{endpoint} {endpoint!r}"


@pytest.mark.parametrize(
    "url",
    [
        f"mqtt://ana:{CANARY}@host",
        f"mqtt://ana:{CANARY}/x@host",
        f"mqtt://ana:{CANARY}?x@host",
        f"mqtt://ana:{CANARY}@x@host",
        f"mqtt://ana:{CANARY}@host:port",
        f"mqtt://ana:{CANARY}@host/topic",
        f"mqtt://ana:{CANARY}",
        f"mqtt://host:1{CANARY}",
        f"http://ana:{CANARY}@host",
        f"ana:{CANARY}@host",
        f"mqtt://host?password={CANARY}",
        f"mqtt://host?passwort={CANARY}",
        f"mqtt://host?insecure={CANARY}",
        f"mqtt://host?version={CANARY}",
        f"mqtt://host#{CANARY}",
        f"mqtt://:{CANARY}@host",
    ],
)
def test_no_refusal_repeats_a_secret(url: str) -> None:
    """However an address with a password in it is refused, the password is not in the message."""
    with pytest.raises(AddressError) as caught:
        Endpoint.parse(url)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("text", ["", "  \n", "\xff"])
def test_a_password_file_without_a_password(tmp_path: Path, text: str) -> None:
    """A password file that is empty or no text is refused."""
    file = tmp_path / "password"
    file.write_bytes(text.strip(" ").encode("latin-1"))
    with pytest.raises(AddressError, match="password_file"):
        Endpoint.parse(f"mqtt://ana@host?password_file={file}")


def test_a_plain_password_is_refused_with_what_to_do() -> None:
    """The refusal of a password in the address names both ways to give one."""
    with pytest.raises(AddressError, match=r"MQTT_PASSWORD.*password_file"):
        Endpoint.parse("mqtt://ana:secret@host")


def test_only_one_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password from the environment and one from a file contradict each other."""
    monkeypatch.setenv("BROKER_PASSWORD", CANARY)
    with pytest.raises(AddressError, match="two passwords"):
        Endpoint.parse(f"mqtt://ana:${{BROKER_PASSWORD}}@host?password_file={tmp_path}")


def test_a_password_needs_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password without a user name is refused, as MQTT 3.1.1 has none."""
    monkeypatch.setenv("BROKER_PASSWORD", CANARY)
    with pytest.raises(AddressError, match="without a user name"):
        Endpoint.parse("mqtt://:${BROKER_PASSWORD}@host")
