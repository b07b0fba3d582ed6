"""Marks tell payloads apart, and depend on nothing but their bytes."""

from zlib import crc32

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from plain_marks import mark_of

from simulator.wire.marks import LONGEST, WEIGHTS, marks

LONG = st.binary(min_size=LONGEST - 2, max_size=LONGEST + 2)
PAYLOADS = st.lists(st.one_of(st.binary(max_size=80), LONG), max_size=9)


def plainly(payload: bytes) -> int:
    """Work the mark out word by word, with integers of Python."""
    if not 8 <= len(payload) < LONGEST:
        return crc32(payload)
    total = len(payload) * int(WEIGHTS[-1])
    width = 32 if len(payload) >= 32 else 8
    for offset in range(0, len(payload), width):
        begin = min(offset, len(payload) - width)
        for word in range(width // 8):
            low = begin + 8 * word
            total += int.from_bytes(payload[low : low + 8], "little") * int(WEIGHTS[offset // 8 + word])
    return total % 2**64 >> 1


@given(PAYLOADS, st.binary(max_size=5))
def test_a_mark_is_the_same_wherever_the_payload_stands(payloads: list[bytes], between: bytes) -> None:
    """In a block as alone, with anything before, between and behind."""
    data, start, end = bytearray(between), [], []
    for payload in payloads:
        start.append(len(data))
        data += payload
        end.append(len(data))
        data += between
    found = marks(bytes(data), np.array(start, dtype=np.int64), np.array(end, dtype=np.int64))
    assert [plainly(payload) for payload in payloads] == found.tolist()
    assert (found >= 0).all()


@given(st.binary(min_size=1, max_size=200), st.data())
def test_no_other_byte_has_the_same_mark(payload: bytes, data: st.DataObject) -> None:
    """Whichever byte of a payload is another one, the mark is another one."""
    place = data.draw(st.integers(0, len(payload) - 1))
    change = data.draw(st.integers(1, 255))
    other = bytearray(payload)
    other[place] ^= change
    assert mark_of(payload) != mark_of(bytes(other))


def test_numbers_that_differ_a_little_are_told_apart() -> None:
    """A hundred thousand messages of one asset, in which time, number and value count up, have as many marks."""
    payloads = [b'{"t":%d,"n":%d,"power_kw":%d.%d}' % (1767225600000 + n, n, n % 97, n % 10) for n in range(100_000)]
    ends = np.cumsum([len(payload) for payload in payloads])
    found = marks(b"".join(payloads), np.concatenate(([0], ends[:-1])), ends)
    assert len(set(found.tolist())) == len(payloads)
