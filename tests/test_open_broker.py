"""The name or address of a broker leads to the broker that it means."""

from __future__ import annotations

import subprocess
import sys

import pytest

import brokers
from brokers import AddressError, EmbeddedBroker, ExternalBroker, ManagedMosquitto, MemoryBroker, open_broker


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("embedded", EmbeddedBroker),
        ("memory", MemoryBroker),
        ("mosquitto", ManagedMosquitto),
        ("mqtt://host", ExternalBroker),
        ("wss://host/mqtt", ExternalBroker),
    ],
)
def test_a_name_or_an_address(text: str, expected: type) -> None:
    """Each name opens its broker, every address someone else's; nothing is started or asked yet."""
    assert isinstance(open_broker(text), expected)


@pytest.mark.parametrize(("found", "expected"), [("/usr/sbin/mosquitto", ManagedMosquitto), (None, EmbeddedBroker)])
def test_auto_takes_the_best_at_hand(monkeypatch: pytest.MonkeyPatch, found: str | None, expected: type) -> None:
    """Auto is mosquitto where it is installed, else the embedded broker."""
    monkeypatch.setattr(brokers, "find_mosquitto", lambda: found)
    assert isinstance(open_broker("auto"), expected)


@pytest.mark.parametrize("text", ["", "mosquito", "localhost:1883"])
def test_an_unknown_name(text: str) -> None:
    """A name that no broker has is refused, naming those that can be written."""
    with pytest.raises(AddressError, match="auto, embedded, memory, mosquitto"):
        open_broker(text)


def test_a_forgotten_scheme_shows_no_secret() -> None:
    """An address without its scheme is refused without the password that stands in it."""
    with pytest.raises(AddressError) as caught:
        open_broker("ana:c4n4ry@host")
    assert "c4n4ry" not in str(caught.value)


def test_the_public_names() -> None:
    """What brokers offers is sorted, and all there."""
    assert brokers.__all__ == sorted(brokers.__all__)
    assert all(hasattr(brokers, name) for name in brokers.__all__)


def test_importing_brokers_imports_no_client_library() -> None:
    """``import brokers`` loads neither paho nor amqtt, which take their time."""
    command = "import sys, brokers; print(*({'paho', 'amqtt', 'asyncio', 'simulator'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
