"""Reading the JSON that our own encoder writes, in blocks: where names and values stand, checked to the last byte.

See ``json_blocks`` for the form. Nothing here is a JSON parser: what is written otherwise is not even.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "AHEAD",
    "LONGEST_VALUE",
    "WORD",
    "Fields",
    "cut_out",
    "front",
    "gathered",
    "numeric",
    "separate",
    "whole_number",
    "words",
]

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Words = NDArray[np.uint64]

QUOTE, COLON, COMMA, CLOSE, MINUS, POINT, ZERO, NINE = (ord(one) for one in '":,}-.09')
TIME, NUMBER = b'{"t":', b'"n":'
FEWEST_FIELDS = 3
"""Time, number, and at least one reading."""
LONGEST_VALUE = 18
"""Digits of a value, of a number and of a time at most: what surely fits into 64 bits."""
WORD = 8
"""Bytes that are compared at once."""
EIGHT_ONES = np.uint64(0x0101010101010101)
AHEAD = 4_096
"""Zeros after the payloads: no name of a sensor is longer."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What stands between separators in some messages: N fields, time and number among them, int64[N] each."""

    text: Bytes
    """The payloads, one after the other."""
    message: Ints
    key: Ints
    """Where each name begins, after its quote."""
    colon: Ints
    end: Ints


def cut_out(data: Bytes, start: Ints, end: Ints) -> tuple[Bytes, Ints]:
    """Return the payloads without what stands between them, and where each begins, int64[K + 1].

    After the last one zeros follow, as many as the readers here look ahead.
    """
    length = end - start
    edge = np.concatenate(([0], np.cumsum(length)))
    between = np.empty(2 * len(start), dtype=np.int64)
    between[0::2] = start - np.concatenate((start[:1], end[:-1]))
    between[1::2] = length
    kept = np.repeat(np.tile(np.array([False, True]), len(start)), between)
    return np.concatenate((data[start[0] : end[-1]][kept], np.zeros(AHEAD, dtype=np.uint8))), edge


def separate(text: Bytes, edge: Ints) -> tuple[Mask, Fields]:
    """Find names and values in payloads; return which payloads are built as ours are, and the fields of those."""
    last = edge[1:] - 1
    colon = np.flatnonzero(text == COLON)
    ends = text == COMMA
    ends[last[np.diff(edge) > 0]] = True
    comma = np.flatnonzero(ends)
    of_colon, of_comma = (np.searchsorted(where, edge) for where in (colon, comma))
    even = np.diff(of_colon) == np.diff(of_comma)
    even &= np.diff(of_colon) >= FEWEST_FIELDS
    even &= np.diff(edge) > len(TIME)
    colon = colon[np.repeat(even, np.diff(of_colon))]
    end = comma[np.repeat(even, np.diff(of_comma))]
    message = np.repeat(np.arange(len(even)), np.where(even, np.diff(of_colon), 0))
    head = np.diff(message, prepend=-1) != 0
    key = np.empty(len(end), dtype=np.int64)
    key[1:] = end[:-1] + 2
    key[head] = edge[message[head]] + 2
    # A name in quotes before the colon, a value after it, and the next name in quotes.
    good = (end > colon + 1) & (key < colon) & (text.take(key - 1, mode="clip") == QUOTE)
    good &= text.take(colon - 1, mode="clip") == QUOTE
    second = np.zeros(len(head), dtype=bool)
    second[1:] = head[:-1]
    at = np.flatnonzero(head)
    good[at] &= (gathered(text, edge[message[at]], len(TIME)) == np.frombuffer(TIME, np.uint8)).all(axis=1)
    good[at] &= colon[at] == edge[message[at]] + len(TIME) - 1
    at = np.flatnonzero(second)
    good[at] &= (gathered(text, key[at] - 1, len(NUMBER)) == np.frombuffer(NUMBER, np.uint8)).all(axis=1)
    good[at] &= colon[at] == key[at] + len(NUMBER) - 2  # the quote before the key and the colon itself
    tail = np.zeros(len(head), dtype=bool)
    tail[np.flatnonzero(head)[1:] - 1] = True
    tail[-1:] = True
    good &= ~tail | (text.take(end, mode="clip") == CLOSE)
    even[message[~good]] = False
    kept = even[message]
    return even, Fields(text, message[kept], key[kept], colon[kept], end[kept])


def gathered(text: Bytes, begin: Ints, width: int) -> Bytes:
    """Return ``width`` bytes from each place on, uint8[..., width]; ``text`` goes on for as many after the last."""
    # Every place as one item of so many bytes: taking an item copies them at once.
    items: NDArray[np.void] = np.ndarray((len(text) - width + 1,), f"V{width}", text, strides=(1,))
    return items[begin].view(np.uint8).reshape(*begin.shape, width)


@cache
def fronts(width: int) -> NDArray[np.void]:
    """Return masks of ``width`` bytes as single items; in number n the first n bytes count."""
    masks = np.arange(width) < np.arange(width + 1)[:, np.newaxis]
    return masks.view(f"V{width}").ravel()


def front(length: Ints, width: int) -> Mask:
    """Say which of ``width`` bytes are among the first ``length``, bool[..., width]; looked up, not compared."""
    return fronts(width).take(length, mode="clip").view(bool).reshape(*length.shape, width)


def words(rows: Bytes | Mask) -> Words:
    """Return rows of whole words of eight bytes as those, uint64[N, width / 8].

    What is asked of all bytes of a row is asked of its words, column by column: reducing along short rows takes NumPy
    twenty times as long.
    """
    return rows.view(np.uint64)


def any_of(mask: Mask) -> Mask:
    """Say of each row whether any of its bytes is set; rows are whole words."""
    columns = words(mask)
    found = columns[:, 0]
    for column in columns.T[1:]:
        found = found | column
    return np.asarray(found != 0)


def count_of(mask: Mask) -> Words:
    """Return how many bytes of each row are set, below 256; rows are whole words."""
    columns = words(mask)
    total = columns[:, 0]
    for column in columns.T[1:]:
        total = total + column
    # The highest byte of the product is the sum of all eight.
    return total * EIGHT_ONES >> np.uint64(56)


def numeric(text: Bytes, begin: Ints, end: Ints, *, whole: Mask) -> Mask:
    """Say of each value whether it is a number in plain digits as our encoder writes it, integer where it has to be."""
    length = end - begin
    width = -(-min(max(int(length.max(initial=1)), 3), LONGEST_VALUE + 2) // WORD) * WORD
    byte = gathered(text, begin, width)
    minus = byte[:, 0] == MINUS
    inside = front(length, width)
    point = (byte == POINT) & inside
    # Below zero they wrap around, to far above nine.
    odd = (byte - np.uint8(ZERO) > NINE - ZERO) & inside & ~point
    odd[:, 0] &= ~minus
    points = count_of(point)
    good = ~any_of(odd) & (points <= 1) & (length <= width)
    lead, follows = np.where(minus, byte[:, 1], byte[:, 0]), np.where(minus, byte[:, 2], byte[:, 1])
    digits = length - minus
    is_digit = (lead - np.uint8(ZERO) <= NINE - ZERO) & (digits > 0)
    # No zero before other digits; a fraction ends in another digit than zero; no minus before a zero.
    zero_first = (lead == ZERO) & (digits > 1) & (follows != POINT)
    last = text.take(end - 1, mode="clip")
    end_good = (points == 0) | ((last > ZERO) & (last <= NINE))
    good &= is_digit & ~zero_first & end_good & ~(minus & (lead == ZERO) & (digits == 1))
    good &= ~(whole & (points > 0)) & (digits <= LONGEST_VALUE)
    return np.asarray(good)


def whole_number(text: Bytes, begin: Ints, end: Ints) -> tuple[Ints, Mask]:
    """Return numbers without sign and leading zeros, and which of them are such numbers."""
    length = end - begin
    width = min(int(length.max(initial=1)), LONGEST_VALUE)
    byte = gathered(text, begin, width) - np.uint8(ZERO)
    good = (length > 0) & (length <= width) & ((length == 1) | (byte[:, 0] != 0))
    value = np.zeros(len(begin), dtype=np.int64)
    for place in range(width):
        inside = place < length
        good &= ~inside | (byte[:, place] <= NINE - ZERO)
        value = np.where(inside, value * 10 + byte[:, place], value)
    return value, good
