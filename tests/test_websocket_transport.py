"""MQTT in WebSocket frames: any cut of frames and of the stream gives the same bytes; every frame out is masked."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.errors import ProtocolError
from brokers.transport import WebSocket


@contextmanager
def connected(*, first: bytes = b"", skip: int = 0) -> Iterator[tuple[WebSocket, socket.socket]]:
    """Our end of a connection, and the server's, which waits for a second at most."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(1)
    with theirs:
        transport = WebSocket(ours, address="ws://test", first=first, skip=skip)
        try:
            yield transport, theirs
        finally:
            transport.close()


def frame(data: bytes, *, kind: int = 2, final: bool = True) -> bytes:
    """A frame as a server sends it (RFC 6455, section 5.2)."""
    if len(data) < 126:
        size = bytes([len(data)])
    elif len(data) < 1 << 16:
        size = b"\x7e" + len(data).to_bytes(2, "big")
    else:
        size = b"\x7f" + len(data).to_bytes(8, "big")
    return bytes([final << 7 | kind]) + size + data


def unmasked(data: bytes) -> tuple[int, bytes, bytes]:
    """Type and payload of the first frame of a client, and what follows it."""
    assert data[1] & 0x80
    size, place = data[1] & 0x7F, 2
    if size >= 126:
        wide = 2 if size == 126 else 8
        size, place = int.from_bytes(data[2 : 2 + wide], "big"), 2 + wide
    key, body = data[place : place + 4], data[place + 4 : place + 4 + size]
    assert len(body) == size
    return data[0] & 0x0F, bytes(b ^ key[n % 4] for n, b in enumerate(body)), data[place + 4 + size :]


@given(
    st.lists(st.tuples(st.binary(max_size=200), st.sampled_from([0, 2, 9, 10])), max_size=6),
    st.lists(st.integers(0, 1500), max_size=6),
)
def test_any_cut_gives_the_same_bytes(frames: list[tuple[bytes, int]], cuts: list[int]) -> None:
    """Data frames, continued or not, with pings in between, arrive as one stream; each ping is answered."""
    frames = [(data[:100] if kind > 2 else data, kind) for data, kind in frames]
    stream = b"".join(frame(data, kind=kind) for data, kind in frames)
    bounds = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    received = b""
    with connected() as (transport, server):
        for begin, end in pairwise(bounds):
            server.sendall(stream[begin:end])
            received += transport.receive()
        received += transport.receive()
        assert received == b"".join(data for data, kind in frames if kind <= 2)
        pings = [data for data, kind in frames if kind == 9]
        said = server.recv(1 << 16) if pings else b""
        for ping in pings:
            kind, body, said = unmasked(said)
            assert (kind, body) == (10, ping)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_frames_of_ours(size: int) -> None:
    """What is sent arrives whole, in masked frames of 64 KiB at most, and counts when a frame is out."""
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    with connected() as (transport, server):
        view, said = memoryview(data), b""
        server.setblocking(False)
        while view:
            view = view[transport.send(view) :]
            try:
                said += server.recv(1 << 20)
            except BlockingIOError:
                continue
        arrived = b""
        while said:
            kind, body, said = unmasked(said)
            assert (kind, len(body) <= 1 << 16) == (2, True)
            arrived += body
        assert arrived == data


def test_what_paho_has_read_already() -> None:
    """A frame of which the first bytes are used up goes on behind them."""
    whole = frame(b"connack" + b"publish")
    with connected(first=whole[:9], skip=7) as (transport, server):
        assert transport.pending()
        server.sendall(whole[9:] + frame(b"more"))
        received = b""
        while len(received) < len(b"publishmore"):
            received += transport.receive()
        assert received == b"publishmore"


def test_the_end_comes_after_what_was_said_before() -> None:
    """A close frame behind data ends the connection only once the data is read."""
    with connected() as (transport, server):
        server.sendall(frame(b"last words") + frame(b"\x03\xe8", kind=8))
        assert transport.receive() == b"last words"
        with pytest.raises(ConnectionResetError):
            transport.receive()


@pytest.mark.parametrize("data", [b"\x82\x80\0\0\0\0", b"\x81\x01x", b"\xc2\x01x", b"\x89\x7e\x00\x80", b"HTTP/1.1"])
def test_what_no_server_sends(data: bytes) -> None:
    """Masked, extended and text frames, and long pings, are told as breaches of the protocol."""
    with connected() as (transport, server):
        server.sendall(data)
        with pytest.raises(ProtocolError, match="WebSocket"):
            transport.receive()
