"""The page and the command line: what cannot be served is known before anything runs."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from commands import Parksim, parksim

__all__ = ["parksim"]
QUICKSTART = Path(__file__).parent.parent / "configs" / "quickstart.yaml"
SHORT = ("--for", "1s", "--speed", "max", "--broker", "memory", "--store", "none", "--view", "web")


def test_a_run_with_a_page_says_where_it_is_and_ends_by_itself(parksim: Parksim) -> None:
    """The URL comes first on standard error, without a token on loopback."""
    ended = parksim("run", QUICKSTART, *SHORT, "--port", "0")
    assert ended.code == 0
    assert re.match(r"page: +http://127[.]0[.]0[.]1:\d+/\nbroker: ", ended.err)


def test_away_from_loopback_the_token_is_said_once(parksim: Parksim) -> None:
    """On standard error, as a part of the URL."""
    ended = parksim("run", QUICKSTART, *SHORT, "--port", "0", "--host", "0.0.0.0")
    tokens = re.findall(r"\?token=([\w-]{32})\n", ended.err)
    assert (ended.code, len(tokens)) == (0, 1)
    assert (ended.err.count(tokens[0]), tokens[0] in ended.out) == (1, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "192.0.2.1"), "--view web: nothing can be served at 192.0.2.1 port 8080: "),
        (("--port", "0", "--lang", "fr"), "--lang fr: there is no such language; there are en and vi"),
        (("--view", "cinema"), "--view cinema: there is no such view; there are none, plain, terminal and web"),
    ],
)
def test_what_cannot_be_is_known_before_the_run(parksim: Parksim, arguments: tuple[str, ...], said: str) -> None:
    """Exit code 104, and nothing was started."""
    ended = parksim("run", QUICKSTART, *SHORT, *arguments)
    assert (ended.code, "broker:" in ended.err, ended.out) == (104, False, "")
    assert said in ended.err


def test_a_port_that_is_taken_ends_before_the_run(parksim: Parksim) -> None:
    """The message names the address, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = parksim("run", QUICKSTART, *SHORT, "--port", port)
    assert (ended.code, "broker:" in ended.err) == (104, False)
    assert f"at 127.0.0.1 port {port}: Address already in use; end what listens there" in ended.err


def test_a_load_test_has_a_page_too(parksim: Parksim) -> None:
    """Of a single one, in a single process."""
    arguments = ("load", QUICKSTART, "--rate", "200/s", "--for", "2s", "--broker", "memory", "--store", "none")
    ended = parksim(*arguments, "--view", "web", "--port", "0")
    assert (ended.code, ended.err.startswith("page:   http://127.0.0.1:")) == (0, True)
    for more in (("--workers", "2"), ("--find-max",)):
        refused = parksim("load", QUICKSTART, "--store", "none", "--view", "web", "--port", "0", *more)
        assert (refused.code, "leave out --find-max and --workers" in refused.err) == (104, True)
